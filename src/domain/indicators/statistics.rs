//! Shares and whether they differ: Wilson's interval, Fisher's exact test, and Holm's correction for many comparisons.
//!
//! Wilson, JASA 22 (1927); Newcombe, Stat. Med. 17 (1998), method 3. Fisher, The Design of Experiments (1935), two-sided
//! as the sum of all tables no more likely than the one seen. Holm, Scand. J. Statist. 6 (1979): it keeps the chance of one
//! wrong flag in the whole table below the level, however the comparisons depend on each other; those of one regulator do,
//! since his shares add up to one.

/// The normal quantile of a two-sided 95 % interval.
const Z_95: f64 = 1.959_963_984_540_054;
/// Two tables count as equally likely within this factor, as sums of logarithms differ in their last digits.
const ALIKE: f64 = 1e-7;

/// A share and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// How many.
    pub of: u64,
    /// Out of how many.
    pub total: u64,
    /// The share, 0 to 1; 0 when `total` is 0.
    pub share: f64,
    /// Lower bound of the 95 % interval.
    pub low: f64,
    /// Upper bound of the 95 % interval.
    pub high: f64,
}

/// The share with Wilson's score interval; nothing seen says nothing: 0 to 1.
pub fn wilson(of: u64, total: u64) -> Share {
    if total == 0 {
        return Share { of, total, share: 0.0, low: 0.0, high: 1.0 };
    }
    let (n, share) = (total as f64, of as f64 / total as f64);
    let z2 = Z_95 * Z_95;
    let middle = share + z2 / (2.0 * n);
    let half = Z_95 * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    let (low, high) = ((middle - half) / scale, (middle + half) / scale);
    Share { of, total, share, low: if of == 0 { 0.0 } else { low }, high: if of == total { 1.0 } else { high } }
}

/// The two-sided p-value that `a` of `a_total` and `b` of `b_total` have one share.
pub fn fisher(a: u64, a_total: u64, b: u64, b_total: u64) -> f64 {
    let drawn = a + b;
    let (least, most) = (drawn.saturating_sub(b_total), drawn.min(a_total));
    let all = ln_choose(a_total + b_total, drawn);
    let likely = |k: u64| (ln_choose(a_total, k) + ln_choose(b_total, drawn - k) - all).exp();
    let seen = likely(a) * (1.0 + ALIKE);
    (least..=most).map(likely).filter(|p| *p <= seen).sum::<f64>().min(1.0)
}

/// Holm's adjusted p-values, in the order of `p`: an adjusted value below the level is a flag.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let (mut adjusted, mut largest) = (vec![1.0; p.len()], 0.0_f64);
    for (rank, at) in order.into_iter().enumerate() {
        largest = largest.max(p[at] * (p.len() - rank) as f64);
        adjusted[at] = largest.min(1.0);
    }
    adjusted
}

fn ln_choose(n: u64, k: u64) -> f64 {
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// Exact sums below 256, Stirling's series above (its error there is below 1e-16).
fn ln_factorial(n: u64) -> f64 {
    if n < 256 {
        return (2..=n).map(|k| (k as f64).ln()).sum();
    }
    let x = n as f64;
    x * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI * x).ln() + 1.0 / (12.0 * x) - 1.0 / (360.0 * x * x * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: f64, published: f64) {
        assert!((got - published).abs() < 0.000_05, "{got} is not {published}");
    }

    #[test]
    fn wilsons_interval_is_newcombes_table() {
        // Newcombe 1998, table I, method 3.
        for (of, total, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let share = wilson(of, total);
            near(share.low, low);
            near(share.high, high);
        }
        assert_eq!((wilson(0, 0).low, wilson(0, 0).high), (0.0, 1.0));
        assert_eq!(wilson(7, 7).high, 1.0);
    }

    #[test]
    fn fishers_test_gives_his_own_examples() {
        // The lady tasting tea; the convictions of the twins of criminals, as the documentation of R prints it.
        near(fisher(3, 4, 1, 4), 0.4857);
        near(fisher(2, 17, 10, 13), 0.000_537);
        near(fisher(5, 10, 50, 100), 1.0);
    }

    #[test]
    fn large_tables_are_no_other_than_small_ones() {
        // Beyond the exact sums the test nears the normal one: z = 2.236 for 550 and 500 of 1,000 each, p 0.0253.
        let p = fisher(550, 1_000, 500, 1_000);
        assert!((0.024..0.030).contains(&p), "{p}");
        near(ln_factorial(256) - ln_factorial(255), 256_f64.ln());
    }

    #[test]
    fn holm_steps_down_and_never_back() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (got, published) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            near(*got, published);
        }
        assert!(holm(&[]).is_empty());
    }
}

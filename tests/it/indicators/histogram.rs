//! Quantiles of a histogram, against the exact ones of the sorted sample.

use proptest::prelude::*;
use sas_dispatch::domain::{
    indicators::{Histogram, RELATIVE_ERROR},
    time::Span,
};

fn of(spans: &[i64]) -> Histogram {
    let mut histogram = Histogram::default();
    spans.iter().for_each(|ms| histogram.add(Span::from_ms(*ms)));
    histogram
}

fn exact(sorted: &[i64], percent: usize) -> i64 {
    sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1]
}

/// Waits of all lengths: milliseconds as well as days.
fn spans() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(prop_oneof![0..400_i64, 0..120_000_i64, 0..864_000_000_i64], 1..400)
}

proptest! {
    #[test]
    fn a_quantile_is_the_exact_one_within_the_stated_error(mut spans in spans()) {
        let histogram = of(&spans);
        spans.sort_unstable();
        prop_assert_eq!(histogram.count(), spans.len() as u64);
        prop_assert_eq!(histogram.longest().ms(), *spans.last().unwrap());
        for percent in [1, 50, 90, 95, 99, 100] {
            let (got, want) = (histogram.quantile(percent).unwrap().ms(), exact(&spans, percent as usize));
            let off = (got - want).abs() as f64;
            prop_assert!(off <= want as f64 * RELATIVE_ERROR + 0.5, "p{}: {} for {}", percent, got, want);
        }
    }

    #[test]
    fn histograms_add_up_to_the_histogram_of_all(one in spans(), two in spans()) {
        let mut merged = of(&one);
        merged.merge(&of(&two));
        prop_assert_eq!(merged, of(&[one, two].concat()));
    }
}

#[test]
fn its_memory_is_bounded_whatever_is_counted() {
    let mut histogram = Histogram::default();
    (0..200_000_i64).for_each(|n| histogram.add(Span::from_ms(n * n * n)));
    histogram.add(Span::from_ms(i64::MAX));
    assert!(histogram.cells() <= 4_352, "{}", histogram.cells());
    assert!(Histogram::default().quantile(50).is_none());
}

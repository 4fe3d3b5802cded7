//! Chance from a seed: the same seed gives the same day. `SplitMix64` (Steele, Lea, Flood 2014), thirty lines that need no
//! dependency and stay the same whatever a crate's next version does.

use uuid::Uuid;

use crate::domain::time::{Instant, Span};

/// A stream of choices.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// The stream named `label` of a seed: independent of every other label, so that one actor who draws once more changes
    /// no one else's day.
    pub(super) fn new(seed: u64, label: &str) -> Self {
        // FNV-1a of the label, mixed with the seed.
        let hash = label
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        let mut dice = Self(seed ^ hash);
        dice.next();
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 to below `n`; 0 when `n` is.
    pub(super) fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n.saturating_sub(1))
    }

    /// True in `percent` of a hundred.
    pub(super) fn percent(&mut self, percent: f64) -> bool {
        self.unit() * 100.0 < percent
    }

    /// A span between two numbers of seconds.
    pub(super) fn seconds(&mut self, from: i64, to: i64) -> Span {
        Span::from_ms(from * 1_000 + (self.unit() * ((to - from) * 1_000) as f64) as i64)
    }

    /// A waiting time without memory, of this mean.
    pub(super) fn waiting(&mut self, mean: Span) -> Span {
        Span::from_ms((-(1.0 - self.unit()).ln() * mean.ms() as f64) as i64)
    }

    /// How long a piece of work of this mean takes: rarely very short, sometimes long (Erlang, two phases).
    pub(super) fn work(&mut self, mean: Span) -> Span {
        let half = Span::from_ms(mean.ms() / 2);
        self.waiting(half) + self.waiting(half)
    }

    /// One of `choices`, each with its weight.
    pub(super) fn pick<'a, T>(&mut self, choices: &'a [(T, u32)]) -> &'a T {
        let total: u32 = choices.iter().map(|(_, weight)| weight).sum();
        let mut left = (self.unit() * f64::from(total)) as u32;
        for (choice, weight) in choices {
            if left < *weight {
                return choice;
            }
            left -= weight;
        }
        let (last, _) = choices.last().expect("every table of the demo has a row");
        last
    }

    /// One of `things`.
    pub(super) fn any<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        let at = self.below(things.len());
        things.get(at).expect("every list of the demo has an entry")
    }

    /// An identifier of which the time bits are `at` and the others come from here (UUIDv7).
    pub(super) fn uuid(&mut self, at: Instant) -> Uuid {
        let mut bytes = [self.next().to_be_bytes(), self.next().to_be_bytes()].concat();
        bytes[..6].copy_from_slice(&at.unix_ms().max(0).to_be_bytes()[2..]);
        bytes[6] = (bytes[6] & 0x0f) | 0x70;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Uuid::from_slice(&bytes).expect("sixteen bytes are a UUID")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_choices_and_a_label_others() {
        let draw = |seed, label| {
            let mut dice = Dice::new(seed, label);
            (0..8).map(|_| dice.below(1_000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, "arm"), draw(1, "arm"));
        assert_ne!(draw(1, "arm"), draw(2, "arm"));
        assert_ne!(draw(1, "arm"), draw(1, "amu"));
    }

    #[test]
    fn weights_and_means_are_kept() {
        let mut dice = Dice::new(7, "means");
        let table = [("a", 61), ("b", 15), ("c", 24)];
        let picked = (0..20_000).filter(|_| *dice.pick(&table) == "a").count();
        assert!((12_000..12_400).contains(&picked), "{picked}");
        let mean = (0..20_000).map(|_| dice.work(Span::from_secs(300)).ms()).sum::<i64>() / 20_000;
        assert!((295_000..305_000).contains(&mean), "{mean}");
    }

    #[test]
    fn identifiers_are_version_seven_and_sort_by_time() {
        let mut dice = Dice::new(1, "ids");
        let early = dice.uuid(Instant::from_unix_ms(1_735_167_600_000));
        let late = dice.uuid(Instant::from_unix_ms(1_735_167_600_001));
        assert_eq!(early.get_version_num(), 7);
        assert!(early < late);
    }
}

//! Quantiles of waits, whole seconds.

use serde::Serialize;

use crate::domain::time::Span;

/// The wait that half, nine in ten and nineteen in twenty stayed below, and the longest; seconds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Quantiles {
    pub(super) count: u64,
    pub(super) p50_s: i64,
    pub(super) p90_s: i64,
    pub(super) p95_s: i64,
    pub(super) max_s: i64,
}

/// Nearest rank.
pub(super) fn quantiles(mut spans: Vec<Span>) -> Quantiles {
    spans.sort_unstable();
    let at = |percent: usize| {
        let rank = (spans.len() * percent).div_ceil(100).max(1);
        spans.get(rank - 1).map_or(0, |span| span.secs())
    };
    Quantiles { count: spans.len() as u64, p50_s: at(50), p90_s: at(90), p95_s: at(95), max_s: at(100) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rank_is_taken() {
        let of = |seconds: std::ops::RangeInclusive<i64>| quantiles(seconds.map(Span::from_secs).collect());
        assert_eq!(of(1..=100), Quantiles { count: 100, p50_s: 50, p90_s: 90, p95_s: 95, max_s: 100 });
        assert_eq!(of(7..=7), Quantiles { count: 1, p50_s: 7, p90_s: 7, p95_s: 7, max_s: 7 });
        assert_eq!(quantiles(Vec::new()), Quantiles::default());
    }
}

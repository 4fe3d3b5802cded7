//! When requests arrive: a real daily total, spread over the hours as published centres describe their day.
//!
//! Totals are files opened by SAMU 67 (all streams) in one day: github jcrb/samu @ 864e1fdb, daily totals 2006–2012; four
//! figures, and the days they come from, are carried over. Shape of the day: peak between 18 and 21 h, low between 3 and
//! 6 h, and on a Sunday as many calls in the morning as on a weekday evening (domain notes §7: Rouen, Braun; SAMU 69
//! 85–100 calls an hour on a Sunday).

use crate::domain::time::{Instant, Span};

use super::dice::Dice;

/// A kind of day and the real one that stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DayKind {
    /// Files opened that day.
    pub(super) files: u32,
    /// Which day it was.
    pub(super) source: &'static str,
    /// Calls of each hour, in proportion.
    hours: &'static [u32; 24],
}

/// A public holiday: Wednesday 26 December 2012, Saint-Étienne, a holiday in Alsace.
pub(super) const HOLIDAY: DayKind = DayKind { files: 1_950, source: "SAMU 67, 26 décembre 2012", hours: &FREE_DAY };
/// A Sunday.
pub(super) const SUNDAY: DayKind = DayKind { files: 1_562, source: "SAMU 67, 16 décembre 2012", hours: &FREE_DAY };
/// A Saturday.
pub(super) const SATURDAY: DayKind = DayKind { files: 1_237, source: "SAMU 67, 15 décembre 2012", hours: &FREE_DAY };
/// A working day: Wednesday 19 December 2012.
pub(super) const WEEKDAY: DayKind = DayKind { files: 705, source: "SAMU 67, 19 décembre 2012", hours: &WORK_DAY };

/// Practices are closed: people call from the morning on.
const FREE_DAY: [u32; 24] =
    [28, 22, 17, 14, 13, 15, 20, 34, 52, 64, 68, 66, 56, 50, 50, 51, 54, 58, 66, 70, 66, 58, 48, 38];
/// Practices are open: people call when they have closed.
const WORK_DAY: [u32; 24] =
    [24, 19, 15, 12, 11, 12, 17, 28, 44, 50, 50, 48, 44, 42, 42, 43, 47, 56, 70, 76, 70, 60, 48, 36];

/// The arrivals between `from` and `until` of the day that begins at `midnight`, in order.
pub(super) fn arrivals(kind: DayKind, midnight: Instant, (from, until): (Instant, Instant), seed: u64) -> Vec<Instant> {
    let mut dice = Dice::new(seed, "arrivals");
    let hours: Vec<(usize, u32)> = kind.hours.iter().copied().enumerate().collect();
    let mut arrivals: Vec<_> = (0..kind.files)
        .map(|_| {
            let hour = *dice.pick(&hours);
            midnight + Span::from_ms(hour as i64 * 3_600_000 + (dice.unit() * 3_600_000.0) as i64)
        })
        .filter(|at| from <= *at && *at < until)
        .collect();
    arrivals.sort_unstable();
    arrivals
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(kind: DayKind) -> Vec<Instant> {
        let midnight = Instant::from_unix_ms(1_735_167_600_000);
        arrivals(kind, midnight, (midnight, midnight + Span::from_hours(24)), 1)
    }

    #[test]
    fn the_day_has_the_total_of_the_real_one() {
        assert_eq!(day(HOLIDAY).len(), 1_950);
        assert_eq!(day(WEEKDAY).len(), 705);
    }

    #[test]
    fn the_evening_is_the_peak_and_the_small_hours_the_low() {
        for kind in [HOLIDAY, SUNDAY, SATURDAY, WEEKDAY] {
            let of = |hours: std::ops::Range<usize>| kind.hours[hours].iter().sum::<u32>();
            let evening = of(18..21);
            assert!((0..22).all(|hour| of(hour..(hour + 3).min(24)) <= evening), "{kind:?}");
            assert!((0..22).all(|hour| of(hour..(hour + 3).min(24)) >= of(3..6)), "{kind:?}");
        }
    }

    #[test]
    fn a_window_has_its_part_of_the_same_day() {
        let midnight = Instant::from_unix_ms(1_735_167_600_000);
        let two = (midnight, midnight + Span::from_hours(2));
        let whole = day(HOLIDAY);
        let part = arrivals(HOLIDAY, midnight, two, 1);
        assert_eq!(part, whole[..part.len()]);
        assert!((60..140).contains(&part.len()), "{}", part.len());
    }
}

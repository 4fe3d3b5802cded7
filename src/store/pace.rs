//! The store's own time in one territory: it never goes back.
//!
//! When the clock is behind the last instant used, time runs at half speed until the clock has caught up, rather than
//! standing still: leases still end and timers still fire. `commit.lua` holds the same rule.

use crate::domain::time::Instant;

/// What a territory remembers of time: the instant it last used and what the clock showed then, both in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Pace {
    /// The last instant used.
    pub last: i64,
    /// The clock's reading that belongs to `last`.
    pub wall: i64,
}

impl Pace {
    /// The store's now when the clock shows `clock`, and what to remember of it.
    pub fn at(self, clock: Instant) -> (Instant, Pace) {
        let clock = clock.unix_ms();
        if clock >= self.last {
            return (Instant::from_unix_ms(clock), Pace { last: clock, wall: clock });
        }
        if clock < self.wall {
            return (Instant::from_unix_ms(self.last), Pace { wall: clock, ..self });
        }
        // Two steps of the clock make one of time; an odd millisecond waits in `wall` for the next call.
        let half = (clock - self.wall) / 2;
        let now = self.last + half;
        (Instant::from_unix_ms(now), Pace { last: now, wall: self.wall + 2 * half })
    }

    /// True when the clock has gone back since it was last noted: half speed begins only once that is written down.
    pub fn must_note(self, clock: Instant) -> bool {
        clock.unix_ms() < self.last && clock.unix_ms() < self.wall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Instant {
        Instant::from_unix_ms(ms)
    }

    #[test]
    fn time_follows_a_clock_that_goes_forward() {
        let (now, pace) = Pace::default().at(at(1_000));
        assert_eq!((now, pace), (at(1_000), Pace { last: 1_000, wall: 1_000 }));
    }

    #[test]
    fn a_clock_set_back_by_a_second_halves_time_until_it_has_caught_up() {
        let (_, pace) = Pace::default().at(at(10_000));
        assert!(pace.must_note(at(9_000)));
        let (mut now, mut pace) = pace.at(at(9_000));
        assert_eq!(now, at(10_000));
        for clock in 9_001..=10_200 {
            let (next, kept) = pace.at(at(clock));
            assert!(next >= now, "time went back at {clock}");
            (now, pace) = (next, kept);
        }
        // 1,200 ms of the clock are 600 ms of time, in 1,200 calls that lose no odd millisecond.
        assert_eq!(now, at(10_600));
        assert_eq!(pace.at(at(12_000)).0, at(12_000));
    }
}

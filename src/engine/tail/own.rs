//! What this instance has committed itself, until its tail meets it in the log.
//!
//! The log decides: an event counts once the log tells it, or a later one of this instance that stands at its place behind
//! it without a gap. Only reading and decoding it again is spared.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::{BATCH, Mark, Told};

/// The most events that wait; the oldest is then decoded like anybody else's.
const MOST: usize = 8 * BATCH;

/// An own event, and the epoch it was committed in.
#[derive(Debug)]
struct Waiting {
    epoch: u64,
    told: Told,
}

/// The events of one territory by their place.
#[derive(Debug, Default)]
pub(super) struct Own(Mutex<BTreeMap<u64, Waiting>>);

impl Own {
    /// Keeps what was acknowledged in `epoch`.
    pub(super) fn committed(&self, epoch: u64, told: Told) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert(told.seq(), Waiting { epoch, told });
        if waiting.len() > MOST {
            waiting.pop_first();
        }
    }

    /// The own events that follow `mark` without a gap, all of its epoch. Whoever finds the last of them in the log has
    /// found them all: a history that lost one of them and went on is of another epoch, since whoever notices that one of
    /// its own is missing raises it before it writes again.
    pub(super) fn after(&self, mark: Mark) -> Vec<Told> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while waiting.first_key_value().is_some_and(|(seq, _)| *seq <= mark.seq()) {
            waiting.pop_first();
        }
        let follows = |(place, (seq, own)): &(u64, (&u64, &Waiting))| place == *seq && own.epoch == mark.epoch;
        let run = (mark.seq() + 1..).zip(waiting.iter()).take_while(follows).take(BATCH);
        run.map(|(_, (_, own))| own.told.clone()).collect()
    }

    /// The place of the last one; 0 when all were told.
    pub(super) fn last(&self) -> u64 {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.last_key_value().map_or(0, |(seq, _)| *seq)
    }

    /// They are not what the log tells.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::tail::made::told, store::Version};

    fn after(own: &Own, seq: u64, epoch: u64) -> Vec<u64> {
        let mark = Mark { epoch, version: Version::unknown(seq) };
        own.after(mark).iter().map(Told::seq).collect()
    }

    #[test]
    fn own_events_are_given_as_far_as_they_follow_without_a_gap() {
        let own = Own::default();
        for seq in [3, 2, 5] {
            own.committed(1, told(seq, Vec::new()));
        }
        assert_eq!(after(&own, 1, 1), [2, 3], "4 is another instance's");
        assert_eq!(after(&own, 0, 1), [0; 0], "1 is another instance's");
        assert_eq!(after(&own, 2, 1), [3]);
        assert_eq!(after(&own, 4, 1), [5]);
        assert_eq!(after(&own, 1, 1), [0; 0], "what the log has told is forgotten");
    }

    #[test]
    fn an_event_of_another_epoch_does_not_follow() {
        let own = Own::default();
        for (seq, epoch) in [(1, 1), (2, 1), (3, 2)] {
            own.committed(epoch, told(seq, Vec::new()));
        }
        assert_eq!(after(&own, 0, 1), [1, 2], "3 may stand behind others than these");
        assert_eq!(after(&own, 1, 2), [0; 0]);
        assert_eq!(after(&own, 2, 2), [3]);
    }

    #[test]
    fn what_waits_is_bounded_and_so_is_what_is_given() {
        let own = Own::default();
        (1..=MOST as u64 + 3).for_each(|seq| own.committed(1, told(seq, Vec::new())));
        assert_eq!(after(&own, 2, 1), [0; 0], "the oldest are gone");
        assert_eq!(after(&own, 3, 1).len(), BATCH);
        own.forget();
        assert_eq!(after(&own, 4, 1), [0; 0]);
    }
}

//! What this instance has committed itself, until its tail meets it in the log.
//!
//! The log decides: an event counts once it is read at its place under its command. Only decoding it again is spared.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use crate::store::Version;

use super::{BATCH, Told};

/// The most events that wait; the oldest is then decoded like anybody else's.
const MOST: usize = 8 * BATCH;

/// The events of one territory by their place.
#[derive(Debug, Default)]
pub(super) struct Own(Mutex<BTreeMap<u64, Told>>);

impl Own {
    /// Keeps what was acknowledged.
    pub(super) fn committed(&self, told: Told) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert(told.seq(), told);
        if waiting.len() > MOST {
            waiting.pop_first();
        }
    }

    /// The event at a place of the log that was read, when it is this instance's own. What was read earlier is forgotten.
    pub(super) fn told(&self, place: Version) -> Option<Told> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while waiting.first_key_value().is_some_and(|(seq, _)| *seq < place.seq()) {
            waiting.pop_first();
        }
        let first = waiting.first_entry().filter(|first| *first.key() == place.seq())?;
        Some(first.remove()).filter(|told| told.version == place)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        domain::{
            actor::{Actor, Role},
            case::{Event, state::SCHEMA},
            time::Instant,
        },
        store::due_command,
    };

    fn told(seq: u64, history: &str) -> Told {
        let at = Instant::from_unix_ms(1_735_200_000_000);
        let (command_id, id) = (due_command(&format!("{history}/{seq}"), at), |text: &str| text.to_owned());
        let actor = Actor {
            person: "arm-1".parse().expect("an id"),
            role: Role::Arm,
            territory: "fr-67".parse().expect("an id"),
            connection: None,
        };
        let (facts, words) = (Vec::new(), Vec::new());
        let event = Event { schema: SCHEMA, command: id("AddNote"), command_id, actor, at, case: None, facts, words };
        Told { version: Version::new(seq, command_id, at), counts: Vec::new(), event: Arc::new(event) }
    }

    #[test]
    fn an_own_event_is_given_once_at_its_place_and_never_for_anothers() {
        let own = Own::default();
        for seq in [3, 1, 4] {
            own.committed(told(seq, "a"));
        }
        let given = |seq, history: &str| own.told(told(seq, history).version).map(|told| told.seq());
        assert_eq!(given(1, "a"), Some(1));
        assert_eq!(given(1, "a"), None, "once");
        assert_eq!(given(2, "a"), None, "another instance's");
        assert_eq!(given(3, "b"), None, "the same place in another history");
        assert_eq!(given(4, "a"), Some(4));
    }

    #[test]
    fn what_waits_is_bounded() {
        let own = Own::default();
        (1..=MOST as u64 + 3).for_each(|seq| own.committed(told(seq, "a")));
        assert_eq!(own.told(told(3, "a").version).map(|told| told.seq()), None);
        assert_eq!(own.told(told(4, "a").version).map(|told| told.seq()), Some(4));
    }
}

//! Events as the tail tells them, for tests of what follows it.

use std::sync::Arc;

use super::Told;
use crate::{
    domain::{
        actor::{Actor, Role},
        case::{Event, Fact, state::SCHEMA},
        time::Instant,
    },
    store::{Version, due_command},
};

/// An event of `fr-67` at this place of its log.
pub(in crate::engine) fn told(seq: u64, facts: Vec<Fact>) -> Told {
    let at = Instant::from_unix_ms(1_735_200_000_000);
    let (command_id, territory) = (due_command(&seq.to_string(), at), "fr-67".parse().expect("an id"));
    let actor = Actor { person: "arm-1".parse().expect("an id"), role: Role::Arm, territory, connection: None };
    let (command, words) = ("AddNote".to_owned(), Vec::new());
    let event = Event { schema: SCHEMA, command, command_id, actor, at, case: None, facts, words };
    Told { version: Version::new(seq, command_id, at), counts: Vec::new(), event: Arc::new(event) }
}

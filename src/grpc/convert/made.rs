//! Command ids made here, for what is done whatever its client calls it: a vital emergency, a call without a case. A
/// repetition of such a command is another command.
use crate::{
    domain::{actor::Actor, case::Command, time::Instant},
    engine::{Failure, Mutation},
    grpc::pb,
    store::{Digest, StoreError, due_command},
};

/// An id of `now` for a request of this digest: the same request of the same person in the same millisecond is one.
pub fn mutation(actor: &Actor, digest: Digest, now: Instant) -> Mutation {
    let connection = actor.connection.as_ref().map(|connection| connection.as_str()).unwrap_or_default();
    let cause = format!("made/{}/{connection}/{:?}", actor.person, digest.0);
    Mutation { command_id: due_command(&cause, now), digest }
}

/// What the client is told of it.
pub fn warning() -> pb::Warning {
    let text = "no UUIDv7 of the last 71 h or the next 5 minutes: done under an id made here, so that a repetition is not \
                recognised; make a new UUIDv7 for each act, check the clock";
    pb::Warning { field: "command_id".to_owned(), code: "COMMAND_ID_UNUSABLE".to_owned(), text: text.to_owned() }
}

/// Whether a command is carried out though its id cannot be used.
pub fn whatever_it_is_called(command: &Command) -> bool {
    matches!(command, Command::Open(open) if open.vital)
}

/// Whether a command was refused for the time in its id alone.
pub fn is_stale<T>(done: &Result<T, Failure>) -> bool {
    matches!(done, Err(Failure::Store(StoreError::StaleCommand(_))))
}

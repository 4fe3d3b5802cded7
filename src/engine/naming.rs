//! Command ids made here, for what is done whatever its client calls it: a vital emergency, and a call without a case.

use crate::{
    domain::{
        actor::Actor,
        case::Command,
        regulation::qualification::Priority,
        time::{Instant, Span},
    },
    store::{Digest, StoreError, due_command},
};

use super::{Done, Engine, Failure, Mutation, Target};

/// How long a made id stays the same for the same request: well within the time that a command is recognised for.
const DAY: Span = Span::from_hours(24);

/// An id of `now` for a request that has none: the same request of the same person in the same millisecond is one.
pub fn unnamed(actor: &Actor, digest: Digest, now: Instant) -> Mutation {
    let connection = actor.connection.as_ref().map(|connection| connection.as_str()).unwrap_or_default();
    let cause = format!("made/{}/{connection}/{:?}", actor.person, digest.0);
    Mutation { command_id: due_command(&cause, now), digest }
}

/// An id for a request whose own was made by a clock that is wrong. That one is its alone and part of its digest, so the
/// request sent again on the same day (UTC) has the same id here and is recognised.
pub fn renamed(actor: &Actor, mutation: Mutation, now: Instant) -> Mutation {
    let today = now.unix_ms() - now.unix_ms().rem_euclid(DAY.ms());
    unnamed(actor, mutation.digest, Instant::from_unix_ms(today))
}

/// Whether a command was refused for the time in its id alone.
pub fn is_stale<T>(done: &Result<T, Failure>) -> bool {
    matches!(done, Err(Failure::Store(StoreError::StaleCommand(_))))
}

/// Whether a command is carried out though its id cannot be used (design.md §3, 7).
pub(super) fn whatever_it_is_called(command: &Command) -> bool {
    match command {
        Command::Open(open) => open.vital,
        Command::Qualify(qualify) => qualify.priority == Priority::P0,
        Command::AcceptHandOver => true,
        _ => false,
    }
}

impl Engine {
    /// Carries out a command for `actor`: exactly once for its `command_id`, or one refusal and nothing changed. What never
    /// waits for a clock is done under another id where its own was made by a wrong one.
    ///
    /// # Errors
    /// The domain's refusal, or why the store could not answer.
    pub async fn act(
        &self,
        actor: &Actor,
        mutation: Mutation,
        target: Target,
        command: Command,
    ) -> Result<Done, Failure> {
        let again = whatever_it_is_called(&command).then(|| command.clone());
        let done = self.act_as_named(actor, mutation, target, command).await;
        let Some(command) = again.filter(|_| is_stale(&done)) else { return done };
        let mutation = renamed(actor, mutation, self.now());
        let done = Box::pin(self.act_as_named(actor, mutation, target, command)).await?;
        Ok(Done { renamed: true, ..done })
    }
}

//! The one commit loop: load → decide → commit → bounded retry.
//!
//! A first attempt may rest on memory; a refusal never does: before any, one store call returns the command's receipt
//! and the current records, and the command is decided again (storage.md).

use std::{collections::BTreeMap, sync::Arc};

use tracing::{Instrument, info_span};

use crate::{
    domain::{
        actor::Actor,
        case::{Command, Event, Records, Refusal, Reply, decide, decide::Context},
        ids::CaseId,
    },
    store::{Committed, Guard, Index, Key, Policy, Receipt, Snapshot, StoreError, Txn},
    telemetry::labels::{CommandResult, RetryReason},
};

use super::{
    CaseView, Done, Engine, Failure, Mutation, Place, Target,
    codec::{self, Entity},
    concern::needed,
    memory::Known,
    policy::policy,
    read::shown_to,
};

/// What a commit must find beside the records it read.
#[derive(Debug, Clone, Default)]
pub(super) struct Extra {
    pub(super) guards: Vec<Guard>,
}

/// The records of one attempt: what was read, absent ones as `None`.
pub(super) type Loaded = BTreeMap<Key, Option<Known>>;

pub(super) enum Attempt {
    Done(Box<Done>),
    /// Decide again on what is there now; a commit that failed says why.
    Again(Option<RetryReason>),
}

impl Engine {
    /// Carries out a command for `actor`: exactly once for its `command_id`, or one refusal and nothing changed.
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
        let guards = match &command {
            Command::Open(open) => open.opened.call.iter().map(|call| self.first_of_call(call)).collect(),
            _ => Vec::new(),
        };
        self.act_guarded(actor, mutation, target, command, Extra { guards }).await
    }

    /// Two events of one new call may come at the same time: only one of them opens its case.
    fn first_of_call(&self, call: &str) -> Guard {
        Guard::First(Index::call(&self.0.lookup.hash(call)), None)
    }

    pub(super) async fn act_guarded(
        &self,
        actor: &Actor,
        mutation: Mutation,
        target: Target,
        command: Command,
        extra: Extra,
    ) -> Result<Done, Failure> {
        let name = command.name();
        let span = info_span!("act", command = name, case = target.case.map(tracing::field::display));
        let result = self.attempts(actor, mutation, target, &command, &extra).instrument(span).await;
        let label = match &result {
            Ok(done) if done.replayed => CommandResult::Replayed,
            Ok(_) => CommandResult::Done,
            Err(Failure::Refused(_)) => CommandResult::Refused,
            Err(Failure::Busy) => CommandResult::Conflict,
            Err(Failure::Store(StoreError::Unavailable(_)) | Failure::Unavailable(_)) => CommandResult::Unavailable,
            Err(Failure::Store(StoreError::Unknown(_))) => CommandResult::Unknown,
            Err(Failure::Store(_)) => CommandResult::Failed,
        };
        self.0.metrics.command(&actor.territory, name, label);
        result
    }

    async fn attempts(
        &self,
        actor: &Actor,
        mutation: Mutation,
        target: Target,
        command: &Command,
        extra: &Extra,
    ) -> Result<Done, Failure> {
        let place = self.territory(&actor.territory)?;
        let mut fresh = false;
        for _ in 0..self.0.options.attempts {
            match self.attempt(actor, &place, mutation, target, command, extra, fresh).await? {
                Attempt::Done(mut done) => {
                    done.case = done.case.and_then(|view| shown_to(actor, &place, view));
                    return refused_with_words(*done);
                }
                Attempt::Again(reason) => {
                    reason.into_iter().for_each(|reason| self.0.metrics.retry(reason));
                    fresh = true;
                }
            }
        }
        Err(Failure::Busy)
    }

    #[expect(clippy::too_many_arguments, reason = "one attempt of one loop; a struct would only rename them")]
    async fn attempt(
        &self,
        actor: &Actor,
        place: &Arc<Place>,
        mutation: Mutation,
        target: Target,
        command: &Command,
        extra: &Extra,
        fresh: bool,
    ) -> Result<Attempt, Failure> {
        let (loaded, from_store, receipt) = self.load(actor, mutation, target, command, fresh).await?;
        if let Some(receipt) = receipt {
            let policy = policy(command, target.case, &records(&loaded), self.0.options.intake);
            return self
                .replay(actor, place, mutation, receipt, policy)
                .await
                .map(|done| Attempt::Done(Box::new(done)));
        }
        let now = self.now();
        let records = records(&loaded);
        let context = Context {
            territory: &place.territory,
            directory: &place.directory,
            actor,
            command_id: mutation.command_id,
            now,
            records: &records,
            case: target.case,
        };
        let decided = stale(&loaded, target, command).map_or_else(|| decide(&context, command), Err);
        let outcome = match decided {
            Ok(outcome) => outcome,
            Err(_) if !from_store => return Ok(Attempt::Again(None)),
            Err(refusal) => return Err(refusal.into()),
        };
        let epoch = self.epoch(actor).await?;
        let policy = policy(command, target.case, &records, self.0.options.intake);
        let mut txn = self.transaction(place, mutation, &loaded, &outcome, extra, epoch, policy);
        // A timer waits for the operator; a caller does not.
        txn.even_behind = policy == Policy::Degraded && !matches!(command, Command::Fire(_));
        self.commit(actor, place, &loaded, &outcome, &txn).await
    }

    /// The records a command concerns: from memory, or all of them read together with the command's receipt.
    async fn load(
        &self,
        actor: &Actor,
        mutation: Mutation,
        target: Target,
        command: &Command,
        fresh: bool,
    ) -> Result<(Loaded, bool, Option<Receipt>), Failure> {
        let mut loaded = Loaded::new();
        let mut from_store = false;
        // A case names the slots and shifts it needs: at most two rounds.
        for _ in 0..3 {
            let needed = needed(target, command, &loaded);
            let missing: Vec<Key> = needed.iter().filter(|key| !loaded.contains_key(*key)).cloned().collect();
            if missing.is_empty() {
                break;
            }
            let remembered: Option<Loaded> = if fresh || from_store {
                None
            } else {
                let known = |key: &Key| Some((key.clone(), Some(self.0.memory.get(&actor.territory, key)?)));
                missing.iter().map(known).collect()
            };
            if let Some(remembered) = remembered {
                loaded.extend(remembered);
                continue;
            }
            let snapshot = self.0.store.read(&actor.territory, &needed, Some(mutation.command_id)).await?;
            from_store = true;
            if snapshot.receipt.is_some() {
                return Ok((loaded, true, snapshot.receipt));
            }
            loaded = self.remember(actor, &snapshot)?;
        }
        if !from_store && (fresh || loaded.is_empty() && self.0.memory.epoch(&actor.territory).is_none()) {
            let keys: Vec<Key> = loaded.keys().cloned().collect();
            let snapshot = self.0.store.read(&actor.territory, &keys, Some(mutation.command_id)).await?;
            from_store = true;
            if snapshot.receipt.is_some() {
                return Ok((loaded, true, snapshot.receipt));
            }
            loaded = self.remember(actor, &snapshot)?;
        }
        Ok((loaded, from_store, None))
    }

    pub(super) fn remember(&self, actor: &Actor, snapshot: &Snapshot) -> Result<Loaded, Failure> {
        self.0.memory.set_epoch(&actor.territory, snapshot.epoch);
        let mut loaded = Loaded::new();
        for (key, record) in &snapshot.records {
            let known = record.as_ref().map(|record| Known::from_record(key, record)).transpose()?;
            self.0.memory.put(&actor.territory, key, known.clone());
            loaded.insert(key.clone(), known);
        }
        Ok(loaded)
    }

    async fn epoch(&self, actor: &Actor) -> Result<u64, Failure> {
        match self.0.memory.epoch(&actor.territory) {
            Some(epoch) => Ok(epoch),
            None => {
                let snapshot = self.0.store.read(&actor.territory, &[], None).await?;
                self.0.memory.set_epoch(&actor.territory, snapshot.epoch);
                Ok(snapshot.epoch)
            }
        }
    }

    async fn replay(
        &self,
        actor: &Actor,
        place: &Arc<Place>,
        mutation: Mutation,
        mut receipt: Receipt,
        policy: Policy,
    ) -> Result<Done, Failure> {
        // The store compares digests: a touch-free transaction under the same id answers the receipt, or refuses.
        let epoch = self.epoch(actor).await?;
        let probe = Txn {
            command: Some((mutation.command_id, mutation.digest)),
            event: None,
            policy,
            ..Txn::touch(actor.territory.clone(), epoch, self.now())
        };
        // It also waits again for the replicas: the level is what it reached now, not what a read believes.
        if let Some(Committed::Done(again)) = self.send(&probe).await? {
            receipt = again;
        }
        let reply = reply(&receipt);
        let view = self.view_of(actor, place, reply.case).await?;
        let mut done = done(reply, &receipt, view);
        done.replayed = true;
        Ok(done)
    }

    pub(super) async fn view_of(
        &self,
        actor: &Actor,
        place: &Place,
        case: Option<CaseId>,
    ) -> Result<Option<CaseView>, Failure> {
        let Some(id) = case else { return Ok(None) };
        let key = Key::case(id);
        let snapshot = self.0.store.read(&actor.territory, std::slice::from_ref(&key), None).await?;
        let loaded = self.remember(actor, &snapshot)?;
        let known = loaded.get(&key).cloned().flatten();
        Ok(known.and_then(|known| CaseView::new(place, &known, self.now())))
    }
}

/// A command whose words were kept although it was refused answers the refusal.
fn refused_with_words(done: Done) -> Result<Done, Failure> {
    match done.reply.refused.clone() {
        Some(refusal) => Err(refusal.into()),
        None => Ok(done),
    }
}

pub(super) fn reply(receipt: &Receipt) -> Reply {
    serde_json::from_slice(&receipt.outcome).unwrap_or_default()
}

pub(super) fn done(reply: Reply, receipt: &Receipt, case: Option<CaseView>) -> Done {
    let Receipt { seq, at, durability, replayed, .. } = *receipt;
    Done { reply, seq, at, durability, replayed, case }
}

/// The version the caller read is not the one there is. A P0 is never refused for it.
fn stale(loaded: &Loaded, target: Target, command: &Command) -> Option<Refusal> {
    use crate::domain::regulation::qualification::Priority;
    if matches!(command, Command::Qualify(qualify) if qualify.priority == Priority::P0) {
        return None;
    }
    let (case, version) = (target.case?, target.version?);
    let known = loaded.get(&Key::case(case)).and_then(Option::as_ref)?;
    (known.version != version).then(|| Refusal::Stale("case".to_owned()))
}

pub(super) fn records(loaded: &Loaded) -> Records {
    let mut records = Records::default();
    for known in loaded.values().flatten() {
        match known.entity.as_ref() {
            Entity::Case(case) => {
                records.cases.insert(case.id, (**case).clone());
            }
            Entity::Slot(slot) => {
                records.slots.insert(slot.id, slot.clone());
            }
            Entity::Shift(shift) => {
                records.shifts.insert(shift.id, shift.clone());
            }
        }
    }
    records
}

/// The event of a log entry.
///
/// # Errors
/// When the log holds what this binary does not understand.
pub fn event(entry: &crate::store::LogEntry) -> Result<Event, StoreError> {
    codec::decode_event(&entry.event)
}

//! The one commit loop: load → decide → commit → bounded retry.
//!
//! A first attempt may rest on memory; a refusal never does: before any, one store call returns the command's receipt
//! and the current records, and the command is decided again (storage.md).

use std::{collections::BTreeMap, sync::Arc};

use tracing::{Instrument, info_span};

use crate::{
    clock::Stopwatch,
    domain::{
        actor::Actor,
        calendar::local_date,
        case::{Case, Command, Event, Outcome, Records, Refusal, Reply, command::Timer, decide, decide::Context},
        ids::{CaseId, ShiftId, SlotId},
        routing::Means,
        time::Instant,
    },
    store::{Committed, Conflict, Counter, Guard, Index, Key, Member, Op, Receipt, Snapshot, StoreError, Txn},
    telemetry::labels::{CommandResult, CommitResult, RetryReason},
};

use super::{
    CaseView, Done, Engine, Failure, Mutation, Place, Target,
    codec::{self, Entity},
    indexes::{self, Basis},
    memory::Known,
    read::shown_to,
};

/// What a commit must find beside the records it read.
#[derive(Debug, Clone, Default)]
pub(super) struct Extra {
    pub(super) guards: Vec<Guard>,
}

/// The records of one attempt: what was read, absent ones as `None`.
pub(super) type Loaded = BTreeMap<Key, Option<Known>>;

enum Attempt {
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
        self.act_guarded(actor, mutation, target, command, Extra::default()).await
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
            return self.replay(actor, place, mutation, receipt).await.map(|done| Attempt::Done(Box::new(done)));
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
        let txn = self.transaction(place, mutation, &loaded, &outcome, extra, epoch);
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

    fn transaction(
        &self,
        place: &Place,
        mutation: Mutation,
        loaded: &Loaded,
        outcome: &Outcome,
        extra: &Extra,
        epoch: u64,
    ) -> Txn {
        let guard = |(key, known): (&Key, &Option<Known>)| match known {
            Some(known) => Guard::Version(key.clone(), known.version),
            None => Guard::Absent(key.clone()),
        };
        let mut guards: Vec<Guard> = loaded.iter().map(guard).collect();
        let suspect = place.territory.regulation.lease.suspect;
        let basis = Basis { lookup: &self.0.lookup, suspect };
        let mut ops = Vec::new();
        for (key, after) in entities(&outcome.after) {
            let before = loaded.get(&key).and_then(Option::as_ref).map(|known| known.entity.as_ref());
            if before == Some(&after) {
                continue;
            }
            if before.is_none() && !guards.iter().any(|guard| matches!(guard, Guard::Absent(known) if *known == key)) {
                guards.push(Guard::Absent(key.clone()));
            }
            ops.extend(indexes::difference(before, Some(&after), basis));
            ops.extend(self.lease_ops(place, before, &after, outcome.event.at));
            let number = match (&after, before) {
                (Entity::Case(case), None) => {
                    Some(Counter::case_number(local_date(place.territory.calendar.zone(), case.entered)))
                }
                _ => None,
            };
            ops.push(Op::Put { key, value: codec::encode(&after), number });
        }
        guards.extend(extra.guards.iter().cloned());
        let silent = outcome.event.facts.is_empty() && outcome.event.words.is_empty();
        Txn {
            command: Some((mutation.command_id, mutation.digest)),
            territory: place.territory.id.clone(),
            schema: crate::domain::case::state::SCHEMA,
            epoch,
            at: outcome.event.at,
            guards,
            ops,
            event: (!silent).then(|| codec::encode_event(&outcome.event)),
            outcome: serde_json::to_vec(&outcome.reply).unwrap_or_default(),
        }
    }

    /// A claim's lease end lives only in the index: set when the claim begins or is resumed, gone when it ends.
    fn lease_ops(&self, place: &Place, before: Option<&Entity>, after: &Entity, at: Instant) -> Vec<Op> {
        let live = |entity: Option<&Entity>| match entity {
            Some(Entity::Case(case)) => {
                case.claim.as_ref().filter(|claim| claim.suspect.is_none()).map(|claim| claim.no)
            }
            _ => None,
        };
        let Entity::Case(case) = after else { return Vec::new() };
        let (index, member) = (Index::leases(), Member::from(&case.id));
        match (live(before), live(Some(after))) {
            (old, new) if old == new => Vec::new(),
            (_, Some(_)) => vec![Op::IndexAdd(index, (at + self.lease(place)).unix_ms(), member)],
            (_, None) => vec![Op::IndexRemove(index, member)],
        }
    }

    async fn commit(
        &self,
        actor: &Actor,
        place: &Arc<Place>,
        loaded: &Loaded,
        outcome: &Outcome,
        txn: &Txn,
    ) -> Result<Attempt, Failure> {
        match self.send(txn).await? {
            Some(Committed::Done(receipt)) if receipt.replayed => {
                let reply = reply(&receipt);
                let view = self.view_of(actor, place, reply.case).await?;
                Ok(Attempt::Done(Box::new(done(reply, &receipt, view))))
            }
            Some(Committed::Done(receipt)) => {
                let view = self.keep(actor, place, loaded, outcome, txn, &receipt);
                Ok(Attempt::Done(Box::new(done(outcome.reply.clone(), &receipt, view))))
            }
            Some(Committed::Conflict(Conflict { snapshot, .. })) => {
                self.remember(actor, &snapshot)?;
                Ok(Attempt::Again(Some(RetryReason::Conflict)))
            }
            Some(Committed::Clock(store_now)) => {
                self.set_store_time(store_now);
                Ok(Attempt::Again(Some(RetryReason::Clock)))
            }
            None => {
                self.0.memory.forget(&actor.territory);
                Ok(Attempt::Again(Some(RetryReason::Conflict)))
            }
        }
    }

    /// Sends a transaction; an unknown outcome is asked again with the same command id. `None`: fenced, read again.
    pub(super) async fn send(&self, txn: &Txn) -> Result<Option<Committed>, Failure> {
        let mut last = StoreError::Unavailable("no attempt was made".to_owned());
        for _ in 0..self.0.options.attempts {
            let watch = Stopwatch::start();
            let sent = self.0.store.commit(txn).instrument(info_span!("commit")).await;
            let label = match &sent {
                Ok(Committed::Done(_)) => CommitResult::Done,
                Ok(Committed::Conflict(_)) => CommitResult::Conflict,
                Ok(Committed::Clock(_)) => CommitResult::Clock,
                Err(StoreError::Unknown(_)) => CommitResult::Unknown,
                Err(_) => CommitResult::Failed,
            };
            self.0.metrics.commit(self.0.options.store, label, watch.elapsed());
            match sent {
                Ok(committed) => return Ok(Some(committed)),
                Err(StoreError::Fenced { .. }) => return Ok(None),
                Err(error @ (StoreError::Unknown(_) | StoreError::Unavailable(_))) => last = error,
                Err(error) => return Err(error.into()),
            }
        }
        Err(last.into())
    }

    /// Keeps what was just written, so that the next command on it needs no read.
    fn keep(
        &self,
        actor: &Actor,
        place: &Place,
        loaded: &Loaded,
        outcome: &Outcome,
        txn: &Txn,
        receipt: &Receipt,
    ) -> Option<CaseView> {
        let (command, _) = txn.command?;
        let mut view = None;
        let written = |key: &Key| txn.ops.iter().any(|op| matches!(op, Op::Put { key: put, .. } if put == key));
        for (key, entity) in entities(&outcome.after) {
            let before = loaded.get(&key).cloned().flatten();
            let (version, number) = match (&before, written(&key)) {
                (Some(known), false) => (known.version, known.number),
                (Some(known), true) => (crate::store::Version::new(receipt.seq, command), known.number),
                (None, _) => (crate::store::Version::new(receipt.seq, command), receipt.counts.first().copied()),
            };
            let known = Known { version, number, entity: Arc::new(entity) };
            if let Entity::Case(case) = known.entity.as_ref()
                && Some(case.id) == outcome.event.case
            {
                view = CaseView::new(place, &known, receipt.at);
            }
            self.0.memory.put(&actor.territory, &key, Some(known));
        }
        // Before its epoch existed, a territory was at 0; the first commit began epoch 1.
        if txn.epoch == 0 {
            self.0.memory.set_epoch(&actor.territory, 1);
        }
        view
    }

    async fn replay(
        &self,
        actor: &Actor,
        place: &Arc<Place>,
        mutation: Mutation,
        receipt: Receipt,
    ) -> Result<Done, Failure> {
        // The store compares digests: a touch-free transaction under the same id answers the receipt, or refuses.
        let epoch = self.epoch(actor).await?;
        let probe = Txn {
            command: Some((mutation.command_id, mutation.digest)),
            event: None,
            ..Txn::touch(actor.territory.clone(), epoch, self.now())
        };
        self.send(&probe).await?;
        let reply = reply(&receipt);
        let view = self.view_of(actor, place, reply.case).await?;
        let mut done = done(reply, &receipt, view);
        done.replayed = true;
        Ok(done)
    }

    async fn view_of(&self, actor: &Actor, place: &Place, case: Option<CaseId>) -> Result<Option<CaseView>, Failure> {
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

fn reply(receipt: &Receipt) -> Reply {
    serde_json::from_slice(&receipt.outcome).unwrap_or_default()
}

fn done(reply: Reply, receipt: &Receipt, case: Option<CaseView>) -> Done {
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

fn entities(records: &Records) -> Vec<(Key, Entity)> {
    let cases = records.cases.values().map(|case| (Key::case(case.id), Entity::Case(Box::new(case.clone()))));
    let slots = records.slots.values().map(|slot| (Key::slot(slot.id), Entity::Slot(slot.clone())));
    let shifts = records.shifts.values().map(|shift| (Key::shift(shift.id), Entity::Shift(shift.clone())));
    cases.chain(slots).chain(shifts).collect()
}

/// The records `decide` will read: the case, then the slots and shifts that the case or the command names.
fn needed(target: Target, command: &Command, loaded: &Loaded) -> Vec<Key> {
    let mut keys: Vec<Key> = target.case.map(Key::case).into_iter().collect();
    let case = target.case.and_then(|id| match loaded.get(&Key::case(id))?.as_ref()?.entity.as_ref() {
        Entity::Case(case) => Some(case),
        _ => None,
    });
    let (slots, shifts) = named(command, case.map(|case| &**case));
    keys.extend(slots.into_iter().map(Key::slot));
    keys.extend(shifts.into_iter().map(Key::shift));
    keys
}

fn named(command: &Command, case: Option<&Case>) -> (Vec<SlotId>, Vec<ShiftId>) {
    let of_offer = |offer| {
        let means = case.and_then(|case| case.offer(offer)).map(|offer| offer.means.clone());
        let slot = means.and_then(|means| if let Means::Slot { slot, .. } = means { Some(slot) } else { None });
        let visit = case.and_then(|case| case.visits.iter().find(|visit| visit.offer == offer));
        let shift = visit.and_then(|visit| visit.doctor.as_ref()).map(|(_, shift)| *shift);
        (slot.into_iter().collect(), shift.into_iter().collect())
    };
    let of_action = |id| match case.and_then(|case| case.action(id)).and_then(|action| action.about.offer) {
        Some(offer) => of_offer(offer),
        None => Default::default(),
    };
    match command {
        Command::Advance { plan, .. } => match plan.first().and_then(|row| row.means.clone()) {
            Some(Means::Slot { slot, .. }) => (vec![slot], Vec::new()),
            _ => Default::default(),
        },
        Command::AnswerOffer { offer, .. }
        | Command::Cancel { offer, .. }
        | Command::RenewHold { offer }
        | Command::Attend { offer, .. } => of_offer(*offer),
        Command::TakeVisit { shift, .. } | Command::EndShift(shift) => (Vec::new(), vec![*shift]),
        Command::MoveVisit { visit, .. } => {
            let offer = case.and_then(|case| case.visit(*visit)).map(|visit| visit.offer);
            offer.map(of_offer).unwrap_or_default()
        }
        Command::EndAction { action, .. } | Command::Fire(Timer::Action(action)) => of_action(*action),
        Command::PublishSlot { slot, .. } => (slot.iter().copied().collect(), Vec::new()),
        Command::WithdrawSlot(slot) => (vec![*slot], Vec::new()),
        _ => Default::default(),
    }
}

/// The event of a log entry.
///
/// # Errors
/// When the log holds what this binary does not understand.
pub fn event(entry: &crate::store::LogEntry) -> Result<Event, StoreError> {
    codec::decode_event(&entry.event)
}

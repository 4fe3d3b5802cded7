//! From an outcome to one transaction, and from its answer to the next step.

use std::{sync::Arc, time::Duration};

use tracing::{Instrument, debug_span};

use crate::{
    clock::Stopwatch,
    domain::{
        actor::{Actor, Role},
        calendar::local_date,
        case::{Outcome, Records, Refusal, RestsOn},
        ids::CaseId,
        time::Instant,
    },
    store::{Committed, Conflict, Counter, Guard, Index, Key, Member, Op, Policy, Receipt, StoreError, Txn},
    telemetry::labels::{CommitResult, RetryReason},
};

use super::{
    CaseView, Engine, Failure, Place, Target,
    act::{Attempt, Loaded, Work, done, reply},
    calls,
    codec::{self, Entity},
    indexes::{self, Basis},
    measure,
    memory::Known,
    policy, shifts,
};

/// The pause before a transaction is sent again; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// Whether it was refused since the record of its case has no more room for it.
pub(super) fn is_full(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(refusal) if refusal.rests_on(RestsOn::RecordSize))
}

impl Engine {
    fn transaction(
        &self,
        work: &Work<'_>,
        loaded: &Loaded,
        outcome: &Outcome,
        after: &[(Key, Entity)],
        epoch: u64,
    ) -> Txn {
        let Work { place, mutation, extra, .. } = *work;
        let guard = |(key, known): (&Key, &Option<Known>)| match known {
            Some(known) => Guard::Version(key.clone(), known.version),
            None => Guard::Absent(key.clone()),
        };
        let mut guards: Vec<Guard> = loaded.iter().map(guard).collect();
        let basis = self.basis(place);
        let mut ops = Vec::new();
        for (key, after) in after {
            let before = loaded.get(key).and_then(Option::as_ref).map(|known| known.entity.as_ref());
            if before == Some(after) {
                continue;
            }
            if !loaded.contains_key(key) {
                guards.push(Guard::Absent(key.clone()));
            }
            ops.extend(indexes::difference(before, Some(after), basis));
            ops.extend(self.lease_ops(place, before, after, outcome.event.at));
            let number = match (after, before) {
                (Entity::Case(case), None) => {
                    Some(Counter::case_number(local_date(place.territory.calendar.zone(), case.entered)))
                }
                _ => None,
            };
            ops.push(Op::Put { key: key.clone(), value: codec::encode(after), number });
        }
        guards.extend(extra.guards.iter().cloned());
        let policy = self.policy(work, loaded);
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
            outcome: codec::encode_reply(&outcome.reply),
            policy,
            // What upkeep does by itself waits for the operator; a caller does not.
            even_behind: policy != Policy::Strict && work.actor.role != Role::Upkeep,
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

    /// Writes an outcome, guarded on every record that was loaded for it.
    pub(super) async fn commit(
        &self,
        work: &Work<'_>,
        loaded: &Loaded,
        outcome: Box<Outcome>,
    ) -> Result<Attempt, Failure> {
        let Work { actor, place, .. } = *work;
        let mut after = entities(&outcome.after);
        // Who regulates is only looked at, unless it was loaded to be changed.
        after.retain(|(key, _)| *key != Key::room() || loaded.contains_key(key));
        let txn = self.transaction(work, loaded, &outcome, &after, self.epoch(actor).await?);
        let most = policy::most_bytes(work.command);
        let own = work.target.case.map(Key::case);
        let full =
            |op: &Op| matches!(op, Op::Put { key, value, .. } if own.as_ref() == Some(key) && value.len() > most);
        if txn.ops.iter().any(full) {
            let problem = "it is as large as it may be: open a case for what is new and link it";
            return Err(Refusal::resting(RestsOn::RecordSize, "record of the case", problem).into());
        }
        match self.send(&txn).await? {
            Some(Committed::Done(receipt)) if receipt.replayed => {
                let reply = reply(&receipt);
                let promised = receipt.durability >= self.0.options.promised;
                if !promised && work.target.case.is_some() && reply.case != work.target.case {
                    // A repeated ClaimNext proposed another case, perhaps a vital one: what that may be acknowledged at says
                    // nothing of the case that its first run gave.
                    let work = Work { target: Target::default(), ..*work };
                    return Box::pin(self.replay(&work, &Loaded::new(), receipt)).await;
                }
                let view = Box::pin(self.view_of(actor, place, reply.case)).await?;
                Ok(Attempt::Done(Box::new(done(reply, &receipt, view))))
            }
            Some(Committed::Done(receipt)) => {
                self.count(actor, loaded, &outcome);
                let view = self.keep(work, loaded, after, &txn, &receipt, outcome.event.case);
                if txn.event.is_some() {
                    // The first commit of a territory begins epoch 1.
                    self.committed(&actor.territory, txn.epoch.max(1), &receipt, outcome.event);
                }
                Ok(Attempt::Done(Box::new(done(outcome.reply, &receipt, view))))
            }
            Some(Committed::Conflict(conflict)) => {
                self.corrected(actor, place, &conflict);
                if calls::another_case(&txn.guards, &conflict) {
                    let problem = "it has its case already: find that case and report the event again";
                    return Err(Refusal::resting(RestsOn::CallName, "call", problem).into());
                }
                if shifts::overtaken(&txn.guards, &conflict) {
                    // No attempt on what was looked at can hold any more.
                    return Err(Failure::Busy);
                }
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

    /// Remembers what a conflict said: the records as they are, and who is first.
    pub(super) fn corrected(&self, actor: &Actor, place: &Place, conflict: &Conflict) {
        self.remember_readable(actor, &conflict.snapshot);
        let basis = self.basis(place);
        self.0.memory.corrected(&actor.territory, conflict, |entity, index| indexes::place(entity, index, basis));
    }

    fn basis<'a>(&'a self, place: &Place) -> Basis<'a> {
        Basis { lookup: &self.0.lookup, lease: place.territory.regulation.lease }
    }

    fn count(&self, actor: &Actor, loaded: &Loaded, outcome: &Outcome) {
        let Some(id) = outcome.event.case.filter(|_| self.0.metrics.reported()) else { return };
        let before = loaded.get(&Key::case(id)).and_then(Option::as_ref).map(|known| known.entity.as_ref());
        measure::event(
            &self.0.metrics,
            &actor.territory,
            &outcome.event,
            before,
            outcome.after.cases.get(&id).map(Arc::as_ref),
        );
    }

    /// Sends a transaction, and again with the same command id as long as its outcome is unknown and the request has time.
    /// One attempt that may have been applied leaves the outcome unknown, whatever the later ones were refused for. `None`:
    /// fenced, read again.
    pub(super) async fn send(&self, txn: &Txn) -> Result<Option<Committed>, Failure> {
        let (begun, options) = (self.0.clock.uptime(), &self.0.options);
        let (mut unknown, mut refused, mut pause) = (None, 0, FIRST_PAUSE);
        loop {
            let error = match self.send_once(txn).await {
                Ok(committed) => return Ok(Some(committed)),
                Err(StoreError::Fenced { .. }) => return Ok(None),
                Err(error) => error,
            };
            match &error {
                StoreError::Unknown(_) => unknown = Some(error.clone()),
                StoreError::Unavailable(_) => refused += 1,
                _ => return Err(error.into()),
            }
            if self.0.clock.uptime().saturating_sub(begun) >= options.patience
                || (unknown.is_none() && refused > options.refusals)
            {
                return Err(unknown.unwrap_or(error).into());
            }
            self.0.clock.sleep(pause).await;
            pause = (2 * pause).min(options.longest_pause);
        }
    }

    /// Sends a transaction once.
    pub(super) async fn send_once(&self, txn: &Txn) -> Result<Committed, StoreError> {
        let watch = Stopwatch::start();
        let sent = self.0.store.commit(txn).instrument(debug_span!("commit")).await;
        let label = match &sent {
            Ok(Committed::Done(_)) => CommitResult::Done,
            Ok(Committed::Conflict(_)) => CommitResult::Conflict,
            Ok(Committed::Clock(_)) => CommitResult::Clock,
            Err(StoreError::Unknown(_)) => CommitResult::Unknown,
            Err(_) => CommitResult::Failed,
        };
        self.0.metrics.commit(self.0.options.store, label, watch.elapsed());
        if matches!(&sent, Ok(Committed::Done(receipt)) if receipt.durability < self.0.options.promised) {
            self.0.metrics.degraded(&txn.territory);
        }
        sent
    }

    /// Keeps what was just written, so that the next command on it needs no read.
    fn keep(
        &self,
        work: &Work<'_>,
        loaded: &Loaded,
        after: Vec<(Key, Entity)>,
        txn: &Txn,
        receipt: &Receipt,
        case: Option<CaseId>,
    ) -> Option<CaseView> {
        let Work { actor, place, .. } = *work;
        let mut view = None;
        let written = |key: &Key| txn.ops.iter().any(|op| matches!(op, Op::Put { key: put, .. } if put == key));
        for (key, entity) in after {
            let (version, number) = match loaded.get(&key).and_then(Option::as_ref) {
                Some(known) if !written(&key) => (known.version, known.number),
                Some(known) => (receipt.version, known.number),
                None => (receipt.version, receipt.counts.first().copied()),
            };
            let known = Known { version, number, entity: Arc::new(entity) };
            if known.case().is_some_and(|known| Some(known.id) == case) {
                view = CaseView::new(place, &known, receipt.at);
            }
            self.0.memory.put(&actor.territory, &key, Some(known));
        }
        self.0.memory.committed(&actor.territory, &txn.ops);
        // Before its epoch existed, a territory was at 0; the first commit began epoch 1.
        if txn.epoch == 0 {
            self.0.memory.set_epoch(&actor.territory, 1);
        }
        view
    }
}

fn entities(records: &Records) -> Vec<(Key, Entity)> {
    let cases = records.cases.values().map(|case| (Key::case(case.id), Entity::Case(case.clone())));
    let slots = records.slots.values().map(|slot| (Key::slot(slot.id), Entity::Slot(slot.clone())));
    let shifts = records.shifts.values().map(|shift| (Key::shift(shift.id), Entity::Shift(shift.clone())));
    let room = records.room.iter().map(|room| (Key::room(), Entity::Room(room.clone())));
    let sheets = records.sheets.values().map(|sheet| (Key::sheet(sheet.id), Entity::Sheet(Box::new(sheet.clone()))));
    cases.chain(slots).chain(shifts).chain(room).chain(sheets).collect()
}

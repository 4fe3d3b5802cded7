//! From an outcome to one transaction, and from its answer to the next step.

use std::sync::Arc;

use tracing::{Instrument, info_span};

use crate::{
    clock::Stopwatch,
    domain::{
        actor::Actor,
        calendar::local_date,
        case::{Outcome, Records, Refusal},
        time::Instant,
    },
    store::{Committed, Conflict, Counter, Guard, Index, Key, Member, Op, Policy, Receipt, StoreError, Txn},
    telemetry::labels::{CommitResult, RetryReason},
};

use super::{
    CaseView, Engine, Failure, Mutation, Place,
    act::{Attempt, Extra, Loaded, done, reply},
    codec::{self, Entity},
    indexes::{self, Basis},
    measure,
    memory::Known,
};

impl Engine {
    #[expect(clippy::too_many_arguments, reason = "one transaction of one attempt; a struct would only rename them")]
    pub(super) fn transaction(
        &self,
        place: &Place,
        mutation: Mutation,
        loaded: &Loaded,
        outcome: &Outcome,
        extra: &Extra,
        epoch: u64,
        policy: Policy,
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
            policy,
            even_behind: false,
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

    pub(super) async fn commit(
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
                self.count(actor, loaded, outcome);
                let view = self.keep(actor, place, loaded, outcome, txn, &receipt);
                Ok(Attempt::Done(Box::new(done(outcome.reply.clone(), &receipt, view))))
            }
            Some(Committed::Conflict(Conflict { snapshot, heads })) => {
                self.remember(actor, &snapshot)?;
                if heads.iter().any(|(index, head)| index.is_call() && head.is_some()) {
                    return Err(Refusal::state(
                        "call",
                        "it has its case already: find that case and report the event again",
                    )
                    .into());
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

    fn count(&self, actor: &Actor, loaded: &Loaded, outcome: &Outcome) {
        let Some(id) = outcome.event.case else { return };
        let before = loaded.get(&Key::case(id)).and_then(Option::as_ref).map(|known| known.entity.as_ref());
        measure::event(&self.0.metrics, &actor.territory, &outcome.event, before, outcome.after.cases.get(&id));
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
}

fn entities(records: &Records) -> Vec<(Key, Entity)> {
    let cases = records.cases.values().map(|case| (Key::case(case.id), Entity::Case(Box::new(case.clone()))));
    let slots = records.slots.values().map(|slot| (Key::slot(slot.id), Entity::Slot(slot.clone())));
    let shifts = records.shifts.values().map(|shift| (Key::shift(shift.id), Entity::Shift(shift.clone())));
    cases.chain(slots).chain(shifts).collect()
}

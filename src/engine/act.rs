//! The one commit loop: load → decide → commit → bounded retry.
//!
//! A first attempt may rest on memory; a refusal never does: before any, one store call returns the command's receipt
//! and the current records, and the command is decided again (storage.md).

use std::{collections::BTreeMap, sync::Arc};

use tracing::{Instrument, debug_span};

use crate::{
    domain::{
        actor::Actor,
        case::{
            Command, Event, Outcome, Records, Refusal, Reply, RestsOn, decide,
            decide::{Context, permitted},
        },
        ids::{CaseId, ShiftId, SlotId},
        person::Private,
    },
    store::{Committed, Guard, Index, Key, Member, Policy, Receipt, Snapshot, StoreError, Txn},
    telemetry::labels::{CommandResult, RetryReason},
};

use super::{
    CaseView, Done, Engine, Failure, Mutation, Place, Target, calls,
    codec::{self, Entity},
    commit,
    concern::needed,
    likeness,
    memory::Known,
    policy,
    read::answered_to,
    shifts::Hours,
};

/// What a commit must find beside the records that its command names.
#[derive(Debug, Clone, Default)]
pub(super) struct Extra {
    pub(super) guards: Vec<Guard>,
    /// The doctor's other shifts: looked at with the one that the command is about.
    pub(super) shifts: Vec<ShiftId>,
    /// The cases that he holds as a regulator, as far as they are looked at.
    pub(super) held: Vec<CaseId>,
    /// The doctor's other slots in the same hours.
    pub(super) slots: Vec<SlotId>,
    /// Attempts after which the caller looks anew at what he guards on; none: as many as are made otherwise.
    pub(super) attempts: Option<u32>,
    /// The number that an event of a call came from, as the exchange tells it.
    pub(super) number: Option<Private<String>>,
    /// What the caller is told beside what the rules say.
    pub(super) warnings: Vec<String>,
}

/// The records of one attempt: what was read, absent ones as `None`.
pub(super) type Loaded = BTreeMap<Key, Option<Known>>;

/// One command on its way: who asks, where, about what, and on which further conditions.
pub(super) struct Work<'a> {
    pub(super) actor: &'a Actor,
    pub(super) place: &'a Arc<Place>,
    pub(super) mutation: Mutation,
    pub(super) target: Target,
    pub(super) command: &'a Command,
    pub(super) extra: &'a Extra,
}

pub(super) enum Attempt {
    Done(Box<Done>),
    /// Decide again on what is there now; a commit that failed says why.
    Again(Option<RetryReason>),
}

impl Engine {
    /// As [`Self::act`], under the id that it has and no other.
    ///
    /// What seldom comes is a future of its own here and below: else each command would move the room for all of it.
    pub(super) async fn act_as_named(
        &self,
        actor: &Actor,
        mutation: Mutation,
        target: Target,
        command: Command,
    ) -> Result<Done, Failure> {
        if let (Some(case), true) = (target.case, likeness::compared(&command)) {
            return self.beside_earlier_cases(actor, mutation, (target, case), command).await;
        }
        if let Command::Transfer(act) = &command {
            self.sent_where_served(actor, act)?;
        }
        if let Some(hours) = Hours::of(actor, &command, self.now()) {
            return Box::pin(self.beside_his_shifts(actor, mutation, target, &hours, command)).await;
        }
        if let Some(period) = self.booked_singly(actor, &command)? {
            return Box::pin(self.publish_slot(actor, mutation, &period, &command)).await;
        }
        let extra = match &command {
            Command::Open(open) => {
                let guards = open.opened.call.iter().map(|call| self.newest_of_call(call, None)).collect();
                Extra { guards, ..Extra::default() }
            }
            _ => Extra { shifts: Box::pin(self.shifts_beside(actor, &command)).await?, ..Extra::default() },
        };
        let sheet = matches!(command, Command::PutSheet { .. } | Command::EndSheet(_));
        let mut done = self.act_guarded(actor, mutation, target, &command, extra).await;
        if let (Err(refused), Command::Open(open)) = (&done, &command)
            && refused.is_of_its_call()
        {
            let extra = Box::pin(self.call_begun_again(actor, open)).await?;
            done = Box::pin(self.act_guarded(actor, mutation, target, &command, extra)).await;
        }
        self.note_declined(&actor.territory, &command, &done);
        if sheet {
            // Whatever the answer: it may be there.
            self.0.sheets.changed(&actor.territory);
        }
        done
    }

    /// Carries out what may rest on whether the case resembles an earlier one: on the case as it was compared, so that a
    /// number that is entered meanwhile is looked for too.
    async fn beside_earlier_cases(
        &self,
        actor: &Actor,
        mutation: Mutation,
        (target, case): (Target, CaseId),
        mut command: Command,
    ) -> Result<Done, Failure> {
        for _ in 0..self.0.options.attempts {
            let compared = match &mut command {
                Command::Qualify(qualify) if likeness::asked(qualify) => {
                    let resembles = self.resembles(actor, case, &qualify.particulars);
                    let asked = async { tokio::try_join!(resembles, self.counted_for(actor, case, qualify)) };
                    let (likeness, waiting) = Box::pin(asked).await?;
                    (qualify.particulars.possible_repeat, qualify.waiting) = (likeness.found, waiting);
                    likeness.version
                }
                Command::Qualify(qualify) => {
                    (qualify.particulars.possible_repeat, qualify.waiting) = (false, None);
                    None
                }
                Command::Amend(said) => {
                    let likeness = Box::pin(self.resembles_unheard(actor, case, said)).await?;
                    said.possible_repeat = likeness.found;
                    likeness.version
                }
                Command::Dismiss { possible_repeat, .. } => {
                    let likeness = Box::pin(self.resembles_unqualified(actor, case)).await?;
                    *possible_repeat = likeness.found;
                    likeness.version
                }
                _ => None,
            };
            let on = Target { version: target.version.or(compared), ..target };
            match self.act_guarded(actor, mutation, on, &command, Extra::default()).await {
                Err(Failure::Refused(Refusal::Stale(_))) if target.version.is_none() => {}
                done => return done,
            }
        }
        Err(Failure::Busy)
    }

    pub(super) async fn act_guarded(
        &self,
        actor: &Actor,
        mutation: Mutation,
        target: Target,
        command: &Command,
        extra: Extra,
    ) -> Result<Done, Failure> {
        // Also before a receipt answers: it holds what the command answered to somebody who was allowed to give it.
        permitted(actor.role, command)?;
        let place = self.territory(&actor.territory)?;
        let work = Work { actor, place: &place, mutation, target, command, extra: &extra };
        let span = debug_span!("act", command = command.name(), case = target.case.map(tracing::field::display));
        let result = self.attempts(&work).instrument(span).await;
        self.counted(actor, command.name(), &result);
        result
    }

    /// Counts a command by what became of it.
    pub(super) fn counted(&self, actor: &Actor, command: &'static str, result: &Result<Done, Failure>) {
        let label = match result {
            Ok(done) if done.replayed => CommandResult::Replayed,
            Ok(_) => CommandResult::Done,
            Err(Failure::Refused(_)) => CommandResult::Refused,
            Err(Failure::Busy | Failure::TooSlow(_)) => CommandResult::Conflict,
            Err(Failure::Store(StoreError::Unavailable(_)) | Failure::Unavailable(_)) => CommandResult::Unavailable,
            Err(Failure::Store(StoreError::Unknown(_))) => CommandResult::Unknown,
            Err(Failure::Store(_)) => CommandResult::Failed,
        };
        self.0.metrics.command(&actor.territory, command, label);
    }

    async fn attempts(&self, work: &Work<'_>) -> Result<Done, Failure> {
        self.look_at_room(work).await;
        let (mut fresh, mut tried) = (false, 0);
        while tried < work.extra.attempts.unwrap_or(self.0.options.attempts) {
            match self.attempt(work, fresh).await? {
                Attempt::Done(done) => return answered(work.actor, work.place, *done),
                Attempt::Again(reason) => {
                    reason.into_iter().for_each(|reason| self.0.metrics.retry(reason));
                    // A first conflict has told what is there now; what fails again is read.
                    fresh = reason.is_none() || tried > 0;
                    tried += 1;
                }
            }
        }
        Err(Failure::Busy)
    }

    async fn attempt(&self, work: &Work<'_>, fresh: bool) -> Result<Attempt, Failure> {
        let (loaded, from_store, receipt) = self.load(work, fresh).await?;
        if let Some(receipt) = receipt {
            return Box::pin(self.replay(work, &loaded, receipt)).await;
        }
        match self.decided(work, &loaded) {
            Ok(outcome) => match self.commit(work, &loaded, outcome).await {
                // Memory refuses nothing.
                Err(failure) if !from_store && commit::is_full(&failure) => Ok(Attempt::Again(None)),
                result => result,
            },
            Err(_) if !from_store => Ok(Attempt::Again(None)),
            Err(Refusal::NotFound(what)) if what == "case" => {
                Err(work.target.case.map_or(Refusal::NotFound(what), |id| self.no_case(id)).into())
            }
            // Who regulates was looked at from memory, which refuses nothing.
            Err(refusal) if of_roster(&refusal) => {
                let again = async {
                    self.refresh_room(&work.actor.territory).await?;
                    self.commit(work, &loaded, self.decided(work, &loaded)?).await
                };
                Box::pin(again).await
            }
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// What the domain says of a command on these records: now, and never before what they tell of.
    pub(super) fn decided(&self, work: &Work<'_>, loaded: &Loaded) -> Result<Box<Outcome>, Refusal> {
        unfit(loaded, work.target, work.command).map_or(Ok(()), Err)?;
        let mut records = records(loaded);
        let now = self.not_before(records.last_instant());
        calls::goes_on(&records, work, now)?;
        if !loaded.contains_key(&Key::room()) {
            records.room = self.0.rooms.known(&work.actor.territory);
        }
        let context = Context {
            territory: &work.place.territory,
            directory: &work.place.directory,
            actor: work.actor,
            command_id: work.mutation.command_id,
            now,
            records: &records,
            case: work.target.case,
        };
        let mut outcome = Box::new(decide(&context, work.command)?);
        outcome.reply.warnings.extend(work.extra.warnings.iter().cloned());
        Ok(outcome)
    }

    /// The records a command concerns: from memory, or all of them read together with the command's receipt.
    async fn load(&self, work: &Work<'_>, fresh: bool) -> Result<(Loaded, bool, Option<Receipt>), Failure> {
        let Work { actor, mutation, target, command, .. } = *work;
        let mut loaded = Loaded::new();
        let mut from_store = false;
        // A case names the slots and shifts it needs: at most two rounds.
        for _ in 0..3 {
            let mut needed = needed(target, command, &loaded);
            needed.extend(work.extra.shifts.iter().copied().map(Key::shift));
            needed.extend(work.extra.slots.iter().copied().map(Key::slot));
            needed.extend(work.extra.held.iter().copied().map(Key::case));
            let missing: Vec<Key> = needed.iter().filter(|key| !loaded.contains_key(*key)).cloned().collect();
            if missing.is_empty() {
                break;
            }
            let remembered: Option<Loaded> = if fresh || from_store {
                None
            } else {
                let known = |key: &Key| Some((key.clone(), self.remembered(actor, key)?));
                missing.iter().map(known).collect()
            };
            if let Some(remembered) = remembered {
                loaded.extend(remembered);
                continue;
            }
            let snapshot = self.read_store(&actor.territory, &needed, Some(mutation.command_id)).await?;
            from_store = true;
            if snapshot.receipt.is_some() {
                return Ok((loaded, true, snapshot.receipt));
            }
            loaded = self.remember(actor, &snapshot)?;
        }
        if !from_store && (fresh || loaded.is_empty() && self.0.memory.epoch(&actor.territory).is_none()) {
            let keys: Vec<Key> = loaded.keys().cloned().collect();
            let snapshot = self.read_store(&actor.territory, &keys, Some(mutation.command_id)).await?;
            from_store = true;
            if snapshot.receipt.is_some() {
                return Ok((loaded, true, snapshot.receipt));
            }
            loaded = self.remember(actor, &snapshot)?;
        }
        Ok((loaded, from_store, None))
    }

    /// A record as memory has it; `Some(None)` where it is known that there is none.
    fn remembered(&self, actor: &Actor, key: &Key) -> Option<Option<Known>> {
        let known = self.0.memory.get(&actor.territory, key);
        let nobody = || *key == Key::room() && self.0.rooms.without_record(&actor.territory);
        if known.is_none() && nobody() { Some(None) } else { known.map(Some) }
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

    /// As [`Self::remember`], for what concerns many records at once: one that cannot be read is told in the log and left
    /// out, so that it holds up no other. Answers which they are.
    pub(super) fn remember_readable(&self, actor: &Actor, snapshot: &Snapshot) -> (Loaded, Vec<Key>) {
        self.0.memory.set_epoch(&actor.territory, snapshot.epoch);
        let (mut loaded, mut unreadable) = (Loaded::new(), Vec::new());
        for (key, record) in &snapshot.records {
            match record.as_ref().map(|record| Known::from_record(key, record)).transpose() {
                Ok(known) => {
                    self.0.memory.put(&actor.territory, key, known.clone());
                    loaded.insert(key.clone(), known);
                }
                Err(error) => {
                    tracing::error!(territory = %actor.territory, %key, %error, "a record cannot be read: left out");
                    self.0.memory.put(&actor.territory, key, None);
                    unreadable.push(key.clone());
                }
            }
        }
        (loaded, unreadable)
    }

    pub(super) async fn epoch(&self, actor: &Actor) -> Result<u64, Failure> {
        match self.0.memory.epoch(&actor.territory) {
            Some(epoch) => Ok(epoch),
            None => {
                let snapshot = self.read_store(&actor.territory, &[], None).await?;
                self.0.memory.set_epoch(&actor.territory, snapshot.epoch);
                Ok(snapshot.epoch)
            }
        }
    }

    /// What to do with a command when the promised durability cannot be had.
    pub(super) fn policy(&self, work: &Work<'_>, loaded: &Loaded) -> Policy {
        let known = work.target.case.and_then(|id| loaded.get(&Key::case(id))).and_then(Option::as_ref);
        let case = known.and_then(|known| known.case());
        policy::policy(work.command, case, self.0.options.intake)
    }

    /// Answers a command that was carried out before: when it still is. The receipt that was read may be that of an old
    /// primary, whose tail is lost; then the command is decided again.
    pub(super) async fn replay(&self, work: &Work<'_>, loaded: &Loaded, read: Receipt) -> Result<Attempt, Failure> {
        let Work { actor, place, mutation, .. } = *work;
        // The store compares digests: a transaction under the same id answers the receipt, or refuses. A guard that never
        // holds keeps it from being carried out itself where there is no receipt.
        let epoch = self.epoch(actor).await?;
        let probe = Txn {
            command: Some((mutation.command_id, mutation.digest)),
            guards: vec![Guard::Due(Index::timers(), Member("never".to_owned()))],
            policy: self.policy(work, loaded),
            ..Txn::touch(actor.territory.clone(), epoch, self.now())
        };
        // It also waits again for the replicas, behind a write: the level is what it reached now, not what a read believes.
        let receipt = match self.send(&probe).await? {
            Some(Committed::Done(receipt)) => receipt,
            Some(Committed::Clock(store_now)) => {
                self.set_store_time(store_now);
                return Ok(Attempt::Again(Some(RetryReason::Clock)));
            }
            Some(Committed::Conflict(_)) => return Ok(Attempt::Again(Some(RetryReason::Conflict))),
            None => {
                self.0.memory.forget(&actor.territory);
                return Ok(Attempt::Again(Some(RetryReason::Conflict)));
            }
        };
        tracing::debug!(read = read.seq, again = receipt.seq, "a repeated command is answered from its receipt");
        let reply = reply(&receipt);
        let view = self.view_of(actor, place, reply.case).await?;
        let mut done = done(reply, &receipt, view);
        done.replayed = true;
        Ok(Attempt::Done(Box::new(done)))
    }

    pub(super) async fn view_of(
        &self,
        actor: &Actor,
        place: &Place,
        case: Option<CaseId>,
    ) -> Result<Option<CaseView>, Failure> {
        let Some(id) = case else { return Ok(None) };
        let key = Key::case(id);
        let snapshot = self.read_store(&actor.territory, std::slice::from_ref(&key), None).await?;
        let loaded = self.remember(actor, &snapshot)?;
        let known = loaded.get(&key).cloned().flatten();
        Ok(known.and_then(|known| CaseView::new(place, &known, self.now())))
    }
}

/// Whether a refusal rests on who regulates.
pub(super) fn of_roster(refusal: &Refusal) -> bool {
    refusal.rests_on(RestsOn::Roster)
}

/// What the caller is told and may see. A command whose words were kept although it was refused answers the refusal.
pub(super) fn answered(actor: &Actor, place: &Place, mut done: Done) -> Result<Done, Failure> {
    done.case = done.case.map(|view| answered_to(actor, place, view));
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
    Done { reply, seq, at, durability, replayed, renamed: false, case }
}

/// What stands in the way before the domain is asked: the version the caller read is not the one there is (a P0 is never
/// refused for it), or the earlier case of a repeat call does not exist.
fn unfit(loaded: &Loaded, target: Target, command: &Command) -> Option<Refusal> {
    use crate::domain::regulation::qualification::Priority;
    if let Command::LinkRepeat(earlier) = command
        && !matches!(loaded.get(&Key::case(*earlier)), Some(Some(_)))
    {
        return Some(Refusal::NotFound("case".to_owned()));
    }
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
                records.cases.insert(case.id, case.clone());
            }
            Entity::Slot(slot) => {
                records.slots.insert(slot.id, slot.clone());
            }
            Entity::Shift(shift) => {
                records.shifts.insert(shift.id, shift.clone());
            }
            Entity::Room(room) => records.room = Some(room.clone()),
            Entity::Sheet(sheet) => {
                records.sheets.insert(sheet.id, (**sheet).clone());
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

//! Who judges a run, from the log and the records that the primary keeps: every rule of design.md §3 that state can show,
//! the oracle that reads only events, the order of the queue, and that what was acknowledged stands in the log once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use sas_dispatch::{
    domain::{
        case::{ActionKind, Case, Event, OfferState, Records, Reply, apply, invariants},
        directory::Directory,
        ids::{CaseId, CommandId, PersonId, TerritoryId},
        regulation::queue,
        territory::Territory,
        time::{Instant, Span},
    },
    engine::{
        Done,
        codec::{self, Entity},
    },
    store::{Index, Key, LogEntry, txn::MAX_CLOCK_GAP},
};

use super::{ledger::Land, net::World};
use crate::domain::oracle::Oracle;

/// What is wrong, in words.
pub type Verdict = Result<(), String>;

/// One instance may be ahead of the store's time by this much, another behind.
const CLOCKS_APART: Span = Span::from_ms(2 * MAX_CLOCK_GAP.ms());

/// What a client was told.
#[derive(Debug, Clone)]
struct Acknowledged {
    seq: u64,
    reply: Reply,
}

pub struct Judge {
    ground: Arc<(Territory, Directory)>,
    territory: TerritoryId,
    /// What the log tells.
    pub records: Records,
    /// Every case in the order of the log.
    pub cases: Vec<CaseId>,
    log: Vec<CommandId>,
    commands: BTreeMap<CommandId, u64>,
    oracle: Oracle,
    acknowledged: BTreeMap<CommandId, Acknowledged>,
    /// Commands that asked for the next case, whichever it is.
    nexts: BTreeSet<CommandId>,
    claims: BTreeMap<(CaseId, u64), PersonId>,
    /// How often each command took effect, for whoever wants to know what a run reached.
    pub took_effect: BTreeMap<String, usize>,
    /// How often another epoch began.
    pub raised: usize,
    epoch: u64,
}

impl Judge {
    pub fn new(ground: Arc<(Territory, Directory)>) -> Self {
        let territory = ground.0.id.clone();
        Self {
            ground,
            territory,
            records: Records::default(),
            cases: Vec::new(),
            log: Vec::new(),
            commands: BTreeMap::new(),
            oracle: Oracle::of_clocks_apart(CLOCKS_APART),
            acknowledged: BTreeMap::new(),
            nexts: BTreeSet::new(),
            claims: BTreeMap::new(),
            took_effect: BTreeMap::new(),
            raised: 0,
            epoch: 0,
        }
    }

    /// A claim of whatever is next will be judged by the order of the queue.
    pub fn expects_next(&mut self, command: CommandId) {
        self.nexts.insert(command);
    }

    /// Looks at what the primary keeps now.
    pub fn look(&mut self, world: &World) -> Verdict {
        let empty = Land::default();
        let land = world.truth().lands.get(&self.territory).unwrap_or(&empty);
        let same = land.log.len() >= self.log.len()
            && land.log.iter().zip(&self.log).next_back().is_none_or(|(entry, known)| entry.command_id == *known);
        if let Some(wrong) = &world.wrong {
            return Err(wrong.clone());
        }
        self.raised += usize::from(self.epoch > 0 && land.epoch > self.epoch);
        self.epoch = land.epoch;
        if land.log.len() as u64 != land.seq {
            return Err(format!("1: the log has {} entries and its head is {}", land.log.len(), land.seq));
        }
        if !same {
            self.begin_again();
        }
        for entry in &land.log[self.log.len()..] {
            self.entry(land, entry)?;
        }
        if same { Ok(()) } else { self.all_acknowledged(land) }
    }

    /// An old copy was put back: what is not in it is lost, and nobody is to blame but whoever goes on as if it were not.
    pub fn went_back(&mut self, world: &World) {
        let empty = Land::default();
        let land = world.truth().lands.get(&self.territory).unwrap_or(&empty);
        self.acknowledged.retain(|command, told| land.has_receipt(*command) == Some(told.seq));
        self.claims.clear();
    }

    /// Whether a command stands in the log.
    pub fn in_log(&self, command: CommandId) -> bool {
        self.commands.contains_key(&command)
    }

    /// Another history: everything is read again.
    fn begin_again(&mut self) {
        (self.records, self.oracle) = (Records::default(), Oracle::of_clocks_apart(CLOCKS_APART));
        self.cases.clear();
        self.log.clear();
        self.commands.clear();
    }

    fn entry(&mut self, land: &Land, entry: &LogEntry) -> Verdict {
        self.log.push(entry.command_id);
        if entry.seq != self.log.len() as u64 {
            return Err(format!("1: seq {} stands at place {}", entry.seq, self.log.len()));
        }
        if self.commands.insert(entry.command_id, entry.seq).is_some() {
            return Err(format!("1: command {} took effect twice", entry.command_id));
        }
        let event = codec::decode_event(&entry.event).map_err(|error| format!("seq {}: {error}", entry.seq))?;
        let old = event.case.and_then(|id| self.records.cases.get(&id)).cloned();
        if let Some(told) = old.as_ref().map(|old| old.last_instant()).filter(|told| *told > event.at) {
            return Err(format!("seq {}: time went back from {told} to {} in one case", entry.seq, event.at));
        }
        if self.nexts.contains(&entry.command_id) {
            self.first_in_line(&event)?;
        }
        apply(&mut self.records, &event);
        self.oracle.see(&self.ground.0, &event, &self.records);
        let broken = invariants::violations(&self.records);
        let new = event.case.and_then(|id| self.records.cases.get(&id));
        let history = old.as_ref().zip(new).map(|(old, new)| invariants::broken_history(old, new));
        if let Some(broken) = broken.iter().chain(history.iter().flatten()).next() {
            return Err(format!("seq {}: {} broke {broken}", entry.seq, event.command));
        }
        if old.is_none() {
            self.cases.extend(event.case);
        }
        *self.took_effect.entry(event.command.clone()).or_default() += 1;
        if entry.seq == land.seq { self.stored(land, &event) } else { Ok(()) }
    }

    /// The records of the last event are what the log tells.
    fn stored(&self, land: &Land, event: &Event) -> Verdict {
        let Some(case) = event.case.and_then(|id| self.records.cases.get(&id)) else { return Ok(()) };
        let key = Key::case(case.id);
        let stored = land.records.get(&key).ok_or_else(|| format!("{key}: 1: not stored"))?;
        let stored = codec::decode(key.as_str(), &stored.value).map_err(|error| format!("{key}: {error}"))?;
        if stored == Entity::Case(case.clone()) {
            return Ok(());
        }
        Err(format!("{key}: 1: what is stored after {} is not what the log tells", event.command))
    }

    /// Nobody who comes before the claimed case waits, save where the regulator is the responder.
    fn first_in_line(&self, event: &Event) -> Verdict {
        let Some(claimed) = event.case.and_then(|id| self.records.cases.get(&id)) else { return Ok(()) };
        let place = |case: &Case| {
            let known = case.qualification.as_ref()?;
            Some((queue::class(known.priority), known.due, case.id.to_string()))
        };
        // What was sent to others waits before them; what another territory was asked to take waits before nobody.
        let waits = |case: &&Arc<Case>| {
            let open = |kind| case.open_action(kind).is_some();
            open(ActionKind::Regulate) && !open(ActionKind::Transfer) && case.claim.is_none()
        };
        let mut before = self.records.cases.values().filter(waits);
        let passed = before.find(|case| {
            case.before() == claimed.before()
                && place(case) < place(claimed)
                && !self.his_own(case, &event.actor.person)
        });
        match passed {
            Some(case) => Err(format!("8: {} was claimed while {} waited before it", claimed.id, case.id)),
            None => Ok(()),
        }
    }

    fn his_own(&self, case: &Case, person: &PersonId) -> bool {
        let alone = |id| self.ground.1.get(id).is_some_and(|known| known.doctors == [person.clone()]);
        let live = |state: &OfferState| matches!(state, OfferState::Open | OfferState::Accepted { .. });
        case.visits.iter().any(|visit| visit.doctor.as_ref().is_some_and(|(doctor, _)| doctor == person))
            || case.offers.iter().any(|offer| live(&offer.state) && alone(&offer.responder))
    }

    /// A client is told that its command was done.
    pub fn told(&mut self, command: CommandId, person: &PersonId, done: &Done, world: &World) -> Verdict {
        let told = Acknowledged { seq: done.seq, reply: done.reply.clone() };
        if let Some(before) = self.acknowledged.insert(command, told.clone())
            && (before.seq, &before.reply) != (told.seq, &told.reply)
        {
            return Err(format!("1: {command} was answered {before:?} and then {told:?}"));
        }
        if let (Some(case), Some(no)) = (done.reply.case, done.reply.claim_no) {
            let holder = self.claims.entry((case, no)).or_insert_with(|| person.clone());
            if holder != person {
                return Err(format!("3: {holder} and {person} were both told that they hold {case} as {no}"));
            }
        }
        let empty = Land::default();
        self.acknowledged_stands(world.truth().lands.get(&self.territory).unwrap_or(&empty), command, &told)
    }

    /// Whether a client was ever told that this command was done.
    pub fn was_told(&self, command: CommandId) -> bool {
        self.acknowledged.contains_key(&command)
    }

    fn acknowledged_stands(&self, land: &Land, command: CommandId, told: &Acknowledged) -> Verdict {
        let Some(receipt) = land.has_receipt(command) else {
            return Err(format!("1: {command} was acknowledged at {} and has no receipt", told.seq));
        };
        let logged = self.commands.get(&command).copied();
        if receipt == told.seq && logged.is_none_or(|seq| seq == told.seq) {
            return Ok(());
        }
        Err(format!("1: {command} was acknowledged at {}, its receipt says {receipt}, the log {logged:?}", told.seq))
    }

    /// Every acknowledged command stands.
    pub fn all_acknowledged(&self, land: &Land) -> Verdict {
        self.acknowledged.iter().try_for_each(|(command, told)| self.acknowledged_stands(land, *command, told))
    }

    /// After upkeep with working clocks nothing that is due is left silent; an instance may be a second behind the store.
    pub fn nothing_silent(&self, now: Instant, land: &Land) -> Verdict {
        let now = now - Span::from_secs(1);
        for case in self.records.cases.values() {
            let late = case.open_actions().find(|action| action.alarmed().is_none() && action.deadline <= now);
            if let Some(action) = late {
                return Err(format!("2: {} of {} was due at {} and is silent", action.kind, case.id, action.deadline));
            }
        }
        let due = |index: Index| land.indexes.get(&index).and_then(|entries| entries.first().cloned());
        for index in [Index::leases(), Index::timers()] {
            if let Some((score, member)) = due(index.clone()).filter(|(score, _)| *score <= now.unix_ms()) {
                return Err(format!(
                    "2: {}: {index} {} fell due at {score} and was not fired",
                    self.territory, member.0
                ));
            }
        }
        Ok(())
    }
}

//! The checker: replays the whole log of a territory and compares what it tells with what is stored.
//!
//! Every event must stand in the log once and without a gap, fold into the records, and break no rule of design.md §3
//! on the way; at the end the stored records and every index entry derived from them must be those that the log tells.
//! It reads only, and may run beside a working service: what is written after its beginning is not judged.

mod stored;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    domain::{
        case::{Action, Case, Event, Fact, Records, apply, invariants},
        ids::{ActionId, CaseId, CommandId, OfferId, SlotId, TerritoryId},
        time::{Instant, Span},
    },
    store::{Index, LogEntry, MAX_PAGE, txn::MAX_CLOCK_GAP},
};

use super::{Engine, Failure, act, codec::Entity, indexes};

/// Most violations that a report names; the rest is counted.
const MOST_NAMED: usize = 200;
/// All slots, shifts and cases are held against each other once in so many events, and at the end.
const FULL_EVERY: u64 = 500;
/// A deadline that passes is alarmed within this time by a service that runs.
const SILENCE_TOLERATED: Span = Span::from_secs(60);

/// Two commands under way together may stand in the log the other way round than their instants: each may be as far from
/// the store's time as a transaction may, one ahead and one behind.
const TOGETHER: Span = Span::from_ms(2 * MAX_CLOCK_GAP.ms());

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Whose log it was.
    pub territory: TerritoryId,
    /// Events read; the log's head when the check began.
    pub events: u64,
    /// Cases the log tells of.
    pub cases: usize,
    /// Slots and shifts the log tells of.
    pub supply: usize,
    /// Index entries compared.
    pub entries: usize,
    /// The sum of all times in which a deadline had passed and no alarm was raised.
    pub silent: Span,
    /// The longest of them.
    pub longest_silence: Span,
    /// The first rules, records and entries that are wrong, in words; ids only.
    pub violations: Vec<String>,
    /// How many there are in all.
    pub found: usize,
}

impl Report {
    /// True when nothing is wrong.
    pub fn clean(&self) -> bool {
        self.found == 0
    }

    fn add(&mut self, violation: impl Into<String>) {
        self.found += 1;
        if self.violations.len() < MOST_NAMED {
            self.violations.push(violation.into());
        }
    }
}

impl Engine {
    /// Checks a territory: its whole log, then its records and indexes. Changes nothing.
    ///
    /// # Errors
    /// When the store does not answer. What is wrong is in the report.
    pub async fn check(&self, territory: &TerritoryId) -> Result<Report, Failure> {
        let place = self.territory(territory)?;
        let basis = indexes::Basis { lookup: &self.0.lookup, suspect: place.territory.regulation.lease.suspect };
        let head = self.0.store.read(territory, &[], None).await?.seq;
        let mut replay = Replay::new(territory.clone());
        while replay.expected <= head {
            let page = self.0.store.log(territory, replay.expected - 1, MAX_PAGE).await?;
            let upto = page.iter().filter(|entry| entry.seq <= head);
            if upto.clone().next().is_none() {
                replay.report.add(format!("the log ends before seq {}: the head is {head}", replay.expected));
                break;
            }
            upto.for_each(|entry| replay.entry(entry, basis));
        }
        replay.end(self.now());
        self.compare(territory, head, &mut replay, basis).await?;
        Ok(replay.report)
    }
}

/// What the log has told so far.
struct Replay {
    report: Report,
    expected: u64,
    last_at: Option<Instant>,
    records: Records,
    commands: BTreeSet<CommandId>,
    booked: BTreeMap<SlotId, (CaseId, OfferId)>,
    /// Every index that ever had an entry: one that should be empty now is read as well.
    indexes: BTreeSet<Index>,
}

impl Replay {
    fn new(territory: TerritoryId) -> Self {
        let report = Report {
            territory,
            events: 0,
            cases: 0,
            supply: 0,
            entries: 0,
            silent: Span::ZERO,
            longest_silence: Span::ZERO,
            violations: Vec::new(),
            found: 0,
        };
        Self {
            report,
            expected: 1,
            last_at: None,
            records: Records::default(),
            commands: BTreeSet::new(),
            booked: BTreeMap::new(),
            indexes: BTreeSet::new(),
        }
    }

    fn entry(&mut self, entry: &LogEntry, basis: indexes::Basis<'_>) {
        let seq = entry.seq;
        if seq != self.expected {
            self.report.add(format!("seq {}: rule 1: missing from the log, which goes on with {seq}", self.expected));
        }
        self.expected = seq + 1;
        self.report.events += 1;
        if !self.commands.insert(entry.command_id) {
            self.report.add(format!("seq {seq}: rule 1: command {} took effect twice", entry.command_id));
        }
        if self.last_at.is_some_and(|last| entry.at + TOGETHER < last) {
            self.report.add(format!("seq {seq}: rule 1: time went back"));
        }
        self.last_at = self.last_at.max(Some(entry.at));
        match act::event(entry) {
            Ok(event) if (event.command_id, event.at) != (entry.command_id, entry.at) => {
                self.report.add(format!("seq {seq}: rule 1: the event is another command's"));
            }
            Ok(event) => self.fold(seq, &event, basis),
            Err(error) => self.report.add(format!("seq {seq}: {error}")),
        }
    }

    fn fold(&mut self, seq: u64, event: &Event, basis: indexes::Basis<'_>) {
        let old = event.case.and_then(|id| self.records.cases.get(&id)).cloned();
        apply(&mut self.records, event);
        self.slots(seq, event);
        if let Some(new) = event.case.and_then(|id| self.records.cases.get(&id)) {
            let history = old.as_ref().map(|old| invariants::broken_history(old, new)).unwrap_or_default();
            for violation in invariants::of_one_case(new).into_iter().chain(history) {
                self.report.add(format!("seq {seq}: {violation}"));
            }
            let (records, report) = (&self.records, &mut self.report);
            silences(old.as_ref(), &records.cases[&new.id], event.at).for_each(|span| silence(report, span));
            let entries = indexes::entries(&Entity::Case(Box::new(new.clone())), basis);
            self.indexes.extend(entries.into_keys().map(|(index, _)| index));
        }
        if seq.is_multiple_of(FULL_EVERY) {
            self.all_against_all(seq);
        }
    }

    /// Rule 4 after every event, whatever the slot's own record says.
    fn slots(&mut self, seq: u64, event: &Event) {
        for fact in &event.facts {
            let wrong = match (fact, event.case) {
                (Fact::SlotBooked { slot, offer }, Some(case)) => {
                    let twice = self.booked.insert(*slot, (case, *offer)).is_some();
                    twice.then(|| format!("slot {slot} was bound to two cases"))
                }
                (Fact::SlotFreed { slot }, Some(case)) => {
                    let foreign = self.booked.remove(slot).is_some_and(|(held, _)| held != case);
                    foreign.then(|| format!("slot {slot} was freed by another case"))
                }
                _ => None,
            };
            wrong.into_iter().for_each(|wrong| self.report.add(format!("seq {seq}: rule 4: {wrong}")));
        }
    }

    fn all_against_all(&mut self, seq: u64) {
        for violation in invariants::violations(&self.records) {
            self.report.add(format!("seq {seq}: {violation}"));
        }
    }

    /// The last look at what the log tells, at `now`.
    fn end(&mut self, now: Instant) {
        self.all_against_all(self.expected - 1);
        let open = self.records.cases.values().flat_map(Case::open_actions);
        let late = open.filter(|action| action.alarmed().is_none()).map(|action| now.since(action.deadline));
        late.collect::<Vec<_>>().into_iter().for_each(|span| silence(&mut self.report, span));
        self.report.cases = self.records.cases.len();
        self.report.supply = self.records.slots.len() + self.records.shifts.len();
        if self.report.longest_silence > SILENCE_TOLERATED {
            let secs = self.report.longest_silence.secs();
            self.report.add(format!("rule 2: a deadline passed {secs} s before anybody was told"));
        }
    }
}

fn silence(report: &mut Report, span: Span) {
    report.silent = report.silent + span;
    report.longest_silence = report.longest_silence.max(span);
}

/// How long past their deadlines the actions were that this event alarmed, moved or ended.
fn silences<'a>(old: Option<&'a Case>, new: &'a Case, at: Instant) -> impl Iterator<Item = Span> + 'a {
    let waited = old.into_iter().flat_map(Case::open_actions).filter(|action| action.alarmed().is_none());
    let state = |id: ActionId| new.action(id).map(|action: &Action| (&action.state, action.deadline));
    let changed = waited.filter(move |action| state(action.id) != Some((&action.state, action.deadline)));
    changed.map(move |action| at.since(action.deadline))
}

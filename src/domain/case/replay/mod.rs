//! A log told again: every event in order, and from when to when something was so that must never be (design.md §3).
//!
//! The service's own check, the test of real processes and `sas-dispatch check` all tell a log with this. It takes the
//! facts as they were written and calls no rule of `decide`; what a fact means is `evolve`'s, what must not be is
//! `invariants`', and what is looked at here beside them is time: silence, gaps, commands that stand twice, events that do
//! not follow from what came before.

pub mod border;
mod bound;
mod finding;
mod follows;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::domain::{
    ids::{CaseId, CommandId, ShiftId, SlotId},
    time::{Instant, Span},
};

use super::{
    action::Action,
    evolve::apply,
    fact::{Event, Fact, Records},
    invariants,
    state::Case,
};

use bound::Bound;
pub use finding::{Finding, Kind};

/// A deadline that passes is alarmed within this time by a service that runs.
pub const SILENCE_TOLERATED: Span = Span::from_secs(60);
/// Commands under way together may stand in the log this far out of the order of their instants: each may differ by one
/// second from the store's time.
const TOGETHER: Span = Span::from_secs(2);

/// What two may never have at one time; followed fact by fact, whatever the records say.
const TWO_CASES: &str = "bound to two cases";
const TWO_HOLDERS: &str = "two regulators hold it";

/// What an open finding is about: subject, rule and words.
type Key = (String, u8, String);

/// What the log has told so far.
#[derive(Debug, Default)]
pub struct Replay {
    /// The records as the events made them.
    pub records: Records,
    /// Events told.
    pub events: u64,
    /// Everything found whose end is known; the rest comes with [`Replay::end`].
    pub findings: Vec<Finding>,
    /// The sum of all times in which a deadline had passed and no alarm was raised.
    pub silent: Span,
    /// The longest of them.
    pub longest_silence: Span,
    /// Cases whose beginning lies before the log's: their events say nothing by themselves.
    pub not_judged: BTreeSet<CaseId>,
    /// Cases that have left for the archive.
    pub archived: BTreeSet<CaseId>,
    /// Hand-overs to and from other territories, to be told against their logs ([`border::between`]).
    pub crossings: border::Crossings,
    /// How long after a deadline its alarm may come before that is a finding.
    tolerated: Span,
    /// Whether the log was told from its first event.
    from_the_start: bool,
    /// The last seq told, and its instant.
    last: Option<(u64, Instant)>,
    latest: Option<Instant>,
    first: Option<Instant>,
    commands: BTreeSet<CommandId>,
    bound: BTreeMap<SlotId, Bound>,
    /// The numbers under which each case is held.
    held: BTreeMap<CaseId, BTreeSet<u64>>,
    open: BTreeMap<Key, Finding>,
}

impl Replay {
    /// A log whose first event is `first_seq`: later than 1 when its beginning was trimmed.
    pub fn from_seq(first_seq: u64) -> Self {
        let from_the_start = first_seq <= 1;
        let last = Some((first_seq.max(1) - 1, Instant::from_unix_ms(i64::MIN)));
        Self { from_the_start, last, tolerated: SILENCE_TOLERATED, ..Self::default() }
    }

    /// The same, with another time that an alarm may come late.
    pub fn tolerating(self, tolerated: Span) -> Self {
        Self { tolerated, ..self }
    }

    /// The seq that must come next.
    pub fn expected(&self) -> u64 {
        self.last.map_or(1, |(seq, _)| seq + 1)
    }

    /// Whether the log was told from its first event.
    pub fn complete(&self) -> bool {
        self.from_the_start
    }

    /// The instant of the last event; `None` before the first.
    pub fn last_at(&self) -> Option<Instant> {
        self.latest
    }

    /// From when on the log is known; none when it was told from its first event.
    pub fn known_from(&self) -> Option<Instant> {
        self.first.filter(|_| !self.from_the_start)
    }

    /// Tells one entry of the log: its own words about itself, and its event, or why that cannot be read.
    pub fn entry(&mut self, seq: u64, command_id: CommandId, at: Instant, event: Result<&Event, String>) {
        self.place(seq, at);
        self.events += 1;
        if !self.commands.insert(command_id) {
            self.point(seq, at, Kind::Repeated, 1, "log", format!("command {command_id} took effect twice"));
        }
        match event {
            Ok(event) if (event.command_id, event.at) != (command_id, at) => {
                self.point(seq, at, Kind::Unfit, 1, "log", "the event is another command's".to_owned());
            }
            Ok(event) => self.tell(seq, event),
            Err(why) => self.point(seq, at, Kind::Unreadable, 1, "log", why),
        }
        self.last = Some((seq, at));
        self.latest = self.latest.max(Some(at));
        self.first = self.first.or(Some(at));
    }

    fn place(&mut self, seq: u64, at: Instant) {
        let expected = self.expected();
        if seq != expected {
            let began = self.latest.unwrap_or(at);
            let problem = format!("missing from the log, which goes on with {seq}");
            self.findings.push(Finding::gap(expected, seq, problem, began, at));
        }
        if self.latest.is_some_and(|latest| at + TOGETHER < latest) {
            self.point(seq, at, Kind::Unfit, 1, "log", "time went back".to_owned());
        }
    }

    fn point(&mut self, seq: u64, at: Instant, kind: Kind, rule: u8, what: &str, problem: String) {
        self.findings.push(Finding::new(kind, rule, what.to_owned(), problem, (seq, seq), at).until(at));
    }

    fn tell(&mut self, seq: u64, event: &Event) {
        let known = event.case.is_none_or(|id| self.records.cases.contains_key(&id));
        let opens = event.facts.iter().any(|fact| matches!(fact, Fact::Opened(_)));
        if !known && !opens && !self.from_the_start {
            self.not_judged.extend(event.case);
        }
        let unknown = event.case.is_some_and(|id| self.not_judged.contains(&id));
        if !unknown {
            for (rule, what, problem) in follows::faults(&self.records, event, self.from_the_start) {
                self.point(seq, event.at, Kind::of(rule, problem), rule, &what, problem.to_owned());
            }
        }
        let old = event.case.and_then(|id| self.records.cases.get(&id)).cloned();
        let mut touched = Touched::default();
        self.neighbours(event, &mut touched);
        apply(&mut self.records, event);
        self.slots(seq, event);
        self.holders(seq, event);
        if let Some(new) = event.case.and_then(|id| self.records.cases.get(&id)).cloned() {
            self.history(seq, event.at, old.as_deref(), &new);
            self.crossings.note(seq, event.at, &new);
        }
        self.archived.extend(event.case.filter(|_| event.facts.contains(&Fact::CaseArchived)));
        self.neighbours(event, &mut touched);
        self.state(seq, event.at, &touched);
    }

    /// What one event changed that it may not change, and how long its actions had waited.
    fn history(&mut self, seq: u64, at: Instant, old: Option<&Case>, new: &Case) {
        let broken = old.map(|old| invariants::broken_history(old, new)).unwrap_or_default();
        for violation in broken {
            let kind = Kind::of(violation.rule, violation.problem);
            self.point(seq, at, kind, violation.rule, &violation.what, violation.problem.to_owned());
        }
        for (deadline, since) in old.map(|old| waited(old, new)).unwrap_or_default() {
            self.silence(new.id, deadline.max(since), at, seq);
        }
    }

    fn silence(&mut self, case: CaseId, from: Instant, to: Instant, seq: u64) {
        let span = to.since(from);
        self.silent = self.silent + span;
        self.longest_silence = self.longest_silence.max(span);
        if span > self.tolerated {
            let problem = format!("a deadline passed {} s before anybody was told", (span.ms() + 999) / 1_000);
            let finding = Finding::new(Kind::Silent, 2, format!("case {case}"), problem, (seq, seq), from);
            self.findings.push(finding.until(to));
        }
    }

    /// Who is bound to a slot, whatever its own record says: from the second hold or booking to the end of one.
    fn slots(&mut self, seq: u64, event: &Event) {
        for fact in &event.facts {
            if let Fact::SlotArchived { slot } = fact {
                self.bound.remove(slot);
            }
            let (Fact::SlotHeld { slot, .. } | Fact::SlotBooked { slot, .. } | Fact::SlotFreed { slot }) = fact else {
                continue;
            };
            let Some(case) = event.case else { continue };
            self.lapse(*slot, seq, event.at);
            let bound = self.bound.entry(*slot).or_default();
            let (its_own, until) = (bound.tell(case, fact, event.at), bound.twice_until());
            if !its_own {
                self.point(seq, event.at, Kind::Slot, 4, &format!("slot {slot}"), "freed by another case".to_owned());
            }
            self.holds(two_cases(*slot), until.is_some_and(|until| until > event.at), Kind::Slot, seq, event.at);
        }
    }

    /// A slot that two had until a hold of one ran out, which nothing says in the log.
    fn lapse(&mut self, slot: SlotId, seq: u64, now: Instant) {
        let until = self.bound.get(&slot).and_then(Bound::twice_until);
        if let Some(until) = until.filter(|until| *until <= now) {
            self.close(&two_cases(slot), seq, until);
        }
    }

    /// Who holds the case: from a second claim to the end of one.
    fn holders(&mut self, seq: u64, event: &Event) {
        let Some(case) = event.case else { return };
        for fact in &event.facts {
            match fact {
                Fact::Claimed { no, .. } => {
                    self.held.entry(case).or_default().insert(*no);
                }
                Fact::ClaimEnded { no } => {
                    self.held.get_mut(&case).map(|held| held.remove(no));
                }
                Fact::CaseArchived => drop(self.held.remove(&case)),
                _ => {}
            }
        }
        let two = self.held.get(&case).is_some_and(|held| held.len() > 1);
        let key = (format!("case {case}"), 3, TWO_HOLDERS.to_owned());
        if two || self.open.contains_key(&key) {
            self.holds(key, two, Kind::Holders, seq, event.at);
        }
    }

    /// The records that an event names and those that these are bound to: what it may have broken between them.
    fn neighbours(&self, event: &Event, near: &mut Touched) {
        near.cases.extend(event.case);
        for fact in &event.facts {
            near.shifts.extend(follows::shift_of(fact));
            let Some(id) = follows::slot_of(fact) else { continue };
            near.slots.insert(id);
            near.cases.extend(self.records.slots.get(&id).and_then(|slot| follows::bound_case(&slot.state)));
            near.cases.extend(self.bound.get(&id).into_iter().flat_map(Bound::cases));
        }
    }

    /// Begins and ends what is so between records that are near each other.
    fn state(&mut self, seq: u64, at: Instant, touched: &Touched) {
        let near = touched.now(&self.records);
        let found = invariants::violations(&near);
        let now: BTreeSet<Key> =
            found.iter().map(|broken| (broken.what.clone(), broken.rule, broken.problem.to_owned())).collect();
        let names = touched.names();
        let over: Vec<Key> = self
            .open
            .keys()
            .filter(|key| names.contains(&key.0) && key.2 != TWO_CASES && key.2 != TWO_HOLDERS)
            .cloned()
            .collect();
        over.into_iter().filter(|key| !now.contains(key)).for_each(|key| self.close(&key, seq, at));
        for violation in found {
            let kind = Kind::of(violation.rule, violation.problem);
            self.holds((violation.what, violation.rule, violation.problem.to_owned()), true, kind, seq, at);
        }
    }

    fn holds(&mut self, key: Key, so: bool, kind: Kind, seq: u64, at: Instant) {
        if !so {
            return self.close(&key, seq, at);
        }
        let (what, rule, problem) = key.clone();
        self.open.entry(key).or_insert_with(|| Finding::new(kind, rule, what, problem, (seq, seq), at));
    }

    fn close(&mut self, key: &Key, seq: u64, at: Instant) {
        if let Some(mut finding) = self.open.remove(key) {
            finding.seqs.1 = seq;
            self.findings.push(finding.until(at));
        }
    }

    /// The last look, at `now`: what still is so, and which deadlines passed in silence until now.
    pub fn end(&mut self, now: Instant) {
        let seq = self.expected() - 1;
        let slots: Vec<SlotId> = self.bound.keys().copied().collect();
        slots.into_iter().for_each(|slot| self.lapse(slot, seq, now));
        for violation in invariants::violations(&self.records) {
            let kind = Kind::of(violation.rule, violation.problem);
            let at = self.latest.unwrap_or(now);
            self.holds((violation.what, violation.rule, violation.problem.to_owned()), true, kind, seq, at);
        }
        let cases: Vec<Arc<Case>> = self.records.cases.values().cloned().collect();
        cases.iter().for_each(|case| self.still_silent(case, now, seq));
        let open = std::mem::take(&mut self.open);
        self.findings.extend(open.into_values());
        self.findings.sort_by(|a, b| (a.seqs, a.from, &a.what).cmp(&(b.seqs, b.from, &b.what)));
    }

    /// The open actions of `case` whose deadline had passed unsaid at `now`.
    pub fn still_silent(&mut self, case: &Case, now: Instant, seq: u64) {
        let late = case.open_actions().filter(|action| action.alarmed().is_none());
        for action in late.filter(|action| action.deadline < now) {
            self.silence(case.id, action.deadline.max(action.opened), now, seq);
        }
    }
}

fn two_cases(slot: SlotId) -> Key {
    (format!("slot {slot}"), 4, TWO_CASES.to_owned())
}

/// Names of records.
#[derive(Default)]
struct Touched {
    cases: BTreeSet<CaseId>,
    slots: BTreeSet<SlotId>,
    shifts: BTreeSet<ShiftId>,
}

impl Touched {
    /// The same records as they are in `records` now; those that are gone are left out.
    fn now(&self, records: &Records) -> Records {
        let mut now = Records::default();
        now.cases.extend(self.cases.iter().filter_map(|id| Some((*id, records.cases.get(id)?.clone()))));
        now.slots.extend(self.slots.iter().filter_map(|id| Some((*id, records.slots.get(id)?.clone()))));
        now.shifts.extend(self.shifts.iter().filter_map(|id| Some((*id, records.shifts.get(id)?.clone()))));
        now
    }

    /// How findings call them.
    fn names(&self) -> BTreeSet<String> {
        let cases = self.cases.iter().map(|id| format!("case {id}"));
        let slots = self.slots.iter().map(|id| format!("slot {id}"));
        let shifts = self.shifts.iter().map(|id| format!("shift {id}"));
        cases.chain(slots).chain(shifts).collect()
    }
}

/// Deadline and beginning of the actions without an alarm that this event alarmed, moved or ended.
fn waited(old: &Case, new: &Case) -> Vec<(Instant, Instant)> {
    let state = |action: &Action| (action.state.clone(), action.deadline);
    let waited = old.open_actions().filter(|action| action.alarmed().is_none());
    let changed = waited.filter(|action| new.action(action.id).map(state) != Some(state(action)));
    changed.map(|action| (action.deadline, action.opened)).collect()
}

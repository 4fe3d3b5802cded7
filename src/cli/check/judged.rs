//! One territory's history, told and judged.

use std::collections::BTreeMap;

use crate::{
    archive::{Content, Header, history::History},
    domain::{
        case::{
            Records, invariants,
            replay::{Finding, Replay, border},
        },
        ids::TerritoryId,
        time::{Instant, Span},
    },
    engine::{
        Fault, Stated,
        codec::{self, Entity},
    },
    store::{Key, Record, dump::Row},
};

/// An epoch and a seq in it.
type Place = (u64, u64);

/// What the files say of one territory.
#[derive(Default)]
pub(super) struct Told {
    history: History,
    /// The newest whole state; none when the files have only logs.
    state: Option<State>,
    /// The least seq with which an export says that its log begins, and the greatest place at which one says it stood.
    first_seq: Option<u64>,
    reaches: Place,
    /// The last instant the store used: what had not been alarmed then was silent.
    until: Option<Instant>,
}

/// A whole state as a file has it.
struct State {
    /// The epoch and seq it is of.
    at: Place,
    records: BTreeMap<Key, Record>,
    /// In what its rows do not fit each other.
    faults: Vec<Fault>,
}

/// What was found in one territory.
pub(super) struct Judged {
    pub territory: TerritoryId,
    pub events: u64,
    pub first_seq: u64,
    pub last_seq: u64,
    /// Cases that the log told of, those in the archive too.
    pub cases: usize,
    pub until: Instant,
    /// Cases whose beginning lies before the first event.
    pub not_judged: usize,
    /// Whether the records at the end were compared.
    pub stored: Stored,
    pub findings: Vec<Finding>,
    /// Deadlines that had passed before anybody was told: how long in all, the longest, and what is no finding.
    pub silent: Span,
    pub longest_silence: Span,
    pub tolerated: Span,
    /// Entries of a history that a later epoch has overtaken: they were lost.
    pub overtaken: usize,
    /// What it tells of hand-overs to and from other territories.
    pub log: border::Log,
}

/// What became of the stored records.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// They were compared with what the log tells.
    Compared,
    /// No file has them.
    Absent,
    /// Those of the files are as they were at this seq, which the log has left behind.
    Older(u64),
}

impl Told {
    pub fn add(&mut self, header: &Header, rows: Vec<Row>) {
        let stood = (header.epoch, header.last_seq);
        if header.content == Content::State && self.state.as_ref().is_none_or(|state| state.at <= stood) {
            let mut stated = Stated::of(header.territory.clone());
            // What the log tells is compared below, as far as it reaches.
            rows.iter().filter(|row| !matches!(row, Row::Log(_))).for_each(|row| stated.row(row));
            let records = rows.iter().filter_map(|row| match row {
                Row::Record(key, record) => Some((key.clone(), record.clone())),
                _ => None,
            });
            self.state = Some(State { at: stood, records: records.collect(), faults: stated.faults() });
        }
        if header.content != Content::Archive {
            self.until = self.until.max(Some(header.last));
            self.first_seq = Some(self.first_seq.map_or(header.first_seq, |first| first.min(header.first_seq)));
            self.reaches = self.reaches.max(stood);
        }
        self.history.add(header, rows);
    }

    /// Entries that an export says it holds and does not: before the first that is known, and after the last.
    fn gaps(&self, last_at: Instant, until: Instant) -> Vec<Finding> {
        let (mut gaps, first) = (Vec::new(), self.history.entries().next());
        let said = self.first_seq.unwrap_or(1);
        if let Some(entry) = first.filter(|entry| said < entry.seq && self.first_seq.is_some()) {
            let problem =
                format!("missing from the log, which begins with {} though its export says {said}", entry.seq);
            gaps.push(Finding::gap(said, entry.seq, problem, entry.at, entry.at));
        }
        let (epoch, last) = self.history.last();
        let (stood, head) = self.reaches;
        // A history that a later epoch has overtaken went further, and is no longer asked for.
        if head > last && stood >= epoch {
            let next = if first.is_some() { last + 1 } else { said.min(head) };
            let problem = format!("missing from the log, which ends there though its export says {head}");
            gaps.push(Finding::gap(next, head, problem, last_at, until));
        }
        gaps
    }
}

pub(super) fn judge(territory: TerritoryId, told: Told, tolerated: Span) -> Judged {
    let (known, last) = (told.history.entries().next().map(|entry| entry.seq), told.history.last());
    let first_seq = known.or(told.first_seq).unwrap_or(1);
    let mut replay = Replay::from_seq(first_seq).tolerating(tolerated);
    for entry in told.history.entries() {
        let event = codec::decode_event(&entry.event);
        let read = event.as_ref().map_err(ToString::to_string);
        replay.entry(entry.seq, entry.command_id, entry.at, read);
    }
    let last_at = replay.last_at();
    let until = told.until.max(last_at).unwrap_or(Instant::from_unix_ms(0));
    let gaps = told.gaps(last_at.unwrap_or(until), until);
    // Records that are ahead of the log show what is missing at its end; older ones, or those of a lost history, say nothing.
    let beyond = |(epoch, seq): Place| seq == last.1 || seq > last.1 && epoch >= last.0;
    let (stored, mut differences) = match &told.state {
        None => (Stored::Absent, Vec::new()),
        Some(state) if beyond(state.at) => (Stored::Compared, compare(&mut replay, &state.records, state.at.1, until)),
        Some(state) => (Stored::Older(state.at.1), Vec::new()),
    };
    if let Some(State { at, faults, .. }) = told.state {
        differences.extend(faults.into_iter().map(|fault| Finding::stored(fault.what, fault.problem, at.1, until)));
    }
    replay.end(until);
    let mut findings = std::mem::take(&mut replay.findings);
    findings.extend(gaps);
    let overtaken = told.history.overtaken().len();
    for seq in told.history.contradictions {
        let problem = "two files tell it differently".to_owned();
        findings.push(Finding::stored(format!("seq {seq}"), problem, seq, until));
    }
    findings.extend(differences);
    let log = border::Log { from: replay.known_from(), until, crossings: std::mem::take(&mut replay.crossings) };
    Judged {
        territory,
        events: replay.events,
        first_seq,
        last_seq: replay.expected() - 1,
        cases: replay.records.cases.len() + replay.archived.len(),
        until,
        not_judged: replay.not_judged.len(),
        stored,
        findings,
        silent: replay.silent,
        longest_silence: replay.longest_silence,
        tolerated,
        overtaken,
        log,
    }
}

/// The records of a whole state against what the log told; of cases that it could not tell, the records alone.
fn compare(replay: &mut Replay, stored: &BTreeMap<Key, Record>, seq: u64, until: Instant) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut lost = told(&replay.records);
    // Where readers stand and who restored a backup is no part of the log.
    for (key, record) in stored.iter().filter(|(key, _)| codec::is_entity(key.as_str())) {
        let mut differs = |problem: &str| {
            findings.push(Finding::stored(key.to_string(), problem.to_owned(), seq, until));
        };
        // One that cannot be read is a fault of the state's own rows.
        let Ok(entity) = codec::decode(key.as_str(), &record.value) else {
            lost.remove(key);
            continue;
        };
        match lost.remove(key) {
            Some(known) if known.clone().comparable() == entity.clone().comparable() => {}
            Some(_) => differs("what is stored is not what the log tells"),
            None if replay.complete() => differs("it is stored and the log does not tell of it"),
            None => alone(replay, &entity, seq, until, &mut findings),
        }
    }
    let missing = "the log tells of it and it is not stored";
    findings.extend(lost.into_keys().map(|key| Finding::stored(key.to_string(), missing.to_owned(), seq, until)));
    findings
}

/// A record whose beginning the log does not have: what can be seen of it at the end.
fn alone(replay: &mut Replay, entity: &Entity, seq: u64, until: Instant, findings: &mut Vec<Finding>) {
    let Entity::Case(case) = entity else { return };
    replay.not_judged.insert(case.id);
    replay.still_silent(case, until, seq);
    for violation in invariants::of_one_case(case) {
        let problem = format!("rule {}: {}", violation.rule, violation.problem);
        findings.push(Finding::stored(violation.what, problem, seq, until));
    }
}

fn told(records: &Records) -> BTreeMap<Key, Entity> {
    let cases = records.cases.values().map(|case| (Key::case(case.id), Entity::Case(case.clone())));
    let slots = records.slots.values().map(|slot| (Key::slot(slot.id), Entity::Slot(slot.clone())));
    let shifts = records.shifts.values().map(|shift| (Key::shift(shift.id), Entity::Shift(shift.clone())));
    let room = records.room.iter().map(|room| (Key::room(), Entity::Room(room.clone())));
    let sheets = records.sheets.values().map(|sheet| (Key::sheet(sheet.id), Entity::Sheet(Box::new(sheet.clone()))));
    cases.chain(slots).chain(shifts).chain(room).chain(sheets).collect()
}

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
        time::Instant,
    },
    engine::codec::{self, Entity},
    store::{Key, Record, dump::Row},
};

/// What the files say of one territory.
#[derive(Default)]
pub(super) struct Told {
    history: History,
    /// The records as they were at the seq of a whole state; none when the files have only logs.
    state: Option<(u64, BTreeMap<Key, Record>)>,
    /// The last instant the store used: what had not been alarmed then was silent.
    until: Option<Instant>,
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
    pub compared: bool,
    pub findings: Vec<Finding>,
    /// What it tells of hand-overs to and from other territories.
    pub log: border::Log,
}

impl Told {
    pub fn add(&mut self, header: &Header, rows: Vec<Row>) {
        if header.content == Content::State && self.state.as_ref().is_none_or(|(seq, _)| *seq <= header.last_seq) {
            let records = rows.iter().filter_map(|row| match row {
                Row::Record(key, record) => Some((key.clone(), record.clone())),
                _ => None,
            });
            self.state = Some((header.last_seq, records.collect()));
        }
        if header.content != Content::Archive {
            self.until = self.until.max(Some(header.last));
        }
        self.history.add(header, rows);
    }
}

pub(super) fn judge(territory: TerritoryId, told: Told) -> Judged {
    let first_seq = told.history.entries().next().map_or(1, |entry| entry.seq);
    let mut replay = Replay::from_seq(first_seq);
    for entry in told.history.entries() {
        let event = codec::decode_event(&entry.event);
        let read = event.as_ref().map_err(ToString::to_string);
        replay.entry(entry.seq, entry.command_id, entry.at, read);
    }
    let last_at = replay.last_at();
    let until = told.until.max(last_at).unwrap_or(Instant::from_unix_ms(0));
    let last_seq = told.history.last_seq();
    let state = told.state.filter(|(seq, _)| *seq == last_seq || last_seq == 0);
    let compared = state.is_some();
    let stored = state.map(|(_, records)| compare(&mut replay, &records, last_seq, until)).unwrap_or_default();
    replay.end(until);
    let mut findings = std::mem::take(&mut replay.findings);
    for seq in told.history.contradictions {
        let problem = "two files tell it differently".to_owned();
        findings.push(Finding::stored(format!("seq {seq}"), problem, seq, until));
    }
    findings.extend(stored);
    let log = border::Log { from: replay.known_from(), until, crossings: std::mem::take(&mut replay.crossings) };
    Judged {
        territory,
        events: replay.events,
        first_seq,
        last_seq,
        cases: replay.records.cases.len() + replay.archived.len(),
        until,
        not_judged: replay.not_judged.len(),
        compared,
        findings,
        log,
    }
}

/// The records of a whole state against what the log told; of cases that it could not tell, the records alone.
fn compare(replay: &mut Replay, stored: &BTreeMap<Key, Record>, seq: u64, until: Instant) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut lost = told(&replay.records);
    // Where readers stand and who restored a backup is no part of the log.
    let told_of = |key: &Key| ["case/", "slot/", "shift/", "room"].iter().any(|kind| key.as_str().starts_with(kind));
    for (key, record) in stored.iter().filter(|(key, _)| told_of(key)) {
        let mut differs = |problem: &str| {
            findings.push(Finding::stored(key.to_string(), problem.to_owned(), seq, until));
        };
        let entity = match codec::decode(key.as_str(), &record.value) {
            Ok(entity) => entity,
            Err(error) => {
                differs(&error.to_string());
                continue;
            }
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

//! The checker: replays the whole log of a territory and compares what it tells with what is stored.
//!
//! Every event must stand in the log once and without a gap, fold into the records, and break no rule of design.md §3
//! on the way; at the end the stored records and every index entry derived from them must be those that the log tells.
//! It reads only, and may run beside a working service: what is written after its beginning is not judged.

mod stored;

use std::collections::BTreeSet;

use crate::{
    domain::{
        case::replay::{Finding, Kind, Replay},
        ids::TerritoryId,
        time::{Instant, Span},
    },
    store::{Index, LogEntry, MAX_PAGE},
};

use super::{Engine, Failure, act, codec::Entity, indexes};

/// Most violations that a report names; the rest is counted.
const MOST_NAMED: usize = 200;

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
    /// The first event that could be told: later than 1 when the log was trimmed and no archive is at hand.
    pub from_seq: u64,
    /// Cases whose beginning lies before it: only their records were not read.
    pub not_judged: usize,
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
        let basis = indexes::Basis { lookup: &self.0.lookup, lease: place.territory.regulation.lease };
        let head = self.0.store.read(territory, &[], None).await?.seq;
        let first = self.0.store.log(territory, 0, 1).await?.first().map_or(1, |entry| entry.seq);
        let archived = self.archived_before(territory, first).await?;
        let from_seq = archived.first().map_or(first, |entry| entry.seq);
        let mut telling = Telling::new(territory.clone(), from_seq);
        archived.iter().for_each(|entry| telling.entry(entry, basis));
        while telling.told.expected() <= head {
            let page = self.0.store.log(territory, telling.told.expected() - 1, MAX_PAGE).await?;
            let upto = page.iter().filter(|entry| entry.seq <= head);
            if upto.clone().next().is_none() {
                let expected = telling.told.expected();
                telling.report.add(format!("the log ends before seq {expected}: the head is {head}"));
                break;
            }
            upto.for_each(|entry| telling.entry(entry, basis));
        }
        telling.end(self.now());
        self.compare(territory, head, &mut telling, basis).await?;
        Ok(telling.report)
    }
}

/// A log on its way into a report.
struct Telling {
    report: Report,
    told: Replay,
    /// Every index that ever had an entry: one that should be empty now is read as well.
    indexes: BTreeSet<Index>,
}

impl Telling {
    fn new(territory: TerritoryId, from_seq: u64) -> Self {
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
            from_seq,
            not_judged: 0,
        };
        Self { report, told: Replay::from_seq(from_seq), indexes: BTreeSet::new() }
    }

    /// True when the log was told from its first event: then nothing may be stored that it does not tell of.
    fn complete(&self) -> bool {
        self.report.from_seq <= 1
    }

    fn entry(&mut self, entry: &LogEntry, basis: indexes::Basis<'_>) {
        let event = act::event(entry);
        let read = event.as_ref().map_err(ToString::to_string);
        self.told.entry(entry.seq, entry.command_id, entry.at, read);
        let case = event.ok().and_then(|event| event.case).and_then(|id| self.told.records.cases.get(&id));
        if let Some(case) = case {
            let entries = indexes::entries(&Entity::Case(case.clone()), basis);
            self.indexes.extend(entries.into_keys().map(|(index, _)| index));
        }
    }

    /// The last look at what the log tells, at `now`.
    fn end(&mut self, now: Instant) {
        self.told.end(now);
        self.told.findings.iter().for_each(|finding| self.report.add(line(finding)));
        self.report.events = self.told.events;
        self.report.cases = self.told.records.cases.len();
        self.report.supply = self.told.records.slots.len() + self.told.records.shifts.len();
        self.report.silent = self.told.silent;
        self.report.longest_silence = self.told.longest_silence;
        self.report.not_judged = self.told.not_judged.len();
    }
}

fn line(finding: &Finding) -> String {
    let Finding { kind, rule, what, problem, seqs, .. } = finding;
    match kind {
        Kind::Gap => format!("{what}: rule {rule}: {problem}"),
        _ => format!("seq {}: {what}: rule {rule}: {problem}", seqs.0),
    }
}

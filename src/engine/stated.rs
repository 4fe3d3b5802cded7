//! A territory as a file tells it, row by row: whether its index entries and counters are those that its records make. What is
//! missing from a queue is a call that nobody is asked to take, and a counter that is behind gives a case number twice.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    domain::{
        calendar::local_date,
        case::{Case, Fact},
        ids::{CaseId, TerritoryId},
        territory::{LeaseSpans, Territory},
        time::Span,
    },
    store::{Counter, Index, Key, LogEntry, Member, Record, Score, dump::Row},
};

use super::{
    codec::{self, Entity},
    indexes::{Basis, entries},
    repeat::LookupKey,
};

/// Where an entry stands, and how often: a keyed hash is left out of an index's name, since the file does not have the key.
type Place = (Index, Member);

/// The rows told so far.
#[derive(Debug)]
pub struct Stated {
    territory: TerritoryId,
    /// Hashes with it only have to differ from each other.
    lookup: LookupKey,
    /// What the records make, each with its record: as often with this score as it is listed.
    made: BTreeMap<Place, (Key, Vec<Score>)>,
    found: BTreeMap<Place, Vec<Score>>,
    /// The greatest number that a record has of each counter, and the numbers of each.
    numbers: BTreeMap<Counter, BTreeSet<u64>>,
    counters: BTreeMap<Counter, u64>,
    /// The cases that the log opened and that have not left for the archive.
    opened: BTreeSet<CaseId>,
    records: BTreeSet<CaseId>,
    faults: Vec<Fault>,
}

/// Something in which the rows do not fit each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The name of a record, an index or a counter.
    pub what: String,
    /// What is wrong with it, in words; ids only.
    pub problem: String,
    /// Whether somebody would not be asked to act, or a case number be given twice, if a service worked on it.
    pub loses: bool,
}

impl Stated {
    /// Nothing yet of `territory`.
    pub fn of(territory: TerritoryId) -> Self {
        Self {
            territory,
            lookup: LookupKey::new(*b"rows against rows"),
            made: BTreeMap::new(),
            found: BTreeMap::new(),
            numbers: BTreeMap::new(),
            counters: BTreeMap::new(),
            opened: BTreeSet::new(),
            records: BTreeSet::new(),
            faults: Vec::new(),
        }
    }

    /// Tells a row, in any order.
    pub fn row(&mut self, row: &Row) {
        match row {
            Row::Record(key, record) => self.record(key, record),
            Row::Entry(index, score, member) if *index != Index::cursors() => {
                self.found.entry((nameless(index), member.clone())).or_default().push(judged(index, member, *score));
            }
            Row::Counter(counter, value) => {
                self.counters.insert(counter.clone(), *value);
            }
            Row::Log(entry) => self.event(entry),
            Row::Entry(..) | Row::Receipt(_) => {}
        }
    }

    /// What cannot be read here is told by whoever tells the log.
    fn event(&mut self, entry: &LogEntry) {
        let Some((case, facts)) =
            codec::decode_event(&entry.event).ok().and_then(|event| Some((event.case?, event.facts)))
        else {
            return;
        };
        for fact in &facts {
            match fact {
                Fact::Opened(_) => drop(self.opened.insert(case)),
                Fact::CaseArchived => drop(self.opened.remove(&case)),
                _ => {}
            }
        }
    }

    fn record(&mut self, key: &Key, record: &Record) {
        if !codec::is_entity(key.as_str()) {
            return;
        }
        let entity = match codec::decode(key.as_str(), &record.value) {
            Ok(entity) => entity,
            Err(error) => return self.fault(key.as_str(), error.to_string(), true),
        };
        if let Entity::Case(case) = &entity {
            self.case(key, case, record.number);
        }
        // How long a suspect claim is left to its holder is configuration, which a file does not have.
        let none =
            LeaseSpans { lease: Span::ZERO, renew: Span::ZERO, suspect: Span::ZERO, suspect_on_call: Span::ZERO };
        let made = entries(&entity, Basis { lookup: &self.lookup, lease: none });
        for ((index, member), score) in made {
            self.make(key, &index, member, score);
        }
    }

    fn case(&mut self, key: &Key, case: &Case, number: Option<u64>) {
        self.records.insert(case.id);
        if case.territory != self.territory {
            self.fault(key.as_str(), format!("it is a case of {}", case.territory), true);
        }
        if case.in_hand() {
            self.make(key, &Index::leases(), Member::from(&case.id), 0);
        }
        if let (Some(number), Ok(territory)) = (number, Territory::from_law(&self.territory)) {
            let counter = Counter::case_number(local_date(territory.calendar.zone(), case.entered));
            if !self.numbers.entry(counter).or_default().insert(number) {
                self.fault(key.as_str(), format!("its number {number} is another case's of the same day too"), false);
            }
        }
    }

    fn make(&mut self, key: &Key, index: &Index, member: Member, score: Score) {
        let score = judged(index, &member, score);
        let (_, scores) = self.made.entry((nameless(index), member)).or_insert_with(|| (key.clone(), Vec::new()));
        scores.push(score);
    }

    fn fault(&mut self, what: &str, problem: String, loses: bool) {
        self.faults.push(Fault { what: what.to_owned(), problem, loses });
    }

    /// Everything that does not fit.
    pub fn faults(mut self) -> Vec<Fault> {
        for (place, (key, mut made)) in std::mem::take(&mut self.made) {
            let (index, mut found) = (&place.0, self.found.remove(&place).unwrap_or_default());
            made.sort_unstable();
            found.sort_unstable();
            if found.len() < made.len() {
                self.fault(key.as_str(), format!("its entry of index {index} is missing"), of_work(index));
            } else if found != made {
                self.fault(key.as_str(), format!("its entry of index {index} is not at its place"), of_work(index));
            }
        }
        let gone: Vec<CaseId> = self.opened.difference(&self.records).copied().collect();
        for case in gone {
            let problem = "the log tells of it and it is not stored".to_owned();
            self.fault(Key::case(case).as_str(), problem, true);
        }
        for (index, member) in std::mem::take(&mut self.found).into_keys() {
            self.fault(&format!("index {index}"), format!("no record makes its entry {}", member.0), false);
        }
        for (counter, given) in std::mem::take(&mut self.numbers) {
            let (last, value) = (given.last().copied(), self.counters.get(&counter).copied());
            if last > value {
                let (last, value) = (last.unwrap_or_default(), value.unwrap_or_default());
                let problem =
                    format!("it stands at {value}, and a case has number {last}: numbers would be given twice");
                self.fault(&format!("counter {counter}"), problem, true);
            }
        }
        self.faults
    }
}

/// An index by which work is found that waits or falls due.
fn of_work(index: &Index) -> bool {
    let rest = [
        Index::open(),
        Index::unanswered(),
        Index::handovers(),
        Index::transfers(),
        Index::timers(),
        Index::alarms(),
        Index::leases(),
        Index::offers(),
    ];
    index.is_queue() || rest.contains(index)
}

fn nameless(index: &Index) -> Index {
    let kind = index.as_str().split('/').next().filter(|kind| ["call", "repeat", "sheet-of"].contains(kind));
    kind.map_or_else(|| index.clone(), |kind| Index::from_stored(kind.to_owned()))
}

/// The score as far as it can be judged: renewals move a lease, and configuration the end of a suspect claim.
fn judged(index: &Index, member: &Member, score: Score) -> Score {
    let moves = *index == Index::leases() || *index == Index::timers() && member.0.starts_with("suspect/");
    if moves { 0 } else { score }
}

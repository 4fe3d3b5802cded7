//! One row of codes for each case.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;

use crate::domain::{
    calendar::local_date,
    case::{
        Event, Fact,
        sealed::{Identity, Words},
    },
    ids::{CaseId, DecisionId},
    regulation::{motives::Motive, need::CareLevel, qualification::Qualification},
};

use super::{Column, OTHER, UNKNOWN};
use crate::domain::indicators::projection::given_back;

/// The bands of an age: the first ages of those after the first, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bands(pub Vec<u32>);

impl Bands {
    /// The band of an age in whole years: `0-1`, `2-14`, `85+`.
    pub fn of(&self, years: u32) -> String {
        let from = self.0.iter().rev().find(|first| **first <= years).copied().unwrap_or(0);
        match self.0.iter().find(|first| **first > years) {
            Some(next) => format!("{from}-{}", next - 1),
            None => format!("{from}+"),
        }
    }
}

#[derive(Debug, Clone)]
struct Row {
    day: NaiveDate,
    claimed: bool,
    levels: Vec<(DecisionId, CareLevel)>,
    values: BTreeMap<Column, String>,
    /// What is said of each patient, by number: the row tells of the first.
    patients: BTreeMap<u32, BTreeMap<Column, String>>,
    /// Those entered by mistake.
    in_error: BTreeSet<u32>,
}

/// The cases of the days that are not written yet.
#[derive(Debug, Clone)]
pub struct Anonymous {
    zone: Tz,
    bands: Bands,
    rows: BTreeMap<CaseId, Row>,
    /// The last day that was let go.
    gone: Option<NaiveDate>,
}

impl Anonymous {
    /// None yet.
    pub fn new(zone: Tz, bands: Bands) -> Self {
        Self { zone, bands, rows: BTreeMap::new(), gone: None }
    }

    /// Takes in the next event.
    pub fn tell(&mut self, event: &Event) {
        let Some(id) = event.case else { return };
        for fact in &event.facts {
            if let Fact::Opened(opened) = fact {
                let day = local_date(self.zone, opened.arrived);
                // Entered from paper after its day was told: alone it would take the place of the whole day.
                if self.gone.is_some_and(|gone| day <= gone) {
                    continue;
                }
                let row = Row::on(day);
                self.rows.insert(id, row);
            }
            if let Some(row) = self.rows.get_mut(&id) {
                row.fact(fact);
            }
        }
        if event.facts.iter().any(given_back) {
            self.rows.remove(&id);
        }
        let Some(row) = self.rows.get_mut(&id) else { return };
        for words in &event.words {
            if let Words::Identity(identity) = words {
                row.patient(identity, &self.bands);
            }
        }
    }

    /// The rows of a day, each with the value of every column asked for.
    pub fn of(&self, day: NaiveDate, columns: &[Column]) -> Vec<Vec<String>> {
        let value = |row: &Row, column: &Column| row.value(*column).cloned().unwrap_or_else(|| UNKNOWN.to_owned());
        let rows = self.rows.values().filter(|row| row.day == day);
        rows.map(|row| columns.iter().map(|column| value(row, column)).collect()).collect()
    }

    /// The days it has cases of, in order.
    pub fn days(&self) -> Vec<NaiveDate> {
        let mut days: Vec<_> = self.rows.values().map(|row| row.day).collect();
        days.sort_unstable();
        days.dedup();
        days
    }

    /// Lets the cases of a day go, and those that come late for it or for a day before.
    pub fn forget(&mut self, day: NaiveDate) {
        self.gone = self.gone.max(Some(day));
        self.rows.retain(|_, row| row.day != day);
    }
}

impl Row {
    fn on(day: NaiveDate) -> Self {
        let (levels, values, patients, in_error) = Default::default();
        Self { day, claimed: false, levels, values, patients, in_error }
    }

    fn value(&self, column: Column) -> Option<&String> {
        self.values.get(&column).or_else(|| self.patients.values().next()?.get(&column))
    }

    fn fact(&mut self, fact: &Fact) {
        match fact {
            Fact::PlaceSet(place) => {
                self.values.remove(&Column::Sector);
                self.values.extend(place.sector.as_ref().map(|sector| (Column::Sector, sector.to_string())));
            }
            Fact::PatientSet(patient) if patient.noted_in_error => {
                self.in_error.insert(patient.number);
                self.patients.remove(&patient.number);
            }
            Fact::PatientSet(patient) => drop(self.in_error.remove(&patient.number)),
            Fact::Qualified(qualification) => self.qualified(qualification),
            Fact::MotiveSet(code) => self.motive(code),
            Fact::Requeued { stream, priority, .. } if !self.claimed => {
                self.values.insert(Column::Stream, stream.code().to_owned());
                self.values.insert(Column::Priority, priority.code().to_owned());
            }
            Fact::Claimed { .. } => self.claimed = true,
            Fact::NeedSigned(decision) if decision.protocol.is_none() => {
                self.levels.push((decision.id, decision.need.level));
                if let Some(answer) = &decision.answer {
                    self.answered(decision.id, answer.care.code());
                }
            }
            Fact::AnswerSigned { decision, answer } => self.answered(*decision, answer.care.code()),
            _ => {}
        }
    }

    fn qualified(&mut self, known: &Qualification) {
        known.motive.iter().for_each(|code| self.motive(code));
        if !self.claimed {
            self.values.insert(Column::Stream, known.stream.code().to_owned());
            self.values.insert(Column::Priority, known.priority.code().to_owned());
        }
    }

    /// A code the national list lacks is kept as it came: it may be anything.
    fn motive(&mut self, code: &str) {
        let known = code.parse::<Motive>().is_ok_and(|motive| motive.is_known());
        self.values.insert(Column::Motive, if known { code } else { OTHER }.to_owned());
    }

    /// The first answer of a doctor; those after it answer what came back.
    fn answered(&mut self, decision: DecisionId, care: &str) {
        let Some((_, level)) = self.levels.iter().find(|(id, _)| *id == decision) else { return };
        if !self.values.contains_key(&Column::Decision) {
            self.values.insert(Column::Decision, care.to_owned());
            self.values.insert(Column::Level, level.code().to_owned());
        }
    }

    fn patient(&mut self, identity: &Identity, bands: &Bands) {
        if self.in_error.contains(&identity.number) {
            return;
        }
        let born: Option<NaiveDate> = identity.birth_date.reveal().parse().ok();
        let years = born.and_then(|born| age(born, self.day)).or(*identity.age_years.reveal());
        let age = years.map(|years| (Column::AgeBand, bands.of(years)));
        let sex = identity.sex.reveal().map(|sex| (Column::Sex, sex.code().to_owned()));
        // What is said of a patient replaces what was said before: an age may be taken back.
        self.patients.insert(identity.number, age.into_iter().chain(sex).collect());
    }
}

/// Whole years on a day; none when born later.
fn age(born: NaiveDate, day: NaiveDate) -> Option<u32> {
    let before_birthday = (day.month(), day.day()) < (born.month(), born.day());
    u32::try_from(day.year() - born.year() - i32::from(before_birthday)).ok()
}

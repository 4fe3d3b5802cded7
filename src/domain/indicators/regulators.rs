//! The report on independence: whether what one regulator decides goes to the responders of one affiliation more, or less,
//! often than what his colleagues decide.
//!
//! For each regulator, care type and affiliation: of his decisions of this care that a responder took, the share taken by
//! responders of this affiliation, beside the share among all other regulators together. And for each care type, its share
//! of all his decisions. Each row has Wilson's 95 % interval and Fisher's exact test against the others; Holm's correction
//! runs over all rows tested, so that the chance of a single wrong flag in a month's report stays below 5 %. A month at a
//! time: over more, whoever worked in another season would differ from the others by that alone. Rows with too few decisions on either side are shown, never tested. A flag says that a difference is not chance: not what causes it
//! (hours on duty, sectors), and not that it is wrong.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::Serialize;

use crate::domain::{ids::PersonId, regulation::need::CareType};

use super::{
    counts::ReceivedKey,
    figures::added,
    projection::Day,
    rules::Who,
    statistics::{fisher, holm, wilson},
};

/// What an adjusted p-value stays below in a row that is flagged.
pub const LEVEL: f64 = 0.05;

/// One regulator beside the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// Who, by the staff's id.
    pub regulator: PersonId,
    /// Which decisions.
    pub care: CareType,
    /// Taken by which affiliation; absent: the row is about the share of this care among all his decisions.
    pub receiver: Option<String>,
    /// The regulator gives care for this affiliation himself.
    pub own_affiliation: bool,
    /// How many of his.
    pub count: u64,
    /// Out of how many of his.
    pub of: u64,
    /// His share, 0 to 1.
    pub share: f64,
    /// Lower bound of its 95 % interval (Wilson).
    pub low: f64,
    /// Upper bound of its 95 % interval (Wilson).
    pub high: f64,
    /// The share among all other regulators together, 0 to 1.
    pub others_share: f64,
    /// Out of how many of theirs.
    pub others_of: u64,
    /// Holm-adjusted p-value; absent where there are too few decisions to test.
    pub p_adjusted: Option<f64>,
    /// His share differs from the others' beyond chance.
    pub flagged: bool,
}

/// The report over the days of each local month (`2024-12`).
pub fn compare_by_month(
    days: &BTreeMap<NaiveDate, Day>,
    minimum: u64,
    who: &dyn Who,
) -> BTreeMap<String, Vec<Compared>> {
    let mut months: BTreeMap<String, Vec<&Day>> = BTreeMap::new();
    for (date, day) in days {
        months.entry(date.format("%Y-%m").to_string()).or_default().push(day);
    }
    months.into_iter().map(|(month, days)| (month, compare(&added(days), minimum, who))).collect()
}

/// The report over all these days together; the rows tested need at least `minimum` decisions on either side.
pub fn compare(day: &Day, minimum: u64, who: &dyn Who) -> Vec<Compared> {
    let mut rows = Vec::new();
    let regulators: BTreeSet<&PersonId> = day.received.keys().map(|key| &key.regulator).collect();
    let table = Table::of(&day.received);
    for regulator in regulators {
        let own = who.own(regulator);
        for care in CareType::ALL {
            let cells = table.care_share(regulator, *care);
            rows.extend(row(regulator, *care, None, false, cells));
            for receiver in &table.receivers {
                let cells = table.received_share(regulator, *care, receiver);
                rows.extend(row(regulator, *care, Some(receiver.clone()), own.contains(receiver), cells));
            }
        }
    }
    flag(rows, minimum)
}

/// Counts of the regulator and of the others: (his, of his, theirs, of theirs).
type Cells = (u64, u64, u64, u64);

struct Table<'a> {
    received: &'a BTreeMap<ReceivedKey, u64>,
    receivers: BTreeSet<String>,
}

impl<'a> Table<'a> {
    fn of(received: &'a BTreeMap<ReceivedKey, u64>) -> Self {
        let receivers = received.keys().filter_map(|key| key.receiver.clone()).collect();
        Self { received, receivers }
    }

    fn care_share(&self, regulator: &PersonId, care: CareType) -> Cells {
        self.cells(regulator, |_| true, |key| key.care == care)
    }

    fn received_share(&self, regulator: &PersonId, care: CareType, receiver: &str) -> Cells {
        let taken = |key: &ReceivedKey| key.care == care && key.receiver.is_some();
        self.cells(regulator, taken, |key| key.receiver.as_deref() == Some(receiver))
    }

    fn cells(
        &self,
        regulator: &PersonId,
        counted: impl Fn(&ReceivedKey) -> bool,
        wanted: impl Fn(&ReceivedKey) -> bool,
    ) -> Cells {
        let mut cells = (0, 0, 0, 0);
        for (key, count) in self.received.iter().filter(|(key, _)| counted(key)) {
            let hit = if wanted(key) { *count } else { 0 };
            match key.regulator == *regulator {
                true => (cells.0, cells.1) = (cells.0 + hit, cells.1 + count),
                false => (cells.2, cells.3) = (cells.2 + hit, cells.3 + count),
            }
        }
        cells
    }
}

/// A row where anybody has decided so; one of which neither side has any says nothing.
fn row(regulator: &PersonId, care: CareType, receiver: Option<String>, own: bool, cells: Cells) -> Option<Compared> {
    let (count, of, theirs, others_of) = cells;
    if of == 0 || count + theirs == 0 {
        return None;
    }
    let (his, others) = (wilson(count, of), wilson(theirs, others_of));
    Some(Compared {
        regulator: regulator.clone(),
        care,
        receiver,
        own_affiliation: own,
        count,
        of,
        share: his.share,
        low: his.low,
        high: his.high,
        others_share: others.share,
        others_of,
        p_adjusted: Some(fisher(count, of, theirs, others_of)),
        flagged: false,
    })
}

/// Corrects the p-values of the rows that have enough decisions, and flags.
fn flag(mut rows: Vec<Compared>, minimum: u64) -> Vec<Compared> {
    for row in &mut rows {
        row.p_adjusted = row.p_adjusted.filter(|_| row.of >= minimum && row.others_of >= minimum);
    }
    let tested: Vec<f64> = rows.iter().filter_map(|row| row.p_adjusted).collect();
    let mut adjusted = holm(&tested).into_iter();
    for row in rows.iter_mut().filter(|row| row.p_adjusted.is_some()) {
        row.p_adjusted = adjusted.next();
        row.flagged = row.p_adjusted.is_some_and(|p| p < LEVEL);
    }
    rows
}

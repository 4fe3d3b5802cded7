//! A case as read: the record, its version, its number and its derived status.

use std::sync::Arc;

use chrono::Datelike;

use crate::{
    domain::{
        calendar::local_date,
        case::{
            Case,
            status::{Missing, Status, missing, stage},
        },
        ids::TerritoryId,
        time::Instant,
    },
    store::Version,
};

use super::{Place, codec::Entity, memory::Known};

/// A case as read.
#[derive(Debug, Clone)]
pub struct CaseView {
    /// The case.
    pub case: Arc<Case>,
    /// Its number among the cases of its day.
    pub number: Option<u64>,
    /// Its number as people and other systems write it.
    pub case_number: String,
    /// Its version.
    pub version: Version,
    /// Its national état.
    pub status: Status,
    /// What the file lacks to become valid.
    pub missing: Vec<Missing>,
}

impl CaseView {
    pub(super) fn new(place: &Place, known: &Known, now: Instant) -> Option<Self> {
        let Entity::Case(case) = known.entity.as_ref() else { return None };
        let date = local_date(place.territory.calendar.zone(), case.entered);
        let number = known.number.map(|number| case_number(&case.territory, date, number)).unwrap_or_default();
        let status = stage(case, now, Some(place.territory.regulation.archived_after));
        let (version, missing) = (known.version, missing(case));
        Some(Self { case: case.clone(), number: known.number, case_number: number, version, status, missing })
    }
}

/// `DRFR15`, département, a letter or the third overseas digit, year, day of the year, five digits of the day's sequence
/// (RS-RPIS; domain.md §2.6).
pub fn case_number(territory: &TerritoryId, date: chrono::NaiveDate, number: u64) -> String {
    let departement = territory.as_str().trim_start_matches("fr-").to_ascii_uppercase();
    let (year, day) = (date.year() % 100, date.ordinal());
    format!("DRFR15{departement:0<3}{year:02}{day:03}{number:05}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_follows_the_national_form() {
        let date = chrono::NaiveDate::from_ymd_opt(2024, 5, 22).expect("a date");
        assert_eq!(case_number(&"fr-44".parse().expect("an id"), date, 999), "DRFR154402414300999");
        assert_eq!(case_number(&"fr-974".parse().expect("an id"), date, 7), "DRFR159742414300007");
    }
}

//! A case as read: the record, its version, its number and its derived status.

use std::sync::Arc;

use crate::{
    domain::{
        calendar::local_date,
        case::{
            Case,
            status::{Missing, Status, missing, stage},
        },
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
        let form = case.number_form.clone().unwrap_or_default();
        let number = known.number.map(|number| form.write(&case.territory, date, number)).unwrap_or_default();
        let status = stage(case, now, Some(place.territory.regulation.archived_after));
        let (version, missing) = (known.version, missing(case));
        Some(Self { case: case.clone(), number: known.number, case_number: number, version, status, missing })
    }
}

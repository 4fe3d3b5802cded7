//! `communes.csv` and `sectors.csv`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::{
    csv::{Record, each_record},
    fault::FaultLog,
};
use crate::domain::{
    ids::{SectorId, TerritoryId},
    place::{InseeCode, Position},
    territory::{Commune, SectorAssignment, SectorBand},
};

/// The communes of a territory, and those whose line is at fault: what refers to them is no fault of its own.
#[derive(Default)]
pub(super) struct Communes {
    pub known: BTreeMap<InseeCode, Commune>,
    at_fault: BTreeSet<InseeCode>,
    /// The file as a whole could not be read.
    unread: bool,
}

impl Communes {
    /// Of a file that is not there.
    pub(super) fn unread() -> Self {
        Self { unread: true, ..Self::default() }
    }

    /// Whether the file lists `insee`, be it on a line at fault, or may list it.
    pub(super) fn mentions(&self, insee: InseeCode) -> bool {
        self.unread || self.known.contains_key(&insee) || self.at_fault.contains(&insee)
    }
}

/// Reads `communes.csv`.
pub(super) fn communes(file: &str, text: &str, id: &TerritoryId, log: &FaultLog) -> Communes {
    let mut communes = Communes::default();
    let read = each_record(file, text, &["insee", "name", "lat", "lon"], log, |record| {
        let found = if record.is_whole() { commune(record, id) } else { None };
        if let Some((insee, commune)) = found {
            if communes.known.insert(insee, commune).is_some() {
                record.fault(format!("insee: {insee} stands twice"));
            }
        } else if let Ok(insee) = record.text("insee").parse() {
            communes.at_fault.insert(insee);
        }
    });
    if read.is_err() { Communes::unread() } else { communes }
}

fn commune(record: &Record<'_>, id: &TerritoryId) -> Option<(InseeCode, Commune)> {
    let insee = record.value::<InseeCode>("insee").filter(|insee| {
        let ours = insee.territory() == *id;
        if !ours {
            record.fault(format!("insee: {insee} lies in {}, not in {id}", insee.territory()));
        }
        ours
    });
    let name = record.text("name");
    if name.is_empty() {
        record.fault("name: expected the commune's name");
    }
    let position = position(record);
    Some((insee?, Commune { name: name.to_owned(), position: position? }))
}

fn position(record: &Record<'_>) -> Option<Position> {
    let degrees = |column: &str, most: f64| {
        let value = record.value::<f64>(column)?;
        let legal = value.abs() <= most;
        if !legal {
            record.fault(format!("{column}: expected degrees from -{most} to {most}"));
        }
        legal.then_some(value)
    };
    let (lat, lon) = (degrees("lat", 90.0), degrees("lon", 180.0));
    Some(Position { lat: lat?, lon: lon? })
}

/// The sector assignments of a territory, checked against its communes and its named sectors.
pub(super) fn sectors(
    file: &str,
    text: &str,
    communes: &Communes,
    names: &BTreeMap<SectorId, String>,
    log: &FaultLog,
) -> BTreeMap<InseeCode, Vec<SectorAssignment>> {
    let mut assignments: BTreeMap<InseeCode, Vec<SectorAssignment>> = BTreeMap::new();
    let mut unnamed = BTreeSet::new();
    // A wrong head is among the faults, and nothing else refers to this file.
    let _ = each_record(file, text, &["insee", "sector", "band", "from", "to"], log, |record| {
        let Some((insee, assignment)) = record.is_whole().then(|| assignment(record)).flatten() else { return };
        if !communes.mentions(insee) {
            record.fault(format!("insee: {insee} is not in communes.csv"));
        }
        // Told once: one missing name may concern hundreds of communes.
        if !names.contains_key(&assignment.sector) && unnamed.insert(assignment.sector.clone()) {
            record.fault(format!("sector: '{}' has no name under [sectors] of territory.toml", assignment.sector));
        }
        let of_commune = assignments.entry(insee).or_default();
        if of_commune.iter().any(|other| other.overlaps(&assignment)) {
            record.fault(format!("{insee} has a sector for this band on these dates already"));
        }
        of_commune.push(assignment);
    });
    assignments
}

fn assignment(record: &Record<'_>) -> Option<(InseeCode, SectorAssignment)> {
    let insee = record.value::<InseeCode>("insee");
    let sector = record.value::<SectorId>("sector");
    let band = record.value::<SectorBand>("band");
    let from = date(record, "from");
    let to = if record.text("to").is_empty() { Some(None) } else { date(record, "to").map(Some) };
    let (from, to) = (from?, to?);
    if to.is_some_and(|to| to < from) {
        record.fault("to: must not lie before 'from'");
    }
    Some((insee?, SectorAssignment { sector: sector?, band: band?, from, to }))
}

fn date(record: &Record<'_>, column: &str) -> Option<NaiveDate> {
    let date = record.text(column).parse().ok();
    if date.is_none() {
        record.fault(format!("{column}: expected a date such as 2024-12-26"));
    }
    date
}

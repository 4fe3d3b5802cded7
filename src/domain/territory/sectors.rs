//! Sectors of permanence: which one a commune belongs to, by part of the day and by date.
//!
//! The ARS director fixes the limits (R6315-1 CSP); they may differ between the first and the second half of the night,
//! and change on a date.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::{
    coded_enum,
    domain::{
        calendar::{Band, Legal},
        ids::SectorId,
        place::InseeCode,
    },
};

coded_enum! {
    /// The part of the day a sector assignment holds for.
    SectorBand {
        /// Daytime and evening, until the deep night.
        FirstHalf = "FIRST_HALF", "journée et première partie de nuit";
        /// Deep night and early morning, until 08:00.
        SecondHalf = "SECOND_HALF", "deuxième partie de nuit";
    }
}

impl SectorBand {
    /// The half in which `legal` lies.
    pub fn of(legal: &Legal) -> Self {
        match legal.band {
            None | Some(Band::Evening) => Self::FirstHalf,
            Some(Band::DeepNight | Band::Early) => Self::SecondHalf,
        }
    }
}

/// A commune belongs to a sector for one half, from a date, until a date where one is stated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectorAssignment {
    /// Which sector.
    pub sector: SectorId,
    /// For which half.
    pub band: SectorBand,
    /// First local date.
    pub from: NaiveDate,
    /// Last local date, included; `None` while no end is known.
    pub to: Option<NaiveDate>,
}

impl SectorAssignment {
    /// Whether it holds on `date` for `band`.
    pub fn holds(&self, band: SectorBand, date: NaiveDate) -> bool {
        self.band == band && self.from <= date && self.to.is_none_or(|to| date <= to)
    }

    /// Whether both hold on some date for the same half: a fault of the configuration.
    pub fn overlaps(&self, other: &Self) -> bool {
        let before = |a: &Self, b: &Self| a.to.is_some_and(|to| to < b.from);
        self.band == other.band && !before(self, other) && !before(other, self)
    }
}

/// The sectors of a territory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sectors {
    /// French names.
    pub names: BTreeMap<SectorId, String>,
    /// The assignments of each commune.
    pub assignments: BTreeMap<InseeCode, Vec<SectorAssignment>>,
}

impl Sectors {
    /// The sector of `commune` on `date` for `band`.
    pub fn sector_of(&self, commune: InseeCode, band: SectorBand, date: NaiveDate) -> Option<&SectorId> {
        let of_commune = self.assignments.get(&commune)?;
        of_commune.iter().find(|assignment| assignment.holds(band, date)).map(|assignment| &assignment.sector)
    }
}

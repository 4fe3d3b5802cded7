//! In which order a territory tries its responders, and how long each is given.
//!
//! The national texts put the own GP first and fix no order after it; a home visit by SOS Médecins is no slot.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{calendar::Status, time::Span};

/// A kind of option of a route plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RouteCategory {
    /// The patient's own GP, or the collective practice that stands in for one.
    OwnGp,
    /// Another doctor of the own GP's practice.
    PracticeColleague,
    /// Another doctor of the own GP's CPTS.
    CptsColleague,
    /// A bookable slot of a professional of the SAS.
    SasSlot,
    /// A maison médicale de garde or a consultation point of SOS Médecins.
    FixedPoint,
    /// A doctor who drives to the patient.
    HomeVisit,
    /// A consultation by video with a doctor who does not know the patient.
    Teleconsultation,
}

impl RouteCategory {
    /// Every category, in the order of the national texts and then of usual practice.
    pub const ALL: [Self; 7] = [
        Self::OwnGp,
        Self::PracticeColleague,
        Self::CptsColleague,
        Self::SasSlot,
        Self::FixedPoint,
        Self::HomeVisit,
        Self::Teleconsultation,
    ];

    /// The name in configuration, in code and on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::OwnGp => "OWN_GP",
            Self::PracticeColleague => "PRACTICE_COLLEAGUE",
            Self::CptsColleague => "CPTS_COLLEAGUE",
            Self::SasSlot => "SAS_SLOT",
            Self::FixedPoint => "FIXED_POINT",
            Self::HomeVisit => "HOME_VISIT",
            Self::Teleconsultation => "TELECONSULTATION",
        }
    }

    /// The name on screens.
    pub fn french(self) -> &'static str {
        match self {
            Self::OwnGp => "médecin traitant",
            Self::PracticeColleague => "confrère du cabinet",
            Self::CptsColleague => "confrère de la CPTS",
            Self::SasSlot => "créneau SAS",
            Self::FixedPoint => "point fixe de garde",
            Self::HomeVisit => "visite à domicile",
            Self::Teleconsultation => "téléconsultation",
        }
    }

    /// The category of this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.code() == code)
    }
}

/// The order of search of one territory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutingPolicy {
    /// Categories tried in office hours, first one first. A category left out is not tried.
    pub office_hours: Vec<RouteCategory>,
    /// Categories tried while the permanence des soins runs.
    pub pdsa: Vec<RouteCategory>,
    /// Categories tried, at any hour, for a patient who must stay where he is.
    pub must_stay_home: Vec<RouteCategory>,
    /// How long an own GP or a colleague has to answer.
    pub gp_offer: Span,
    /// How long a slot is held for a patient who is being told.
    pub hold: Span,
    /// How long a visiting doctor has to answer.
    pub visit_offer: Span,
    /// Longest straight-line way in metres for the one who travels; no entry: no limit.
    pub max_distance_metres: BTreeMap<RouteCategory, u32>,
    /// Acts with the SNP supplement one doctor may have in a week (Monday to Sunday, local).
    pub weekly_snp_cap: u32,
}

impl Default for RoutingPolicy {
    fn default() -> Self {
        use RouteCategory::{
            CptsColleague, FixedPoint, HomeVisit, OwnGp, PracticeColleague, SasSlot, Teleconsultation,
        };
        Self {
            office_hours: RouteCategory::ALL.to_vec(),
            pdsa: vec![FixedPoint, SasSlot, HomeVisit, Teleconsultation],
            must_stay_home: vec![HomeVisit, OwnGp, Teleconsultation],
            gp_offer: Span::from_secs(600),
            hold: Span::from_secs(180),
            visit_offer: Span::from_secs(300),
            max_distance_metres: BTreeMap::from([
                (PracticeColleague, 30_000),
                (CptsColleague, 30_000),
                (SasSlot, 30_000),
                (FixedPoint, 40_000),
                (HomeVisit, 40_000),
            ]),
            weekly_snp_cap: 20,
        }
    }
}

impl RoutingPolicy {
    /// The categories to try, first one first.
    pub fn order(&self, status: Status, must_stay_home: bool) -> &[RouteCategory] {
        match (must_stay_home, status) {
            (true, _) => &self.must_stay_home,
            (false, Status::OfficeHours) => &self.office_hours,
            (false, Status::Pdsa) => &self.pdsa,
        }
    }

    /// The longest straight-line way in metres for a category, where one is set.
    pub fn max_distance(&self, category: RouteCategory) -> Option<u32> {
        self.max_distance_metres.get(&category).copied()
    }
}

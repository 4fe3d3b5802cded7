//! In which order a territory tries its responders, and how long each is given.
//!
//! The national texts put the own GP first and fix no order after it; a home visit by SOS Médecins is no slot.

use std::collections::BTreeMap;

use crate::{
    coded_enum,
    domain::{calendar::Status, time::Span},
};

coded_enum! {
    /// A kind of option of a route plan; listed in the order of the national texts and then of usual practice.
    RouteCategory {
        /// The patient's own GP, or the collective practice that stands in for one.
        OwnGp = "OWN_GP", "médecin traitant";
        /// Another doctor of the own GP's practice.
        PracticeColleague = "PRACTICE_COLLEAGUE", "confrère du cabinet";
        /// Another doctor of the own GP's CPTS.
        CptsColleague = "CPTS_COLLEAGUE", "confrère de la CPTS";
        /// A bookable slot of a professional of the SAS.
        SasSlot = "SAS_SLOT", "créneau SAS";
        /// A maison médicale de garde or a consultation point of SOS Médecins.
        FixedPoint = "FIXED_POINT", "point fixe de garde";
        /// A doctor who drives to the patient.
        HomeVisit = "HOME_VISIT", "visite à domicile";
        /// A consultation by video with a doctor who does not know the patient.
        Teleconsultation = "TELECONSULTATION", "téléconsultation";
    }
}

/// The order of search of one territory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutingPolicy {
    /// Categories tried in office hours, first one first. A category left out is not tried.
    pub office_hours: Vec<RouteCategory>,
    /// Categories tried while the permanence des soins runs.
    pub pdsa: Vec<RouteCategory>,
    /// Categories tried, at any hour, for a patient who must stay where he is; in office hours the own GP before them.
    pub must_stay_home: Vec<RouteCategory>,
    /// How long an own GP or a colleague has to answer.
    pub gp_offer: Span,
    /// How long a slot is held for a patient who is being told.
    pub hold: Span,
    /// How long a visiting doctor has to answer.
    pub visit_offer: Span,
    /// Longest straight-line way in metres for the one who travels; no entry: no limit.
    pub max_distance_metres: BTreeMap<RouteCategory, u32>,
    /// Acts with the SNP supplement one doctor may have in a week (Monday to Sunday, local): shown, never a refusal.
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
    /// The categories to try, first one first. In office hours the own GP is asked first also for a patient who must stay
    /// where he is: he may drive, or say who does.
    pub fn order(&self, status: Status, must_stay_home: bool) -> Vec<RouteCategory> {
        let mut order = match (must_stay_home, status) {
            (true, _) => self.must_stay_home.clone(),
            (false, Status::OfficeHours) => self.office_hours.clone(),
            (false, Status::Pdsa) => self.pdsa.clone(),
        };
        if must_stay_home && status == Status::OfficeHours {
            order.sort_by_key(|category| *category != RouteCategory::OwnGp);
        }
        order
    }

    /// What one more option needs to answer, whichever it is: what must be left of the delay for another to be asked.
    pub fn one_more(&self) -> Span {
        self.gp_offer.max(self.hold).max(self.visit_offer)
    }

    /// The longest straight-line way in metres for a category, where one is set.
    pub fn max_distance(&self, category: RouteCategory) -> Option<u32> {
        self.max_distance_metres.get(&category).copied()
    }
}

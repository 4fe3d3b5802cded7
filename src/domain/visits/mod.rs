//! Home visits and the shifts of the doctors who make them.
//!
//! Progress uses the national vehicle statuses (HubSante.statutVecteur; domain.md §2.5). A doctor's availability is said by
//! the doctor: a shift is opened by its owner, and silence accepts nothing.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    coded_enum,
    domain::{
        ids::{CaseId, DecisionId, OfferId, PersonId, ResponderId, SectorId, ShiftId, VisitId},
        place::Position,
        time::Instant,
    },
};

coded_enum! {
    /// Where a visit stands (HubSante.statutVecteur).
    VisitStatus {
        /// Decided; offered to the doctors on duty.
        Decided = "DECISION", "Décidée";
        /// A doctor has accepted.
        Dispatched = "DECLENCHE", "Acceptée";
        /// The doctor is on the way.
        EnRoute = "DEPART", "En route";
        /// Called off before the arrival.
        CalledOff = "ANNULE", "Annulée";
        /// The doctor is at the address.
        Arrived = "ARRIVEE", "Sur place";
        /// The doctor is with the patient.
        WithPatient = "PEC", "Auprès du patient";
        /// The care has ended.
        Finished = "FINPEC", "Terminée";
    }
}

impl VisitStatus {
    /// The one table of legal steps: what may follow `self`. Steps may be skipped forward (a terminal without network
    /// reports late), never repeated or taken back.
    pub fn may_become(self, next: VisitStatus) -> bool {
        use VisitStatus::{Arrived, CalledOff, Decided, Dispatched, EnRoute, Finished, WithPatient};
        match (self, next) {
            (Decided, Dispatched | CalledOff) => true,
            (Dispatched, EnRoute | Arrived | WithPatient | Finished | CalledOff) => true,
            (EnRoute, Arrived | WithPatient | Finished | CalledOff) => true,
            (Arrived, WithPatient | Finished) => true,
            (WithPatient, Finished) => true,
            (Decided | Dispatched | EnRoute | Arrived | WithPatient | CalledOff | Finished, _) => false,
        }
    }

    /// True when nothing follows.
    pub fn ended(self) -> bool {
        matches!(self, Self::CalledOff | Self::Finished)
    }
}

/// A home visit of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Its id.
    pub id: VisitId,
    /// The decision it carries out.
    pub decision: DecisionId,
    /// The offer it came from.
    pub offer: OfferId,
    /// The structure that gives it.
    pub responder: ResponderId,
    /// Where.
    pub sector: SectorId,
    /// By when the doctor must be there.
    pub due: Instant,
    /// Where it stands.
    pub status: VisitStatus,
    /// The doctor and shift that accepted.
    pub doctor: Option<(PersonId, ShiftId)>,
    /// Every status with its instant, in order.
    pub history: Vec<(VisitStatus, Instant)>,
}

impl Visit {
    /// Whether it is still to be made or was made: not called off.
    pub fn stands(&self) -> bool {
        self.status != VisitStatus::CalledOff
    }
}

/// What a doctor on duty is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ShiftState {
    /// Ready for a visit. Left by accepting one, or by the end.
    Free,
    /// On a visit. Left by its end.
    OnVisit {
        /// For which case.
        case: CaseId,
        /// Which visit.
        visit: VisitId,
    },
    /// Ended; final.
    Ended {
        /// When.
        at: Instant,
    },
}

/// A doctor's period on duty for a structure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// Its id.
    pub id: ShiftId,
    /// The doctor.
    pub doctor: PersonId,
    /// The structure.
    pub responder: ResponderId,
    /// Sectors served.
    pub sectors: Vec<SectorId>,
    /// From when.
    pub start: Instant,
    /// Until when (not included).
    pub end: Instant,
    /// When it was entered; absent on those entered by an earlier binary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<Instant>,
    /// Last known position and its instant.
    pub position: Option<(Position, Instant)>,
    /// What the doctor is doing.
    pub state: ShiftState,
    /// Fields of a newer binary, kept.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

impl Shift {
    /// True when the doctor may take a visit of `case` in `sector` at `now`: he is on none, or drives to another patient of
    /// the same case already.
    pub fn ready_for(&self, case: CaseId, sector: &SectorId, now: Instant) -> bool {
        let ready = match self.state {
            ShiftState::Free => true,
            ShiftState::OnVisit { case: known, .. } => known == case,
            ShiftState::Ended { .. } => false,
        };
        self.on_duty(now) && ready && self.sectors.contains(sector)
    }

    /// True until the doctor has gone off duty.
    pub fn working(&self) -> bool {
        !matches!(self.state, ShiftState::Ended { .. })
    }

    /// Whether it shares time with the half-open span from `from` to `until`.
    pub fn overlaps(&self, from: Instant, until: Instant) -> bool {
        self.start < until && from < self.end
    }

    /// True while the shift runs, whatever the doctor is doing.
    pub fn on_duty(&self, now: Instant) -> bool {
        self.start <= now && now < self.end && self.working()
    }
}

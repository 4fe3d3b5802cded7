//! What a decision of a case is to the nation: as stated, else as who took the mission says, else as the care says.

use crate::domain::{
    directory::{Directory, FixedPointKind, Responder, ResponderKind},
    regulation::{
        decision::Decision,
        national::{DecisionType, Destination, ResourceType},
        need::CareType,
    },
};

use super::state::{Case, OfferState};

/// A decision in the national words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct National {
    /// What it is.
    pub kind: DecisionType,
    /// Which kind of resource; always there for INTER and ORIENT.
    pub resource: Option<ResourceType>,
    /// Where to; always there for INTER and ORIENT.
    pub destination: Option<Destination>,
}

/// What `decision` of `case` is: its answer or, until it is signed, its need.
pub fn national(case: &Case, decision: &Decision, directory: &Directory) -> National {
    let answer = decision.answer.as_ref();
    let care = answer.map_or(decision.need.care, |answer| answer.care);
    let taken = case
        .offers
        .iter()
        .find(|offer| offer.decision == decision.id && matches!(offer.state, OfferState::Accepted { .. }));
    let responder = taken.and_then(|offer| directory.get(&offer.responder));
    let resource =
        answer.and_then(|answer| answer.resource).or(responder.map(resource_of).filter(|_| care.needs_supply()));
    let lives_there = case.patient(decision.need.patient).is_some_and(|patient| patient.ehpad);
    let in_ehpad = lives_there && matches!(care, CareType::HomeVisit | CareType::Teleconsultation);
    let destination = answer.and_then(|answer| answer.destination).or(in_ehpad.then_some(Destination::NursingHome));
    National {
        kind: care.national(),
        resource: resource.or(care.national_resource()),
        destination: destination.or(care.national_destination()),
    }
}

fn resource_of(responder: &Responder) -> ResourceType {
    match (responder.kind, responder.fixed_point) {
        (ResponderKind::SosMedecins, _) | (_, Some(FixedPointKind::Sos)) => ResourceType::DutyAssociation,
        (_, Some(FixedPointKind::Mmg)) => ResourceType::DutyCentre,
        (_, None) => ResourceType::Gp,
    }
}

//! The regulation decision: need and answer, each signed (design.md §2).
//!
//! The need is never overwritten. The answer may differ from it only with a SUPPLY reason, which makes unmet need
//! countable, or because the patient refuses. R6315-5: the regulator decides the answer.

use serde::{Deserialize, Serialize};

use crate::{
    coded_enum,
    domain::{
        ids::{DecisionId, PersonId},
        time::Instant,
    },
};

use super::{
    dialogue::{Dialogue, PatientRefusal},
    fallback::Fallback,
    national::{Destination, ResourceType},
    need::{CareType, Constraints, Need},
    prescription::Situation,
    room::Affiliation,
    wrong::Wrong,
};

coded_enum! {
    /// Why an answer differs from its need: always the supply, never the patient.
    SupplyReason {
        /// No responder of the needed kind before the longest delay.
        NoneBeforeDeadline = "SUPPLY.NONE_BEFORE_DEADLINE", "Aucune offre avant le délai";
        /// No visit capacity in the sector.
        NoVisit = "SUPPLY.NO_VISIT", "Aucune visite possible dans le secteur";
        /// The source of the supply did not answer.
        SourceSilent = "SUPPLY.SOURCE_SILENT", "Source de disponibilité sans réponse";
        /// The source of the supply is not connected.
        NotConnected = "SUPPLY.NOT_CONNECTED", "Source de disponibilité non connectée";
        /// Every responder declined or let the offer expire.
        AllDeclined = "SUPPLY.ALL_DECLINED", "Toutes les offres déclinées ou expirées";
        /// The patient cannot reach what exists.
        OutOfReach = "SUPPLY.OUT_OF_REACH", "Offre hors de portée du patient";
    }
}

/// Who signed, when, and under which version of the rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The doctor (or the ARM who applied a protocol).
    pub by: PersonId,
    /// When.
    pub at: Instant,
    /// Version of the territory's rules.
    pub rules: String,
    /// Why a regulator of another stream signed (HubSante.attribution).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
    /// On whose account the doctor regulated (domain.md §2.9, I4): by the roster, or by the convention of his association.
    /// None when neither says, and for who is no doctor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Affiliation>,
}

/// The second signed part: what is done, with the supply in view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What kind of care is given.
    pub care: CareType,
    /// Why it differs from the need, when it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supply: Option<SupplyReason>,
    /// Who signed it.
    pub signed: Signature,
    /// What was told with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialogue: Option<Dialogue>,
    /// That the patient refuses what is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<PatientRefusal>,
    /// That a drug is prescribed, and in which situation; the prescription is in the sealed part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prescribed: Option<Situation>,
    /// Which kind of resource, where the doctor stated it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceType>,
    /// Where to, where the doctor stated it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<Destination>,
}

impl Answer {
    /// Whether the patient leaves for a hospital, where others take over: what was being looked for for him is not needed any
    /// more. An ambulance may bring him to a practice or home.
    pub fn elsewhere(&self) -> bool {
        let destination = self.destination.or(self.care.national_destination());
        let to_hospital =
            matches!(destination, Some(Destination::Emergency | Destination::IntensiveCare | Destination::Hospital));
        self.care.may_lead_elsewhere() && (self.care != CareType::Ambulance || to_hospital)
    }

    /// An answer with nothing told beside it.
    pub fn new(care: CareType, supply: Option<SupplyReason>, signed: Signature) -> Self {
        let (dialogue, refusal, prescribed) = (None, None, None);
        Self { care, supply, signed, dialogue, refusal, prescribed, resource: None, destination: None }
    }
}

coded_enum! {
    /// Why a responder gave other care than was decided (contre-régulation).
    CounterReason {
        /// Found worse than described.
        Worse = "WORSE", "Plus grave que décrit";
        /// Found better than described.
        Better = "BETTER", "Moins grave que décrit";
        /// Another matter than described.
        OtherMatter = "OTHER_MATTER", "Autre problème que décrit";
        /// The place or the means did not allow it.
        NotFeasible = "NOT_FEASIBLE", "Irréalisable sur place";
        /// The patient wanted otherwise.
        PatientWish = "PATIENT_WISH", "Souhait du patient";
    }
}

/// Other care than was decided, as the responder gave it (domain.md §2.9, I5). The decision stays as it was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterRegulation {
    /// What was done instead.
    pub care: CareType,
    /// Why.
    pub reasons: Vec<CounterReason>,
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Instant,
}

/// A regulator's word that a case may wait; nothing else makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MayWait {
    /// Until when.
    pub until: Instant,
    /// Who said so, when, under which rules.
    pub signed: Signature,
}

/// One decision of a case, for one patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Its id.
    pub id: DecisionId,
    /// What is needed.
    pub need: Need,
    /// Who established the need: a doctor, or an ARM under the protocol below. Delays run from here.
    pub signed: Signature,
    /// The protocol that stands in for a doctor's signature (D6311-35); it only ever sends to a coordinator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// What is done about it; absent until the plan was shown and signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// What was told with the need, before its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialogue: Option<Dialogue>,
    /// What the responder did instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counter: Option<CounterRegulation>,
}

impl Decision {
    /// A need, signed by a doctor, whose answer is not signed yet.
    pub fn needed(id: DecisionId, need: Need, signed: Signature) -> Self {
        Self { id, need, signed, protocol: None, answer: None, dialogue: None, counter: None }
    }

    /// By when the care must have begun.
    pub fn deadline(&self) -> Instant {
        self.need.deadline(self.signed.at)
    }
}

/// Why an answer may not be signed; none: it may. What the patient refuses needs no reason of supply.
pub fn answer_fault(need: &Need, care: CareType, supply: Option<SupplyReason>) -> Option<Wrong> {
    let refused = care == CareType::RefusedByPatient;
    match (need.care == care || refused, supply) {
        (true, Some(_)) => Some(Wrong::new(
            "supply_reason",
            "the answer is the need, or the patient's refusal: leave the supply reason out",
            "la réponse est le besoin, ou un refus du patient : pas de motif d'offre",
        )),
        (false, None) => Some(Wrong::new(
            "supply_reason",
            "the answer differs from the need: say which SUPPLY reason forces it",
            "la réponse diffère du besoin : dites quel motif d'offre l'impose",
        )),
        (true, None) | (false, Some(_)) => constrained(&need.constraints, care),
    }
}

/// What the need says of the patient holds for any answer to it.
fn constrained(constraints: &Constraints, care: CareType) -> Option<Wrong> {
    let (_, problem, french) = constraints.exclude(care)?;
    Some(Wrong::new("care", problem, french))
}

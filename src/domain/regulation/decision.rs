//! The regulation decision: need and answer, each signed (design.md §2).
//!
//! The need is never overwritten. The answer may differ from it only with a SUPPLY reason, which makes unmet need
//! countable. R6315-5: the regulator decides the answer.

use serde::{Deserialize, Serialize};

use crate::{
    coded_enum,
    domain::{
        ids::{DecisionId, PersonId},
        time::Instant,
    },
};

use super::{
    fallback::Fallback,
    need::{CareType, Need},
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
}

/// The second signed part: what is done, with the supply in view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What kind of care is given.
    pub care: CareType,
    /// Why it differs from the need, when it does.
    pub supply: Option<SupplyReason>,
    /// Who signed it.
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
    pub protocol: Option<String>,
    /// What is done about it; absent until the plan was shown and signed.
    pub answer: Option<Answer>,
}

impl Decision {
    /// By when the care must have begun.
    pub fn deadline(&self) -> Instant {
        self.need.deadline(self.signed.at)
    }
}

/// Why an answer may not be signed: the field and what to do.
pub fn answer_fault(need: &Need, care: CareType, supply: Option<SupplyReason>) -> Option<(&'static str, &'static str)> {
    match (need.care == care, supply) {
        (true, Some(_)) => Some(("supply_reason", "the answer is the need: leave the supply reason out")),
        (false, None) => Some(("supply_reason", "the answer differs from the need: say which SUPPLY reason forces it")),
        (true, None) | (false, Some(_)) => None,
    }
}

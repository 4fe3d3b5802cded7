//! What a contact may be used for, and why it may not.

use serde::{Deserialize, Serialize};

use crate::{coded_enum, domain::person::unsaid};

coded_enum! {
    /// Why a contact is not safe.
    ContactRisk {
        /// Violence in the household or by the partner.
        Violence = "VIOLENCE", "Violences";
        /// Maltreatment of a child or of a dependent person.
        Maltreatment = "MALTREATMENT", "Maltraitance";
    }
}

/// What a contact may be used for. What follows for everything that leaves the room is [`super::outgoing`]'s to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactSafety {
    /// The number may be rung.
    pub may_ring: bool,
    /// A text may be sent.
    pub may_text: bool,
    /// A message may be left.
    pub may_leave_message: bool,
    /// Violence or maltreatment: nothing may be noticed where the patient lives.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub risk: Option<ContactRisk>,
}

impl Default for ContactSafety {
    fn default() -> Self {
        Self { may_ring: true, may_text: true, may_leave_message: true, risk: None }
    }
}

//! What is done for a patient beside the care, once the request is answered: whom the town's social services are told of, and
//! whether a document goes to the national record.

use crate::domain::{actor::Role, age::Age, time::Span};

/// What a territory does beside the care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferralPolicy {
    /// Patients from this age who live alone without help are referred to the CCAS, as far as the age is known; minors never.
    pub ccas_from: Age,
    /// Whether a document goes to Mon espace santé; none: not from here.
    pub national_record: Option<NationalRecord>,
}

impl Default for ReferralPolicy {
    /// The age from which the CCAS of Sens listed whom nobody looked after (domain.md §4).
    fn default() -> Self {
        Self { ccas_from: Age::from_days(60 * 1_461 / 4), national_record: None }
    }
}

/// Who carries a document to the patient's national record, and how soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NationalRecord {
    /// The desk that does it.
    pub owner: Role,
    /// Until when.
    pub deadline: Span,
}

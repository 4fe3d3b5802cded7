//! Direct orientation of a call by the ARM to a coordinator (D6311-35 CSP).
//!
//! Allowed only for the cases that a protocol named in configuration defines, and never when a doctor is compulsory: a
//! red flag, a repeat call, an infant, a communication barrier or a lost call always sends to a regulator.

use serde::{Deserialize, Serialize};

use super::{
    need::{CareType, Constraints, LongestDelay},
    qualification::{Priority, Qualification, Stream},
};

/// A protocol of the territory, annexed to its convention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protocol {
    /// Its name, as the convention gives it.
    pub name: String,
    /// Motive codes it covers.
    pub motives: Vec<String>,
    /// The care it orients to: always one that a coordinator carries out.
    pub care: CareType,
    /// By when.
    pub longest_delay: LongestDelay,
    /// Under which constraints.
    pub constraints: Constraints,
}

/// Why a protocol does not apply and a regulator must decide; `None` when it applies.
pub fn why_regulator(protocol: &Protocol, qualification: &Qualification) -> Option<&'static str> {
    if qualification.needs_doctor() {
        return Some("a red flag, a repeat call, an infant, a barrier, a lost call or P0/P1 sends to a regulator");
    }
    if qualification.stream != Stream::Snp || !matches!(qualification.priority, Priority::P2 | Priority::P3) {
        return Some("a protocol covers only P2 and P3 of stream SNP");
    }
    if !protocol.care.needs_supply() {
        return Some("a protocol only sends to a coordinator");
    }
    match &qualification.motive {
        Some(motive) if protocol.motives.contains(motive) => None,
        _ => Some("the protocol does not cover this motive"),
    }
}

//! Direct orientation of a call by the ARM to a coordinator (D6311-35 CSP).
//!
//! Allowed only for the cases that a protocol named in configuration defines, and never when a doctor is compulsory: a
//! red flag, a repeat call, an infant, a communication barrier or a lost call always sends to a regulator.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    need::{CareType, Constraints, LongestDelay},
    protocols::psychiatric,
    qualification::{Priority, Qualification, Stream},
};
use crate::domain::digest::digest;

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

impl Protocol {
    /// SHA-256 of what it allows from `from` to `to`: what a committee signs.
    pub fn digest(&self, from: NaiveDate, to: Option<NaiveDate>) -> String {
        let Self { name, motives, care, longest_delay, constraints } = self;
        let Constraints { must_examine, home_only, transport, isolation } = constraints;
        let what = format!("{care} {longest_delay} {must_examine} {home_only} {transport} {isolation}");
        let when = format!("{from} {}", to.map(|to| to.to_string()).unwrap_or_default());
        digest([name.as_bytes(), motives.join(" ").as_bytes(), what.as_bytes(), when.as_bytes()])
    }
}

/// Why a protocol does not apply and a regulator must decide; `None` when it applies.
pub fn why_regulator(protocol: &Protocol, qualification: &Qualification) -> Option<&'static str> {
    if qualification.needs_doctor() {
        return Some("a red flag, a repeat call, an infant, a barrier, a lost call or P0/P1 sends to a regulator");
    }
    if qualification.stream != Stream::Snp || !matches!(qualification.priority, Priority::P2 | Priority::P3) {
        return Some("a protocol covers only P2 and P3 of stream SNP");
    }
    if qualification.motive.as_deref().is_some_and(psychiatric) {
        return Some("a psychiatric or suicidal motive always goes to a regulator");
    }
    if !protocol.care.needs_supply() {
        return Some("a protocol only sends to a coordinator");
    }
    match &qualification.motive {
        Some(motive) if protocol.motives.contains(motive) => None,
        _ => Some("the protocol does not cover this motive"),
    }
}

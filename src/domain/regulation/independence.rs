//! The regulator of a case is never its responder (design.md §3, invariant 6).
//!
//! Strict by default. An exception is dated, rests on a convention and is written into the case's log. Only persons are
//! compared: who a responder is stays out of regulation.

use serde::{Deserialize, Serialize};

use crate::domain::{ids::PersonId, time::Instant};

/// A dated exception under a convention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// Whom it concerns.
    pub person: PersonId,
    /// The convention it rests on.
    pub convention: String,
    /// From when.
    pub from: Instant,
    /// Until when (not included).
    pub until: Instant,
}

/// The verdict on one person as responder of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Independence {
    /// Did not regulate this case.
    Independent,
    /// Regulated it; allowed by the convention named here, which the log keeps.
    Excepted(String),
    /// Regulated it: may not respond.
    Refused,
}

/// Whether `person`, who may have regulated the case, may give its care at `now`.
pub fn independence<'a>(
    mut regulators: impl Iterator<Item = &'a PersonId>,
    person: &PersonId,
    exceptions: &[Exception],
    now: Instant,
) -> Independence {
    if !regulators.any(|regulator| regulator == person) {
        return Independence::Independent;
    }
    exceptions
        .iter()
        .find(|exception| exception.person == *person && exception.from <= now && now < exception.until)
        .map_or(Independence::Refused, |exception| Independence::Excepted(exception.convention.clone()))
}

//! Who regulates now: the roster of a territory, and the surge that suspends how requests are split between regulators.
//!
//! Who may regulate: D6311-33 to 40 CSP (decree 2024-541): doctors of the hospital, conventioned liberal doctors, and an
//! association's platform under a convention approved by the ARS (R6315-3).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    coded_enum,
    domain::{
        ids::{DutyId, PersonId, Skill},
        time::{Instant, Span},
    },
};

use super::qualification::Stream;

coded_enum! {
    /// On whose account a regulator is on duty.
    Affiliation {
        /// The hospital that holds the SAMU.
        Hospital = "HOSPITAL", "Hospitalier";
        /// A liberal doctor under a convention.
        Liberal = "LIBERAL", "Libéral";
        /// An association's platform, interconnected and under a convention (R6315-3).
        Association = "ASSOCIATION", "Association sous convention";
    }
}

coded_enum! {
    /// Why the rules that split requests are suspended.
    SurgeReason {
        /// An epidemic.
        Epidemic = "EPIDEMIC", "Épidémie";
        /// Many victims at once.
        MassCasualty = "MASS_CASUALTY", "Nombreuses victimes";
        /// More calls than the room can take.
        CallLoad = "CALL_LOAD", "Afflux d'appels";
        /// Regulators are missing.
        Staffing = "STAFFING", "Effectif insuffisant";
        /// A part of the service is down.
        Technical = "TECHNICAL", "Incident technique";
    }
}

/// One regulator's period on duty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty {
    /// Its id.
    pub id: DutyId,
    /// Who.
    pub person: PersonId,
    /// Of which stream.
    pub stream: Stream,
    /// What he is versed in.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub skills: BTreeSet<Skill>,
    /// On whose account.
    pub affiliation: Affiliation,
    /// From when.
    pub from: Instant,
    /// Until when (not included).
    pub until: Instant,
    /// When it was ended before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Instant>,
    /// Who entered it.
    pub by: PersonId,
}

impl Duty {
    /// When it is over.
    pub fn end(&self) -> Instant {
        self.ended.map_or(self.until, |ended| ended.min(self.until))
    }

    /// Whether it covers `at`.
    pub fn covers(&self, at: Instant) -> bool {
        self.from <= at && at < self.end()
    }

    /// Whether it shares time with the half-open span from `from` to `until`.
    pub fn overlaps(&self, from: Instant, until: Instant) -> bool {
        self.from < until && from < self.end()
    }
}

/// A period in which the split of requests between hospital and liberal regulators is suspended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surge {
    /// Why.
    pub reason: SurgeReason,
    /// Who decided it.
    pub by: PersonId,
    /// Since when.
    pub from: Instant,
    /// Until when (not included); it ends by itself then.
    pub until: Instant,
    /// When it was ended before its time, and by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<(Instant, PersonId)>,
}

impl Surge {
    /// Whether it is in force at `at`.
    pub fn covers(&self, at: Instant) -> bool {
        self.from <= at && at < self.until && self.ended.as_ref().is_none_or(|(ended, _)| at < *ended)
    }
}

/// The regulation room of a territory.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Room {
    /// Periods on duty, by entry; those over for longer than [`KEPT`] are dropped when another is entered.
    #[serde(default)]
    pub duties: Vec<Duty>,
    /// The last surge, whether it is over or not.
    #[serde(default)]
    pub surge: Option<Surge>,
    /// Fields of a newer binary, kept.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// How long a period on duty stays in the room after its end: until the next morning's questions are answered.
pub const KEPT: Span = Span::from_hours(48);
/// Most periods on duty in one room.
pub const MOST_DUTIES: usize = 400;

impl Room {
    /// Who is on duty at `at`.
    pub fn on_duty(&self, at: Instant) -> impl Iterator<Item = &Duty> {
        self.duties.iter().filter(move |duty| duty.covers(at))
    }

    /// Whether anybody of `stream` is on duty at `at`.
    pub fn staffed(&self, stream: Stream, at: Instant) -> bool {
        self.on_duty(at).any(|duty| duty.stream == stream)
    }

    /// The period that has `person` on duty at `at`.
    pub fn duty_of(&self, person: &PersonId, at: Instant) -> Option<&Duty> {
        self.on_duty(at).find(|duty| duty.person == *person)
    }

    /// The surge in force at `at`.
    pub fn surge_at(&self, at: Instant) -> Option<&Surge> {
        self.surge.as_ref().filter(|surge| surge.covers(at))
    }

    /// Enters a period, at `now`, and drops those long over.
    pub fn enter(&mut self, duty: Duty, now: Instant) {
        self.duties.retain(|known| known.end() + KEPT > now && known.id != duty.id);
        self.duties.push(duty);
    }
}

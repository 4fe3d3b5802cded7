//! What is counted how: a territory's zone, the configured thresholds, and who belongs to whom.

use chrono::Timelike;
use chrono_tz::Tz;

use crate::domain::{
    calendar::local,
    directory::{Directory, ResponderKind},
    ids::{PersonId, ResponderId},
    time::{Instant, Span},
};

use super::codes::Affiliation;

/// How indicators are counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// The zone whose midnight divides days.
    pub zone: Tz,
    /// Calls answered within these are counted apart (QS15, QS30, QS60).
    pub thresholds: Vec<Span>,
    /// A call given up sooner may be left out of the abandoned ones.
    pub early: Span,
    /// A day is final this long after its end; at least 72 h, the longest time a repeat call is looked for.
    pub settle: Span,
    /// Face-to-face acts for 100 files where each responder decides for himself (domain.md §8, A10).
    pub baseline_acts_per_100: f64,
}

impl Rules {
    /// The local hour of an instant.
    pub fn hour(&self, at: Instant) -> u8 {
        u8::try_from(local(self.zone, at).hour()).expect("an hour is below 24")
    }
}

/// Who belongs to whom; asked when sums are made, never stored beside a case.
pub trait Who {
    /// For whom a doctor regulated at an instant.
    fn regulator(&self, person: &PersonId, at: Instant) -> Affiliation;

    /// The affiliation of a responder: the id of its association, else the code of its kind.
    fn receiver(&self, responder: &ResponderId) -> String;

    /// The affiliations of the responders for whom a person gives care.
    fn own(&self, person: &PersonId) -> Vec<String>;
}

impl Who for Directory {
    /// What the directory alone can say: a doctor of an association that regulates under a convention (R6315-3), or of another
    /// responder.
    fn regulator(&self, person: &PersonId, _: Instant) -> Affiliation {
        let mut known = self.of_person(person);
        match known.next() {
            None => Affiliation::Unknown,
            Some(first) if known.chain([first]).any(|responder| responder.conventions.own_regulation) => {
                Affiliation::Association
            }
            Some(_) => Affiliation::Liberal,
        }
    }

    fn receiver(&self, responder: &ResponderId) -> String {
        let Some(known) = self.get(responder) else { return Affiliation::Unknown.code().to_owned() };
        match (&known.association, known.kind) {
            (Some(association), _) => association.to_string(),
            (None, ResponderKind::SosMedecins) => known.id.to_string(),
            (None, kind) => kind.code().to_owned(),
        }
    }

    fn own(&self, person: &PersonId) -> Vec<String> {
        let mut own: Vec<_> = self.of_person(person).map(|responder| Who::receiver(self, &responder.id)).collect();
        own.sort_unstable();
        own.dedup();
        own
    }
}

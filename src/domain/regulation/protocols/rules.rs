//! One protocol: for whom, what it asks, what it concludes, on which sources, and who signed it.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::{Age, condition::Condition, question::Question, subject::Sex, subject::Subject};
use crate::domain::{
    regulation::qualification::{Priority, Stream},
    time::Span,
};

/// Whom a protocol is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Population {
    /// From this age on.
    pub from: Option<Age>,
    /// Below this age.
    pub below: Option<Age>,
    /// Of this sex only.
    pub sex: Option<Sex>,
}

impl Population {
    /// False when what is known of the patient excludes him; what is not known excludes nobody.
    pub fn admits(&self, subject: &Subject) -> bool {
        let young = subject.age.zip(self.from).is_some_and(|(age, from)| age < from);
        let old = subject.age.zip(self.below).is_some_and(|(age, below)| age >= below);
        !(young || old) && self.admits_sex(subject)
    }

    /// As [`Self::admits`], whatever the age.
    pub fn admits_sex(&self, subject: &Subject) -> bool {
        subject.sex.zip(self.sex).is_none_or(|(known, asked)| known == asked)
    }
}

/// Published guidance a protocol rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Title and publisher.
    pub title: String,
    /// Year of publication.
    pub year: u16,
    /// Where it is found; none for what is only on paper, or where nobody has checked an address.
    pub url: Option<String>,
    /// When somebody last opened it and found title and address right; none: nobody who wrote the file has.
    pub opened: Option<NaiveDate>,
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committee {
    /// Name of the committee.
    pub name: String,
    /// When it signed.
    pub date: NaiveDate,
}

/// Whether a committee has signed what stands here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seal {
    /// Nobody has.
    Unsigned,
    /// A committee has, and nothing has changed since.
    Signed(Committee),
    /// A committee had; the content has changed since, so the signature no longer counts.
    Changed(Committee),
}

impl Seal {
    /// Of a committee that signed `digest`, over what has the digest `content` now.
    pub fn of(committee: Committee, digest: &str, content: &str) -> Self {
        if digest == content { Self::Signed(committee) } else { Self::Changed(committee) }
    }
}

/// The main complaint that tells the protocols of one motive apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presentation {
    /// Its code, a value of the question [`super::COMPLAINT`].
    pub code: String,
    /// In French.
    pub label: String,
}

/// A red flag or a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Stable code.
    pub code: String,
    /// When it fires.
    pub when: Condition,
    /// What it proposes.
    pub priority: Priority,
    /// To which regulation.
    pub stream: Stream,
    /// Why, in French.
    pub reason: String,
    /// For P3: the window of the telephone appointment.
    pub window: Option<Span>,
}

/// One protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Protocol {
    /// Stable code.
    pub code: String,
    /// In French.
    pub title: String,
    /// Version, as its authors give it.
    pub version: String,
    /// Motives of HubSante.motif it is for.
    pub motives: Vec<String>,
    /// Which complaint of those motives; none: any.
    pub presentation: Option<Presentation>,
    /// For whom.
    pub population: Population,
    /// What it rests on.
    pub sources: Vec<Source>,
    /// Its own questions, in the order in which they are asked.
    pub questions: Vec<Question>,
    /// Questions of the common file it asks as well.
    pub uses: Vec<String>,
    /// When what is asked in every case is asked here; none: always. A request for a document needs no vital signs.
    pub vital_signs_if: Option<Condition>,
    /// Signs of gravity: P0 or P1.
    pub red_flags: Vec<Rule>,
    /// Everything else.
    pub rules: Vec<Rule>,
    /// What it proposes when nothing fires.
    pub default: Priority,
    /// To which regulation.
    pub stream: Stream,
    /// Why, in French.
    pub reason: String,
    /// SHA-256 of its content and of the common file's, 64 hexadecimal digits: what a committee signs.
    pub digest: String,
    /// Whether a committee has signed it.
    pub seal: Seal,
}

impl Protocol {
    /// True when a committee has signed what stands here.
    pub fn signed(&self) -> bool {
        matches!(self.seal, Seal::Signed(_))
    }

    /// Questions that can raise a red flag.
    pub fn watched(&self) -> BTreeSet<&str> {
        self.red_flags.iter().flat_map(|flag| flag.when.questions()).collect()
    }
}

//! When the front line may defer a request (P3) to a telephone appointment.

use crate::domain::regulation::{
    protocols::{Age, NotDeferred, Proposal},
    qualification::Priority,
};

/// When the front line may defer a request (P3) to a telephone appointment (SUdF guide, record 861: only what can be planned,
/// while the regulators are busy and several calls wait; motives and windows are those of a procedure of the service). The
/// window is [`DueSpans::p3`](crate::domain::regulation::qualification::DueSpans), or the protocol's where that is shorter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deferral {
    /// Motives that may wait. A psychiatric or suicidal motive never may, whatever stands here.
    pub motives: Vec<String>,
    /// Only for patients from this age on, as far as the age is known.
    pub age_from: Option<Age>,
    /// Only for patients below this age, as far as the age is known.
    pub age_below: Option<Age>,
    /// Only while so many other cases (P1 and P2) wait for a regulator of the stream; 0: however few do.
    pub waiting_from: u32,
}

impl Default for Deferral {
    fn default() -> Self {
        let motives = [
            "M02.05", "M02.06", "M03.05", "M03.11", "M03.14", "M03.15", "M03.18", "M03.21", "M03.22", "M06.02",
            "M06.04",
        ];
        // "Several calls wait" is at least two.
        Self { motives: motives.map(str::to_owned).to_vec(), age_from: None, age_below: None, waiting_from: 2 }
    }
}

impl Deferral {
    /// Why a request of this motive, for a patient of this age, is not deferred here whatever the hour; `None` when it may be.
    pub fn never(&self, motive: &str, age: Option<Age>) -> Option<NotDeferred> {
        if !self.motives.iter().any(|listed| listed == motive) {
            return Some(NotDeferred::Motive);
        }
        let young = age.zip(self.age_from).is_some_and(|(age, from)| age < from);
        let old = age.zip(self.age_below).is_some_and(|(age, below)| age >= below);
        (young || old).then_some(NotDeferred::Age)
    }

    /// Whether too few cases wait for anything to be deferred now. What nobody has counted does not wait.
    pub fn quiet(&self, waiting: Option<u32>) -> bool {
        waiting.unwrap_or_default() < self.waiting_from
    }

    /// A proposal as it holds here and now, while `waiting` other cases wait for a regulator of its stream.
    pub fn here_and_now(&self, proposal: Proposal, motive: &str, age: Option<Age>, waiting: Option<u32>) -> Proposal {
        if proposal.priority != Priority::P3 {
            return proposal;
        }
        match self.never(motive, age).or(self.quiet(waiting).then_some(NotDeferred::Quiet)) {
            Some(why) => proposal.in_its_turn(why),
            None => proposal,
        }
    }
}

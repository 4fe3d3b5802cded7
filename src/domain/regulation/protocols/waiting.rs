//! Whether a request that a protocol would defer (P3) is deferred here and now.

use super::propose::{Fired, Proposal, SERVICE};
use crate::{
    coded_enum,
    domain::{regulation::qualification::Priority, time::Span},
};

coded_enum! {
    /// Why a request that could be deferred is not.
    NotDeferred {
        /// The territory's procedure does not list its motive.
        Motive = "MOTIF_NON_DIFFERE", "P3 possible, mais ce motif ne se diffère pas sur ce territoire : P2";
        /// The territory's procedure is not for patients of this age.
        Age = "AGE_NON_DIFFERE", "P3 possible, mais on ne diffère pas à cet âge sur ce territoire : P2";
        /// So few wait that a regulator soon has time.
        Quiet = "SALLE_CALME", "P3 possible, mais trop peu d'appels attendent pour différer : P2, régulé à son tour";
    }
}

impl Proposal {
    /// The same proposal, with no longer a window than the territory gives to what it defers.
    #[must_use]
    pub fn within(self, longest: Span) -> Self {
        let capped = self.window.map_or(longest, |window| window.min(longest));
        Self { window: (self.priority == Priority::P3).then_some(capped), ..self }
    }

    /// The same proposal, of a P3 that is regulated in its turn for this reason; one that is more urgent stays as it is.
    pub fn in_its_turn(self, why: NotDeferred) -> Self {
        if self.priority != Priority::P3 {
            return self;
        }
        let rule = Fired {
            protocol: SERVICE.to_owned(),
            version: "1".to_owned(),
            rule: why.code().to_owned(),
            priority: Priority::P2,
            stream: self.stream,
            reason: why.label().to_owned(),
        };
        Self { priority: Priority::P2, rule, window: None, ..self }
    }
}

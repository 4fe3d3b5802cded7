//! Indicators of a territory, folded from its log: calls, waits, decisions, and whether decisions are independent.
//!
//! [`Projection`] takes the events in order and keeps days; [`Figures`] are computed from the sums of one or more days,
//! [`unmet`] and [`compare`] are the two reports on independence. Pure, and the only facts read are codes, instants and
//! ids: nothing of a patient reaches a sum. What each indicator means is written once more at its field in the API.

mod codes;
mod counts;
pub mod extract;
mod figures;
mod histogram;
mod pairs;
mod projection;
mod regulators;
mod roster;
mod rules;
mod statistics;
mod trace;
mod unmet;

pub use codes::{Affiliation, Stage};
pub use counts::{AnswerKey, Class, Counts, ReceivedKey};
pub use figures::{
    AVOIDED_CAVEAT, AVOIDED_DEFINITION, AffiliationCount, Avoided, DecisionCount, Figures, Wait, Within, added,
};
pub use histogram::{Histogram, RELATIVE_ERROR};
pub use projection::{Day, Filter, Projection};
pub use regulators::{Compared, LEVEL, compare, compare_by_month};
pub use rules::{Rules, Who};
pub use statistics::{Share, fisher, holm, wilson};
pub use unmet::{Unmet, unmet};

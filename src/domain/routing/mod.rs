//! Routing: from a signed need to an ordered list of options, each kept or refused with a reason.
//!
//! Own GP first, then what the territory's policy table says (domain.md §3.1: the SAS is a third intention, and the
//! national texts fix no order after the own GP). [`plan`] is a pure function: a [`Problem`] in plain data becomes an
//! immutable [`Plan`], which the case stores with the choice made from it. It works in named phases:
//!
//! 1. frame: deadline, position, sector, order of search, whether the patient can leave;
//! 2. survey: every category is closed as a whole with one reason, or its responders are judged one by one;
//! 3. rank: kept options in policy order, inside a category by what serves the patient best;
//! 4. bound: at most [`ROWS_PER_CATEGORY`] rows of a category, the rest counted by reason;
//! 5. sources: what each source of supply said, in four values.
//!
//! Wanted properties, each shown by a test:
//!
//! - the same problem gives the same plan, in whatever order its parts were gathered; ties are broken by responder id;
//! - the first kept option is eligible and none that precedes it in policy order is, but a practice that opens so late that
//!   nobody else could be asked after it; no option kept means there is none;
//! - a responder added or removed changes no verdict on another;
//! - nobody who regulated the case is the only doctor of a kept option, unless a dated exception says so;
//! - there is always one row on the own GP, and each row refused has its reason;
//! - "no answer" and "not connected" are never shown as "none".

mod explain;
mod frame;
mod own_gp;
pub mod plan;
mod planner;
pub mod problem;
mod rank;
mod screen;
mod slots;
mod visits;

pub use explain::{explain_french, sources_french};
pub use plan::{Availability, Category, Means, Plan, Row, Source, Verdict, WhyNot};
pub use planner::plan;
pub use problem::{Asked, FreeSlot, OnDuty, Problem, SourceState, Supply, Tried};
pub use rank::ROWS_PER_CATEGORY;

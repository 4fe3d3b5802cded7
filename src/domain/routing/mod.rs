//! Routing: from a signed need to an ordered list of options, each kept or refused with a reason.
//!
//! Own GP first, then what the territory's policy table says (domain.md §3.1). A plan is an immutable answer to a
//! problem: the same problem gives the same plan, and the case stores the plan with the choice made from it.

pub mod plan;

pub use plan::{Availability, Category, Means, Plan, Row, Source, Verdict, WhyNot};

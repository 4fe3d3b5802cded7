//! Regulation: what is asked, how urgent it is, who may answer it, and what a doctor decided.
//!
//! From L6311-3, R6315-3, R6315-5 and D6311-35 CSP, the Hub Santé code lists and the SUdF guide (domain.md §2). Nothing
//! here can see a responder, a slot, a visit or a directory: the need is a care type, a level, a longest delay and
//! constraints, and is signed before any supply is shown (design.md §3, invariants 5 and 6).

pub mod advice;
pub mod decision;
pub mod dialogue;
pub mod fallback;
pub mod independence;
pub mod motives;
pub mod national;
pub mod need;
pub mod prescription;
pub mod protocol;
pub mod protocols;
pub mod qualification;
pub mod queue;
pub mod room;
pub mod split;
pub mod wrong;

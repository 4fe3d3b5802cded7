//! The rules of a case as stories, told to `decide` alone; a simulation of a room that checks every rule of design.md §3
//! after every step; and proof that each rule's check sees a planted violation.

mod again;
mod clocks;
mod closing;
mod conditions;
mod corrected;
mod deadlines;
mod deferral;
mod dismissal;
mod elsewhere;
mod french;
mod full;
mod holding;
mod independence;
mod life;
mod offers;
pub mod oracle;
mod outgoing;
mod planted;
mod prescriptions;
mod protocol;
mod qualification;
mod referral;
mod roles;
mod room;
mod several;
pub mod simulation;
mod slots;
pub mod stage;
mod streams;
mod supply;
pub mod transfers;
mod visits;

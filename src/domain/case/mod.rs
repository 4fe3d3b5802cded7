//! The case: a set of actions around one request for care, and everything decided about it.
//!
//! [`decide`] turns a command into facts or one typed refusal; [`evolve`] is the only place that says what a fact means
//! for the records; [`status`] derives the national état (HubSante.etat, domain.md §2.7); [`invariants`] checks after any
//! event what must never happen (design.md §3); [`replay`] tells a whole log again. [`outgoing`] alone says what may leave the
//! room, and to whom. A case is open while one action is; closing is derived, never commanded.

pub mod action;
mod beside;
pub mod callers;
pub mod command;
pub mod decide;
pub mod evolve;
pub mod fact;
pub mod french;
mod instants;
pub mod invariants;
pub mod leaving;
pub mod national;
mod offered;
pub mod outgoing;
pub mod patient;
pub mod refusal;
pub mod repeats;
pub mod replay;
pub mod safety;
pub mod sealed;
pub mod state;
pub mod status;
pub mod transfer;

pub use action::{Action, ActionKind, ActionState, End, Owner};
pub use command::Command;
pub use decide::{Context, Outcome, Reply, decide};
pub use evolve::apply;
pub use fact::{Event, Fact, Records};
pub use refusal::{FieldFault, Refusal, RestsOn};
pub use state::{Case, Claim, Offer, OfferState};

//! Triage protocols as data: questions, red flags, rules, and what they propose.
//!
//! A protocol proposes a priority and a stream with the rule that fired; it never decides. What always holds, whatever the
//! files say, and is shown by properties with an oracle of their own:
//!
//! 1. **A red flag wins.** A proposal is never less urgent than any red flag that was heard, whatever else was answered.
//! 2. **A missing answer never reassures.** For every set of answers, leaving one out gives a proposal at least as urgent as
//!    giving its reassuring value. It does so in two ways: what makes more urgent is judged as if the missing answer were
//!    reassuring (no more, or a room in which nothing was asked yet would be all P1), while what makes *less* urgent than a
//!    protocol's default holds only on answers that were really given, and P3 only once every question on which a red flag or
//!    a more urgent rule still hangs was answered and the age is known.
//! 3. **An infant, a psychiatric or a suicidal motive is never P3**, whatever the rules say (SUdF guide; domain.md §2.3).
//! 4. **Several protocols of one motive: the most urgent proposal wins.** The main complaint (`PLAINTE`) says which of
//!    them is meant; until it is answered all of them count, and one that has no complaint of its own always does.
//! 5. **No protocol for a motive: P2, to a regulator**, and the proposal says why.
//!
//! Whether a P3 is deferred here and now, by the territory's motives and by how many wait, is said of the proposal afterwards
//! ([`Proposal::in_its_turn`]).
//!
//! What was heard counts whatever the motive and the age: a question of another protocol answered with anything but its
//! reassuring value raises that protocol's red flags too.

mod answer;
mod book;
mod condition;
mod propose;
mod question;
mod rules;
mod several;
mod subject;
mod waiting;

pub use crate::domain::age::Age;
pub use answer::{Answers, Value};
pub use book::{Book, COMPLAINT};
pub use condition::{Condition, PREGNANCY};
pub use propose::{Fired, INFANT_BELOW, Proposal, SERVICE, propose};
pub use question::{Choice, Kind, Question};
pub use rules::{Committee, Population, Presentation, Protocol, Rule, Seal, Source};
pub use several::propose_for_all;
pub use subject::{Sex, Subject};
pub use waiting::NotDeferred;

/// Motives that are psychiatric or suicidal (HubSante.motif): never deferred, never sent on by a protocol alone, and a call
/// that breaks off alarms at once.
pub const PSYCHIATRIC: [&str; 3] = ["M03.16", "M03.17", "M04.01"];

/// True for a psychiatric or suicidal motive.
pub fn psychiatric(motive: &str) -> bool {
    PSYCHIATRIC.contains(&motive)
}

//! What one log tells of the hand-overs that its territory has a part in: for each, how it stood from which entry on.

use std::collections::BTreeMap;

use crate::domain::{
    case::{
        state::Case,
        transfer::{Received, Transfer, TransferEnd},
    },
    ids::{CaseId, TerritoryId},
    time::Instant,
};

/// States one after another, each with the entry and the instant that began it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Track<S>(Vec<(u64, Instant, S)>);

impl<S: PartialEq> Track<S> {
    fn new(seq: u64, at: Instant, state: S) -> Self {
        Self(vec![(seq, at, state)])
    }

    fn note(&mut self, seq: u64, at: Instant, state: S) {
        if self.0.last().is_none_or(|(_, _, last)| *last != state) {
            self.0.push((seq, at, state));
        }
    }

    /// How it stood at `at`, and since which entry; none before its beginning.
    pub(super) fn at(&self, at: Instant) -> Option<(u64, &S)> {
        let known = self.0.iter().rev().find(|(_, since, _)| *since <= at);
        known.map(|(seq, _, state)| (*seq, state))
    }

    pub(super) fn began(&self) -> Instant {
        self.0[0].1
    }

    pub(super) fn instants(&self) -> impl Iterator<Item = Instant> {
        self.0.iter().map(|(_, at, _)| *at)
    }
}

/// A hand-over as its sender has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    pub ended: Option<TransferEnd>,
    /// Taken up again here although it was accepted there.
    pub again: bool,
    /// Known here to go on there.
    pub goes_on: bool,
    /// Something is to be done for the case here.
    pub busy: bool,
}

impl Sent {
    fn of(case: &Case, transfer: &Transfer) -> Self {
        Self {
            ended: transfer.ended.as_ref().map(|ended| ended.how),
            again: transfer.again.is_some(),
            goes_on: transfer.goes_on.is_some(),
            busy: case.open_actions().next().is_some(),
        }
    }

    pub(super) fn accepted(self) -> bool {
        self.ended == Some(TransferEnd::Accepted)
    }

    /// The sender's log has said that the case is the other's, and not taken that back.
    pub(super) fn handed_on(self) -> bool {
        self.accepted() && !self.again
    }
}

/// A hand-over as its receiver has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    /// A regulator has taken the copy.
    pub accepted: bool,
    /// What the sender's log said.
    pub settled: Option<TransferEnd>,
    /// Neither refused nor settled.
    pub open: bool,
    /// The request is with its sender, and nothing of it is done here.
    pub with_sender: bool,
    /// Worked on here although the sending ended otherwise.
    pub goes_on: bool,
    /// Known here to be taken up again there.
    pub again: bool,
    /// Something is to be done for the case here.
    pub busy: bool,
}

impl Held {
    fn of(case: &Case, received: &Received) -> Self {
        Self {
            accepted: received.accepted(),
            settled: received.settled.map(|(_, how)| how),
            open: received.open(),
            with_sender: received.with_sender(),
            goes_on: received.goes_on,
            again: received.again.is_some(),
            busy: case.open_actions().next().is_some(),
        }
    }

    pub(super) fn confirmed(self) -> bool {
        self.settled == Some(TransferEnd::Accepted)
    }
}

/// The hand-overs that one log tells of, by the copy's id.
#[derive(Debug, Clone, Default)]
pub struct Crossings {
    pub(super) sent: BTreeMap<CaseId, (TerritoryId, CaseId, Track<Sent>)>,
    pub(super) received: BTreeMap<CaseId, (TerritoryId, CaseId, Instant, Track<Held>)>,
}

impl Crossings {
    /// Notes how the hand-overs of a case stand after an entry.
    pub(in crate::domain::case::replay) fn note(&mut self, seq: u64, at: Instant, case: &Case) {
        for transfer in &case.transfers {
            let state = Sent::of(case, transfer);
            let new = || (transfer.to.clone(), case.id, Track::new(seq, at, state));
            self.sent.entry(transfer.there).or_insert_with(new).2.note(seq, at, state);
        }
        if let Some(received) = case.received.as_deref() {
            let state = Held::of(case, received);
            let new = || (received.from.clone(), received.case, received.sent, Track::new(seq, at, state));
            self.received.entry(case.id).or_insert_with(new).3.note(seq, at, state);
        }
    }
}

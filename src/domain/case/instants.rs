//! The last instant that records tell of. Whatever follows on them happens then or later: the clocks of two instances may be
//! a little apart, and what one has written the other may read before its own clock says so.
//!
//! Only what has happened counts: not what is to come (a deadline, an appointment, the end of a duty), nor what a caller
//! says of an earlier time (the hour on paper, of a consent), nor what the clock of another territory or of an exchange says.

use crate::domain::{
    regulation::{decision::Decision, room::Room},
    remarkable::Sheet,
    slots::{Slot, SlotState},
    time::Instant,
    visits::{Shift, ShiftState},
};

use super::{
    action::{Action, ActionState},
    fact::Records,
    state::{Case, Offer, OfferState},
    transfer::{Received, Transfer},
};

impl Records {
    /// The last instant of all of them; `None` when they tell of nothing.
    pub fn last_instant(&self) -> Option<Instant> {
        let cases = self.cases.values().map(|case| case.last_instant());
        let slots = self.slots.values().filter_map(Slot::last_instant);
        let shifts = self.shifts.values().filter_map(Shift::last_instant);
        let room = self.room.iter().filter_map(Room::last_instant);
        let sheets = self.sheets.values().map(Sheet::last_instant);
        cases.chain(slots).chain(shifts).chain(room).chain(sheets).max()
    }
}

impl Case {
    /// The last instant that it tells of.
    pub fn last_instant(&self) -> Instant {
        let claim = self.claim.iter().flat_map(|claim| [Some(claim.at), claim.suspect]).flatten();
        let front = self.qualification.iter().map(|known| known.at);
        let said = self.may_wait.iter().map(|said| said.signed.at);
        let visits = self.visits.iter().flat_map(|visit| &visit.history).map(|(_, happened)| *happened);
        let notes = self.sealed.notes.iter().map(|note| note.at);
        let room = claim.chain(front).chain(said).chain(self.decisions.iter().flat_map(of_decision));
        let plans = self.routes.iter().map(|route| route.plan.at);
        let care = plans.chain(self.offers.iter().flat_map(of_offer)).chain(visits);
        let tasks = self.actions.iter().flat_map(of_action).chain(self.idle_since).chain(notes);
        let handed =
            self.transfers.iter().flat_map(of_transfer).chain(self.received.iter().flat_map(|from| of_copy(from)));
        room.chain(care).chain(tasks).chain(handed).fold(self.entered, Instant::max)
    }
}

fn of_decision(decision: &Decision) -> impl Iterator<Item = Instant> {
    let answered = decision.answer.as_ref().map(|answer| answer.signed.at);
    let counter = decision.counter.as_ref().map(|counter| counter.at);
    [Some(decision.signed.at), answered, counter].into_iter().flatten()
}

fn of_offer(offer: &Offer) -> [Instant; 2] {
    let settled = match offer.state {
        OfferState::Open => offer.at,
        OfferState::Accepted { at, .. } | OfferState::Closed { at, .. } | OfferState::Withdrawn { at } => at,
    };
    [offer.at, settled]
}

fn of_transfer(sent: &Transfer) -> impl Iterator<Item = Instant> {
    let ended = sent.ended.as_ref().map(|ended| ended.at);
    [Some(sent.at), ended, sent.goes_on, sent.again].into_iter().flatten()
}

/// What happened here. When it was sent, and when its sender took it up again, another territory's clock says: this one's
/// store may be behind that, and would take no act at such an instant.
fn of_copy(from: &Received) -> impl Iterator<Item = Instant> {
    let answered = from.answered.as_ref().map(|answered| answered.at);
    [answered, from.settled.map(|(at, _)| at)].into_iter().flatten()
}

fn of_action(action: &Action) -> [Instant; 2] {
    let last = match action.state {
        ActionState::Open { alarmed } => alarmed.unwrap_or(action.opened),
        ActionState::Ended { at, .. } => at,
    };
    [action.opened, last]
}

impl Slot {
    /// The last instant that it tells of.
    pub fn last_instant(&self) -> Option<Instant> {
        match self.state {
            SlotState::Booked { at, .. } | SlotState::Withdrawn { at } => Some(at),
            SlotState::Free | SlotState::Held { .. } => None,
        }
    }
}

impl Shift {
    /// The last instant that it tells of.
    pub fn last_instant(&self) -> Option<Instant> {
        let ended = match self.state {
            ShiftState::Ended { at } => Some(at),
            ShiftState::Free | ShiftState::OnVisit { .. } => None,
        };
        ended.max(self.position.map(|(_, at)| at)).max(self.opened)
    }
}

impl Room {
    /// The last instant that it tells of.
    pub fn last_instant(&self) -> Option<Instant> {
        let duties = self.duties.iter().filter_map(|duty| duty.ended);
        let surge = self.surge.iter().flat_map(|surge| [Some(surge.from), surge.ended.as_ref().map(|(at, _)| *at)]);
        duties.chain(surge.flatten()).max()
    }
}

impl Sheet {
    /// The last instant that it tells of.
    pub fn last_instant(&self) -> Instant {
        self.ended.map_or(self.entered, |ended| ended.max(self.entered))
    }
}

//! Whether an event follows from the records before it: what it names is there, and in a state that the fact can leave.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::domain::{
    case::{
        fact::{Event, Fact, Records},
        state::Case,
    },
    ids::{ActionId, CaseId, DecisionId, OfferId, ShiftId, SlotId, VisitId},
    slots::SlotState,
};

/// Rule, subject and words of everything that does not follow. `complete`: the records are those of the whole log before;
/// otherwise slots and shifts may be older than it.
pub(super) fn faults(records: &Records, event: &Event, complete: bool) -> Vec<(u8, String, &'static str)> {
    let mut faults = Vec::new();
    let mut seen = Seen::of(records, event);
    for fact in &event.facts {
        let case = || event.case.map_or_else(|| "log".to_owned(), |id| format!("case {id}"));
        if let Some(problem) = seen.fault(fact) {
            faults.push((1, case(), problem));
        }
        let lost = slot_of(fact).is_some_and(|id| !records.slots.contains_key(&id));
        if complete && lost && !matches!(fact, Fact::SlotPublished(_)) {
            faults.push((1, case(), "a slot that was never published"));
        }
        let unknown = shift_of(fact).is_some_and(|id| !records.shifts.contains_key(&id));
        if complete && unknown && !matches!(fact, Fact::ShiftOpened(_)) {
            faults.push((1, case(), "a shift that was never opened"));
        }
        if let (Fact::SheetEnded { sheet } | Fact::SheetArchived { sheet }, true) = (fact, complete)
            && !records.sheets.contains_key(sheet)
        {
            faults.push((1, case(), "a sheet that was never entered"));
        }
    }
    faults
}

/// What the event's own case has, brought on by the facts before.
struct Seen {
    opened: bool,
    held: bool,
    actions: BTreeSet<ActionId>,
    ended: BTreeSet<ActionId>,
    offers: BTreeSet<OfferId>,
    decisions: BTreeSet<DecisionId>,
    visits: BTreeSet<VisitId>,
    /// Hand-overs to other territories, and whether each waits.
    transfers: BTreeMap<CaseId, bool>,
    received: bool,
}

impl Seen {
    fn of(records: &Records, event: &Event) -> Self {
        let case = event.case.and_then(|id| records.cases.get(&id)).map(Arc::as_ref);
        let ids = |ids: fn(&Case) -> BTreeSet<ActionId>| case.map(ids).unwrap_or_default();
        Self {
            opened: case.is_some(),
            held: case.is_some_and(|case| case.claim.is_some()),
            actions: ids(|case| case.actions.iter().map(|action| action.id).collect()),
            ended: ids(|case| case.actions.iter().filter(|action| !action.open()).map(|action| action.id).collect()),
            offers: case.map(|case| case.offers.iter().map(|offer| offer.id).collect()).unwrap_or_default(),
            decisions: case.map(|case| case.decisions.iter().map(|known| known.id).collect()).unwrap_or_default(),
            transfers: case.into_iter().flat_map(|case| &case.transfers).map(|t| (t.there, t.waits())).collect(),
            received: case.is_some_and(|case| case.received.is_some()),
            visits: case.map(|case| case.visits.iter().map(|visit| visit.id).collect()).unwrap_or_default(),
        }
    }

    fn fault(&mut self, fact: &Fact) -> Option<&'static str> {
        match fact {
            Fact::Opened(_) => {
                let twice = std::mem::replace(&mut self.opened, true);
                twice.then_some("a case was opened twice")
            }
            Fact::SlotPublished(_)
            | Fact::SlotWithdrawn { .. }
            | Fact::SlotFreed { .. }
            | Fact::SlotArchived { .. }
            | Fact::ShiftOpened(_)
            | Fact::ShiftBusy { .. }
            | Fact::ShiftEnded { .. }
            | Fact::ShiftArchived { .. }
            | Fact::DutyStarted(_)
            | Fact::DutyEnded { .. }
            | Fact::SurgeStarted(_)
            | Fact::SurgeEnded
            | Fact::SheetPut(_)
            | Fact::SheetEnded { .. }
            | Fact::SheetArchived { .. } => None,
            _ if !self.opened => Some("an event of a case that was never opened"),
            fact => self.of_case(fact),
        }
    }

    fn of_case(&mut self, fact: &Fact) -> Option<&'static str> {
        let unless = |known: bool, problem: &'static str| (!known).then_some(problem);
        match fact {
            Fact::Claimed { .. } => {
                self.held = true;
                None
            }
            Fact::ClaimEnded { .. } => {
                let held = std::mem::replace(&mut self.held, false);
                unless(held, "a claim ended that nobody had")
            }
            Fact::ClaimSuspect { .. } | Fact::ClaimResumed { .. } | Fact::FellBack { .. } => {
                unless(self.held, "a claim changed that nobody had")
            }
            Fact::ActionOpened(action) => unless(self.actions.insert(action.id), "an action was opened twice"),
            Fact::ActionMoved { action, .. } | Fact::ActionAlarmed { action } => {
                let open = self.actions.contains(action) && !self.ended.contains(action);
                unless(open, "an action changed that was not open")
            }
            Fact::ActionEnded { action, .. } => {
                let open = self.actions.contains(action) && self.ended.insert(*action);
                unless(open, "an action ended that was not open")
            }
            Fact::NeedSigned(decision) => unless(self.decisions.insert(decision.id), "a need was signed twice"),
            Fact::AnswerSigned { decision, .. } | Fact::Planned { decision, .. } => {
                unless(self.decisions.contains(decision), "an answer or a plan without its need")
            }
            Fact::Offered(offer) => unless(self.offers.insert(offer.id), "an offer was made twice"),
            Fact::OfferAccepted { offer, .. } | Fact::OfferClosed { offer, .. } | Fact::OfferWithdrawn { offer } => {
                unless(self.offers.contains(offer), "an answer to an offer that was never made")
            }
            Fact::SlotHeld { offer, .. } | Fact::SlotBooked { offer, .. } => {
                unless(self.offers.contains(offer), "a slot for an offer that was never made")
            }
            Fact::VisitDecided(visit) => unless(self.visits.insert(visit.id), "a visit was decided twice"),
            Fact::VisitTaken { visit, .. } | Fact::VisitMoved { visit, .. } => {
                unless(self.visits.contains(visit), "a step of a visit that was never decided")
            }
            Fact::TransferSent(transfer) => {
                let new = self.transfers.insert(transfer.there, true).is_none();
                unless(new, "a hand-over was begun twice")
            }
            Fact::TransferEnded { there, .. } => {
                let waited = self.transfers.insert(*there, false);
                unless(waited == Some(true), "a hand-over ended that did not wait")
            }
            Fact::TransferGoesOn { there } => {
                unless(self.transfers.get(there) == Some(&false), "a copy goes on of a hand-over that had not ended")
            }
            Fact::TransferReceived(_) => {
                let twice = std::mem::replace(&mut self.received, true);
                unless(!twice, "a case was received twice")
            }
            Fact::TransferAnswered(_)
            | Fact::TransferBrought { .. }
            | Fact::TransferSettled { .. }
            | Fact::TransferReopened { .. } => {
                unless(self.received, "words about a hand-over of a case that never was one")
            }
            Fact::CaseArchived => {
                let left = self.actions.difference(&self.ended).next().is_none();
                unless(left, "a case left the working set while something was to be done")
            }
            _ => None,
        }
    }
}

/// The slot that a fact names.
pub(super) fn slot_of(fact: &Fact) -> Option<SlotId> {
    match fact {
        Fact::SlotPublished(slot) => Some(slot.id),
        Fact::SlotHeld { slot, .. }
        | Fact::SlotBooked { slot, .. }
        | Fact::SlotFreed { slot }
        | Fact::SlotWithdrawn { slot }
        | Fact::SlotArchived { slot } => Some(*slot),
        _ => None,
    }
}

/// The shift that a fact names.
pub(super) fn shift_of(fact: &Fact) -> Option<ShiftId> {
    match fact {
        Fact::ShiftOpened(shift) => Some(shift.id),
        Fact::ShiftBusy { shift, .. }
        | Fact::ShiftEnded { shift }
        | Fact::ShiftArchived { shift }
        | Fact::VisitTaken { shift, .. } => Some(*shift),
        _ => None,
    }
}

/// The case that a slot's own record names.
pub(super) fn bound_case(state: &SlotState) -> Option<CaseId> {
    match state {
        SlotState::Held { case, .. } | SlotState::Booked { case, .. } => Some(*case),
        SlotState::Free | SlotState::Withdrawn { .. } => None,
    }
}

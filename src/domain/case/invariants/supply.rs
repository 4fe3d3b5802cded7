//! Rule 4: a slot is bound to one case at most; what is free again is free for everybody; a doctor makes one visit.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    case::{
        fact::Records,
        state::{Case, Offer, OfferState},
    },
    ids::{OfferId, SlotId},
    routing::Means,
    slots::{Slot, SlotState},
    visits::{Shift, ShiftState},
};

use super::Violation;

/// Slots, shifts and offers against each other, as far as their records are at hand.
pub(super) fn rules(records: &Records) -> Vec<Violation> {
    let slots = records.slots.values().filter_map(|slot| found("slot", slot.id, slot_rule(records, slot)?));
    let shifts = records.shifts.values().filter_map(|shift| found("shift", shift.id, shift_rule(records, shift)?));
    let cases = records.cases.values().flat_map(|case| {
        let rules = [two_offers(case), booked_elsewhere(records, case), driver_elsewhere(records, case)];
        rules.into_iter().flatten().filter_map(|problem| found("case", case.id, problem))
    });
    slots.chain(shifts).chain(cases).chain(twice_sold(records)).chain(on_two_visits(records)).collect()
}

fn found(kind: &str, id: impl std::fmt::Display, problem: &'static str) -> Option<Violation> {
    Some(Violation { rule: 4, what: format!("{kind} {id}"), problem })
}

fn slot_rule(records: &Records, slot: &Slot) -> Option<&'static str> {
    let offer = |case, offer: OfferId| records.cases.get(&case).map(|known| known.offer(offer));
    match slot.state {
        SlotState::Booked { case, offer: id, .. } => {
            let accepted = offer(case, id)?.is_some_and(|known| matches!(known.state, OfferState::Accepted { .. }));
            (!accepted).then_some("booked without an accepted offer")
        }
        SlotState::Held { case, offer: id, .. } => {
            let waits = offer(case, id)?.is_some_and(|known| known.state == OfferState::Open);
            (!waits).then_some("held for an offer that is over")
        }
        SlotState::Free | SlotState::Withdrawn { .. } => None,
    }
}

fn shift_rule(records: &Records, shift: &Shift) -> Option<&'static str> {
    let ShiftState::OnVisit { case, visit } = &shift.state else { return None };
    let visit = records.cases.get(case)?.visit(*visit);
    let under_way = visit.is_some_and(|visit| {
        !visit.status.ended()
            && visit.doctor.as_ref().is_some_and(|(doctor, id)| *id == shift.id && *doctor == shift.doctor)
    });
    (!under_way).then_some("on a visit that is over or another doctor's")
}

fn two_offers(case: &Case) -> Option<&'static str> {
    let open = case.offers.iter().filter(|offer| offer.state == OfferState::Open).map(|offer| offer.decision);
    let mut seen = BTreeSet::new();
    open.into_iter().any(|decision| !seen.insert(decision)).then_some("two offers of one decision are open")
}

/// An accepted slot is booked for just this offer.
fn booked_elsewhere(records: &Records, case: &Case) -> Option<&'static str> {
    let lost = accepted_slots(case).any(|(slot, offer)| {
        let known = records.slots.get(&slot).map(|slot| &slot.state);
        known.is_some_and(|state| !matches!(state, SlotState::Booked { offer: held, .. } if *held == offer.id))
    });
    lost.then_some("an accepted slot is not booked for it")
}

/// The doctor of a visit under way is on it, or on one to another patient of the same case.
fn driver_elsewhere(records: &Records, case: &Case) -> Option<&'static str> {
    let under_way = case.visits.iter().filter(|visit| !visit.status.ended());
    let elsewhere = under_way.filter_map(|visit| Some(visit.doctor.as_ref()?.1)).any(|shift| {
        let here = |state: &ShiftState| matches!(state, ShiftState::OnVisit { case: on, .. } if *on == case.id);
        records.shifts.get(&shift).is_some_and(|known| !here(&known.state))
    });
    elsewhere.then_some("the doctor of a visit under way is not on it")
}

fn accepted_slots(case: &Case) -> impl Iterator<Item = (SlotId, &Offer)> {
    let accepted = case.offers.iter().filter(|offer| matches!(offer.state, OfferState::Accepted { .. }));
    accepted.filter_map(|offer| match offer.means {
        Means::Slot { slot, .. } => Some((slot, offer)),
        Means::Ring | Means::Visit { .. } => None,
    })
}

/// The sum over all cases: every slot was given away once at most, whatever its own record says.
fn twice_sold(records: &Records) -> Vec<Violation> {
    let mut sold: BTreeMap<SlotId, u32> = BTreeMap::new();
    for (slot, _) in records.cases.values().flat_map(|case| accepted_slots(case)) {
        *sold.entry(slot).or_default() += 1;
    }
    let twice = sold.into_iter().filter(|(_, cases)| *cases > 1);
    twice.filter_map(|(slot, _)| found("slot", slot, "accepted by two cases")).collect()
}

/// Whatever shifts a doctor has, he is on one visit at most.
fn on_two_visits(records: &Records) -> Vec<Violation> {
    let mut seen = BTreeSet::new();
    let on_visit = records.shifts.values().filter(|shift| matches!(shift.state, ShiftState::OnVisit { .. }));
    let again = on_visit.filter(|shift| !seen.insert(&shift.doctor));
    again.filter_map(|shift| found("shift", shift.id, "its doctor is on another visit too")).collect()
}

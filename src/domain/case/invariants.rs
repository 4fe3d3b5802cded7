//! What must never happen to records (design.md §3), checked after every decision and after every event of a log.

use crate::domain::{ids::CaseId, slots::SlotState, visits::ShiftState};

use super::{
    action::ActionKind,
    decide::Outcome,
    fact::Records,
    state::{Case, OfferState},
    status::complete,
};

/// The first rule that `outcome` would break, beginning from `before`; `None` when it may be committed.
pub fn broken(before: &Records, outcome: &Outcome) -> Option<String> {
    let case = outcome.event.case.and_then(|id| outcome.after.cases.get(&id));
    let old = outcome.event.case.and_then(|id| before.cases.get(&id));
    case.and_then(|case| case_rule(case).or_else(|| history_rule(old?, case)))
        .or_else(|| supply_rules(&outcome.after).into_iter().next())
}

/// Every broken rule of a territory's records, each named with what it concerns.
pub fn violations(records: &Records) -> Vec<String> {
    let cases = records.cases.values().filter_map(|case| Some(format!("case {}: {}", case.id, case_rule(case)?)));
    cases.chain(supply_rules(records)).collect()
}

/// The first rule a case breaks by itself.
fn case_rule(case: &Case) -> Option<String> {
    if case.open_actions().next().is_none() && !complete(case) {
        return Some("2: an unfinished case has no open action".to_owned());
    }
    if case.qualification.is_none()
        && case.decisions.is_empty()
        && case.dismissed.is_none()
        && case.idle_since.is_some()
    {
        return Some("5: ended without a doctor's decision".to_owned());
    }
    if let Some(qualification) = &case.qualification {
        let regulated = case.decisions.iter().any(|decision| decision.protocol.is_none());
        let ended = case.idle_since.is_some() && case.dismissed.is_none();
        if ended && qualification.needs_doctor() && !regulated {
            return Some("5: a doctor was compulsory and none decided".to_owned());
        }
    }
    offers_rule(case)
}

/// One live offer per decision, and each live offer has the action that waits for its answer.
fn offers_rule(case: &Case) -> Option<String> {
    for decision in &case.decisions {
        let live =
            case.offers.iter().filter(|offer| offer.decision == decision.id && matches!(offer.state, OfferState::Open));
        if live.count() > 1 {
            return Some("4: two offers of one decision are open".to_owned());
        }
    }
    let waits =
        |kind: ActionKind| matches!(kind, ActionKind::RingGp | ActionKind::ConfirmSlot | ActionKind::AcceptVisit);
    let lost = case
        .offers
        .iter()
        .filter(|offer| matches!(offer.state, OfferState::Open))
        .any(|offer| !case.open_actions().any(|action| waits(action.kind) && action.about.offer == Some(offer.id)));
    lost.then(|| "2: an open offer has nobody who waits for its answer".to_owned())
}

/// What the past of a case forbids.
fn history_rule(old: &Case, new: &Case) -> Option<String> {
    let kept = old.decisions.iter().all(|known| {
        new.decision(known.id).is_some_and(|now| {
            now.need == known.need
                && now.signed == known.signed
                && (known.answer.is_none() || now.answer == known.answer)
        })
    });
    if !kept {
        return Some("13: a signed need or answer was overwritten".to_owned());
    }
    if new.last_claim < old.last_claim {
        return Some("3: a fencing number went back".to_owned());
    }
    let notes = &old.sealed.notes;
    (!new.sealed.notes.starts_with(notes)).then(|| "13: a note was changed".to_owned())
}

/// Slots and shifts against the cases at hand.
fn supply_rules(records: &Records) -> Vec<String> {
    let mut found = Vec::new();
    for slot in records.slots.values() {
        if let SlotState::Booked { case, offer, .. } = slot.state
            && let Some(known) = records.cases.get(&case)
            && !known.offer(offer).is_some_and(|offer| matches!(offer.state, OfferState::Accepted { .. }))
        {
            found.push(format!("slot {}: 4: booked without an accepted offer", slot.id));
        }
    }
    for shift in records.shifts.values() {
        if let ShiftState::OnVisit { case, visit } = &shift.state
            && let Some(known) = records.cases.get(case)
            && known.visit(*visit).is_none_or(|visit| visit.status.ended())
        {
            found.push(format!("shift {}: 4: on a visit that is over", shift.id));
        }
    }
    found.extend(regulators_who_visit(records).map(|id| format!("case {id}: 6: a regulator is its responder")));
    found
}

/// Cases of which a regulator took a visit without the dated exception of a convention.
fn regulators_who_visit(records: &Records) -> impl Iterator<Item = CaseId> {
    records.cases.values().filter_map(|case| {
        let taken = case.visits.iter().filter_map(|visit| visit.doctor.as_ref());
        taken
            .map(|(doctor, _)| doctor)
            .any(|doctor| case.regulators.contains(doctor) && !case.excepted.contains(doctor))
            .then_some(case.id)
    })
}

//! A patient who is sent elsewhere, to an emergency department or to the AMU: what was being looked for for him before is not
//! gone on with, and what is agreed already stands, and rings, until somebody cancels it.

use crate::domain::{
    case::{
        Case,
        action::{Action, ActionKind, End},
        fact::Fact,
        state::{Offer, OfferState},
    },
    ids::{DecisionId, OfferId},
    regulation::qualification::Priority,
    routing::Means,
    visits::VisitStatus,
};

use super::draft::Draft;

const ENDED: &str = "ROUTING_ENDED: the patient is sent elsewhere: what was still to be done for an earlier decision (finding a \
                     responder, delivering a prescription) was ended; tell whoever was rung";
const STANDS: &str = "APPOINTMENT_STANDS: the patient is sent elsewhere and still has an appointment or a visit of an earlier \
                      decision: its action rings for the coordinators, who cancel it or let it stand";

/// Whether the patient of a decision was sent elsewhere after its answer, and nobody has answered for him since nor heard that
/// he is not taken there. With several patients nobody says for whom a P0 is.
pub(super) fn sent(case: &Case, decision: DecisionId) -> bool {
    let Some(patient) = case.decision(decision).map(|known| known.need.patient) else { return false };
    let own = case.decisions.iter().filter(|known| known.need.patient == patient);
    let answered = own.filter_map(|known| Some((known.answer.as_ref()?, known.id)));
    let Some((last, id)) = answered.max_by_key(|(answer, _)| answer.signed.at) else { return false };
    let vital = case.qualification.as_ref().is_some_and(|known| known.priority == Priority::P0);
    let handed_over =
        case.actions.iter().any(|known| known.kind == ActionKind::HandOver && known.opened > last.signed.at);
    let away = id != decision && last.elsewhere() && !sent_back(case, id);
    away || vital && handed_over && case.of_one_patient()
}

/// Whether what carried a decision out ended badly: the department refused, the ambulance brought nobody.
fn sent_back(case: &Case, decision: DecisionId) -> bool {
    let carried = case.actions.iter().rev().find(|action| {
        matches!(action.kind, ActionKind::AnnouncePatient | ActionKind::AwaitReport)
            && action.about.decision == Some(decision)
    });
    carried.and_then(Action::ended_as).is_some_and(End::bad)
}

/// A doctor sends the patient of `decision` elsewhere: his earlier decisions are not gone on with.
pub(super) fn instead_of_earlier(draft: &mut Draft<'_>, decision: DecisionId) {
    let Ok(case) = draft.case() else { return };
    let Some(patient) = case.decision(decision).map(|known| known.need.patient) else { return };
    let earlier = case.decisions.iter().filter(|known| known.id != decision && known.need.patient == patient);
    let earlier: Vec<DecisionId> = earlier.map(|known| known.id).collect();
    leave(draft, &earlier, |_| true);
}

/// The only patient of a case was found vital. A P0 waits for no record of a slot: what is held for it ends with its hold.
pub(super) fn vital(draft: &mut Draft<'_>) {
    let Ok(case) = draft.case() else { return };
    if case.of_one_patient() {
        let all: Vec<DecisionId> = case.decisions.iter().map(|known| known.id).collect();
        leave(draft, &all, |offer| !matches!(offer.means, Means::Slot { .. }));
    }
}

fn leave(draft: &mut Draft<'_>, decisions: &[DecisionId], at_once: impl Fn(&Offer) -> bool) {
    let Ok(case) = draft.case() else { return };
    let of_these = |decision: Option<DecisionId>| decision.is_some_and(|id| decisions.contains(&id));
    let open = case.offers.iter().filter(|offer| offer.state == OfferState::Open && of_these(Some(offer.decision)));
    let open: Vec<Offer> = open.filter(|offer| at_once(offer)).cloned().collect();
    let looked_for = |action: &Action| {
        let put = action.about.offer.is_some_and(|id| open.iter().any(|offer| offer.id == id));
        let begun = matches!(action.kind, ActionKind::Route | ActionKind::DeliverPrescription);
        put || begun && of_these(action.about.decision)
    };
    let agreed: Vec<Action> =
        case.open_actions().filter(|action| stands(case, action) && of_these(action.about.decision)).cloned().collect();
    let ended = case.open_actions().any(looked_for);
    for offer in &open {
        draft.close_offer(offer, Fact::OfferWithdrawn { offer: offer.id });
    }
    draft.end(End::Replaced, looked_for);
    draft.reply.warnings.extend(ended.then(|| ENDED.to_owned()));
    still_agreed(draft, &agreed);
}

/// Whether an action is about what was agreed and can still be cancelled: a doctor who is with the patient goes on.
fn stands(case: &Case, action: &Action) -> bool {
    match action.kind {
        ActionKind::Appointment => true,
        ActionKind::Visit => {
            let visit = action.about.visit.and_then(|id| case.visit(id));
            visit.is_some_and(|visit| visit.status.may_become(VisitStatus::CalledOff))
        }
        _ => false,
    }
}

/// An offer was accepted for a patient who had been sent elsewhere meanwhile.
pub(super) fn agreed_since(draft: &mut Draft<'_>, offer: OfferId) {
    let Ok(case) = draft.case() else { return };
    if case.offer(offer).is_some_and(|known| sent(case, known.decision)) {
        let of_offer = |action: &&Action| stands(case, action) && action.about.offer == Some(offer);
        let agreed: Vec<Action> = case.open_actions().filter(of_offer).cloned().collect();
        still_agreed(draft, &agreed);
    }
}

fn still_agreed(draft: &mut Draft<'_>, agreed: &[Action]) {
    draft.reply.warnings.extend((!agreed.is_empty()).then(|| STANDS.to_owned()));
    for action in agreed.iter().filter(|action| action.alarmed().is_none()) {
        draft.ring_at_once(action.id);
    }
}

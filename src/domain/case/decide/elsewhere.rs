//! A patient who is sent elsewhere, to an emergency department or to the AMU: what was being looked for for him before is not
//! gone on with, and what is agreed already stands, and rings, until somebody cancels it.

use crate::domain::{
    case::{
        Case,
        action::{Action, ActionKind, End},
        fact::Fact,
        state::{Offer, OfferState},
    },
    ids::{ActionId, DecisionId},
    regulation::{decision::Decision, qualification::Priority},
    routing::Means,
};

use super::draft::Draft;

const ENDED: &str = "ROUTING_ENDED: the patient is sent elsewhere: what was still being looked for by an earlier decision was \
                     ended; tell whoever was rung";
const STANDS: &str = "APPOINTMENT_STANDS: the patient is sent elsewhere and still has an appointment or a visit of an earlier \
                      decision: its action rings for the coordinators, who cancel it or let it stand";

/// Whether the patient of a decision was sent elsewhere since it was signed. With several patients nobody says for whom a P0 is.
pub(super) fn sent(case: &Case, decision: DecisionId) -> bool {
    let mut since = case.decisions.iter().skip_while(|known| known.id != decision);
    let Some(known) = since.next() else { return false };
    let away = |later: &Decision| {
        later.need.patient == known.need.patient && later.answer.as_ref().is_some_and(|answer| answer.care.elsewhere())
    };
    let vital =
        case.qualification.as_ref().is_some_and(|last| last.priority == Priority::P0 && last.at > known.signed.at);
    vital && case.patients.len() <= 1 || since.any(away)
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
    if case.patients.len() <= 1 {
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
        put || action.kind == ActionKind::Route && of_these(action.about.decision)
    };
    let agreed = |action: &&Action| {
        matches!(action.kind, ActionKind::Appointment | ActionKind::Visit) && of_these(action.about.decision)
    };
    let agreed: Vec<(ActionId, bool)> =
        case.open_actions().filter(agreed).map(|action| (action.id, action.alarmed().is_some())).collect();
    let ended = case.open_actions().any(looked_for);
    for offer in &open {
        draft.close_offer(offer, Fact::OfferWithdrawn { offer: offer.id });
    }
    draft.end(End::Replaced, looked_for);
    draft.reply.warnings.extend(ended.then(|| ENDED.to_owned()));
    draft.reply.warnings.extend((!agreed.is_empty()).then(|| STANDS.to_owned()));
    for (action, _) in agreed.into_iter().filter(|(_, rings)| !rings) {
        draft.ring_at_once(action);
    }
}

//! Carrying an answer out: the plan's first kept option is put to its responder; nobody left is the UNANSWERED lane.

use crate::domain::{
    actor::Role,
    case::{
        action::{About, Action, ActionKind, End, Owner},
        fact::Fact,
        outgoing::ask_patient_first,
        refusal::Refusal,
        state::{Offer, OfferState},
    },
    ids::{DecisionId, OfferId, PersonId, ResponderId, VisitId},
    regulation::{
        decision::Decision,
        independence::{Independence, independence},
    },
    routing::{Means, Plan, Row},
    slots::SlotRefusal,
    territory::RoutingPolicy,
    time::Instant,
    visits::{Visit, VisitStatus},
};

use super::{
    conditions,
    draft::{Draft, coordinators, regulators},
};

/// What the caller is told of it.
const UNANSWERED: &str = "UNANSWERED: nobody is left to be asked: an alarm was raised in the UNANSWERED lane, and a regulator \
                          was called to decide again";

/// Takes the first kept option of `plan`, which was made from the supply as the caller saw it; what it books is judged
/// here, against the records of the commit.
pub(super) fn advance(draft: &mut Draft<'_>, id: DecisionId, plan: &Plan) -> Result<(), Refusal> {
    let decision = draft.decision(id)?.clone();
    if decision.answer.is_none() {
        return Err(Refusal::state("decision", "its answer is not signed yet"));
    }
    let about = About { decision: Some(id), ..About::default() };
    let waits = draft.case()?.open_actions().any(|action| action.kind == ActionKind::Route && action.about == about);
    if !waits {
        return Err(Refusal::state("decision", "it does not wait for routing: an offer is open, or it is carried out"));
    }
    draft.reply.decision = Some(id);
    draft.push(Fact::Planned { decision: id, plan: Box::new(plan.clone()) });
    match plan.first() {
        Some(row) => take(draft, &decision, row, about),
        None => {
            nobody_left(draft, about);
            Ok(())
        }
    }
}

fn take(draft: &mut Draft<'_>, decision: &Decision, row: &Row, about: About) -> Result<(), Refusal> {
    let (Some(responder), Some(means)) = (row.responder.clone(), row.means.clone()) else {
        return Err(Refusal::Broken("a kept option without responder or means".to_owned()));
    };
    independent(draft, &responder)?;
    let offer = OfferId(draft.id("offer"));
    let until = asked_until(&draft.context.territory.routing, draft.now, decision.deadline(), row, &means);
    if let Means::Slot { slot, start, end } = means {
        let known = draft.records.slots.get(&slot).ok_or_else(|| Refusal::NotFound("slot".to_owned()))?;
        if known.responder != responder || (known.start, known.end) != (start, end) {
            return Err(Refusal::state("slot", "its owner published it again with other times: plan again"));
        }
        known.open_to_hold(draft.now).map_err(|refusal: SlotRefusal| Refusal::state("slot", refusal.to_string()))?;
    }
    let (id, at) = (decision.id, draft.now);
    let state = OfferState::Open;
    let category = row.category;
    draft.push(Fact::Offered(Offer {
        id: offer,
        decision: id,
        category,
        responder,
        means: means.clone(),
        at,
        until,
        state,
    }));
    if let Means::Slot { slot, .. } = means {
        draft.push(Fact::SlotHeld { slot, offer, until });
    }
    draft.reply.offer = Some(offer);
    ask_first(draft, offer);
    conditions::tell(draft, offer);
    wait_for(draft, decision, offer, until);
    draft.end(End::Replaced, |action| action.kind == ActionKind::Route && action.about == about);
    Ok(())
}

/// Until when an option may answer. What waits, for a practice to open or for a doctor to come back from a visit, waits no
/// longer than the deadline; for a doctor no longer than one is on duty and another option could still be asked.
fn asked_until(policy: &RoutingPolicy, now: Instant, deadline: Instant, row: &Row, means: &Means) -> Instant {
    match means {
        Means::Ring => {
            let open = row.earliest.map_or(now, |open| open.max(now));
            (open + policy.gp_offer).min(deadline.max(now + policy.gp_offer))
        }
        Means::Slot { .. } => now + policy.hold,
        Means::Visit { .. } => {
            let busy_until = row.busy_until.unwrap_or(now).min(deadline - policy.one_more());
            busy_until.max(now + policy.visit_offer)
        }
    }
}

/// Opens the action that waits for the offer's answer; its deadline is the offer's, and the signed delay where that ends before.
fn wait_for(draft: &mut Draft<'_>, decision: &Decision, offer: OfferId, until: Instant) {
    let Some(put) = draft.case().ok().and_then(|case| case.offer(offer).cloned()) else { return };
    let about = About { decision: Some(decision.id), offer: Some(offer), visit: None };
    let until = draft.within_delay(decision.id, until);
    match put.means {
        Means::Ring => draft.open(ActionKind::RingGp, coordinators(), until, about),
        Means::Slot { .. } => draft.open(ActionKind::ConfirmSlot, coordinators(), until, about),
        Means::Visit { sector } => {
            let id = VisitId(draft.id("visit"));
            let history = vec![(VisitStatus::Decided, draft.now)];
            let (due, status) = (decision.deadline(), VisitStatus::Decided);
            let responder = put.responder.clone();
            let visit =
                Visit { id, decision: decision.id, offer, responder, sector, due, status, doctor: None, history };
            draft.push(Fact::VisitDecided(visit));
            let about = About { visit: Some(id), ..about };
            draft.open(ActionKind::AcceptVisit, Owner::Responder(put.responder), until, about);
        }
    }
}

/// Whoever goes on by hand is told; with the offer it stays to be read.
fn ask_first(draft: &mut Draft<'_>, offer: OfferId) {
    let why = draft.case().ok().and_then(|case| ask_patient_first(case, draft.context.directory, case.offer(offer)?));
    if let Some(why) = why {
        let told = format!("ASK_PATIENT_FIRST: {}: ask the patient before his GP's practice is asked", why.code());
        draft.reply.warnings.push(told);
    }
}

/// No responder of which every doctor regulated this case. A structure's doctor who accepts is checked again then.
fn independent(draft: &mut Draft<'_>, responder: &ResponderId) -> Result<(), Refusal> {
    let Some(known) = draft.context.directory.get(responder) else {
        return Err(Refusal::NotFound("responder".to_owned()));
    };
    if let [only] = known.doctors.as_slice() {
        check_person(draft, only)?;
    }
    Ok(())
}

/// Refuses a person who regulated the case, unless a dated convention allows it, which the log then keeps.
pub(super) fn check_person(draft: &mut Draft<'_>, person: &PersonId) -> Result<(), Refusal> {
    let exceptions = &draft.context.territory.regulation.independence_exceptions;
    match independence(draft.case()?.regulators.iter(), person, exceptions, draft.now) {
        Independence::Independent => Ok(()),
        Independence::Excepted(convention) => {
            draft.push(Fact::Excepted { person: person.clone(), convention });
            Ok(())
        }
        Independence::Refused => Err(Refusal::Independence),
    }
}

/// Nobody is left: an alarm in the UNANSWERED lane, and a regulator decides again. Never silently ended.
fn nobody_left(draft: &mut Draft<'_>, about: About) {
    let Ok(case) = draft.case() else { return };
    let stream = case.qualification.as_ref().map(|known| known.stream);
    let owner = stream.map_or(Owner::Desk(Role::Regulator, None), regulators);
    draft.open(ActionKind::Unanswered, owner, draft.now, about.clone());
    let its_own = |action: &&Action| action.kind == ActionKind::Unanswered && action.about == about;
    let lane = draft.case().ok().and_then(|case| case.open_actions().find(its_own).map(|action| action.id));
    if let Some(action) = lane {
        draft.push(Fact::ActionAlarmed { action });
    }
    draft.call_for_regulator();
    draft.end(End::Unreachable, |action| action.kind == ActionKind::Route && action.about == about);
    draft.reply.warnings.push(UNANSWERED.to_owned());
}

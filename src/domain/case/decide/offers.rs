//! Offers and appointments: accepted, declined, expired, kept, missed. Silence is never acceptance.

use crate::domain::{
    actor::Role,
    calendar::wall_time,
    case::{
        Case,
        action::{About, Action, ActionKind, End, Owner},
        command::{Counter, OfferAnswer},
        fact::Fact,
        outgoing::{Outgoing, may_send},
        refusal::Refusal,
        sealed::NoteKind,
        state::{Offer, OfferState},
    },
    ids::OfferId,
    person::Private,
    routing::{Category, Means, WhyNot},
    time::{Instant, Span},
    visits::{Shift, VisitStatus},
};

use super::{
    conditions, counter,
    draft::{Draft, coordinators},
    elsewhere,
    regulate::reason_given,
    route::check_person,
};

/// How long before the hour that was agreed a patient may have been seen: who comes early is taken when there is room.
const SEEN_EARLY: Span = Span::from_hours(1);

pub(super) fn answer(draft: &mut Draft<'_>, id: OfferId, answer: &OfferAnswer) -> Result<(), Refusal> {
    let offer = draft.open_offer(id)?;
    own_offer(draft, &offer)?;
    draft.reply.offer = Some(id);
    match answer {
        OfferAnswer::Accepted { appointment } => accept(draft, &offer, *appointment),
        OfferAnswer::Confirmed if matches!(offer.means, Means::Slot { .. }) => accept(draft, &offer, None),
        OfferAnswer::Confirmed => Err(Refusal::state("offer", "no slot is held by it: use AnswerOffer")),
        OfferAnswer::Declined => decline(draft, &offer),
        OfferAnswer::Unreachable => {
            draft.offer_failed(&offer, WhyNot::Unreachable, End::Unreachable);
            Ok(())
        }
    }
}

/// A doctor who declines a visit speaks for himself, a desk for the structure.
fn decline(draft: &mut Draft<'_>, offer: &Offer) -> Result<(), Refusal> {
    let actor = draft.context.actor;
    if actor.role != Role::Responder || !offer.is_visit() {
        draft.offer_failed(offer, WhyNot::Declined, End::Refused);
        return Ok(());
    }
    if draft.case()?.refused_by(offer.decision, &actor.person) {
        let problem = "you have said no to this visit: it is your colleagues' to answer, or the dispatcher's";
        return Err(Refusal::state("offer", problem));
    }
    if others_duty(draft, offer) {
        let problem =
            "you are not on duty in this sector, and a colleague is: it is his to answer, or the dispatcher's";
        return Err(Refusal::state("offer", problem));
    }
    draft.offer_refused_by(offer, &actor.person);
    Ok(())
}

/// Whether an offered visit is before doctors on duty of whom the acting one is none.
fn others_duty(draft: &Draft<'_>, offer: &Offer) -> bool {
    let Means::Visit { sector } = &offer.means else { return false };
    let of_offer = |shift: &&Shift| shift.responder == offer.responder && shift.sectors.contains(sector);
    let mut here = draft.records.shifts.values().filter(of_offer).filter(|shift| shift.on_duty(draft.now)).peekable();
    here.peek().is_some() && here.all(|shift| shift.doctor != draft.context.actor.person)
}

fn accept(draft: &mut Draft<'_>, offer: &Offer, appointment: Option<Instant>) -> Result<(), Refusal> {
    let at = match (&offer.means, appointment) {
        (Means::Slot { slot, start, .. }, _) => {
            let known = draft.records.slots.get(slot).ok_or_else(|| Refusal::NotFound("slot".to_owned()))?;
            known.may_book(offer.id, draft.now).map_err(|refusal| Refusal::state("slot", refusal.to_string()))?;
            let own_patient = own_patient(draft, offer);
            draft.push(Fact::SlotBooked { slot: *slot, offer: offer.id, own_patient });
            *start
        }
        (Means::Ring, Some(at)) if at + Span::from_mins(1) >= draft.now => soon_enough(draft, offer, at)?,
        (Means::Ring, _) => {
            return Err(Refusal::field(
                "accepted.appointment_unix_ms",
                "say when the patient is received: now or later",
            ));
        }
        (Means::Visit { .. }, _) => {
            return Err(Refusal::state("offer", "a visit is accepted by a doctor on duty: use AcceptVisit"));
        }
    };
    check_actor(draft)?;
    responds(draft, offer.id)?;
    draft.push(Fact::OfferAccepted { offer: offer.id, appointment: at });
    let about = About { decision: Some(offer.decision), offer: Some(offer.id), visit: None };
    let grace = draft.context.territory.regulation.deadlines.appointment_grace;
    draft.open(ActionKind::Appointment, coordinators(), at + grace, about);
    conditions::tell(draft, offer.id);
    conditions::arrange_transport(draft, offer, at);
    draft.end(End::Done, |action| waits_for(action, offer.id));
    elsewhere::agreed_since(draft, offer.id);
    Ok(())
}

/// Whether the responder that was asked is the patient's own GP.
fn own_patient(draft: &Draft<'_>, offer: &Offer) -> bool {
    let of_case = |case: &Case| {
        let patient = case.patient(case.decision(offer.decision)?.need.patient)?;
        patient.own_gp.as_ref().map(|own| *own == offer.responder)
    };
    draft.case().ok().and_then(of_case).unwrap_or(false)
}

/// An hour beyond the longest delay that the doctor signed is no yes to what he decided. One that is over already is made the
/// best of.
fn soon_enough(draft: &Draft<'_>, offer: &Offer, at: Instant) -> Result<Instant, Refusal> {
    let late = draft.context.territory.regulation.deadlines.appointment_late;
    let latest = draft.decision(offer.decision)?.deadline().max(draft.now) + late;
    if at <= latest {
        return Ok(at);
    }
    let zone = draft.context.territory.calendar.zone();
    let hour = wall_time(zone, latest, "%d/%m %H:%M");
    let problem = format!(
        "beyond the doctor's longest delay ({hour} at the latest), nothing was recorded: agree on an earlier hour, or send \
         declined and the next is asked"
    );
    Err(Refusal::field("accepted.appointment_unix_ms", problem))
}

/// A responder answers for the structures he gives care for, a dispatcher for their visits; a desk writes down what it was
/// told.
fn own_offer(draft: &Draft<'_>, offer: &Offer) -> Result<(), Refusal> {
    let actor = draft.context.actor;
    let mine = draft.context.directory.get(&offer.responder).is_some_and(|known| known.doctors.contains(&actor.person));
    let desk = match actor.role {
        Role::Responder => false,
        Role::Dispatcher => offer.is_visit(),
        _ => true,
    };
    if mine || desk {
        return Ok(());
    }
    let needed = "a doctor of the responder that was asked, or a desk".to_owned();
    Err(Refusal::Role { role: actor.role.code().to_owned(), needed })
}

/// A coordinator who writes down what a doctor said need not be independent: only a responder who speaks for himself must.
fn check_actor(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    let actor = draft.context.actor;
    if actor.role == Role::Responder { check_person(draft, &actor.person) } else { Ok(()) }
}

/// Keeps who gives the care, where he says so himself: he does not regulate the case afterwards.
fn responds(draft: &mut Draft<'_>, offer: OfferId) -> Result<(), Refusal> {
    let actor = draft.context.actor;
    let said = (offer, actor.person.clone());
    if actor.role == Role::Responder && !draft.case()?.responders.contains(&said) {
        let (offer, person) = said;
        draft.push(Fact::Responded { offer, person });
    }
    Ok(())
}

fn waits_for(action: &Action, offer: OfferId) -> bool {
    matches!(action.kind, ActionKind::RingGp | ActionKind::ConfirmSlot | ActionKind::AcceptVisit)
        && action.about.offer == Some(offer)
}

/// Takes back an offer, a hold or an appointment; the decision waits for routing again.
pub(super) fn cancel(draft: &mut Draft<'_>, id: OfferId, reason: &Private<String>) -> Result<(), Refusal> {
    let offer = draft.case()?.offer(id).cloned().ok_or_else(|| Refusal::NotFound("offer".to_owned()))?;
    let to_come = |action: &Action| matches!(action.kind, ActionKind::Appointment | ActionKind::Visit);
    let live = matches!(offer.state, OfferState::Open)
        || draft.case()?.open_actions().any(|action| to_come(action) && action.about.offer == Some(id));
    if !live {
        return Err(Refusal::state("offer", "it is over: nothing is left to cancel"));
    }
    let visit = draft.case()?.visits.iter().find(|visit| visit.offer == id);
    if visit.is_some_and(|visit| !visit.status.may_become(VisitStatus::CalledOff)) {
        return Err(Refusal::state("offer", "the doctor is there: it ends with the visit"));
    }
    reason_given(reason)?;
    draft.note(NoteKind::Reason, reason);
    draft.reply.offer = Some(id);
    draft.close_offer(&offer, Fact::OfferWithdrawn { offer: id });
    draft.look_on(&offer, End::Refused);
    Ok(())
}

/// Keeps a hold while the patient is being told; at most as long again as the policy gives.
pub(super) fn renew_hold(draft: &mut Draft<'_>, id: OfferId) -> Result<(), Refusal> {
    let offer = draft.open_offer(id)?;
    let Means::Slot { slot, .. } = offer.means else {
        return Err(Refusal::state("offer", "only a held slot can be held longer"));
    };
    let known = draft.records.slots.get(&slot).ok_or_else(|| Refusal::NotFound("slot".to_owned()))?;
    known.may_book(id, draft.now).map_err(|refusal| Refusal::state("slot", refusal.to_string()))?;
    let until = draft.now + draft.context.territory.routing.hold;
    draft.push(Fact::SlotHeld { slot, offer: id, until });
    let deadline = draft.within_delay(offer.decision, until);
    let waits = |action: &&Action| waits_for(action, id) && action.alarmed().is_none();
    let waiting = draft.case()?.open_actions().find(waits).map(|action| action.id);
    // An alarm for the signed delay goes on ringing.
    if let Some(action) = waiting {
        draft.push(Fact::ActionMoved { action, deadline });
    }
    draft.reply.offer = Some(id);
    Ok(())
}

/// The patient was seen, and the own GP hears of it; or did not come, and a regulator hears of it, unless he was sent elsewhere.
pub(super) fn attend(draft: &mut Draft<'_>, id: OfferId, seen: bool, counter: Option<&Counter>) -> Result<(), Refusal> {
    let offer = draft.case()?.offer(id).cloned().ok_or_else(|| Refusal::NotFound("offer".to_owned()))?;
    let waits = draft
        .case()?
        .open_actions()
        .any(|action| action.kind == ActionKind::Appointment && action.about.offer == Some(id));
    if !waits {
        return Err(Refusal::state("offer", "no appointment to come belongs to it"));
    }
    own_offer(draft, &offer)?;
    check_actor(draft)?;
    begun(draft, &offer, seen)?;
    if counter.is_some() && !seen {
        return Err(Refusal::field("counter_regulation", "only when the patient came: a no-show goes to a regulator"));
    }
    draft.reply.offer = Some(id);
    counter::record(draft, offer.decision, counter)?;
    let gone = !seen && elsewhere::sent(draft.case()?, offer.decision);
    let end = match (seen, gone) {
        (true, _) => End::Done,
        (false, true) => End::Replaced,
        (false, false) => End::NoShow,
    };
    if seen {
        responds(draft, id)?;
        return_of_information(draft, &offer);
    } else if !gone {
        draft.call_for_regulator();
    }
    draft.end(end, |action| action.kind == ActionKind::Appointment && action.about.offer == Some(id));
    conditions::transport_is_over(draft, id);
    Ok(())
}

/// Nobody is absent before his hour, nor was seen long before it.
fn begun(draft: &Draft<'_>, offer: &Offer, seen: bool) -> Result<(), Refusal> {
    let OfferState::Accepted { appointment, .. } = offer.state else { return Ok(()) };
    let from = if seen { appointment - SEEN_EARLY } else { appointment };
    if draft.now >= from {
        return Ok(());
    }
    let hour = |at| wall_time(draft.context.territory.calendar.zone(), at, "%d/%m %H:%M");
    let (code, begins, from) = (if seen { "SEEN" } else { "NO_SHOW" }, hour(appointment), hour(from));
    let problem =
        format!("it begins on {begins}: {code} is recorded from {from} on; cancel it if it does not take place");
    Err(Refusal::state("appointment", problem))
}

/// The own GP hears back when somebody else gave the care, unless the patient opposes it.
pub(super) fn return_of_information(draft: &mut Draft<'_>, offer: &Offer) {
    let Ok(case) = draft.case() else { return };
    let patient = case.decision(offer.decision).and_then(|decision| case.patient(decision.need.patient));
    let told = patient.is_some_and(|patient| {
        patient.own_gp.as_ref().is_some_and(|gp| *gp != offer.responder)
            && may_send(case, patient.number, Outgoing::Gp).is_ok()
    });
    if told && offer.category != Category::OwnGp {
        let deadline = draft.now + draft.context.territory.regulation.deadlines.return_of_information;
        let about = About { decision: Some(offer.decision), offer: Some(offer.id), visit: None };
        draft.open(ActionKind::ReturnOfInformation, Owner::Responder(offer.responder.clone()), deadline, about);
    }
}

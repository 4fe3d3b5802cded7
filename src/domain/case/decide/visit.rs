//! Home visits: a doctor on duty takes one, moves it on, reports. One address per doctor at a time.

use crate::domain::{
    actor::Role,
    case::{
        action::{About, Action, ActionKind, End, Owner},
        command::Counter,
        fact::Fact,
        refusal::Refusal,
        sealed::NoteKind,
        state::OfferState,
    },
    ids::{OfferId, ShiftId, VisitId},
    person::Private,
    routing::Means,
    time::Instant,
    visits::{Shift, ShiftState, Visit, VisitStatus},
};

use super::{counter, draft::Draft, offers::return_of_information, route::check_person};

pub(super) fn take(draft: &mut Draft<'_>, id: OfferId, shift: ShiftId) -> Result<(), Refusal> {
    let offer = draft.open_offer(id)?;
    let Means::Visit { sector } = &offer.means else {
        return Err(Refusal::state("offer", "it is no visit: use AnswerOffer"));
    };
    let shift = draft.records.shifts.get(&shift).cloned().ok_or_else(|| Refusal::NotFound("shift".to_owned()))?;
    own_shift(draft, &shift)?;
    if shift.responder != offer.responder {
        return Err(Refusal::state("shift", "it is another structure's: take a visit offered to yours"));
    }
    if !shift.ready_for(draft.case()?.id, sector, draft.now) {
        let problem = "not on duty in this sector, or still on a visit: finish it, or choose another doctor";
        return Err(Refusal::state("shift", problem));
    }
    let mut own = draft.records.shifts.values().filter(|known| known.doctor == shift.doctor && known.id != shift.id);
    if own.any(|known| matches!(known.state, ShiftState::OnVisit { .. })) {
        return Err(Refusal::state("shift", "the doctor is on a visit in another shift: finish it first"));
    }
    if draft.case()?.refused_by(offer.decision, &shift.doctor) {
        let problem = "this doctor has said no to this visit, or called it off: another doctor takes it";
        return Err(Refusal::state("shift", problem));
    }
    check_person(draft, &shift.doctor)?;
    let visit = visit_of(draft, id)?;
    draft.push(Fact::OfferAccepted { offer: id, appointment: visit.due });
    draft.push(Fact::VisitTaken { visit: visit.id, doctor: shift.doctor.clone(), shift: shift.id });
    draft.push(Fact::VisitMoved { visit: visit.id, status: VisitStatus::Dispatched, happened: draft.now });
    draft.push(Fact::ShiftBusy { shift: shift.id, visit: Some(visit.id) });
    let about = About { decision: Some(offer.decision), offer: Some(id), visit: Some(visit.id) };
    let deadline = visit.due.max(draft.now + draft.context.territory.regulation.deadlines.visit_offer);
    draft.open(ActionKind::Visit, Owner::Person(shift.doctor), deadline, about);
    draft.end(End::Done, |action| action.kind == ActionKind::AcceptVisit && action.about.offer == Some(id));
    draft.reply.offer = Some(id);
    Ok(())
}

/// Moves a visit on along the one table of legal steps. The patient's absence is an end of its action, not a status.
pub(super) fn step(
    draft: &mut Draft<'_>,
    id: VisitId,
    status: VisitStatus,
    happened: Option<Instant>,
) -> Result<(), Refusal> {
    let visit = known(draft, id)?;
    own_visit(draft, &visit)?;
    if !visit.status.may_become(status) || visit.doctor.is_none() {
        let (from, to, instead) = (visit.status.code(), status.code(), instead(&visit, status));
        return Err(Refusal::state("visit", format!("{instead} ({from} cannot become {to})")));
    }
    let last = visit.history.last().map_or(visit.due, |(_, at)| *at);
    let happened = happened.unwrap_or(draft.now);
    if happened > draft.now || happened < last {
        return Err(Refusal::field("happened_unix_ms", "must lie between the last status and now"));
    }
    if status == VisitStatus::CalledOff {
        return called_off(draft, &visit);
    }
    draft.push(Fact::VisitMoved { visit: id, status, happened });
    match status {
        VisitStatus::Arrived | VisitStatus::WithPatient => there(draft, id),
        VisitStatus::Finished => finished(draft, &visit),
        _ => {}
    }
    Ok(())
}

/// What to do where a step is not to be had.
fn instead(visit: &Visit, wanted: VisitStatus) -> &'static str {
    use VisitStatus::{Arrived, CalledOff, WithPatient};
    match (visit.status, wanted) {
        (from, _) if from.ended() => "it has ended, and nothing follows",
        _ if visit.doctor.is_none() => "no doctor has taken it: AcceptVisit comes first",
        (Arrived, CalledOff) => {
            "the doctor is there: end the visit's action as ABSENT (EndAction) where the patient is not"
        }
        (WithPatient, CalledOff) => "the doctor is with the patient: report FINPEC when it ends",
        _ => "a visit only moves on: report a later status",
    }
}

/// The doctor is there: the alarm is from now on for a visit that does not end.
fn there(draft: &mut Draft<'_>, id: VisitId) {
    let deadline = draft.now + draft.context.territory.regulation.deadlines.visit;
    let under_way = |action: &&Action| action.kind == ActionKind::Visit && action.about.visit == Some(id);
    let action = draft.case().ok().and_then(|case| case.open_actions().find(under_way).map(|action| action.id));
    if let Some(action) = action {
        draft.push(Fact::ActionMoved { action, deadline });
    }
}

/// His car has broken down, or he is called away: a coordinator finds another doctor at once, of his structure or not.
fn called_off(draft: &mut Draft<'_>, visit: &Visit) -> Result<(), Refusal> {
    let offer = draft.case()?.offer(visit.offer).cloned().ok_or_else(|| Refusal::NotFound("offer".to_owned()))?;
    if let Some((doctor, _)) = &visit.doctor {
        draft.offer_refused_by(&offer, doctor);
    }
    Ok(())
}

/// The doctor is free again; the report is still to come, and the own GP to be told.
fn finished(draft: &mut Draft<'_>, visit: &Visit) {
    let deadline = draft.now + draft.context.territory.regulation.deadlines.return_of_information;
    let about = About { decision: Some(visit.decision), offer: Some(visit.offer), visit: Some(visit.id) };
    if let Some((doctor, shift)) = &visit.doctor {
        draft.leave_visit(visit.id, *shift);
        draft.open(ActionKind::AwaitReport, Owner::Person(doctor.clone()), deadline, about);
    }
    let id = visit.id;
    draft.end(End::Done, |action| action.kind == ActionKind::Visit && action.about.visit == Some(id));
}

pub(super) fn report(
    draft: &mut Draft<'_>,
    id: VisitId,
    text: &Private<String>,
    counter: Option<&Counter>,
) -> Result<(), Refusal> {
    let visit = known(draft, id)?;
    own_visit(draft, &visit)?;
    if text.reveal().trim().is_empty() {
        return Err(Refusal::field("report", "write what was found and done"));
    }
    if visit.status != VisitStatus::Finished {
        return Err(Refusal::state("visit", "it has not ended: report FINPEC first"));
    }
    // A second report adds its words, and sends nothing on again.
    let awaits = |action: &Action| action.kind == ActionKind::AwaitReport && action.about.visit == Some(id);
    let awaited = draft.case()?.open_actions().any(awaits);
    if !awaited {
        draft.room_for(NoteKind::Report, text)?;
    }
    draft.note_on(NoteKind::Report, text, id);
    counter::record(draft, visit.decision, counter)?;
    let told =
        |action: &Action| action.kind == ActionKind::ReturnOfInformation && action.about.offer == Some(visit.offer);
    let first = !draft.case()?.actions.iter().any(told);
    let offer = draft.case()?.offer(visit.offer).filter(|_| first);
    if let Some(offer) = offer.cloned().filter(|offer| matches!(offer.state, OfferState::Accepted { .. })) {
        return_of_information(draft, &offer);
    }
    draft.end(End::Done, |action| action.kind == ActionKind::AwaitReport && action.about.visit == Some(id));
    Ok(())
}

fn known(draft: &Draft<'_>, id: VisitId) -> Result<Visit, Refusal> {
    draft.case()?.visit(id).cloned().ok_or_else(|| Refusal::NotFound("visit".to_owned()))
}

fn visit_of(draft: &Draft<'_>, offer: OfferId) -> Result<Visit, Refusal> {
    let visit = draft.case()?.visits.iter().find(|visit| visit.offer == offer && !visit.status.ended()).cloned();
    visit.ok_or_else(|| Refusal::NotFound("visit".to_owned()))
}

/// A doctor acts for himself; a dispatcher for the doctors of the desk.
fn own_visit(draft: &Draft<'_>, visit: &Visit) -> Result<(), Refusal> {
    let actor = draft.context.actor;
    let own = visit.doctor.as_ref().is_some_and(|(doctor, _)| *doctor == actor.person);
    if own || actor.role == Role::Dispatcher { Ok(()) } else { Err(not_yours("the doctor of the visit")) }
}

fn own_shift(draft: &Draft<'_>, shift: &Shift) -> Result<(), Refusal> {
    let actor = draft.context.actor;
    if shift.doctor == actor.person || actor.role == Role::Dispatcher {
        Ok(())
    } else {
        Err(not_yours("the doctor of the shift"))
    }
}

fn not_yours(needed: &str) -> Refusal {
    Refusal::Role { role: "RESPONDER".to_owned(), needed: format!("{needed}, or a dispatcher") }
}

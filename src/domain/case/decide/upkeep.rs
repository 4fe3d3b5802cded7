//! What falls due, and what people report as over. A deadline that passes is never silent.

use crate::domain::{
    actor::Role,
    case::{
        action::{Action, ActionKind, End, Owner},
        command::Timer,
        fact::Fact,
        refusal::Refusal,
        sealed::NoteKind,
        state::{Case, Offer},
    },
    ids::ActionId,
    person::Private,
    regulation::qualification::Flag,
    routing::WhyNot,
};

use super::{claims, draft::Draft, elsewhere, intake, qualify, regulate, reorient, transfer};

/// Fires a timer. One that has become pointless meanwhile is refused: whoever made it so has done the work.
pub(super) fn fire(draft: &mut Draft<'_>, timer: Timer) -> Result<(), Refusal> {
    match timer {
        Timer::Action(id) => {
            let case = draft.case()?;
            let action = case.action(id).cloned().ok_or_else(pointless)?;
            if case.due(&action).is_none_or(|due| due > draft.now) {
                return Err(pointless());
            }
            overdue(draft, &action);
        }
        Timer::Lease => {
            let claim = draft.case()?.claim.clone().filter(|claim| claim.suspect.is_none()).ok_or_else(pointless)?;
            draft.push(Fact::ClaimSuspect { no: claim.no });
        }
        Timer::Suspect => {
            let claim = draft.case()?.claim.clone().ok_or_else(pointless)?;
            let left = draft.case()?.left_to_holder(draft.context.territory.regulation.lease);
            if claim.suspect.is_none_or(|since| since + left > draft.now) {
                return Err(pointless());
            }
            claims::give_back(draft, claim.no);
        }
    }
    Ok(())
}

fn pointless() -> Refusal {
    Refusal::state("timer", "nothing is due any more")
}

fn overdue(draft: &mut Draft<'_>, action: &Action) {
    let offer = action.about.offer.and_then(|id| draft.open_offer(id).ok());
    if let Some(offer) = offer.filter(|offer| offer.ends_by_itself() && offer.until <= draft.now) {
        return ran_out(draft, &offer);
    }
    if action.kind == ActionKind::Reorient {
        return reorient::back(draft, action, End::Expired);
    }
    if action.kind == ActionKind::Transfer {
        return transfer::expired(draft, action);
    }
    draft.push(Fact::ActionAlarmed { action: action.id });
    let held = draft.case().is_ok_and(Case::in_hand);
    if action.kind == ActionKind::Regulate && !held {
        // A late P2 is asked again how the patient is (design.md §3, invariant 8); who speaks with the doctor is not rung.
        intake::re_evaluate(draft);
    }
    if action.kind == ActionKind::Interpreter && draft.case().is_ok_and(|case| !case.undecided().is_empty()) {
        without_interpreter(draft);
    }
}

/// An offer has run out. A terminal that is silent is gone on from at once; that nobody told the patient of a hold is the
/// coordinator's to hear before another slot is taken for him.
fn ran_out(draft: &mut Draft<'_>, offer: &Offer) {
    draft.offer_failed(offer, WhyNot::Expired, End::Expired);
    let next = |action: &&Action| action.kind == ActionKind::Route && action.about.decision == Some(offer.decision);
    let next = draft.case().ok().and_then(|case| case.open_actions().find(next).map(|action| action.id));
    if let Some(action) = next.filter(|_| !offer.is_visit()) {
        draft.ring_at_once(action);
    }
}

/// Nobody waits for a third party in silence: a doctor goes on without, unless the AMU takes the call over already.
fn without_interpreter(draft: &mut Draft<'_>) {
    if draft.case().is_ok_and(|case| case.open_action(ActionKind::HandOver).is_none()) {
        draft.call_for_regulator();
    }
}

/// Ends an action that people report on. A bad end goes to a regulator, unless only the file was concerned.
pub(super) fn end_action(
    draft: &mut Draft<'_>,
    id: ActionId,
    end: End,
    note: Option<&Private<String>>,
) -> Result<(), Refusal> {
    let action = draft.case()?.action(id).cloned().ok_or_else(|| Refusal::NotFound("action".to_owned()))?;
    if !action.open() {
        return Err(Refusal::state("action", "it is over already"));
    }
    if let Some(problem) = ended_elsewhere(&action, end) {
        return Err(Refusal::state("action", problem));
    }
    owner(draft, &action)?;
    if end == End::Replaced || end == End::Expired {
        return Err(Refusal::field("end", "choose DONE, REFUSED, UNREACHABLE, NO_SHOW, ABSENT or UNDELIVERED"));
    }
    if asks_for_words(action.kind, end) && note.is_none_or(|note| note.reveal().trim().is_empty()) {
        return Err(Refusal::field("note", "must be set: say in a few words what was answered; the case keeps it"));
    }
    if let Some(note) = note {
        draft.note(NoteKind::Note, note);
    }
    if end.bad() && action.kind == ActionKind::Visit {
        return absent_at_visit(draft, &action, end);
    }
    if end.bad() && action.kind == ActionKind::Interpreter {
        without_interpreter(draft);
    } else if end.bad() && !action.kind.administrative() {
        draft.call_for_regulator();
    }
    draft.push(Fact::ActionEnded { action: id, end });
    match action.kind {
        // Whoever was to be rung at an agreed hour and does not answer is no longer one who can wait.
        ActionKind::TelephoneAppointment if end.bad() => qualify::flag(draft, Flag::LostCall),
        ActionKind::CallBack if !end.bad() => intake::to_next(draft)?,
        // The department has accepted: whether the patient arrived is still to be heard.
        ActionKind::AnnouncePatient if !end.bad() => regulate::await_report(draft, draft.now, action.about),
        _ => {}
    }
    Ok(())
}

/// Whether an end says nothing without what was heard: why a department does not take a patient, or what a report says.
fn asks_for_words(kind: ActionKind, end: End) -> bool {
    matches!((kind, end), (ActionKind::AnnouncePatient, End::Refused) | (ActionKind::AwaitReport, End::Done))
}

/// Nobody opened the door: the visit is over, the doctor free, and a regulator decides what that means; nobody does where the
/// patient was sent elsewhere meanwhile.
fn absent_at_visit(draft: &mut Draft<'_>, action: &Action, end: End) -> Result<(), Refusal> {
    let offer = action.about.offer.and_then(|id| draft.case().ok().and_then(|case| case.offer(id).cloned()));
    let gone = offer.as_ref().is_some_and(|offer| draft.case().is_ok_and(|case| elsewhere::sent(case, offer.decision)));
    if !gone {
        draft.call_for_regulator();
    }
    if let Some(offer) = offer {
        draft.close_offer(&offer, Fact::OfferClosed { offer: offer.id, why: WhyNot::Unreachable, doctor: None });
    }
    draft.push(Fact::ActionEnded { action: action.id, end: if gone { End::Replaced } else { end } });
    Ok(())
}

/// Ends that come about by another act than saying so.
fn ended_elsewhere(action: &Action, end: End) -> Option<&'static str> {
    match action.kind {
        ActionKind::AnswerCall => Some("it ends when the call is answered or lost"),
        ActionKind::Qualify => Some("it ends with a qualification or a dismissal"),
        ActionKind::Regulate | ActionKind::Unanswered => Some("it ends with a doctor's decision"),
        ActionKind::HandOver => Some("it ends when the AMU accepts"),
        ActionKind::Route if !end.bad() => {
            Some("it ends when the plan is advanced, or badly: a regulator then decides")
        }
        ActionKind::Visit if !end.bad() => Some("it ends when the visit has ended (FINPEC)"),
        ActionKind::AwaitReport if !end.bad() && action.about.visit.is_some() => {
            Some("it ends with the visit's report")
        }
        ActionKind::RingGp | ActionKind::ConfirmSlot | ActionKind::AcceptVisit => {
            Some("it ends with the offer's answer")
        }
        ActionKind::Appointment => Some("it ends with the attendance"),
        ActionKind::CompleteFile => {
            Some("it ends when the file is complete: AmendCase with what `missing_for_validation` names")
        }
        ActionKind::AskConsent if !end.bad() => {
            Some("it ends when the patient's wish is written down: AmendCase with his consent or opposition for CPAM")
        }
        ActionKind::AskConsentCcas if !end.bad() => {
            Some("it ends when the patient's wish is written down: AmendCase with his consent or opposition for CCAS")
        }
        ActionKind::Reorient => Some("it ends when the case is taken over or sent back (AnswerReorientation)"),
        ActionKind::Transfer => {
            Some("it ends with the other territory's answer, or when it is taken back (WithdrawTransfer)")
        }
        ActionKind::CallBack
        | ActionKind::ReEvaluate
        | ActionKind::Route
        | ActionKind::Visit
        | ActionKind::DeliverPrescription
        | ActionKind::AwaitReport
        | ActionKind::ReturnOfInformation
        | ActionKind::AnnouncePatient
        | ActionKind::SeeCounterRegulation
        | ActionKind::Interpreter
        | ActionKind::AskConsent
        | ActionKind::Refer
        | ActionKind::AskConsentCcas
        | ActionKind::ReferCcas
        | ActionKind::DepositDocument
        | ActionKind::ArrangeTransport
        | ActionKind::FollowUp
        | ActionKind::TelephoneAppointment => None,
    }
}

/// The owner ends an action; a desk's role ends what waits at the desk; a regulator or a coordinator may end any, a dispatcher
/// those of a visit.
fn owner(draft: &Draft<'_>, action: &Action) -> Result<(), Refusal> {
    let actor = draft.context.actor;
    let directory = draft.context.directory;
    let yours = match &action.owner {
        Owner::Person(person) => *person == actor.person,
        Owner::Responder(id) => directory.get(id).is_some_and(|known| known.doctors.contains(&actor.person)),
        Owner::Desk(role, _) => *role == actor.role,
    };
    let visit = action.about.visit.is_some()
        || action
            .about
            .offer
            .is_some_and(|id| draft.case().is_ok_and(|case| case.offer(id).is_some_and(Offer::is_visit)));
    let desk = match actor.role {
        Role::Regulator | Role::Coordinator => true,
        Role::Dispatcher => visit,
        _ => false,
    };
    let doctors = action.kind == ActionKind::SeeCounterRegulation;
    let may = if doctors { actor.role == Role::Regulator } else { yours || desk };
    if may {
        return Ok(());
    }
    let needed = if doctors { Role::Regulator.code().to_owned() } else { owned_by(&action.owner) };
    Err(Refusal::Role { role: actor.role.code().to_owned(), needed })
}

/// Whose it is, for who may not end it: a kind of owner and never a name.
fn owned_by(owner: &Owner) -> String {
    let owner = match owner {
        Owner::Person(_) => "a person".to_owned(),
        Owner::Responder(_) => "a responder".to_owned(),
        Owner::Desk(role, None) => format!("the desk of {}", role.code()),
        Owner::Desk(role, Some(stream)) => format!("the desk of {}, {}", role.code(), stream.code()),
    };
    format!("the owner of the action ({owner}), {} or {}", Role::Regulator.code(), Role::Coordinator.code())
}

//! The doctor's acts: the need signed before any supply is shown, the answer signed with the plan in view (R6315-5).

use crate::domain::{
    actor::Role,
    case::{
        action::{About, ActionKind, End, Owner},
        command::{SignAnswer, SignNeed},
        fact::Fact,
        refusal::{FieldFault, Refusal},
    },
    ids::{ActionId, DecisionId},
    person::Private,
    regulation::{
        decision::{Answer, Decision, answer_fault},
        need::{CareLevel, CareType, contradictions},
        qualification::{Priority, Stream},
    },
    time::Instant,
};

use super::{
    beside::{self, Done},
    claims,
    draft::{Draft, coordinators},
    elsewhere, room, transfer,
};

pub(super) fn sign_need(draft: &mut Draft<'_>, command: &SignNeed) -> Result<(), Refusal> {
    if draft.held(command.claim_no, command.note.as_ref())?.is_none() {
        return Ok(());
    }
    transfer::holds(draft)?;
    // A refusal needs no supply: what is needed is signed, and that the patient will not have it.
    let refused = command.beside.refusal.is_some();
    let need = &command.need;
    let care = if refused { CareType::RefusedByPatient } else { need.care };
    let mut faults = need_faults(draft, command)?;
    let done = Done { care, level: need.level, patient: need.patient };
    faults.extend(beside::faults(draft, done, &command.beside));
    faults.extend(beside::stated_too_early(done, &command.beside));
    beside::none_of(faults)?;
    let id = DecisionId(draft.id("decision"));
    let one_act = !care.needs_supply();
    let dialogue = beside::told(draft, &command.beside).filter(|_| !one_act);
    let decision = Decision { dialogue, ..Decision::needed(id, need.clone(), draft.signature()) };
    draft.push(Fact::NeedSigned(Box::new(decision)));
    draft.reply.decision = Some(id);
    beside::keep_words(draft, id, command.note.as_ref(), &command.beside);
    if let Some(at) = command.follow_up {
        beside::follow_up(draft, id, at);
    }
    if one_act {
        let signed = beside::answer(draft, care, None, &command.beside);
        answer(draft, id, signed);
    }
    beside::ask_again(draft, id, command.beside.dialogue.as_ref(), refused);
    leave(draft, command.claim_no, command.keep);
    Ok(())
}

fn need_faults(draft: &Draft<'_>, command: &SignNeed) -> Result<Vec<FieldFault>, Refusal> {
    let case = draft.case()?;
    let stream = beside::signed_in(draft);
    let mut faults: Vec<FieldFault> = contradictions(&command.need, stream).into_iter().map(Into::into).collect();
    if case.patient(command.need.patient).is_none() && !(case.patients.is_empty() && command.need.patient == 1) {
        faults.push(FieldFault::new("need.patient", "no patient of this case has this number: add the patient first"));
    }
    if case.patient(command.need.patient).is_some_and(|patient| patient.noted_in_error) {
        let problem = "this patient was noted in error: choose another, or take the mark back (AmendCase)";
        faults.push(FieldFault::new("need.patient", problem));
    }
    if command.follow_up.is_some_and(|at| at <= draft.now) {
        faults.push(FieldFault::new("follow_up_unix_ms", "must be in the future"));
    }
    Ok(faults)
}

pub(super) fn sign_answer(draft: &mut Draft<'_>, command: &SignAnswer) -> Result<(), Refusal> {
    if draft.held(command.claim_no, command.note.as_ref())?.is_none() {
        return Ok(());
    }
    transfer::holds(draft)?;
    let decision = draft.decision(command.decision)?;
    if decision.answer.is_some() {
        return Err(Refusal::state("decision", "it is answered already: sign a new need to decide otherwise"));
    }
    let done = Done { care: command.care, level: decision.need.level, patient: decision.need.patient };
    let mut faults: Vec<_> =
        answer_fault(&decision.need, command.care, command.supply).into_iter().map(FieldFault::from).collect();
    faults.extend(beside::forbidden_answer(draft, done));
    faults.extend(beside::faults(draft, done, &command.beside));
    beside::none_of(faults)?;
    draft.reply.decision = Some(command.decision);
    beside::keep_words(draft, command.decision, command.note.as_ref(), &command.beside);
    let signed = beside::answer(draft, command.care, command.supply, &command.beside);
    answer(draft, command.decision, signed);
    let refused = command.care == CareType::RefusedByPatient;
    beside::ask_again(draft, command.decision, command.beside.dialogue.as_ref(), refused);
    leave(draft, command.claim_no, command.keep);
    Ok(())
}

/// Refuses to keep an act without its reason (invariant 13).
pub(super) fn reason_given(reason: &Private<String>) -> Result<(), Refusal> {
    if reason.reveal().trim().is_empty() {
        return Err(Refusal::field("reason", "say why in a few words: the case keeps it"));
    }
    Ok(())
}

fn about(decision: DecisionId) -> About {
    About { decision: Some(decision), ..About::default() }
}

/// Signs the answer and opens what it asks of others.
pub(super) fn answer(draft: &mut Draft<'_>, decision: DecisionId, answer: Answer) {
    let (care, signed, elsewhere) = (answer.care, answer.signed.at, answer.elsewhere());
    draft.push(Fact::AnswerSigned { decision, answer });
    let deadlines = draft.context.territory.regulation.deadlines;
    let (now, about) = (draft.now, about(decision));
    if elsewhere {
        elsewhere::instead_of_earlier(draft, decision);
    }
    match care {
        CareType::Consultation | CareType::HomeVisit | CareType::Teleconsultation => {
            draft.call_for_coordinator(decision)
        }
        CareType::PhonePrescription if beside::to_deliver(draft, decision) => {
            draft.open(ActionKind::DeliverPrescription, coordinators(), now + deadlines.prescription, about);
        }
        CareType::Ambulance => await_report(draft, signed, about),
        CareType::EmergencyDepartment => {
            let deadline = draft.within_delay(decision, now + deadlines.announce);
            draft.open(ActionKind::AnnouncePatient, coordinators(), deadline, about);
        }
        CareType::Amu => to_amu(draft, decision),
        CareType::OtherResource => beside::follow_up(draft, decision, now + deadlines.follow_up),
        CareType::Advice | CareType::PhonePrescription | CareType::NoFurther | CareType::RefusedByPatient => {}
    }
}

/// The desk of the AMU waits for word of the ambulance, of the SMUR or from the department, which was sent for at `since`: hours
/// ago, where paper is entered.
pub(super) fn await_report(draft: &mut Draft<'_>, since: Instant, about: About) {
    let owner = Owner::Desk(Role::Regulator, Some(Stream::Amu));
    let deadline = since + draft.context.territory.regulation.deadlines.ambulance_report;
    draft.open(ActionKind::AwaitReport, owner, deadline.max(draft.now), about);
}

/// In the AMU's own stream its means are sent, and their report awaited. From another stream, or by a regulator of another
/// stream who does not stand in, the case is handed over: it stays with who signed until an AMU regulator has accepted in so
/// many words, and decides.
fn to_amu(draft: &mut Draft<'_>, decision: DecisionId) {
    let known = draft.case().ok().and_then(|case| case.qualification.clone());
    let Some(known) = known.filter(|known| known.stream != Stream::Amu || not_of_the_amu(draft)) else {
        return await_report(draft, draft.now, about(decision));
    };
    let vital = draft.decision(decision).is_ok_and(|decision| decision.need.level == CareLevel::R1);
    let priority = if vital { Priority::P0 } else { known.priority.min(Priority::P1) };
    draft.push(Fact::Requeued { stream: Stream::Amu, priority, due: draft.now });
    let owner = Owner::Person(draft.context.actor.person.clone());
    let deadline = draft.now + draft.context.territory.regulation.deadlines.hand_over;
    draft.open(ActionKind::HandOver, owner, deadline, About::default());
    // Whoever was to be rung at an agreed hour is taken over by the AMU now; for other patients somebody still has to be found.
    let others = others_unanswered(draft, decision);
    draft.end(End::Replaced, |action| {
        matches!(
            action.kind,
            ActionKind::Regulate | ActionKind::CallBack | ActionKind::TelephoneAppointment | ActionKind::Unanswered
        ) && !others.contains(&action.id)
    });
}

/// Whether who signs holds the case as a regulator on duty in another stream, as in a surge, and stands in for nobody.
fn not_of_the_amu(draft: &Draft<'_>) -> bool {
    let own = room::own_stream(draft).filter(|own| *own != Stream::Amu);
    let stands_in = room::stands_in(draft, Stream::Amu).is_some_and(|(other, _)| Some(other) == own);
    let claim = draft.case().ok().and_then(|case| case.claim.as_ref());
    own.is_some() && !stands_in && claim.is_some_and(|claim| claim.fallback.is_none())
}

/// The UNANSWERED lanes of patients whom `decision` is not about.
fn others_unanswered(draft: &Draft<'_>, decision: DecisionId) -> Vec<ActionId> {
    let Ok(case) = draft.case() else { return Vec::new() };
    let patient = |id: DecisionId| case.decision(id).map(|known| known.need.patient);
    let lanes = case.open_actions().filter(|action| action.kind == ActionKind::Unanswered);
    lanes.filter(|lane| lane.about.decision.and_then(patient) != patient(decision)).map(|lane| lane.id).collect()
}

/// The doctor has decided: the claim ends with the regulation, unless another decision comes or a signature is missing.
fn leave(draft: &mut Draft<'_>, claim_no: u64, keep: bool) {
    if !keep {
        claims::finish_if_decided(draft);
    }
    // What was handed over is not kept either.
    let waits = draft.case().is_ok_and(|case| case.open_action(ActionKind::Regulate).is_some());
    if !waits {
        draft.push(Fact::ClaimEnded { no: claim_no });
    }
}

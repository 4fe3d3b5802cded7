//! The doctor's acts: the need signed before any supply is shown, the answer signed with the plan in view (R6315-5).

use crate::domain::{
    actor::Role,
    case::{
        action::{About, ActionKind, Owner},
        command::{SignAnswer, SignNeed},
        fact::Fact,
        refusal::{FieldFault, Refusal},
        sealed::NoteKind,
    },
    ids::DecisionId,
    person::Private,
    regulation::{
        decision::{Answer, Decision, answer_fault},
        need::{CareType, contradictions},
        qualification::Stream,
    },
};

use super::{
    claims,
    draft::{Draft, coordinators},
};

pub(super) fn sign_need(draft: &mut Draft<'_>, command: &SignNeed) -> Result<(), Refusal> {
    if draft.held(command.claim_no, command.note.as_ref())?.is_none() {
        return Ok(());
    }
    let case = draft.case()?;
    let stream = case.qualification.as_ref().map_or(Stream::Snp, |known| known.stream);
    let mut faults: Vec<_> =
        contradictions(&command.need, stream).into_iter().map(|(field, what)| FieldFault::new(field, what)).collect();
    if case.patient(command.need.patient).is_none() && !(case.patients.is_empty() && command.need.patient == 1) {
        faults.push(FieldFault::new("need.patient", "no patient of this case has this number: add the patient first"));
    }
    if command.follow_up.is_some_and(|at| at <= draft.now) {
        faults.push(FieldFault::new("follow_up_unix_ms", "must be in the future"));
    }
    if !faults.is_empty() {
        return Err(Refusal::Fields(faults));
    }
    let id = DecisionId(draft.id("decision"));
    let (need, signed) = (command.need.clone(), draft.signature());
    draft.push(Fact::NeedSigned(Box::new(Decision { id, need: need.clone(), signed, protocol: None, answer: None })));
    draft.reply.decision = Some(id);
    words(draft, command.note.as_ref());
    if !need.care.needs_supply() {
        let signed = draft.signature();
        answer(draft, id, Answer { care: need.care, supply: None, signed });
    }
    if let Some(at) = command.follow_up {
        draft.open(ActionKind::FollowUp, coordinators(), at, about(id));
    }
    if !command.keep {
        leave_if_decided(draft, command.claim_no);
    }
    Ok(())
}

pub(super) fn sign_answer(draft: &mut Draft<'_>, command: &SignAnswer) -> Result<(), Refusal> {
    if draft.held(command.claim_no, command.note.as_ref())?.is_none() {
        return Ok(());
    }
    let decision = draft.decision(command.decision)?;
    if decision.answer.is_some() {
        return Err(Refusal::state("decision", "it is answered already: sign a new need to decide otherwise"));
    }
    if let Some((field, problem)) = answer_fault(&decision.need, command.care, command.supply) {
        return Err(Refusal::field(field, problem));
    }
    draft.reply.decision = Some(command.decision);
    words(draft, command.note.as_ref());
    let signed = draft.signature();
    answer(draft, command.decision, Answer { care: command.care, supply: command.supply, signed });
    if !command.keep {
        leave_if_decided(draft, command.claim_no);
    }
    Ok(())
}

/// Refuses to keep an act without its reason (invariant 13).
pub(super) fn reason_given(reason: &Private<String>) -> Result<(), Refusal> {
    if reason.reveal().trim().is_empty() {
        return Err(Refusal::field("reason", "say why in a few words: the case keeps it"));
    }
    Ok(())
}

fn words(draft: &mut Draft<'_>, note: Option<&Private<String>>) {
    if let Some(note) = note {
        draft.note(NoteKind::Advice, note);
    }
}

fn about(decision: DecisionId) -> About {
    About { decision: Some(decision), ..About::default() }
}

/// Signs the answer and opens what it asks of others.
pub(super) fn answer(draft: &mut Draft<'_>, decision: DecisionId, answer: Answer) {
    let care = answer.care;
    draft.push(Fact::AnswerSigned { decision, answer });
    let deadlines = draft.context.territory.regulation.deadlines;
    let (now, about) = (draft.now, about(decision));
    match care {
        CareType::Consultation | CareType::HomeVisit | CareType::Teleconsultation => {
            draft.call_for_coordinator(decision)
        }
        CareType::PhonePrescription => {
            draft.open(ActionKind::DeliverPrescription, coordinators(), now + deadlines.prescription, about);
        }
        CareType::Ambulance | CareType::EmergencyDepartment | CareType::Amu => {
            let owner = Owner::Desk(Role::Regulator, Some(Stream::Amu));
            draft.open(ActionKind::AwaitReport, owner, now + deadlines.ambulance_report, about);
        }
        CareType::OtherResource => draft.open(ActionKind::FollowUp, coordinators(), now + deadlines.follow_up, about),
        CareType::Advice | CareType::NoFurther => {}
    }
}

/// The doctor has decided: the claim ends with the regulation, unless a signature is missing.
fn leave_if_decided(draft: &mut Draft<'_>, claim_no: u64) {
    claims::finish_if_decided(draft);
    if draft.case().is_ok_and(|case| case.open_action(ActionKind::Regulate).is_none()) {
        draft.push(Fact::ClaimEnded { no: claim_no });
    }
}

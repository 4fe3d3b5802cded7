//! What a paper sheet says of a case, entered after an outage: each act keeps the time and the author it had on paper.
//!
//! A decision is entered by the doctor who signed the sheet and by nobody else: a transcription is no signature
//! (R6315-5). Without one, the case waits for a regulator, due since its time on paper.

use crate::domain::{
    actor::Role,
    case::{
        action::{About, ActionKind},
        command::{Open, Paper, PaperDecision},
        fact::Fact,
        refusal::{FieldFault, Refusal},
        sealed::NoteKind,
    },
    ids::DecisionId,
    regulation::{
        decision::{Answer, Decision, answer_fault},
        need::{CareType, contradictions},
        qualification::{Priority, Qualification},
    },
    time::Instant,
};

use super::{
    draft::{Draft, coordinators},
    qualify, regulate, vital,
};

/// Enters what was done on paper. A vital emergency that still waits is handed over by the caller before.
pub(super) fn enter(draft: &mut Draft<'_>, open: &Open, paper: &Paper) -> Result<(), Refusal> {
    let faults = faults(draft, open, paper);
    if !faults.is_empty() {
        return Err(Refusal::Fields(faults));
    }
    let qualification = qualify::on_paper(draft, paper)?;
    match &paper.decision {
        Some(decision) => decided(draft, decision, qualification),
        None if qualification.priority == Priority::P0 => vital::hand_over(draft),
        None => {
            draft.push(Fact::Qualified(qualification.clone()));
            qualify::requalified(draft, &qualification, None);
        }
    }
    Ok(())
}

fn faults(draft: &Draft<'_>, open: &Open, paper: &Paper) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    let mut in_order = |field: &str, at: Instant, after: Instant, what: &str| {
        if at < after || at > draft.now {
            let problem = format!("not before {what} and not in the future: take it from the sheet");
            faults.push(FieldFault::new(field, problem));
        }
    };
    in_order("qualification.at_unix_ms", paper.at, open.opened.arrived, "arrived_unix_ms");
    if let Some(decision) = &paper.decision {
        in_order("decision.at_unix_ms", decision.at, paper.at, "qualification.at_unix_ms");
        faults.extend(of_decision(draft, open, paper, decision));
    }
    faults
}

fn of_decision(draft: &Draft<'_>, open: &Open, paper: &Paper, decision: &PaperDecision) -> Vec<FieldFault> {
    let mut faults: Vec<_> = contradictions(&decision.need, paper.qualify.stream)
        .into_iter()
        .map(|wrong| in_decision(wrong.into()))
        .collect();
    faults.extend(needs_the_console(decision));
    if draft.context.actor.role != Role::Regulator {
        let problem = "the doctor who signed the sheet enters it; leave it out, and a regulator finds the case waiting";
        faults.push(FieldFault::new("decision", problem));
    }
    faults.extend(answer_fault(&decision.need, decision.care, decision.supply).map(|wrong| in_decision(wrong.into())));
    if decision.arranged && !decision.care.needs_supply() {
        faults.push(FieldFault::new("decision.arranged", "this care needs no responder: leave it out"));
    }
    let patients = &open.particulars.patients;
    let known = patients.iter().any(|(patient, _)| patient.number == decision.need.patient);
    if !(known || patients.is_empty() && decision.need.patient == 1) {
        let problem = "no patient of this request has this number: add the patient";
        faults.push(FieldFault::new("decision.need.patient", problem));
    }
    faults
}

fn in_decision(fault: FieldFault) -> FieldFault {
    FieldFault { field: format!("decision.{}", fault.field), ..fault }
}

/// What a sheet cannot say: a refusal with all that it takes; a prescription is on the sheet, and its words go with it.
fn needs_the_console(decision: &PaperDecision) -> Option<FieldFault> {
    match decision.care {
        CareType::RefusedByPatient => {
            let problem =
                "a refusal is signed at the console: enter the need without decision, and a regulator signs it";
            Some(FieldFault::new("decision.care", problem))
        }
        CareType::PhonePrescription if decision.note.is_none() => {
            Some(FieldFault::new("decision.note", "must be set: the drugs, doses and days as the sheet has them"))
        }
        _ => None,
    }
}

fn decided(draft: &mut Draft<'_>, paper: &PaperDecision, qualification: Qualification) {
    draft.push(Fact::Qualified(qualification));
    let id = DecisionId(draft.id("decision"));
    let signed = draft.signature_of(paper.at);
    draft.push(Fact::NeedSigned(Box::new(Decision::needed(id, paper.need.clone(), signed.clone()))));
    draft.reply.decision = Some(id);
    if let Some(note) = &paper.note {
        draft.note(NoteKind::Advice, note);
    }
    if paper.arranged {
        arranged(draft, id, Answer::new(paper.care, paper.supply, signed));
    } else {
        regulate::answer(draft, id, Answer::new(paper.care, paper.supply, signed));
    }
}

/// The responder was found by telephone while the service was down: a coordinator makes sure that the care was given.
fn arranged(draft: &mut Draft<'_>, decision: DecisionId, answer: Answer) {
    draft.push(Fact::AnswerSigned { decision, answer });
    let deadline = draft.now + draft.context.territory.regulation.deadlines.follow_up;
    let about = About { decision: Some(decision), ..About::default() };
    draft.open(ActionKind::AwaitReport, coordinators(), deadline, about);
}

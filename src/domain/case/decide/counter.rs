//! Counter-regulation: a responder gives other care than was decided (domain.md §2.9, I5).
//!
//! What was signed stays; what was done instead is written beside it with its reasons, and a regulator sees it. Means that
//! only a regulator sends (ambulance, emergency department, AMU) wait for his decision, ahead of what may wait.

use crate::domain::{
    case::{
        action::{About, ActionKind},
        command::Counter,
        fact::Fact,
        refusal::Refusal,
        sealed::NoteKind,
    },
    ids::DecisionId,
    regulation::{
        decision::CounterRegulation,
        need::CareType,
        qualification::{Priority, Stream},
        wrong::Wrong,
    },
};

use super::{
    beside::none_of,
    draft::{Draft, regulators},
};

/// Most reasons of one counter-regulation.
const MOST_REASONS: usize = 5;

pub(super) fn record(draft: &mut Draft<'_>, id: DecisionId, given: Option<&Counter>) -> Result<(), Refusal> {
    let Some(given) = given else { return Ok(()) };
    let decision = draft.decision(id)?;
    if decision.counter.is_some() {
        return Err(Refusal::state("counter_regulation", "it was recorded already: add a note"));
    }
    let decided = decision.answer.as_ref().map_or(decision.need.care, |answer| answer.care);
    none_of(faults(given, decided).into_iter().map(Into::into).collect())?;
    let by = draft.context.actor.person.clone();
    let counter = CounterRegulation { care: given.care, reasons: given.reasons.clone(), by, at: draft.now };
    draft.push(Fact::CounterRegulated { decision: id, counter });
    if let Some(note) = &given.note {
        draft.note_of(NoteKind::CounterRegulation, note, id);
    }
    if matches!(given.care, CareType::Ambulance | CareType::EmergencyDepartment | CareType::Amu) {
        draft.call_for_regulator_as(Priority::P1);
    } else {
        seen_later(draft, id);
    }
    Ok(())
}

fn faults(given: &Counter, decided: CareType) -> Vec<Wrong> {
    let mut found = Vec::new();
    if given.care == decided {
        let problem = "it is what was decided: leave the counter-regulation out, or say what was done instead";
        found.push(Wrong::new("counter_regulation.care", problem, "c'est ce qui était décidé : dites ce qui a changé"));
    }
    if given.care == CareType::RefusedByPatient {
        let problem = "a refusal is taken by a regulator: say what was done, with reason PATIENT_WISH";
        let french = "un refus se prend en régulation : dites ce qui a été fait, motif « souhait du patient »";
        found.push(Wrong::new("counter_regulation.care", problem, french));
    }
    if given.reasons.is_empty() || given.reasons.len() > MOST_REASONS {
        let problem = format!("{} reasons: say why, 1 to {MOST_REASONS} codes", given.reasons.len());
        found.push(Wrong::new("counter_regulation.reasons", problem, "dites pourquoi : un à cinq motifs"));
    }
    found
}

/// Nothing waits for it; a regulator of the stream looks at it all the same.
fn seen_later(draft: &mut Draft<'_>, id: DecisionId) {
    let stream = draft.case().ok().and_then(|case| case.qualification.as_ref().map(|known| known.stream));
    let deadline = draft.now + draft.context.territory.regulation.deadlines.counter_regulation;
    let about = About { decision: Some(id), ..About::default() };
    draft.open(ActionKind::SeeCounterRegulation, regulators(stream.unwrap_or(Stream::Snp)), deadline, about);
}

//! What goes with a signature: what was told, what the patient refuses, what is prescribed (R6315-5; L1111-4 CSP).

use crate::domain::{
    calendar::local_date,
    case::{
        action::{About, ActionKind},
        command::Beside,
        fact::Fact,
        outgoing::{Outgoing, may_send},
        refusal::{FieldFault, Refusal},
        sealed::{Identity, NoteKind, Sex, Words},
    },
    ids::DecisionId,
    person::Private,
    regulation::{
        decision::{Answer, SupplyReason},
        dialogue::{Dialogue, refusal_faults},
        national::{Stated, stated_faults},
        need::{CareLevel, CareType},
        prescription::{self, Patient, Situation},
        qualification::Stream,
        wrong::Wrong,
    },
    time::Instant,
};

use super::{
    draft::{Draft, coordinators},
    room,
    triage::age_of,
};

/// What is done, for whom and at which level: what the rules beside a signature are about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Done {
    /// What is done: for a refusal, [`CareType::RefusedByPatient`].
    pub care: CareType,
    /// At which level it was needed.
    pub level: CareLevel,
    /// For which patient.
    pub patient: u32,
}

/// Everything wrong with what stands beside a signature.
pub(super) fn faults(draft: &Draft<'_>, done: Done, beside: &Beside) -> Vec<FieldFault> {
    let mut found = Vec::new();
    of_refusal(draft, done, beside, &mut found);
    of_prescription(draft, done, beside, &mut found);
    found.extend(stated_faults(done.care, beside.stated));
    found.extend(beside.dialogue.iter().flat_map(|told| draft.context.territory.advice.faults(told)));
    found.into_iter().map(FieldFault::from).collect()
}

/// What belongs to the answer and was stated with the need alone: the plan was not shown yet.
pub(super) fn stated_too_early(done: Done, beside: &Beside) -> Option<FieldFault> {
    let early = done.care.needs_supply() && beside.stated != Stated::default();
    let field = if beside.stated.resource.is_some() { "resource_type" } else { "destination" };
    early.then(|| FieldFault::new(field, "it goes with the answer of this care: leave it out here (SignAnswer)"))
}

fn of_refusal(draft: &Draft<'_>, done: Done, beside: &Beside, found: &mut Vec<Wrong>) {
    match (done.care == CareType::RefusedByPatient, &beside.refusal) {
        (true, Some(refusal)) => {
            let territory = draft.context.territory;
            let age = draft.case().ok().and_then(|case| age_of(case, done.patient, territory, draft.now));
            found.extend(refusal_faults(refusal, (age, done.level), beside.dialogue.as_ref()));
        }
        (true, None) => found.push(Wrong::new(
            "refusal",
            "must be set with care REFUSED_BY_PATIENT: who refuses, and that the risks were explained",
            "un refus se dit avec la capacité et l'explication des risques",
        )),
        (false, Some(_)) => found.push(Wrong::new(
            "refusal",
            "only with care REFUSED_BY_PATIENT: leave it out, or choose that care",
            "un refus va avec la réponse « refus du patient »",
        )),
        (false, None) => {}
    }
}

fn of_prescription(draft: &Draft<'_>, done: Done, beside: &Beside, found: &mut Vec<Wrong>) {
    let written = beside.prescription.as_deref();
    match (done.care == CareType::PhonePrescription, written) {
        (true, Some(written)) => {
            let policy = &draft.context.territory.regulation.prescription;
            found.extend(prescription::faults(written, patient(draft, done.patient), policy));
        }
        (true, None) => found.push(Wrong::new(
            "prescription",
            "must be set with care PHONE_PRESCRIPTION: situation, drugs and what was asked",
            "une PMT se signe avec la situation, les médicaments et les questions posées",
        )),
        (false, Some(_)) => found.push(Wrong::new(
            "prescription",
            "only with care PHONE_PRESCRIPTION: leave it out, or choose that care",
            "une ordonnance va avec une PMT",
        )),
        (false, None) => {}
    }
}

/// What forbids this care as an answer, where the need said another.
pub(super) fn forbidden_answer(draft: &Draft<'_>, done: Done) -> impl Iterator<Item = FieldFault> + use<> {
    let found = prescription::forbidden(done.care, done.level, signed_in(draft));
    found.into_iter().map(|wrong| FieldFault::from(Wrong { field: "care".into(), ..wrong }))
}

/// The stream whose rules a signature is under. What a doctor took out of the AMU while he held it stays the AMU's to him, until
/// another has taken it: he does not prescribe by telephone for what nobody of the other stream has seen.
pub(super) fn signed_in(draft: &Draft<'_>) -> Stream {
    let Some(known) = draft.case().ok().and_then(|case| case.qualification.as_ref()) else { return Stream::Snp };
    let himself = known.out_of_amu.as_ref() == Some(&draft.context.actor.person);
    let of_stream = || room::own_stream(draft) == Some(known.stream);
    if himself && !of_stream() { Stream::Amu } else { known.stream }
}

/// Age and sex of a patient, as far as they are known.
fn patient(draft: &Draft<'_>, number: u32) -> Patient {
    let Ok(case) = draft.case() else { return Patient::default() };
    let infant = case.patient(number).is_some_and(|known| known.infant);
    let Some(who) = case.sealed.identities.iter().find(|who| who.number == number) else {
        return Patient { years: infant.then_some(0), ..Patient::default() };
    };
    let years = years(draft, who).or_else(|| infant.then_some(0));
    let weighed = who.weight_grams.reveal().is_some();
    Patient { years, male: *who.sex.reveal() == Some(Sex::Male), weighed }
}

fn years(draft: &Draft<'_>, who: &Identity) -> Option<u32> {
    let today = local_date(draft.context.territory.calendar.zone(), draft.now);
    let born = who.birth_date.reveal().parse::<chrono::NaiveDate>().ok();
    born.and_then(|born| today.years_since(born)).or(*who.age_years.reveal())
}

/// Keeps the words: advice or reasons, what to watch for, and the prescription under its decision.
pub(super) fn keep_words(draft: &mut Draft<'_>, decision: DecisionId, note: Option<&Private<String>>, beside: &Beside) {
    if let Some(note) = note {
        draft.note_of(NoteKind::Advice, note, decision);
    }
    if let Some(words) = &beside.watch_for {
        draft.note_of(NoteKind::SafetyNet, words, decision);
    }
    if let Some(written) = &beside.prescription {
        let mut written = written.clone();
        written.decision = decision;
        draft.say(Words::Prescription(written));
    }
}

/// What was told, word for word as the list has it now: a later list does not change what was said.
pub(super) fn told(draft: &Draft<'_>, beside: &Beside) -> Option<Dialogue> {
    let list = &draft.context.territory.advice;
    beside.dialogue.clone().map(|told| list.worded(told))
}

/// The answer with what was told, refused and prescribed beside it, signed now.
pub(super) fn answer(draft: &Draft<'_>, care: CareType, supply: Option<SupplyReason>, beside: &Beside) -> Answer {
    let prescribed = beside.prescription.as_ref().map(|written| written.situation);
    let (dialogue, refusal) = (told(draft, beside), beside.refusal);
    let Stated { resource, destination } = beside.stated;
    Answer { dialogue, refusal, prescribed, resource, destination, ..Answer::new(care, supply, draft.signature()) }
}

/// Whether an order has to reach a pharmacy. What was entered from paper names no situation: it is delivered.
pub(super) fn to_deliver(draft: &Draft<'_>, decision: DecisionId) -> bool {
    let Ok(case) = draft.case() else { return true };
    let written = case.sealed.prescriptions.iter().find(|written| written.decision == decision);
    written.is_none_or(|written| {
        written.situation == Situation::WrittenOrder || !written.pharmacy.reveal().trim().is_empty()
    })
}

/// Has a coordinator ask how the patient is, no later than was asked for before. A contact that may not be rung is not asked:
/// the doctor who signs is told, or one is called for (invariant 11).
pub(super) fn follow_up(draft: &mut Draft<'_>, decision: DecisionId, at: Instant) {
    use ActionKind::{HandOver, Regulate};
    let Ok(case) = draft.case() else { return };
    let about = About { decision: Some(decision), ..About::default() };
    let known = case.open_actions().find(|open| open.kind == ActionKind::FollowUp && open.about == about);
    if may_send(case, 0, Outgoing::CallBack).is_err() {
        let signs = case.open_actions().any(|action| matches!(action.kind, Regulate | HandOver));
        let told =
            "FOLLOW_UP_WITHHELD: the contact may not be rung: nobody asks how the patient is, see to it otherwise";
        draft.reply.warnings.push(told.to_owned());
        if !signs {
            draft.call_for_regulator();
        }
        return;
    }
    match known.map(|known| (known.id, known.deadline)) {
        Some((action, later)) if at < later => draft.push(Fact::ActionMoved { action, deadline: at }),
        Some(_) => {}
        None => draft.open(ActionKind::FollowUp, coordinators(), at, about),
    }
}

/// Somebody asks again who refused, or whom the words did not reach.
pub(super) fn ask_again(draft: &mut Draft<'_>, decision: DecisionId, told: Option<&Dialogue>, refused: bool) {
    if refused || told.is_some_and(Dialogue::must_be_asked_again) {
        let deadline = draft.now + draft.context.territory.regulation.deadlines.ask_again;
        follow_up(draft, decision, deadline);
    }
}

/// Refuses when anything is wrong, with all of it.
pub(super) fn none_of(faults: Vec<FieldFault>) -> Result<(), Refusal> {
    if faults.is_empty() { Ok(()) } else { Err(Refusal::Fields(faults)) }
}

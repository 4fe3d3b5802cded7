//! What is done for a patient beside the care, once his request is answered: a referral to the health insurance's mission
//! (MISAS) of who has no GP and needs one, one to the town's social services (CCAS) of who lives alone without help, and a
//! document to his national record (Mon espace santé).
//!
//! domain.md §5: never in the way of the care, and with the patient's consent where one is needed. While nobody has asked him,
//! what is to be done is to ask; what he opposes, or what violence or secrecy withholds, is not done, and what was open of it
//! ends.

use crate::domain::{
    case::{
        action::{About, Action, ActionKind, End, Owner},
        fact::Fact,
        outgoing::{Outgoing, Withheld, may_send},
        patient::Patient,
        state::Case,
    },
    ids::DecisionId,
    regulation::decision::Decision,
    time::Span,
};

use super::{
    draft::{Draft, coordinators},
    triage,
};

/// One way out of the room: to whom, what is done, and what asks the patient first where that is needed.
struct Referral {
    to: Outgoing,
    act: ActionKind,
    ask: Option<ActionKind>,
}

const REFERRALS: [Referral; 3] = [
    Referral { to: Outgoing::Cpam, act: ActionKind::Refer, ask: Some(ActionKind::AskConsent) },
    Referral { to: Outgoing::Ccas, act: ActionKind::ReferCcas, ask: Some(ActionKind::AskConsentCcas) },
    Referral { to: Outgoing::MonEspaceSante, act: ActionKind::DepositDocument, ask: None },
];

/// Who does it, and how long it may take.
type Work = (Owner, Span);

/// What is to be done about one patient.
enum Step {
    Act(Work),
    Ask(Work),
    Nothing,
}

/// Brings the referrals in line with what was answered and what the patients are and want.
pub(super) fn settle(draft: &mut Draft<'_>) {
    let told = draft.event.facts.iter().any(|fact| {
        matches!(fact, Fact::NeedSigned(_) | Fact::AnswerSigned { .. } | Fact::PatientSet(_) | Fact::SafetySet(_))
    });
    if !told {
        return;
    }
    for referral in &REFERRALS {
        let steps = draft.case().map(|case| steps(draft, case, referral)).unwrap_or_default();
        steps.into_iter().for_each(|(decision, step)| take(draft, referral, decision, step));
    }
}

fn take(draft: &mut Draft<'_>, referral: &Referral, decision: DecisionId, step: Step) {
    let of = |kind: ActionKind| move |action: &Action| action.kind == kind && action.about == about(decision);
    match (step, referral.ask) {
        (Step::Ask(work), Some(ask)) => ask_again(draft, referral.act, ask, decision, work),
        (Step::Act(work), ask) => {
            ask.into_iter().for_each(|ask| draft.end(End::Done, of(ask)));
            once(draft, referral.act, decision, work);
        }
        (Step::Ask(_) | Step::Nothing, ask) => {
            ask.into_iter().for_each(|ask| draft.end(End::Done, of(ask)));
            draft.end(End::Replaced, of(referral.act));
        }
    }
}

/// What is open without the consent that is needed ends, and the patient is asked once more: he took it back, or whoever wrote
/// the patient again left it out. What was done is done.
fn ask_again(draft: &mut Draft<'_>, act: ActionKind, ask: ActionKind, decision: DecisionId, (owner, within): Work) {
    let of_act = |action: &&Action| action.kind == act && action.about == about(decision);
    let Ok(case) = draft.case() else { return };
    let open = case.open_actions().any(|action| of_act(&action));
    let done =
        case.actions.iter().filter(of_act).any(|action| action.ended_as().is_some_and(|end| end != End::Replaced));
    if open {
        draft.end(End::Replaced, |action| of_act(&action));
        draft.open(ask, owner, draft.now + within, about(decision));
    } else if !done {
        once(draft, ask, decision, (owner, within));
    }
}

/// For each patient whose request is answered, under the first decision that is: one referral, however often he is decided
/// about.
fn steps(draft: &Draft<'_>, case: &Case, referral: &Referral) -> Vec<(DecisionId, Step)> {
    let asking = draft.context.territory.regulation.deadlines.ask_consent;
    let step = |patient: &Patient| {
        let Some(work) = wanted(draft, case, patient, referral.to) else { return Step::Nothing };
        match may_send(case, patient.number, referral.to) {
            Ok(()) => Step::Act(work),
            Err(Withheld::NoConsent) => Step::Ask((coordinators(), asking)),
            Err(_) => Step::Nothing,
        }
    };
    // Where it was begun it goes on, whichever decision is answered later.
    let begun = |action: &Action| action.kind == referral.act || Some(action.kind) == referral.ask;
    let begun_under = |id| case.actions.iter().any(|action| begun(action) && action.about == about(id));
    let answered = |number| {
        let of_him = |known: &&Decision| known.need.patient == number && known.answer.is_some();
        let mut all = case.decisions.iter().filter(of_him);
        all.clone().find(|known| begun_under(known.id)).or_else(|| all.next())
    };
    let of = |patient: &Patient| Some((answered(patient.number)?.id, step(patient)));
    case.present().filter_map(of).collect()
}

/// Who would do it for this patient; none when it is not for him.
fn wanted(draft: &Draft<'_>, case: &Case, patient: &Patient, to: Outgoing) -> Option<Work> {
    let policy = &draft.context.territory.regulation;
    let referral = (coordinators(), policy.deadlines.referral);
    match to {
        Outgoing::Cpam => patient.needs_a_gp().then_some(referral),
        Outgoing::Ccas => {
            let age = triage::age_of(case, patient.number, draft.context.territory, draft.now);
            let younger = age.is_some_and(|age| age < policy.referral.ccas_from);
            (patient.needs_help() && !younger).then_some(referral)
        }
        // Nothing is laid into the record of somebody of whom nobody knows who he is.
        Outgoing::MonEspaceSante if !patient.identity_unknown => {
            let record = policy.referral.national_record?;
            Some((Owner::Desk(record.owner, None), record.deadline))
        }
        _ => None,
    }
}

/// Opens it unless it is open, was done or was tried.
fn once(draft: &mut Draft<'_>, kind: ActionKind, decision: DecisionId, (owner, within): Work) {
    let tried = draft.case().is_ok_and(|case| {
        let mut same = case.actions.iter().filter(|action| action.kind == kind && action.about == about(decision));
        same.any(|action| action.ended_as() != Some(End::Replaced))
    });
    if !tried {
        draft.open(kind, owner, draft.now + within, about(decision));
    }
}

fn about(decision: DecisionId) -> About {
    About { decision: Some(decision), ..About::default() }
}

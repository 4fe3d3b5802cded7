//! Who has no GP and needs one: once the acute request is answered, a referral to the health insurance's mission (MISAS).
//!
//! domain.md §5: with the patient's consent, and never in the way of the care. While nobody has asked him, what is to be done
//! is to ask; what he opposes, or what violence or secrecy withholds, is not done, and an open referral ends with it.

use crate::domain::{
    case::{
        action::{About, Action, ActionKind, End},
        fact::Fact,
        outgoing::{Outgoing, Withheld, may_send},
        patient::Patient,
        state::Case,
    },
    ids::DecisionId,
    regulation::decision::Decision,
    time::Instant,
};

use super::draft::{Draft, coordinators};

/// What is to be done about one patient.
enum Step {
    Refer,
    Ask,
    Nothing,
}

/// Brings the referrals in line with what was answered and what the patients are and want.
pub(super) fn settle(draft: &mut Draft<'_>) {
    let told = draft.event.facts.iter().any(|fact| {
        matches!(fact, Fact::NeedSigned(_) | Fact::AnswerSigned { .. } | Fact::PatientSet(_) | Fact::SafetySet(_))
    });
    let steps = if told { draft.case().map(steps).unwrap_or_default() } else { Vec::new() };
    let deadlines = draft.context.territory.regulation.deadlines;
    for (decision, step) in steps {
        let of = |kind: ActionKind| move |action: &Action| action.kind == kind && action.about == about(decision);
        match step {
            Step::Refer => {
                draft.end(End::Done, of(ActionKind::AskConsent));
                once(draft, ActionKind::Refer, decision, draft.now + deadlines.referral);
            }
            Step::Ask => once(draft, ActionKind::AskConsent, decision, draft.now + deadlines.ask_consent),
            Step::Nothing => {
                draft.end(End::Done, of(ActionKind::AskConsent));
                draft.end(End::Replaced, of(ActionKind::Refer));
            }
        }
    }
}

/// For each patient whose request is answered, under the first decision that is: one referral, however often he is decided
/// about.
fn steps(case: &Case) -> Vec<(DecisionId, Step)> {
    let step = |number| match may_send(case, number, Outgoing::Cpam) {
        Ok(()) => Step::Refer,
        Err(Withheld::NoConsent) => Step::Ask,
        Err(_) => Step::Nothing,
    };
    // Where it was begun it goes on, whichever decision is answered later.
    let begun = |action: &Action| matches!(action.kind, ActionKind::Refer | ActionKind::AskConsent);
    let begun_under = |id| case.actions.iter().any(|action| begun(action) && action.about == about(id));
    let answered = |number| {
        let of_him = |known: &&Decision| known.need.patient == number && known.answer.is_some();
        let mut all = case.decisions.iter().filter(of_him);
        all.clone().find(|known| begun_under(known.id)).or_else(|| all.next())
    };
    let of = |patient: &Patient| {
        let decision = answered(patient.number)?.id;
        Some((decision, if patient.needs_a_gp() { step(patient.number) } else { Step::Nothing }))
    };
    case.patients.iter().filter_map(of).collect()
}

/// Opens it unless it is open, was done or was tried.
fn once(draft: &mut Draft<'_>, kind: ActionKind, decision: DecisionId, deadline: Instant) {
    let tried = draft.case().is_ok_and(|case| {
        let mut same = case.actions.iter().filter(|action| action.kind == kind && action.about == about(decision));
        same.any(|action| action.ended_as() != Some(End::Replaced))
    });
    if !tried {
        draft.open(kind, coordinators(), deadline, about(decision));
    }
}

fn about(decision: DecisionId) -> About {
    About { decision: Some(decision), ..About::default() }
}

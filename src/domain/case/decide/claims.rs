//! Claims: one regulator at a time, fenced by a number (design.md §3, invariant 3; storage.md, claims).

use std::collections::BTreeSet;

use crate::domain::{
    case::{
        action::{About, Action, ActionKind, ActionState, End},
        fact::Fact,
        refusal::Refusal,
        sealed::NoteKind,
        state::{Case, OfferState},
    },
    ids::{ActionId, PersonId},
    person::Private,
    regulation::{
        decision::{Decision, MayWait},
        fallback::Fallback,
        need::CareType,
        qualification::{Priority, Stream},
        wrong::Wrong,
    },
    time::Instant,
};

use super::{
    draft::{Draft, regulators},
    intake,
    regulate::reason_given,
    reorient, room, transfer,
};

/// Takes the first case that waits, as a regulator of `stream`: his stream's, one that his stream stands in for, or in a
/// surge one of the other side of the split.
pub(super) fn claim_next(draft: &mut Draft<'_>, stream: Stream) -> Result<(), Refusal> {
    let Some(of) = draft.case()?.before() else {
        return Err(Refusal::state("case", "it does not wait for a regulator"));
    };
    let code = fallback_of(draft, of, Some(stream));
    if of != stream && code.is_none() && !room::open_to_both(draft, of, stream) {
        return Err(Refusal::state("case", "it waits for the regulators of another stream"));
    }
    take_waiting(draft, code)
}

/// Takes a case that waits for a regulator. A P0 or P1 may be taken over from a suspect holder at once.
pub(super) fn claim(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    let code = draft.case()?.before().and_then(|of| fallback_of(draft, of, room::own_stream(draft)));
    if code.is_none() {
        reorient::taken_back(draft);
    }
    take_waiting(draft, code)
}

/// The code of a regulator who takes what waits for `of`, where that stream has nobody: he regulates for the one that stands
/// in, or his stream is not known here.
fn fallback_of(draft: &Draft<'_>, of: Stream, own: Option<Stream>) -> Option<Fallback> {
    let (other, code) = room::stands_in(draft, of)?;
    own.is_none_or(|own| own != of && own == other).then_some(code)
}

fn take_waiting(draft: &mut Draft<'_>, code: Option<Fallback>) -> Result<(), Refusal> {
    let case = draft.case()?;
    if case.open_action(ActionKind::Regulate).is_none() {
        return Err(Refusal::state("case", "it does not wait for a regulator"));
    }
    if case.open_action(ActionKind::Transfer).is_some() {
        let problem =
            "it was sent to another territory and waits for its answer: take it back first (WithdrawTransfer)";
        return Err(Refusal::state("case", problem));
    }
    let priority = case.qualification.as_ref().map_or(Priority::P2, |known| known.priority);
    let p1 = case.qualification.as_ref().is_some_and(|known| known.priority <= Priority::P1);
    match &case.claim {
        None => {}
        Some(claim) if claim.suspect.is_some() && p1 => {
            let no = claim.no;
            draft.push(Fact::ClaimEnded { no });
        }
        Some(claim) if claim.suspect.is_some() => {
            let problem = "its holder's console is silent and may still be on the line: it returns to the queue by itself, \
                           or a supervisor releases it";
            return Err(Refusal::state("case", problem));
        }
        Some(_) => return Err(Refusal::state("case", "another regulator holds it: claim the next one")),
    }
    room::no_visitor(draft)?;
    room::rostered(draft, priority)?;
    room::of_stream(draft);
    reorient::accepted(draft);
    transfer::accepted(draft);
    take(draft, code)
}

/// Gives the case back: finished when every decision is complete, else to the queue as it was, or as the doctor says that it
/// may wait.
pub(super) fn release(draft: &mut Draft<'_>, claim_no: u64, may_wait: Option<Instant>) -> Result<(), Refusal> {
    draft.held(claim_no, None)?;
    if let Some(until) = may_wait {
        waits_until(draft, until)?;
    }
    // Whoever says that it may wait has not decided all of it.
    if may_wait.is_none() {
        finish_if_decided(draft);
    }
    give_back(draft, claim_no);
    Ok(())
}

/// Nobody has it in hand any more: where it is late already, the caller is asked how the patient is, as when nobody had it
/// at its deadline.
pub(super) fn give_back(draft: &mut Draft<'_>, claim_no: u64) {
    draft.push(Fact::ClaimEnded { no: claim_no });
    let late = draft.case().ok().and_then(|case| case.open_action(ActionKind::Regulate)?.alarmed());
    let asked = |since: Instant| {
        let rung = |action: &Action| matches!(action.kind, ActionKind::ReEvaluate) && action.opened >= since;
        draft.case().is_ok_and(|case| case.actions.iter().any(rung))
    };
    if late.is_some_and(|since| !asked(since)) {
        intake::re_evaluate(draft);
    }
}

/// The doctor's word that the case may wait: queue and alarm go by it (SUdF: what may wait without risk is a P2).
fn waits_until(draft: &mut Draft<'_>, until: Instant) -> Result<(), Refusal> {
    let longest = draft.context.territory.regulation.may_wait_longest;
    let case = draft.case()?;
    let waits = case.open_action(ActionKind::Regulate).map(|action| action.id).zip(case.qualification.clone());
    let Some((action, known)) = waits.filter(|(_, known)| known.priority != Priority::P0) else {
        let problem = "only a case that waits for a regulator may wait longer, and a P0 never: decide, or re-orient";
        return Err(Refusal::state("case", problem));
    };
    if until <= draft.now || until > draft.now + longest {
        let problem = format!("in the future, and at most {} minutes ahead here", longest.ms() / 60_000);
        let french = "dans le futur, et dans la limite du territoire";
        return Err(Refusal::Fields(vec![Wrong::new("may_wait_until_unix_ms", problem, french).into()]));
    }
    draft.push(Fact::MayWait(MayWait { until, signed: draft.signature() }));
    let priority = known.priority.max(Priority::P2);
    draft.push(Fact::Requeued { stream: known.stream, priority, due: until });
    draft.push(Fact::ActionMoved { action, deadline: until });
    Ok(())
}

/// A supervisor takes a case back, with a reason that the case keeps.
pub(super) fn force_release(draft: &mut Draft<'_>, reason: &Private<String>) -> Result<(), Refusal> {
    let Some(claim) = draft.case()?.claim.clone() else {
        return Err(Refusal::state("case", "nobody holds it"));
    };
    reason_given(reason)?;
    draft.note(NoteKind::Reason, reason);
    give_back(draft, claim.no);
    Ok(())
}

/// The holder of a suspect claim is back before anybody took the case.
pub(super) fn resume(draft: &mut Draft<'_>, claim_no: u64) -> Result<(), Refusal> {
    if draft.held(claim_no, None)?.is_some_and(|claim| claim.suspect.is_some()) {
        draft.push(Fact::ClaimResumed { no: claim_no });
    }
    Ok(())
}

/// The AMU regulator accepts a P0 in so many words; only now do the ARM's duties for it end.
pub(super) fn accept_hand_over(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    let case = draft.case()?;
    let Some(asked) = case.open_action(ActionKind::HandOver).cloned() else {
        return Err(Refusal::state("case", "no hand-over waits for acceptance"));
    };
    room::of_the_amu(draft, wanted_by(case, &asked))?;
    let case = draft.case()?;
    let stream = case.qualification.as_ref().map_or(Stream::Amu, |known| known.stream);
    if let Some(claim) = case.claim.clone() {
        draft.push(Fact::ClaimEnded { no: claim.no });
    }
    draft.end_kind(ActionKind::Regulate, End::Replaced);
    draft.open(ActionKind::Regulate, regulators(stream), draft.now, About::default());
    draft.end_kind(ActionKind::HandOver, End::Done);
    // It is the AMU's now, whomever it had been sent to meanwhile.
    reorient::withdraw(draft);
    transfer::accepted(draft);
    let code = fallback_of(draft, stream, room::own_stream(draft));
    room::rostered(draft, Priority::P0)?;
    take(draft, code)
}

/// The doctor whose answer asked for the AMU; none: the front line did.
fn wanted_by<'a>(case: &'a Case, hand_over: &Action) -> Option<&'a PersonId> {
    let answers = case.decisions.iter().filter_map(|decision| decision.answer.as_ref());
    let mut wanted = answers.filter(|answer| answer.care == CareType::Amu && answer.signed.at == hand_over.opened);
    wanted.next().map(|answer| &answer.signed.by)
}

fn take(draft: &mut Draft<'_>, code: Option<Fallback>) -> Result<(), Refusal> {
    not_its_responder(draft)?;
    let no = draft.case().map_or(1, |case| case.last_claim + 1);
    let by = draft.context.actor.person.clone();
    draft.push(Fact::Claimed { no, by, connection: draft.context.actor.connection.clone() });
    draft.reply.claim_no = Some(no);
    if let Some(code) = code {
        draft.push(Fact::FellBack { code });
        draft.reply.warnings.push(format!("FALLBACK: {}: {}", code.code(), code.label()));
    }
    Ok(())
}

/// Whoever gives or gave the care of a case may not regulate it afterwards (invariant 6, the other way round).
fn not_its_responder(draft: &Draft<'_>) -> Result<(), Refusal> {
    let (case, person) = (draft.case()?, &draft.context.actor.person);
    let gave_care = case.gave_care().any(|known| known == person);
    let alone = |id| draft.context.directory.get(id).is_some_and(|known| known.doctors == [person.clone()]);
    let asked = case
        .offers
        .iter()
        .filter(|offer| matches!(offer.state, OfferState::Open | OfferState::Accepted { .. }))
        .any(|offer| alone(&offer.responder));
    let before = case.received.as_ref().is_some_and(|received| received.responders.contains(person));
    if gave_care || asked || before { Err(Refusal::Independence) } else { Ok(()) }
}

/// Ends the regulation when a doctor has decided for every patient and nothing is left to sign; tells for whom it goes on.
pub(super) fn finish_if_decided(draft: &mut Draft<'_>) {
    let Ok(case) = draft.case() else { return };
    let decided = case.open_action(ActionKind::Regulate).is_some() && case.answered() > case.answered_before;
    let unsigned = case.decisions.iter().any(|decision| decision.answer.is_none());
    if !decided || unsigned {
        return;
    }
    let left = left_out(case);
    let lanes = lanes_answered(case, &left);
    draft.end(End::Replaced, |action| lanes.contains(&action.id));
    if !left.is_empty() {
        let numbers: Vec<String> = left.iter().map(u32::to_string).collect();
        let told = format!("PATIENTS_UNDECIDED: it still waits for a decision for patient {}", numbers.join(", "));
        draft.reply.warnings.push(told);
        return;
    }
    draft.end(End::Done, |action| matches!(action.kind, ActionKind::Regulate | ActionKind::TelephoneAppointment));
    // That somebody rang is not said by a signature, and whoever may take his life is rung until somebody has him.
    draft.end_kind(ActionKind::ReEvaluate, End::Replaced);
    if intake::is_lost_psychiatric(draft) {
        let told = "CALLER_NOT_REACHED: he broke off and was not told: he is rung back all the same";
        draft.reply.warnings.push(told.to_owned());
    } else {
        draft.end_kind(ActionKind::CallBack, End::Replaced);
    }
    // The doctor has understood the caller, with or without one.
    draft.end_kind(ActionKind::Interpreter, End::Replaced);
}

/// The UNANSWERED lanes of patients for whom somebody has decided again.
fn lanes_answered(case: &Case, left: &BTreeSet<u32>) -> Vec<ActionId> {
    let lanes = case.open_actions().filter(|action| action.kind == ActionKind::Unanswered);
    let patient = |lane: &Action| Some(case.decision(lane.about.decision?)?.need.patient);
    lanes.filter(|lane| patient(lane).is_none_or(|known| !left.contains(&known))).map(|lane| lane.id).collect()
}

/// The patients for whom nobody has decided, or not again since nobody was left for what had been decided, or it ended badly.
fn left_out(case: &Case) -> BTreeSet<u32> {
    let lanes = case.open_actions().filter(|action| action.kind == ActionKind::Unanswered);
    let alone = lanes.filter_map(|lane| not_again(case, lane, lane.opened));
    let failed = case.actions.iter().filter(|action| fails(action)).filter_map(|action| match action.state {
        ActionState::Ended { at, end } if end.bad() => not_again(case, action, at),
        _ => None,
    });
    let all: BTreeSet<u32> = case.undecided().into_iter().chain(alone).chain(failed).collect();
    let here: BTreeSet<u32> = case.present().map(|patient| patient.number).collect();
    if here.is_empty() { all } else { &all & &here }
}

/// What carries a decision out, and calls a regulator when it ends badly: an offer that failed only asks for the next one.
fn fails(action: &Action) -> bool {
    use ActionKind::{AnnouncePatient, Appointment, AwaitReport, DeliverPrescription, FollowUp, Route, Visit};
    matches!(action.kind, AnnouncePatient | Appointment | AwaitReport | DeliverPrescription | FollowUp | Route | Visit)
}

/// The patient whom an action is about, unless a doctor has answered for him by another decision, at `since` or after it.
fn not_again(case: &Case, action: &Action, since: Instant) -> Option<u32> {
    let own = case.decision(action.about.decision?)?;
    let patient = own.need.patient;
    let again = |known: &Decision| {
        let answered = known.answer.as_ref().is_some_and(|answer| answer.signed.at >= since);
        known.id != own.id && known.need.patient == patient && known.protocol.is_none() && answered
    };
    (!case.decisions.iter().any(again)).then_some(patient)
}

/// A patient who came to a decided case is a doctor's too. What an older binary left over stays over.
pub(super) fn settle(draft: &mut Draft<'_>) {
    use ActionKind::{HandOver, Qualify, Regulate};
    let Ok(case) = draft.case() else { return };
    let waits = case.open_actions().any(|action| matches!(action.kind, Regulate | HandOver | Qualify));
    let elsewhere = case.dismissed.is_some() || case.handed_on().is_some() || case.with_sender();
    let undecided = case.undecided();
    if case.decisions.is_empty() || undecided.is_empty() || waits || elsewhere {
        return;
    }
    let before = draft.context.records.cases.get(&case.id).filter(|before| before.idle_since.is_some());
    if before.is_none_or(|before| before.undecided() != undecided) {
        draft.call_for_regulator();
    }
}

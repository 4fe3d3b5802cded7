//! Rules 2, 7, 8 and 11: an open case always has something to be done, by somebody, until an alarmed deadline; a P0 is
//! owned until the AMU has accepted it; a late regulation is asked again; an unsafe contact is not rung.

use crate::domain::{
    actor::Role,
    case::{
        action::{Action, ActionKind, ActionState, End, MOST_ENDED, Owner},
        outgoing::{Outgoing, may_send},
        state::{Case, Offer, OfferState},
        status::complete,
    },
    regulation::{decision::Decision, qualification::Priority},
};

use super::{Found, note};

pub(super) fn state(case: &Case, found: &mut Vec<Found>) {
    let open = |kind| case.open_action(kind).is_some();
    let idle = case.open_actions().next().is_none();
    note(found, idle && !complete(case), 2, "an unfinished case has no open action");
    note(found, idle != case.idle_since.is_some(), 2, "the instant since when nothing is to be done is wrong");
    let unsigned = case.decisions.iter().any(|decision| decision.answer.is_none());
    let doctor = open(ActionKind::Regulate) || open(ActionKind::HandOver);
    note(found, unsigned && !doctor, 2, "a need waits for its answer and no doctor is called for");
    let lost = case.offers.iter().any(|offer| offer.state == OfferState::Open && !waited_for(case, offer));
    note(found, lost, 2, "an open offer has nobody who waits for its answer");
    let alone = case.visits.iter().filter(|visit| visit.doctor.is_some() && !visit.status.ended());
    let followed = |id| case.open_actions().any(|action| of_visit(action) && action.about.visit == Some(id));
    note(found, alone.map(|visit| visit.id).any(|id| !followed(id)), 2, "nobody follows a visit under way");
    note(found, case.open_actions().any(false_alarm), 2, "an alarm was raised before its deadline");
    note(found, twice(case), 2, "the same thing is to be done twice");
    let elsewhere = case.qualification.as_ref().is_some_and(|known| {
        let desk = Owner::Desk(Role::Regulator, Some(known.stream));
        case.open_action(ActionKind::Regulate).is_some_and(|action| action.owner != desk)
    });
    note(found, elsewhere, 2, "the regulators who own the action are not those of the case's stream");
    let agreed = open(ActionKind::TelephoneAppointment) && !open(ActionKind::Regulate);
    note(found, agreed, 2, "a telephone appointment leads to no regulator");
    let ringing = [ActionKind::CallBack, ActionKind::ReEvaluate, ActionKind::TelephoneAppointment];
    let rung = ringing.into_iter().any(open);
    let unsafe_call = rung && may_send(case, 0, Outgoing::CallBack).is_err();
    note(found, unsafe_call, 11, "an unsafe contact is to be rung back");
    let sent = open(ActionKind::Reorient) || open(ActionKind::Transfer);
    note(found, sent && !open(ActionKind::Regulate), 2, "a case was sent on and nobody stays responsible");
    note(found, open(ActionKind::Transfer) != case.sent().is_some(), 2, "nobody watches the deadline of a hand-over");
    let vital = case.qualification.as_ref().is_some_and(|known| known.priority == Priority::P0);
    note(found, vital && open(ActionKind::Transfer), 7, "a P0 waits for the answer of another territory");
    let left = case.with_sender() && (!idle || case.claim.is_some());
    note(found, left, 3, "a copy is worked on whose request is with its sender");
    note(found, sent && case.claim.is_some(), 3, "a case is held that waits for the answer of others");
    note(found, case.open_actions().any(|action| withheld(case, action)), 11, "somebody is to be told who must not be");
}

/// A return of information or a referral about a patient of whom nothing may be told.
fn withheld(case: &Case, action: &Action) -> bool {
    let Some(to) = action.kind.tells() else { return false };
    let decision = action.about.decision.and_then(|id| case.decision(id));
    decision.is_some_and(|decision| may_send(case, decision.need.patient, to).is_err())
}

/// The action that waits for the answer of an open offer, with the offer's own deadline.
fn waited_for(case: &Case, offer: &Offer) -> bool {
    let waits =
        |kind: ActionKind| matches!(kind, ActionKind::RingGp | ActionKind::ConfirmSlot | ActionKind::AcceptVisit);
    case.open_actions()
        .any(|action| waits(action.kind) && action.about.offer == Some(offer.id) && action.deadline <= offer.until)
}

fn of_visit(action: &Action) -> bool {
    action.kind == ActionKind::Visit
}

fn false_alarm(action: &Action) -> bool {
    action.alarmed().is_some_and(|at| at < action.deadline)
}

fn twice(case: &Case) -> bool {
    let open: Vec<_> = case.open_actions().collect();
    open.iter().enumerate().any(|(n, a)| open[..n].iter().any(|b| a.kind == b.kind && a.about == b.about))
}

pub(super) fn history(old: &Case, new: &Case, found: &mut Vec<Found>) {
    let open = |case: &Case, kind| case.open_action(kind).is_some();
    let left = open(old, ActionKind::HandOver) && !open(new, ActionKind::HandOver);
    let accepted = new.claim.is_some() && new.last_claim > old.last_claim;
    note(found, left && !accepted, 7, "a hand-over ended and the AMU had not accepted");
    let p0 = |case: &Case| case.qualification.as_ref().is_some_and(|known| known.priority == Priority::P0);
    let cared = open(new, ActionKind::HandOver) || new.claim.is_some();
    note(found, p0(new) && !p0(old) && !cared, 7, "a P0 is handed over to nobody");
    let late = |case: &Case| case.open_action(ActionKind::Regulate).and_then(Action::alarmed);
    let newly = late(new).is_some() && late(old) != late(new);
    let rung = open(new, ActionKind::CallBack) || open(new, ActionKind::ReEvaluate);
    let asked = rung || may_send(new, 0, Outgoing::CallBack).is_err();
    note(found, newly && !asked && !new.in_hand(), 8, "a late regulation has no re-evaluation call");
    let unsafe_now = |case: &Case| open(case, ActionKind::FollowUp) && may_send(case, 0, Outgoing::CallBack).is_err();
    note(found, unsafe_now(new) && !unsafe_now(old), 11, "an unsafe contact is to be asked how the patient is");
    for action in &old.actions {
        let now = new.action(action.id);
        note(found, now.is_none() && !forgotten(new, action), 2, "an action disappeared");
        let revived = now.is_some_and(|now| now.state != action.state && !action.open());
        note(found, revived, 2, "an action that had ended was changed");
    }
    let dropped = new.actions.iter().any(|action| dropped_now(old, action) && !gone_on_with(new, action));
    note(found, dropped, 2, "what carried a decision out was dropped and nobody goes on for the patient");
    let bad = new.actions.iter().any(|action| failed_now(old, action) && !answered_for(new, action));
    note(found, bad, 2, "a bad end opened nothing for a regulator or a coordinator");
}

/// Over, with so many like it since that the case keeps only those.
fn forgotten(case: &Case, action: &Action) -> bool {
    !action.open() && case.actions.iter().filter(|known| known.ended_like(action)).count() >= MOST_ENDED
}

/// Ended badly by this very event.
fn failed_now(old: &Case, action: &Action) -> bool {
    let before = old.action(action.id).is_none_or(Action::open);
    before && matches!(action.state, ActionState::Ended { end, .. } if end.bad())
}

/// A regulator is called for; or, after an offer, the next option is looked for; or, before anything was qualified, the
/// front line goes on. A referral is nobody's care: that it failed calls for nobody.
fn answered_for(case: &Case, action: &Action) -> bool {
    let open = |kind| case.open_action(kind).is_some();
    let next =
        case.open_actions().any(|open| open.kind == ActionKind::Route && open.about.decision == action.about.decision);
    let front = case.qualification.is_none() && (open(ActionKind::Qualify) || open(ActionKind::CallBack));
    open(ActionKind::Regulate)
        || open(ActionKind::HandOver)
        || (action.about.offer.is_some() && next)
        || (action.kind == ActionKind::AnswerCall && open(ActionKind::CallBack))
        || action.kind.beside_the_care()
        || front
}

/// What carried a decision out, and something else took its place by this very event.
fn dropped_now(old: &Case, action: &Action) -> bool {
    let before = old.action(action.id).is_none_or(Action::open);
    before && carries_out(action.kind) && matches!(action.state, ActionState::Ended { end: End::Replaced, .. })
}

fn carries_out(kind: ActionKind) -> bool {
    use ActionKind::{AcceptVisit, Appointment, ConfirmSlot, RingGp, Route, Visit};
    matches!(kind, Route | RingGp | ConfirmSlot | AcceptVisit | Appointment | Visit)
}

/// The next step of the same decision, a doctor who decides again, another territory; or a hospital to which the patient was sent
/// since, and from which no refusal came.
fn gone_on_with(case: &Case, action: &Action) -> bool {
    let open = |kind| case.open_action(kind).is_some();
    let same = |other: &Action| carries_out(other.kind) && other.about.decision == action.about.decision;
    let elsewhere = case.dismissed.is_some() || case.handed_on().is_some() || case.with_sender();
    let doctor = open(ActionKind::Regulate) || open(ActionKind::HandOver) || open(ActionKind::Unanswered);
    let known = action.about.decision.and_then(|id| case.decision(id));
    doctor || elsewhere || case.open_actions().any(same) || known.is_none_or(|known| taken_in(case, known))
}

fn taken_in(case: &Case, known: &Decision) -> bool {
    let since = known.answer.as_ref().map(|answer| answer.signed.at);
    let of_patient = |other: &&Decision| other.id != known.id && other.need.patient == known.need.patient;
    let to_hospital = |other: &Decision| {
        let answer = other.answer.as_ref().filter(|answer| Some(answer.signed.at) >= since && answer.elsewhere());
        let refused = |action: &Action| {
            let announced = action.kind == ActionKind::AnnouncePatient && action.about.decision == Some(other.id);
            announced && matches!(action.state, ActionState::Ended { end, .. } if end.bad())
        };
        answer.is_some() && !case.actions.iter().any(refused)
    };
    case.decisions.iter().filter(of_patient).any(to_hospital)
}

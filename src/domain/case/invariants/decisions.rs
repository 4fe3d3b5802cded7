//! Rules 5, 6 and 13: no medical request ends without a doctor; the regulator is not the responder; nothing is stored
//! without its reasons, and what was signed or written stays.

use crate::domain::{
    case::{
        action::ActionKind,
        state::{Case, OfferState},
    },
    regulation::{
        decision::Decision,
        need::CareType,
        qualification::{Priority, Qualification, Stream},
    },
    visits::Visit,
};

use super::{Found, note};

pub(super) fn state(case: &Case, found: &mut Vec<Found>) {
    ended(case, found);
    dismissed(case, found);
    triaged(case, found);
    note(found, case.decisions.iter().any(reasonless), 13, "a signature lacks its reasons or the version of the rules");
    let unplanned = |id| !case.routes.iter().any(|route| route.decision == id && !route.plan.rules.is_empty());
    note(found, case.offers.iter().any(|offer| unplanned(offer.decision)), 13, "an offer lacks the plan it came from");
    note(found, case.visits.iter().any(illegal), 13, "a visit took a step that the table of statuses lacks");
    let both = case.gave_care().any(|doctor| case.regulators.contains(doctor) && !case.excepted.contains(doctor));
    note(found, both, 6, "a regulator is its responder");
    let known = case.received.as_ref().is_none_or(|received| received.regulators.is_subset(&case.regulators));
    note(found, !known, 6, "who regulated the case at its sender is not known for it");
    let word = case.may_wait.as_ref().is_some_and(|said| !case.regulators.contains(&said.signed.by));
    note(found, word, 5, "a case may wait by the word of nobody who regulated it");
    let emptied = case.decisions.iter().any(|decision| unwritten(case, decision));
    note(found, emptied, 13, "a prescription is signed and not written");
}

/// Signed at a console as a prescription, and its lines are not in the sealed part.
fn unwritten(case: &Case, decision: &Decision) -> bool {
    let prescribed = decision.answer.as_ref().is_some_and(|answer| answer.prescribed.is_some());
    prescribed && !case.sealed.prescriptions.iter().any(|written| written.decision == decision.id)
}

/// What the protocols heard is not gone below in silence, and a psychiatric request is not deferred (SUdF guide).
fn triaged(case: &Case, found: &mut Vec<Found>) {
    let Some(known) = &case.qualification else { return };
    let psychiatric = known.motive.as_deref().is_some_and(|motive| ["M03.16", "M03.17", "M04.01"].contains(&motive));
    note(found, psychiatric && known.priority == Priority::P3, 5, "a psychiatric or suicidal request was deferred");
    let Some(proposal) = &known.proposal else { return };
    let below = proposal.red_flags.iter().any(|flag| known.priority > flag.priority);
    note(found, below && !proposal.lowered, 13, "a red flag was gone below in silence");
    note(found, !proposal.red_flags.is_empty() && known.flags.is_empty(), 5, "a red flag that was heard is not noted");
}

fn by_doctor(decision: &&Decision) -> bool {
    decision.protocol.is_none() && decision.answer.is_some()
}

/// Where nothing is left to be done, a doctor has decided, or a protocol was allowed to stand in, or the ARM was.
fn ended(case: &Case, found: &mut Vec<Found>) {
    if case.idle_since.is_none() || case.dismissed.is_some() || case.with_sender() {
        return;
    }
    if let Some(transfer) = case.handed_on() {
        let by = transfer.ended.as_ref().and_then(|ended| ended.by.as_ref());
        let doctor = by.is_some_and(|by| case.regulators.contains(by));
        return note(found, !doctor, 5, "ended because another territory has it, and no doctor there accepted it");
    }
    let regulated = case.decisions.iter().any(|decision| by_doctor(&decision));
    let protocol = case.decisions.iter().any(|decision| decision.protocol.is_some());
    let received = case.received.is_some();
    note(found, received && !regulated, 5, "taken over from another territory and ended without a doctor's decision");
    note(found, !regulated && !protocol, 5, "ended without a doctor's decision");
    let compulsory = case.qualification.as_ref().is_none_or(doctor_compulsory);
    note(found, compulsory && !regulated, 5, "a doctor was compulsory and none decided");
}

/// Stated here again and not taken from the qualification: the oracle is not the code under test.
fn doctor_compulsory(known: &Qualification) -> bool {
    !known.flags.is_empty() || matches!(known.priority, Priority::P0 | Priority::P1)
}

fn dismissed(case: &Case, found: &mut Vec<Found>) {
    if case.dismissed.is_none() {
        return;
    }
    let heard = case
        .qualification
        .as_ref()
        .is_some_and(|known| known.symptoms || !known.flags.is_empty() || known.priority != Priority::NotRegulated);
    note(found, heard, 5, "the ARM ended a file with symptoms or flags");
    let flagged = case.repeat_of.is_some() || case.patients.iter().any(|patient| patient.infant);
    note(found, flagged, 5, "the ARM ended the file of an infant or of a repeat call");
    note(found, !case.decisions.is_empty(), 5, "the ARM ended a file that was decided");
}

fn reasonless(decision: &Decision) -> bool {
    let answer = decision.answer.as_ref();
    // A patient's refusal has its own evidence, and no reason of supply.
    let differs = answer.is_some_and(|answer| match answer.care {
        CareType::RefusedByPatient => {
            let told = answer.refusal.is_some_and(|refusal| refusal.risks_explained);
            let net = answer.dialogue.as_ref().is_some_and(|told| told.safety_net.is_some());
            !(told && net) || answer.supply.is_some() || decision.protocol.is_some()
        }
        care => (care != decision.need.care) != answer.supply.is_some() || answer.refusal.is_some(),
    });
    let uncounted = decision.counter.as_ref().is_some_and(|counter| counter.reasons.is_empty());
    let unnamed = decision.protocol.as_ref().is_some_and(String::is_empty);
    differs
        || uncounted
        || unnamed
        || decision.signed.rules.is_empty()
        || answer.is_some_and(|answer| answer.signed.rules.is_empty())
}

fn illegal(visit: &Visit) -> bool {
    let wrong = visit.history.windows(2).any(|step| !step[0].0.may_become(step[1].0) || step[1].1 < step[0].1);
    wrong || visit.history.last().map(|(status, _)| *status) != Some(visit.status)
}

pub(super) fn history(old: &Case, new: &Case, found: &mut Vec<Found>) {
    let kept = |known: &Decision| {
        new.decision(known.id).is_some_and(|now| {
            (&now.need, &now.signed, &now.protocol) == (&known.need, &known.signed, &known.protocol)
                && now.dialogue == known.dialogue
                && (known.answer.is_none() || now.answer == known.answer)
                && (known.counter.is_none() || now.counter == known.counter)
        })
    };
    note(found, !old.decisions.iter().all(kept), 13, "a signed need or answer was overwritten");
    note(found, !new.sealed.notes.starts_with(&old.sealed.notes), 13, "a note was changed");
    let written = new.sealed.prescriptions.starts_with(&old.sealed.prescriptions);
    note(found, !written, 13, "a prescription was changed");
    let regulators = old.regulators.is_subset(&new.regulators);
    note(found, !regulators, 6, "somebody who regulated the case is no longer known for it");
    let responders = old.responders.is_subset(&new.responders);
    note(found, !responders, 6, "somebody who gave care in the case is no longer known for it");
    if let Some(known) = &old.qualification {
        let now = new.qualification.as_ref();
        let kept = now.is_some_and(|now| known.flags.iter().all(|flag| now.flags.contains(flag)));
        note(found, !kept, 5, "a reason for a doctor was taken back");
        let heard = now.is_some_and(|now| now.symptoms);
        note(found, known.symptoms && !heard, 5, "a symptom that was heard was taken back");
    }
    regulation_left(old, new, found);
    let over = old.idle_since.is_none() && new.idle_since.is_some() && !by_others(new);
    note(found, over && left_out(new), 5, "ended with a patient for whom nobody decided");
    transferred(old, new, found);
    let sent = new.decisions.iter().filter(|decision| old.decision(decision.id).is_none());
    note(
        found,
        sent.filter(|decision| decision.protocol.is_some()).any(|decision| !may_send(old, new, decision)),
        5,
        "a protocol stood in where a doctor is compulsory",
    );
    let reopened = old.offers.iter().any(|offer| {
        let settled = matches!(offer.state, OfferState::Closed { .. } | OfferState::Withdrawn { .. });
        settled && new.offer(offer.id).is_none_or(|now| now.state != offer.state)
    });
    note(found, reopened, 13, "an offer that had ended was changed");
}

/// A regulation ends by a doctor's answer, by a hand-over, by a protocol that may, or by a dismissal that may.
fn regulation_left(old: &Case, new: &Case, found: &mut Vec<Found>) {
    let waits =
        |case: &Case| [ActionKind::Regulate, ActionKind::HandOver].iter().any(|kind| case.open_action(*kind).is_some());
    if !waits(old) || waits(new) {
        return;
    }
    let answers = |case: &Case| case.decisions.iter().filter(by_doctor).count();
    let decided =
        answers(new) > answers(old) || answers(new) > usize::try_from(old.answered_before).unwrap_or(usize::MAX);
    let protocol = new.decisions.len() > old.decisions.len();
    let taken = new.handed_on().is_some() && old.handed_on().is_none();
    let back = new.with_sender() && !old.with_sender();
    let elsewhere = taken || back || new.dismissed.is_some();
    note(found, !decided && !protocol && !elsewhere, 5, "a regulation ended without a doctor's answer");
    let silent = decided && !elsewhere && left_out(new);
    note(found, silent, 5, "a regulation ended and nobody had decided for one of the patients");
}

/// The ARM ended it, or another territory has it.
fn by_others(case: &Case) -> bool {
    case.dismissed.is_some() || case.handed_on().is_some() || case.with_sender()
}

/// A patient for whom no doctor has decided, nor a protocol where none is compulsory.
fn left_out(case: &Case) -> bool {
    let protocols = !case.qualification.as_ref().is_none_or(doctor_compulsory);
    let decided = |decision: &Decision| decision.answer.is_some() && (protocols || decision.protocol.is_none());
    let mut patients = case.present().map(|patient| patient.number);
    patients.any(|number| !case.decisions.iter().any(|known| known.need.patient == number && decided(known)))
}

/// What another territory and this one have told each other is not told otherwise later, and nothing is signed on an
/// acceptance that may still lose.
fn transferred(old: &Case, new: &Case, found: &mut Vec<Found>) {
    let kept = old.transfers.iter().all(|known| {
        let now = new.transfer(known.there);
        now.is_some_and(|now| known.ended.is_none() || now.ended == known.ended)
    });
    note(found, !kept, 13, "the end of a hand-over was changed");
    let Some(before) = &old.received else { return };
    let Some(now) = &new.received else { return note(found, true, 13, "where a case came from was forgotten") };
    let said = before.answered.is_none() || now.answered == before.answered;
    let settled = before.settled.is_none() || now.settled == before.settled;
    note(found, !(said && settled), 13, "the answer to a hand-over was changed");
    let vital = old.qualification.as_ref().is_some_and(|known| known.priority == Priority::P0);
    let signed = new.decisions.len() > old.decisions.len();
    note(found, signed && before.open() && !vital, 3, "signed before the sender had recorded that the case is taken");
}

fn may_send(old: &Case, new: &Case, decision: &Decision) -> bool {
    let front = new.qualification.as_ref().is_some_and(|known| {
        let deferred = matches!(known.priority, Priority::P2 | Priority::P3);
        deferred && known.stream == Stream::Snp && !doctor_compulsory(known)
    });
    front
        && decision.need.care.needs_supply()
        && old.claim.is_none()
        && old.decisions.is_empty()
        && old.regulators.is_empty()
}

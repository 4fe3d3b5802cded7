//! What facts and words mean for the hand-overs of a case between territories: its own, and the one it came by.

use crate::domain::{
    actor::Role,
    case::{
        action::ActionKind,
        fact::{Event, Fact},
        state::Case,
        transfer::SaidHere,
    },
    time::Instant,
};

/// What a fact means for the hand-overs of its case.
pub(super) fn apply(case: &mut Case, event: &Event, fact: &Fact) {
    let at = event.at;
    match fact {
        Fact::TransferSent(transfer) => case.transfers.push((**transfer).clone()),
        Fact::TransferEnded { there, ended } => {
            if let Some(transfer) = case.transfers.iter_mut().find(|known| known.there == *there) {
                transfer.ended = Some(ended.clone());
                // The doctor who took it there has regulated it, and responds to it nowhere.
                let accepted = transfer.accepted();
                case.regulators.extend(ended.by.clone().filter(|_| accepted));
            }
        }
        Fact::TransferGoesOn { there } => {
            let transfer = case.transfers.iter_mut().find(|known| known.there == *there);
            transfer.into_iter().for_each(|transfer| transfer.goes_on = Some(at));
        }
        Fact::TransferReceived(received) => {
            case.regulators.extend(received.regulators.iter().cloned());
            case.received = Some(received.clone());
        }
        Fact::PlaceSet(_) | Fact::SafetySet(_) | Fact::PatientSet(_) => {
            said_here(case, event, |here| match fact {
                Fact::PlaceSet(_) => here.place = true,
                Fact::PatientSet(patient) => drop(here.patients.insert(patient.number)),
                _ => here.safety = true,
            });
            changed(case);
        }
        // How urgent it is travels too, and who is asked for care, so that he does not regulate it there.
        Fact::Flagged(_)
        | Fact::TriagedAgain(_)
        | Fact::Requeued { .. }
        | Fact::Offered(_)
        | Fact::OfferAccepted { .. }
        | Fact::Responded { .. }
        | Fact::VisitTaken { .. } => changed(case),
        Fact::ActionOpened(action) => taken_up(case, action.kind, at),
        fact => {
            let Some(received) = case.received.as_deref_mut() else { return };
            match fact {
                Fact::TransferAnswered(answered) => received.answered = Some(answered.clone()),
                Fact::TransferBrought { as_of, priority, responders } => {
                    received.as_of = *as_of;
                    received.priority = priority.or(received.priority);
                    received.responders.extend(responders.iter().cloned());
                }
                Fact::TransferSettled { how, goes_on } => {
                    (received.settled, received.goes_on) = (Some((at, *how)), *goes_on);
                    // Nothing is brought from now on.
                    received.here = SaidHere::default();
                }
                Fact::TransferReopened { at } => received.again = Some(*at),
                _ => {}
            }
        }
    }
}

/// Notes what people of this territory say of a copy: what upkeep says of it comes from its sender.
pub(super) fn said_here(case: &mut Case, event: &Event, note: impl FnOnce(&mut SaidHere)) {
    let copy = case.received.as_deref_mut().filter(|received| received.open());
    if let Some(received) = copy.filter(|_| event.actor.role != Role::Upkeep) {
        note(&mut received.here);
    }
}

/// Something that travels is not what was sent.
fn changed(case: &mut Case) {
    if let Some(transfer) = case.transfers.last_mut().filter(|transfer| transfer.waits()) {
        transfer.changed += 1;
    }
}

/// The same of words. An event tells them after its facts, wherever among them they were said: so they count as well where
/// this event ends the sending, and never where it begins it.
pub(super) fn said(case: &mut Case, event: &Event) {
    let Some(transfer) = case.transfers.last_mut().filter(|transfer| transfer.command != event.command_id) else {
        return;
    };
    let there = transfer.there;
    let ends = |fact: &Fact| matches!(fact, Fact::TransferEnded { there: ended, .. } if *ended == there);
    if transfer.waits() || event.facts.iter().any(ends) {
        transfer.changed += 1;
    }
}

/// What is to be regulated here again is not the other territory's alone any more.
fn taken_up(case: &mut Case, kind: ActionKind, at: Instant) {
    use ActionKind::{HandOver, Qualify, Regulate};
    if !matches!(kind, Regulate | HandOver | Qualify) {
        return;
    }
    if let Some(transfer) = case.transfers.last_mut().filter(|transfer| transfer.accepted()) {
        transfer.again = transfer.again.or(Some(at));
    }
    if let Some(received) = case.received.as_deref_mut().filter(|received| received.with_sender()) {
        received.goes_on = true;
    }
}

//! Who looks at a case sees what could be done with it now, and does one of these things.

use sas_dispatch::{
    domain::actor::Role,
    grpc::pb::{self, ActionKind, OfferStatus, VisitStatus, means::Way},
};

use super::{Act, border::of_border};
use crate::{
    load::{Board, OnDuty},
    pace::{Dice, unix_ms},
    site::Ground,
};

const HOUR_MS: i64 = 60 * 60_000;

/// One thing that could be done now: seldom words, mostly what brings the case on.
pub(in crate::load) fn chosen(view: &pb::CaseView, ground: &Ground, board: &Board, dice: &mut Dice) -> Act {
    let words = if dice.percent(50) { Act::Note } else { Act::Amend };
    let work = work(view, ground, board);
    if dice.percent(10) { words } else { dice.any(&work).cloned().unwrap_or(words) }
}

/// Everything that brings the case on; common things stand several times.
fn work(view: &pb::CaseView, ground: &Ground, board: &Board) -> Vec<Act> {
    let mut acts = Vec::new();
    let open: Vec<&pb::Action> = view.actions.iter().filter(|action| action.ended_unix_ms == 0).collect();
    for action in &open {
        match action.kind() {
            ActionKind::AnswerCall | ActionKind::Qualify => {
                acts.extend([Act::Qualify, Act::Qualify, Act::Qualify, Act::Dismiss])
            }
            ActionKind::HandOver => acts.extend([Act::AcceptHandOver, Act::AcceptHandOver]),
            ActionKind::Regulate if view.claim.is_none() => {
                acts.extend([Act::Claim, Act::Claim]);
                acts.extend(of_border(view, ground));
            }
            ActionKind::Regulate => acts.extend(of_border(view, ground)),
            ActionKind::Route => {
                acts.extend([Act::Advance(action.decision_id.clone()), Act::Advance(action.decision_id.clone())]);
            }
            ActionKind::DeliverPrescription
            | ActionKind::FollowUp
            | ActionKind::ReturnOfInformation
            | ActionKind::AnnouncePatient
            | ActionKind::ArrangeTransport => {
                acts.push(Act::EndAction(action.action_id.clone(), Role::Coordinator));
            }
            ActionKind::CompleteFile => acts.push(Act::Amend),
            ActionKind::AwaitReport => acts.push(Act::EndAction(action.action_id.clone(), Role::Regulator)),
            _ => {}
        }
    }
    if let Some(claim) = &view.claim {
        acts.extend(of_holder(view, claim));
    }
    view.offers.iter().for_each(|offer| acts.extend(of_offer(offer, &board.on_duty())));
    view.visits.iter().for_each(|visit| acts.extend(of_visit(visit, &open)));
    acts
}

fn of_holder(view: &pb::CaseView, claim: &pb::Claim) -> Vec<Act> {
    let (by, no) = (claim.by.clone(), claim.claim_no);
    let mut acts = vec![Act::Renew(by.clone(), no), Act::Release(by.clone(), no), Act::ForceRelease];
    if claim.suspect_since_unix_ms > 0 {
        acts.extend([Act::Resume(by.clone(), no), Act::Claim]);
    }
    match view.decisions.iter().find(|decision| decision.answer.is_none()) {
        Some(decision) => {
            let care = decision.need.as_ref().map_or(0, |need| need.care);
            let sign = Act::SignAnswer(by.clone(), no, decision.decision_id.clone(), care);
            acts.extend([sign.clone(), sign.clone(), sign]);
        }
        None => {
            let sign = Act::SignNeed(by.clone(), no);
            acts.extend([sign.clone(), sign.clone(), sign, Act::Reorient(by, no)]);
        }
    }
    acts
}

fn of_offer(offer: &pb::Offer, on_duty: &[OnDuty]) -> Vec<Act> {
    let id = || offer.offer_id.clone();
    let way = offer.means.as_ref().and_then(|means| means.way.as_ref());
    match (offer.status(), way) {
        (OfferStatus::Open, Some(Way::Ring(_))) => vec![Act::Ring(id()), Act::Ring(id()), Act::CancelOffer(id())],
        (OfferStatus::Open, Some(Way::Slot(_))) => {
            vec![Act::Confirm(id()), Act::Confirm(id()), Act::RenewHold(id()), Act::Ring(id()), Act::CancelOffer(id())]
        }
        (OfferStatus::Open, Some(Way::Visit(_))) => {
            let theirs = on_duty.iter().filter(|known| known.responder == offer.responder_id);
            theirs
                .flat_map(|known| [Act::AcceptVisit(id(), known.clone()), Act::DeclineVisit(id(), known.clone())])
                .take(8)
                .collect()
        }
        (OfferStatus::Accepted, Some(Way::Slot(_) | Way::Ring(_))) => {
            // Nobody was seen more than an hour before his appointment.
            let begun = offer.appointment_unix_ms - HOUR_MS <= unix_ms();
            [Act::CancelAppointment(id())].into_iter().chain(begun.then(|| Act::Attend(id()))).collect()
        }
        _ => Vec::new(),
    }
}

fn of_visit(visit: &pb::Visit, open: &[&pb::Action]) -> Vec<Act> {
    let step = |status| vec![Act::Progress(visit.visit_id.clone(), visit.doctor.clone(), status); 3];
    match visit.status() {
        VisitStatus::Dispatched => step(VisitStatus::EnRoute),
        VisitStatus::EnRoute => step(VisitStatus::Arrived),
        VisitStatus::Arrived => step(VisitStatus::WithPatient),
        VisitStatus::WithPatient => step(VisitStatus::Finished),
        VisitStatus::Finished if open.iter().any(|action| action.visit_id == visit.visit_id) => {
            vec![Act::Report(visit.visit_id.clone(), visit.doctor.clone())]
        }
        _ => Vec::new(),
    }
}

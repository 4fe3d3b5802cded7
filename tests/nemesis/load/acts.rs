//! What may be done next with a case, as whoever looks at it sees it, and the call that does it.

use sas_dispatch::{
    domain::actor::Role,
    grpc::pb::{
        self, ActionKind, CareLevel, CareType, LongestDelay, OfferStatus, Priority, Stream, VisitStatus, means::Way,
    },
};

use super::{
    Board, OnDuty,
    call::{Caller, Draft},
};
use crate::{pace::Dice, pace::unix_ms, site::Ground};

/// One thing somebody could do now.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Qualify,
    Dismiss,
    Claim,
    AcceptHandOver,
    SignNeed(String, u64),
    SignAnswer(String, u64, String, i32),
    Renew(String, u64),
    Release(String, u64),
    Resume(String, u64),
    Reorient(String, u64),
    ForceRelease,
    Advance(String),
    Ring(String),
    Confirm(String),
    RenewHold(String),
    CancelOffer(String),
    CancelAppointment(String),
    Attend(String),
    AcceptVisit(String, OnDuty),
    DeclineVisit(String, OnDuty),
    Progress(String, String, VisitStatus),
    Report(String, String),
    EndAction(String, Role),
    Note,
    Amend,
}

/// Calls `$service.$method` with the request that `$request` makes of the command id.
macro_rules! change {
    ($caller:expr, $draft:expr, $service:ident.$method:ident, |$id:ident| $request:expr) => {{
        let $id = $caller.dice.command();
        let command_id = $id.clone();
        let request = $request;
        let call = |mut clients: sas_dispatch::grpc::client::Clients| {
            let request = request.clone();
            async move { clients.$service.$method(request).await }
        };
        $caller.change($draft, command_id, call).await
    }};
}
pub(super) use change;

/// One thing that could be done now: seldom words, mostly what brings the case on.
pub(super) fn chosen(view: &pb::CaseView, board: &Board, dice: &mut Dice) -> Act {
    let words = if dice.percent(50) { Act::Note } else { Act::Amend };
    let work = work(view, board);
    if dice.percent(10) { words } else { dice.any(&work).cloned().unwrap_or(words) }
}

/// Everything that brings the case on; common things stand several times.
fn work(view: &pb::CaseView, board: &Board) -> Vec<Act> {
    let mut acts = Vec::new();
    let open: Vec<&pb::Action> = view.actions.iter().filter(|action| action.ended_unix_ms == 0).collect();
    for action in &open {
        match action.kind() {
            ActionKind::AnswerCall | ActionKind::Qualify => {
                acts.extend([Act::Qualify, Act::Qualify, Act::Qualify, Act::Dismiss])
            }
            ActionKind::HandOver => acts.extend([Act::AcceptHandOver, Act::AcceptHandOver]),
            ActionKind::Regulate if view.claim.is_none() => acts.extend([Act::Claim, Act::Claim]),
            ActionKind::Route => {
                acts.extend([Act::Advance(action.decision_id.clone()), Act::Advance(action.decision_id.clone())]);
            }
            ActionKind::DeliverPrescription
            | ActionKind::FollowUp
            | ActionKind::ReturnOfInformation
            | ActionKind::AnnouncePatient => {
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
            vec![Act::CancelAppointment(id()), Act::Attend(id())]
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

/// Does it.
pub(super) async fn perform(caller: &mut Caller, ground: &Ground, case: &str, act: Act) {
    match act {
        Act::Qualify | Act::Dismiss | Act::Note | Act::Amend => intake(caller, ground, case, act).await,
        Act::Claim
        | Act::AcceptHandOver
        | Act::Renew(..)
        | Act::Release(..)
        | Act::Resume(..)
        | Act::Reorient(..)
        | Act::ForceRelease => claims(caller, case, act).await,
        Act::SignNeed(..) | Act::SignAnswer(..) => sign(caller, case, act).await,
        Act::AcceptVisit(..) | Act::DeclineVisit(..) | Act::Progress(..) | Act::Report(..) => {
            visits(caller, case, act).await;
        }
        Act::EndAction(action_id, role) => {
            let draft = by("EndAction", "bilans-1", role, case, None);
            let (case_id, end) = (case.to_owned(), pb::ActionEnd::Done.into());
            change!(caller, draft, regulation.end_action, |id| pb::EndActionRequest {
                command_id: id,
                case_id,
                action_id,
                end,
                ..Default::default()
            });
        }
        routing => offers(caller, case, routing).await,
    }
}

fn by<'a>(kind: &'static str, person: &'a str, role: Role, case: &'a str, under_claim: Option<u64>) -> Draft<'a> {
    Draft { kind, person, role, case: Some(case), under_claim }
}

async fn intake(caller: &mut Caller, ground: &Ground, case: &str, act: Act) {
    let arm = format!("arm-{}", caller.process);
    let case_id = case.to_owned();
    match act {
        Act::Qualify => {
            let request = qualification(&mut caller.dice, ground, case_id);
            let draft = by("Qualify", &arm, Role::Arm, case, None);
            change!(caller, draft, regulation.qualify, |id| pb::QualifyRequest { command_id: id, ..request.clone() });
        }
        Act::Dismiss => {
            let attribution = pb::Attribution::PharmacyInformation.into();
            let draft = by("DismissCase", &arm, Role::Arm, case, None);
            change!(caller, draft, intake.dismiss_case, |id| pb::DismissCaseRequest {
                command_id: id,
                case_id,
                attribution,
                ..Default::default()
            });
        }
        Act::Amend => {
            let ald = caller.dice.percent(50);
            let patients = vec![pb::Patient { number: 1, identity_unknown: true, ald, ..Default::default() }];
            let draft = by("AmendCase", &arm, Role::Arm, case, None);
            change!(caller, draft, intake.amend_case, |id| pb::AmendCaseRequest {
                command_id: id,
                case_id,
                patients,
                ..Default::default()
            });
        }
        _ => {
            let draft = by("AddNote", &arm, Role::Arm, case, None);
            let text = "Précision donnée au téléphone.".to_owned();
            change!(caller, draft, intake.add_note, |id| pb::AddNoteRequest { command_id: id, case_id, text });
        }
    }
}

fn qualification(dice: &mut Dice, ground: &Ground, case_id: String) -> pb::QualifyRequest {
    let priority = match dice.below(20) {
        0 => Priority::P0,
        1..=6 => Priority::P1,
        7..=15 => Priority::P2,
        _ => Priority::P3,
    };
    let stream = if dice.percent(70) { Stream::Snp } else { Stream::Amu };
    pb::QualifyRequest {
        case_id,
        priority: priority.into(),
        stream: stream.into(),
        motive: "M03.14".to_owned(),
        symptoms: true,
        place: dice.any(&ground.communes).map(|commune| pb::Place { commune: commune.clone(), ..Default::default() }),
        patients: vec![pb::Patient { number: 1, identity_unknown: true, ..Default::default() }],
        ..Default::default()
    }
}

async fn claims(caller: &mut Caller, case: &str, act: Act) {
    let me = format!("dr-regul-{}", caller.process);
    let case_id = case.to_owned();
    match act {
        Act::Renew(person, no) => caller.renew(&person, case, no).await,
        Act::Claim => {
            let draft = by("Claim", &me, Role::Regulator, case, None);
            change!(caller, draft, regulation.claim, |id| pb::ClaimRequest {
                command_id: id,
                case_id,
                ..Default::default()
            });
        }
        Act::AcceptHandOver => {
            let draft = by("AcceptHandOver", &me, Role::Regulator, case, None);
            change!(caller, draft, regulation.accept_hand_over, |id| pb::AcceptHandOverRequest {
                command_id: id,
                case_id
            });
        }
        Act::Release(person, claim_no) => {
            let draft = by("ReleaseClaim", &person, Role::Regulator, case, Some(claim_no));
            change!(caller, draft, regulation.release_claim, |id| pb::ReleaseClaimRequest {
                may_wait_until_unix_ms: 0,
                command_id: id,
                case_id,
                claim_no
            });
        }
        Act::Resume(person, claim_no) => {
            let draft = by("ResumeClaim", &person, Role::Regulator, case, Some(claim_no));
            change!(caller, draft, regulation.resume_claim, |id| pb::ResumeClaimRequest {
                command_id: id,
                case_id,
                claim_no
            });
        }
        Act::Reorient(person, claim_no) => {
            let stream = if caller.dice.percent(50) { Stream::Amu } else { Stream::Snp }.into();
            let draft = by("Reorient", &person, Role::Regulator, case, Some(claim_no));
            let reason = "relève de l'autre filière".to_owned();
            change!(caller, draft, regulation.reorient, |id| pb::ReorientRequest {
                command_id: id,
                case_id,
                claim_no,
                stream,
                reason
            });
        }
        _ => {
            let draft = by("ForceRelease", "cadre-1", Role::Supervisor, case, None);
            let reason = "poste abandonné".to_owned();
            change!(caller, draft, supervision.force_release, |id| pb::ForceReleaseRequest {
                command_id: id,
                case_id,
                reason,
                ..Default::default()
            });
        }
    }
}

async fn sign(caller: &mut Caller, case: &str, act: Act) {
    let case_id = case.to_owned();
    match act {
        Act::SignNeed(person, claim_no) => {
            let need = Some(need(&mut caller.dice));
            let draft = by("SignNeed", &person, Role::Regulator, case, Some(claim_no));
            change!(caller, draft, regulation.sign_need, |id| pb::SignNeedRequest {
                command_id: id,
                case_id,
                claim_no,
                need,
                ..Default::default()
            });
        }
        Act::SignAnswer(person, claim_no, decision_id, care) => {
            let other = caller.dice.percent(15);
            let reason = pb::SupplyReason::NoneBeforeDeadline.into();
            let (care, supply_reason) = if other { (CareType::EmergencyDepartment.into(), reason) } else { (care, 0) };
            let draft = by("SignAnswer", &person, Role::Regulator, case, Some(claim_no));
            change!(caller, draft, regulation.sign_answer, |id| pb::SignAnswerRequest {
                command_id: id,
                case_id,
                claim_no,
                decision_id,
                care,
                supply_reason,
                ..Default::default()
            });
        }
        _ => {}
    }
}

fn need(dice: &mut Dice) -> pb::Need {
    let (care, level, delay) = match dice.below(10) {
        0..=3 => (CareType::Consultation, CareLevel::R3, LongestDelay::H24),
        4..=6 => (CareType::HomeVisit, CareLevel::R3, LongestDelay::H4),
        7 => (CareType::Ambulance, CareLevel::R2, LongestDelay::M30),
        8 => (CareType::OtherResource, CareLevel::R4, LongestDelay::H24),
        _ => (CareType::Advice, CareLevel::R4, LongestDelay::Immediate),
    };
    pb::Need {
        patient: 1,
        care: care.into(),
        level: level.into(),
        longest_delay: delay.into(),
        constraints: None,
        reasons: vec!["M03.14".to_owned()],
    }
}

async fn offers(caller: &mut Caller, case: &str, act: Act) {
    let desk = format!("osnp-{}", caller.process);
    let draft = |kind| by(kind, &desk, Role::Coordinator, case, None);
    let (case_id, version) = (case.to_owned(), Vec::new());
    match act {
        Act::Advance(decision_id) => {
            change!(caller, draft("Advance"), routing.advance, |id| pb::AdvanceRequest {
                command_id: id,
                case_id,
                version,
                decision_id
            });
        }
        Act::Ring(offer_id) => {
            use pb::answer_offer_request::{Accepted, Answer, Declined, Unreachable};
            let answer = Some(match caller.dice.below(3) {
                0 => Answer::Accepted(Accepted { appointment_unix_ms: unix_ms() + 3_600_000 }),
                1 => Answer::Declined(Declined {}),
                _ => Answer::Unreachable(Unreachable {}),
            });
            change!(caller, draft("AnswerOffer"), routing.answer_offer, |id| pb::AnswerOfferRequest {
                command_id: id,
                case_id,
                version,
                offer_id,
                answer
            });
        }
        Act::Confirm(offer_id) => {
            change!(caller, draft("ConfirmSlot"), slots.confirm_slot, |id| pb::ConfirmSlotRequest {
                command_id: id,
                case_id,
                version,
                offer_id
            });
        }
        Act::RenewHold(offer_id) => {
            change!(caller, draft("RenewHold"), slots.renew_hold, |id| pb::RenewHoldRequest {
                command_id: id,
                case_id,
                version,
                offer_id
            });
        }
        Act::CancelOffer(offer_id) => {
            let reason = "le patient a rappelé".to_owned();
            change!(caller, draft("CancelOffer"), routing.cancel_offer, |id| pb::CancelOfferRequest {
                command_id: id,
                case_id,
                version,
                offer_id,
                reason
            });
        }
        later => appointments(caller, case, later).await,
    }
}

async fn appointments(caller: &mut Caller, case: &str, act: Act) {
    let desk = format!("osnp-{}", caller.process);
    let draft = |kind| by(kind, &desk, Role::Coordinator, case, None);
    let (case_id, version) = (case.to_owned(), Vec::new());
    match act {
        Act::CancelAppointment(offer_id) => {
            let reason = "le patient ne viendra pas".to_owned();
            change!(caller, draft("CancelAppointment"), slots.cancel_appointment, |id| pb::CancelAppointmentRequest {
                command_id: id,
                case_id,
                version,
                offer_id,
                reason
            });
        }
        Act::Attend(offer_id) => {
            let attendance = pb::Attendance::Seen.into();
            change!(caller, draft("RecordAttendance"), slots.record_attendance, |id| pb::RecordAttendanceRequest {
                counter_regulation: None,
                command_id: id,
                case_id,
                version,
                offer_id,
                attendance
            });
        }
        _ => {}
    }
}

async fn visits(caller: &mut Caller, case: &str, act: Act) {
    let (case_id, version) = (case.to_owned(), Vec::new());
    match act {
        Act::AcceptVisit(offer_id, on_duty) => {
            let draft = by("AcceptVisit", &on_duty.doctor, Role::Responder, case, None);
            let shift_id = on_duty.shift.clone();
            change!(caller, draft, visits.accept_visit, |id| pb::AcceptVisitRequest {
                command_id: id,
                case_id,
                version,
                offer_id,
                shift_id
            });
        }
        Act::DeclineVisit(offer_id, on_duty) => {
            let draft = by("DeclineVisit", &on_duty.doctor, Role::Responder, case, None);
            change!(caller, draft, visits.decline_visit, |id| pb::DeclineVisitRequest {
                command_id: id,
                case_id,
                version,
                offer_id
            });
        }
        Act::Progress(visit_id, doctor, status) => {
            let draft = by("ProgressVisit", &doctor, Role::Responder, case, None);
            let status = status.into();
            change!(caller, draft, visits.progress_visit, |id| pb::ProgressVisitRequest {
                command_id: id,
                case_id,
                version,
                visit_id,
                status,
                happened_unix_ms: 0
            });
        }
        Act::Report(visit_id, doctor) => {
            let draft = by("ReportVisit", &doctor, Role::Responder, case, None);
            let report = "Examen fait à domicile, traitement symptomatique.".to_owned();
            change!(caller, draft, visits.report_visit, |id| pb::ReportVisitRequest {
                counter_regulation: None,
                command_id: id,
                case_id,
                version,
                visit_id,
                report
            });
        }
        _ => {}
    }
}

//! A patient who is sent elsewhere: what was being looked for for him ends, and what is agreed rings until it is cancelled.

use sas_dispatch::domain::{
    case::{
        ActionKind, Command, End, OfferState, Reply,
        command::{OfferAnswer, Timer},
    },
    ids::CaseId,
    regulation::{
        national::Destination,
        need::{CareLevel, CareType},
        qualification::Priority,
    },
    routing::Means,
    slots::SlotState,
    time::Span,
    visits::VisitStatus,
};

use super::stage::{
    GP, SAS, SOS, SOS_DOCTOR, Stage, arm, coordinator, doctor, other_regulator, qualify, regulator, sign, text, upkeep,
    visit_means,
};

/// A regulator finds later that the patient needs another care.
fn sent(stage: &mut Stage, case: CaseId, care: CareType) -> Reply {
    stage.pass(Span::from_secs(5));
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P2))));
    let claim_no = stage.claim(&regulator(), case);
    let mut need = sign(claim_no, care);
    need.need.level = CareLevel::R2;
    stage.done(&regulator(), case, Command::SignNeed(Box::new(need)))
}

/// A doctor has taken the visit that was decided.
fn dispatched(stage: &mut Stage) -> CaseId {
    let (case, decision) = stage.decided(CareType::HomeVisit);
    let (offer, shift) = (stage.offered(case, decision, SOS, visit_means()), stage.on_duty(SOS_DOCTOR));
    stage.done(&doctor(SOS_DOCTOR), case, Command::TakeVisit { offer, shift });
    case
}

fn told(reply: &Reply, code: &str) -> bool {
    reply.warnings.iter().any(|warning| warning.starts_with(&format!("{code}: ")))
}

/// The GP of a patient who was on his way to hospital was rung all the same, and the next option after him.
#[test]
fn what_was_looked_for_for_a_patient_who_is_sent_elsewhere_ends() {
    for care in [CareType::EmergencyDepartment, CareType::Amu] {
        let mut stage = Stage::new();
        let (waiting, _) = stage.decided(CareType::Consultation);
        let reply = sent(&mut stage, waiting, care);
        assert!(told(&reply, "ROUTING_ENDED") && !told(&reply, "APPOINTMENT_STANDS"), "{:?}", reply.warnings);
        assert!(!stage.waits(waiting, ActionKind::Route));

        let (rung, decision) = stage.decided(CareType::Consultation);
        let offer = stage.offered(rung, decision, GP, Means::Ring);
        assert!(told(&sent(&mut stage, rung, care), "ROUTING_ENDED"));
        assert!(matches!(stage.case(rung).offer(offer).unwrap().state, OfferState::Withdrawn { .. }));
        assert!(!stage.waits(rung, ActionKind::RingGp) && !stage.waits(rung, ActionKind::Route), "{care}");

        let (held, decision) = stage.decided(CareType::Consultation);
        let (slot, means) = stage.slot(Span::from_hours(2));
        stage.offered(held, decision, SAS, means);
        sent(&mut stage, held, care);
        assert_eq!(stage.records.slots[&slot].state, SlotState::Free);
        stage.give(&super::stage::doctor(super::stage::SAS_DOCTOR), None, &Command::WithdrawSlot(slot)).unwrap();
    }
}

#[test]
fn what_is_agreed_stands_and_rings_until_a_coordinator_cancels_it_and_nothing_is_looked_for_then() {
    let mut stage = Stage::new();
    let (case, decision) = stage.decided(CareType::Consultation);
    let offer = stage.offered(case, decision, GP, Means::Ring);
    stage.accepted(&coordinator(), case, offer);
    let reply = sent(&mut stage, case, CareType::EmergencyDepartment);
    assert!(told(&reply, "APPOINTMENT_STANDS") && !told(&reply, "ROUTING_ENDED"), "{:?}", reply.warnings);
    assert_eq!(stage.action(case, ActionKind::Appointment).alarmed(), Some(stage.now), "the coordinators are told");
    assert!(matches!(stage.case(case).offer(offer).unwrap().state, OfferState::Accepted { .. }));
    stage.done(&coordinator(), case, Command::Cancel { offer, reason: text("aux urgences") });
    assert!(!stage.waits(case, ActionKind::Route) && !stage.waits(case, ActionKind::Appointment));

    let case = dispatched(&mut stage);
    assert!(told(&sent(&mut stage, case, CareType::Amu), "APPOINTMENT_STANDS"));
    assert!(stage.action(case, ActionKind::Visit).alarmed().is_some(), "the doctor on his way is not forgotten");
}

#[test]
fn a_patient_found_vital_is_looked_for_no_longer_and_a_hold_ends_with_its_time() {
    let mut stage = Stage::new();
    let (case, decision) = stage.decided(CareType::Consultation);
    let offer = stage.offered(case, decision, GP, Means::Ring);
    stage.pass(Span::from_secs(5));
    let reply = stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P0))));
    assert!(told(&reply, "ROUTING_ENDED"), "{:?}", reply.warnings);
    assert!(matches!(stage.case(case).offer(offer).unwrap().state, OfferState::Withdrawn { .. }));

    let (case, _) = stage.decided(CareType::HomeVisit);
    stage.pass(Span::from_secs(5));
    let reply = stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P0))));
    assert!(told(&reply, "ROUTING_ENDED") && !stage.waits(case, ActionKind::Route), "{:?}", reply.warnings);

    let (case, decision) = stage.decided(CareType::Consultation);
    let (slot, means) = stage.slot(Span::from_hours(2));
    stage.offered(case, decision, SAS, means);
    stage.pass(Span::from_secs(5));
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P0))));
    let hold = stage.action(case, ActionKind::ConfirmSlot);
    stage.now = hold.deadline;
    stage.done(&upkeep(), case, Command::Fire(Timer::Action(hold.id)));
    assert_eq!(stage.records.slots[&slot].state, SlotState::Free);
    assert!(!stage.waits(case, ActionKind::Route), "and no other slot is looked for");
    assert_eq!(stage.case(case).action(hold.id).unwrap().ended_as(), Some(End::Replaced));
}

#[test]
fn what_is_decided_after_the_department_was_is_routed() {
    let mut stage = Stage::new();
    let (case, _) = stage.decided(CareType::Consultation);
    sent(&mut stage, case, CareType::EmergencyDepartment);
    refused(&mut stage, case);
    let claim_no = stage.claim(&other_regulator(), case);
    let decision = stage.need(&other_regulator(), case, claim_no, CareType::Consultation);
    stage.answer(&other_regulator(), case, claim_no, decision, CareType::Consultation);
    let offer = stage.offered(case, decision, GP, Means::Ring);
    stage.done(&coordinator(), case, Command::AnswerOffer { offer, answer: OfferAnswer::Declined });
    assert!(stage.waits(case, ActionKind::Route));
}

/// The department refused, the regulator let the visit stand, and the doctor called it off: nobody was asked any more.
#[test]
fn a_visit_that_fails_after_the_department_has_refused_is_gone_on_with() {
    let mut stage = Stage::new();
    let case = dispatched(&mut stage);
    sent(&mut stage, case, CareType::EmergencyDepartment);
    refused(&mut stage, case);
    let claim_no = stage.claim(&other_regulator(), case);
    stage.done(&other_regulator(), case, Command::SignNeed(Box::new(sign(claim_no, CareType::Advice))));
    stage.pass(Span::from_secs(5));
    let visit = stage.case(case).visits[0].id;
    let off = Command::MoveVisit { visit, status: VisitStatus::CalledOff, happened: None };
    stage.done(&doctor(SOS_DOCTOR), case, off);
    assert!(stage.waits(case, ActionKind::Route), "{:?}", stage.case(case).actions);
}

/// A need that was signed before the patient was sent away may be answered after it.
#[test]
fn an_answer_that_came_after_he_was_sent_away_is_gone_on_with() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    let claim_no = stage.claim(&regulator(), case);
    let decision = stage.need(&regulator(), case, claim_no, CareType::Consultation);
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P0))));
    stage.pass(Span::from_secs(5));
    let reply = stage.done(&other_regulator(), case, Command::AcceptHandOver);
    stage.pass(Span::from_secs(5));
    stage.answer(&other_regulator(), case, reply.claim_no.unwrap(), decision, CareType::Consultation);
    let offer = stage.offered(case, decision, GP, Means::Ring);
    let declined = Command::AnswerOffer { offer, answer: OfferAnswer::Declined };
    stage.done(&coordinator(), case, declined);
    assert!(stage.waits(case, ActionKind::Route), "{:?}", stage.case(case).actions);
}

#[test]
fn an_ambulance_to_the_hospital_ends_what_was_looked_for_and_one_to_a_practice_does_not() {
    for (destination, ends) in [(None, true), (Some(Destination::Practice), false)] {
        let mut stage = Stage::new();
        let (case, decision) = stage.decided(CareType::Consultation);
        stage.offered(case, decision, GP, Means::Ring);
        stage.pass(Span::from_secs(5));
        stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P2))));
        let mut need = sign(stage.claim(&regulator(), case), CareType::Ambulance);
        need.beside.stated.destination = destination;
        let reply = stage.done(&regulator(), case, Command::SignNeed(Box::new(need)));
        assert_eq!((told(&reply, "ROUTING_ENDED"), !stage.waits(case, ActionKind::RingGp)), (ends, ends));
    }
}

/// It is usual that the doctor who is there asks for the hospital: his visit is not one to cancel.
#[test]
fn a_doctor_who_is_with_the_patient_is_no_alarm_and_his_absence_after_that_calls_nobody() {
    let mut stage = Stage::new();
    let case = dispatched(&mut stage);
    let visit = stage.case(case).visits[0].id;
    stage.done(&doctor(SOS_DOCTOR), case, Command::MoveVisit { visit, status: VisitStatus::Arrived, happened: None });
    let reply = sent(&mut stage, case, CareType::EmergencyDepartment);
    assert!(!told(&reply, "APPOINTMENT_STANDS"), "{:?}", reply.warnings);
    let action = stage.action(case, ActionKind::Visit);
    assert_eq!(action.alarmed(), None);
    stage.done(&doctor(SOS_DOCTOR), case, Command::EndAction { action: action.id, end: End::Absent, note: None });
    assert!(!stage.waits(case, ActionKind::Regulate), "he is on his way to the department");
}

fn refused(stage: &mut Stage, case: CaseId) {
    stage.pass(Span::from_secs(5));
    let announce = stage.action(case, ActionKind::AnnouncePatient).id;
    let full = Some(text("aucun lit"));
    stage.done(&coordinator(), case, Command::EndAction { action: announce, end: End::Refused, note: full });
}

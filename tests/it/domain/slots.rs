//! Slots: never bound to two cases; a hold that ran out blocks nobody; a cancelled one is free again (invariant 4).

use sas_dispatch::domain::{
    case::{ActionKind, Command, OfferState, Refusal, command::OfferAnswer, leaving},
    ids::{CaseId, OfferId, SlotId},
    regulation::need::CareType,
    routing::Means,
    slots::{SlotKind, SlotState},
    time::Span,
};

use super::stage::{GP, GP_DOCTOR, SAS, SAS_DOCTOR, Stage, coordinator, doctor, text};

const YES: OfferAnswer = OfferAnswer::Accepted { appointment: None };

fn held(stage: &mut Stage, means: &Means) -> (CaseId, OfferId) {
    let (case, decision) = stage.decided(CareType::Consultation);
    (case, stage.offered(case, decision, SAS, means.clone()))
}

/// Tries to take the slot for a new case.
fn taken(stage: &mut Stage, means: &Means) -> Refusal {
    let (case, decision) = stage.decided(CareType::Consultation);
    let plan = Box::new(stage.plan(Some((SAS, means.clone()))));
    stage.refused(&coordinator(), case, Command::Advance { decision, plan })
}

fn holder(stage: &Stage, slot: SlotId) -> Option<CaseId> {
    stage.records.slots[&slot].bound_to(stage.now)
}

#[test]
fn a_held_slot_is_nobody_elses_and_a_booked_one_stays_so() {
    let mut stage = Stage::new();
    let (slot, means) = stage.slot(Span::from_hours(2));
    let (case, offer) = held(&mut stage, &means);
    assert!(taken(&mut stage, &means).to_string().contains("another case"));
    stage.done(&coordinator(), case, Command::AnswerOffer { offer, answer: YES });
    assert_eq!(holder(&stage, slot), Some(case));
    stage.pass(Span::from_hours(1));
    assert!(taken(&mut stage, &means).to_string().contains("another case"));
    assert_eq!(stage.oracle.booked(), 1);
}

#[test]
fn a_hold_that_ran_out_blocks_neither_a_search_nor_another_hold() {
    let mut stage = Stage::new();
    let (slot, means) = stage.slot(Span::from_hours(2));
    let (first, lost) = held(&mut stage, &means);
    stage.pass(Span::from_secs(179));
    assert!(stage.records.slots[&slot].open_to_hold(stage.now).is_err());
    stage.pass(Span::from_secs(1));
    assert!(stage.records.slots[&slot].open_to_hold(stage.now).is_ok(), "no timer had to fire for it");
    let (second, _) = held(&mut stage, &means);
    assert_eq!(holder(&stage, slot), Some(second));
    let late = Command::AnswerOffer { offer: lost, answer: YES };
    assert!(stage.refused(&coordinator(), first, late).to_string().contains("another case"));
    stage.late(first, ActionKind::ConfirmSlot);
    assert_eq!(holder(&stage, slot), Some(second), "the loser's expiry does not free the winner's slot");
}

#[test]
fn a_patient_told_a_second_too_late_keeps_the_slot_if_nobody_took_it() {
    let mut stage = Stage::new();
    let (slot, means) = stage.slot(Span::from_hours(2));
    let (case, offer) = held(&mut stage, &means);
    stage.pass(Span::from_secs(200));
    stage.done(&coordinator(), case, Command::AnswerOffer { offer, answer: YES });
    assert_eq!(holder(&stage, slot), Some(case));
}

#[test]
fn an_expired_or_cancelled_hold_frees_its_slot() {
    let mut stage = Stage::new();
    let (slot, means) = stage.slot(Span::from_hours(5));
    let (case, _) = held(&mut stage, &means);
    stage.late(case, ActionKind::ConfirmSlot);
    assert_eq!(stage.records.slots[&slot].state, SlotState::Free);
    let (case, offer) = held(&mut stage, &means);
    stage.done(&coordinator(), case, Command::AnswerOffer { offer, answer: YES });
    stage.done(&coordinator(), case, Command::Cancel { offer, reason: text("empêchement") });
    assert_eq!(stage.records.slots[&slot].state, SlotState::Free);
    held(&mut stage, &means);
}

/// Found by reading: the offer went on to show, and to be listed by, its first deadline.
#[test]
fn a_hold_is_kept_while_the_patient_is_told_and_its_offer_says_until_when() {
    let mut stage = Stage::new();
    let (_, means) = stage.slot(Span::from_hours(2));
    let (case, offer) = held(&mut stage, &means);
    stage.pass(Span::from_secs(100));
    stage.done(&coordinator(), case, Command::RenewHold { offer });
    let until = stage.now + Span::from_secs(180);
    assert_eq!(stage.case(case).offer(offer).unwrap().until, until);
    assert_eq!(stage.action(case, ActionKind::ConfirmSlot).deadline, until);
    stage.pass(Span::from_secs(100));
    assert!(taken(&mut stage, &means).to_string().contains("another case"));
}

#[test]
fn a_hold_another_case_has_taken_is_not_renewed() {
    let mut stage = Stage::new();
    let (_, means) = stage.slot(Span::from_hours(2));
    let (first, lost) = held(&mut stage, &means);
    stage.pass(Span::from_secs(181));
    held(&mut stage, &means);
    let renew = Command::RenewHold { offer: lost };
    assert!(matches!(stage.refused(&coordinator(), first, renew), Refusal::State { .. }));
}

#[test]
fn a_slot_that_has_begun_is_neither_held_nor_booked() {
    let mut stage = Stage::new();
    let (_, means) = stage.slot(Span::from_mins(2));
    let (case, offer) = held(&mut stage, &means);
    stage.pass(Span::from_mins(2));
    let late = Command::AnswerOffer { offer, answer: YES };
    assert!(stage.refused(&coordinator(), case, late).to_string().contains("has begun"));
    assert!(taken(&mut stage, &means).to_string().contains("has begun"));
}

#[test]
fn an_owner_takes_back_a_free_slot_and_not_a_patients() {
    let mut stage = Stage::new();
    let (slot, means) = stage.slot(Span::from_hours(2));
    let (case, offer) = held(&mut stage, &means);
    let withdraw = Command::WithdrawSlot(slot);
    assert!(stage.give(&doctor(SAS_DOCTOR), None, &withdraw).unwrap_err().to_string().contains("a patient has it"));
    stage.pass(Span::from_secs(180));
    stage.give(&doctor(SAS_DOCTOR), None, &withdraw).unwrap();
    let late = Command::AnswerOffer { offer, answer: YES };
    assert!(stage.refused(&coordinator(), case, late).to_string().contains("withdrawn"));
    stage.late(case, ActionKind::ConfirmSlot);
    assert!(matches!(stage.records.slots[&slot].state, SlotState::Withdrawn { .. }));
    assert!(matches!(stage.case(case).offer(offer).unwrap().state, OfferState::Closed { .. }));
}

/// Found by reading: the patient was told the old hour of a slot that its owner had moved.
#[test]
fn a_plan_made_before_the_owner_moved_the_slot_is_made_again() {
    let mut stage = Stage::new();
    let (slot, means) = stage.slot(Span::from_hours(2));
    let (start, end) = (stage.now + Span::from_hours(3), stage.now + Span::from_hours(3) + Span::from_mins(20));
    let (responder, kind) = (SAS.parse().unwrap(), SlotKind::Snp);
    let moved = Command::PublishSlot { slot: Some(slot), responder, kind, start, end };
    stage.give(&doctor(SAS_DOCTOR), None, &moved).unwrap();
    assert!(taken(&mut stage, &means).to_string().contains("plan again"));
}

/// The supplement is paid for patients of others: what is booked for one counts until its week is over, though it could leave.
#[test]
fn a_slot_booked_for_another_doctors_patient_stays_for_its_week_and_his_own_patients_do_not_count() {
    let mut stage = Stage::new();
    let (start, end) = (stage.now + Span::from_hours(2), stage.now + Span::from_hours(3));
    let mut booked = |who: &str, doctor_of: &str| {
        let (responder, kind) = (who.parse().unwrap(), SlotKind::Snp);
        let publish = Command::PublishSlot { slot: None, responder, kind, start, end };
        let slot = stage.give(&doctor(doctor_of), None, &publish).unwrap().slot.unwrap();
        let (case, decision) = stage.decided(CareType::Consultation);
        let offer = stage.offered(case, decision, who, Means::Slot { slot, start, end });
        stage.done(&coordinator(), case, Command::AnswerOffer { offer, answer: YES });
        stage.records.slots[&slot].clone()
    };
    let (others, own) = (booked(SAS, SAS_DOCTOR), booked(GP, GP_DOCTOR));
    assert!(others.supplement() && !own.supplement());
    let (days, keep) = (|n: i64| end + Span::from_hours(24 * n), Span::from_hours(72));
    assert!(leaving::slot(&own, days(3), keep));
    assert!(!leaving::slot(&others, days(6), keep) && leaving::slot(&others, days(7), keep));
}

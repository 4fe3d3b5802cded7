//! Offers: accepted, declined, expired, cancelled, kept; silence is never acceptance, and nobody left is an alarm.

use sas_dispatch::domain::{
    case::{
        ActionKind, Command, End, OfferState, Refusal,
        command::{OfferAnswer, SignAnswer, Timer},
        patient::{Consent, ConsentForm, Recipient, Wish},
        sealed::NoteKind,
    },
    ids::{CaseId, OfferId},
    regulation::{
        decision::SupplyReason,
        need::{CareType, LongestDelay},
    },
    routing::{Means, Tried, WhyNot},
    slots::SlotState,
    time::Span,
};

use super::stage::{
    GP, GP_DOCTOR, SAS, SAS_DOCTOR, SOS, SOS_DOCTOR, Stage, coordinator, doctor, regulator, text, upkeep, visit_means,
};

fn rung(stage: &mut Stage) -> (CaseId, OfferId) {
    let (case, decision) = stage.decided(CareType::Consultation);
    (case, stage.offered(case, decision, GP, Means::Ring))
}

fn closed(stage: &Stage, case: CaseId, offer: OfferId) -> WhyNot {
    match stage.case(case).offer(offer).unwrap().state {
        OfferState::Closed { why, .. } => why,
        ref other => panic!("the offer is {other:?}"),
    }
}

#[test]
fn a_gp_who_says_yes_has_an_appointment_to_come() {
    let mut stage = Stage::new();
    let (case, offer) = rung(&mut stage);
    stage.accepted(&coordinator(), case, offer);
    assert!(!stage.waits(case, ActionKind::RingGp) && stage.waits(case, ActionKind::Appointment));
    stage.done(&coordinator(), case, Command::Attend { offer, seen: true, counter: None });
    assert!(!stage.waits(case, ActionKind::ReturnOfInformation), "the own GP saw the patient himself");
}

#[test]
fn no_or_nobody_answering_leads_to_the_next_option() {
    for (answer, why) in [(OfferAnswer::Declined, WhyNot::Declined), (OfferAnswer::Unreachable, WhyNot::Unreachable)] {
        let mut stage = Stage::new();
        let (case, offer) = rung(&mut stage);
        stage.done(&coordinator(), case, Command::AnswerOffer { offer, answer });
        assert_eq!(closed(&stage, case, offer), why);
        assert!(stage.waits(case, ActionKind::Route));
    }
}

#[test]
fn silence_is_never_acceptance() {
    let mut stage = Stage::new();
    let (case, offer) = rung(&mut stage);
    stage.late(case, ActionKind::RingGp);
    let waits = stage.action(case, ActionKind::RingGp);
    assert_eq!((waits.alarmed(), stage.waits(case, ActionKind::Route)), (Some(stage.now), false));
    assert_eq!(stage.case(case).offer(offer).unwrap().state, OfferState::Open, "the desk's silence is not the GP's");
    let again = Command::Fire(Timer::Action(waits.id));
    stage.pass(Span::from_hours(1));
    assert!(matches!(stage.refused(&upkeep(), case, again), Refusal::State { .. }), "people go on with it");
    stage.done(&coordinator(), case, Command::AnswerOffer { offer, answer: OfferAnswer::Unreachable });
    assert_eq!(closed(&stage, case, offer), WhyNot::Unreachable);
    assert!(stage.waits(case, ActionKind::Route));
}

/// A hold that nobody confirms took the next slot, and the next, and nobody was told.
#[test]
fn a_hold_that_nobody_confirmed_rings_before_another_slot_is_taken() {
    let mut stage = Stage::new();
    let (case, decision) = stage.decided(CareType::Consultation);
    let (slot, means) = stage.slot(Span::from_hours(2));
    let offer = stage.offered(case, decision, SAS, means);
    stage.late(case, ActionKind::ConfirmSlot);
    assert_eq!(closed(&stage, case, offer), WhyNot::Expired);
    assert_eq!(stage.records.slots[&slot].state, SlotState::Free);
    assert_eq!(stage.action(case, ActionKind::Route).alarmed(), Some(stage.now));
    let (case, decision) = stage.decided(CareType::HomeVisit);
    stage.offered(case, decision, SOS, visit_means());
    stage.late(case, ActionKind::AcceptVisit);
    assert_eq!(stage.action(case, ActionKind::Route).alarmed(), None, "a terminal's silence is gone on from");
}

/// The signed longest delay passed while everything that carried it out had its own, later deadline.
#[test]
fn whatever_carries_a_decision_out_rings_when_the_signed_delay_is_over() {
    let mut stage = Stage::new();
    let (case, decision) = stage.decided_within(CareType::Consultation, LongestDelay::H1);
    let signed = stage.case(case).decision(decision).unwrap().deadline();
    stage.now = signed - Span::from_mins(1);
    let offer = stage.offered(case, decision, GP, Means::Ring);
    assert_eq!(stage.action(case, ActionKind::RingGp).deadline, signed);
    stage.done(&coordinator(), case, Command::AnswerOffer { offer, answer: OfferAnswer::Declined });
    assert_eq!(stage.action(case, ActionKind::Route).deadline, signed);
    let (_, means) = stage.slot(Span::from_hours(2));
    let offer = stage.offered(case, decision, SAS, means);
    stage.late(case, ActionKind::ConfirmSlot);
    assert_eq!(stage.action(case, ActionKind::ConfirmSlot).alarmed(), Some(signed));
    stage.pass(Span::from_mins(1));
    stage.done(&coordinator(), case, Command::RenewHold { offer });
    assert_eq!(stage.action(case, ActionKind::ConfirmSlot).alarmed(), Some(signed), "it goes on ringing");
    let held = stage.case(case).offer(offer).unwrap().until;
    let waits = stage.action(case, ActionKind::ConfirmSlot);
    assert_eq!(stage.case(case).due(&waits), Some(held));
    stage.now = held;
    stage.done(&upkeep(), case, Command::Fire(Timer::Action(waits.id)));
    assert_eq!(closed(&stage, case, offer), WhyNot::Expired, "and the hold ends as it does");
    let offer = stage.offered(case, decision, SOS, visit_means());
    stage.late(case, ActionKind::AcceptVisit);
    assert_eq!(stage.action(case, ActionKind::AcceptVisit).alarmed(), Some(stage.now), "due at once");
    let waits = stage.action(case, ActionKind::AcceptVisit);
    stage.now = stage.case(case).offer(offer).unwrap().until;
    stage.done(&upkeep(), case, Command::Fire(Timer::Action(waits.id)));
    assert!(stage.waits(case, ActionKind::Route) && stage.action(case, ActionKind::Route).deadline == stage.now);
}

/// The own GP opens at 13:30, the deadline is a minute later: his ten minutes end with the delay, and a doctor hears of it.
#[test]
fn a_practice_that_opens_later_is_waited_for_no_longer_than_the_deadline() {
    let until = |opens: Span, within: LongestDelay| {
        let mut stage = Stage::new();
        let (case, decision) = stage.decided_within(CareType::Consultation, within);
        let started = stage.now;
        let mut plan = stage.plan(Some((GP, Means::Ring)));
        plan.rows[0].earliest = Some(stage.now + opens);
        let deadline = stage.case(case).decision(decision).unwrap().deadline();
        stage.done(&coordinator(), case, Command::Advance { decision, plan: Box::new(plan) });
        let until = stage.action(case, ActionKind::RingGp).deadline;
        stage.late(case, ActionKind::RingGp);
        assert!(stage.action(case, ActionKind::RingGp).alarmed().is_some(), "nobody waits in silence");
        let offer = stage.case(case).offers[0].until;
        (until.since(started), deadline.since(started), offer.since(started))
    };
    let (rung, deadline, _) = until(Span::from_mins(59), LongestDelay::H1);
    assert_eq!(rung, deadline);
    let (rung, ..) = until(Span::from_mins(30), LongestDelay::H1);
    assert_eq!(rung, Span::from_mins(40));
    let (rung, _, offer) = until(Span::ZERO, LongestDelay::Immediate);
    assert_eq!(offer, Span::from_mins(10), "he who is open now has his time whatever the delay");
    assert_eq!(rung, Span::ZERO, "and the coordinator hears at once that there is none");
}

#[test]
fn a_yes_says_when_the_patient_is_received() {
    let mut stage = Stage::new();
    let (case, offer) = rung(&mut stage);
    let yes = |appointment| Command::AnswerOffer { offer, answer: OfferAnswer::Accepted { appointment } };
    assert!(matches!(stage.refused(&coordinator(), case, yes(None)), Refusal::Fields(_)));
    let past = yes(Some(stage.now - Span::from_hours(1)));
    assert!(matches!(stage.refused(&coordinator(), case, past), Refusal::Fields(_)));
}

/// Found by reading: any responder could answer any other's offer.
#[test]
fn a_responder_answers_for_himself_only() {
    let mut stage = Stage::new();
    let (case, offer) = rung(&mut stage);
    let decline = Command::AnswerOffer { offer, answer: OfferAnswer::Declined };
    assert!(matches!(stage.refused(&doctor(SAS_DOCTOR), case, decline), Refusal::Role { .. }));
    stage.accepted(&doctor(GP_DOCTOR), case, offer);
    let attend = Command::Attend { offer, seen: true, counter: None };
    assert!(matches!(stage.refused(&doctor(SAS_DOCTOR), case, attend), Refusal::Role { .. }));
}

#[test]
fn what_is_cancelled_says_why_and_is_looked_for_again() {
    let mut stage = Stage::new();
    let (case, offer) = rung(&mut stage);
    let cancel = |why: &str| Command::Cancel { offer, reason: text(why) };
    assert!(matches!(stage.refused(&coordinator(), case, cancel(" ")), Refusal::Fields(_)));
    stage.done(&coordinator(), case, cancel("le patient a trouvé ailleurs"));
    assert!(matches!(stage.case(case).offer(offer).unwrap().state, OfferState::Withdrawn { .. }));
    assert_eq!(stage.case(case).sealed.notes.last().unwrap().kind, NoteKind::Reason);
    assert!(stage.waits(case, ActionKind::Route));
    assert!(matches!(stage.refused(&coordinator(), case, cancel("encore")), Refusal::State { .. }));
}

/// Found by reading: a cancellation after the consultation sent the patient who had been seen to another doctor.
#[test]
fn an_appointment_that_took_place_is_not_cancelled() {
    let mut stage = Stage::new();
    let (case, decision) = stage.decided(CareType::Consultation);
    let (_, means) = stage.slot(Span::from_hours(1));
    let offer = stage.offered(case, decision, SAS, means);
    stage.accepted(&coordinator(), case, offer);
    stage.pass(Span::from_hours(2));
    stage.done(&doctor(SAS_DOCTOR), case, Command::Attend { offer, seen: true, counter: None });
    assert!(stage.waits(case, ActionKind::ReturnOfInformation));
    let cancel = Command::Cancel { offer, reason: text("trop tard") };
    assert!(matches!(stage.refused(&coordinator(), case, cancel), Refusal::State { .. }));
}

#[test]
fn one_offer_of_a_decision_is_open_at_a_time() {
    let mut stage = Stage::new();
    let (case, decision) = stage.decided(CareType::Consultation);
    stage.offered(case, decision, GP, Means::Ring);
    let plan = Box::new(stage.plan(Some((SAS, Means::Ring))));
    let second = stage.refused(&coordinator(), case, Command::Advance { decision, plan });
    assert!(second.to_string().contains("does not wait for routing"));
}

#[test]
fn nobody_left_is_an_alarm_and_a_doctor_decides_again() {
    let mut stage = Stage::new();
    let (case, decision) = stage.decided(CareType::Consultation);
    let plan = Box::new(stage.plan(None));
    let reply = stage.done(&coordinator(), case, Command::Advance { decision, plan });
    assert!(reply.warnings[0].starts_with("UNANSWERED: nobody is left"), "{:?}", reply.warnings);
    assert_eq!(stage.action(case, ActionKind::Unanswered).alarmed(), Some(stage.now));
    assert!(stage.waits(case, ActionKind::Regulate));
    let lane = stage.action(case, ActionKind::Unanswered).id;
    let over = Command::EndAction { action: lane, end: End::Done, note: None };
    assert!(matches!(stage.refused(&regulator(), case, over), Refusal::State { .. }), "only a decision ends it");
    let claim_no = stage.claim(&regulator(), case);
    let second = stage.need(&regulator(), case, claim_no, CareType::HomeVisit);
    let (care, supply) = (CareType::EmergencyDepartment, Some(SupplyReason::NoVisit));
    let sign =
        SignAnswer { claim_no, decision: second, care, supply, note: None, keep: false, beside: Default::default() };
    stage.done(&regulator(), case, Command::SignAnswer(Box::new(sign)));
    assert!(!stage.waits(case, ActionKind::Unanswered) && stage.waits(case, ActionKind::AnnouncePatient));
}

#[test]
fn a_missed_appointment_comes_to_a_doctor() {
    let mut stage = Stage::new();
    let (case, offer) = rung(&mut stage);
    stage.accepted(&coordinator(), case, offer);
    stage.late(case, ActionKind::Appointment);
    assert!(stage.action(case, ActionKind::Appointment).alarmed().is_some(), "nobody has said how it went");
    stage.done(&coordinator(), case, Command::Attend { offer, seen: false, counter: None });
    assert!(stage.waits(case, ActionKind::Regulate) && !stage.waits(case, ActionKind::Appointment));
}

/// Found by reading: a patient was recorded as absent, or as seen, hours before his appointment.
#[test]
fn nobody_is_absent_before_his_hour_nor_seen_long_before_it() {
    let mut stage = Stage::new();
    let (case, decision) = stage.decided(CareType::Consultation);
    let (_, means) = stage.slot(Span::from_hours(3));
    let begins = stage.now + Span::from_hours(3);
    let offer = stage.offered(case, decision, SAS, means);
    stage.accepted(&coordinator(), case, offer);
    let attend = |seen| Command::Attend { offer, seen, counter: None };
    let early = |stage: &mut Stage, seen| {
        let refusal = stage.refused(&doctor(SAS_DOCTOR), case, attend(seen));
        assert!(matches!(refusal, Refusal::State { .. }) && refusal.to_string().contains("19/12 13:00"), "{refusal}");
    };
    early(&mut stage, true);
    early(&mut stage, false);
    stage.now = begins - Span::from_hours(1) - Span::from_ms(1);
    early(&mut stage, true);
    stage.pass(Span::from_ms(1));
    early(&mut stage, false);
    let mut seen = stage.clone();
    seen.done(&doctor(SAS_DOCTOR), case, attend(true));
    stage.now = begins - Span::from_ms(1);
    early(&mut stage, false);
    stage.now = begins;
    stage.done(&coordinator(), case, attend(false));
    assert!(stage.waits(case, ActionKind::Regulate));
}

#[test]
fn the_own_gp_is_told_unless_the_patient_opposes_it() {
    for opposes in [false, true] {
        let mut stage = Stage::new();
        let (case, decision) = stage.decided(CareType::Consultation);
        let mut patient = stage.case(case).patients[0].clone();
        let (recipient, wish) = (Recipient::Gp, Wish::Opposes);
        let opposed = Consent { recipient, wish, form: Some(ConsentForm::Oral), at: None, noted_by: None };
        patient.consents.extend(opposes.then_some(opposed));
        let patients = vec![(patient, stage.case(case).sealed.identities[0].clone())];
        let amend = sas_dispatch::domain::case::command::Particulars { patients, ..Default::default() };
        stage.done(&coordinator(), case, Command::Amend(Box::new(amend)));
        let (_, means) = stage.slot(Span::from_hours(1));
        let offer = stage.offered(case, decision, SAS, means);
        stage.accepted(&doctor(SAS_DOCTOR), case, offer);
        stage.done(&doctor(SAS_DOCTOR), case, Command::Attend { offer, seen: true, counter: None });
        assert_eq!(stage.waits(case, ActionKind::ReturnOfInformation), !opposes);
    }
}

#[test]
fn a_visit_is_not_accepted_like_a_telephone_call() {
    let mut stage = Stage::new();
    let (case, decision) = stage.decided(CareType::HomeVisit);
    let offer = stage.offered(case, decision, SOS, visit_means());
    let yes = Command::AnswerOffer { offer, answer: OfferAnswer::Accepted { appointment: None } };
    assert!(stage.refused(&doctor(SOS_DOCTOR), case, yes).to_string().contains("AcceptVisit"));
}

/// Found by reading: tomorrow was as good as within the four hours that the doctor had signed.
#[test]
fn an_hour_beyond_what_the_doctor_signed_is_no_yes() {
    let mut stage = Stage::new();
    let (case, offer) = rung(&mut stage);
    let yes = |at| Command::AnswerOffer { offer, answer: OfferAnswer::Accepted { appointment: Some(at) } };
    let deadline = stage.case(case).decisions[0].deadline();
    let late = stage.territory.regulation.deadlines.appointment_late;
    let tomorrow = stage.refused(&coordinator(), case, yes(deadline + late + Span::from_mins(1)));
    let Refusal::Fields(faults) = &tomorrow else { panic!("{tomorrow}") };
    assert_eq!(faults[0].field, "accepted.appointment_unix_ms");
    assert!(faults[0].problem.contains("19/12 "), "an hour has its date: {tomorrow}");
    assert!(
        faults[0].problem.contains("nothing was recorded"),
        "an hour mistyped is no answer of the practice: {tomorrow}"
    );
    stage.done(&coordinator(), case, Command::AnswerOffer { offer, answer: OfferAnswer::Declined });
    assert!(stage.waits(case, ActionKind::Route), "the next option is taken");
    let decision = stage.case(case).decisions[0].id;
    let again = stage.offered(case, decision, GP, Means::Ring);
    stage.now = deadline + Span::from_hours(1);
    let soon = OfferAnswer::Accepted { appointment: Some(stage.now + late) };
    stage.done(&coordinator(), case, Command::AnswerOffer { offer: again, answer: soon });
    assert!(stage.waits(case, ActionKind::Appointment), "over already, the best of it is made");
}

/// The slot of a doctor who had fallen ill was held again for the same patient.
#[test]
fn what_was_cancelled_for_a_decision_is_known_to_its_next_plan() {
    let mut stage = Stage::new();
    let (case, decision) = stage.decided(CareType::Consultation);
    let (_, means) = stage.slot(Span::from_hours(2));
    let cancelled = |stage: &Stage| {
        let tried = Tried::of_case(stage.case(case), decision);
        tried.into_iter().filter(|tried| tried.why == WhyNot::Cancelled).count()
    };
    let cancel = |offer| Command::Cancel { offer, reason: text("médecin malade") };
    let offer = stage.offered(case, decision, SAS, means);
    stage.done(&coordinator(), case, Command::AnswerOffer { offer, answer: OfferAnswer::Confirmed });
    stage.done(&coordinator(), case, cancel(offer));
    assert_eq!(cancelled(&stage), 1, "the slot");
    let offer = stage.offered(case, decision, GP, Means::Ring);
    stage.done(&coordinator(), case, cancel(offer));
    assert_eq!(cancelled(&stage), 1, "who was not rung yet has said nothing");
    let offer = stage.offered(case, decision, GP, Means::Ring);
    stage.accepted(&coordinator(), case, offer);
    stage.done(&coordinator(), case, cancel(offer));
    assert_eq!(cancelled(&stage), 2, "the practice that had given an hour");
}

/// A slot is confirmed, and a practice that was rung says an hour: the first has no field for it.
#[test]
fn what_is_rung_is_not_confirmed_like_a_slot() {
    let mut stage = Stage::new();
    let (case, offer) = rung(&mut stage);
    let confirm = Command::AnswerOffer { offer, answer: OfferAnswer::Confirmed };
    let refused = stage.refused(&coordinator(), case, confirm);
    assert!(matches!(&refused, Refusal::State { .. }) && refused.to_string().contains("use AnswerOffer"), "{refused}");
}

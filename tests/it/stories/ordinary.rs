//! Ordinary things that do not fit one line: several patients, a wrong number, a call after the end, an unsafe contact.

use rstest::rstest;
use sas_dispatch::{
    domain::time::Span,
    grpc::pb::{
        self, ActionEnd, ActionKind, Attribution, CareLevel, CareType, CaseStatus, Flag, LongestDelay, Priority,
        RouteCategory, Stream, WhyNot,
    },
};

use crate::support::room::{Ground, Patient, Refused, Room, Route, Seen, Story, ask, ill, need, qualified};

const STRASBOURG: &str = "67482";

#[rstest]
#[tokio::test]
async fn two_children_of_one_family_are_two_decisions_of_one_case(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (arm, reg, osnp) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    let case = arm.opens(STRASBOURG, ill().of("gp-67-colombage")).await?;
    let sister = pb::Patient { number: 2, name: "Dominique Exemple".to_owned(), ..ill().of("gp-67-colombage") };
    let both = pb::QualifyRequest { patients: vec![sister], ..qualified(Priority::P2, "M03.14") };
    let case = arm.qualifies(&case, both).await?;
    assert_eq!(case.patients.len(), 2);

    // Advice for one, keeping the case; a consultation for the other.
    let case = reg.claims(&case).await?;
    let keep = pb::SignNeedRequest {
        command_id: reg.act(),
        case_id: case.case_id.clone(),
        claim_no: reg.claim_no(&case),
        need: Some(need(CareType::Advice, CareLevel::R4, LongestDelay::H24)),
        note: "Paracétamol".to_owned(),
        keep_claim: true,
        ..Default::default()
    };
    let case = ask!(reg, regulation, sign_need, keep)?.case.unwrap();
    assert_eq!(case.claim.as_ref().unwrap().by, "reg-1", "another decision comes");
    let other = pb::Need { patient: 2, ..need(CareType::Consultation, CareLevel::R3, LongestDelay::H8) };
    let case = reg.signs_need(&case, other).await?;
    let case = reg.answers(&case, CareType::Consultation).await?;
    assert_eq!((case.to_do(), case.claim.is_none()), (vec![ActionKind::Route], true));
    osnp.advances(&case).await?;
    let case = osnp.reads(&case).await?;
    let decided: Vec<_> = case.decisions.iter().map(|decision| decision.need.as_ref().unwrap().patient).collect();
    assert_eq!((decided, case.status()), (vec![1, 2], CaseStatus::Active));
    room.closes().await
}

#[tokio::test]
async fn a_wrong_number_is_ended_by_the_arm_and_a_symptom_brings_it_back() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    let dismiss = |case: &pb::CaseView| pb::DismissCaseRequest {
        command_id: arm.act(),
        case_id: case.case_id.clone(),
        attribution: Attribution::WrongNumber.into(),
        ..Default::default()
    };
    let case = arm.opens(STRASBOURG, ill()).await?;
    let ended = ask!(arm, intake, dismiss_case, dismiss(&case))?.case.unwrap();
    assert_eq!((ended.to_do(), ended.status()), (vec![], CaseStatus::Valid));
    // The caller adds that his chest hurts: the same file is a doctor's matter, and no longer the ARM's to end.
    let case = arm.qualifies(&case, qualified(Priority::P1, "M03.06")).await?;
    assert_eq!((case.to_do(), case.dismissed()), (vec![ActionKind::Regulate], Attribution::Unspecified));
    assert_eq!(ask!(arm, intake, dismiss_case, dismiss(&case)).refused().reason, "WRONG_STATE");
    assert_eq!(reg.claims_next(Stream::Snp).await?.unwrap().case_id, case.case_id);
    room.closes().await
}

#[tokio::test]
async fn a_call_after_the_end_opens_a_new_file_linked_to_the_old_one() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    let old = arm.opens(STRASBOURG, ill()).await?;
    arm.qualifies(&old, qualified(Priority::P2, "M03.14")).await?;
    let held = reg.claims(&old).await?;
    reg.signs_need_saying(&held, need(CareType::Advice, CareLevel::R4, LongestDelay::H24), "Repos").await?;
    room.wait(Span::from_hours(25)).await;
    assert_eq!(arm.reads(&old).await?.status(), CaseStatus::Closed);

    let refusal = arm.qualifies(&old, qualified(Priority::P2, "M03.14")).await.refused();
    assert!(refusal.message.contains("open a new case and link it"), "{}", refusal.message);
    let new = arm.opens(STRASBOURG, ill()).await?;
    arm.links(&new, &old).await?;
    let case = arm.qualifies(&new, qualified(Priority::P3, "M03.14")).await?;
    assert_eq!(case.repeat_of_case_id, old.case_id);
    assert!(case.qualification.as_ref().unwrap().flags().any(|flag| flag == Flag::RepeatCall));
    assert_eq!(case.to_do(), [ActionKind::Regulate], "a second call is a doctor's");
    // A file that is closed stays so.
    assert_eq!(arm.reads(&old).await?.status(), CaseStatus::Closed);
    room.closes().await
}

#[tokio::test]
async fn the_doctor_who_regulates_is_never_the_one_who_sees_the_patient() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, osnp) = (room.arm("arm-1"), room.coordinator("osnp-1"));
    // Dr Colombage regulates this morning, and the caller is his patient.
    let reg = room.regulator("dr-67-colombage");
    let case = arm.opens(STRASBOURG, ill().of("gp-67-colombage")).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    let case = reg.signs_need(&case, need(CareType::Consultation, CareLevel::R3, LongestDelay::H8)).await?;
    let plan = reg.sees_plan(&case).await?;
    assert_eq!(plan.why_not(RouteCategory::OwnGp, "gp-67-colombage"), WhyNot::RegulatedCase);
    let case = reg.answers(&case, CareType::Consultation).await?;
    let offer = osnp.advances(&case).await?.offer.unwrap().offer.unwrap();
    assert_ne!(offer.responder_id, "gp-67-colombage");
    room.closes().await
}

#[tokio::test]
async fn nobody_sees_supply_before_the_need_is_signed_nor_acts_before_the_answer() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, reg, osnp) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    let case = arm.opens(STRASBOURG, ill().of("gp-67-colombage")).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    let explain = pb::ExplainPlanRequest { case_id: case.case_id.clone(), decision_id: reg.act(), at_least_seq: 0 };
    assert_eq!(ask!(reg, routing, explain_plan, explain).refused().reason, "NOT_FOUND");
    let case = reg.signs_need(&case, need(CareType::Consultation, CareLevel::R3, LongestDelay::H8)).await?;
    let refusal = osnp.advances(&case).await.refused();
    assert!(refusal.message.contains("answer is not signed"), "{}", refusal.message);
    reg.sees_plan(&case).await?;
    room.closes().await
}

#[tokio::test]
async fn a_number_that_must_not_be_rung_reaches_no_doctors_terminal() -> Story {
    let room = Room::at("fr-67", "2024-12-22 22:40").await;
    let (arm, reg, osnp) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    let doctor = room.responder("dr-67-sos-aurore");
    let sos = "sos-medecins-strasbourg";
    let shift = doctor.goes_on_duty(sos, "strasbourg-centre", room.wall("2024-12-23 08:00")).await?;
    let case = arm.opens(STRASBOURG, ill()).await?;
    let unsafe_contact = pb::ContactSafety::default();
    let violence = pb::QualifyRequest { safety: Some(unsafe_contact), ..qualified(Priority::P2, "M02.06") };
    arm.qualifies(&case, violence).await?;
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    let case = reg.signs_need(&case, need(CareType::HomeVisit, CareLevel::R2, LongestDelay::H2)).await?;
    let case = reg.answers(&case, CareType::HomeVisit).await?;
    osnp.advances(&case).await?;
    let [mission] = doctor.missions(sos).await?.try_into().unwrap();
    // What was only offered names nobody, neither on the terminal nor in the case.
    let offered = doctor.reads(&case).await?;
    assert!(offered.sealed && offered.caller.is_none() && offered.notes.is_empty());
    assert!(offered.place.unwrap().street.is_empty() && offered.patients[0].name.is_empty());
    let details = doctor.takes(&mission, &shift).await?.details.unwrap();
    assert!(!details.safety.unwrap().may_ring);
    let caller = details.caller.unwrap_or_default();
    assert_eq!((caller.phone.as_str(), caller.call_back.as_str()), ("", ""));
    // The case as the doctor reads it says no more.
    let read = doctor.reads(&case).await?;
    let caller = read.caller.unwrap();
    assert_eq!((caller.phone.as_str(), caller.call_back.as_str(), read.sealed), ("", "", false));
    assert_eq!(read.patients[0].name, "Camille Exemple", "whom he drives to, he knows");
    // The colleague who did not take it still knows nobody.
    assert!(room.responder("dr-67-sos-brume").reads(&case).await?.sealed);
    room.closes().await
}

#[tokio::test]
async fn a_doctor_asks_to_hear_again_how_the_patient_is() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, reg, osnp) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    let chief = room.supervisor("chief-1");
    let case = arm.opens(STRASBOURG, ill()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let case = reg.claims(&case).await?;
    let sign = pb::SignNeedRequest {
        command_id: reg.act(),
        case_id: case.case_id.clone(),
        claim_no: reg.claim_no(&case),
        need: Some(need(CareType::Advice, CareLevel::R4, LongestDelay::H24)),
        note: "Repos".to_owned(),
        follow_up_unix_ms: room.today("12:00"),
        ..Default::default()
    };
    let case = ask!(reg, regulation, sign_need, sign)?.case.unwrap();
    assert_eq!((case.to_do(), case.status()), (vec![ActionKind::FollowUp], CaseStatus::Active));
    room.wait_until("12:05").await;
    assert_eq!(chief.alarms().await?[0].action.as_ref().unwrap().kind(), ActionKind::FollowUp);
    // Nobody lifts: a doctor hears of it.
    let case = osnp.ends(&case, ActionKind::FollowUp, ActionEnd::Unreachable).await?;
    assert_eq!(case.to_do(), [ActionKind::Regulate]);
    assert_eq!(chief.alarms().await?, []);
    room.closes().await
}

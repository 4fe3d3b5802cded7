//! An ordinary weekday: the own GP first, and a colleague when he is away.

use rstest::rstest;
use sas_dispatch::{
    domain::time::Span,
    grpc::pb::{
        ActionKind, Attendance, CareLevel, CareType, CaseStatus, LongestDelay, OfferStatus, Priority, RouteCategory,
        Stream, WhyNot,
    },
};

use crate::support::room::{Ground, Patient, Room, Route, Seen, Story, ill, need, qualified};

const FEVER: &str = "M03.14";
const STRASBOURG: &str = "67482";

#[rstest]
#[tokio::test]
async fn the_own_gp_sees_the_patient_the_same_morning(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (arm, reg, osnp) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));

    // A call for a fever; the ARM writes down who and where, and that it can wait a little.
    let case = arm.opens(STRASBOURG, ill().of("gp-67-colombage")).await?;
    assert_eq!(case.to_do(), [ActionKind::Qualify]);
    assert!(case.case_number.starts_with("DRFR1567"), "{}", case.case_number);
    let case = arm.qualifies(&case, qualified(Priority::P2, FEVER)).await?;
    assert_eq!(case.to_do(), [ActionKind::Regulate]);

    // A doctor says what is needed before anybody looks at who is free.
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    let case = reg.signs_need(&case, need(CareType::Consultation, CareLevel::R3, LongestDelay::H24)).await?;
    let plan = reg.sees_plan(&case).await?;
    assert_eq!(plan.kept()[0], (RouteCategory::OwnGp, "gp-67-colombage"));
    let case = reg.answers(&case, CareType::Consultation).await?;
    assert_eq!(case.to_do(), [ActionKind::Route]);
    assert!(case.claim.is_none(), "a decided case is no longer held");

    // The coordinator rings the practice; the doctor has room at half past eleven.
    let ringing = osnp.advances(&case).await?.offer.expect("the own GP is rung");
    assert_eq!(ringing.offer.as_ref().unwrap().responder_id, "gp-67-colombage");
    assert!(!ringing.responder_phone.is_empty(), "whoever rings is given the number");
    let yes = osnp.hears_yes(&ringing, room.today("11:30")).await?.offer.unwrap();
    assert_eq!((yes.status(), yes.appointment_unix_ms), (OfferStatus::Accepted, room.today("11:30")));

    // The patient is seen. Nobody closes the case: it is done because nothing is left to do.
    room.wait_until("11:45").await;
    let case = osnp.reads(&case).await?;
    assert_eq!((case.to_do(), case.status()), (vec![ActionKind::Appointment], CaseStatus::Active));
    osnp.records(&case, Attendance::Seen).await?;
    let case = osnp.reads(&case).await?;
    assert_eq!((case.to_do(), case.status()), (vec![], CaseStatus::Valid), "the own GP knows, he was there");
    room.wait(Span::from_hours(23)).await;
    assert_eq!(osnp.reads(&case).await?.status(), CaseStatus::Valid);
    room.wait(Span::from_hours(1)).await;
    assert_eq!(osnp.reads(&case).await?.status(), CaseStatus::Closed);
    room.closes().await
}

#[rstest]
#[tokio::test]
async fn a_colleague_of_the_practice_stands_in_for_a_gp_on_leave(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    // Tuesday 24 December: Dr Houblon is away until 3 January.
    let room = Room::on(ground, "fr-67", "2024-12-24 09:30").await;
    let (arm, reg, osnp) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    let case = arm.opens(STRASBOURG, ill().of("gp-67-houblon")).await?;
    arm.qualifies(&case, qualified(Priority::P2, FEVER)).await?;
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    let case = reg.signs_need(&case, need(CareType::Consultation, CareLevel::R3, LongestDelay::H8)).await?;
    let plan = reg.sees_plan(&case).await?;
    assert_eq!(plan.why_not(RouteCategory::OwnGp, "gp-67-houblon"), WhyNot::Absent);
    assert_eq!(plan.kept()[0].0, RouteCategory::PracticeColleague);
    // A colleague who takes her own patients only is not asked for another's.
    assert_eq!(plan.why_not(RouteCategory::PracticeColleague, "gp-67-sarment"), WhyNot::OwnPatientsOnly);
    let case = reg.answers(&case, CareType::Consultation).await?;

    let ringing = osnp.advances(&case).await?.offer.unwrap();
    let colleague = ringing.offer.as_ref().unwrap().responder_id.clone();
    assert!(["gp-67-colombage", "gp-67-cigogne"].contains(&colleague.as_str()), "{colleague}");
    osnp.hears_yes(&ringing, room.today("11:00")).await?;
    room.wait_until("11:20").await;
    osnp.records(&osnp.reads(&case).await?, Attendance::Seen).await?;

    // Somebody else gave the care: the own GP is told.
    let case = osnp.reads(&case).await?;
    assert_eq!(case.to_do(), [ActionKind::ReturnOfInformation]);
    assert_eq!(case.status(), CaseStatus::Active);
    room.closes().await
}

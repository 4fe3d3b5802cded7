//! A responder who says no, or nothing: the next one is asked, and nobody forgets the patient.

use rstest::rstest;
use sas_dispatch::{
    domain::time::Span,
    grpc::{
        client::Status,
        pb::{
            self, ActionKind, CareLevel, CareType, LongestDelay, OfferStatus, Priority, RouteCategory, Stream, WhyNot,
        },
    },
};

use crate::support::room::{Ground, Patient, Refused, Room, Route, Seen, Story, ill, need, qualified};

/// A patient of Dr Colombage who should be seen today.
async fn answered(room: &Room) -> Result<pb::CaseView, Status> {
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    let case = arm.opens("67482", ill().of("gp-67-colombage")).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    let case = reg.signs_need(&case, need(CareType::Consultation, CareLevel::R3, LongestDelay::H8)).await?;
    reg.answers(&case, CareType::Consultation).await
}

#[rstest]
#[tokio::test]
async fn a_doctor_declines_with_one_digit_and_a_colleague_is_asked(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let osnp = room.coordinator("osnp-1");
    let case = answered(&room).await?;
    let ringing = osnp.advances(&case).await?.offer.unwrap();
    let no = osnp.hears_digit(&ringing, 2).await?.offer.unwrap();
    assert_eq!((no.status(), no.why_not()), (OfferStatus::Closed, WhyNot::Declined));
    assert_eq!(osnp.reads(&case).await?.to_do(), [ActionKind::Route], "the coordinator goes on");

    let next = osnp.advances(&case).await?;
    let plan = next.plan.as_ref().unwrap();
    assert_eq!(plan.why_not(RouteCategory::OwnGp, "gp-67-colombage"), WhyNot::Declined);
    let offer = next.offer.as_ref().unwrap().offer.as_ref().unwrap();
    assert_eq!(offer.category(), RouteCategory::PracticeColleague);
    assert_ne!(offer.responder_id, "gp-67-colombage", "nobody is asked twice");
    // The first answer stands: a second one to the same offer is refused.
    assert_eq!(osnp.hears_digit(&ringing, 1).await.refused().reason, "WRONG_STATE");
    assert_eq!(osnp.reads(&case).await?.offers.len(), 2);
    room.closes().await
}

#[rstest]
#[tokio::test]
async fn a_practice_nobody_has_rung_rings_at_the_coordinators_until_one_of_them_does(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let osnp = room.coordinator("osnp-1");
    let case = answered(&room).await?;
    let ringing = osnp.advances(&case).await?.offer.unwrap().offer.unwrap();
    assert_eq!(room.clock_at(ringing.until_unix_ms), "10:10");

    room.wait(Span::from_mins(9)).await;
    assert_eq!(osnp.reads(&case).await?.offers.len(), 1);
    room.wait(Span::from_mins(2)).await;
    let case = osnp.reads(&case).await?;
    let [rung] = case.offers.as_slice() else { panic!("{:?}", case.offers) };
    assert_eq!((rung.status(), rung.category()), (OfferStatus::Open, RouteCategory::OwnGp), "nobody has asked him yet");
    assert_eq!(case.to_do(), [ActionKind::RingGp], "someone still has to ring");
    let waits = case.actions.iter().find(|action| action.kind() == ActionKind::RingGp).unwrap();
    assert_eq!(room.clock_at(waits.alarmed_unix_ms), "10:10");
    let [offer] = osnp.open_offers().await?.try_into().unwrap();
    osnp.hears_nobody(&offer).await?;
    let next = osnp.advances(&case).await?.offer.unwrap().offer.unwrap();
    assert_eq!((next.status(), next.category()), (OfferStatus::Open, RouteCategory::PracticeColleague));
    room.closes().await
}

#[tokio::test]
async fn a_practice_that_does_not_lift_is_not_rung_again() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let osnp = room.coordinator("osnp-1");
    let case = answered(&room).await?;
    let ringing = osnp.advances(&case).await?.offer.unwrap();
    let nobody = osnp.hears_nobody(&ringing).await?.offer.unwrap();
    assert_eq!(nobody.why_not(), WhyNot::Unreachable);
    let plan = osnp.advances(&case).await?.plan.unwrap();
    assert_eq!(plan.why_not(RouteCategory::OwnGp, "gp-67-colombage"), WhyNot::Unreachable);
    room.closes().await
}

#[tokio::test]
async fn the_duty_doctors_decline_a_visit_and_nobody_else_drives_there() -> Story {
    let room = Room::at("fr-67", "2024-12-22 22:40").await;
    let (arm, reg, osnp) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    let doctor = room.responder("dr-67-sos-aurore");
    let sos = "sos-medecins-strasbourg";
    doctor.goes_on_duty(sos, "strasbourg-centre", room.wall("2024-12-23 08:00")).await?;
    let case = arm.opens("67482", ill()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    let case = reg.signs_need(&case, need(CareType::HomeVisit, CareLevel::R2, LongestDelay::H2)).await?;
    let case = reg.answers(&case, CareType::HomeVisit).await?;
    osnp.advances(&case).await?;
    let [mission] = doctor.missions(sos).await?.try_into().unwrap();
    doctor.declines(&mission).await?;
    assert_eq!(doctor.missions(sos).await?, []);

    room.wait(Span::from_secs(5)).await;
    assert_eq!(osnp.unanswered().await?[0].tried.len(), 1, "nobody had to see that she had said no");
    let case = osnp.reads(&case).await?;
    let plan = case.routes[0].plan.as_ref().unwrap();
    assert_eq!(plan.why_not(RouteCategory::HomeVisit, sos), WhyNot::Declined);
    assert_eq!(reg.queue(Stream::Snp).await?.len(), 1);
    room.closes().await
}

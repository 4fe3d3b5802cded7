//! What a doctor settles on the telephone, and what the own GP may be told.

use rstest::rstest;
use sas_dispatch::{
    domain::time::Span,
    grpc::{
        client::Code,
        pb::{
            ActionEnd, ActionKind, Attendance, CareLevel, CareType, CaseStatus, LongestDelay, NoteKind, Priority,
            Stream,
        },
    },
};

use crate::support::room::{Ground, Patient, Refused, Room, Seen, Story, ill, need, qualified};

#[rstest]
#[tokio::test]
async fn a_prescription_by_telephone_is_delivered_to_a_pharmacy(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 19:00").await;
    let (arm, reg, osnp) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    let case = arm.opens("67482", ill()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.05")).await?;
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    let by_phone = need(CareType::PhonePrescription, CareLevel::R4, LongestDelay::H4);
    // Need and answer are one act: there is no supply to look at.
    let case = reg.signs_need_saying(&case, by_phone, "Fosfomycine 3 g, dose unique").await?;
    assert_eq!(case.decision().answer.as_ref().unwrap().care(), CareType::PhonePrescription);
    assert!(case.claim.is_none());
    assert_eq!(case.to_do(), [ActionKind::DeliverPrescription]);
    assert_eq!(case.notes_of(NoteKind::Advice), ["Fosfomycine 3 g, dose unique"]);

    // The pharmacy's fax is out of order: a doctor hears of it. The next one works.
    let case = osnp.ends(&case, ActionKind::DeliverPrescription, ActionEnd::Undelivered).await?;
    assert_eq!((case.to_do(), case.status()), (vec![ActionKind::Regulate], CaseStatus::Active));
    let case = reg.claims_next(Stream::Snp).await?.expect("it came back");
    let again = need(CareType::PhonePrescription, CareLevel::R4, LongestDelay::H4);
    let case = reg.signs_need_saying(&case, again, "Autre pharmacie de garde").await?;
    let case = osnp.ends(&case, ActionKind::DeliverPrescription, ActionEnd::Done).await?;
    assert_eq!((case.to_do(), case.status()), (vec![], CaseStatus::Valid));
    room.closes().await
}

#[tokio::test]
async fn a_need_that_contradicts_itself_is_told_with_every_wrong_field() -> Story {
    let room = Room::at("fr-67", "2024-12-19 19:00").await;
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    let case = arm.opens("67482", ill()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.05")).await?;
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    let mut wrong = need(CareType::Consultation, CareLevel::R4, LongestDelay::H4);
    wrong.constraints.get_or_insert_default().home_only = true;
    wrong.patient = 3;
    let refusal = reg.signs_need(&case, wrong).await.refused();
    assert_eq!(refusal.code, Code::InvalidArgument);
    assert_eq!(refusal.fields, ["need.level", "need.constraints.home_only", "need.patient"]);
    assert_eq!(reg.reads(&case).await?.decisions, []);
    room.closes().await
}

#[tokio::test]
async fn a_patient_who_opposes_it_is_seen_by_a_colleague_and_the_gp_hears_nothing() -> Story {
    let room = Room::at("fr-67", "2024-12-24 09:30").await;
    let (arm, reg, osnp) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    let case = arm.opens("67482", ill().of("gp-67-houblon").opposes_return()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.05")).await?;
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    let case = reg.signs_need(&case, need(CareType::Consultation, CareLevel::R3, LongestDelay::H8)).await?;
    let case = reg.answers(&case, CareType::Consultation).await?;
    let ringing = osnp.advances(&case).await?.offer.unwrap();
    osnp.hears_yes(&ringing, room.today("11:00")).await?;
    room.wait_until("11:20").await;
    osnp.records(&osnp.reads(&case).await?, Attendance::Seen).await?;
    let case = osnp.reads(&case).await?;
    assert_eq!((case.to_do(), case.status()), (vec![], CaseStatus::Valid), "told to nobody");
    room.closes().await
}

#[tokio::test]
async fn a_late_p2_raises_an_alarm_and_the_caller_is_asked_again_but_never_passes_a_p1() -> Story {
    let room = Room::at("fr-67", "2024-12-19 19:00").await;
    let (arm, reg, chief) = (room.arm("arm-1"), room.regulator("reg-1"), room.supervisor("chief-1"));
    let old = arm.opens("67482", ill()).await?;
    arm.qualifies(&old, qualified(Priority::P2, "M03.20")).await?;
    room.wait(Span::from_mins(20)).await;
    let alarms = chief.alarms().await?;
    assert_eq!(alarms[0].action.as_ref().unwrap().kind(), ActionKind::Regulate);
    assert_eq!(reg.reads(&old).await?.to_do(), [ActionKind::Regulate, ActionKind::ReEvaluate]);

    let fresh = arm.opens("67482", ill()).await?;
    arm.qualifies(&fresh, qualified(Priority::P1, "M03.06")).await?;
    let newer = arm.opens("67482", ill()).await?;
    arm.qualifies(&newer, qualified(Priority::P2, "M03.20")).await?;
    let queue: Vec<_> = reg.queue(Stream::Snp).await?.into_iter().map(|case| case.case_id).collect();
    assert_eq!(queue, [fresh.case_id, old.case_id, newer.case_id]);
    room.closes().await
}

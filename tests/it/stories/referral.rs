//! A patient without a GP, or alone without help: cared for first, then asked, then referred.

use rstest::rstest;
use sas_dispatch::grpc::{
    client::Status,
    pb::{self, ActionEnd, ActionKind, CareLevel, CareType, CaseStatus, LongestDelay, Priority, Recipient, Wish},
};

use crate::support::room::{Ground, Patient, Person, Room, Seen, Story, ill, need, qualified};

/// In ALD and without a GP, as he says himself.
fn without_gp(wish: Option<Wish>) -> pb::Patient {
    let consent =
        |wish: Wish| pb::Consent { recipient: Recipient::Cpam.into(), wish: wish.into(), ..Default::default() };
    pb::Patient { ald: true, no_gp: true, consents: wish.map(consent).into_iter().collect(), ..ill() }
}

async fn advised(room: &Room, reg: &Person, patient: pb::Patient) -> Result<pb::CaseView, Status> {
    let arm = room.arm("arm-1");
    let case = arm.opens("67482", patient).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let case = reg.claims(&case).await?;
    reg.signs_need(&case, need(CareType::Advice, CareLevel::R4, LongestDelay::H24)).await
}

#[rstest]
#[tokio::test]
async fn a_patient_in_ald_without_a_gp_is_cared_for_then_asked_then_referred(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (reg, osnp) = (room.regulator("reg-1"), room.coordinator("osnp-1"));
    let case = advised(&room, &reg, without_gp(None)).await?;
    assert_eq!((case.to_do(), case.status()), (vec![ActionKind::AskConsent], CaseStatus::Achieved));
    let agreed = pb::AmendCaseRequest { patients: vec![without_gp(Some(Wish::Consents))], ..Default::default() };
    let case = osnp.amends(&case, agreed).await?;
    assert_eq!(case.to_do(), [ActionKind::Refer]);
    let case = osnp.ends(&case, ActionKind::Refer, ActionEnd::Undelivered).await?;
    assert_eq!((case.to_do(), case.status()), (vec![], CaseStatus::Valid), "no doctor is called for paperwork");

    // Whoever has a GP is asked nothing.
    let case = advised(&room, &reg, ill().of("gp-67-colombage")).await?;
    assert_eq!(case.to_do(), []);
    room.closes().await
}

#[rstest]
#[tokio::test]
async fn an_old_patient_alone_is_cared_for_then_asked_then_referred_to_the_ccas(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (reg, osnp) = (room.regulator("reg-1"), room.coordinator("osnp-1"));
    let alone = |consents| pb::Patient { isolated: true, birth_date: "1939-05-02".to_owned(), consents, ..ill() };
    let case = advised(&room, &reg, alone(Vec::new())).await?;
    assert_eq!((case.to_do(), case.status()), (vec![ActionKind::AskConsentCcas], CaseStatus::Achieved));
    assert!(case.patients[0].isolated);
    let agrees = pb::Consent { recipient: Recipient::Ccas.into(), wish: Wish::Consents.into(), ..Default::default() };
    let agreed = pb::AmendCaseRequest { patients: vec![alone(vec![agrees])], ..Default::default() };
    let case = osnp.amends(&case, agreed).await?;
    assert_eq!(case.to_do(), [ActionKind::ReferCcas]);
    let case = osnp.ends(&case, ActionKind::ReferCcas, ActionEnd::Done).await?;
    assert_eq!((case.to_do(), case.status()), (vec![], CaseStatus::Valid));
    room.closes().await
}

//! D6311-35: what a protocol of the convention covers goes from the ARM straight to a coordinator; five things never do.

use rstest::rstest;
use sas_dispatch::grpc::{
    client::Code,
    pb::{self, ActionKind, CaseStatus, Flag, Priority, RouteCategory, Stream},
};

use crate::support::room::{Ground, Patient, Refused, Room, Seen, Story, ask, ill, qualified};

const PROTOCOL: &str = "certificat-ou-ordonnance";
const PRESCRIPTION_ASKED: &str = "M06.02";

fn by_protocol() -> pb::QualifyRequest {
    let asked = qualified(Priority::P3, PRESCRIPTION_ASKED);
    pb::QualifyRequest { protocol: PROTOCOL.to_owned(), symptoms: false, ..asked }
}

#[rstest]
#[tokio::test]
async fn a_certificate_is_booked_by_a_coordinator_under_the_protocol(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (arm, osnp, reg) = (room.arm("arm-1"), room.coordinator("osnp-1"), room.regulator("reg-1"));
    let case = arm.opens("67482", ill().of("gp-67-colombage")).await?;
    let case = arm.qualifies(&case, by_protocol()).await?;
    assert_eq!(case.to_do(), [ActionKind::Route], "a coordinator, and only a coordinator");
    let decision = case.decision();
    assert_eq!((decision.protocol.as_str(), decision.signed.as_ref().unwrap().by.as_str()), (PROTOCOL, "arm-1"));
    assert_eq!(reg.queue(Stream::Snp).await?, []);

    let ringing = osnp.advances(&case).await?.offer.unwrap();
    assert_eq!(ringing.offer.as_ref().unwrap().category(), RouteCategory::OwnGp);
    room.closes().await
}

#[rstest]
#[case::red_flag(Flag::RedFlag)]
#[case::communication_barrier(Flag::CommunicationBarrier)]
#[tokio::test]
async fn a_sign_of_gravity_or_a_barrier_sends_to_a_regulator(#[case] flag: Flag) -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let case = arm.opens("67482", ill()).await?;
    let flagged = pb::QualifyRequest { flags: vec![flag.into()], ..by_protocol() };
    let told = arm.qualifies_with_receipt(&case, flagged).await?;
    assert_eq!(told.decision_id, "");
    let warned = told.receipt.unwrap().warnings.into_iter().map(|warning| warning.code).collect::<Vec<_>>();
    assert_eq!(warned, ["PROTOCOL_NOT_APPLIED"], "the ARM is told that the protocol did not apply");
    assert_eq!(told.case.unwrap().to_do(), [ActionKind::Regulate]);
    room.closes().await
}

#[tokio::test]
async fn an_infant_is_regulated_by_a_doctor_even_when_told_of_late() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let case = arm.opens("67482", ill().an_infant()).await?;
    assert_eq!(arm.qualifies(&case, by_protocol()).await?.to_do(), [ActionKind::Regulate]);

    // Found by reading: a patient sent back as he was answered, with the age that was not known before, stayed no infant.
    let unknown = pb::Patient { birth_date: String::new(), age_years: None, ..ill() };
    let later = arm.opens_from("06 39 98 00 06", "67482", unknown).await?;
    let known = later.patients[0].clone();
    assert_eq!((known.infant, known.minor), (Some(false), Some(false)));
    let born = pb::Patient { birth_date: "2024-11-09".to_owned(), ..known };
    let told = pb::AmendCaseRequest {
        command_id: arm.act(),
        case_id: later.case_id.clone(),
        patients: vec![born],
        ..Default::default()
    };
    let told = ask!(arm, intake, amend_case, told)?.case.unwrap();
    assert_eq!((told.patients[0].infant, told.patients[0].minor), (Some(true), Some(true)));
    assert_eq!(arm.qualifies(&told, by_protocol()).await?.to_do(), [ActionKind::Regulate]);

    let other = arm.opens_from("06 39 98 00 05", "67482", ill()).await?;
    assert_eq!(arm.qualifies(&other, by_protocol()).await?.to_do(), [ActionKind::Route]);
    let told = pb::AmendCaseRequest {
        command_id: arm.act(),
        case_id: other.case_id.clone(),
        patients: vec![ill().an_infant()],
        ..Default::default()
    };
    let amended = ask!(arm, intake, amend_case, told)?.case.unwrap();
    assert!(amended.to_do().contains(&ActionKind::Regulate), "{:?}", amended.to_do());
    room.closes().await
}

#[tokio::test]
async fn a_repeat_call_is_regulated_by_a_doctor() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let earlier = arm.opens("67482", ill()).await?;
    let again = arm.opens("67482", ill()).await?;
    let read = crate::support::room::ask!(
        arm,
        intake,
        get_case,
        pb::GetCaseRequest { case_id: again.case_id.clone(), at_least_seq: 0 }
    )?;
    let shown: Vec<_> = read.possible_repeats.iter().map(|repeat| repeat.case_id.as_str()).collect();
    assert_eq!(shown, [&*earlier.case_id], "the same number: shown, never merged");
    arm.links(&again, &earlier).await?;
    let case = arm.qualifies(&again, by_protocol()).await?;
    assert_eq!(case.to_do(), [ActionKind::Regulate]);
    room.closes().await
}

#[tokio::test]
async fn a_protocol_that_leads_nowhere_sends_to_a_regulator() -> Story {
    // Nobody of Tonnerre has a free slot or lifts the telephone within two days of Christmas Eve's evening.
    let room = Room::at("fr-89", "2024-12-24 19:00").await;
    let (arm, osnp, reg) = (room.arm("arm-1"), room.coordinator("osnp-1"), room.regulator("reg-1"));
    let case = arm.opens("89418", ill()).await?;
    let case = arm.qualifies(&case, by_protocol()).await?;
    for _ in 0..20 {
        let advanced = osnp.advances(&case).await?;
        match advanced.offer {
            Some(ringing) => osnp.hears_nobody(&ringing).await?,
            None => break,
        };
    }
    let case = osnp.reads(&case).await?;
    assert_eq!((case.status(), case.to_do()), (CaseStatus::Active, vec![ActionKind::Unanswered, ActionKind::Regulate]));
    assert_eq!(reg.claims_next(Stream::Snp).await?.unwrap().case_id, case.case_id);
    room.closes().await
}

#[tokio::test]
async fn a_name_the_convention_does_not_know_is_a_mistake() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let case = arm.opens("67482", ill()).await?;
    let wrong = pb::QualifyRequest { protocol: "orientation-libre".to_owned(), ..by_protocol() };
    let refusal = arm.qualifies(&case, wrong).await.refused();
    assert_eq!((refusal.code, refusal.fields), (Code::InvalidArgument, vec!["protocol".to_owned()]));
    room.closes().await
}

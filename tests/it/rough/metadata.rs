//! Who acts is not known, not understood, or may not.

use sas_dispatch::grpc::{
    client::Code,
    pb::{self, CareLevel, CareType, LongestDelay, Priority, intake_service_client::IntakeServiceClient},
};
use tonic::{
    Request,
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};

use super::read;
use crate::support::room::{Refused, Room, Story, ask, ill, need, qualified};

/// A console that writes its metadata itself.
async fn bare(room: &Room) -> IntakeServiceClient<Channel> {
    IntakeServiceClient::connect(format!("http://{}", room.address())).await.unwrap()
}

fn listing(metadata: &[(&'static str, &[u8])]) -> Request<pb::ListCasesRequest> {
    let mut request = Request::new(pb::ListCasesRequest::default());
    for (name, value) in metadata {
        request.metadata_mut().insert(*name, MetadataValue::<Ascii>::try_from(*value).unwrap());
    }
    request
}

#[tokio::test]
async fn nobody_is_asked_for_all_three_headers() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let told = read(bare(&room).await.list_cases(listing(&[])).await);
    let missing = "must be set in the metadata of every call";
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines[0], "Unauthenticated NO_ACTOR");
    assert_eq!(lines[2], "Vous n'êtes pas identifié : reconnectez-vous.");
    for name in ["x-sas-person", "x-sas-role", "x-sas-territory"] {
        assert!(lines[1].contains(&format!("{name}: {missing}")), "{told}");
        assert!(lines[3..].contains(&format!("{name}: {missing}").as_str()), "{told}");
    }
    room.closes().await
}

#[tokio::test]
async fn garbled_metadata_is_described_and_never_repeated() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let told = read(
        bare(&room)
            .await
            .list_cases(listing(&[
                ("x-sas-person", b"Jeanne Zqcanari"),
                ("x-sas-role", "zqcanari-h\u{e9}ros".as_bytes()),
                ("x-sas-territory", b"Zqcanari"),
                ("x-sas-connection", b"Zqcanari 7"),
            ]))
            .await,
    );
    let id = "expected 1 to 64 lower-case letters, digits, '-', '.' or '_', got";
    for problem in [
        format!("x-sas-person: person id: {id} 15 characters"),
        "x-sas-role: expected visible ASCII characters".to_owned(),
        format!("x-sas-territory: territory id: {id} 8 characters"),
        format!("x-sas-connection: connection id: {id} 10 characters"),
    ] {
        assert!(told.lines().any(|line| line == problem), "no '{problem}' in\n{told}");
    }
    room.closes().await
}

#[tokio::test]
async fn nobody_poses_as_the_services_own_upkeep() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let metadata: [(&str, &[u8]); 3] =
        [("x-sas-person", b"upkeep"), ("x-sas-role", b"UPKEEP"), ("x-sas-territory", b"fr-67")];
    let told = read(bare(&room).await.list_cases(listing(&metadata)).await);
    let roles = "ARM, REGULATOR, COORDINATOR, RESPONDER, DISPATCHER, TELEPHONY, SUPERVISOR, BACK_OFFICE";
    assert!(told.contains(&format!("x-sas-role: expected one of {roles}, got 6 characters")), "{told}");
    room.closes().await
}

#[tokio::test]
async fn a_territory_that_does_not_exist_is_told_with_those_that_do() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let metadata: [(&str, &[u8]); 3] =
        [("x-sas-person", b"arm-1"), ("x-sas-role", b"ARM"), ("x-sas-territory", b"fr-99")];
    let told = read(bare(&room).await.list_cases(listing(&metadata)).await);
    assert!(told.starts_with("InvalidArgument WRONG_FIELDS\n1 wrong field(s): territory: "), "{told}");
    assert!(told.contains("known are fr-01 to fr-95") && told.contains("fr-974"), "{told}");
    room.closes().await
}

#[tokio::test]
async fn a_role_that_may_not_is_told_who_may() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let case = arm.opens("67482", ill()).await?;
    let case = arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let told = read(arm.claims(&case).await);
    assert_eq!(
        told,
        "PermissionDenied WRONG_ROLE\nthe role ARM may not do this; it is for REGULATOR\n\
         Votre rôle ne permet pas cette action."
    );
    let doctor = room.regulator("reg-1");
    let case = doctor.claims(&case).await?;
    let told = read(arm.signs_need(&case, need(CareType::Advice, CareLevel::R4, LongestDelay::H24)).await);
    assert!(told.contains("claim_no: must be set"), "the fields are read before the role: {told}");
    let office = room.back_office();
    assert_eq!(office.opens("67482", ill()).await.refused().code, Code::PermissionDenied);
    let told = read(ask!(office, routing, explain_plan, plan_of(&case)));
    assert!(told.starts_with("PermissionDenied WRONG_ROLE\n"), "{told}");
    room.closes().await
}

fn plan_of(case: &pb::CaseView) -> pb::ExplainPlanRequest {
    pb::ExplainPlanRequest { case_id: case.case_id.clone(), decision_id: case.case_id.clone(), at_least_seq: 0 }
}

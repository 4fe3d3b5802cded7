//! What a person reads when something is wrong.

use sas_dispatch::grpc::pb;
use tonic::Code;
use tonic_types::StatusExt;

use super::desk::{Desk, START, arm, fields, person, reason};

#[tokio::test]
async fn every_wrong_field_is_named_at_once_and_no_value_is_repeated() {
    let desk = Desk::start().await;
    let request = pb::OpenCaseRequest {
        command_id: desk.command(),
        origin: "Tartempion".to_owned(),
        arrived_unix_ms: START - 3_600_000,
        caller: Some(pb::Caller { phone: "zéro six douze".to_owned(), ..pb::Caller::default() }),
        place: Some(pb::Place { commune: "67999".to_owned(), ..pb::Place::default() }),
        patients: vec![pb::Patient {
            own_gp_id: "dr-inconnu".to_owned(),
            birth_date: "31/12/1980".to_owned(),
            ..pb::Patient::default()
        }],
        ..pb::OpenCaseRequest::default()
    };
    let refused = desk.intake().open_case(arm(request)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "WRONG_FIELDS"));
    let named = fields(&refused);
    let expected = [
        "arrived_unix_ms",
        "origin",
        "caller.phone",
        "place.commune",
        "patients[0].birth_date",
        "patients[0].own_gp_id",
    ];
    assert_eq!(named, expected);
    for part in ["BackfillCase", "E.164", "no commune of fr-67", "YYYY-MM-DD", "DirectoryService.FindOwnGp"] {
        assert!(refused.message().contains(part), "{part}: {}", refused.message());
    }
    for value in ["Tartempion", "zéro six", "31/12", "dr-inconnu"] {
        assert!(!refused.message().contains(value), "{}", refused.message());
    }
    let french = refused.get_error_details().localized_message().unwrap().message.clone();
    assert!(french.starts_with("Champs à corriger : arrived_unix_ms"), "{french}");
}

/// 29 February 2023 was told to have ten characters, and looked right.
#[tokio::test]
async fn a_birth_date_that_no_calendar_has_is_told_from_one_that_is_written_otherwise() {
    let desk = Desk::start().await;
    for (birth_date, told) in [
        ("2023-02-29", "there is no such day"),
        ("1980-13-01", "there is no such day"),
        ("1980-1-5", "expected a date as YYYY-MM-DD, got 8 characters"),
        ("12/03/1980", "expected a date as YYYY-MM-DD, got 10 characters"),
    ] {
        let patients = vec![pb::Patient { birth_date: birth_date.to_owned(), ..pb::Patient::default() }];
        let request = pb::OpenCaseRequest { command_id: desk.command(), patients, ..pb::OpenCaseRequest::default() };
        let refused = desk.intake().open_case(arm(request)).await.unwrap_err();
        assert!(refused.message().contains(told), "{birth_date}: {}", refused.message());
    }
}

#[tokio::test]
async fn a_vital_emergency_is_opened_whatever_is_wrong() {
    let desk = Desk::start().await;
    let request = pb::OpenCaseRequest {
        command_id: desk.command(),
        vital: true,
        caller: Some(pb::Caller {
            name: "Camille Exemple".to_owned(),
            phone: "??".to_owned(),
            ..pb::Caller::default()
        }),
        place: Some(pb::Place {
            commune: "99999".to_owned(),
            street: "1 rue de la Maquette".to_owned(),
            ..pb::Place::default()
        }),
        ..pb::OpenCaseRequest::default()
    };
    let opened = desk.intake().open_case(arm(request)).await.unwrap().into_inner();
    let case = opened.case.unwrap();
    assert_eq!(case.qualification.unwrap().priority(), pb::Priority::P0);
    assert_eq!(case.caller.unwrap().name, "Camille Exemple");
    assert_eq!(case.place.unwrap().street, "1 rue de la Maquette");
    let dropped: Vec<_> = opened.receipt.unwrap().warnings.into_iter().map(|warning| warning.field).collect();
    assert_eq!(dropped, ["caller.phone", "place.commune"]);
}

#[tokio::test]
async fn a_wrong_key_of_a_social_security_number_is_a_warning_in_a_vital_emergency() {
    let desk = Desk::start().await;
    let nir = "2 55 13 99 999 999 50".to_owned();
    let patients = vec![pb::Patient { nir, ..pb::Patient::default() }];
    let (command_id, vital) = (desk.command(), true);
    let request = pb::OpenCaseRequest { command_id, vital, patients, ..pb::OpenCaseRequest::default() };
    let opened = desk.intake().open_case(arm(request)).await.unwrap().into_inner();
    let warning = &opened.receipt.unwrap().warnings[0];
    assert_eq!((warning.field.as_str(), warning.code.as_str()), ("patients[0].nir", "NIR_KEY"));
    assert_eq!(opened.case.unwrap().patients[0].nir, "255139999999950");
}

#[tokio::test]
async fn a_console_may_not_invent_a_motive() {
    let desk = Desk::start().await;
    let case = desk.opened().await;
    let request = pb::QualifyRequest { motive: "M17.03.01".to_owned(), ..desk.qualification(&case.case_id) };
    let refused = desk.regulation().qualify(arm(request)).await.unwrap_err();
    assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec!["motive".to_owned()]));
    assert!(refused.message().contains("HubSante.motif"), "{}", refused.message());
}

#[tokio::test]
async fn a_past_call_is_back_filled() {
    let desk = Desk::start().await;
    let arrived_unix_ms = START - 6 * 3_600_000;
    let request =
        pb::BackfillCaseRequest { command_id: desk.command(), arrived_unix_ms, ..pb::BackfillCaseRequest::default() };
    let case = desk.intake().backfill_case(arm(request)).await.unwrap().into_inner().case.unwrap();
    assert_eq!((case.opened_unix_ms, case.entered_unix_ms), (arrived_unix_ms, START));
    assert_eq!(case.channel(), pb::Channel::Paper);
}

#[tokio::test]
async fn a_case_of_another_territory_is_not_there() {
    let desk = Desk::start().await;
    let case = desk.opened().await;
    let get = pb::GetCaseRequest { case_id: case.case_id.clone(), at_least_seq: 0 };
    let refused = desk.intake().get_case(person("arm-2", "ARM", "fr-89", get)).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.message()),
        (Code::NotFound, "no case with this id in this territory: list again")
    );
    let note = pb::AddNoteRequest { command_id: desk.command(), case_id: case.case_id, text: "bonjour".to_owned() };
    let refused = desk.intake().add_note(person("arm-2", "ARM", "fr-89", note)).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
}

#[tokio::test]
async fn a_stale_version_says_to_read_again() {
    let desk = Desk::start().await;
    let read = desk.opened().await;
    let note =
        pb::AddNoteRequest { command_id: desk.command(), case_id: read.case_id.clone(), text: "bonjour".to_owned() };
    desk.intake().add_note(arm(note)).await.unwrap();
    let request = pb::QualifyRequest { version: read.version.clone(), ..desk.qualification(&read.case_id) };
    let refused = desk.regulation().qualify(arm(request.clone())).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Aborted, "STALE"));
    assert!(refused.message().contains("read it again"), "{}", refused.message());
    let vital = pb::QualifyRequest { priority: pb::Priority::P0 as i32, command_id: desk.command(), ..request };
    desk.regulation().qualify(arm(vital)).await.expect("a P0 is never refused for a stale version");
}

#[tokio::test]
async fn a_message_over_the_limit_says_which() {
    let desk = Desk::start().await;
    let request = pb::OpenCaseFromHubRequest { command_id: desk.command(), message: vec![b' '; (1 << 20) + 1] };
    let refused = desk.intake().open_case_from_hub(arm(request)).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange);
    assert!(refused.message().contains("1048576 bytes"), "{}", refused.message());
}

#[tokio::test]
async fn a_broken_message_of_the_hub_is_refused_by_path() {
    let desk = Desk::start().await;
    let message = std::fs::read("tests/data/hub/missing-city.json").unwrap();
    let request = pb::OpenCaseFromHubRequest { command_id: desk.command(), message };
    let refused = desk.intake().open_case_from_hub(arm(request)).await.unwrap_err();
    assert_eq!(fields(&refused), ["message.createCaseHealth.location.city"]);
}

//! What is wrong with a request that comes in.

use rstest::rstest;
use sas_dispatch::{
    domain::{actor::Role, time::Span},
    grpc::pb,
};

use super::{CANARY, read, wrong};
use crate::support::room::{Person, Room, Story, ask, ill};

const MORNING: &str = "2024-12-19 10:00";

fn call(arm: &Person) -> pb::OpenCaseRequest {
    pb::OpenCaseRequest { command_id: arm.act(), patients: vec![ill()], ..Default::default() }
}

fn caller(phone: &str) -> Option<pb::Caller> {
    Some(pb::Caller { phone: phone.to_owned(), ..Default::default() })
}

fn place(commune: &str) -> Option<pb::Place> {
    Some(pb::Place { commune: commune.to_owned(), ..Default::default() })
}

#[rstest]
#[case::letters("Zqcanari 12", 11)]
#[case::short("03 53 01", 8)]
#[case::long("+33 3 53 01 00 01 00 99 99 99", 29)]
#[case::two_numbers("0639980001 ou 0639980002", 24)]
#[tokio::test]
async fn a_malformed_phone_number_is_told_by_its_shape(#[case] phone: &str, #[case] characters: usize) -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let arm = room.arm("arm-1");
    let request = pb::OpenCaseRequest { caller: caller(phone), ..call(&arm) };
    let told = read(ask!(arm, intake, open_case, request));
    let shape = "expected + and 6 to 15 digits (E.164), or a French number of ten digits beginning with 0";
    assert_eq!(told, wrong(&[("caller.phone", &format!("{shape}, got {characters} characters of another shape"))]));
    assert!(!told.contains(phone), "{told}");
    room.closes().await
}

#[rstest]
#[case::none_of_the_territory("67999", "no commune of fr-67 has this INSEE code: choose one of its 514 communes")]
#[case::another_territory("89387", "lies outside fr-67, for which you act: open it there")]
#[case::a_name(
    "Zqcanari",
    "commune: expected an INSEE code of 5 characters (digits, or 2A/2B first), got 8 characters"
)]
#[case::a_postcode(
    "67 00",
    "commune: expected an INSEE code of 5 characters (digits, or 2A/2B first), got 5 characters"
)]
#[tokio::test]
async fn a_commune_that_does_not_exist_here_is_refused(#[case] commune: &str, #[case] problem: &str) -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let arm = room.arm("arm-1");
    let request = pb::OpenCaseRequest { place: place(commune), ..call(&arm) };
    assert_eq!(read(ask!(arm, intake, open_case, request)), wrong(&[("place.commune", problem)]));
    room.closes().await
}

#[tokio::test]
async fn a_wrong_nir_key_is_refused_and_for_a_vital_emergency_a_warning() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let arm = room.arm("arm-1");
    let patient = pb::Patient { nir: "2 55 08 14 168 025 00".to_owned(), ..ill() };
    let request = pb::OpenCaseRequest { patients: vec![patient], ..call(&arm) };
    let problem = "the key does not fit the number: read it again, or leave it out";
    assert_eq!(read(ask!(arm, intake, open_case, request.clone())), wrong(&[("patients[0].nir", problem)]));
    let opened = ask!(arm, intake, open_case, pb::OpenCaseRequest { vital: true, ..request })?;
    let warnings = opened.receipt.unwrap().warnings;
    let told: Vec<_> =
        warnings.iter().map(|warning| format!("{} {}: {}", warning.code, warning.field, warning.text)).collect();
    let text = "the key does not fit the number; kept, to be checked with the patient";
    assert_eq!(told, [format!("NIR_KEY patients[0].nir: {text}")]);
    assert_eq!(opened.case.unwrap().patients[0].nir, "255081416802500", "it is kept as it was given");
    room.closes().await
}

#[tokio::test]
async fn a_call_of_two_hours_ago_is_entered_from_paper_and_not_opened() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let arm = room.arm("arm-1");
    let past = (room.now() - Span::from_hours(2)).unix_ms();
    let request = pb::OpenCaseRequest { arrived_unix_ms: past, ..call(&arm) };
    let told = read(ask!(arm, intake, open_case, request));
    assert_eq!(told, wrong(&[("arrived_unix_ms", "over 10 minutes ago: enter it with BackfillCase")]));

    let paper =
        |arrived_unix_ms| pb::BackfillCaseRequest { command_id: arm.act(), arrived_unix_ms, ..Default::default() };
    let entered = ask!(arm, intake, backfill_case, paper(past))?.case.unwrap();
    assert_eq!((entered.opened_unix_ms, entered.entered_unix_ms), (past, room.now().unix_ms()));

    let future = (room.now() + Span::from_hours(2)).unix_ms();
    let told = read(ask!(arm, intake, backfill_case, paper(future)));
    assert_eq!(told, wrong(&[("arrived_unix_ms", "lies in the future: a case from paper has its past time")]));
    let last_year = (room.now() - Span::from_hours(365 * 24)).unix_ms();
    let told = read(ask!(arm, intake, backfill_case, paper(last_year)));
    let problem = "lies more than 31 days back: look at its year and month";
    assert_eq!(told, wrong(&[("arrived_unix_ms", problem)]));
    room.closes().await
}

#[tokio::test]
async fn an_instant_in_seconds_is_told_from_one_in_milliseconds() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let arm = room.arm("arm-1");
    let request = pb::OpenCaseRequest { arrived_unix_ms: room.now().unix_ms() / 1_000, ..call(&arm) };
    let problem = "expected Unix time in milliseconds between the years 2000 and 2100";
    assert_eq!(read(ask!(arm, intake, open_case, request)), wrong(&[("arrived_unix_ms", problem)]));
    room.closes().await
}

#[tokio::test]
async fn wrong_fields_are_told_all_at_once() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let arm = room.arm("arm-1");
    let patient = pb::Patient {
        birth_date: "le 3 mai Zqcanari".to_owned(),
        own_gp_id: "zqcanari".to_owned(),
        age_years: Some(131),
        sex: 42,
        ..ill()
    };
    let request = pb::OpenCaseRequest {
        command_id: "Zqcanari".to_owned(),
        line: 99,
        origin: CANARY.to_owned(),
        caller: caller(CANARY),
        place: place("99999"),
        patients: vec![patient],
        note: "z".repeat(4_001),
        ..Default::default()
    };
    let told = read(ask!(arm, intake, open_case, request));
    let fields: Vec<_> = told.lines().skip(3).map(|line| line.split(": ").next().unwrap()).collect();
    let expected = [
        "command_id",
        "origin",
        "line",
        "caller.phone",
        "place.commune",
        "patients[0].birth_date",
        "patients[0].age_years",
        "patients[0].own_gp_id",
        "patients[0].sex",
        "note",
    ];
    assert_eq!(fields, expected, "{told}");
    assert!(told.contains("10 wrong field(s): "), "{told}");
    for problem in [
        "patients[0].own_gp_id: the directory has no responder of this id: find it with DirectoryService.FindOwnGp",
        "patients[0].birth_date: expected a date as YYYY-MM-DD, got 17 characters",
        "patients[0].age_years: expected whole years, 0 to 130",
        "line: must be set to one of ",
        "note: 4001 characters: at most 4000",
    ] {
        assert!(told.contains(problem), "no '{problem}' in\n{told}");
    }
    room.closes().await
}

#[rstest]
#[case::none("")]
#[case::version_4("8f14e45f-ceea-4167-a0a5-7f9d2b1c3d4e")]
#[case::words("Zqcanari")]
#[tokio::test]
async fn a_command_id_is_a_uuid_of_version_7(#[case] command_id: &str) -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let arm = room.arm("arm-1");
    let told =
        read(ask!(arm, intake, open_case, pb::OpenCaseRequest { command_id: command_id.to_owned(), ..call(&arm) }));
    let shape = "expected a UUIDv7 of 36 characters that you make once for this act";
    let problem = format!("{shape}, got {} characters that are none", command_id.chars().count());
    assert_eq!(told, wrong(&[("command_id", &problem)]));
    room.closes().await
}

#[tokio::test]
async fn a_command_id_made_for_another_act_is_refused() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let arm = room.arm("arm-1");
    let first = call(&arm);
    ask!(arm, intake, open_case, first.clone())?;
    let told = read(ask!(arm, intake, open_case, pb::OpenCaseRequest { note: CANARY.to_owned(), ..first }));
    assert!(told.starts_with("InvalidArgument COMMAND_ID_REUSED\n"), "{told}");
    let problem = "command_id: was used for another request before: make a new UUIDv7 for each act";
    assert!(told.ends_with(problem), "{told}");
    room.closes().await
}

#[tokio::test]
async fn a_case_of_another_territory_is_not_there() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let here = room.arm("arm-1").opens("67482", ill()).await?;
    let elsewhere = room.elsewhere("arm-9", Role::Arm, "fr-89");
    let expected = "NotFound NOT_FOUND\nno case with this id in this territory: list again\n\
                    Introuvable dans ce territoire : actualisez la liste.";
    assert_eq!(read(elsewhere.reads(&here).await), expected);
    assert_eq!(read(elsewhere.notes(&here, CANARY).await), expected);
    room.closes().await
}

#[tokio::test]
async fn a_message_that_breaks_its_schema_names_the_path_of_each_fault() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let arm = room.arm("arm-1");
    let open = |text: &str| pb::OpenCaseFromHubRequest { command_id: arm.act(), message: text.as_bytes().to_vec() };
    let told = read(ask!(arm, intake, open_case_from_hub, open("{\"Zqcanari\": ")));
    assert!(told.starts_with("InvalidArgument WRONG_FIELDS\n1 wrong field(s): message"), "{told}");
    let told = read(ask!(arm, intake, open_case_from_hub, open("{\"request\": {\"at\": \"Zqcanari\", \"insee\": 7}}")));
    for path in ["message.request.at: expected ", "message.request.insee: expected "] {
        assert!(told.lines().any(|line| line.starts_with(path)), "no '{path}' in\n{told}");
    }
    room.closes().await
}

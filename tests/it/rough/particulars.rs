//! What is wrong with what is said of caller, place and patients: each field named, and never the value.

use rstest::rstest;
use sas_dispatch::grpc::pb::{self, InsStatus, Recipient, Wish};

use super::{CANARY, read, wrong};
use crate::support::room::{Room, Story, ask, ill};

/// A patient whose identity a document has shown.
fn shown() -> pb::Patient {
    pb::Patient {
        ins_status: InsStatus::Qualified.into(),
        nir: "2 55 13 99 999 999 49".to_owned(),
        birth_name: "Exemple".to_owned(),
        birth_first_names: "Camille".to_owned(),
        birth_place: "67482".to_owned(),
        sex: pb::Sex::Female.into(),
        ..ill()
    }
}

fn wish(recipient: i32, wish: i32, at_unix_ms: i64) -> pb::Consent {
    pb::Consent { recipient, wish, at_unix_ms, ..Default::default() }
}

const TRAITS: &str =
    "this status needs birth_name, birth_first_names, birth_date, sex and birth_place as the document shows them";

#[rstest]
#[case::length(pb::Patient { nir: "255139999999".to_owned(), ..ill() }, "nir", "expected 15 characters (13 and the key of 2), got 12")]
#[case::letters(pb::Patient { nir: "Zqcanari2551399".to_owned(), ..ill() }, "nir", "expected digits, or 2A and 2B for Corsica")]
#[case::key(pb::Patient { nir: "2 55 13 99 999 999 50".to_owned(), ..ill() }, "nir", "the key does not fit the number: read it again, or leave it out")]
#[case::no_number(pb::Patient { nir: String::new(), ..shown() }, "ins_status", "this status needs nir, fetched from INSi")]
#[case::no_trait(pb::Patient { birth_place: String::new(), ..shown() }, "ins_status", TRAITS)]
#[case::birth_place(pb::Patient { birth_place: CANARY.to_owned(), ..ill() }, "birth_place", "expected the INSEE code of a commune or country, 5 characters, got 8 of another shape")]
#[case::age(pb::Patient { age: "18 mois".to_owned(), ..ill() }, "age", "age: expected a duration such as P70Y, P3M, P2W or P10D (at most 130 years), got 7 characters")]
#[case::two_ages(pb::Patient { age: "P18M".to_owned(), age_years: Some(2), ..ill() }, "age", "age_years says another age: give one of them")]
#[case::weight(pb::Patient { weight_grams: Some(70), ..ill() }, "weight_grams", "expected grams, 200 to 500000")]
#[case::no_gp(pb::Patient { no_gp: true, own_gp_id: "gp-67-colombage".to_owned(), ..ill() }, "own_gp_id", "no_gp says that there is none: set one of them")]
#[case::twice(
    pb::Patient { consents: vec![wish(Recipient::Gp as i32, Wish::Opposes as i32, 0); 2], ..ill() },
    "consents[1].recipient",
    "stands twice: one wish for each recipient"
)]
#[case::tomorrow(
    pb::Patient { consents: vec![wish(Recipient::Gp as i32, Wish::Opposes as i32, 1_800_000_000_000)], ..ill() },
    "consents[0].at_unix_ms",
    "must not be in the future"
)]
#[tokio::test]
async fn a_wrong_trait_is_named_and_a_vital_emergency_goes_on_without_it(
    #[case] patient: pb::Patient,
    #[case] field: &str,
    #[case] problem: &str,
) -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let request = pb::OpenCaseRequest { command_id: arm.act(), patients: vec![patient], ..Default::default() };
    let field = format!("patients[0].{field}");
    assert_eq!(read(ask!(arm, intake, open_case, request.clone())), wrong(&[(field.as_str(), problem)]));
    let vital = pb::OpenCaseRequest { command_id: arm.act(), vital: true, ..request };
    let warnings = ask!(arm, intake, open_case, vital)?.receipt.unwrap().warnings;
    assert_eq!(warnings.iter().map(|warning| warning.field.as_str()).collect::<Vec<_>>(), [field.as_str()]);
    room.closes().await
}

#[tokio::test]
async fn everything_said_of_caller_place_and_patient_is_read_again_as_it_was_said() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let text = |word: &str| word.to_owned();
    let caller = pb::Caller {
        name: text("Une Infirmière"),
        phone: text("+33639980081"),
        kind: text("SANTE.INF"),
        language: text("fr"),
        partner: text("SAMU 68"),
        partner_reference: text("68-4711"),
        ..Default::default()
    };
    let way_in = pb::WayIn {
        building: text("B"),
        floor: text("3"),
        code: text("12A4"),
        lift: text("en panne"),
        ..Default::default()
    };
    let place = pb::Place {
        commune: text("67482"),
        street: text("3 rue Inventée"),
        access: text("au fond de la cour"),
        way_in: Some(way_in.clone()),
        ..Default::default()
    };
    let child = pb::Patient {
        number: 2,
        age: text("P18M"),
        weight_grams: Some(11_200),
        representative: Some(pb::Representative {
            name: text("Mère Exemple"),
            phone: text("+33639980082"),
            tie: text("mère"),
        }),
        ..Default::default()
    };
    let request = pb::OpenCaseRequest {
        command_id: arm.act(),
        caller: Some(caller.clone()),
        place: Some(place),
        patients: vec![pb::Patient { pregnant: true, no_gp: true, ..shown() }, child.clone()],
        ..Default::default()
    };
    let opened = ask!(arm, intake, open_case, request)?.case.unwrap();
    let case = arm.reads(&opened).await?;
    let labels = |told: pb::Caller| pb::Caller { kind_label: String::new(), difficulty_label: String::new(), ..told };
    assert_eq!(labels(case.caller.unwrap()), caller);
    let place = case.place.unwrap();
    assert_eq!((place.way_in.unwrap(), &*place.access), (way_in, "au fond de la cour"));
    let [first, second] = case.patients.try_into().unwrap();
    let who = (first.ins_status(), first.nir.as_str(), first.pregnant, first.no_gp, first.minor);
    assert_eq!(who, (InsStatus::Qualified, "255139999999949", true, true, Some(false)));
    let said = (second.age.as_str(), second.age_years, second.weight_grams, second.infant, second.minor);
    assert_eq!(said, ("P18M", Some(1), Some(11_200), Some(true), Some(true)));
    assert_eq!(second.representative, child.representative);
    room.closes().await
}

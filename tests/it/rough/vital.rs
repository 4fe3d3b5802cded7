//! A vital emergency is never refused or delayed (design.md §3, invariant 7): what is wrong is left out and told.

use std::collections::BTreeSet;

use sas_dispatch::{
    domain::time::{Instant, Span},
    grpc::pb::{self, ActionKind, Priority, Stream},
    store::due_command,
};

use super::{CANARY, read};
use crate::support::room::{Room, Seen, Story, ask, ill};

fn wrong_caller() -> Option<pb::Caller> {
    let (name, kind, language) = (CANARY.repeat(60), CANARY.to_owned(), CANARY.to_owned());
    Some(pb::Caller {
        name,
        phone: CANARY.to_owned(),
        call_back: CANARY.to_owned(),
        kind,
        language,
        ..Default::default()
    })
}

fn wrong_place() -> Option<pb::Place> {
    let position = Some(pb::Position { lat: 148.0, lon: 17.0 });
    Some(pb::Place { commune: "99999".to_owned(), position, street: "z".repeat(301), ..Default::default() })
}

fn wrong_patient() -> pb::Patient {
    pb::Patient {
        birth_date: CANARY.to_owned(),
        own_gp_id: CANARY.to_owned(),
        age_years: Some(999),
        sex: 42,
        nir: CANARY.repeat(3),
        ..ill()
    }
}

#[track_caller]
fn dropped(receipt: Option<pb::Receipt>) -> Vec<String> {
    let warnings = receipt.unwrap().warnings;
    let texts = format!("{warnings:?}");
    assert!(!texts.to_lowercase().contains(&CANARY.to_lowercase()), "a value was repeated: {texts}");
    assert!(warnings.iter().all(|warning| warning.text.starts_with("left out, nothing was refused: ")), "{texts}");
    // A motive is judged with the case, which names no field of the request.
    let name =
        |warning: pb::Warning| if warning.code == "MOTIVE_UNKNOWN" { "motive".to_owned() } else { warning.field };
    warnings.into_iter().map(name).collect()
}

#[tokio::test]
async fn a_vital_call_with_every_field_wrong_is_open_and_handed_over() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let request = pb::OpenCaseRequest {
        command_id: arm.act(),
        vital: true,
        origin: CANARY.to_owned(),
        call_reference: "z".repeat(129),
        line: 99,
        arrived_unix_ms: 1,
        caller: wrong_caller(),
        place: wrong_place(),
        patients: vec![wrong_patient()],
        note: "z".repeat(4_001),
        ..Default::default()
    };
    let opened = ask!(arm, intake, open_case, request)?;
    let case = opened.case.unwrap();
    assert_eq!(case.qualification.as_ref().map(pb::Qualification::priority), Some(Priority::P0));
    assert_eq!(case.to_do(), [ActionKind::HandOver]);
    let fields = dropped(opened.receipt);
    for field in [
        "origin",
        "call_reference",
        "line",
        "arrived_unix_ms",
        "caller.name",
        "caller.phone",
        "caller.call_back",
        "caller.kind",
        "caller.language",
        "place.commune",
        "place.position",
        "place.street",
        "patients[0].birth_date",
        "patients[0].own_gp_id",
        "patients[0].age_years",
        "patients[0].sex",
        "patients[0].nir",
        "note",
    ] {
        assert!(fields.iter().any(|dropped| dropped == field), "no warning for {field}: {fields:?}");
    }
    room.closes().await
}

/// A clock that was wrong refused a vital emergency.
#[tokio::test]
async fn a_vital_call_is_open_whatever_its_command_is_called() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let made = |ms: i64| due_command(CANARY, Instant::from_unix_ms(room.now().unix_ms() + ms)).to_string();
    let ids = [String::new(), CANARY.to_owned(), made(600_000), made(-30 * 86_400_000)];
    let mut cases = BTreeSet::new();
    for command_id in ids {
        let asked = |vital| pb::OpenCaseRequest { command_id: command_id.clone(), vital, ..Default::default() };
        read(ask!(arm, intake, open_case, asked(false)));
        let opened = ask!(arm, intake, open_case, asked(true))?;
        let case = opened.case.unwrap();
        assert_eq!(case.to_do(), [ActionKind::HandOver]);
        let warnings = opened.receipt.unwrap().warnings;
        let [told] = &*warnings else { panic!("{warnings:?}") };
        assert_eq!((&*told.field, &*told.code), ("command_id", "COMMAND_ID_UNUSABLE"));
        cases.insert(case.case_id);
        room.wait(Span::from_secs(1)).await;
    }
    assert_eq!(cases.len(), 4, "each is a case of its own");
    room.closes().await
}

/// An id that a wrong clock made is the act's own all the same: sent again because the answer was lost, it opened a second case.
#[tokio::test]
async fn a_vital_call_of_a_wrong_clock_that_is_sent_again_is_one_case() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let ahead = |cause| due_command(cause, room.now() + Span::from_mins(10)).to_string();
    let asked = |command_id| pb::OpenCaseRequest { command_id, vital: true, ..Default::default() };
    let mut opened = BTreeSet::new();
    for (cause, replayed) in [("one", false), ("two", false), ("one", true), ("two", true)] {
        let answer = ask!(arm, intake, open_case, asked(ahead(cause)))?;
        let receipt = answer.receipt.unwrap();
        assert_eq!((receipt.replayed, &*receipt.warnings[0].code), (replayed, "COMMAND_ID_UNUSABLE"), "{cause}");
        opened.insert(answer.case.unwrap().case_id);
    }
    assert_eq!(opened.len(), 2);
    room.closes().await
}

/// The console whose clock is wrong could open a vital emergency, and neither make one of a case nor take it over.
#[tokio::test]
async fn a_case_becomes_vital_and_is_taken_over_whatever_the_commands_are_called() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, amu) = (room.arm("arm-1"), room.regulator("dr-samu"));
    let ahead = |cause: &str| due_command(cause, room.now() + Span::from_mins(10)).to_string();
    for command_id in [String::new(), CANARY.to_owned(), ahead("qualify")] {
        let case_id = arm.opens("67482", ill()).await?.case_id;
        let (priority, motive) = (Priority::P0.into(), "M03.14".to_owned());
        let request = pb::QualifyRequest { command_id, case_id, priority, motive, ..Default::default() };
        let qualified = ask!(arm, regulation, qualify, request)?;
        assert_eq!(qualified.receipt.unwrap().warnings[0].code, "COMMAND_ID_UNUSABLE");
        let case = qualified.case.unwrap();
        assert_eq!(case.to_do(), [ActionKind::HandOver]);
        let command_id = ahead(&case.case_id);
        let request = pb::AcceptHandOverRequest { command_id, case_id: case.case_id };
        let taken = ask!(amu, regulation, accept_hand_over, request)?;
        assert_eq!(taken.receipt.unwrap().warnings[0].code, "COMMAND_ID_UNUSABLE");
        assert_eq!(taken.case.unwrap().to_do(), [ActionKind::Regulate]);
    }
    room.closes().await
}

#[tokio::test]
async fn what_is_written_at_too_great_length_of_a_vital_call_is_kept_as_far_as_it_fits() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let note = format!("ne respire plus {}", "é".repeat(4_000));
    let request = pb::OpenCaseRequest { command_id: arm.act(), vital: true, note: note.clone(), ..Default::default() };
    let opened = ask!(arm, intake, open_case, request)?;
    let kept: String = note.chars().take(4_000).collect();
    assert_eq!(opened.case.unwrap().notes[0].text, kept);
    assert_eq!(opened.receipt.unwrap().warnings[0].code, "FIELD_CUT");
    room.closes().await
}

#[tokio::test]
async fn a_p0_with_every_field_wrong_is_handed_over_whatever_was_read_before() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let old = arm.opens("67482", ill()).await?;
    arm.notes(&old, "entre-temps").await?;
    let wrong = |version: Vec<u8>, motive: &str| pb::QualifyRequest {
        command_id: arm.act(),
        case_id: old.case_id.clone(),
        version,
        priority: Priority::P0.into(),
        stream: -7,
        motive: motive.to_owned(),
        flags: vec![99],
        protocol: "z".repeat(121),
        caller: wrong_caller(),
        place: wrong_place(),
        patients: vec![wrong_patient()],
        note: "z".repeat(4_001),
        ..Default::default()
    };
    for version in [old.version.clone(), CANARY.into()] {
        for motive in [CANARY, "Z99.99"] {
            let qualified = ask!(arm, regulation, qualify, wrong(version.clone(), motive))?;
            let case = qualified.case.unwrap();
            let known = case.qualification.as_ref().unwrap();
            assert_eq!((known.priority(), known.stream(), known.motive.as_str()), (Priority::P0, Stream::Amu, ""));
            assert_eq!(case.to_do(), [ActionKind::HandOver]);
            let fields = dropped(qualified.receipt);
            for field in ["motive", "flags[0]", "protocol", "caller.phone", "place.commune", "patients[0].sex", "note"]
            {
                assert!(fields.iter().any(|dropped| dropped == field), "no warning for {field}: {fields:?}");
            }
        }
    }
    room.closes().await
}

#[tokio::test]
async fn only_which_case_it_is_can_be_wrong_with_a_p0() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let request = pb::QualifyRequest { priority: Priority::P0.into(), motive: CANARY.to_owned(), ..Default::default() };
    let told = read(ask!(arm, regulation, qualify, request));
    let fields: Vec<_> = told.lines().skip(3).map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(fields, ["case_id"], "{told}");
    room.closes().await
}

//! A vital emergency that another centre hands over is never refused for a field of its message (design.md §3, invariant 7).

use sas_dispatch::grpc::{
    client::Status,
    pb::{self, ActionKind, Priority},
};
use serde_json::{Value, json};

use super::{CANARY, read};
use crate::support::room::{Person, Room, Seen, Story, ask};

/// A message of ours and the way to its case.
const BARE: (&str, &str) = ("strasbourg-fever.json", "/createCaseHealth");
/// The same in an envelope, of an exercise as it lies there.
const ENVELOPED: (&str, &str) =
    ("sens-in-envelope.json", "/content/0/jsonContent/embeddedJsonContent/message/createCaseHealth");

/// One thing that is wrong with a message, and the path at which the reader is told of it.
type Odd = (&'static str, fn(&mut Value));

const ODD: [Odd; 12] = [
    ("", |case| case["zqInconnu"] = CANARY.into()),
    (".initialAlert.caller.type", |case| case["initialAlert"]["caller"]["type"] = CANARY.into()),
    (".initialAlert.caller.language", |case| case["initialAlert"]["caller"]["language"] = "zz".into()),
    (".initialAlert.reception", |case| case["initialAlert"]["reception"] = CANARY.into()),
    (".initialAlert.caller.callerContact.type", |case| {
        case["initialAlert"]["caller"]["callerContact"]["type"] = CANARY.into();
    }),
    (".creation", |case| case["creation"] = "2024-12-26T09:02:00Z".into()),
    (".location.city", |case| _ = case["location"].as_object_mut().unwrap().remove("city")),
    (".location.city.inseeCode", |case| case["location"]["city"]["inseeCode"] = CANARY.into()),
    (".location", |case| case["location"] = CANARY.into()),
    (".owner", |case| case["owner"] = 7.into()),
    (".qualification.healthMotive.code", |case| case["qualification"]["healthMotive"]["code"] = CANARY.into()),
    (".patient", |case| case["patient"] = vec![case["patient"][0].clone(); 201].into()),
];

/// A message of a priority with what is odd about it.
fn message((name, way): (&str, &str), priority: &str, odd: &[Odd]) -> Value {
    let text = std::fs::read(format!("tests/data/hub/{name}")).expect("our own message");
    let mut message: Value = serde_json::from_slice(&text).expect("our own message is JSON");
    let case = message.pointer_mut(way).expect("the way to the case");
    case["qualification"]["details"]["priority"] = priority.into();
    odd.iter().for_each(|(_, change)| change(case));
    message
}

async fn give(arm: &Person, message: &Value) -> Result<pb::OpenCaseFromHubResponse, Status> {
    let request = pb::OpenCaseFromHubRequest { command_id: arm.act(), message: message.to_string().into_bytes() };
    ask!(arm, intake, open_case_from_hub, request)
}

#[track_caller]
fn handed_over(answer: &pb::OpenCaseFromHubResponse, path: &str) -> pb::CaseView {
    let case = answer.case.clone().unwrap();
    assert_eq!(case.qualification.as_ref().map(pb::Qualification::priority), Some(Priority::P0), "{path}");
    assert_eq!(case.to_do(), [ActionKind::HandOver], "{path}");
    let warnings = &answer.receipt.as_ref().unwrap().warnings;
    assert!(!format!("{warnings:?}").contains(CANARY), "a value was repeated: {warnings:?}");
    let told = |warning: &pb::Warning| warning.field.ends_with(path) && warning.code == "FIELD_DROPPED";
    assert!(warnings.iter().any(told), "nobody is told of '{path}': {warnings:?}");
    case
}

#[tokio::test]
async fn a_p0_of_the_hub_is_handed_over_whichever_field_of_its_message_is_odd() -> Story {
    let room = Room::at("fr-67", "2024-12-26 10:05").await;
    let arm = room.arm("arm-1");
    for odd in &ODD {
        let refused = read(give(&arm, &message(BARE, "P1", std::slice::from_ref(odd))).await);
        assert!(refused.starts_with("InvalidArgument WRONG_FIELDS"), "where there is time, it is mended: {refused}");
        let case = handed_over(&give(&arm, &message(BARE, "P0", std::slice::from_ref(odd))).await?, odd.0);
        let caller = case.caller.clone().unwrap();
        assert_eq!(caller.phone, "+33639980017", "{}: who called is rung back", odd.0);
        assert_eq!(caller.partner_reference, "DRFR15D67A36100001", "{}", odd.0);
        let commune = if odd.0.starts_with(".location") { "" } else { "67482" };
        assert_eq!(case.place.clone().unwrap().commune, commune, "{}", odd.0);
        assert!(!case.notes.is_empty(), "{}: what was written is kept", odd.0);
    }
    room.closes().await
}

#[tokio::test]
async fn a_p0_of_the_hub_with_every_field_odd_is_handed_over_with_what_is_left_of_it() -> Story {
    let room = Room::at("fr-67", "2024-12-26 10:05").await;
    let arm = room.arm("arm-1");
    let case = handed_over(&give(&arm, &message(BARE, "P0", &ODD)).await?, ".location");
    let (name, phone) = case.caller.map(|caller| (caller.name, caller.phone)).unwrap();
    assert_eq!((name.as_str(), phone.as_str()), ("Camille Exemple", "+33639980017"));
    assert_eq!(case.patients.len(), 20);

    let least = json!({"createCaseHealth": {"qualification": {"details": {"priority": "P0"}}}});
    let case = handed_over(&give(&arm, &least).await?, ".caseId");
    assert_eq!((case.patients.len(), case.notes.len()), (0, 0));
    let line = json!({"request": {"at": CANARY, "priority": "P0"}});
    handed_over(&give(&arm, &line).await?, ".at");
    room.closes().await
}

#[tokio::test]
async fn a_p0_in_its_envelope_is_handed_over_unless_it_is_an_exercise_or_brings_no_case() -> Story {
    let room = Room::at("fr-89", "2024-12-26 10:05").await;
    let arm = room.arm("arm-1");
    let mut sent = message(ENVELOPED, "P0", &ODD[..1]);
    let refused = read(give(&arm, &sent).await);
    assert!(refused.starts_with("InvalidArgument WRONG_FIELDS"), "nobody is ill: {refused}");
    sent["distributionStatus"] = "Actual".into();
    sent["content"][0]["jsonContent"]["embeddedJsonContent"]["message"]["status"] = "Actual".into();
    handed_over(&give(&arm, &sent).await?, "");
    sent["distributionStatus"] = CANARY.into();
    handed_over(&give(&arm, &sent).await?, "message.distributionStatus");
    sent["distributionKind"] = "Cancel".into();
    let refused = read(give(&arm, &sent).await);
    assert!(refused.contains("message.distributionKind"), "a case that is cancelled is none: {refused}");
    room.closes().await
}

#[tokio::test]
async fn a_number_of_the_hub_that_cannot_be_dialled_stands_in_the_note() -> Story {
    let room = Room::at("fr-67", "2024-12-26 10:05").await;
    let arm = room.arm("arm-1");
    let opened = give(&arm, &message(("odd-but-kept.json", BARE.1), "P0", &[])).await?;
    let case = opened.case.unwrap();
    assert!(case.notes[0].text.contains("Contact de l'appelant : 06 39 98 00 17"), "{}", case.notes[0].text);
    room.closes().await
}

/// Every text of a message may be that long; what holds them all is smaller.
#[tokio::test]
async fn a_p0_of_the_hub_with_the_longest_texts_everywhere_is_handed_over_and_tells_that_they_were_cut() -> Story {
    let room = Room::at("fr-67", "2024-12-26 10:05").await;
    let arm = room.arm("arm-1");
    for letter in ["z", "é", "漢", "\""] {
        let long = |length: usize| Value::from(letter.repeat(length));
        let mut sent = message(BARE, "P0", &[]);
        let case = &mut sent["createCaseHealth"];
        case["location"]["detailedAddress"]["complete"] = long(20_000);
        case["location"]["freetext"] = long(20_000);
        case["initialAlert"]["caller"]["detailedName"]["complete"] = long(20_000);
        case["medicalNote"][0]["freetext"] = long(20_000);
        let mut patient = case["patient"][0].clone();
        patient["identity"]["nonStrictFeatures"]["complete"] = long(2_000);
        patient["identity"]["strictFeatures"]["birthName"] = long(2_000);
        patient["administrativeFile"]["generalPractitioner"]["detailedName"]["complete"] = long(2_000);
        case["patient"] = vec![patient; 20].into();
        let answer = give(&arm, &sent).await?;
        let case = answer.case.unwrap();
        assert_eq!(case.to_do(), [ActionKind::HandOver], "{letter}");
        let (caller, place) = (case.caller.clone().unwrap(), case.place.clone().unwrap());
        for line in [&caller.name, &place.street, &case.patients[19].name, &case.patients[19].gp_name] {
            assert!((100..=300).contains(&line.chars().count()), "{letter}: {} characters", line.chars().count());
        }
        assert!(case.notes[0].text.chars().count() > 1_000, "{letter}: what was written is kept as far as it goes");
        let warnings = answer.receipt.unwrap().warnings;
        assert!(warnings.iter().filter(|warning| warning.code == "TEXT_CUT").count() > 60, "{letter}");
    }
    room.closes().await
}

//! The shift sheet: what is on it, who may read it, and that it outlives whatever wrote it.

mod outlives;

use std::{fs, os::unix::fs::PermissionsExt};

use sas_dispatch::{
    domain::time::Span,
    grpc::pb::{self, ActionEnd, ActionKind, CareLevel, CareType, LongestDelay, Priority, Stream},
};
use tempfile::TempDir;

use crate::support::room::{Ground, Patient, Room, Story, ask, ill, need, qualified};

/// Both forms of the sheet of a room, as they are on disk.
async fn sheet(room: &Room, dir: &TempDir) -> (String, String) {
    room.writes_sheets(&dir.path().join("garde")).await;
    let read = |ending: &str| fs::read_to_string(dir.path().join(format!("garde/fr-67.{ending}"))).unwrap();
    (read("html"), read("txt"))
}

fn place(text: &str, word: &str) -> usize {
    text.find(word).unwrap_or_else(|| panic!("{word} is not on the sheet:\n{text}"))
}

#[tokio::test]
async fn every_open_case_stands_on_it_in_the_order_of_regulation_with_what_a_pencil_needs() -> Story {
    let room = Room::on(Ground::Redis, "fr-67", "2024-12-19 10:00").await;
    let dir = TempDir::new().unwrap();
    let (arm, reg, osnp) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    let late = arm.opens("67482", ill()).await?;
    arm.qualifies(&late, qualified(Priority::P2, "M03.14")).await?;
    room.wait(Span::from_mins(40)).await;
    let urgent = pb::OpenCaseRequest { command_id: arm.act(), vital: true, ..Default::default() };
    let urgent = ask!(arm, intake, open_case, urgent)?.case.unwrap();
    let unheard = pb::OpenCaseRequest {
        command_id: arm.act(),
        caller: Some(pb::Caller {
            name: "Dominique Essai".into(),
            phone: "06 39 98 00 07".into(),
            ..Default::default()
        }),
        safety: Some(pb::ContactSafety { may_ring: false, may_text: false, may_leave_message: false, risk: 0 }),
        note: "parle <bas> & vite".into(),
        ..Default::default()
    };
    let unheard = ask!(arm, intake, open_case, unheard)?.case.unwrap();
    let seen = arm.opens("67482", ill().of("gp-67-houblon")).await?;
    arm.qualifies(&seen, qualified(Priority::P1, "M03.05")).await?;
    let seen = reg.claims(&seen).await?;
    let seen = reg.signs_need(&seen, need(CareType::Consultation, CareLevel::R3, LongestDelay::H8)).await?;
    let seen = reg.answers(&seen, CareType::Consultation).await?;
    osnp.advances(&seen).await?;

    let (html, text) = sheet(&room, &dir).await;
    let order = [&urgent, &unheard, &seen, &late].map(|case| place(&text, &case.case_number));
    assert!(order.is_sorted(), "P0, what nobody knows yet, P1, P2: {order:?}\n{text}");
    for word in [
        "P0 · ",
        "NON QUALIFIÉ",
        "EN RETARD",
        "Camille Exemple",
        "+33639980007",
        "NE PAS RAPPELER",
        "PAS DE SMS",
        "Strasbourg",
    ] {
        place(&text, word);
        place(&html, word);
    }
    place(&text, "proposé jusqu'à");
    place(&text, "médecin traitant : ");
    place(&html, "parle &lt;bas&gt; &amp; vite");
    assert!(!html.contains("<bas>"), "what a caller said is no markup");
    room.closes().await
}

#[tokio::test]
async fn what_was_written_down_about_a_patient_before_he_called_stands_on_it() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let dir = TempDir::new().unwrap();
    let (arm, office) = (room.arm("arm-1"), room.back_office());
    let put = pb::PutRemarkableSheetRequest {
        command_id: office.act(),
        kind: pb::RemarkableKind::Palliative.into(),
        text: "Pas de réanimation.".to_owned(),
        author: "Dr Exemple".to_owned(),
        expires_unix_ms: (room.now() + Span::from_hours(2)).unix_ms(),
        name: "Camille Exemple".to_owned(),
        birth_date: "1984-03-02".to_owned(),
        ..Default::default()
    };
    ask!(office, directory, put_remarkable_sheet, put)?;
    arm.opens("67482", ill()).await?;
    let (html, text) = sheet(&room, &dir).await;
    place(&html, "Pas de réanimation.");
    place(&text, "Fiche palliative — patient 1 — Dr Exemple, jusqu'à 12:00 : Pas de réanimation.");
    room.wait(Span::from_hours(3)).await;
    let (_, text) = sheet(&room, &dir).await;
    place(&text, "Fiche palliative — patient 1 — Dr Exemple — PLUS VALABLE depuis 12:00");
    assert!(!text.contains("Pas de réanimation"), "what no longer holds is not read as if it did");
    room.closes().await
}

/// Found in the night of the clock change: « appel de 02:58, avant 02:03 », and nothing told the two hours apart.
#[tokio::test]
async fn in_the_night_of_the_clock_change_it_says_which_of_the_two_hours_it_means() -> Story {
    let room = Room::at("fr-67", "2027-10-31 02:58").await;
    let dir = TempDir::new().unwrap();
    room.arm("arm-1").opens("67482", ill()).await?;
    let (_, text) = sheet(&room, &dir).await;
    place(&text, "02:58 (heure d'été)");
    place(&text, "avant 02:03 (heure d'hiver)");
    room.closes().await
}

/// Found by reading: of a caller on a road whose position alone was known, the sheet said no place at all.
#[tokio::test]
async fn a_caller_of_whom_only_the_position_is_known_is_found_by_it() -> Story {
    let room = Room::on(Ground::Redis, "fr-67", "2024-12-19 10:00").await;
    let (dir, arm) = (TempDir::new().unwrap(), room.arm("arm-1"));
    let on_the_road = pb::Place {
        position: Some(pb::Position { lat: 48.612_345_6, lon: 7.5 }),
        kind: "L02.02.00".to_owned(),
        ..Default::default()
    };
    let opens = |place| pb::OpenCaseRequest { command_id: arm.act(), place: Some(place), ..Default::default() };
    ask!(arm, intake, open_case, opens(on_the_road))?;
    let (html, text) = sheet(&room, &dir).await;
    for form in [&html, &text] {
        place(form, "Lieu");
        place(form, "Voie rapide (L02.02.00) · GPS 48.61235, 7.50000");
    }
    let in_town = pb::Place { commune: "67482".to_owned(), ..Default::default() };
    ask!(arm, intake, open_case, opens(in_town))?;
    let (_, text) = sheet(&room, &dir).await;
    place(&text, "Strasbourg");
    assert_eq!(text.matches("GPS").count(), 1, "the centre of a commune is nobody's position:\n{text}");
    room.closes().await
}

#[tokio::test]
async fn a_case_that_is_over_leaves_it_and_nobody_else_may_read_it() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let dir = TempDir::new().unwrap();
    let (arm, reg, osnp) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    let case = arm.opens("67482", ill()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.05")).await?;
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    let case = reg.signs_need(&case, need(CareType::PhonePrescription, CareLevel::R4, LongestDelay::H4)).await?;
    place(&sheet(&room, &dir).await.1, &case.case_number);
    osnp.ends(&case, ActionKind::DeliverPrescription, ActionEnd::Done).await?;
    let (html, text) = sheet(&room, &dir).await;
    assert!(!text.contains(&case.case_number) && !html.contains(&case.case_number));
    assert!(!text.contains("Camille Exemple"));
    place(&text, "0 dossiers ouverts");
    place(&text, "Appelant ____");

    let mode = |path: &str| fs::metadata(dir.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("garde"), mode("garde/fr-67.html"), mode("garde/fr-67.txt")), (0o700, 0o600, 0o600));
    room.closes().await
}

#[tokio::test]
async fn more_cases_than_a_page_of_the_store_all_stand_on_it() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let dir = TempDir::new().unwrap();
    let arm = room.arm("arm-1");
    let mut numbers = Vec::new();
    for _ in 0..205 {
        numbers.push(arm.opens("67482", ill()).await?.case_number);
    }
    let (html, text) = sheet(&room, &dir).await;
    assert!(numbers.iter().all(|number| text.contains(number) && html.contains(number)));
    place(&text, "205 dossiers ouverts");
    room.closes().await
}

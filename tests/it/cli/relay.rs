//! `sas-dispatch relay`: the page that one shift hands to the next, printed from a running service.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Output};

use sas_dispatch::{
    domain::time::Span,
    grpc::{
        client::Status,
        pb::{self, ActionKind, Affiliation, CareLevel, CareType, LongestDelay, Priority, Stream, SurgeReason},
    },
};
use serde_json::Value;
use tempfile::TempDir;

use super::{err, out, run};
use crate::support::room::{Person, Room, Seen, Story, ask, ill, need, qualified};

/// Lines of 100 columns that an A4 holds.
const A4: usize = 66;

/// The binary against the room's service, which goes on serving meanwhile.
async fn relay(room: &Room, more: &[&str]) -> Output {
    let address = room.address().to_string();
    let args: Vec<String> = ["relay", "--address", &address, "--territory", "fr-67"]
        .into_iter()
        .chain(more.iter().copied())
        .map(str::to_owned)
        .collect();
    let binary = move || run(&args.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(binary).await.unwrap()
}

async fn on_duty(
    chief: &Person,
    who: &str,
    stream: Stream,
    account: Affiliation,
    hours: (i64, i64),
) -> Result<(), Status> {
    let duty = pb::StartDutyRequest {
        command_id: chief.act(),
        person: who.to_owned(),
        stream: stream.into(),
        affiliation: account.into(),
        from_unix_ms: hours.0,
        until_unix_ms: hours.1,
        ..Default::default()
    };
    ask!(chief, supervision, start_duty, duty).map(|_| ())
}

async fn opened(arm: &Person, priority: Priority, motive: &str) -> Result<pb::CaseView, Status> {
    let case = arm.opens("67482", ill()).await?;
    arm.qualifies(&case, qualified(priority, motive)).await
}

/// The lines below a heading.
fn part<'a>(text: &'a str, heading: &str) -> Vec<&'a str> {
    let after = text.lines().skip_while(|line| !line.trim_start_matches("!! ").starts_with(heading)).skip(1);
    after.take_while(|line| line.starts_with("   ")).map(str::trim).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_shift_reads_who_was_here_and_what_must_not_be_forgotten() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, mrl, chief) = (room.arm("arm-1"), room.regulator("mrl-1"), room.supervisor("chief-1"));
    let (noon, night) = (room.today("12:00"), room.today("20:00"));
    on_duty(&chief, "mrl-1", Stream::Snp, Affiliation::Liberal, (0, noon)).await?;
    on_duty(&chief, "mrl-2", Stream::Snp, Affiliation::Liberal, (noon, night)).await?;
    on_duty(&chief, "mru-1", Stream::Amu, Affiliation::Hospital, (0, night)).await?;
    let (command_id, reason) = (chief.act(), SurgeReason::Epidemic.into());
    let start = pb::StartSurgeRequest { command_id, reason, until_unix_ms: room.today("11:30") };
    ask!(chief, supervision, start_surge, start)?;

    let vital = pb::OpenCaseRequest { command_id: arm.act(), vital: true, ..Default::default() };
    let vital = ask!(arm, intake, open_case, vital)?.case.unwrap();
    let silent = opened(&arm, Priority::P1, "M03.06").await?;
    mrl.claims(&silent).await?;
    let nobody = opened(&arm, Priority::P2, "M03.14").await?;
    let nobody = mrl.claims(&nobody).await?;
    let nobody = mrl.signs_need(&nobody, need(CareType::HomeVisit, CareLevel::R3, LongestDelay::H1)).await?;
    let nobody = mrl.answers(&nobody, CareType::HomeVisit).await?;
    let advanced = room.coordinator("osnp-1").advances(&nobody).await?;
    assert!(advanced.unanswered, "no doctor drives out in the morning");
    let waiting = opened(&arm, Priority::P2, "M03.20").await?;
    room.wait(Span::from_mins(61)).await;
    assert!(mrl.reads(&nobody).await?.to_do().contains(&ActionKind::Unanswered));

    let printed = relay(&room, &[]).await;
    assert!(printed.status.success(), "{}", err(&printed));
    let text = out(&printed);
    assert!(text.starts_with("Relève fr-67 — état au 19/12/2024 11:01\n4 dossiers ouverts"), "{text}");
    assert!(text.lines().count() <= A4 && text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let teams = part(&text, "QUI REMET À QUI").join("\n");
    assert!(teams.contains("SNP : mrl-1 (jusqu'à 12:00) → mrl-2 (dès 12:00)"), "{teams}");
    let surge = part(&text, "TENSION");
    assert_eq!(surge, ["Épidémie, décidée par chief-1 à 10:00, jusqu'à 11:30"]);
    let urgent = part(&text, "P0 ET P1 OUVERTS");
    let order = [&vital, &silent].map(|case| urgent.iter().position(|line| line.contains(&case.case_number)));
    assert_eq!(order, [Some(0), Some(1)], "{text}");
    assert!(part(&text, "SANS RÉPONSE").iter().any(|line| line.contains(&nobody.case_number)), "{text}");
    assert!(part(&text, "EN RETARD").iter().any(|line| line.contains(&waiting.case_number)), "{text}");
    // It is pinned to a wall: no patient, no caller.
    assert!(!text.contains("Camille") && !text.contains("3998") && !text.contains("Inventée"), "{text}");
    room.closes().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_console_and_a_stream_without_a_doctor_stand_on_it_in_every_form() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, mrl, chief) = (room.arm("arm-1"), room.regulator("mrl-1"), room.supervisor("chief-1"));
    on_duty(&chief, "mru-1", Stream::Amu, Affiliation::Hospital, (0, room.today("20:00"))).await?;
    let case = opened(&arm, Priority::P1, "M03.06").await?;
    mrl.claims(&case).await?;
    room.wait(Span::from_secs(40)).await;

    let folder = TempDir::new().unwrap();
    let file = folder.path().join("releve.html");
    let written = relay(&room, &["--html", file.to_str().unwrap()]).await;
    assert!(written.status.success(), "{}", err(&written));
    let html = fs::read_to_string(&file).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    for words in ["mrl-1 MUET depuis 10:00", "répond : AMU (DRM.MRL.INDISPMG)", "@page{size:A4"] {
        assert!(html.contains(words), "{words}: {html}");
    }

    let document: Value = serde_json::from_str(&out(&relay(&room, &["--json"]).await)).unwrap();
    assert_eq!(document["suspect"][0]["holder"], "mrl-1");
    assert_eq!(document["surge"], Value::Null);
    let snp = document["streams"].as_array().unwrap().iter().find(|state| state["stream"] == "SNP").unwrap();
    assert_eq!((snp["on_duty"].as_u64(), snp["fallback"].as_str()), (Some(0), Some("DRM.MRL.INDISPMG")));
    room.closes().await
}

#[tokio::test]
async fn what_was_not_asked_for_is_counted_all_the_same() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, chief) = (room.arm("arm-1"), room.supervisor("chief-1"));
    for _ in 0..3 {
        opened(&arm, Priority::P1, "M03.06").await?;
    }
    room.wait(Span::from_mins(61)).await;
    let page = ask!(chief, supervision, get_relay, pb::GetRelayRequest { deadlines: 1, at_least_seq: 0 })?;
    let totals = page.totals.unwrap();
    assert_eq!((page.late.len(), page.urgent.len()), (1, 1));
    assert!(totals.late >= 3 && totals.urgent == 3, "{totals:?}");
    room.closes().await
}

#[test]
fn without_a_service_it_says_what_to_do() {
    let failed = run(&["relay", "--address", "127.0.0.1:9", "--territory", "fr-67"]);
    assert_eq!(failed.status.code(), Some(2));
    assert!(err(&failed).contains("start it first"), "{}", err(&failed));
}

//! `sas-dispatch explain`: where a request would go and why, with nothing running and nothing changed.

use std::{fs, path::Path};

use serde_json::Value;

use super::{err, out, run};

const STRASBOURG: &str = r#"{"request": {"at": "2024-12-26T10:00:00+01:00", "insee": "67482", "motive": "M03.14",
    "own_gp": "gp-67-vendange", "need": {"care_type": "CONSULTATION", "level": "R3", "longest_delay_minutes": 480}}}"#;
const SENS: &str = r#"{"request": {"at": "2024-12-26T10:00:00+01:00", "insee": "89387", "motive": "M03.14",
    "own_gp": "programme-sens", "ehpad": true, "reduced_mobility": true}}"#;

fn file(dir: &tempfile::TempDir, lines: &[&str]) -> String {
    let path = dir.path().join("demandes.ndjson");
    let lines: Vec<_> = lines.iter().map(|line| line.replace('\n', " ")).collect();
    fs::write(&path, lines.join("\n")).unwrap();
    path.display().to_string()
}

fn document(args: &[&str]) -> Value {
    let output = run(args);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}{}", out(&output), err(&output)))
}

fn first_row(document: &Value, message: usize) -> (String, String) {
    let row = &document["messages"][message]["plan"]["rows"][0];
    (row["category"].as_str().unwrap().to_owned(), row["responder"].as_str().unwrap().to_owned())
}

#[test]
fn on_26_december_the_same_request_takes_another_way_in_strasbourg_and_in_sens() {
    let dir = tempfile::tempdir().unwrap();
    let file = file(&dir, &[STRASBOURG, SENS]);
    let output = run(&["explain", &file]);
    let text = out(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", err(&output));
    for line in [
        "  Bas-Rhin (fr-67), jeudi 26 décembre 2024 à 10:00 — permanence des soins, dimanche ou jour férié",
        "  Besoin : Consultation, R3, 8 heures (signé dans la demande)",
        "  Au plus tard jeudi 26 décembre 2024 à 18:00 :",
        "    1. Point fixe de garde : Maison médicale de garde de Strasbourg — retenu, ouvert, à appeler, à ",
        "    –  Médecin traitant : Dr Inventé Vendange — écarté : hors de la période d'emploi",
        "    Créneau SAS : disponibilité inconnue, source non connectée",
        "  Yonne (fr-89), jeudi 26 décembre 2024 à 10:00 — heures ouvrables (SAS)",
        "  Besoin : Consultation, R3, 24 heures (supposé, la demande n'en porte pas)",
        "    1. Médecin traitant : Structure traitante de Sens (SOS Médecins) — retenu, ouvert, à appeler",
        "    –  Visite à domicile : SOS Médecins Sens — écarté : source non connectée",
    ] {
        assert!(text.lines().any(|found| found.starts_with(line)), "no line '{line}' in\n{text}");
    }
}

#[test]
fn another_instant_can_be_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let file = file(&dir, &[STRASBOURG]);
    let document = document(&["explain", &file, "--at", "2024-12-19T10:00:00+01:00", "--json"]);
    assert_eq!(first_row(&document, 0), ("OWN_GP".to_owned(), "gp-67-vendange".to_owned()));
    let message = &document["messages"][0];
    assert_eq!((&message["period"], &message["at"]), (&"OFFICE_HOURS".into(), &"2024-12-19T10:00:00+01:00".into()));
    let keys: Vec<_> = message.as_object().unwrap().keys().map(String::as_str).collect();
    let expected =
        ["place", "faults", "warnings", "territory", "at", "period", "need", "plan", "explanation", "sources"];
    assert_eq!(keys, expected);
}

#[test]
fn a_broken_line_is_refused_in_its_place_and_the_others_are_explained() {
    let dir = tempfile::tempdir().unwrap();
    let file = file(&dir, &[STRASBOURG, r#"{"request": {"at": "hier", "territory": "fr-67", "motive": "M03.14"}}"#]);
    let output = run(&["explain", &file]);
    assert_eq!(output.status.code(), Some(1));
    let text = out(&output);
    assert!(text.contains("line 2\n  refusé : request.at: expected an RFC 3339 date"), "{text}");
    assert!(text.contains("1. Point fixe de garde"), "{text}");
}

#[test]
fn a_territory_without_a_folder_has_the_law_and_no_source() {
    let dir = tempfile::tempdir().unwrap();
    let line = r#"{"request": {"at": "2024-12-26T10:00:00+01:00", "territory": "fr-44", "motive": "M03.14"}}"#;
    let document = document(&["explain", &file(&dir, &[line]), "--json"]);
    let message = &document["messages"][0];
    assert_eq!(message["period"], "OFFICE_HOURS");
    let sources = message["plan"]["sources"].as_array().unwrap();
    assert_eq!(sources.len(), 7);
    assert!(sources.iter().all(|source| source["availability"] == "NOT_CONNECTED"), "{sources:?}");
}

#[test]
fn advice_needs_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let line = STRASBOURG.replace("CONSULTATION", "ADVICE").replace("R3", "R4");
    let output = run(&["explain", &file(&dir, &[&line])]);
    assert!(out(&output).contains("Aucun effecteur à chercher pour ce type de soin."), "{}", out(&output));
}

#[test]
fn a_message_of_the_hub_is_explained_without_naming_anybody_and_leaves_nothing_behind() {
    let message = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hub/sens-older-person.json");
    let written = fs::read_to_string(&message).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_sas-dispatch"))
        .args(["explain", "--config"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("config"))
        .arg(&message)
        .current_dir(dir.path())
        .output()
        .unwrap();
    let text = out(&output);
    assert!(text.contains("Yonne (fr-89)"), "{text}{}", err(&output));
    let parsed: Value = serde_json::from_str(&written).unwrap();
    let secrets = secrets(&parsed);
    assert!(secrets.len() >= 5, "the message no longer holds what must not be printed");
    for secret in secrets {
        assert!(!text.contains(&secret), "a personal text of {} characters was printed", secret.chars().count());
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

/// Names, numbers, addresses and free words of a message: every text under a key that holds one. Family names alone are
/// left out: the message's is also that of invented doctors of the shipped directory.
fn secrets(value: &Value) -> Vec<String> {
    const KEYS: [&str; 4] = ["complete", "firstName", "detail", "freetext"];
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| match value {
                Value::String(text) if KEYS.contains(&key.as_str()) => vec![text.clone()],
                value => secrets(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(secrets).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn wrong_use_says_what_to_do() {
    let output = run(&["explain", "no-such-file.json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("no-such-file.json"), "{}", err(&output));
    let dir = tempfile::tempdir().unwrap();
    let output = run(&["explain", &file(&dir, &[STRASBOURG]), "--at", "demain"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("RFC 3339"), "{}", err(&output));
}

//! `sas-dispatch calendar`.

use rstest::rstest;

use super::{err, out, run};

fn json(territory: &str, at: &str) -> String {
    let output = run(&["calendar", "--territory", territory, "--at", at, "--json"]);
    assert!(output.status.success(), "{}", err(&output));
    out(&output)
}

#[test]
fn the_26th_of_december_2024_in_bas_rhin() {
    insta::assert_snapshot!(json("fr-67", "2024-12-26T10:00:00+01:00"), @r#"
    {
      "territory": "fr-67",
      "at": "2024-12-26T10:00:00+01:00",
      "local": "2024-12-26T10:00:00+01:00",
      "period": "PDSA_SUNDAY_HOLIDAY",
      "status": "PDSA",
      "band": null,
      "holiday": "Saint-Étienne",
      "article": "R6315-1 2° CSP",
      "next_change": "2024-12-26T20:00:00+01:00",
      "next_period": "PDSA_NIGHT"
    }
    "#);
}

#[test]
fn the_26th_of_december_2024_in_yonne() {
    insta::assert_snapshot!(json("fr-89", "2024-12-26T10:00:00+01:00"), @r#"
    {
      "territory": "fr-89",
      "at": "2024-12-26T10:00:00+01:00",
      "local": "2024-12-26T10:00:00+01:00",
      "period": "OFFICE_HOURS",
      "status": "OFFICE_HOURS",
      "band": null,
      "holiday": null,
      "article": "L6311-3 CSP",
      "next_change": "2024-12-26T20:00:00+01:00",
      "next_period": "PDSA_NIGHT"
    }
    "#);
}

#[test]
fn a_territory_without_a_folder_answers_from_the_law_on_its_own_wall_clock() {
    let document: serde_json::Value = serde_json::from_str(&json("FR-974", "2024-12-19T22:30:00Z")).unwrap();
    assert_eq!(document["territory"], "fr-974");
    assert_eq!(document["at"], "2024-12-19T22:30:00Z", "as it was written");
    assert_eq!(document["local"], "2024-12-20T02:30:00+04:00");
    assert_eq!((&document["period"], &document["band"]), (&"PDSA_NIGHT".into(), &"DEEP_NIGHT".into()));
    assert_eq!(document["holiday"], "Abolition de l'esclavage");
    assert_eq!(document["next_change"], "2024-12-20T08:00:00+04:00");
    assert_eq!(document["next_period"], "PDSA_SUNDAY_HOLIDAY");
}

#[test]
fn the_offset_changes_with_the_clock() {
    let document: serde_json::Value = serde_json::from_str(&json("fr-67", "2024-03-30T20:00:00+01:00")).unwrap();
    assert_eq!(document["local"], "2024-03-30T20:00:00+01:00");
    assert_eq!(document["next_change"], "2024-03-31T08:00:00+02:00");
}

#[test]
fn people_read_french() {
    let output = run(&["calendar", "--territory", "fr-67", "--at", "2024-12-26T10:00:00+01:00"]);
    insta::assert_snapshot!(out(&output), @r"
    Bas-Rhin (fr-67), jeudi 26 décembre 2024 à 10:00 (heure locale, UTC+01:00)
    Période : permanence des soins, dimanche ou jour férié (PDSA_SUNDAY_HOLIDAY)
    Jour férié : Saint-Étienne
    Article : R6315-1 2° CSP
    Prochain changement : jeudi 26 décembre 2024 à 20:00, permanence des soins, nuit
    ");
}

#[rstest]
#[case("fr-986", "2024-12-26T10:00:00+01:00", "known are fr-01 to fr-95")]
#[case("fr-986", "2024-12-26T10:00:00+01:00", "with a folder here: fr-67, fr-89")]
#[case("Bas Rhin", "2024-12-26T10:00:00+01:00", "name a territory such as fr-67")]
#[case("fr-67", "26/12/2024", "'26/12/2024' is not an instant in RFC 3339")]
#[case("fr-67", "2024-12-26T10:00:00", "write a date, a time and an offset")]
#[case("fr-67", "1999-12-31T10:00:00Z", "the local year 1999 is outside 2000 to 2099")]
fn wrong_use_says_what_to_do_and_ends_with_2(#[case] territory: &str, #[case] at: &str, #[case] message: &str) {
    let output = run(&["calendar", "--territory", territory, "--at", at, "--json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains(message), "{}", err(&output));
    assert!(out(&output).is_empty());
}

#[test]
fn without_any_configuration_the_law_still_answers_but_a_folder_that_was_named_must_exist() {
    let empty = tempfile::tempdir().unwrap();
    let calendar = ["calendar", "--territory", "fr-67", "--at", "2024-12-26T10:00:00+01:00"];
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_sas-dispatch"))
        .args(calendar)
        .current_dir(empty.path())
        .output()
        .unwrap();
    assert!(output.status.success() && out(&output).contains("Saint-Étienne"), "{}", err(&output));
    let output = run(&[&["--config", "nowhere"], &calendar[..]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("nowhere/default.toml:1: no such file; it is required"), "{}", err(&output));
}

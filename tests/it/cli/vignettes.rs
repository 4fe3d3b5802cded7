//! `sas-dispatch vignettes` and `sas-dispatch protocols`.

use std::fs;

use serde_json::Value;

use super::{err, out, run};
use crate::config::Copy;

fn json(args: &[&str]) -> Value {
    serde_json::from_str(&out(&run(args))).unwrap()
}

#[test]
fn none_of_the_shipped_vignettes_is_under_triaged() {
    let output = run(&["vignettes", "config/vignettes.jsonl"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let document = json(&["vignettes", "config/vignettes.jsonl", "--json"]);
    assert_eq!(document["vignettes"], 20);
    assert_eq!(document["under_triage_share"], 0.0, "{document:#}");
    assert_eq!(document["over_triage_share"], 0.0, "{document:#}");
    assert_eq!(document["errors"], serde_json::json!([]));
    let text = fs::read_to_string("config/vignettes.jsonl").unwrap();
    for line in text.lines().filter(|line| line.starts_with('{')) {
        let vignette: Value = serde_json::from_str(line).unwrap();
        assert!(vignette["source"].as_str().is_some_and(|source| source.len() > 20), "{line}");
    }
}

/// Written from the guidance and the list of questions, then set against the protocols; what each has taught stands in them.
/// One author wrote both, so this shows that nothing got lost, not how well they do on what others write.
#[test]
fn of_the_larger_set_none_is_under_triaged_and_few_are_over_triaged() {
    const SET: &str = "tests/data/vignettes.jsonl";
    let document = json(&["vignettes", SET, "--json"]);
    assert_eq!(document["errors"], serde_json::json!([]));
    assert!(document["vignettes"].as_u64().unwrap() >= 200);
    assert_eq!(document["under_triage_share"], 0.0, "{:#}", document["under_triaged_urgent"]);
    assert!(document["over_triage_share"].as_f64().unwrap() <= 0.02, "{document:#}");
    let text = fs::read_to_string(SET).unwrap();
    let all: Vec<Value> =
        text.lines().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(all.iter().all(|vignette| vignette["source"].as_str().is_some_and(|source| source.len() > 5)));
    // Every motive of the list is told of, and most stories leave questions open.
    let motives: std::collections::BTreeSet<_> =
        all.iter().map(|vignette| vignette["motive"].as_str().unwrap()).collect();
    assert!(motives.len() >= 40, "{}", motives.len());
    let open =
        document["results"].as_array().unwrap().iter().filter(|judged| judged["unanswered"] != serde_json::json!([]));
    assert!(open.count() >= 100);
}

#[test]
fn ages_and_names_are_read_in_many_notations_and_what_is_wrong_is_named_by_line_and_field() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("v.jsonl");
    let ages = ["\"2 mois\"", "\"P2M\"", "\"8 semaines\"", "0.16", "\"60 jours\"", "\"0,1 an\"", "\"2 months\"", "0"];
    let right = ages.map(|age| {
        format!(
            r#"{{"id":"ok","age":{age},"sexe":"fille","motif":"m03.14","reponses":{{"TEMP":"38,2"}},"attendu":"P1"}}"#
        )
    });
    let wrong = [
        r#"{"id":"w1","age":"3 m","motive":"M03.14","answers":{},"expected":"P1"}"#,
        r#"{"id":"w2","age":30,"sex":"F","pregnant":"peut-être","motive":"M03.14","answers":{},"expected":"P1"}"#,
        r#"{"id":"w3","age":30,"motive":"M03.14","answers":{"VIT.RESPIRATION":true},"expected":"P1"}"#,
        r#"{"id":"w4","age":30,"motive":"M03.14","answers":{"TEMP":385},"expected":"P1"}"#,
        r#"{"id":"w5","age":30,"motive":"M03.14","answers":{"FIA.PURPURA":"beaucoup"},"expected":"P1"}"#,
        r#"{"id":"w6","age_months":"-2","motive":"M03.14","answers":{},"expected":"P1"}"#,
        r#"{"id":"w7","age_trimestres":1,"motive":"M03.14","answers":{},"expected":"P1"}"#,
    ];
    fs::write(&file, right.iter().map(String::as_str).chain(wrong).collect::<Vec<_>>().join("\n")).unwrap();
    let path = file.to_str().unwrap();
    assert_eq!(run(&["vignettes", path]).status.code(), Some(1));
    let document = json(&["vignettes", path, "--json"]);
    assert_eq!((&document["vignettes"], &document["agreement_share"]), (&8.into(), &1.0.into()), "{document:#}");
    let named: Vec<_> =
        document["errors"].as_array().unwrap().iter().map(|fault| (&fault["line"], &fault["field"])).collect();
    let fields = [
        "age",
        "pregnant",
        "answers.VIT.RESPIRATION",
        "answers.TEMP",
        "answers.FIA.PURPURA",
        "age_months",
        "age_trimestres",
    ];
    for (at, (line, field)) in named.iter().enumerate() {
        assert_eq!((line.as_u64(), field.as_str()), (Some(9 + at as u64), Some(fields[at])));
    }
    assert_eq!(named.len(), fields.len());
}

/// Found by reading: answers in another notation were dropped without a word, and the case judged as if nothing had been said.
#[test]
fn answers_are_read_in_many_notations_and_none_is_dropped_without_a_word() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("v.json");
    let path = file.to_str().unwrap();
    let write = |answers: &str| {
        let rest = r#""expected":"P0 - vital""#;
        let vignette = format!(r#"{{"id":"a","age":60,"motive":"M03.06: Douleur","answers":{answers},{rest}}}"#);
        // As a document over several lines, behind a byte-order mark.
        fs::write(&file, format!("\u{feff}{{\n\"vignettes\": [\n{vignette}\n]}}")).unwrap();
    };
    for answers in [
        r#"["THO.SYNCOPE"]"#,
        r#"[["THO.SYNCOPE", true]]"#,
        r#"[{"code": "tho.syncope", "reponse": "oui"}]"#,
        r#"{"THO.SYNCOPE": "oui", "THO.RISQUE": "inconnu", "DOULEUR": "7/10", "THO.EFFORT": ""}"#,
    ] {
        write(answers);
        let document = json(&["vignettes", path, "--json"]);
        assert_eq!((&document["vignettes"], &document["agreement_share"]), (&1.into(), &1.0.into()), "{answers}");
        assert_eq!(document["results"][0]["rule"]["rule"], "THO.SYNCOPE", "{answers}");
    }
    for answers in ["[3]", r#"[{"code": "THO.SYNCOPE"}]"#] {
        write(answers);
        let output = run(&["vignettes", path]);
        assert_eq!(output.status.code(), Some(2), "{answers}");
        assert!(err(&output).contains("answers[0] :"), "{answers}: {}", err(&output));
    }
}

#[test]
fn what_is_said_too_low_is_counted_with_its_interval_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("v.jsonl");
    let lines = [
        r#"{"id":"a","age":40,"sex":"M","motive":"M01.01","answers":{},"expected":"P0"}"#,
        r#"{"id":"b","age":"P40Y","sex":null,"motive":"M03.14","answers":{"PLAINTE":"fievre"},"expected_level":"p1"}"#,
        r#"{"id":"c","age":null,"motive":"M03.06","answers":{"THO.TYPIQUE":"oui"},"level":"P2"}"#,
        r#"{"id":"d","age":40,"motive":"M03.14","answers":{"FIA.FANTOME":true},"expected":"P2"}"#,
    ];
    fs::write(&file, lines.join("\n")).unwrap();
    let output = run(&["vignettes", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "one could not be judged");
    insta::assert_snapshot!(out(&output), @r"
    3 vignettes jugées, accord 33,3 %
    sous-triage 33,3 % (intervalle à 95 % de Wilson : 6,2 % à 79,2 %)
    sur-triage 33,3 % (intervalle à 95 % de Wilson : 6,2 % à 79,2 %)
    attendu \ proposé    P0   P1   P2   P3
    P0                    1    0    0    0
    P1                    0    0    1    0
    P2                    0    1    0    0
    P3                    0    0    0    0
    SOUS-TRIAGE b : attendu P1, proposé P2 (DEFAUT de FIEVRE_ADULTE : Fièvre de l'adulte, bien tolérée)
    sur-triage c : attendu P2, proposé P1 (THO.TYPIQUE de THORAX : Douleur de type coronarien)
    non jugée : ligne 4 (d) : answers.FIA.FANTOME : no protocol has a question of this code; `protocols --json` lists them
    protocoles non signés : ARRET, FIEVRE_ADULTE, THORAX
    ");
    let document = json(&["vignettes", file.to_str().unwrap(), "--json"]);
    assert_eq!(document["confusion"]["P1"]["P2"], 1);
    assert_eq!(document["under_triaged_urgent"], serde_json::json!(["b"]));
    assert_eq!(document["errors"][0]["field"], "answers.FIA.FANTOME");
    assert_eq!(document["results"][2]["rule"]["rule"], "THO.TYPIQUE");
}

#[test]
fn a_file_of_which_nothing_can_be_judged_is_wrong_use() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("v.jsonl");
    fs::write(&file, r#"{"id":"a","age":-1,"sex":"?","motive":"fièvre","answers":3}"#).unwrap();
    let output = run(&["vignettes", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    for field in ["age", "sex", "motive", "answers", "expected"] {
        assert!(err(&output).contains(&format!("ligne 1 (a) : {field} :")), "{field}: {}", err(&output));
    }
    assert_eq!(run(&["vignettes", "nulle-part.jsonl"]).status.code(), Some(2));
}

#[test]
fn every_protocol_is_listed_with_codes_types_red_flags_sources_and_signature() {
    let document = json(&["protocols", "--json"]);
    let protocols = document["protocols"].as_array().unwrap();
    assert!(protocols.len() >= 20 && document["signed"] == 0);
    let throat = protocols.iter().find(|known| known["code"] == "GORGE").unwrap();
    assert_eq!(throat["motives"][0], serde_json::json!({ "code": "M03.14", "label": "Fièvre, problème infectieux" }));
    assert_eq!((&throat["signed"], &throat["signature"]), (&false.into(), &Value::Null));
    assert_eq!(throat["complaint"]["value"], "GORGE");
    let questions = throat["questions"].as_array().unwrap();
    assert_eq!(questions[0]["code"], "PLAINTE");
    let question = |code: &str| questions.iter().find(|asked| asked["code"] == code).unwrap();
    assert_eq!(question("GOR.SALIVE")["values"], serde_json::json!([true, false]));
    assert_eq!(question("GOR.SALIVE")["red_flag"], true);
    assert_eq!((&question("TEMP")["unit"], &question("TEMP")["type"]), (&"°C".into(), &"number".into()));
    assert_eq!(throat["red_flags"][0]["when"], serde_json::json!({ "yes": "GOR.RESPIRE" }));
    assert!(throat["sources"][0]["year"].is_number());
    // A request without symptoms is not asked about breathing.
    let advice = protocols.iter().find(|known| known["code"] == "CONSEIL").unwrap();
    let breathing = advice["questions"].as_array().unwrap().iter().find(|asked| asked["code"] == "VIT.RESPIRATION");
    assert_eq!(breathing.unwrap()["asked_if"], serde_json::json!({ "yes": "COE.SYMPTOMES" }));
    let told = out(&run(&["protocols"]));
    assert!(told.contains("GORGE — Mal de gorge (version 2026.5, non signé)"), "{told}");
    assert!(told.contains("Samu-Urgences de France (2009) — jamais ouverte"), "{told}");
    assert!(told.lines().last().unwrap().contains("que personne n'a ouvertes"), "{told}");
}

/// Found by reading: a committee could neither list nor try the protocols of its own territory.
#[test]
fn a_territorys_own_protocols_are_listed_and_tried() {
    let copy = Copy::of_shipped();
    let own = copy.path().join("territories/fr-67/protocols");
    fs::create_dir(&own).unwrap();
    let text = fs::read_to_string(copy.path().join("protocols/gorge.toml")).unwrap();
    let text = text.replace("version = \"2026.5\"", "version = \"67.1\"").replace("GOR.DUREE", "GOR.SEMAINE");
    fs::write(own.join("gorge.toml"), text).unwrap();
    let dir = copy.path().to_str().unwrap();
    let version = |territory: &[&str]| {
        let document = json(&[&["--config", dir, "protocols", "--json"][..], territory].concat());
        let throat = document["protocols"].as_array().unwrap().iter().find(|known| known["code"] == "GORGE").cloned();
        (document["territory"].clone(), throat.unwrap()["version"].clone())
    };
    assert_eq!(version(&[]), (Value::Null, "2026.5".into()));
    assert_eq!(version(&["--territory", "fr-67"]), ("fr-67".into(), "67.1".into()));
    assert_eq!(version(&["--territory", "FR-89"]), ("fr-89".into(), "2026.5".into()));
    assert!(out(&run(&["--config", dir, "protocols", "--territory", "fr-67"])).contains("\nfr-67 : 75 protocoles"));

    let file = copy.path().join("v.jsonl");
    let answers = r#"{"PLAINTE":"GORGE","GOR.SEMAINE":true}"#;
    let vignette = format!(r#"{{"id":"a","age":30,"motive":"M03.14","answers":{answers},"expected":"P2"}}"#);
    fs::write(&file, vignette).unwrap();
    let tried = |territory: &[&str]| {
        run(&[&["--config", dir, "vignettes", file.to_str().unwrap(), "--json"][..], territory].concat())
    };
    assert!(err(&tried(&[])).contains("answers.GOR.SEMAINE : no protocol has a question of this code"));
    let document: Value = serde_json::from_str(&out(&tried(&["--territory", "fr-67"]))).unwrap();
    assert_eq!((&document["territory"], &document["results"][0]["rule"]["version"]), (&"fr-67".into(), &"67.1".into()));

    for output in [tried(&["--territory", "fr-75"]), run(&["--config", dir, "protocols", "--territory", "fr-75"])] {
        assert_eq!(output.status.code(), Some(2));
        assert!(err(&output).contains("territoires : fr-67, fr-89"), "{}", err(&output));
    }
}

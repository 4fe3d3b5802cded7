//! `sas-dispatch check-config`.

use super::{out, run};
use crate::config::Copy;

#[test]
fn the_shipped_configuration_is_fine_and_says_what_it_holds() {
    let output = run(&["check-config"]);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(out(&output), @r"
    ./config : aucune faute
    fr-67 Bas-Rhin (règles 67-2024.1) : 514 communes, 17 secteurs, 75 effecteurs, 1 protocole(s) D6311-35 dont 0 signé(s), 75 protocoles de tri dont 75 éteints faute de signature
    fr-89 Yonne (règles 89-2024.1) : 423 communes, 7 secteurs, 24 effecteurs, 1 protocole(s) D6311-35 dont 0 signé(s), 75 protocoles de tri dont 75 éteints faute de signature
    ");
}

#[test]
fn five_faults_are_five_lines_with_file_and_line_and_status_1() {
    let copy = Copy::of_shipped();
    let territory = "territories/fr-67/territory.toml";
    let responders = "territories/fr-89/responders.toml";
    let expected = [
        ("default.toml", copy.replace("default.toml", "listen = \"127.0.0.1:50051\"", "listen = \"partout\"")),
        (territory, copy.replace(territory, "p2_due_seconds = 900", "p2_due_seconds = -1")),
        (territory, copy.replace(territory, "hold_seconds = 180", "hold_seconds = 180\nhold_minutes = 3") + 1),
        (responders, copy.replace(responders, "capacity_patients = 300", "capacity_patients = 0")),
        ("territories/fr-89/communes.csv", copy.append("territories/fr-89/communes.csv", "89387,Sens,48.2,3.3")),
    ];
    let dir = copy.path().display().to_string();
    let output = run(&["check-config", "--config", &dir]);
    assert_eq!(output.status.code(), Some(1));
    let printed = out(&output);
    let mut faults: Vec<_> = printed.lines().filter(|line| line.starts_with(&dir)).collect();
    assert_eq!(faults.len(), 5, "{printed}");
    for (file, line) in expected {
        let start = format!("{dir}/{file}:{line}: ");
        let at = faults.iter().position(|fault| fault.starts_with(&start));
        faults.remove(at.unwrap_or_else(|| panic!("{start} in {printed}")));
    }
}

#[test]
fn json_is_one_document_with_the_same_faults() {
    let copy = Copy::of_shipped();
    let line = copy.replace("default.toml", "log_format = \"text\"", "log_format = \"xml\"");
    let dir = copy.path().display().to_string();
    let output = run(&["--config", &dir, "check-config", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let document: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(document["ok"], false);
    assert_eq!(document["faults"][0]["line"], line);
    assert_eq!(document["faults"][0]["file"], format!("{dir}/default.toml"));
    let fine: serde_json::Value = serde_json::from_str(&out(&run(&["check-config", "--json"]))).unwrap();
    assert_eq!((&fine["ok"], &fine["territories"][0]["territory"]), (&true.into(), &"fr-67".into()));
}

/// Found by reading: each of these was called faultless, and stopped the service at its start.
#[test]
fn what_the_service_would_refuse_at_its_start_is_named_at_once() {
    let copy = Copy::of_shipped();
    let commented = "# redis_url = \"redis://user:password@127.0.0.1:6379/0\"";
    let file = "default.toml";
    let lines = [
        copy.replace(file, "listen = \"127.0.0.1:50051\"", "listen = \"0.0.0.0:50051\""),
        copy.replace(file, commented, "redis_url = \"redis-sentinel://10.0.0.1:26379\""),
        copy.replace(file, "log_filter = \"info\"", "log_filter = \"sas_dispatch=loud\""),
    ];
    let dir = copy.path().display().to_string();
    let output = run(&["check-config", "--config", &dir]);
    assert_eq!(output.status.code(), Some(1));
    let printed = out(&output);
    for line in lines {
        assert!(printed.contains(&format!("{dir}/{file}:{line}: ")), "{line} in {printed}");
    }
    assert!(printed.contains("the master's name after the sentinels") && printed.contains("3 faute(s)"), "{printed}");
}

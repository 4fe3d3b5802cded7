//! `restore` as an operator runs it after an old backup was put back: what it lists, what it changes, how it ends.

use std::{fs, path::Path, sync::Arc};

use sas_dispatch::{
    clock::Clock,
    store::{Store, embedded::Embedded, fence::kept},
};
use serde_json::Value;

use super::{err, out, run};
use crate::store::{fence::Instance, stand::START};

/// An embedded store of which the last two of four commands are lost, and the folder of what was acknowledged.
async fn put_back(data: &Path, folder: &Path) {
    let open = async || {
        let store = Arc::new(Embedded::open(data, Clock::manual(START)).unwrap());
        Instance::over(store, folder).await
    };
    let mut one = open().await;
    one.done(&["a", "b"]).await;
    drop(one);
    fs::copy(data.join("sas.redb"), folder.join("backup")).unwrap();
    let mut one = open().await;
    one.done(&["c", "d"]).await;
    drop(one);
    fs::copy(folder.join("backup"), data.join("sas.redb")).unwrap();
}

#[tokio::test]
async fn an_operator_learns_what_is_missing_and_the_territory_goes_on() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    put_back(data.path(), folder.path()).await;
    let file = kept::files(folder.path(), "one").unwrap().remove(0);
    let (at, file) = (data.path().to_str().unwrap(), file.to_str().unwrap());

    let look = run(&["restore", "--all", "--data", at, "--acknowledged", file, "--dry-run"]);
    assert_eq!(look.status.code(), Some(1), "{}", err(&look));
    let said = out(&look);
    for words in [
        "fr-67 : journal jusqu'au n° 2 (jeudi 26 décembre 2024 à 08:00) ; époque 1, rien n'a été changé (--dry-run)",
        "  MANQUE : n° 4 de l'époque 1, acquitté jeudi 26 décembre 2024 à 08:00, commande 0194",
        "  au moins 2 événement(s) perdu(s) après jeudi 26 décembre 2024 à 08:00",
        "D'après : ",
    ] {
        assert!(said.contains(words), "{words} is missing from:\n{said}");
    }

    let done = run(&["restore", "--territory", "fr-67", "--data", at, "--acknowledged", file, "--json"]);
    assert_eq!(done.status.code(), Some(1), "{}", err(&done));
    let document: Value = serde_json::from_str(&out(&done)).unwrap();
    let row = &document["territories"][0];
    assert_eq!((&row["epoch_before"], &row["epoch"]), (&Value::from(1), &Value::from(2)));
    assert_eq!((&row["head_seq"], &row["missing_events_at_least"]), (&Value::from(2), &Value::from(2)));
    assert_eq!((&row["acknowledged"][0]["seq"], &row["acknowledged"][0]["state"]), (&4.into(), &"missing".into()));

    // The file of this machine is found by itself, and what is settled is not asked about again.
    fs::copy(file, data.path().join("acknowledged-embedded-0.json")).unwrap();
    let again = run(&["restore", "--all", "--data", at]);
    assert_eq!(again.status.code(), Some(0), "{}", err(&again));
    assert!(out(&again).contains("époque 2, déjà ouverte par une reprise : rien à faire"), "{}", out(&again));
    let store = Embedded::open(data.path(), Clock::System).unwrap();
    assert_eq!(store.read(&"fr-67".parse().unwrap(), &[], None).await.unwrap().epoch, 2);
}

#[tokio::test]
async fn wrong_use_says_what_to_do() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    put_back(data.path(), folder.path()).await;
    let (at, damaged) = (data.path().to_str().unwrap(), folder.path().join("cut.json"));
    fs::write(&damaged, "{\"format\":").unwrap();
    let damaged = damaged.to_str().unwrap();
    for (args, says) in [
        (vec!["restore", "--data", at], "--territory <ID>"),
        (vec!["restore", "--all", "--data", at, "--acknowledged", damaged], "no file of acknowledged commands"),
        (vec!["restore", "--all", "--data", "/nowhere/at/all"], "no store here"),
    ] {
        let wrong = run(&args);
        assert_eq!(wrong.status.code(), Some(2), "{args:?}");
        assert!(err(&wrong).contains(says), "{says} is missing from: {}", err(&wrong));
    }
    let _open = Embedded::open(data.path(), Clock::System).unwrap();
    let busy = run(&["restore", "--all", "--data", at]);
    assert_eq!(busy.status.code(), Some(2));
    assert!(err(&busy).contains("stop the service first"), "{}", err(&busy));
}

//! `restore` as an operator runs it after an old backup was put back: what it lists, what it changes, how it ends.

use std::{fs, path::Path, sync::Arc};

use sas_dispatch::{
    clock::Clock,
    store::{Settings, Store, embedded::Embedded, fence::kept, open, redis::RedisOptions},
};
use serde_json::Value;

use super::{err, out, run};
use crate::{
    store::{fence::Instance, stand::START},
    support::redis::Server,
};

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
        "  au moins 2 événement(s) perdu(s) après jeudi 26 décembre 2024 à 08:00 (n° 2)",
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
    for words in [
        "époque 2, déjà ouverte par une reprise : rien à faire",
        "  perdu, déjà réglé : n° 4 de l'époque 1, acquitté jeudi 26 décembre 2024 à 08:00, commande 0194",
        "  perdus et déjà réglés par une reprise : au moins 2 ; rien d'autre ne manque",
    ] {
        assert!(out(&again).contains(words), "{words} is missing from:\n{}", out(&again));
    }
    let store = Embedded::open(data.path(), Clock::System).unwrap();
    assert_eq!(store.read(&"fr-67".parse().unwrap(), &[], None).await.unwrap().epoch, 2);
}

#[tokio::test]
async fn nothing_goes_on_while_it_is_not_known_what_was_acknowledged() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    put_back(data.path(), folder.path()).await;
    let (at, here) = (data.path().to_str().unwrap(), data.path().join("acknowledged-embedded-0.json"));
    let kept = fs::read(kept::files(folder.path(), "one").unwrap().remove(0)).unwrap();
    let epoch = async || {
        let store = Embedded::open(data.path(), Clock::System).unwrap();
        store.read(&"fr-67".parse().unwrap(), &[], None).await.unwrap().epoch
    };
    let refused = |says: &str| {
        let output = run(&["restore", "--all", "--data", at]);
        assert_eq!(output.status.code(), Some(2), "{}", out(&output));
        for words in ["fr-67", "nothing was changed", "--without-acknowledged", says] {
            assert!(err(&output).contains(words), "{words} is missing from: {}", err(&output));
        }
    };
    refused("--acknowledged");
    fs::write(&here, &kept[..kept.len() / 2]).unwrap();
    refused("acknowledged-embedded-0.json");
    // What a service set aside at its start is as unknown.
    fs::rename(&here, here.with_extension("damaged")).unwrap();
    refused("acknowledged-embedded-0.damaged");
    assert_eq!(epoch().await, 1);

    let without = run(&["restore", "--all", "--data", at, "--without-acknowledged"]);
    assert_eq!(without.status.code(), Some(1), "{}", err(&without));
    let said = out(&without);
    assert!(said.contains("époque 1 → 2") && said.contains("ce qui manque ne peut pas être dit"), "{said}");
    assert!(!said.contains("rien de ce qui"), "{said}");
    assert_eq!(epoch().await, 2);
}

#[tokio::test]
async fn the_data_folder_of_an_instance_is_named_beside_its_redis() {
    let (server, data) = (Server::start("always"), tempfile::tempdir().unwrap());
    let url = server.url();
    let options = RedisOptions { clock: Clock::manual(START), ..RedisOptions::new(&url) };
    let mut one = Instance::over(open(Settings::Redis(options)).await.unwrap(), data.path()).await;
    one.done(&["a", "b"]).await;
    drop(one);
    let kept = kept::files(data.path(), "one").unwrap().remove(0);
    fs::rename(kept, data.path().join(format!("acknowledged-{}-0.json", kept::store_name(Some(&url))))).unwrap();
    let look = |data: &str| run(&["restore", "--all", "--redis", &url, "--data", data, "--dry-run"]);
    let known = look(data.path().to_str().unwrap());
    assert_eq!(known.status.code(), Some(0), "{}", err(&known));
    assert!(out(&known).contains("rien de ce qui a été acquitté ne manque"), "{}", out(&known));
    assert_eq!(look("/nowhere/at/all").status.code(), Some(2), "without the folder nothing is known");
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
    assert!(err(&busy).contains("in use by another process"), "{}", err(&busy));
}

//! `export` and `import` as an operator uses them: a played day goes from embedded to Redis and back without a difference.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{err, out, run};
use crate::support::redis::Server;

/// Runs the binary, which must succeed, and gives what it printed.
fn ok(args: &[&str]) -> String {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}", err(&output));
    out(&output)
}

/// The message of a run that was refused.
fn refused(args: &[&str]) -> String {
    let output = run(args);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {}", out(&output));
    err(&output)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// An hour of a real day in a folder of its own.
fn played(dir: &Path) -> PathBuf {
    let data = dir.join("played");
    ok(&["demo", "--hours", "1", "--from", "9", "--json", "--keep", text(&data)]);
    data
}

/// The rows of an export, without what the epoch changes.
fn rows(file: &Path) -> Vec<String> {
    let all = fs::read_to_string(file).unwrap();
    let kept = all.lines().filter(|line| !line.starts_with("{\"header\"") && !line.starts_with("{\"end\""));
    kept.map(str::to_owned).collect()
}

fn header(file: &Path) -> Value {
    let all = fs::read_to_string(file).unwrap();
    serde_json::from_str::<Value>(all.lines().next().unwrap()).unwrap()["header"].clone()
}

#[test]
fn a_played_day_moves_to_redis_and_back_without_a_difference() {
    let (dir, server) = (tempfile::tempdir().unwrap(), Server::start("no"));
    let (data, url) = (played(dir.path()), server.url());
    let file = |n: u32| dir.path().join(format!("export-{n}.jsonl"));
    let (first, second, third) = (file(1), file(2), file(3));
    ok(&["export", "--data", text(&data), "--out", text(&first)]);
    assert_eq!(fs::metadata(&first).unwrap().permissions().mode() & 0o777, 0o600, "it holds patient data");
    ok(&["import", text(&first), "--redis", &url]);
    ok(&["export", "--redis", &url, "--all", "--out", text(&second)]);
    let back = dir.path().join("back");
    let document: Value =
        serde_json::from_str(&ok(&["import", text(&second), "--data", text(&back), "--json"])).unwrap();
    ok(&["export", "--data", text(&back), "--territory", "fr-67", "--out", text(&third)]);
    let kinds = ["record", "entry", "counter", "log"];
    for kind in kinds {
        assert!(rows(&first).iter().any(|row| row.starts_with(&format!("{{\"{kind}\""))), "no {kind} to compare");
    }
    assert!(rows(&first).len() > 500);
    assert_eq!(rows(&first), rows(&second));
    assert_eq!(rows(&second), rows(&third));
    let (one, two, three) = (header(&first), header(&second), header(&third));
    assert_eq!([&one["epoch"], &two["epoch"], &three["epoch"]], [1, 2, 3]);
    for same in ["territory", "schema", "first_seq", "last_seq", "touches", "last", "wall"] {
        assert_eq!((&one[same], &two[same]), (&three[same], &three[same]), "{same}");
    }
    assert_eq!(document["territories"][0]["epoch"], 3);
    // The log alone, from standard output, is the log of the whole.
    let log = ok(&["export", "--data", text(&back), "--log-only"]);
    let log: Vec<&str> = log.lines().filter(|line| line.starts_with("{\"log\"")).collect();
    assert_eq!(log, rows(&third).iter().filter(|row| row.starts_with("{\"log\"")).collect::<Vec<_>>());
    // Packed, it says the same.
    let packed = dir.path().join("export.jsonl.gz");
    ok(&["export", "--data", text(&back), "--out", text(&packed)]);
    assert_eq!(fs::metadata(&packed).unwrap().permissions().mode() & 0o777, 0o600);
    ok(&["import", text(&packed), "--data", text(&dir.path().join("from-packed"))]);
}

#[test]
fn what_cannot_be_moved_is_refused_with_the_line_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (played(dir.path()), dir.path().join("export.jsonl"));
    ok(&["export", "--data", text(&data), "--out", text(&file)]);
    let target = dir.path().join("target");
    let import = |bytes: &[u8]| {
        let damaged = dir.path().join("damaged.jsonl");
        fs::write(&damaged, bytes).unwrap();
        let message = refused(&["import", text(&damaged), "--data", text(&target)]);
        assert!(!target.exists(), "nothing was written");
        message
    };
    let whole = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let without = |n: usize| [&lines[..n], &lines[n + 1..]].concat().join("\n") + "\n";
    let says = |message: String, words: &[&str]| {
        words.iter().for_each(|word| assert!(message.contains(word), "{word}: {message}"));
    };
    says(import(without(3).as_bytes()), &[&format!("line {}", lines.len() - 1), "the end counts", "export again"]);
    let changed = whole.replacen("\"score\":1", "\"score\":2", 1);
    says(import(changed.as_bytes()), &[&format!("line {}", lines.len()), "checksum"]);
    says(import(&whole.as_bytes()[..whole.len() / 2]), &["cut short"]);
    says(import(without(lines.len() - 1).as_bytes()), &["cut short"]);
    says(import(without(0).as_bytes()), &["line 1", "expected a header"]);
    says(import(whole.replacen("\"version\":1", "\"version\":2", 1).as_bytes()), &["line 1", "format version 2"]);
    let garbled = whole.replacen("{\"entry\"", "{\"nonsense\"", 1);
    says(import(garbled.as_bytes()), &["line ", "damaged"]);
    let log = ok(&["export", "--data", text(&data), "--log-only"]);
    says(import(log.as_bytes()), &["a log alone"]);
    says(refused(&["import", text(&file), "--data", text(&data)]), &["has state here already", "empty place"]);
    says(refused(&["export", "--data", text(&data), "--out", text(&file)]), &["is there already"]);
    says(refused(&["export", "--data", text(&target)]), &["no store here"]);
    says(refused(&["export", "--data", text(&data), "--territory", "fr-89"]), &["fr-89 has no state", "fr-67"]);
}

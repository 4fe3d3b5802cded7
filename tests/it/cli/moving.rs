//! `export` and `import` as an operator uses them: a played day goes from embedded to Redis and back without a difference.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use sas_dispatch::{
    archive::{self, Header, Item},
    clock::Clock,
    store::{
        dump::{Broken, Portable, Row},
        embedded::Embedded,
    },
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

fn of_index(row: &Row, name: &str) -> bool {
    matches!(row, Row::Entry(index, ..) if index.as_str().starts_with(name))
}

/// Header and rows of an export of one territory.
fn read(file: &Path) -> (Header, Vec<Row>) {
    let mut items = archive::open(file).unwrap().map(Result::unwrap);
    let Some(Item::Begin(header)) = items.next() else { panic!("an export begins with a header") };
    (*header, items.filter_map(|item| if let Item::Row(row) = item { Some(*row) } else { None }).collect())
}

/// Appends a section that is sound by its checksum.
fn append(file: &Path, header: &Header, rows: &[Row]) {
    let file = fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
    let mut section = archive::begin(file, header).unwrap();
    rows.iter().for_each(|row| section.row(row).unwrap());
    section.end().unwrap();
}

#[tokio::test]
async fn a_store_or_a_file_whose_log_lost_its_end_is_moved_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    ok(&["export", "--data", text(&played(dir.path())), "--out", text(&file("whole.jsonl"))]);
    let (header, mut rows) = read(&file("whole.jsonl"));
    let head = header.last_seq;
    let lost = |row: &Row| matches!(row, Row::Log(entry) if entry.seq + 3 > head);
    rows.retain(|row| !lost(row));
    append(&file("cut.jsonl"), &header, &rows);
    let missing = format!("entry {} of its log is missing", head - 2);
    let message = refused(&["import", text(&file("cut.jsonl")), "--data", text(&file("target"))]);
    assert!(message.contains(&missing) && !file("target").exists(), "{message}");
    // The same loss inside a store, whose head stands where it stood.
    let store = Embedded::open(file("lossy"), Clock::System).unwrap();
    let mut load = store.load(&header.territory, header.head(), Broken::Refuse).await.unwrap();
    load.add(rows).await.unwrap();
    load.finish().await.unwrap();
    drop(store);
    for content in [&["--all"][..], &["--log-only"]] {
        let out = file("lossy.jsonl");
        let message = refused(&[&["export", "--data", text(&file("lossy")), "--out", text(&out)], content].concat());
        assert!(message.contains(&missing) && message.contains("backup") && !out.exists(), "{message}");
    }
}

#[test]
fn an_import_that_was_broken_off_between_two_territories_goes_on_after_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let (both, target) = (file("both.jsonl"), file("target"));
    ok(&["export", "--data", text(&played(dir.path())), "--out", text(&both)]);
    let (header, rows) = read(&both);
    // A territory whose log was trimmed up to its last entry, and whose cases have left.
    let first_seq = header.last_seq;
    let gone = |row: &&Row| match row {
        Row::Record(key, _) => key.as_str().starts_with("case/"),
        Row::Log(entry) => entry.seq < first_seq,
        _ => false,
    };
    let elsewhere: Vec<Row> = rows.iter().filter(|row| !gone(row)).cloned().collect();
    append(&both, &Header { territory: "fr-89".parse().unwrap(), first_seq, ..header.clone() }, &elsewhere);
    let import = |args: &[&'static str]| [&["import", text(&both), "--data", text(&target)], args].concat();
    let already = |args: &[&'static str]| {
        let document: Value = serde_json::from_str(&ok(&import(&[args, &["--json"]].concat()))).unwrap();
        let rows = document["territories"].as_array().unwrap().iter();
        rows.map(|row| (row["territory"].as_str().unwrap().to_owned(), row["already"] == true)).collect::<Vec<_>>()
    };
    let known = |name: &str, here: bool| (name.to_owned(), here);
    assert!(refused(&import(&["--territory", "fr-21"])).contains("fr-21 is not in it; it holds fr-67, fr-89"));
    // What a kill after the first territory leaves.
    assert_eq!(already(&["--territory", "fr-67"]), [known("fr-67", false)]);
    assert!(refused(&import(&[])).contains("fr-67 has state here already"));
    assert_eq!(already(&["--replace-broken"]), [known("fr-67", true), known("fr-89", false)]);
    assert_eq!(already(&["--replace-broken"]), [known("fr-67", true), known("fr-89", true)]);
    let back = file("back.jsonl");
    ok(&["export", "--data", text(&target), "--out", text(&back)]);
    assert_eq!(self::rows(&back), self::rows(&both));
    // A territory that was written since is nobody's rest.
    let other = file("other.jsonl");
    let rows: Vec<Row> = rows.into_iter().filter(|row| !of_index(row, "repeat/")).collect();
    append(&other, &header, &rows);
    let message = refused(&["import", text(&other), "--data", text(&target), "--replace-broken"]);
    assert!(message.contains("fr-67 has state here already"), "{message}");
}

#[test]
fn an_export_that_could_not_be_written_says_so_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let data = played(dir.path());
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sas-dispatch"));
    let output = command.args(["export", "--data", text(&data)]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("standard output: "), "{}", err(&output));
    // The name of the packed file under way is longer than a file system takes: packing fails after the lines were written.
    let folder = dir.path().join("out");
    fs::create_dir(&folder).unwrap();
    let long = folder.join(format!("{}.gz", "x".repeat(247)));
    for _ in 0..2 {
        let message = refused(&["export", "--data", text(&data), "--out", text(&long)]);
        assert!(message.contains("name too long"), "{message}");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "nothing of a patient stays");
    }
}

/// A case that stands in no queue, or is on no timer, is one that nobody would be asked about.
#[test]
fn a_state_in_which_a_call_or_a_number_would_be_lost_is_not_taken_in() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    ok(&["export", "--data", text(&played(dir.path())), "--out", text(&file("whole.jsonl"))]);
    let (header, rows) = read(&file("whole.jsonl"));
    let refuses = |name: &str, header: &Header, rows: &[Row], words: &[&str]| {
        append(&file(name), header, rows);
        let message = refused(&["import", text(&file(name)), "--data", text(&file("target"))]);
        words.iter().for_each(|word| assert!(message.contains(word), "{word}: {message}"));
        assert!(!file("target").exists(), "nothing was written");
    };
    let without = |gone: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| !gone(row)).cloned().collect::<Vec<_>>();
    for index in ["open", "timers"] {
        let named = format!("its entry of index {index} is missing");
        refuses(index, &header, &without(&|row| of_index(row, index)), &["case/", &named, "last sound backup"]);
    }
    let late = |row: &Row| match row {
        Row::Entry(index, score, member) if index.as_str() == "timers" => {
            Row::Entry(index.clone(), score + 3_000_000_000_000, member.clone())
        }
        row => row.clone(),
    };
    let late: Vec<Row> = rows.iter().map(late).collect();
    refuses("late", &header, &late, &["its entry of index timers is not at its place"]);
    let of_case = |row: &&Row| matches!(row, Row::Record(key, _) if key.as_str().starts_with("case/"));
    let Some(Row::Record(gone, _)) = rows.iter().find(of_case) else { panic!("a day has cases") };
    let id = gone.as_str().trim_start_matches("case/");
    let of_it = |row: &Row| match row {
        Row::Record(key, _) => key == gone,
        Row::Entry(_, _, member) => member.0.contains(id),
        _ => false,
    };
    refuses("gone", &header, &without(&of_it), &[gone.as_str(), "the log tells of it and it is not stored"]);
    let uncounted = without(&|row| matches!(row, Row::Counter(..)));
    refuses("counters", &header, &uncounted, &["counter number/", "given twice"]);
    let foreign = Header { territory: "fr-89".parse().unwrap(), ..header.clone() };
    refuses("foreign", &foreign, &rows, &["it is a case of fr-67"]);
    refuses("epoch", &Header { epoch: u64::MAX, ..header.clone() }, &rows, &["its epoch cannot rise"]);
    // What finds a caller again may be missing: nobody waits for it, and `check` says so.
    append(&file("found.jsonl"), &header, &without(&|row| of_index(row, "repeat/")));
    ok(&["import", text(&file("found.jsonl")), "--data", text(&file("target"))]);
}

//! Indicators: what a day's log says, against an independent count of the same day.

mod day;
mod excepted;
mod extract;
mod histogram;
mod holes;
mod kept;
mod oracle;
mod reports;
mod rostered;
mod served;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use sas_dispatch::{
    archive::{self, Item},
    domain::case::Event,
    engine::codec::decode_event,
    store::dump::Row,
};
use serde_json::Value;
use tempfile::TempDir;

fn run(args: &[&str]) -> Output {
    let binary = env!("CARGO_BIN_EXE_sas-dispatch");
    Command::new(binary).args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()
}

/// Runs the binary, which must succeed, and gives what it printed.
fn ok(args: &[&str]) -> String {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// An hour of a real day: the store it left, what the room itself counted, and its exported log.
pub(crate) struct Played {
    dir: TempDir,
    pub room: Value,
}

impl Played {
    /// Played once for all tests that only read.
    pub(crate) fn day() -> &'static Self {
        static PLAYED: OnceLock<Played> = OnceLock::new();
        PLAYED.get_or_init(|| {
            let dir = tempfile::tempdir().unwrap();
            let (data, log) = (dir.path().join("played"), dir.path().join("log.jsonl"));
            let document = ok(&["demo", "--hours", "1", "--from", "9", "--json", "--keep", text(&data)]);
            ok(&["export", "--data", text(&data), "--territory", "fr-67", "--log-only", "--out", text(&log)]);
            Self { dir, room: serde_json::from_str(&document).unwrap() }
        })
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.dir.path().join("log.jsonl")
    }

    /// A copy of the store, to go on with.
    pub(crate) fn store(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(self.dir.path().join("played")).unwrap().map(Result::unwrap) {
            if file.path().is_file() {
                std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
            }
        }
        copy
    }
}

/// The events of an exported log.
fn events(log: &Path) -> Vec<Event> {
    let rows = archive::open(log).unwrap().map(Result::unwrap);
    let entries = rows.filter_map(|item| match item {
        Item::Row(row) => Some(*row),
        _ => None,
    });
    let events = entries.filter_map(|row| match row {
        Row::Log(entry) => Some(decode_event(&entry.event).unwrap()),
        _ => None,
    });
    events.collect()
}

/// The values of a day in the JSON document, by indicator and detail.
fn values(document: &str, date: &str) -> std::collections::BTreeMap<(String, String), f64> {
    let document: Value = serde_json::from_str(document).unwrap();
    let rows = document["rows"].as_array().unwrap().iter().filter(|row| row["date"] == date);
    let word = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    rows.filter_map(|row| Some(((word(row, "indicator"), word(row, "detail")), row["value"].as_f64()?))).collect()
}

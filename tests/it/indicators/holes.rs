//! A log of which a part is missing is never told as whole.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use sas_dispatch::{
    archive::{self, Item},
    store::dump::Row,
};

use super::{Played, ok, run, served::DAY, text};

/// The played log without one entry in the middle.
fn with_a_hole(dir: &Path) -> PathBuf {
    let path = dir.join("holed.jsonl");
    let mut section = None;
    for item in archive::open(&Played::day().log()).unwrap().map(Result::unwrap) {
        match item {
            Item::Begin(header) => section = Some(archive::begin(File::create(&path).unwrap(), &header).unwrap()),
            Item::Row(row) if matches!(&*row, Row::Log(entry) if entry.seq == 400) => {}
            Item::Row(row) => section.as_mut().unwrap().row(&row).unwrap(),
            Item::End => drop(section.take().unwrap().end().unwrap()),
        }
    }
    path
}

#[test]
fn a_day_whose_log_has_a_hole_is_not_complete_and_has_no_extract() {
    let dir = tempfile::tempdir().unwrap();
    let (log, holed) = (Played::day().log(), with_a_hole(dir.path()));
    let complete = |log: &Path| {
        let csv = ok(&["indicators", "--log", text(log), "--csv", "--from", DAY, "--to", DAY]);
        csv.lines().any(|line| line.starts_with(&format!("{DAY},true,false,cases,")))
    };
    assert!(complete(&log) && !complete(&holed));
    assert!(ok(&["extract", "--log", text(&log)]).contains(DAY));
    let refused = run(&["extract", "--log", text(&holed)]);
    let why = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{why}");
    assert!(refused.stdout.is_empty() && why.contains("before seq 401 is missing"), "{why}");
}

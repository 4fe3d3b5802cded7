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

/// Found by reading: a month that no file tells of was reported as whole, final, and without a call.
#[test]
fn days_that_the_log_does_not_tell_are_not_complete() {
    let log = Played::day().log();
    let total = |report: &str, more: &[&str]| {
        let csv = ok(&[&["indicators", "--log", text(&log), "--csv", "--report", report][..], more].concat());
        csv.lines()
            .find(|line| line.starts_with("TOTAL,") && line.contains(",cases,"))
            .map(str::to_owned)
            .unwrap_or(csv)
    };
    let figures = |more: &[&str]| total("figures", more);
    for whole in [
        &[][..],
        &["--from", DAY, "--to", DAY],
        &["--from", DAY],
        &["--to", DAY],
        &["--to", DAY, "--from", "2024-12-24"],
    ] {
        assert!(figures(whole).starts_with("TOTAL,true,false,cases,,"), "{whole:?}: {}", figures(whole));
    }
    for beyond in [
        &["--from", "2024-12-27"][..],
        &["--from", DAY, "--to", "2024-12-27"],
        &["--from", "2025-01-01", "--to", "2025-01-31"],
    ] {
        assert!(figures(beyond).starts_with("TOTAL,false,false,cases,,"), "{beyond:?}: {}", figures(beyond));
        let unmet = total("unmet", beyond);
        assert!(unmet.contains("une partie du journal de ces jours manque"), "{unmet}");
    }
    let wrong = run(&["indicators", "--log", text(&log), "--from", DAY, "--to", "2024-12-25"]);
    assert_eq!((wrong.status.code(), wrong.stdout.is_empty()), (Some(2), true));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("--to must not lie before --from"));
}

//! `check` over the exported logs of two territories: a hand-over is told from one to the other.

use std::{fs::File, path::Path};

use sas_dispatch::{
    archive::{self, Content, Header},
    store::{
        LogEntry,
        dump::{Head, Row},
    },
};
use serde_json::Value;

use super::{err, out, run};
use crate::{
    engine::transfers::Border,
    store::{moving::dumped, stand::Stand},
};

/// One territory as it was exported: head, rows, log.
type Exported = (Head, Vec<Row>, Vec<LogEntry>);

async fn exported(border: &Border, territory: &str) -> Exported {
    let (head, rows) = dumped(&*border.desk.stand.whole, territory).await;
    let (mut state, mut log) = (Vec::new(), Vec::new());
    for row in rows {
        match row {
            Row::Log(entry) => log.push(entry),
            row => state.push(row),
        }
    }
    (head, state, log)
}

fn written(dir: &Path, territory: &str, (head, state, log): &Exported) -> String {
    let path = dir.join(format!("{territory}.jsonl"));
    let seqs = (log.first().map_or(1, |entry| entry.seq), log.last().map_or(0, |entry| entry.seq));
    let header = Header::new(territory.parse().unwrap(), Content::State, *head, seqs, head.last);
    let mut section = archive::begin(File::create(&path).unwrap(), &header).unwrap();
    state.iter().for_each(|row| section.row(row).unwrap());
    log.iter().for_each(|entry| section.row(&Row::Log(entry.clone())).unwrap());
    section.end().unwrap();
    path.to_str().unwrap().to_owned()
}

fn checked(files: &[&str]) -> (Value, i32) {
    let output = run(&[&["check"], files, &["--json"]].concat());
    let document = serde_json::from_str(&out(&output)).unwrap_or_else(|_| panic!("{}", err(&output)));
    (document, output.status.code().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_hand_over_fits_in_both_logs_and_one_that_only_its_sender_knows_is_found() {
    let border = Border::new(Stand::embedded().await);
    let case = border.sent().await;
    border.carried().await;
    border.accepts(case).await;
    border.carried().await;
    border.desk.stand.pass(sas_dispatch::domain::time::Span::from_secs(30));
    let waiting = border.sent().await;
    border.carried().await;
    let (dir, here, there) =
        (tempfile::tempdir().unwrap(), exported(&border, "fr-67").await, exported(&border, "fr-89").await);
    let (sender, receiver) = (written(dir.path(), "fr-67", &here), written(dir.path(), "fr-89", &there));
    let (document, status) = checked(&[&sender, &receiver]);
    assert_eq!((status, &document["found"]), (0, &0.into()), "{document:#}");
    let hand_overs =
        |judged: u64, not_judged: u64| serde_json::json!({"judged": judged, "not_judged": not_judged, "findings": []});
    assert_eq!(document["hand_overs"], hand_overs(2, 0));
    // Each log by itself is judged as ever, and what it cannot say alone is counted.
    for file in [&sender, &receiver] {
        let (document, status) = checked(&[file]);
        assert_eq!((status, &document["hand_overs"]), (0, &hand_overs(0, 2)), "{document:#}");
    }
    let printed = out(&run(&["check", &sender, &receiver]));
    assert!(printed.contains("2 confrontés") && printed.contains("un territoire responsable, et un seul"), "{printed}");

    // The receiver's store was lost and begun again: nobody there knows of what the sender has handed on.
    let copy = border.transfer(case).await.there;
    let nothing = (there.0, Vec::new(), Vec::new());
    let receiver = written(dir.path(), "fr-89", &nothing);
    let (document, status) = checked(&[&sender, &receiver]);
    let found = document["hand_overs"]["findings"].as_array().unwrap();
    assert_eq!((status, found.len()), (1, 1), "{document:#}");
    assert_eq!((&found[0]["kind"], &found[0]["copy"]), (&"NEVER_OPENED".into(), &copy.to_string().into()));
    assert_eq!((&found[0]["case"], &found[0]["receiver_seq"]), (&case.to_string().into(), &0.into()));
    let printed = out(&run(&["check", &sender, &receiver]));
    assert!(printed.contains("jamais ouvert là-bas") && !printed.contains(&waiting.to_string()), "{printed}");
}

//! What only the embedded engine promises: one process per directory, nothing acknowledged lost by a kill, reading on
//! when the disk refuses.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::Arc,
};

use sas_dispatch::{
    clock::Clock,
    store::{Committed, Digest, Store, StoreError, Txn, due_command, embedded::Embedded},
};

use super::stand::{Stand, put};

/// The directory that a child process of these tests commits into: with it the kill test is the child.
const CHILD_DIR: &str = "SAS_TEST_STORE_DIR";
const CHILD: &str = "store::embedded::nothing_acknowledged_is_lost_when_the_process_is_killed";

#[tokio::test]
async fn a_second_opener_is_told_that_the_directory_is_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("not/yet/there");
    let first = Embedded::open(&path, Clock::System).unwrap();
    let error = Embedded::open(&path, Clock::System).unwrap_err().to_string();
    assert!(error.contains("in use by another process; stop that one or name another directory"), "{error}");
    assert!(error.contains("not/yet/there"), "{error}");
    drop(first);
    Embedded::open(&path, Clock::System).unwrap();
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Embedded::open(file.path().join("data"), Clock::System).unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(text) if text.contains("data directory")), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    if let Ok(dir) = std::env::var(CHILD_DIR) {
        return commit_until_stopped(dir).await;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for _ in 0..3 {
        let mut child = child(Command::new(std::env::current_exe().unwrap()), dir.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let before = acknowledged.len();
        while acknowledged.len() < before + 40 {
            let line = lines.next().expect("the child should go on committing").unwrap();
            acknowledged.extend(line.strip_prefix("acknowledged ").map(str::to_owned));
        }
        child.kill().unwrap();
        // What was written to the pipe before the kill was acknowledged too; its last line may be torn.
        let rest: Vec<String> = lines.map_while(Result::ok).collect();
        acknowledged.extend(rest.iter().filter_map(|line| line.strip_prefix("acknowledged ").map(str::to_owned)));
        child.wait().unwrap();
        check_log(dir.path(), &acknowledged).await;
    }
}

#[tokio::test]
async fn a_disk_that_refuses_makes_the_store_read_only_and_it_says_so() {
    let dir = tempfile::tempdir().unwrap();
    // The shell's limit stands for a full disk: writes beyond it fail with EFBIG.
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 6000; exec \"$0\" \"$@\""]).arg(std::env::current_exe().unwrap());
    let mut child = child(limited, dir.path());
    let lines: Vec<String> = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok).collect();
    child.wait().unwrap();
    let found =
        |prefix: &str| lines.iter().filter_map(|l| l.strip_prefix(prefix).map(str::to_owned)).collect::<Vec<_>>();
    let refused = found("refused ");
    assert!(refused[0].contains("read-only until the service restarts"), "{refused:?}");
    assert_eq!(found("then "), ["unavailable"]);
    assert_eq!(found("still reads "), ["true"]);
    check_log(dir.path(), &found("acknowledged ")).await;
}

fn child(mut command: Command, dir: &std::path::Path) -> std::process::Child {
    command.args(["--exact", CHILD, "--nocapture", "--test-threads=1"]).env(CHILD_DIR, dir);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// The log is gapless and holds every acknowledged command at its seq.
async fn check_log(dir: &std::path::Path, acknowledged: &[String]) {
    assert!(!acknowledged.is_empty());
    let store = Embedded::open(dir, Clock::System).unwrap();
    let territory = "fr-67".parse().unwrap();
    let mut log = Vec::new();
    loop {
        let page = store.log(&territory, log.len() as u64, 1_000).await.unwrap();
        if page.is_empty() {
            break;
        }
        log.extend(page);
    }
    assert!(log.iter().zip(1..).all(|(entry, seq)| entry.seq == seq), "the log has a gap");
    for line in acknowledged {
        let (seq, command) = line.split_once(' ').unwrap();
        let entry = &log[seq.parse::<usize>().unwrap() - 1];
        assert_eq!(entry.command_id.to_string(), command, "acknowledged at {seq} and lost");
    }
}

/// What the child process does: prints each acknowledgement until it is killed or the disk refuses.
async fn commit_until_stopped(dir: String) {
    let store = Arc::new(Embedded::open(dir, Clock::System).unwrap());
    let territory: sas_dispatch::domain::ids::TerritoryId = "fr-67".parse().unwrap();
    let begun = store.read(&territory, &[], None).await.unwrap();
    if begun.epoch == 0 {
        store.commit(&Txn::touch(territory.clone(), 0, begun.at)).await.unwrap();
    }
    let callers = (0..8).map(|caller| tokio::spawn(commit_for_ever(Arc::clone(&store), caller, begun.seq)));
    let stopped = futures_util::future::select_all(callers.collect::<Vec<_>>()).await.0.unwrap();
    println!("refused {stopped}");
    let now = store.read(&territory, &[], None).await;
    println!("still reads {}", now.is_ok());
    let next = store.commit(&Txn::touch(territory, 1, now.unwrap().at)).await;
    println!("then {}", if matches!(next, Err(StoreError::Unavailable(_))) { "unavailable" } else { "written" });
}

/// Commits a large event again and again and prints each acknowledgement; returns the first error.
async fn commit_for_ever(store: Arc<Embedded>, caller: u32, run: u64) -> StoreError {
    for n in 0.. {
        let at = Clock::System.now();
        let id = due_command(&format!("{caller} {n} {run}"), at);
        let txn = Txn {
            command: Some((id, Digest::of(b""))),
            event: Some(vec![7; 4_096]),
            ops: vec![put(&format!("case/{caller}"), "written")],
            ..Txn::touch("fr-67".parse().unwrap(), 1, at)
        };
        match store.commit(&txn).await {
            Ok(Committed::Done(receipt)) => println!("acknowledged {} {id}", receipt.seq),
            Ok(Committed::Clock(_)) => {}
            Ok(other) => panic!("{other:?}"),
            Err(error) => return error,
        }
    }
    unreachable!("the loop ends with an error or the process")
}

#[tokio::test]
async fn the_engine_reports_that_every_reply_follows_a_flush() {
    let stand = Stand::embedded().await;
    let report = stand.store.durability().await.unwrap();
    assert_eq!(report.level, sas_dispatch::store::Durability::D1);
    assert!(report.facts.iter().any(|fact| fact.contains("fsync")));
}

//! An old backup is put back: with the real files of a real server.

use std::{collections::BTreeSet, fs};

use super::*;
use crate::support::redis::until;

/// A copy of the server's append-only files, taken while it runs and does not change from one file to the next: the service
/// has a server begin a new one when it first connects, and until that is done files come and go.
pub async fn copy_of(server: &Server) -> tempfile::TempDir {
    let files = server.dir.path().join("appendonlydir");
    until("the append-only files rest", async || !rewrites(server).await && as_listed(&files)).await;
    let copy = tempfile::tempdir().unwrap();
    copy_folder(&files, copy.path());
    copy
}

async fn rewrites(server: &Server) -> bool {
    let info: String = server.ask(&["INFO", "persistence"]).await.unwrap();
    !info.contains("aof_rewrite_in_progress:0") || !info.contains("aof_rewrite_scheduled:0")
}

/// The folder holds what its manifest names, and nothing of it is history that is still to be deleted.
fn as_listed(files: &Path) -> bool {
    let manifest = "appendonly.aof.manifest";
    let text = fs::read_to_string(files.join(manifest)).unwrap_or_default();
    let named = text.lines().filter_map(|line| line.strip_prefix("file ")?.split(' ').next().map(str::to_owned));
    let listed: BTreeSet<String> = named.chain([manifest.to_owned()]).collect();
    let there = fs::read_dir(files).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    !text.contains(" type h") && there.collect::<BTreeSet<_>>() == listed
}

/// Kills the server as `kill -9` does, puts the copied files in the place of its own, and starts it again.
pub fn put_back(server: &mut Server, copy: &Path) {
    server.kill();
    let files = server.dir.path().join("appendonlydir");
    fs::remove_dir_all(&files).unwrap();
    fs::create_dir(&files).unwrap();
    copy_folder(copy, &files);
    server.restart();
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[tokio::test]
async fn an_old_backup_refuses_writes_until_restore_has_listed_the_gap() {
    let (mut server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let mut one = Instance::at(&server, folder.path()).await;
    one.done(&["a", "b", "c"]).await;
    let old = copy_of(&server).await;
    one.done(&["d", "e"]).await;
    one.fence.flush();
    put_back(&mut server, old.path());

    assert_eq!(one.send(&one.txn("f")).await, behind(5, 3));
    assert_eq!(one.send(&one.txn("d")).await, behind(5, 3), "what was lost is not answered as if it were done");
    assert_eq!(one.sees().await, ["a", "b", "c"], "reading goes on");
    assert_eq!(one.fence.behind(&land()).unwrap().seq, 5, "and says so");
    assert_eq!(one.resets(), 1, "watchers begin anew");

    // Another process on this machine knows it too.
    let late = Instance::at(&server, folder.path()).await;
    assert_eq!(late.send(&late.txn("f")).await, behind(5, 3));

    let report = restored(&server, folder.path()).await;
    assert_eq!((report.head, report.before, report.epoch), (3, 1, 2));
    let missing: Vec<_> = report.missing().map(|mark| (mark.seq, mark.command)).collect();
    assert_eq!((missing, report.missing_events()), (vec![(5, command("e"))], 2));

    assert_eq!(one.send(&one.txn("f")).await, Err(StoreError::Fenced { current: 2 }), "it follows by itself");
    let receipts = one.done(&["f", "d"]).await;
    assert_eq!(
        receipts.iter().map(|receipt| (receipt.seq, receipt.replayed)).collect::<Vec<_>>(),
        [(4, false), (5, false)]
    );
    assert!(one.has("d").await && !one.has("e").await);
    assert!(one.fence.behind(&land()).is_none());

    let again = restored(&server, folder.path()).await;
    assert_eq!((again.before, again.epoch, again.missing().count()), (2, 2, 0), "to repeat it is harmless");
}

#[tokio::test]
async fn a_backup_of_now_is_the_same_history() {
    let (mut server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let mut one = Instance::at(&server, folder.path()).await;
    one.done(&["a", "b"]).await;
    let now = copy_of(&server).await;
    put_back(&mut server, now.path());
    assert_eq!(one.done(&["c"]).await[0].seq, 3);
    assert_eq!((one.resets(), one.epoch), (0, 1));
}

#[tokio::test]
async fn nothing_put_back_at_all_is_the_oldest_of_backups() {
    let (mut server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let mut one = Instance::at(&server, folder.path()).await;
    one.done(&["a", "b"]).await;
    one.fence.flush();
    put_back(&mut server, tempfile::tempdir().unwrap().path());
    assert_eq!(one.send(&one.txn("c")).await, behind(2, 0));
    let report = restored(&server, folder.path()).await;
    assert_eq!((report.before, report.epoch, report.missing_events()), (0, 2, 2), "epoch 1 does not come again");
    assert_eq!(one.done(&["c"]).await[0].seq, 1);
}

#[tokio::test]
async fn a_call_is_taken_even_then_in_an_epoch_of_its_own() {
    let (mut server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let mut one = Instance::at(&server, folder.path()).await;
    one.done(&["a"]).await;
    let old = copy_of(&server).await;
    one.done(&["b", "c"]).await;
    one.fence.flush();
    let right = copy_of(&server).await;
    put_back(&mut server, old.path());

    let call = |one: &Instance| Txn { even_behind: true, ..one.txn("vital") };
    assert_eq!(one.send(&call(&one)).await, Err(StoreError::Fenced { current: 2 }));
    one.read_again().await;
    assert_eq!(acknowledged(one.send(&call(&one)).await).seq, 2);
    assert_eq!(one.send(&one.txn("claim")).await, behind(3, 2), "everything else goes on waiting");
    one.fence.flush();

    // The right data come back after all: now it is the call that is missing, and it is not forgotten.
    put_back(&mut server, right.path());
    assert_eq!(one.send(&one.txn("claim")).await, behind(2, 3));
    let report = restored(&server, folder.path()).await;
    let missing: Vec<_> = report.missing().map(|mark| (mark.epoch, mark.command)).collect();
    assert_eq!((missing, report.epoch), (vec![(2, command("vital"))], 3));
    one.done(&["claim"]).await;
    assert_eq!(one.sees().await, ["a", "b", "c", "claim"]);
}

/// Each new caller was told the number of somebody whose case was lost with the newer data.
#[tokio::test]
async fn no_case_number_is_given_again_after_an_old_backup() {
    let (mut server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let mut one = Instance::at(&server, folder.path()).await;
    let numbered = |one: &Instance, name: &str| {
        let txn = one.txn(name);
        let ops = vec![put_numbered(&format!("case/{name}"), name, "number/2024-12-26")];
        Txn { ops, even_behind: true, ..txn }
    };
    let given = async |one: &Instance, name: &str| acknowledged(one.send(&numbered(one, name)).await).counts[0];
    assert_eq!(given(&one, "a").await, 1);
    one.read_again().await;
    let old = copy_of(&server).await;
    for (name, number) in [("b", 2), ("c", 3), ("d", 4)] {
        assert_eq!(given(&one, name).await, number);
    }
    one.fence.flush();
    put_back(&mut server, old.path());

    assert_eq!(one.send(&numbered(&one, "e")).await, Err(StoreError::Fenced { current: 2 }));
    one.read_again().await;
    let meanwhile = given(&one, "e").await;
    assert!(meanwhile > 4, "{meanwhile}");
    assert_eq!(given(&one, "f").await, meanwhile + 1, "they are left out once");

    // What is missing is counted from where the backup ends, whoever called since.
    let report = restored(&server, folder.path()).await;
    assert_eq!((report.head, report.left, report.missing_events()), (3, 1, 3));
    one.read_again().await;
    assert!(given(&one, "g").await > meanwhile + 1);
    let again = restored(&server, folder.path()).await;
    assert_eq!((again.missing_events(), again.settled), (0, 3), "what was settled is still known");
}

#[tokio::test]
async fn the_right_data_put_back_end_the_refusal_without_a_word_of_an_operator() {
    let (mut server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let mut one = Instance::at(&server, folder.path()).await;
    one.done(&["a"]).await;
    let old = copy_of(&server).await;
    one.done(&["b"]).await;
    let right = copy_of(&server).await;
    put_back(&mut server, old.path());
    assert_eq!(one.send(&one.txn("c")).await, behind(2, 1));
    put_back(&mut server, right.path());
    one.done(&["c"]).await;
    assert_eq!(one.sees().await, ["a", "b", "c"]);
}

/// A Redis on another machine that finds a snapshot in its folder and is started with this setting of its own log.
fn started_on(snapshot: &Path, appendonly: &str) -> Server {
    let lays = format!("cp '{}' dump.rdb && exec redis-server \"$@\"", snapshot.display());
    Server::around(&["sh", "-c", &lays, "sh"], None, &["--appendfsync", "always", "--appendonly", appendonly])
}

#[tokio::test]
async fn a_snapshot_is_put_back_with_the_log_off_and_never_mistaken_for_an_empty_site() {
    let (server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let mut one = Instance::at(&server, folder.path()).await;
    one.done(&["a", "b"]).await;
    server.command(&["SAVE"]).await;
    let snapshot = server.dir.path().join("dump.rdb");
    let kept = folder.path().join("dump.rdb");
    fs::copy(&snapshot, &kept).unwrap();
    one.done(&["c"]).await;
    one.fence.flush();

    // Started with its log on, Redis 7 does not look at the snapshot: the site is empty, and the service notices.
    let empty = started_on(&kept, "yes");
    let late = Instance::at(&empty, folder.path()).await;
    assert_eq!(late.send(&late.txn("d")).await, behind(3, 0));

    let right = started_on(&kept, "no");
    right.command(&["CONFIG", "SET", "appendonly", "yes"]).await;
    let mut late = Instance::at(&right, folder.path()).await;
    assert_eq!(late.send(&late.txn("d")).await, behind(3, 2));
    let report = restored(&right, folder.path()).await;
    assert_eq!((report.head, report.missing_events()), (2, 1));
    late.read_again().await;
    late.done(&["d"]).await;
    assert_eq!(late.sees().await, ["a", "b", "d"]);
}

#[tokio::test]
async fn what_took_effect_in_the_data_that_are_there_is_answered_while_writes_are_refused() {
    let (mut server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let nobody = tempfile::tempdir().unwrap();
    let mut one = Instance::at(&server, folder.path()).await;
    one.done(&["a", "b"]).await;
    let old = copy_of(&server).await;
    one.done(&["c"]).await;
    let right = copy_of(&server).await;
    put_back(&mut server, old.path());
    // Another instance knows of nothing that was lost: it goes on, and its answers do not arrive.
    let mut other = Instance::at(&server, nobody.path()).await;
    other.done(&["d"]).await;

    for (name, seq) in [("a", 1), ("d", 3)] {
        let receipt = acknowledged(one.send(&one.txn(name)).await);
        assert_eq!((receipt.seq, receipt.replayed), (seq, true), "{name} took effect, and its caller is told so");
    }
    assert_eq!(one.send(&one.txn("e")).await, behind(3, 3), "what is new is refused");
    assert_eq!(one.send(&one.txn("c")).await, behind(3, 3), "what was lost is not answered as if it were done");
    let mut other_words = one.txn("d");
    other_words.command = Some((command("d"), Digest::of(b"other words")));
    assert_eq!(one.send(&other_words).await, Err(StoreError::OtherPayload(command("d"))));
    assert_eq!(one.sees().await, ["a", "b", "d"], "and nothing was written");

    put_back(&mut server, right.path());
    let refused = one.send(&one.txn("e")).await;
    assert_eq!(refused, behind(3, 3), "the right data lack what was told meanwhile, and that does not go unnoticed");
    one.fence.flush();
    let report = restored(&server, folder.path()).await;
    assert_eq!(report.missing().map(|mark| mark.command).collect::<Vec<_>>(), [command("d")]);
    one.read_again().await;
    one.done(&["e"]).await;
    assert_eq!(one.sees().await, ["a", "b", "c", "e"]);
}

#[tokio::test]
async fn what_was_acknowledged_when_it_came_again_is_missed_when_it_is_gone() {
    let (mut server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let nobody = tempfile::tempdir().unwrap();
    let mut one = Instance::at(&server, folder.path()).await;
    one.done(&["a"]).await;
    let old = copy_of(&server).await;
    // It stops before it can answer.
    Instance::at(&server, nobody.path()).await.done(&["b"]).await;
    assert!(acknowledged(one.send(&one.txn("b")).await).replayed);
    put_back(&mut server, old.path());
    assert_eq!(one.send(&one.txn("c")).await, behind(2, 1));
}

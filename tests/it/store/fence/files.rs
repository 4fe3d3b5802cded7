//! What an instance keeps across restarts, and what becomes of it when the file is not what it was.

use std::{fs, os::unix::fs::PermissionsExt};

use sas_dispatch::store::{Op, embedded::Embedded, fence::kept};

use super::*;

fn marks_in(folder: &Path) -> Vec<(u64, u64)> {
    let all = kept::read_all(folder, "one").unwrap();
    all.values().flatten().map(|mark| (mark.epoch, mark.seq)).collect()
}

#[tokio::test]
async fn two_instances_keep_a_file_each_and_both_are_known_to_the_next() {
    let (server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let mut one = Instance::at(&server, folder.path()).await;
    let mut two = Instance::at(&server, folder.path()).await;
    one.done(&["a"]).await;
    two.read_again().await;
    two.done(&["b"]).await;
    assert!(marks_in(folder.path()).is_empty());
    drop((one, two));
    assert_eq!(kept::files(folder.path(), "one").unwrap().len(), 2);
    assert_eq!(marks_in(folder.path()), [(1, 1), (1, 2)]);
    for file in kept::files(folder.path(), "one").unwrap() {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "it is this account's alone");
    }
    assert!(kept::read_all(folder.path(), "another store").unwrap().is_empty());
    // Whoever comes next takes the first place, and keeps what both knew.
    drop(Instance::at(&server, folder.path()).await);
    assert_eq!(kept::files(folder.path(), "one").unwrap().len(), 2);
}

#[tokio::test]
async fn the_file_is_written_while_the_service_runs() {
    let (server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let inner = redis_at(&server.url(), Clock::manual(START)).await;
    let keeper = Some(Keeper::open(folder.path(), "one").unwrap());
    let (clock, every) = (Clock::manual(START), Duration::from_millis(5));
    let (metrics, promised) = (Metrics::silent(), Durability::D1);
    let fence = Fenced::over(inner, FenceOptions { keeper, every, clock, metrics, promised });
    let one = Instance { fence, epoch: 0 };
    acknowledged(one.send(&one.txn("a")).await);
    while marks_in(folder.path()).is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(marks_in(folder.path()), [(1, 1)]);
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_and_not_trusted() {
    let (server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let mut one = Instance::at(&server, folder.path()).await;
    one.done(&["a", "b"]).await;
    drop(one);
    let path = kept::files(folder.path(), "one").unwrap().remove(0);
    let whole = fs::read_to_string(&path).unwrap();
    assert!(whole.contains("\"version\": 1") && !whole.contains("event of"), "{whole}");
    for (damaged, says) in [
        (whole.replace("\"seq\": 2", "\"seq\": 1"), "the checksum is wrong"),
        (whole[..whole.len() / 2].to_owned(), "no file of acknowledged commands"),
        (whole.replace("\"version\": 1", "\"version\": 2"), "another format or version"),
    ] {
        fs::write(&path, damaged).unwrap();
        assert!(kept::read(&path).unwrap_err().to_string().contains(says), "{says}");
        let next = Instance::at(&server, folder.path()).await;
        assert!(!path.exists() && path.with_extension("damaged").exists());
        drop(next);
    }
}

#[tokio::test]
async fn an_embedded_store_that_was_put_back_is_noticed_at_the_next_start() {
    let (data, away, folder) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let open = async || {
        let store = Arc::new(Embedded::open(data.path(), Clock::manual(START)).unwrap());
        Instance::over(store, folder.path()).await
    };
    let mut one = open().await;
    one.done(&["a", "b"]).await;
    drop(one);
    fs::copy(data.path().join("sas.redb"), away.path().join("sas.redb")).unwrap();
    let mut one = open().await;
    assert_eq!(one.done(&["c"]).await[0].seq, 3, "a stop and a start are the same history");
    drop(one);
    fs::copy(away.path().join("sas.redb"), data.path().join("sas.redb")).unwrap();
    let mut one = open().await;
    assert_eq!(one.send(&one.txn("d")).await, behind(3, 2));
    drop(one);
    let store = Embedded::open(data.path(), Clock::manual(START)).unwrap();
    let marks = kept::read_all(folder.path(), "one").unwrap().remove(&land()).unwrap();
    let report = restore::restore(&store, &land(), &marks, false).await.unwrap();
    assert_eq!((report.missing_events(), report.epoch), (1, 2));
    drop(store);
    one = open().await;
    assert_eq!(one.done(&["d"]).await[0].seq, 3);
    assert_eq!(one.sees().await, ["a", "b", "d"]);
}

#[tokio::test]
async fn what_was_trimmed_is_no_longer_compared() {
    let (mut server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let mut one = Instance::at(&server, folder.path()).await;
    one.done(&["a"]).await;
    drop(one);
    let nobody = tempfile::tempdir().unwrap();
    let mut other = Instance::at(&server, nobody.path()).await;
    other.done(&["b", "c"]).await;
    let mut cursor = other.txn("cursor");
    cursor.ops = vec![Op::IndexAdd(crate::store::stand::index("cursors"), 3, crate::store::stand::member("archive"))];
    other.send(&cursor).await.unwrap();
    assert_eq!(other.fence.trim(&land(), 2).await, Ok(3));
    let mut one = Instance::at(&server, folder.path()).await;
    assert_eq!(one.done(&["d"]).await[0].seq, 5);
    server.kill();
    server.restart();
    assert_eq!(one.done(&["e"]).await[0].seq, 6);
    assert_eq!(one.resets(), 0);
}

//! A server takes over that lacks the end of the log, or has another one.

use sas_dispatch::store::{Guard, StoreError, Version};

use super::*;
use crate::store::fence::backups::{copy_of, put_back};

/// The data of a server whose log goes on differently after the first two entries.
async fn other_tail(server: &Server, names: &[&str]) -> tempfile::TempDir {
    let (mut elsewhere, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    put_back(&mut elsewhere, copy_of(server).await.path());
    let mut there = Instance::at(&elsewhere, folder.path()).await;
    there.done(names).await;
    copy_of(&elsewhere).await
}

#[tokio::test]
async fn a_lost_tail_that_was_only_seen_is_fenced_by_one_and_followed_by_the_others() {
    let (mut server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let nobody = tempfile::tempdir().unwrap();
    let mut one = Instance::at(&server, folder.path()).await;
    one.done(&["a", "b"]).await;
    let old = copy_of(&server).await;
    // Written by an instance that is gone, and seen by two that are not.
    let mut gone = Instance::at(&server, nobody.path()).await;
    gone.done(&["c", "d"]).await;
    let mut two = Instance::at(&server, folder.path()).await;
    assert_eq!(one.sees().await.len() + two.sees().await.len(), 8);
    put_back(&mut server, old.path());

    let (first, second) = (one.txn("e"), two.txn("f"));
    let answers = tokio::join!(one.send(&first), two.send(&second));
    assert_eq!(answers, (Err(StoreError::Fenced { current: 2 }), Err(StoreError::Fenced { current: 2 })));
    assert_eq!((one.resets(), two.resets()), (1, 1), "their watchers begin anew");
    one.read_again().await;
    assert_eq!(one.epoch, 2, "two that notice it raise the epoch once");
    one.done(&["e"]).await;
    two.done(&["f"]).await;
    assert_eq!(two.sees().await, ["a", "b", "e", "f"]);
    assert_eq!((one.resets(), two.resets()), (1, 1));
}

/// An instance at a server where another one, which is gone, wrote two more entries that it has not seen; and the data of a
/// server whose log is longer and differs in these two.
async fn beside_a_longer_history() -> (Server, [tempfile::TempDir; 2], Instance) {
    let (server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let nobody = tempfile::tempdir().unwrap();
    let mut one = Instance::at(&server, folder.path()).await;
    one.done(&["a", "b"]).await;
    let other = other_tail(&server, &["x", "y", "z"]).await;
    Instance::at(&server, nobody.path()).await.done(&["c", "d"]).await;
    (server, [folder, other], one)
}

#[tokio::test]
async fn readers_are_told_before_they_are_fed_from_another_history() {
    let (mut server, [_folder, other], one) = beside_a_longer_history().await;
    let generation = one.resets();
    assert_eq!(one.sees().await, ["a", "b", "c", "d"]);
    put_back(&mut server, other.path());
    // The head is further on than what was seen: only the command ids tell.
    let entries = one.fence.log(&land(), 4, 10).await.unwrap();
    assert_eq!(entries.len(), 1, "the fifth entry of the other history");
    assert_eq!(one.resets(), generation + 1, "whoever read it knows that it does not follow on the fourth");
    assert_eq!(one.sees().await, ["a", "b", "x", "y", "z"]);
}

/// Records and an index were read where a lost tail had ended, and nothing of its log: the other history is further on, and only
/// the command at the head that was read tells that it is another.
#[tokio::test]
async fn who_read_no_more_than_a_head_is_told_that_it_is_gone() {
    for of_an_index in [false, true] {
        let (mut server, [_folder, other], one) = beside_a_longer_history().await;
        let before = one.resets();
        let seq = match of_an_index {
            true => one.fence.range(&land(), &index("open"), None, 9).await.unwrap().seq,
            false => one.fence.read(&land(), &[key("case/a")], None).await.unwrap().seq,
        };
        assert_eq!(seq, 4);
        put_back(&mut server, other.path());
        assert_eq!(one.fence.read(&land(), &[], None).await.unwrap().seq, 5);
        assert_eq!(one.resets(), before + 1, "what was read there is dropped (an index: {of_an_index})");
    }
}

#[tokio::test]
async fn a_version_of_a_lost_tail_matches_nothing() {
    let (mut server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let nobody = tempfile::tempdir().unwrap();
    let mut one = Instance::at(&server, folder.path()).await;
    one.done(&["a", "b"]).await;
    let other = other_tail(&server, &["a again"]).await;
    let mut gone = Instance::at(&server, nobody.path()).await;
    let mut amend = gone.txn("a again, lost");
    amend.ops = vec![put("case/a", "lost")];
    let lost = acknowledged(gone.send(&amend).await).seq;
    let record = key("case/a");
    let version: Version = one.fence.read(&land(), std::slice::from_ref(&record), None).await.unwrap().records[&record]
        .as_ref()
        .unwrap()
        .version;
    assert_eq!((version.seq(), lost), (3, 3));
    put_back(&mut server, other.path());
    one.read_again().await;
    // Its own epoch, the same seq, and still not the same version.
    let mut late = one.txn("late");
    late.guards = vec![Guard::Version(record, version)];
    assert!(matches!(one.send(&late).await, Ok(Committed::Conflict(_))));
    gone.epoch = 1;
    assert!(matches!(gone.send(&gone.txn("late too")).await, Err(StoreError::Behind { acknowledged: 3, .. })));
}

#[tokio::test]
async fn a_raised_epoch_that_is_lost_is_raised_beyond_itself() {
    let (mut server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let mut one = Instance::at(&server, folder.path()).await;
    one.done(&["a"]).await;
    one.fence.flush();
    let old = copy_of(&server).await;
    restored(&server, folder.path()).await;
    one.read_again().await;
    assert_eq!(one.epoch, 2);
    put_back(&mut server, old.path());
    one.read_again().await;
    assert_eq!(one.epoch, 3, "no number of the lost history comes again");
    one.done(&["b"]).await;
}

#[tokio::test]
async fn what_was_acknowledged_below_the_promise_may_go_and_writing_goes_on() {
    let (mut server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let store = redis_at(&server.url(), Clock::manual(START)).await;
    // No replica: the receipts say D1 where D2 is promised, as a vital emergency's do while no replica follows.
    let mut one = Instance::promising(Durability::D2, store, folder.path()).await;
    one.done(&["a", "b"]).await;
    let old = copy_of(&server).await;
    assert_eq!(one.done(&["c"]).await[0].durability, Durability::D1);
    put_back(&mut server, old.path());
    assert_eq!(
        one.send(&one.txn("d")).await,
        Err(StoreError::Fenced { current: 2 }),
        "another history, and known as one"
    );
    one.done(&["d"]).await;
    assert_eq!((one.sees().await, one.resets()), (["a", "b", "d"].map(str::to_owned).to_vec(), 1));
}

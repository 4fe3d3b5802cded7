//! Two primaries for a while: a real primary and its replica, frozen, promoted and woken.

use sas_dispatch::{
    domain::time::Span,
    store::{Durability, Policy, Promise, Settings, open, redis::RedisOptions},
};

use super::*;
use crate::{
    store::fence::backups::{copy_of, put_back},
    support::{
        redis::{free_port, until},
        topology::follows,
    },
};

/// Lets a running server listen on a free loopback port, and says which.
async fn listening(server: &Server) -> String {
    let port = free_port().to_string();
    server.command(&["CONFIG", "SET", "bind", "127.0.0.1"]).await;
    server.command(&["CONFIG", "SET", "port", &port]).await;
    port
}

/// A primary and its replica, which has everything.
async fn pair() -> (Server, Server) {
    let (primary, replica) = (Server::start("always"), Server::start("always"));
    let port = listening(&primary).await;
    listening(&replica).await;
    primary.command(&["CONFIG", "SET", "repl-diskless-sync-delay", "0"]).await;
    replica.command(&["REPLICAOF", "127.0.0.1", &port]).await;
    until("the replica follows", async || follows(&replica).await).await;
    (primary, replica)
}

/// An instance that promises D2 with one replica.
async fn promising(server: &Server, folder: &Path, clock: Clock) -> Instance {
    let promise = Promise { level: Durability::D2, replicas: 1, wait: Duration::from_millis(200) };
    let options = RedisOptions { prefix: "it".to_owned(), clock, promise, ..RedisOptions::new(server.url()) };
    Instance::over(open(Settings::Redis(options)).await.unwrap(), folder).await
}

#[tokio::test]
async fn what_the_old_primary_takes_alone_is_acknowledged_to_nobody() {
    let (mut old, new) = pair().await;
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut one = promising(&old, here.path(), Clock::manual(START)).await;
    let receipts = one.done(&["a", "b"]).await;
    assert!(receipts.iter().all(|receipt| receipt.durability == Durability::D2), "{receipts:?}");

    old.signal("STOP");
    new.command(&["REPLICAOF", "NO", "ONE"]).await;
    let mut two = Instance::at(&new, there.path()).await;
    assert_eq!(two.done(&["c"]).await[0].seq, 3);
    old.signal("CONT");

    for _ in 0..5 {
        let answer = one.fence.commit(&one.txn("x")).await;
        assert!(
            matches!(answer, Err(StoreError::Unknown(_) | StoreError::Unavailable(_))),
            "no replica has it, so nobody is told that it is done: {answer:?}"
        );
    }
    // Taken with an alarm, as a vital call is: at D1, and its receipt says so.
    let mut alone = Txn { policy: Policy::Degraded, ..one.txn("alone") };
    let receipt = acknowledged(one.send(&alone).await);
    assert_eq!(receipt.durability, Durability::D1);

    // The old primary's data give way to the new one's, under the same address.
    put_back(&mut old, copy_of(&new).await.path());
    alone.command = Some((command("next"), Digest::of(b"next")));
    let lost = StoreError::Behind { territory: land(), acknowledged: receipt.seq, head: 3 };
    assert_eq!(one.send(&alone).await, Err(lost), "its own history is gone, and with it what it acknowledged alone");
    one.fence.flush();
    let report = restored(&old, here.path()).await;
    assert_eq!(report.missing().map(|mark| mark.command).collect::<Vec<_>>(), [command("alone")]);
    assert_eq!(report.epoch, 2);
    drop(one);
    let mut next = Instance::at(&old, here.path()).await;
    next.done(&["x"]).await;
    assert_eq!(
        next.sees().await,
        ["a", "b", "c", "x"],
        "what was never acknowledged is done once, when it is repeated"
    );
    assert_eq!(two.epoch, 1);
}

#[tokio::test]
async fn time_does_not_go_back_when_a_server_with_another_clock_takes_over() {
    let (old, new) = pair().await;
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ahead = START + Span::from_mins(10);
    let mut one = promising(&old, here.path(), Clock::manual(START)).await;
    one.done(&["a"]).await;
    let late = promising(&old, there.path(), Clock::manual(ahead)).await;
    acknowledged(late.send(&Txn { at: ahead, epoch: 1, ..late.txn("b") }).await);
    drop(old);
    new.command(&["REPLICAOF", "NO", "ONE"]).await;
    for (clock, expected) in [
        (START, ahead),
        (START + Span::from_mins(2), ahead + Span::from_mins(1)),
        (ahead + Span::from_hours(1), ahead + Span::from_hours(1)),
    ] {
        let store = redis_at(&new.url(), Clock::manual(clock)).await;
        assert_eq!(store.read(&land(), &[], None).await.unwrap().at, expected, "a clock at {clock}");
    }
}

//! `WAIT` speaks of what its own connection wrote, and from Redis 7.2 on of nothing else: what is acknowledged or shown on
//! the word of the replicas stands behind a write.

use std::sync::Arc;

use sas_dispatch::{
    domain::ids::TerritoryId,
    store::{Committed, Durability, Store, StoreError},
};

use super::callers::{D1, D2, degraded, insist, promising, writing};
use crate::support::{
    redis::{Server, until},
    topology::Replicated,
};

fn here() -> TerritoryId {
    "fr-67".parse().unwrap()
}

/// A master whose log of replication moves by writes alone, and its replica.
async fn quiet() -> Replicated {
    let redis = Replicated::without_sentinels().await;
    redis.servers[0].command(&["CONFIG", "SET", "repl-ping-replica-period", "3600"]).await;
    redis
}

/// A number of `INFO replication`.
fn after<'a>(info: &'a str, name: &str) -> &'a str {
    info.split(name).nth(1).unwrap_or_default().split([',', '\r']).next().unwrap_or_default()
}

async fn place(master: &Server) -> String {
    let info: String = master.ask(&["INFO", "replication"]).await.unwrap();
    after(&info, "master_repl_offset:").to_owned()
}

/// The master's place once its replica has said that it is there too: nobody asks it again.
async fn settled(master: &Server) -> String {
    until("the replica says that it is where its master is", async || {
        let info: String = master.ask(&["INFO", "replication"]).await.unwrap();
        after(&info, ",offset=") == after(&info, "master_repl_offset:")
    })
    .await;
    place(master).await
}

/// Level of a replayed acknowledgement.
async fn repeated(store: &Arc<dyn Store>, name: &str) -> Durability {
    match store.commit(&degraded(writing(&here(), name, 0))).await {
        Ok(Committed::Done(receipt)) if receipt.replayed => receipt.durability,
        other => panic!("expected an answer from the receipt, got {other:?}"),
    }
}

async fn shown(store: &Arc<dyn Store>) -> usize {
    store.log(&here(), 0, 10).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_command_and_what_readers_are_shown_are_waited_for_behind_a_write() {
    let redis = quiet().await;
    let [master, _] = &redis.servers;
    let (first, other) = (promising(&master.url(), D2).await, promising(&master.url(), D2).await);
    insist(first.as_ref(), &writing(&here(), "first", 0), Durability::D2).await;
    let before = settled(master).await;
    until("the replica answers in time", async || repeated(&other, "first").await == Durability::D2).await;
    let behind_the_repeat = settled(master).await;
    assert_ne!(behind_the_repeat, before, "the second instance wrote nothing: on whose behalf did the replica answer?");
    assert_eq!(shown(&other).await, 1);
    assert_eq!(settled(master).await, behind_the_repeat, "it knows already that the replica has it");

    insist(first.as_ref(), &writing(&here(), "second", 1), Durability::D2).await;
    let before = settled(master).await;
    until("the replica answers the reader in time", async || shown(&other).await == 2).await;
    let behind_the_read = settled(master).await;
    assert_ne!(behind_the_read, before, "what another instance wrote is shown on the replica's word");
    assert_eq!((shown(&other).await, shown(&first).await), (2, 2));
    assert_eq!(settled(master).await, behind_the_read, "and asked about once");
    let read = other.read(&here(), &[], None).await.unwrap();
    assert_eq!((read.seq, read.epoch), (2, 1), "the head is as it was");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_replica_is_awaited_a_repeat_and_a_read_write_nothing() {
    let redis = quiet().await;
    let [master, replica] = &redis.servers;
    let (alone, replicated) = (promising(&master.url(), D1).await, promising(&master.url(), D2).await);
    insist(alone.as_ref(), &writing(&here(), "first", 0), Durability::D1).await;
    let before = settled(master).await;
    assert_eq!((repeated(&alone, "first").await, shown(&alone).await), (Durability::D1, 1));
    assert_eq!(settled(master).await, before);
    replica.signal("STOP");
    let level = async || replicated.durability().await.unwrap().level;
    until("the master misses its replica", async || level().await == Durability::D1).await;
    let before = place(master).await;
    assert_eq!((repeated(&replicated, "first").await, shown(&replicated).await), (Durability::D1, 1));
    assert_eq!(place(master).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_no_writes_shows_what_its_replica_has_and_no_more() {
    let redis = quiet().await;
    let [master, replica] = &redis.servers;
    let store = promising(&master.url(), D2).await;
    insist(store.as_ref(), &writing(&here(), "first", 0), Durability::D2).await;
    master.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let newcomer = promising(&master.url(), D2).await;
    until("reading goes on", async || shown(&newcomer).await == 1).await;
    master.command(&["CONFIG", "SET", "maxmemory", "0"]).await;
    replica.signal("STOP");
    let unknown = store.commit(&writing(&here(), "second", 1)).await;
    assert!(matches!(unknown, Err(StoreError::Unknown(_))), "{unknown:?}");
    master.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    assert_eq!(shown(&newcomer).await, 1, "the second is only here");
    replica.signal("CONT");
    until("the replica has it", async || shown(&newcomer).await == 2).await;
}

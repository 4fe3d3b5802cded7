//! What only the Redis engine promises: whatever becomes of the server, nothing acknowledged is lost and nothing is half
//! done; what is wrong is said in words.

use std::{sync::Arc, time::Duration};

use sas_dispatch::{
    clock::Clock,
    domain::time::Span,
    store::{
        Committed, Digest, Durability, Settings, Store, StoreError, Txn, due_command, open,
        redis::{Redis, RedisOptions},
    },
};

use super::stand::{START, Stand, add, command, index, key, put, put_numbered, redis_at};
use crate::support::redis::{Server, until};

fn options(url: &str, deadline_ms: u64) -> RedisOptions {
    let deadline = Duration::from_millis(deadline_ms);
    RedisOptions { prefix: "it".to_owned(), clock: Clock::manual(START), deadline, ..RedisOptions::new(url) }
}

/// The first transaction of `fr-67`, by command `name`.
fn opening(name: &str) -> Txn {
    Txn {
        command: Some((command(name), Digest::of(b""))),
        schema: 1,
        event: Some(b"opened".to_vec()),
        ops: vec![put("case/1", "opened"), add("open", 1, "1")],
        ..Txn::touch("fr-67".parse().unwrap(), 0, START)
    }
}

#[tokio::test]
async fn a_server_that_forgot_its_scripts_is_given_them_again() {
    let server = Server::start("always");
    let store = redis_at(&server.url(), Clock::manual(START)).await;
    for (n, name) in ["one", "two"].into_iter().enumerate() {
        server.command(&["SCRIPT", "FLUSH"]).await;
        let txn = Txn { epoch: n as u64, ..opening(name) };
        assert!(matches!(store.commit(&txn).await, Ok(Committed::Done(receipt)) if receipt.seq == n as u64 + 1));
        server.command(&["SCRIPT", "FLUSH"]).await;
        let read = store.read(&txn.territory, &[key("case/1")], None).await.unwrap();
        assert!(read.records[&key("case/1")].is_some());
        server.command(&["SCRIPT", "FLUSH"]).await;
        assert_eq!(store.range(&txn.territory, &index("open"), None, 9).await.unwrap().entries.len(), 1);
    }
}

#[tokio::test]
async fn a_key_of_another_type_is_named_and_nothing_is_half_done() {
    let server = Server::start("always");
    let store = redis_at(&server.url(), Clock::manual(START)).await;
    store.commit(&opening("open")).await.unwrap();
    let territory = "fr-67".parse().unwrap();
    for (name, what) in [
        ("record:case/9", "a record"),
        ("index:timers", "zset"),
        ("counters", "hash"),
        ("log", "a stream that ends at 1"),
    ] {
        let key = format!("it:1:{{fr-67}}:{name}");
        server.command(&["SET", &key, "a text"]).await;
        let before = server.command(&["DEBUG", "DIGEST"]).await;
        let mut txn = Txn { epoch: 1, ..opening(name) };
        txn.ops = vec![
            put("case/1", "changed"),
            put_numbered("case/2", "new", "number/d"),
            put("case/9", "x"),
            add("timers", 1, "x"),
        ];
        let error = store.commit(&txn).await.unwrap_err();
        let StoreError::Corrupt(text) = &error else { panic!("{error}") };
        assert!(text.contains(&key) && text.contains(what), "{text}");
        assert_eq!(
            server.command(&["DEBUG", "DIGEST"]).await,
            before,
            "something was written before {name} was refused"
        );
        server.command(&["DEL", &key]).await;
        if name == "log" {
            server.command(&["XADD", &key, "1-0", "command", "x"]).await;
        }
    }
    assert_eq!(store.read(&territory, &[key("case/1")], None).await.unwrap().seq, 1);
    let log = store.log(&territory, 0, 10).await;
    assert!(matches!(log, Err(StoreError::Corrupt(_))), "an entry that lacks its fields is not guessed at: {log:?}");
}

#[tokio::test]
async fn a_log_ahead_of_its_head_refuses_the_commit_before_anything_else_is_written() {
    let server = Server::start("always");
    let store = redis_at(&server.url(), Clock::manual(START)).await;
    store.commit(&opening("open")).await.unwrap();
    server.command(&["XADD", "it:1:{fr-67}:log", "7-0", "command", "x"]).await;
    let before = server.command(&["DEBUG", "DIGEST"]).await;
    let error = store.commit(&Txn { epoch: 1, ..opening("next") }).await.unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt(text) if text.contains("the log is ahead of its head")), "{error}");
    assert_eq!(server.command(&["DEBUG", "DIGEST"]).await, before);
}

#[tokio::test]
async fn a_server_out_of_memory_refuses_before_the_first_write() {
    let server = Server::start("always");
    let store = redis_at(&server.url(), Clock::manual(START)).await;
    store.commit(&opening("open")).await.unwrap();
    server.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let error = store.commit(&Txn { epoch: 1, ..opening("next") }).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(text) if text.contains("OOM")), "{error}");
    assert_eq!(store.read(&"fr-67".parse().unwrap(), &[], None).await.unwrap().seq, 1, "reading goes on");
    server.command(&["CONFIG", "SET", "maxmemory", "0"]).await;
    assert!(matches!(store.commit(&Txn { epoch: 1, ..opening("next") }).await, Ok(Committed::Done(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    let mut server = Server::start("always");
    let store = redis_at(&server.url(), Clock::manual(START)).await;
    store.commit(&opening("begin")).await.unwrap();
    let (said, mut acknowledged) = tokio::sync::mpsc::unbounded_channel();
    let callers: Vec<_> = (0..16).map(|n| tokio::spawn(commit_hundred(Arc::clone(&store), n, said.clone()))).collect();
    drop(said);
    let mut heard = Vec::new();
    while let Some(receipt) = acknowledged.recv().await {
        heard.push(receipt);
        if heard.len() % 400 == 200 {
            server.kill();
            server.restart();
        }
    }
    for caller in callers {
        caller.await.unwrap();
    }
    heard.sort_unstable();
    assert_eq!(heard.len(), 1_600, "every command was acknowledged in the end, and each once");
    let territory = "fr-67".parse().unwrap();
    let mut log = store.log(&territory, 1, 1_000).await.unwrap();
    log.extend(store.log(&territory, 1_001, 1_000).await.unwrap());
    let logged: Vec<_> = log.iter().map(|entry| (entry.seq, entry.command_id)).collect();
    assert_eq!(logged, heard, "the log holds each acknowledged command at its seq, and no other");
}

/// Commits a hundred commands one after the other, repeating each until it is acknowledged.
async fn commit_hundred(
    store: Arc<dyn Store>,
    caller: u32,
    said: tokio::sync::mpsc::UnboundedSender<(u64, sas_dispatch::domain::ids::CommandId)>,
) {
    for n in 0..100 {
        let txn = Txn { epoch: 1, ..opening(&format!("{caller} {n}")) };
        loop {
            match store.commit(&txn).await {
                Ok(Committed::Done(receipt)) => {
                    break said.send((receipt.seq, command(&format!("{caller} {n}")))).unwrap();
                }
                Err(StoreError::Unknown(_) | StoreError::Unavailable(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_frozen_server_leaves_the_outcome_unknown_and_the_repeated_command_learns_it() {
    let server = Server::start("always");
    let store = Redis::connect(options(&server.url(), 300)).await.unwrap();
    let txn = Txn { epoch: 1, ..opening("next") };
    until("the opening is done", async || matches!(store.commit(&opening("open")).await, Ok(Committed::Done(_)))).await;
    let reads = async || store.read(&txn.territory, &[], None).await.is_ok();
    until("three reads in a row", async || reads().await && reads().await && reads().await).await;
    server.signal("STOP");
    // All connections stand, so the command may have been sent.
    let error = store.commit(&txn).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unknown(text) if text == "no answer within 300 ms"), "{error}");
    let read = store.read(&txn.territory, &[], None).await.unwrap_err();
    assert!(matches!(read, StoreError::Unavailable(_)), "a read writes nothing: {read}");
    server.signal("CONT");
    let receipt = loop {
        if let Ok(Committed::Done(receipt)) = store.commit(&txn).await {
            break receipt;
        }
    };
    assert_eq!(receipt.seq, 2);
    assert_eq!(store.log(&txn.territory, 0, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_server_that_is_gone_is_unavailable_and_one_that_is_back_is_found() {
    let mut server = Server::start("always");
    let store = Redis::connect(options(&server.url(), 2_000)).await.unwrap();
    store.commit(&opening("open")).await.unwrap();
    server.kill();
    let touch = Txn { ops: vec![add("timers", 1, "x")], ..Txn::touch("fr-67".parse().unwrap(), 1, START) };
    // A touch has no receipt: over a connection that breaks it is not sent twice.
    let errors = [store.commit(&touch).await.unwrap_err(), store.commit(&touch).await.unwrap_err()];
    assert!(errors.iter().all(|e| matches!(e, StoreError::Unknown(_) | StoreError::Unavailable(_))), "{errors:?}");
    let read = store.read(&touch.territory, &[], None).await;
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    server.restart();
    assert_eq!(store.read(&touch.territory, &[], None).await.unwrap().seq, 1);
    assert!(matches!(store.commit(&touch).await, Ok(Committed::Done(_))));
}

#[tokio::test]
async fn the_durability_follows_the_servers_settings() {
    let server = Server::start("everysec");
    let store = Redis::connect(options(&server.url(), 2_000)).await.unwrap();
    let Ok(Committed::Done(receipt)) = store.commit(&opening("open")).await else { panic!("expected a receipt") };
    assert_eq!(receipt.durability, Durability::D0_5);
    for (setting, value, level) in [
        ("appendfsync", "always", Durability::D1),
        ("appendonly", "no", Durability::D0),
        ("appendonly", "yes", Durability::D1),
    ] {
        server.command(&["CONFIG", "SET", setting, value]).await;
        let report = store.durability().await.unwrap();
        assert_eq!(report.level, level, "{report:?}");
        assert!(report.facts.contains(&format!("{setting} {value}")), "{report:?}");
    }
    let again = store.commit(&opening("open")).await.unwrap();
    assert!(matches!(again, Committed::Done(receipt) if receipt.durability == Durability::D1));
    // A user who may not read the settings learns nothing of them: unknown, never safe.
    server.command(&["ACL", "SETUSER", "clerk", "on", ">secret", "~*", "+@all", "-config"]).await;
    let url = server.url().replace("unix://", "redis+unix://") + "?user=clerk&pass=secret";
    let clerk = Redis::connect(options(&url, 2_000)).await.unwrap();
    assert_eq!(clerk.durability().await.unwrap().level, Durability::Unknown);
}

#[tokio::test]
async fn an_address_that_is_wrong_is_refused_without_being_repeated() {
    let none = tempfile::tempdir().unwrap();
    let gone = format!("unix://{}/redis.sock", none.path().display());
    for (url, says) in [("redis://user:hunter2@[bad", "expected redis://host:port/db, unix:///path"), (&*gone, "")] {
        let error = open(Settings::Redis(options(url, 500))).await.unwrap_err();
        assert!(matches!(&error, StoreError::Unavailable(text) if text.contains(says)), "{error}");
        assert!(!format!("{error} {error:?} {:?}", options(url, 500)).contains("hunter2"));
    }
}

#[tokio::test]
async fn a_replica_is_refused() {
    let (master, replica) = (Server::start("always"), Server::start("always"));
    replica.command(&["REPLICAOF", "127.0.0.1", "1"]).await;
    let error = Redis::connect(options(&replica.url(), 2_000)).await.unwrap_err();
    assert!(error.to_string().contains("this Redis is a slave; name the master"), "{error}");
    Redis::connect(options(&master.url(), 2_000)).await.unwrap();
}

#[tokio::test]
async fn the_servers_own_clock_counts_when_none_is_given() {
    let server = Server::start("always");
    let store = redis_at(&server.url(), Clock::System).await;
    let territory = "fr-67".parse().unwrap();
    let now = store.read(&territory, &[], None).await.unwrap().at;
    assert!(now.since(Clock::System.now()).max(Clock::System.now().since(now)) < Span::from_secs(5));
    let id = due_command("now", now);
    let txn = Txn { command: Some((id, Digest::of(b""))), at: now, ..opening("now") };
    assert!(matches!(store.commit(&txn).await, Ok(Committed::Done(_))));
    let old = Txn { at: START, epoch: 1, ..opening("old") };
    assert!(matches!(store.commit(&old).await, Ok(Committed::Clock(at)) if at >= now));
}

#[tokio::test]
async fn a_blocked_wait_that_is_given_up_holds_nobody_else_up() {
    let stand = Stand::redis().await;
    stand.done(&stand.txn("begin").await).await;
    for _ in 0..3 {
        let waiting = stand.store.wait(&stand.territory, 1);
        assert!(tokio::time::timeout(Duration::from_millis(20), waiting).await.is_err(), "there was no news");
        stand.record("case/1").await;
    }
    let next = stand.txn("next").await;
    let (woken, receipt) = tokio::join!(stand.store.wait(&stand.territory, 1), stand.done(&next));
    assert_eq!((woken, receipt.seq), (Ok(()), 2));
}

#[tokio::test]
async fn a_commit_a_read_and_a_page_are_one_call_each() {
    let server = Server::start("always");
    let store = redis_at(&server.url(), Clock::manual(START)).await;
    let territory = "fr-67".parse().unwrap();
    store.commit(&opening("open")).await.unwrap();
    store.read(&territory, &[], None).await.unwrap();
    store.range(&territory, &index("open"), None, 1).await.unwrap();
    server.command(&["CONFIG", "RESETSTAT"]).await;
    for n in 0..10 {
        store.commit(&Txn { epoch: 1, ..opening(&format!("{n}")) }).await.unwrap();
        store.read(&territory, &[key("case/1")], Some(command("open"))).await.unwrap();
        store.range(&territory, &index("open"), None, 1).await.unwrap();
    }
    let count: String = redis::from_redis_value(server.command(&["INFO", "commandstats"]).await).unwrap();
    assert!(count.contains("cmdstat_evalsha:calls=30,"), "{count}");
    assert!(!count.contains("cmdstat_sadd") && !count.contains("cmdstat_exists"), "{count}");
}

#[tokio::test]
async fn every_key_stands_under_the_prefix_and_the_hash_tag_and_receipts_end() {
    let server = Server::start("always");
    let store = redis_at(&server.url(), Clock::manual(START)).await;
    let mut txn = opening("open");
    txn.ops.push(put_numbered("case/2", "x", "number/d"));
    store.commit(&txn).await.unwrap();
    let keys: Vec<String> = redis::from_redis_value(server.command(&["KEYS", "*"]).await).unwrap();
    assert_eq!(keys.len(), 7, "{keys:?}");
    for key in &keys {
        assert!(key.starts_with("it:1:{fr-67}:"), "{key}");
        let ends = server.command(&["PTTL", key]).await != redis::Value::Int(-1);
        assert_eq!(ends, key.contains(":receipt:"), "{key}");
    }
}

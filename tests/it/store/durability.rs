//! What a receipt says is what the servers have done: levels, policies, and what is refused before the first write.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Command, Output, Stdio},
    sync::Arc,
    time::Duration,
};

use sas_dispatch::{
    domain::ids::TerritoryId,
    store::{
        Committed, Durability, Promise, Store, StoreError, Txn,
        redis::{Redis, RedisOptions},
    },
};

use super::callers::{D1, D2, degraded, insist, logged, options, promising, vital, writing};
use crate::support::{
    redis::{Server, until},
    topology::Replicated,
};

fn territory() -> TerritoryId {
    "fr-67".parse().unwrap()
}

/// Level and seq of an acknowledged commit.
async fn done(store: &dyn Store, txn: &Txn) -> (Durability, u64) {
    match store.commit(txn).await {
        Ok(Committed::Done(receipt)) => (receipt.durability, receipt.seq),
        other => panic!("expected an acknowledged commit, got {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_replica_leaves_strict_commands_unknown_and_then_refused_and_degraded_ones_at_d1() {
    let redis = Replicated::without_sentinels().await;
    let [master, replica] = &redis.servers;
    let (store, here) = (promising(&master.url(), D2).await, territory());
    assert_eq!(insist(store.as_ref(), &writing(&here, "first", 0), Durability::D2).await, 1);
    replica.signal("STOP");
    // Nobody knows yet: it is written here, and what is only here is not shown.
    let second = writing(&here, "second", 1);
    let error = store.commit(&second).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unknown(why) if why.contains("D1 reached so far; D2 is needed")), "{error}");
    assert_eq!(store.log(&here, 0, 10).await.unwrap().len(), 1, "a reader sees what the replica has");
    // Then the master misses it too: refused beforehand.
    until("the master misses its replica", async || store.durability().await.unwrap().level == Durability::D1).await;
    let head = async || store.read(&here, &[], None).await.unwrap().seq;
    let before = head().await;
    let refused = store.commit(&writing(&here, "third", 1)).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Unavailable(why) if why.contains("D2 is needed")), "{refused}");
    assert_eq!(head().await, before, "nothing was written");
    // A vital emergency goes on, with what it really reached.
    let (level, seq) = done(store.as_ref(), &degraded(writing(&here, "vital", 1))).await;
    assert_eq!((level, seq), (Durability::D1, before + 1));
    replica.signal("CONT");
    assert_eq!(
        insist(store.as_ref(), &second, Durability::D2).await,
        2,
        "the repeated command learns that it was done"
    );
    let vital = degraded(writing(&here, "vital", 1));
    until("the replica has it too", async || done(store.as_ref(), &vital).await == (Durability::D2, seq)).await;
    assert_eq!(logged(store.as_ref(), &here, 0).await.len() as u64, head().await);
}

#[tokio::test]
async fn no_receipt_says_d2_unless_replicas_were_waited_for() {
    let redis = Replicated::without_sentinels().await;
    let store = promising(&redis.servers[0].url(), D1).await;
    assert_eq!(done(store.as_ref(), &writing(&territory(), "first", 0)).await, (Durability::D1, 1));
    assert_eq!(store.durability().await.unwrap().level, Durability::D1);
}

#[tokio::test]
async fn a_replica_that_does_not_flush_makes_no_d2_and_is_named() {
    let redis = Replicated::without_sentinels().await;
    let [master, replica] = &redis.servers;
    replica.command(&["CONFIG", "SET", "appendfsync", "everysec"]).await;
    let (store, here) = (promising(&master.url(), D2).await, territory());
    let report = store.durability().await.unwrap();
    let says = format!("réplique {} : « appendfsync always » no", replica.address());
    assert!(report.level == Durability::D1 && report.remarks.join("\n").contains(&says), "{report:?}");
    assert!(matches!(store.commit(&writing(&here, "first", 0)).await, Err(StoreError::Unavailable(_))));
    assert_eq!(done(store.as_ref(), &degraded(writing(&here, "vital", 0))).await, (Durability::D1, 1));
    replica.command(&["CONFIG", "SET", "appendfsync", "always"]).await;
    assert_eq!(insist(store.as_ref(), &writing(&here, "first", 1), Durability::D2).await, 2);
}

#[tokio::test]
async fn settings_that_change_while_the_service_runs_are_noticed() {
    let server = Server::start("always");
    let audited = RedisOptions { audit_every: Duration::from_millis(100), ..options(&server.url(), D1) };
    let (store, here): (Arc<dyn Store>, _) = (Arc::new(Redis::connect(audited).await.unwrap()), territory());
    done(store.as_ref(), &writing(&here, "first", 0)).await;
    for (setting, bad, good, left) in [
        ("appendfsync", "everysec", "always", Durability::D0_5),
        ("appendonly", "no", "yes", Durability::D0),
        ("no-appendfsync-on-rewrite", "yes", "no", Durability::D0_5),
    ] {
        server.command(&["CONFIG", "SET", setting, bad]).await;
        let touch = || Txn::touch(here.clone(), 1, super::stand::START);
        let refused =
            async || matches!(store.commit(&touch()).await, Err(StoreError::Unavailable(why)) if why.contains("D1"));
        until(setting, refused).await;
        // D1 is the least even for what goes on below the promise, save for a vital emergency: nothing is its least.
        assert!(matches!(store.commit(&degraded(touch())).await, Err(StoreError::Unavailable(_))), "{setting}");
        assert_eq!(done(store.as_ref(), &vital(touch())).await.0, left, "{setting}");
        server.command(&["CONFIG", "SET", setting, good]).await;
        until(setting, async || store.commit(&touch()).await.is_ok()).await;
    }
}

#[tokio::test]
async fn a_full_disk_is_refused_before_the_first_write() {
    let full = ["sh", "-c", "trap '' XFSZ; ulimit -f 64; exec redis-server \"$@\"", "sh"];
    let server = Server::around(&full, None, &["--appendfsync", "everysec"]);
    let (store, here) = (Redis::connect(options(&server.url(), Promise::NONE)).await.unwrap(), territory());
    let mut seq = done(&store, &writing(&here, "first", 0)).await.1;
    let refused = loop {
        let large = Txn { event: Some(vec![7; 4_000]), ..writing(&here, &format!("large {seq}"), 1) };
        match store.commit(&large).await {
            Ok(Committed::Done(receipt)) => seq = receipt.seq,
            Err(error) => break error,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(&refused, StoreError::Unavailable(why) if why.contains("MISCONF")), "{refused}");
    assert_eq!(store.read(&here, &[], None).await.unwrap().seq, seq, "nothing of it was written");
    let remarks = store.durability().await.unwrap().remarks;
    assert!(remarks.iter().any(|remark| remark.contains("aof_last_write_status")), "{remarks:?}");
}

#[tokio::test]
async fn a_server_that_stops_at_a_full_disk_has_lost_nothing_that_was_acknowledged() {
    let full = ["sh", "-c", "trap '' XFSZ; ulimit -f 64; exec redis-server \"$@\"", "sh"];
    let mut server = Server::around(&full, None, &["--appendfsync", "always"]);
    let (store, here) = (promising(&server.url(), D1).await, territory());
    let mut acknowledged = done(store.as_ref(), &writing(&here, "first", 0)).await.1;
    let large = |n: u64| Txn { event: Some(vec![7; 4_000]), ..writing(&here, &format!("large {n}"), 1) };
    while let Ok(Committed::Done(receipt)) = store.commit(&large(acknowledged)).await {
        acknowledged = receipt.seq;
    }
    // Redis itself will not go on when it cannot flush what it is about to acknowledge.
    server.ended();
    server.restart_plainly();
    assert_eq!(insist(store.as_ref(), &large(acknowledged), Durability::D1).await, acknowledged + 1);
    let log: Vec<u64> = logged(store.as_ref(), &here, 0).await.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(log, (1..=acknowledged + 1).collect::<Vec<_>>());
}

#[tokio::test]
async fn every_reply_comes_after_the_flush_of_what_it_acknowledges() {
    let permitted = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    if !permitted.is_ok_and(|output| output.status.success()) {
        println!("skipped: this machine does not permit strace (ptrace), or lacks it (apt-get install strace)");
        return;
    }
    let traced = ["strace", "-D", "-f", "-y", "-s", "64", "-o", "trace", "-e", "trace=write,writev,fdatasync,fsync"];
    let server = Server::around(&[&traced[..], &["redis-server"]].concat(), None, &["--appendfsync", "always"]);
    let (store, here) = (promising(&server.url(), D1).await, territory());
    done(store.as_ref(), &writing(&here, "first", 0)).await;
    for n in 0..20 {
        done(store.as_ref(), &writing(&here, &format!("next {n}"), 1)).await;
    }
    let trace = server.dir.path().join("trace");
    let replies = || answered_after_their_flush(&std::fs::read_to_string(&trace).unwrap(), server.pid());
    until("the last reply in the trace, which is written after it was sent", async || replies() == 21).await;
}

/// How many replies the thread that answers has sent, each behind the flush of the file. Other threads and the child that
/// writes a new file are left out; a call that strace tells in two lines, as another one came between, is put together.
fn answered_after_their_flush(trace: &str, answering: u32) -> usize {
    let (mut begun, mut written, mut flushed, mut replies) = (String::new(), 0, 0, 0);
    let mine = |line: &'_ str| line.strip_prefix(&format!("{answering} ")).map(|call| call.trim_start().to_owned());
    for line in trace.lines().filter_map(mine) {
        if let Some(half) = line.strip_suffix("<unfinished ...>") {
            begun = half.to_owned();
            continue;
        }
        let call = match line.strip_prefix("<... ") {
            Some(rest) => std::mem::take(&mut begun) + rest,
            None => line,
        };
        let aof = call.contains(".aof>");
        match () {
            () if aof && call.contains("write") => written += 1,
            () if aof && call.contains("sync(") && call.ends_with("= 0") => flushed = written,
            () if call.contains("done") && !aof => {
                replies += 1;
                assert!(written >= replies && flushed == written, "a reply before its flush: {call}");
            }
            () => {}
        }
    }
    replies
}

/// What `serve` prints and how it ends, on this Redis with these lines of the configuration's store: by itself, or by Ctrl-C
/// once it has warned, which is the last that it says when it listens.
fn served(url: &str, replace: &[(&str, &str)]) -> Output {
    let config = tempfile::tempdir().unwrap();
    let shipped = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let copied = Command::new("cp").arg("-r").arg(shipped).arg(config.path().join("config")).status().unwrap();
    assert!(copied.success());
    let file = config.path().join("config/default.toml");
    let mut text = std::fs::read_to_string(&file).unwrap();
    for (old, new) in replace {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
    }
    std::fs::write(&file, text).unwrap();
    // It hands the signal on, and bounds what never listens.
    let mut serve = Command::new("timeout")
        .args(["--signal=INT", "--kill-after=20", "60", env!("CARGO_BIN_EXE_sas-dispatch")])
        .args(["serve", "--listen", "127.0.0.1:0", "--redis", url, "--config"])
        .args([config.path().join("config"), "--data".into(), config.path().join("data")])
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(config.path().join("stderr")).unwrap())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut stdout = BufReader::new(serve.stdout.take().unwrap());
    while stdout.read_line(&mut said).unwrap() > 0 && !said.contains("ATTENTION") {}
    if said.contains("ATTENTION") {
        assert!(Command::new("kill").args(["-INT", &serve.id().to_string()]).status().unwrap().success());
    }
    stdout.read_to_string(&mut said).unwrap();
    let status = serve.wait().unwrap();
    Output { status, stdout: said.into_bytes(), stderr: std::fs::read(config.path().join("stderr")).unwrap() }
}

#[tokio::test]
async fn a_start_below_the_promise_is_refused_in_words_or_says_that_it_is_degraded() {
    let server = Server::start("everysec");
    let output = served(&server.url(), &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected =
        "durabilité D0.5, alors que D1 est promise ; appendfsync vaut everysec : mettez « appendfsync always »";
    assert!(output.status.code() == Some(2) && said.contains(expected), "{:?} {said}", output.status);
    let output = served(&server.url(), &[("below = \"refuse\"", "below = \"degraded\"")]);
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(said.contains("sas-dispatch écoute sur") && said.contains("ATTENTION : durabilité D0.5"), "{said}");
}

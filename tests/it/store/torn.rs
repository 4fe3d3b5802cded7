//! A Redis that was killed in the middle of an append has half a commit at the end of its file. What is acknowledged
//! afterwards is not joined with that half, whatever happens next.

use std::path::PathBuf;

use sas_dispatch::store::{Durability, Promise, Store, StoreError, redis::Redis};

use super::callers::{D1, options, writing};
use crate::support::redis::{Server, until};

/// Where the last transaction is cut off, in parts of its length; the last cut is before `EXEC` and inside no command.
const CUTS: [f64; 4] = [0.1, 0.5, 0.9, 1.0];
const EXEC: &[u8] = b"*1\r\n$4\r\nEXEC\r\n";

/// The file the server appends to.
fn appended(server: &Server) -> PathBuf {
    let folder = server.dir.path().join("appendonlydir");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.to_string_lossy().ends_with(".incr.aof")).max().unwrap()
}

/// Kills the server and leaves of its last transaction what a kill in the middle of its append leaves.
fn killed_in_mid_append(server: &mut Server, cut: f64) {
    server.kill();
    let file = appended(server);
    let bytes = std::fs::read(&file).unwrap();
    let multi = b"*1\r\n$5\r\nMULTI\r\n";
    let from = bytes.windows(multi.len()).rposition(|window| window == multi).unwrap() + multi.len();
    let whole = bytes.len() - EXEC.len() - from;
    let kept = from + (whole as f64 * cut) as usize;
    std::fs::write(&file, &bytes[..kept]).unwrap();
    server.restart();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_commit_at_the_end_of_the_file_never_joins_what_is_acknowledged_after_it() {
    let here = "fr-67".parse().unwrap();
    for (cut, at_once) in CUTS.into_iter().flat_map(|cut| [(cut, false), (cut, true)]) {
        let mut server = Server::start("always");
        let store = Redis::connect(options(&server.url(), Promise::NONE)).await.unwrap();
        store.commit(&writing(&here, "first", 0)).await.unwrap();
        store.commit(&writing(&here, "nobody was told", 1)).await.unwrap();
        drop(store);
        killed_in_mid_append(&mut server, cut);
        let store = Redis::connect(options(&server.url(), Promise::NONE)).await.unwrap();
        assert_eq!(store.read(&here, &[], None).await.unwrap().seq, 1, "cut at {cut}: Redis leaves the half out");
        let told = writing(&here, "told", 1);
        store.commit(&told).await.unwrap();
        if at_once {
            server.kill();
            server.restart_supervised();
        } else {
            until("the new file is whole", async || server.says(&["INFO"], "aof_rewrite_in_progress:0").await).await;
            server.kill();
            server.restart();
        }
        let log = store.log(&here, 1, 10).await.unwrap();
        let commands: Vec<_> = log.iter().map(|entry| (entry.seq, Some(entry.command_id))).collect();
        let expected = told.command.map(|(id, _)| id);
        assert_eq!(commands, [(2, expected)], "cut at {cut}, killed at once: {at_once}");
    }
}

#[tokio::test]
async fn a_server_that_may_not_begin_a_new_file_keeps_less_than_is_promised_and_says_what_to_change() {
    let server = Server::start("always");
    server.command(&["ACL", "SETUSER", "clerk", "on", ">secret", "~*", "+@all", "-bgrewriteaof"]).await;
    let url = server.url().replace("unix://", "redis+unix://") + "?user=clerk&pass=secret";
    let store = Redis::connect(options(&url, D1)).await.unwrap();
    let report = store.durability().await.unwrap();
    assert_eq!(report.level, Durability::Unknown);
    assert!(report.remarks.iter().any(|remark| remark.contains("« +bgrewriteaof »")), "{:?}", report.remarks);
    let refused = store.commit(&writing(&"fr-67".parse().unwrap(), "first", 0)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    // A server that refuses to start on such a file has no such end.
    server.command(&["CONFIG", "SET", "aof-load-truncated", "no"]).await;
    assert_eq!(store.durability().await.unwrap().level, Durability::D1);
}

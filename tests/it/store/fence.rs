//! Whoever answers, this instance knows whether it is the store it knew: another history is fenced, an old backup
//! refuses writes until an operator has spoken, and nothing that was lost is answered as done.

pub mod backups;
mod files;
mod forks;
mod primaries;

use std::{path::Path, sync::Arc, time::Duration};

use sas_dispatch::{
    clock::Clock,
    domain::ids::TerritoryId,
    store::{
        Committed, Digest, Durability, Receipt, Store, StoreError, Txn,
        fence::{FenceOptions, Fenced, Mark, kept::Keeper, restore},
    },
    telemetry::Metrics,
};

use super::stand::{START, command, index, key, put, put_numbered, redis_at};
use crate::support::redis::Server;

/// Longer than any story: the file is written when the story says so.
const NEVER: Duration = Duration::from_secs(3_600);

fn land() -> TerritoryId {
    "fr-67".parse().unwrap()
}

/// One instance of the service, as far as the store goes.
pub struct Instance {
    pub fence: Arc<Fenced>,
    epoch: u64,
}

impl Instance {
    /// Connects to `server`; what it acknowledges is kept in `folder`.
    async fn at(server: &Server, folder: &Path) -> Self {
        Self::over(redis_at(&server.url(), Clock::manual(START)).await, folder).await
    }

    pub async fn over(inner: Arc<dyn Store>, folder: &Path) -> Self {
        Self::promising(Durability::D1, inner, folder).await
    }

    /// Where the site promises `promised`.
    pub async fn promising(promised: Durability, inner: Arc<dyn Store>, folder: &Path) -> Self {
        let keeper = Some(Keeper::open(folder, "one").unwrap());
        let (clock, metrics) = (Clock::manual(START), Metrics::silent());
        let fence = Fenced::over(inner, FenceOptions { keeper, every: NEVER, clock, metrics, promised });
        let epoch = fence.read(&land(), &[], None).await.unwrap().epoch;
        Self { fence, epoch }
    }

    /// A command that writes a record of its name.
    fn txn(&self, name: &str) -> Txn {
        Txn {
            command: Some((command(name), Digest::of(name.as_bytes()))),
            schema: 1,
            event: Some(format!("event of {name}").into_bytes()),
            ops: vec![put(&format!("case/{name}"), name)],
            ..Txn::touch(land(), self.epoch, START)
        }
    }

    /// Sends it as the engine does: an unknown outcome is asked again.
    async fn send(&self, txn: &Txn) -> Result<Committed, StoreError> {
        loop {
            match self.fence.commit(txn).await {
                Err(StoreError::Unknown(_) | StoreError::Unavailable(_)) => {}
                answer => return answer,
            }
        }
    }

    /// Commits one after the other; after a fence it reads again, once each.
    pub async fn done(&mut self, names: &[&str]) -> Vec<Receipt> {
        let mut receipts = Vec::new();
        for name in names {
            receipts.push(match self.send(&self.txn(name)).await {
                Err(StoreError::Fenced { .. }) => {
                    self.read_again().await;
                    acknowledged(self.send(&self.txn(name)).await)
                }
                answer => acknowledged(answer),
            });
            self.epoch = self.epoch.max(1);
        }
        receipts
    }

    async fn read_again(&mut self) {
        self.epoch = self.fence.read(&land(), &[], None).await.unwrap().epoch;
    }

    /// Reads the whole log, as a watcher does, and says its commands.
    async fn sees(&self) -> Vec<String> {
        let entries = self.fence.log(&land(), 0, 1_000).await.unwrap();
        assert!(entries.iter().zip(1..).all(|(entry, seq)| entry.seq == seq), "without a gap");
        entries.into_iter().map(|entry| String::from_utf8(entry.event).unwrap().replace("event of ", "")).collect()
    }

    async fn has(&self, name: &str) -> bool {
        let key = key(&format!("case/{name}"));
        self.fence.read(&land(), std::slice::from_ref(&key), None).await.unwrap().records[&key].is_some()
    }

    fn resets(&self) -> u64 {
        self.fence.generation(&land())
    }
}

fn acknowledged(answer: Result<Committed, StoreError>) -> Receipt {
    match answer {
        Ok(Committed::Done(receipt)) => receipt,
        other => panic!("expected an acknowledged commit, got {other:?}"),
    }
}

fn behind(acknowledged: u64, head: u64) -> Result<Committed, StoreError> {
    Err(StoreError::Behind { territory: land(), acknowledged, head })
}

/// The operator's `restore` with everything that instances kept in `folder`.
async fn restored(server: &Server, folder: &Path) -> restore::Report {
    let store = redis_at(&server.url(), Clock::manual(START)).await;
    let marks: Vec<Mark> = sas_dispatch::store::fence::kept::read_all(folder, "one").unwrap().remove(&land()).unwrap();
    restore::restore(store.as_ref(), &land(), &marks, false).await.unwrap()
}

#[tokio::test]
async fn an_uncontended_commit_stays_one_call() {
    let (server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let mut one = Instance::at(&server, folder.path()).await;
    one.done(&["begin"]).await;
    server.command(&["CONFIG", "RESETSTAT"]).await;
    for n in 0..10 {
        one.done(&[&format!("{n}")]).await;
    }
    let count: String = redis::from_redis_value(server.command(&["INFO", "commandstats"]).await).unwrap();
    assert!(count.contains("cmdstat_evalsha:calls=10,"), "{count}");
    assert!(!count.contains("cmdstat_xrange"), "{count}");
}

#[tokio::test]
async fn the_same_data_after_a_restart_are_looked_at_once_and_work_goes_on() {
    let (mut server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let mut one = Instance::at(&server, folder.path()).await;
    one.done(&["a", "b", "c"]).await;
    server.kill();
    server.restart();
    one.done(&["d"]).await;
    assert_eq!((one.resets(), one.epoch), (0, 1));
    // Another process, which knows only what the first one kept.
    drop(one);
    let mut next = Instance::at(&server, folder.path()).await;
    server.command(&["CONFIG", "RESETSTAT"]).await;
    assert_eq!(next.done(&["e", "f"]).await.last().unwrap().seq, 6);
    assert_eq!(next.resets(), 0);
    let count: String = redis::from_redis_value(server.command(&["INFO", "commandstats"]).await).unwrap();
    assert!(count.contains("cmdstat_evalsha:calls=2,"), "it was compared when it first read: {count}");
}

#[tokio::test]
async fn another_epoch_resets_readers_also_where_the_history_is_the_same() {
    let (server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let mut one = Instance::at(&server, folder.path()).await;
    let mut other = Instance::at(&server, folder.path()).await;
    one.done(&["a"]).await;
    other.read_again().await;
    let report = restore::restore(&*redis_at(&server.url(), Clock::manual(START)).await, &land(), &[], false).await;
    assert_eq!(report.map(|report| (report.before, report.epoch)), Ok((1, 2)));
    assert_eq!(one.send(&one.txn("b")).await, Err(StoreError::Fenced { current: 2 }));
    assert_eq!(one.resets(), 1);
    assert_eq!((other.sees().await, other.resets()), (vec!["a".to_owned()], 0), "nobody has told it yet");
    other.read_again().await;
    assert_eq!(other.resets(), 1);
    one.done(&["b"]).await;
    other.done(&["c"]).await;
    assert_eq!(one.sees().await, ["a", "b", "c"]);
}

//! Callers that commit command after command through whatever befalls the servers, and what was acknowledged to them.

use std::{sync::Arc, time::Duration};

use sas_dispatch::{
    clock::Clock,
    domain::ids::{CommandId, TerritoryId},
    store::{
        Committed, Digest, Durability, Policy, Promise, Store, StoreError, Txn,
        redis::{Redis, RedisOptions},
    },
};
use tokio::{sync::mpsc, task::JoinHandle};

use super::stand::{START, add, command, put};

/// D2 with one replica that has half a second to answer.
pub const D2: Promise = Promise { level: Durability::D2, replicas: 1, wait: Duration::from_millis(500) };

/// D1 and no replicas.
pub const D1: Promise = Promise { level: Durability::D1, ..Promise::NONE };

pub fn options(url: &str, promise: Promise) -> RedisOptions {
    let (prefix, clock) = ("it".to_owned(), Clock::manual(START));
    // So seldom that every story has ended: what must be noticed at once is noticed without it.
    let audit_every = Duration::from_secs(600);
    RedisOptions { prefix, clock, promise, audit_every, ..RedisOptions::new(url) }
}

/// A store that keeps this promise.
pub async fn promising(url: &str, promise: Promise) -> Arc<dyn Store> {
    Arc::new(Redis::connect(options(url, promise)).await.unwrap())
}

/// The transaction of command `name`: a record, a place in an index, an event.
pub fn writing(territory: &TerritoryId, name: &str, epoch: u64) -> Txn {
    Txn {
        command: Some((command(name), Digest::of(b""))),
        schema: 1,
        event: Some(name.as_bytes().to_vec()),
        ops: vec![put(&format!("case/{name}"), "written"), add("open", 1, name)],
        ..Txn::touch(territory.clone(), epoch, START)
    }
}

/// The same, acknowledged below the promise when it must be.
pub fn degraded(txn: Txn) -> Txn {
    Txn { policy: Policy::Degraded, ..txn }
}

/// The same, acknowledged whatever level is reached.
pub fn vital(txn: Txn) -> Txn {
    Txn { policy: Policy::Vital, ..txn }
}

/// Repeats a transaction until it is acknowledged; answers its seq. Fails when that does not come within a minute.
pub async fn insist(store: &dyn Store, txn: &Txn, level: Durability) -> u64 {
    let mut last = None;
    let repeated = async {
        let mut again = tokio::time::interval(Duration::from_millis(5));
        loop {
            match store.commit(txn).await {
                Ok(Committed::Done(receipt)) => {
                    assert_eq!(receipt.durability, level);
                    return receipt.seq;
                }
                Err(error @ (StoreError::Unknown(_) | StoreError::Unavailable(_))) => last = Some(error),
                other => panic!("{other:?}"),
            }
            again.tick().await;
        }
    };
    let seq = tokio::time::timeout(Duration::from_secs(60), repeated).await;
    seq.unwrap_or_else(|_| panic!("never acknowledged; last: {last:?}"))
}

/// Several callers, each with its own commands.
pub struct Callers {
    acknowledged: mpsc::UnboundedReceiver<(u64, CommandId)>,
    heard: Vec<(u64, CommandId)>,
    tasks: Vec<JoinHandle<()>>,
}

impl Callers {
    /// `callers` callers who commit `each` commands one after the other, repeating each until it is acknowledged at
    /// `level`. The territory has begun.
    pub fn start(store: &Arc<dyn Store>, territory: &TerritoryId, callers: u32, each: u32, level: Durability) -> Self {
        let (said, acknowledged) = mpsc::unbounded_channel();
        let call = |caller: u32| {
            let (store, territory, said) = (Arc::clone(store), territory.clone(), said.clone());
            tokio::spawn(async move {
                for n in 0..each {
                    let name = format!("{caller}-{n}");
                    let seq = insist(store.as_ref(), &writing(&territory, &name, 1), level).await;
                    said.send((seq, command(&name))).unwrap();
                }
            })
        };
        Self { acknowledged, heard: Vec::new(), tasks: (0..callers).map(call).collect() }
    }

    /// Returns when so many commands have been acknowledged in all.
    pub async fn heard(&mut self, count: usize) {
        while self.heard.len() < count {
            self.heard.push(self.acknowledged.recv().await.expect("callers that go on"));
        }
    }

    /// Returns when so many more have been acknowledged, or after half a second in which they were not.
    pub async fn may_hear(&mut self, more: usize) {
        let wanted = self.heard.len() + more;
        tokio::time::timeout(Duration::from_millis(500), self.heard(wanted)).await.ok();
    }

    /// All that was acknowledged once every caller has done, by seq.
    pub async fn all(mut self) -> Vec<(u64, CommandId)> {
        while let Some(acknowledged) = self.acknowledged.recv().await {
            self.heard.push(acknowledged);
        }
        for task in self.tasks {
            task.await.unwrap();
        }
        self.heard.sort_unstable();
        self.heard
    }
}

/// Seq and command of every log entry after `after`, once the log is shown up to its head: what the replicas do not have
/// yet is held back. Fails when that does not come within a minute.
pub async fn logged(store: &dyn Store, territory: &TerritoryId, after: u64) -> Vec<(u64, CommandId)> {
    let mut all: Vec<(u64, CommandId)> = Vec::new();
    let read = async {
        let mut again = tokio::time::interval(Duration::from_millis(20));
        loop {
            let head = store.read(territory, &[], None).await.map_or(u64::MAX, |read| read.seq);
            let from = all.last().map_or(after, |(seq, _)| *seq);
            if from == head {
                return;
            }
            let page = store.log(territory, from, 1_000).await.unwrap_or_default();
            all.extend(page.iter().map(|entry| (entry.seq, entry.command_id)));
            again.tick().await;
        }
    };
    let shown = tokio::time::timeout(Duration::from_secs(60), read).await;
    assert!(shown.is_ok(), "the log never came up to its head: {} entries", all.len());
    all
}

//! What a story of the store stands on: a real engine, a hand-driven clock, one territory, and short ways to write a
//! transaction.

use std::{any::Any, sync::Arc};

use sas_dispatch::{
    clock::Clock,
    domain::{
        ids::{CommandId, TerritoryId},
        time::{Instant, Span},
    },
    store::{
        Committed, Conflict, Counter, Digest, Guard, Index, Key, Member, Op, Receipt, Record, Score, Settings, Store,
        StoreError, Txn, Version, due_command,
        dump::{Portable, open_portable},
        embedded::Embedded,
        open,
        redis::RedisOptions,
    },
};

use crate::support::redis::Server;

/// 26 December 2024, 08:00 in Strasbourg.
pub const START: Instant = Instant::from_unix_ms(1_735_196_400_000);

pub struct Stand {
    pub store: Arc<dyn Store>,
    /// The same engine, for dumps and loads.
    pub whole: Arc<dyn Portable>,
    pub clock: Clock,
    pub territory: TerritoryId,
    /// Opens the same state again, on another clock.
    reopen: Box<dyn Fn(Clock) -> Reopening + Send + Sync>,
    /// Directories and servers that live as long as the stand.
    _keep: Box<dyn Any + Send + Sync>,
}

type Reopening = std::pin::Pin<Box<dyn Future<Output = Arc<dyn Portable>> + Send>>;

impl Stand {
    pub async fn embedded() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::manual(START);
        let path = dir.path().to_owned();
        let whole: Arc<dyn Portable> = Arc::new(Embedded::open(&path, clock.clone()).unwrap());
        let reopen = Box::new(move |clock| {
            let path = path.clone();
            Box::pin(async move { Arc::new(Embedded::open(path, clock).unwrap()) as Arc<dyn Portable> }) as Reopening
        });
        let (store, territory) = (whole.clone() as Arc<dyn Store>, "fr-67".parse().unwrap());
        Self { store, whole, clock, territory, reopen, _keep: Box::new(dir) }
    }

    pub async fn redis() -> Self {
        let server = Server::start("always");
        let stand = Self::beside(&server).await;
        Self { _keep: Box::new(server), ..stand }
    }

    /// A stand on a server that the story keeps to itself.
    pub async fn beside(server: &Server) -> Self {
        let (clock, url) = (Clock::manual(START), server.url());
        let whole = whole_redis_at(&url, clock.clone()).await;
        let reopen = Box::new(move |clock| {
            let url = url.clone();
            Box::pin(async move { whole_redis_at(&url, clock).await }) as Reopening
        });
        let (store, territory) = (whole.clone() as Arc<dyn Store>, "fr-67".parse().unwrap());
        Self { store, whole, clock, territory, reopen, _keep: Box::new(()) }
    }

    /// Closes the store and opens it again on `clock`.
    pub async fn reopen(self, clock: Clock) -> Self {
        drop((self.store, self.whole));
        let whole = (self.reopen)(clock.clone()).await;
        Self { store: whole.clone(), whole, clock, territory: self.territory, reopen: self.reopen, _keep: self._keep }
    }

    pub fn pass(&self, span: Span) {
        self.clock.advance_to(self.clock.now() + span);
    }

    /// A transaction of command `name` at the clock's now, with an event, in the current epoch.
    pub async fn txn(&self, name: &str) -> Txn {
        let epoch = self.store.read(&self.territory, &[], None).await.unwrap().epoch;
        let command = Some((command(name), Digest::of(name.as_bytes())));
        let mut txn = Txn::touch(self.territory.clone(), epoch, self.clock.now());
        txn.schema = 1;
        Txn { command, event: Some(format!("event of {name}").into_bytes()), outcome: b"outcome".to_vec(), ..txn }
    }

    pub async fn touch(&self) -> Txn {
        Txn { command: None, event: None, outcome: Vec::new(), ..self.txn("touch").await }
    }

    pub async fn done(&self, txn: &Txn) -> Receipt {
        match self.store.commit(txn).await {
            Ok(Committed::Done(receipt)) => receipt,
            other => panic!("expected an acknowledged commit, got {other:?}"),
        }
    }

    pub async fn conflict(&self, txn: &Txn) -> Conflict {
        match self.store.commit(txn).await {
            Ok(Committed::Conflict(conflict)) => conflict,
            other => panic!("expected a conflict, got {other:?}"),
        }
    }

    pub async fn refused(&self, txn: &Txn) -> StoreError {
        self.store.commit(txn).await.expect_err("the transaction should be refused")
    }

    pub async fn record(&self, key: &str) -> Option<Record> {
        let key = self::key(key);
        self.store.read(&self.territory, std::slice::from_ref(&key), None).await.unwrap().records[&key].clone()
    }

    pub async fn version(&self, key: &str) -> Version {
        self.record(key).await.expect("the record should exist").version
    }

    /// Seqs and event texts of the whole log.
    pub async fn log(&self) -> Vec<(u64, String)> {
        let entries = self.store.log(&self.territory, 0, 1_000).await.unwrap();
        entries.into_iter().map(|e| (e.seq, String::from_utf8(e.event).unwrap())).collect()
    }

    /// Scores and members of a whole index.
    pub async fn index(&self, name: &str) -> Vec<(Score, String)> {
        let page = self.store.range(&self.territory, &index(name), None, 1_000).await.unwrap();
        page.entries.into_iter().map(|(score, member)| (score, member.0)).collect()
    }
}

/// A store on a running server, under the prefix `it`.
pub async fn redis_at(url: &str, clock: Clock) -> Arc<dyn Store> {
    let options = RedisOptions { prefix: "it".to_owned(), clock, ..RedisOptions::new(url) };
    open(Settings::Redis(options)).await.unwrap()
}

/// The same store, for dumps and loads.
pub async fn whole_redis_at(url: &str, clock: Clock) -> Arc<dyn Portable> {
    let options = RedisOptions { prefix: "it".to_owned(), clock, ..RedisOptions::new(url) };
    open_portable(Settings::Redis(options)).await.unwrap()
}

/// The command of that name, made at [`START`].
pub fn command(name: &str) -> CommandId {
    due_command(name, START)
}

pub fn key(name: &str) -> Key {
    Key::from_stored(name)
}

pub fn index(name: &str) -> Index {
    Index::from_stored(name)
}

pub fn member(name: &str) -> Member {
    Member(name.to_owned())
}

pub fn put(name: &str, value: &str) -> Op {
    Op::Put { key: key(name), value: value.as_bytes().to_vec(), number: None }
}

pub fn put_numbered(name: &str, value: &str, counter: &str) -> Op {
    let number = Some(Counter::from_stored(counter));
    Op::Put { key: key(name), value: value.as_bytes().to_vec(), number }
}

pub fn add(name: &str, score: Score, text: &str) -> Op {
    Op::IndexAdd(index(name), score, member(text))
}

pub fn remove(name: &str, text: &str) -> Op {
    Op::IndexRemove(index(name), member(text))
}

pub fn first(name: &str, head: Option<&str>) -> Guard {
    Guard::First(index(name), head.map(member))
}

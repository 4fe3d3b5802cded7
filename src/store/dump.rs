//! A territory as a whole: read out row by row, and put into an empty place. For moving a site and for its export; no
//! command of the service comes this way.
//!
//! A dump is of one moment. The embedded engine reads in one transaction; Redis is read in pages, and a dump during which
//! the territory was written ends with [`Page::Moved`]: it is to be thrown away and begun again. A load is seen complete
//! or not at all: until [`Load::finish`] the embedded engine has written nothing, and on Redis a mark at the head makes
//! every read and commit of the territory answer that a load was broken off.

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::{
    ids::{CommandId, TerritoryId},
    time::Instant,
};

use super::{
    Counter, Digest, Index, Key, LogEntry, Member, Record, Score, Settings, Store, StoreError, embedded, redis,
};

/// Most rows that one call hands over.
pub const MAX_ROWS: usize = 1_000;

/// Where a territory stands, beside its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The epoch; a load must raise it, so that instances of the old place are fenced.
    pub epoch: u64,
    /// The head of the log.
    pub seq: u64,
    /// The schema its records are written in.
    pub schema: u32,
    /// How many touches it has seen.
    pub touches: u64,
    /// The last instant the store used for it.
    pub last: Instant,
    /// What the clock showed then.
    pub wall: Instant,
}

/// One row of what a territory owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A record.
    Record(Key, Record),
    /// An entry of an index.
    Entry(Index, Score, Member),
    /// A counter.
    Counter(Counter, u64),
    /// The receipt of a command, while it lives.
    Receipt(KeptReceipt),
    /// An event of the log.
    Log(LogEntry),
}

/// A receipt as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptReceipt {
    /// The command.
    pub command: CommandId,
    /// Digest of its request.
    pub digest: Digest,
    /// Its place in the log.
    pub seq: u64,
    /// Its instant.
    pub at: Instant,
    /// When it was written by the store's time: it answers for 72 h from then.
    pub written: Instant,
    /// The counters' values of its commit.
    pub counts: Vec<u64>,
    /// The caller's own answer.
    pub outcome: Vec<u8>,
}

/// The next piece of a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// Rows: records, index entries, counters, receipts and log entries, in this order, each kind sorted by name or seq.
    Rows(Vec<Row>),
    /// That was all, and all of it is of one moment.
    End,
    /// The territory was written meanwhile: what was read is no state it ever had.
    Moved,
}

/// A dump under way.
#[async_trait]
pub trait Dump: Send {
    /// Where the territory stood when the dump began.
    fn head(&self) -> Head;

    /// The next piece; nothing follows [`Page::End`] or [`Page::Moved`].
    async fn next(&mut self) -> Result<Page, StoreError>;
}

/// A load under way. Dropped before its end, it leaves a territory that is empty (embedded) or refuses to serve (Redis).
#[async_trait]
pub trait Load: Send {
    /// Adds rows, in any order save that log entries come by seq.
    async fn add(&mut self, rows: Vec<Row>) -> Result<(), StoreError>;

    /// Makes everything visible at once.
    async fn finish(self: Box<Self>) -> Result<(), StoreError>;
}

/// What a place does with a load that was broken off there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Refuses, and says so.
    Refuse,
    /// Throws its rest away and begins again. Nothing of it was ever acknowledged to anybody.
    Replace,
}

/// An engine that gives out and takes in whole territories.
#[async_trait]
pub trait Portable: Store {
    /// Where the territory stands; `None` when it has no state.
    async fn stands(&self, territory: &TerritoryId) -> Result<Option<Head>, StoreError>;

    /// Begins a dump; `None` when the territory has no state.
    async fn dump(&self, territory: &TerritoryId) -> Result<Option<Box<dyn Dump>>, StoreError>;

    /// Begins a load. `Unavailable` when the territory has state here already.
    async fn load(&self, territory: &TerritoryId, head: Head, broken: Broken) -> Result<Box<dyn Load>, StoreError>;
}

/// Opens the engine that `settings` name, for dumps and loads; as [`super::open`].
pub async fn open_portable(settings: Settings) -> Result<Arc<dyn Portable>, StoreError> {
    match settings {
        Settings::Embedded { data, clock } => Ok(Arc::new(embedded::Embedded::open(data, clock)?)),
        Settings::Redis(options) => Ok(Arc::new(redis::Redis::connect(options).await?)),
    }
}

pub(super) fn not_empty(territory: &TerritoryId) -> StoreError {
    StoreError::Unavailable(format!("{territory} has state here already; load into an empty place"))
}

//! State: one conditional commit, one consistent read, one ordered index range, one log. Two engines, one contract.
//!
//! No rule of care lives here or in Lua: the domain decides, a store keeps. [`embedded`] (redb, the default) and
//! [`redis`] pass the same conformance suite; nothing outside this folder names either.
//!
//! What every engine must do in a commit, in this order: decode; answer a known command from its receipt; check types
//! and arity of everything; epoch, schema, clock, guards; seq + 1; append to the log FIRST; ops; receipt; return.

pub mod dump;
mod durability;
pub mod embedded;
pub mod fence;
pub mod keys;
mod pace;
pub mod redis;
pub mod txn;

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc};

use async_trait::async_trait;

use crate::{
    clock::Clock,
    domain::{
        ids::{CommandId, TerritoryId},
        time::Instant,
    },
};

pub use durability::{Durability, DurabilityReport, Policy, Promise};
pub use keys::{Counter, Index, Key};
pub use txn::{Digest, Guard, Member, Op, Score, Txn, Version, due_command};

/// One record as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Opaque, changes with every write of the record.
    pub version: Version,
    /// The daily number the record was given when it was created ([`Op::Put`] with a counter), kept ever after.
    pub number: Option<u64>,
    /// The stored bytes (a clear and a sealed part; the store never looks inside).
    pub value: Vec<u8>,
}

/// Records read together: all at `seq`, absent ones as `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The head of the log when the records were read.
    pub seq: u64,
    /// The command of the entry there: the name of the history that was read. None when the log has no entry.
    pub last: Option<CommandId>,
    /// The territory's epoch.
    pub epoch: u64,
    /// The store's own time.
    pub at: Instant,
    /// One entry for each key asked for.
    pub records: BTreeMap<Key, Option<Record>>,
    /// The receipt of the command asked about, when it has one.
    pub receipt: Option<Receipt>,
}

/// One page of an index in (score, member bytes) order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The head of the log when the page was read.
    pub seq: u64,
    /// The command of the entry there: the name of the history that was read. None when the log has no entry.
    pub last: Option<CommandId>,
    /// Entries; fewer than asked for only at the end of the index.
    pub entries: Vec<(Score, Member)>,
}

/// What an acknowledged commit answers, now and for 72 h after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Place in the territory's log (the head, unchanged, when the transaction had no event).
    pub seq: u64,
    /// The instant the transaction was given.
    pub at: Instant,
    /// The values of [`Op::Put`] counters, in the order of the ops.
    pub counts: Vec<u64>,
    /// The caller's own answer, kept so that a lost reply can be given again.
    pub outcome: Vec<u8>,
    /// The version of every record it wrote: a command's follows from its id, seq and instant, a touch's only the store knows.
    pub version: Version,
    /// How safe the write is.
    pub durability: Durability,
    /// True when this answers a repeated command.
    pub replayed: bool,
}

/// The answer to a commit that reached the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// Done, now or when the command was first sent.
    Done(Receipt),
    /// A guard failed: nothing was written. The current state of everything guarded, read in the same step.
    Conflict(Conflict),
    /// `at` is more than a second from the store's time: decide again with this instant.
    Clock(Instant),
}

/// Why a commit was not applied, with what is needed to decide again without another call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The current records of all version and absence guards, and those of the heads of all `First` guards.
    pub snapshot: Snapshot,
    /// The actual head of each index of a `First` guard.
    pub heads: BTreeMap<Index, Option<Member>>,
}

/// One event of a territory's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// 1, 2, 3 … without a gap.
    pub seq: u64,
    /// The command that caused it.
    pub command_id: CommandId,
    /// When.
    pub at: Instant,
    /// The counters' values of its commit.
    pub counts: Vec<u64>,
    /// The event's bytes.
    pub event: Vec<u8>,
}

impl LogEntry {
    /// The version its commit gave to what it wrote: the name of this place in this history.
    pub fn version(&self) -> Version {
        Version::new(self.seq, self.command_id, self.at)
    }
}

/// What an instance learns of a territory when it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The schema its records are written in; 0 when it has none.
    pub schema: u32,
    /// How the digest of this instance's look-up key stands to the one that is kept.
    pub lookup: LookupKept,
}

/// What became of the digest of an instance's look-up key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupKept {
    /// It is the one that is kept.
    Same,
    /// Other instances may still run with the key of the digest that is kept: it stays.
    Other {
        /// What an operator runs to have it forgotten.
        forget: String,
    },
    /// Nobody else can have the key of the one that was kept, and there are cases made with it: this one took its place.
    Replaced,
}

/// Why a store did not answer. Mapped to a status once, at the door.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Not written; the same call may be tried again.
    #[error("the store is unavailable ({0}); nothing was written")]
    Unavailable(String),
    /// It may or may not have been written: repeat the same command id.
    #[error("no answer from the store ({0}); the outcome is unknown: repeat the same command id")]
    Unknown(String),
    /// Another epoch has begun; this instance must read again.
    #[error("this instance is fenced: the territory is at epoch {current}")]
    Fenced {
        /// The territory's epoch.
        current: u64,
    },
    /// What was acknowledged is no longer there: an old backup was put back, or another server answers. Writes are
    /// refused until an operator has run `sas-dispatch restore`; reading goes on.
    #[error(
        "{territory}: seq {acknowledged} was acknowledged and is not in the store, whose log ends at {head}; put the right \
         data back, or run `sas-dispatch restore` to go on from here"
    )]
    Behind {
        /// Whose history.
        territory: TerritoryId,
        /// The last seq acknowledged by this instance.
        acknowledged: u64,
        /// The head found.
        head: u64,
    },
    /// The same command id came before with another payload.
    #[error("command id {0} was already used for another request")]
    OtherPayload(CommandId),
    /// The command id's own time is over 71 h old or more than 5 minutes ahead.
    #[error("command id {0} is too old or ahead of time: make a new UUIDv7")]
    StaleCommand(CommandId),
    /// The territory is written by a newer version of this program, which writes alone from then on.
    #[error(
        "the territory is written in schema {found} and this version writes {known}: nothing was written; use the version \
         that wrote it, or a later one"
    )]
    Newer {
        /// The schema it is written in.
        found: u32,
        /// The schema of the transaction.
        known: u32,
    },
    /// The transaction breaks a stated limit or a type.
    #[error("the transaction is malformed: {0}")]
    Malformed(String),
    /// The store holds something this binary does not understand.
    #[error("the store holds something unreadable: {0}")]
    Corrupt(String),
}

impl StoreError {
    fn numbered_again() -> Self {
        Self::Malformed("a record that exists cannot be numbered".to_owned())
    }
}

/// The narrow contract of both engines. All calls are of one territory; an unknown one is empty at seq 0, epoch 0.
#[async_trait]
pub trait Store: Send + Sync + fmt::Debug + 'static {
    /// One consistent read of up to 64 records and, if asked for, a command's receipt. No key at all is legal.
    async fn read(
        &self,
        territory: &TerritoryId,
        keys: &[Key],
        receipt: Option<CommandId>,
    ) -> Result<Snapshot, StoreError>;

    /// Up to `limit` (1..=1000) entries of `index` after the entry `after` (from the start when `None`), in (score,
    /// member) order.
    async fn range(
        &self,
        territory: &TerritoryId,
        index: &Index,
        after: Option<(Score, Member)>,
        limit: usize,
    ) -> Result<Page, StoreError>;

    /// Applies `txn` completely or not at all; see the order in the folder's head.
    async fn commit(&self, txn: &Txn) -> Result<Committed, StoreError>;

    /// Up to `limit` (1..=1000) log entries with `seq > after`, in order. After [`Store::trim`] the first may come later
    /// than `after + 1`: what is between is gone, and a reader that needed it begins again.
    async fn log(&self, territory: &TerritoryId, after: u64, limit: usize) -> Result<Vec<LogEntry>, StoreError>;

    /// Removes log entries up to `through`, at most [`MAX_TRIM`] of them, and never beyond a reader's cursor: no entry
    /// after the least score of the index `cursors`, nor the newest entry of all, so that every reader sees a gap. Decided
    /// in one step with the removal. Answers the first seq that is kept (the head's next when the log is empty).
    async fn trim(&self, territory: &TerritoryId, through: u64) -> Result<u64, StoreError>;

    /// Returns once the log may hold an entry with `seq > after`, or after about a second. A hint: the caller reads
    /// [`Store::log`] to know.
    async fn wait(&self, territory: &TerritoryId, after: u64) -> Result<(), StoreError>;

    /// While this number stays the same, everything read of `territory` is of one history. When it changes, what was
    /// read before may be of another one: a reader of the log (a watch, a supply in memory) notes it before its snapshot,
    /// compares it after each call, and begins anew on a change. An engine raises it with each new connection that may
    /// lead to another server (a restart, a failover, a slot that moved), and it is always 0 where there is no
    /// connection; [`fence::Fenced`] over it changes it only when the history was found to be another.
    fn generation(&self, _territory: &TerritoryId) -> u64 {
        0
    }

    /// What an instance that starts must know of `territory`, whose look-up key has the digest `lookup`. With `keep` the
    /// digest is kept where none is kept yet, or where this instance is the only one there can be. It is no part of the
    /// state: no dump holds it, and a load takes it away.
    async fn begin(&self, territory: &TerritoryId, lookup: &str, keep: bool) -> Result<Standing, StoreError>;

    /// What the settings of the store promise.
    async fn durability(&self) -> Result<DurabilityReport, StoreError>;

    /// Every territory that has state.
    async fn territories(&self) -> Result<Vec<TerritoryId>, StoreError>;
}

/// Which engine keeps the state, and where.
#[derive(Debug, Clone)]
pub enum Settings {
    /// One file in a directory, which is made when missing.
    Embedded {
        /// The directory (`./data`).
        data: PathBuf,
        /// The store's own time.
        clock: Clock,
    },
    /// Redis 7 or later: one server, one with replicas and Sentinel, or a cluster.
    Redis(redis::RedisOptions),
}

/// Opens the store that `settings` name. `Unavailable` says what is in the way and what to do.
pub async fn open(settings: Settings) -> Result<Arc<dyn Store>, StoreError> {
    match settings {
        Settings::Embedded { data, clock } => Ok(Arc::new(embedded::Embedded::open(data, clock)?)),
        Settings::Redis(options) => Ok(Arc::new(redis::Redis::connect(options).await?)),
    }
}

/// Most keys of one read.
pub const MAX_READ: usize = 64;
/// Most entries of one page of an index or of the log.
pub const MAX_PAGE: usize = 1_000;
/// Most entries that one call of [`Store::trim`] removes: it holds everybody else up.
pub const MAX_TRIM: u64 = 10_000;

/// A clock that went back is noted by an empty touch, so that time runs on at half speed while nothing is written. The read
/// stands either way: the next one notes it again.
async fn note_clock(store: &dyn Store, territory: &TerritoryId, snapshot: &Snapshot) {
    tracing::warn!(%territory, "the clock is behind the last instant used: time runs at half speed");
    let touch = Txn { policy: Policy::Degraded, ..Txn::touch(territory.clone(), snapshot.epoch, snapshot.at) };
    if let Err(error) = store.commit(&touch).await {
        tracing::warn!(%territory, %error, "the step back of the clock could not be noted");
    }
}

fn check_read(keys: &[Key]) -> Result<(), StoreError> {
    if keys.len() <= MAX_READ {
        return Ok(());
    }
    Err(StoreError::Malformed(format!("keys: {}, at most {MAX_READ}", keys.len())))
}

fn check_limit(limit: usize) -> Result<(), StoreError> {
    if (1..=MAX_PAGE).contains(&limit) {
        return Ok(());
    }
    Err(StoreError::Malformed(format!("limit: {limit}, expected 1 to {MAX_PAGE}")))
}

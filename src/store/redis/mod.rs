//! State in Redis 7 or later: one script for the one conditional commit ([`commit.lua`](self)), one that trims the log,
//! two that only read; on one server, on one with replicas and Sentinel, or on a cluster.
//!
//! No rule of care is in Lua. The scripts' hashes are their version, so that an old and a new binary run side by side;
//! a server that has forgotten them is given them again.

mod address;
mod audit;
mod auditing;
mod begin;
mod call;
mod cluster;
mod dump;
mod durable;
mod fault;
mod form;
mod link;
mod names;
mod node;
mod reply;
mod rewrite;
mod route;
mod sentinel;
mod territories;

use std::{fmt, sync::Arc, time::Duration};

use ::redis::{Cmd, Value, cmd};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tracing::instrument;

use crate::{
    clock::Clock,
    domain::{
        ids::{CommandId, TerritoryId},
        time::Span,
    },
};

pub use self::address::Address;
use self::{
    call::Request, durable::Durable, link::Link, names::Names, node::Rules, route::Router, territories::Territories,
};

use super::{
    Committed, Durability, DurabilityReport, Index, Key, LogEntry, Member, Page, Promise, Score, Snapshot, Standing,
    Store, StoreError, Txn, check_limit, check_read, note_clock,
};

/// How long a call may take, connecting included, when nothing else is said.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(2);

/// Where the state is and how it is reached.
#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// In a form that [`Address::parse`] reads; may hold a password and is never printed.
    pub url: SecretString,
    /// What every key begins with: one Redis may serve several services.
    pub prefix: String,
    /// How long a call may take, connecting included.
    pub deadline: Duration,
    /// Hand-driven, it takes the place of the server's clock; else the server's own counts.
    pub clock: Clock,
    /// What every acknowledgement promises.
    pub promise: Promise,
    /// How often the servers' settings and state are read again.
    pub audit_every: Duration,
    /// A replica that was silent for longer is not counted as one.
    pub replica_lag: Span,
    /// A server whose clock is further from this machine's is refused.
    pub max_server_gap: Span,
}

impl RedisOptions {
    /// `url` with prefix `sas`, a deadline of two seconds, the server's own clock, and nothing promised.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: SecretString::from(url.into()),
            prefix: "sas".to_owned(),
            deadline: DEFAULT_DEADLINE,
            clock: Clock::System,
            promise: Promise::NONE,
            audit_every: Duration::from_secs(10),
            replica_lag: Span::from_secs(2),
            max_server_gap: Span::from_secs(5),
        }
    }
}

/// The Redis engine; a cheap handle.
#[derive(Clone)]
pub struct Redis {
    link: Arc<Link>,
    names: Names,
    clock: Clock,
    durable: Arc<Durable>,
    territories: Arc<Territories>,
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Redis {
    /// Connects and audits the servers. `Unavailable` says what is wrong: no server, older than Redis 7, a replica, or a
    /// clock too far from this machine's. Whether they keep what is promised is for [`Store::durability`] to say.
    pub async fn connect(options: RedisOptions) -> Result<Self, StoreError> {
        let wrong = |why: String| StoreError::Unavailable(format!("the address of Redis: {why}"));
        let address = Address::parse(options.url.expose_secret()).map_err(wrong)?;
        let rules = Rules {
            promise: options.promise,
            hello: options.deadline / 4,
            replica_lag: options.replica_lag,
            max_clock_gap: options.max_server_gap,
            clock: options.clock.clone(),
            clustered: matches!(address, Address::Cluster { .. }),
            alone: matches!(address, Address::Static(_)),
        };
        let link = Arc::new(Link::new(Router::new(address, rules), options.promise, options.deadline));
        auditing::audit(&link).await?;
        let doubt = Arc::clone(&link.router.doubt);
        tokio::spawn(auditing::keep_auditing(Arc::downgrade(&link), doubt, options.audit_every));
        let (durable, territories) = Default::default();
        Ok(Self { link, names: Names::new(&options.prefix), clock: options.clock, durable, territories })
    }
}

impl Redis {
    /// Through which seq the replicas have the log, as the servers of `generation` said; 0 when others answer now.
    fn durable_through(&self, territory: &TerritoryId, generation: u64) -> u64 {
        if self.generation(territory) == generation { self.durable.through(territory, generation) } else { 0 }
    }

    /// A page of the log as far as the replicas have it. A server that promises none any more shows all it has.
    async fn confirmed_log(
        &self,
        territory: &TerritoryId,
        range: Cmd,
        generation: u64,
    ) -> Result<Vec<LogEntry>, StoreError> {
        let request = call::confirmed_log(&self.names, territory, range);
        let answer = self.link.call(territory, &request, None).await?;
        let mut entries = reply::log(answer.value)?;
        if answer.short {
            let durable = self.durable_through(territory, generation);
            entries.retain(|entry| entry.seq <= durable);
        } else if answer.level == Durability::D2 {
            let head = match answer.touched {
                Some(Value::Int(head)) => u64::try_from(head).unwrap_or_default(),
                _ => entries.last().map_or(0, |entry| entry.seq),
            };
            self.durable.note(territory, head, generation);
        }
        Ok(entries)
    }
}

#[async_trait]
impl Store for Redis {
    #[instrument(name = "redis.read", level = "debug", skip_all, fields(keys = keys.len()))]
    async fn read(
        &self,
        territory: &TerritoryId,
        keys: &[Key],
        receipt: Option<CommandId>,
    ) -> Result<Snapshot, StoreError> {
        check_read(keys)?;
        let request = call::read(&self.names, &self.clock, territory, keys, receipt);
        let answer = self.link.call(territory, &request, None).await?;
        let (snapshot, must_note) = reply::read(answer.value, &self.names, territory, receipt, answer.level)?;
        if must_note {
            note_clock(self, territory, &snapshot).await;
        }
        Ok(snapshot)
    }

    #[instrument(name = "redis.range", level = "debug", skip_all, fields(limit))]
    async fn range(
        &self,
        territory: &TerritoryId,
        index: &Index,
        after: Option<(Score, Member)>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        check_limit(limit)?;
        let request = call::range(&self.names, territory, index, after, limit);
        reply::page(self.link.call(territory, &request, None).await?.value)
    }

    #[instrument(name = "redis.commit", level = "debug", skip_all, fields(guards = txn.guards.len(), ops = txn.ops.len()))]
    async fn commit(&self, txn: &Txn) -> Result<Committed, StoreError> {
        txn.check()?;
        let least = self.link.promise.least(txn.policy);
        let generation = self.generation(&txn.territory);
        let request = call::commit(&self.names, &self.clock, txn);
        let answer = self.link.call(&txn.territory, &request, Some(least)).await?;
        let committed = reply::commit(answer.value, &self.names, txn, answer.level)?;
        let Committed::Done(receipt) = &committed else { return Ok(committed) };
        let level = receipt.durability;
        if level < least {
            let why = format!("written, and {level} reached so far; {least} is needed");
            return Err(StoreError::Unknown(why));
        }
        if level < self.link.promise.level {
            let promised = self.link.promise.level;
            tracing::warn!(territory = %txn.territory, seq = receipt.seq, %level, %promised, "acknowledged below the promised durability");
        }
        if level == Durability::D2 {
            self.durable.note(&txn.territory, receipt.seq, generation);
        }
        if txn.epoch == 0 {
            self.territories.add(&txn.territory);
        }
        Ok(committed)
    }

    #[instrument(name = "redis.log", level = "debug", skip_all, fields(after, limit))]
    async fn log(&self, territory: &TerritoryId, after: u64, limit: usize) -> Result<Vec<LogEntry>, StoreError> {
        check_limit(limit)?;
        let mut range = cmd("XRANGE");
        range.arg(self.names.log(territory)).arg(format!("{}-0", after.saturating_add(1)));
        range.arg("+").arg("COUNT").arg(limit);
        let generation = self.generation(territory);
        let answer = self.link.call(territory, &Request::of(range.clone()), None).await?;
        let entries = reply::log(answer.value)?;
        let last = entries.last().map_or(0, |entry| entry.seq);
        if self.link.promise.level < Durability::D2 || last <= self.durable_through(territory, generation) {
            return Ok(entries);
        }
        self.confirmed_log(territory, range, generation).await
    }

    async fn trim(&self, territory: &TerritoryId, through: u64) -> Result<u64, StoreError> {
        let request = call::trim(&self.names, territory, through);
        reply::trimmed(self.link.call(territory, &request, None).await?.value)
    }

    async fn wait(&self, territory: &TerritoryId, after: u64) -> Result<(), StoreError> {
        self.link.wait(territory, &self.names.log(territory), after).await
    }

    async fn begin(&self, territory: &TerritoryId, lookup: &str, keep: bool) -> Result<Standing, StoreError> {
        self.begin_in(territory, lookup, keep).await
    }

    async fn durability(&self) -> Result<DurabilityReport, StoreError> {
        auditing::audit(&self.link).await
    }

    async fn territories(&self) -> Result<Vec<TerritoryId>, StoreError> {
        self.territories.all(&self.link, &self.names).await
    }

    fn generation(&self, territory: &TerritoryId) -> u64 {
        self.link.router.generation(territory)
    }
}

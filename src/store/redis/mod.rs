//! State in Redis 7 or later: one script for the one conditional commit ([`commit.lua`](self)), one that trims the log,
//! two that only read.
//!
//! No rule of care is in Lua. The scripts' hashes are their version, so that an old and a new binary run side by side;
//! a server that has forgotten them is given them again.

mod address;
mod audit;
mod call;
mod dump;
mod form;
mod link;
mod names;
mod reply;

use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use ::redis::{Client, Cmd, Value, cmd};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tracing::instrument;

use crate::{
    clock::Clock,
    domain::{
        ids::{CommandId, TerritoryId},
        time::{Instant, Span},
    },
};

pub use self::address::Address;
use self::{link::Link, names::Names};

use super::{
    Committed, DurabilityReport, Index, Key, LogEntry, Member, Page, Promise, Score, Snapshot, Store, StoreError, Txn,
    check_limit, check_read,
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
    pub replica_lag: Duration,
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
            replica_lag: Duration::from_secs(2),
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
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Redis {
    /// Connects and audits the server. `Unavailable` says what is wrong: no server, older than Redis 7, a replica, or a
    /// clock more than five seconds from this machine's.
    pub async fn connect(options: RedisOptions) -> Result<Self, StoreError> {
        let wrong = |why: String| StoreError::Unavailable(format!("the address of Redis: {why}"));
        let Address::Static(server) = Address::parse(options.url.expose_secret()).map_err(wrong)? else {
            return Err(wrong("Sentinel and Cluster are not built in yet".to_owned()));
        };
        let client = Client::open(server).map_err(|error| wrong(error.category().to_owned()))?;
        let link = Arc::new(Link::new(client, options.deadline));
        link.audit().await?.check()?;
        let redis = Self { link, names: Names::new(&options.prefix), clock: options.clock };
        redis.check_clock(options.max_server_gap).await?;
        tokio::spawn(keep_auditing(Arc::downgrade(&redis.link), options.audit_every));
        Ok(redis)
    }

    async fn check_clock(&self, most: Span) -> Result<(), StoreError> {
        if matches!(self.clock, Clock::Manual(_)) {
            return Ok(());
        }
        let time = self.link.command(&cmd("TIME")).await?;
        let (seconds, micros): (i64, i64) =
            ::redis::from_redis_value(time).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let (server, here) = (Instant::from_unix_ms(seconds * 1_000 + micros / 1_000), self.clock.now());
        let gap = server.since(here).max(here.since(server));
        if gap > most {
            let why = format!("its clock is {} s from this machine's; set both by NTP", gap.secs());
            return Err(StoreError::Unavailable(why));
        }
        Ok(())
    }

    /// A territory is listed before its first commit, so that none with state is missing from the list.
    async fn list_territory(&self, territory: &TerritoryId) -> Result<(), StoreError> {
        let mut add = cmd("SADD");
        add.arg(self.names.territories()).arg(territory.as_str());
        self.link.command(&add).await.map(|_| ())
    }

    async fn has_state(&self, territory: &TerritoryId) -> Result<bool, StoreError> {
        let mut exists = cmd("EXISTS");
        exists.arg(self.names.head(territory));
        Ok(self.link.command(&exists).await? == Value::Int(1))
    }

    /// A clock that went back is noted by an empty touch, so that time runs on at half speed while nothing is written.
    /// The read stands either way: the next one notes it again.
    async fn note_clock(&self, territory: &TerritoryId, snapshot: &Snapshot) {
        tracing::warn!(%territory, "the clock is behind the last instant used: time runs at half speed");
        let touch = Txn::touch(territory.clone(), snapshot.epoch, snapshot.at);
        if let Err(error) = self.commit(&touch).await {
            tracing::warn!(%territory, %error, "the step back of the clock could not be noted");
        }
    }
}

/// The server's settings can be changed while it runs: what receipts say of durability follows within seconds.
async fn keep_auditing(link: Weak<Link>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let Some(link) = link.upgrade() else { return };
        if let Err(error) = link.audit().await {
            tracing::warn!(%error, "the durability of Redis could not be read");
        }
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
        let answer = self.link.call(&call::read(&self.names, &self.clock, territory, keys, receipt)).await?;
        let (snapshot, must_note) = reply::read(answer, &self.names, territory, receipt, self.link.level())?;
        if must_note {
            self.note_clock(territory, &snapshot).await;
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
        reply::page(self.link.call(&call::range(&self.names, territory, index, after, limit)).await?)
    }

    #[instrument(name = "redis.commit", level = "debug", skip_all, fields(guards = txn.guards.len(), ops = txn.ops.len()))]
    async fn commit(&self, txn: &Txn) -> Result<Committed, StoreError> {
        txn.check()?;
        if txn.epoch == 0 {
            self.list_territory(&txn.territory).await?;
        }
        let answer = self.link.call(&call::commit(&self.names, &self.clock, txn)).await?;
        reply::commit(answer, &self.names, txn, self.link.level())
    }

    #[instrument(name = "redis.log", level = "debug", skip_all, fields(after, limit))]
    async fn log(&self, territory: &TerritoryId, after: u64, limit: usize) -> Result<Vec<LogEntry>, StoreError> {
        check_limit(limit)?;
        let mut range = Cmd::new();
        range.arg("XRANGE").arg(self.names.log(territory)).arg(format!("{}-0", after.saturating_add(1)));
        range.arg("+").arg("COUNT").arg(limit);
        reply::log(self.link.command(&range).await?)
    }

    async fn trim(&self, territory: &TerritoryId, through: u64) -> Result<u64, StoreError> {
        reply::trimmed(self.link.call(&call::trim(&self.names, territory, through)).await?)
    }

    async fn wait(&self, territory: &TerritoryId, after: u64) -> Result<(), StoreError> {
        self.link.wait(&self.names.log(territory), after).await
    }

    fn generation(&self, _territory: &TerritoryId) -> u64 {
        self.link.generation()
    }

    async fn durability(&self) -> Result<DurabilityReport, StoreError> {
        Ok(self.link.audit().await?.report())
    }

    async fn territories(&self) -> Result<Vec<TerritoryId>, StoreError> {
        let mut members = cmd("SMEMBERS");
        members.arg(self.names.territories());
        let listed: Vec<String> = ::redis::from_redis_value(self.link.command(&members).await?)
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let mut known = Vec::new();
        for territory in listed {
            let territory = territory.parse().map_err(|_| StoreError::Corrupt("a territory id".to_owned()))?;
            if self.has_state(&territory).await? {
                known.push(territory);
            }
        }
        Ok(known)
    }
}

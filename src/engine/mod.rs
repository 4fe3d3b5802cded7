//! The use cases: the same acts for console, telephone and upkeep. Thin: rules live in the domain, state in the store.
//!
//! One commit loop serves every changing command: load → decide → commit → bounded retry ([`act`]). An instance keeps
//! the records it has seen ([`memory`]); what memory proposes, the commit decides, and nothing is refused from memory.

mod act;
mod agendas;
mod archiving;
mod calls;
mod check;
mod claims;
pub mod codec;
mod commit;
mod concern;
mod draws;
mod indexes;
mod indicators;
mod likeness;
mod measure;
mod memory;
pub mod naming;
mod open;
mod outage;
mod plan;
mod policy;
mod positions;
mod queues;
mod read;
mod relay;
mod repeat;
mod rooms;
mod sheets;
mod shifts;
mod skills;
mod stated;
mod supply;
mod tail;
mod tasks;
mod transfers;
mod upkeep;
mod view;
mod waiting;
mod watch;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use crate::{
    clock::Clock,
    domain::{
        case::{Refusal, Reply},
        directory::Directory,
        ids::{CaseId, CommandId, TerritoryId},
        territory::Territory,
        time::{Instant, Span},
    },
    store::{Digest, Durability, DurabilityReport, Policy, Store, StoreError, Version},
    telemetry::{labels::StoreKind, metrics::Metrics},
};

pub use archiving::{Archive, Archived};
pub use check::Report;
pub use claims::Renewed;
pub use draws::Asker;
pub use indicators::{DayFolder, DaysAsked, DaysKnown, Extract, ExtractFolder, Statistics, extract_csv};
pub use likeness::PossibleRepeat;
pub use open::OpenCases;
pub use read::{List, Listing, PageRequest, Sight, sight};
pub use relay::{DueAction, First, Relay, StreamState};
pub use repeat::LookupKey;
pub use sheets::FoundSheet;
pub use stated::{Fault, Stated};
pub use view::CaseView;
pub use watch::{Change, WatchFilter, WatchToken};

/// A territory's rules and responders, as configured.
#[derive(Debug, Clone)]
pub struct Place {
    /// The rules.
    pub territory: Territory,
    /// The responders.
    pub directory: Directory,
}

/// Limits of the engine; every one bounded and configurable.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Attempts of one command before it answers that it is busy.
    pub attempts: u32,
    /// Records kept in memory.
    pub remembered: usize,
    /// Most items of one page, at most [`read::MAX_PAGE_SIZE`].
    pub page_rows: usize,
    /// Timers and leases read at once in a round of upkeep; a round reads on while they are due.
    pub timers_per_round: usize,
    /// Which engine keeps the state, for metrics.
    pub store: StoreKind,
    /// What intake does when the promised durability cannot be had.
    pub intake: Policy,
    /// The promised durability.
    pub promised: Durability,
    /// Limits of watching.
    pub watch: WatchLimits,
    /// How often a transaction that the store refuses for now is sent again.
    pub refusals: u32,
    /// Longest pause between two such attempts.
    pub longest_pause: Duration,
    /// How long a transaction of unknown outcome is sent again: what a request has, less one call of the store.
    pub patience: Duration,
}

/// Limits of the tail of each territory's log, and of every watch that it serves.
#[derive(Debug, Clone, Copy)]
pub struct WatchLimits {
    /// Changed cases kept for slow consoles; who falls further behind is dropped with the token to resume from.
    pub buffer: usize,
    /// A console that reads nothing for this long is dropped.
    pub stall: Duration,
    /// A watch ends when the store has not answered for this long.
    pub silence: Duration,
    /// Longest pause between two tries to read a log that cannot be read.
    pub retry_pause: Duration,
    /// How far what is kept in memory may be behind the log while nobody watches or waits for it.
    pub pace: Duration,
}

impl Default for WatchLimits {
    fn default() -> Self {
        Self {
            buffer: 1_024,
            stall: Duration::from_secs(30),
            silence: Duration::from_secs(10),
            retry_pause: Duration::from_millis(500),
            pace: Duration::from_millis(100),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            attempts: 8,
            remembered: 100_000,
            page_rows: read::MAX_PAGE_SIZE,
            timers_per_round: 500,
            store: StoreKind::Embedded,
            intake: Policy::Degraded,
            promised: Durability::Unknown,
            watch: WatchLimits::default(),
            refusals: 5,
            longest_pause: Duration::from_millis(500),
            patience: Duration::from_secs(8),
        }
    }
}

/// What identifies one changing call.
#[derive(Debug, Clone, Copy)]
pub struct Mutation {
    /// The client's id of the command.
    pub command_id: CommandId,
    /// Digest of the request: the same id with another payload is refused.
    pub digest: Digest,
}

/// What a changing call is about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Target {
    /// The case, unless one is opened or none is concerned.
    pub case: Option<CaseId>,
    /// The version the caller read; another one now answers that it is stale.
    pub version: Option<Version>,
}

impl Target {
    /// A case, whatever its version.
    pub fn case(id: CaseId) -> Self {
        Self { case: Some(id), version: None }
    }
}

/// An acknowledged command.
#[derive(Debug, Clone)]
pub struct Done {
    /// What the domain answers.
    pub reply: Reply,
    /// Its place in the log.
    pub seq: u64,
    /// Its instant.
    pub at: Instant,
    /// How safe it is.
    pub durability: Durability,
    /// True when this answers a repeated command.
    pub replayed: bool,
    /// True when its own id was of no use: it was done under another ([`naming`]).
    pub renamed: bool,
    /// The case after it, when one is concerned.
    pub case: Option<CaseView>,
}

/// Why a call did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The domain refuses.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store did not answer, or not with success.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Others kept changing the same records: try again.
    #[error("others are changing the same records: read again and repeat")]
    Busy,
    /// Something outside stands in the way.
    #[error("{0}")]
    Unavailable(String),
    /// A console reads its watch more slowly than the territory changes.
    #[error("this watch is read too slowly: watch again with the last token")]
    TooSlow(WatchToken),
}

impl Failure {
    /// True when one record or one territory is at fault, and nothing else need wait for it.
    fn is_of_one_record(&self) -> bool {
        matches!(self, Self::Store(StoreError::Corrupt(_) | StoreError::Malformed(_) | StoreError::Newer { .. }))
    }
}

/// How long the level that the store was found at is answered without asking again.
const LEVEL_EVERY: Duration = Duration::from_secs(5);

struct Inner {
    store: Arc<dyn Store>,
    clock: Clock,
    places: Mutex<BTreeMap<TerritoryId, Arc<Place>>>,
    /// Those with a folder of their own: somebody sits there.
    served: BTreeSet<TerritoryId>,
    metrics: Metrics,
    options: Options,
    lookup: LookupKey,
    offset_ms: AtomicI64,
    /// The store's level and when it was found.
    level: Mutex<Option<(Duration, Durability)>>,
    memory: memory::Memory,
    supply: supply::SupplyMemory,
    rooms: rooms::Rooms,
    tails: tail::Tails,
    tasks: tasks::Tasks,
    outages: outage::Outages,
    /// Visits declined here since the last round of upkeep.
    declined: Mutex<Vec<(TerritoryId, Done)>>,
    sheets: sheets::SheetsInView,
    former_skills: skills::FormerSkills,
    closing: tokio::sync::watch::Sender<bool>,
    archive: std::sync::OnceLock<Arc<Archive>>,
    indicators: indicators::Indicators,
}

/// A cheap handle to the one engine of this process.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("store", &self.0.store).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine over a store, with the configured territories. Others answer from the law when first named.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Clock,
        places: BTreeMap<TerritoryId, Arc<Place>>,
        lookup: LookupKey,
        metrics: Metrics,
        options: Options,
    ) -> Self {
        let served = places.keys().cloned().collect();
        let memory = memory::Memory::new(options.remembered);
        let (supply, rooms) = Default::default();
        let (places, offset_ms) = (Mutex::new(places), AtomicI64::new(0));
        let closing = tokio::sync::watch::Sender::new(false);
        let (tails, tasks, outages, sheets, former_skills) = Default::default();
        let (archive, indicators) = Default::default();
        Self(Arc::new(Inner {
            store,
            clock,
            places,
            served,
            metrics,
            options,
            lookup,
            offset_ms,
            level: Mutex::default(),
            memory,
            supply,
            rooms,
            tails,
            tasks,
            outages,
            declined: Mutex::default(),
            sheets,
            former_skills,
            closing,
            archive,
            indicators,
        }))
    }

    /// Everything that is kept in memory from the logs.
    fn followers(&self) -> [&dyn tail::Follower; 4] {
        [&self.0.supply, &self.0.rooms, &self.0.indicators, &self.0.sheets]
    }

    /// Ends every watch and every loop of this engine and comes back when none holds the store any more.
    pub async fn close(&self) {
        self.end_watches();
        self.0.tasks.ended().await;
    }

    /// The present instant, as the store will see it.
    pub fn now(&self) -> Instant {
        Instant::from_unix_ms(self.0.clock.now().unix_ms() + self.0.offset_ms.load(Ordering::Relaxed))
    }

    /// The instant of an act on records whose last instant is this: now, or then when the instance that wrote them is ahead.
    /// A store takes it all the same: what it once took is at most as far ahead of its own time as any commit may be. That holds
    /// of what this territory's store took: no record tells of another's time as of its own (`domain::case::instants`).
    fn not_before(&self, last: Option<Instant>) -> Instant {
        let now = self.now();
        last.map_or(now, |last| last.max(now))
    }

    fn set_store_time(&self, store_now: Instant) {
        let offset = store_now.unix_ms() - self.0.clock.now().unix_ms();
        self.0.offset_ms.store(offset, Ordering::Relaxed);
    }

    /// A territory's rules and responders; one without a folder has the law's calendar and nothing connected.
    ///
    /// # Errors
    /// When the law knows no such territory.
    pub fn territory(&self, id: &TerritoryId) -> Result<Arc<Place>, Failure> {
        let mut places = self.0.places.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(place) = places.get(id) {
            return Ok(place.clone());
        }
        let territory = Territory::from_law(id).map_err(|unknown| Refusal::field("territory", unknown.to_string()))?;
        let place = Arc::new(Place { territory, directory: Directory::default() });
        places.insert(id.clone(), place.clone());
        Ok(place)
    }

    /// Every territory that is configured or was named.
    pub fn territories(&self) -> Vec<Arc<Place>> {
        let places = self.0.places.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        places.values().cloned().collect()
    }

    /// What the store's settings promise.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn durability(&self) -> Result<DurabilityReport, Failure> {
        let report = self.0.store.durability().await;
        let level = report.as_ref().map_or(Durability::Unknown, |report| report.level);
        *self.last_level() = Some((self.0.clock.uptime(), level));
        Ok(report?)
    }

    /// The level that was found last, asked for again when that was long ago: reading the servers' settings costs more
    /// than the calls that only say it beside their answer. Unknown when they do not say.
    pub async fn level(&self) -> Durability {
        let last = *self.last_level();
        match last {
            Some((at, level)) if self.0.clock.uptime().saturating_sub(at) < LEVEL_EVERY => level,
            _ => self.durability().await.map_or(Durability::Unknown, |report| report.level),
        }
    }

    fn last_level(&self) -> std::sync::MutexGuard<'_, Option<(Duration, Durability)>> {
        self.0.level.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The metrics of this process.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// How long a claim lives without renewal here.
    fn lease(&self, place: &Place) -> Span {
        place.territory.regulation.lease.lease
    }
}

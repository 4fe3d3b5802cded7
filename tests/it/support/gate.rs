//! A gate before a real store: it holds the log back, takes the store away, puts another one in its place, and counts
//! calls. What goes through is the real store's.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use sas_dispatch::{
    domain::ids::{CommandId, TerritoryId},
    store::{
        Committed, DurabilityReport, Index, Key, LogEntry, Member, Page, Record, Score, Snapshot, Standing, Store,
        StoreError, Txn,
    },
};
use tokio::sync::watch;

/// How long a log that is held back is waited for, as an engine would.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct State {
    store: Arc<dyn Store>,
    /// The log ends here for whoever reads it.
    upto: u64,
    down: bool,
    /// The territories that nobody reaches, and after how long that is said.
    lost: &'static [&'static str],
    late: Duration,
    /// The territories that take no commit, as without their replica.
    read_only: &'static [&'static str],
    /// The index that cannot be read.
    lost_index: Option<Index>,
    /// What is read of these records, whatever the store has: as from a primary or a replica that was left behind.
    stale: BTreeMap<(TerritoryId, Key), Option<Record>>,
}

pub struct Gate {
    state: watch::Sender<State>,
    /// Reads of records, of indexes and of the log.
    reads: AtomicU64,
    /// Every call so far: what was asked of which territory.
    calls: Mutex<Vec<String>>,
    waits: Mutex<Waits>,
}

/// How lost territories are waited for.
#[derive(Debug, Default, Clone, Copy)]
struct Waits {
    begun: usize,
    now: usize,
    most: usize,
}

/// One wait for a lost territory, until it is over or given up.
struct Waiting<'a>(&'a Gate);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waits.lock().unwrap().now -= 1;
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

impl Gate {
    pub fn before(store: Arc<dyn Store>) -> Arc<Self> {
        let state = watch::Sender::new(State {
            store,
            upto: u64::MAX,
            down: false,
            lost: &[],
            late: Duration::ZERO,
            read_only: &[],
            lost_index: None,
            stale: BTreeMap::new(),
        });
        Arc::new(Self { state, reads: AtomicU64::new(0), calls: Mutex::default(), waits: Mutex::default() })
    }

    /// Nobody sees more of the log than this.
    pub fn hold_log_at(&self, seq: u64) {
        self.state.send_modify(|state| state.upto = seq);
    }

    /// The store answers nothing, or again.
    pub fn set_down(&self, down: bool) {
        self.state.send_modify(|state| state.down = down);
    }

    /// These territories do not answer, all others do; whoever asks for one hears so after `late`.
    pub fn set_lost(&self, territories: &'static [&'static str], late: Duration) {
        self.state.send_modify(|state| (state.lost, state.late) = (territories, late));
    }

    /// These territories are read as ever and take no commit.
    pub fn set_read_only(&self, territories: &'static [&'static str]) {
        self.state.send_modify(|state| state.read_only = territories);
    }

    /// An index cannot be read, or (none) all can.
    pub fn set_lost_index(&self, index: Option<Index>) {
        self.state.send_modify(|state| state.lost_index = index);
    }

    /// Reads of a record answer this from now on; what is written goes to the store.
    pub fn read_as(&self, territory: &str, key: Key, record: Option<Record>) {
        let place = (territory.parse().unwrap(), key);
        self.state.send_modify(|state| drop(state.stale.insert(place, record)));
    }

    /// Every call since the last look, such as `range fr-67 timers`.
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    /// How many waits for lost territories have begun since the last look, and how many of them were there at once.
    pub fn waits(&self) -> (usize, usize) {
        let mut waits = self.waits.lock().unwrap();
        let Waits { begun, now, most } = *waits;
        *waits = Waits { begun: 0, now, most: now };
        (begun, most)
    }

    fn waiting(&self) -> Waiting<'_> {
        let mut waits = self.waits.lock().unwrap();
        waits.begun += 1;
        waits.now += 1;
        waits.most = waits.most.max(waits.now);
        Waiting(self)
    }

    fn called(&self, what: impl std::fmt::Display) {
        self.calls.lock().unwrap().push(what.to_string());
    }

    async fn reaches(&self, territory: &TerritoryId) -> Result<(), StoreError> {
        let (lost, late) = (self.state.borrow().lost, self.state.borrow().late);
        if lost.contains(&territory.as_str()) {
            let _waiting = self.waiting();
            // As an engine does: nobody answers until its deadline.
            tokio::time::timeout(late, std::future::pending::<()>()).await.ok();
            return Err(StoreError::Unavailable("the test took this territory away".to_owned()));
        }
        Ok(())
    }

    /// From now on another store answers.
    pub fn put(&self, store: Arc<dyn Store>) {
        self.state.send_modify(|state| state.store = store);
    }

    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::SeqCst)
    }

    fn store(&self) -> Result<Arc<dyn Store>, StoreError> {
        let state = self.state.borrow();
        if state.down {
            return Err(StoreError::Unavailable("the test took it away".to_owned()));
        }
        Ok(state.store.clone())
    }

    fn counted(&self) -> Result<Arc<dyn Store>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.store()
    }
}

#[async_trait]
impl Store for Gate {
    async fn read(
        &self,
        territory: &TerritoryId,
        keys: &[Key],
        receipt: Option<CommandId>,
    ) -> Result<Snapshot, StoreError> {
        self.reaches(territory).await?;
        keys.iter().for_each(|key| self.called(format_args!("read {territory} {key}")));
        let mut snapshot = self.counted()?.read(territory, keys, receipt).await?;
        for (key, record) in &mut snapshot.records {
            let stale = self.state.borrow().stale.get(&(territory.clone(), key.clone())).cloned();
            *record = stale.unwrap_or(record.take());
        }
        Ok(snapshot)
    }

    async fn range(
        &self,
        territory: &TerritoryId,
        index: &Index,
        after: Option<(Score, Member)>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.reaches(territory).await?;
        if self.state.borrow().lost_index.as_ref() == Some(index) {
            return Err(StoreError::Unavailable("the test took this index away".to_owned()));
        }
        self.called(format_args!("range {territory} {index}"));
        self.counted()?.range(territory, index, after, limit).await
    }

    async fn commit(&self, txn: &Txn) -> Result<Committed, StoreError> {
        self.reaches(&txn.territory).await?;
        if self.state.borrow().read_only.contains(&txn.territory.as_str()) {
            return Err(StoreError::Unavailable("the test lets nothing be written there".to_owned()));
        }
        let behind = if txn.even_behind { " even behind" } else { "" };
        self.called(format_args!("commit {}{behind}", txn.territory));
        self.store()?.commit(txn).await
    }

    async fn log(&self, territory: &TerritoryId, after: u64, limit: usize) -> Result<Vec<LogEntry>, StoreError> {
        let entries = self.counted()?.log(territory, after, limit).await?;
        let upto = self.state.borrow().upto;
        Ok(entries.into_iter().filter(|entry| entry.seq <= upto).collect())
    }

    async fn trim(&self, territory: &TerritoryId, through: u64) -> Result<u64, StoreError> {
        self.store()?.trim(territory, through).await
    }

    async fn wait(&self, territory: &TerritoryId, after: u64) -> Result<(), StoreError> {
        let mut state = self.state.subscribe();
        let store = self.store()?;
        let upto = state.borrow_and_update().upto;
        let news =
            async { if after < upto { store.wait(territory, after).await } else { std::future::pending().await } };
        tokio::select! {
            news = tokio::time::timeout(PATIENCE, news) => news.unwrap_or(Ok(())),
            _ = state.changed() => Ok(()),
        }
    }

    async fn begin(&self, territory: &TerritoryId, lookup: &str, keep: bool) -> Result<Standing, StoreError> {
        self.store()?.begin(territory, lookup, keep).await
    }

    async fn durability(&self) -> Result<DurabilityReport, StoreError> {
        self.store()?.durability().await
    }

    async fn territories(&self) -> Result<Vec<TerritoryId>, StoreError> {
        self.store()?.territories().await
    }
}

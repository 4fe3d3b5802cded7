//! The fence: a layer over any engine that notices when the store is no longer the one this instance knows.
//!
//! It remembers what it saw and what it acknowledged of each territory. At the first use of a territory after a start,
//! and after each change of the engine's generation (a connection that may lead to another server), head, epoch and
//! command ids are compared before anything else is answered: one read and one page of the log.
//!
//! - What was only seen is not there (a failover lost a tail that nobody was promised): the epoch is raised by a guarded
//!   commit, so that every instance that still believes in the other history is fenced, and this one reads again. Of two
//!   instances that try, one wins and the other follows.
//! - What was acknowledged is not there (an old backup was put back): writes are refused with [`StoreError::Behind`] and
//!   reading goes on, until an operator has put the right data back or has run `sas-dispatch restore`. Taking a call
//!   goes on too ([`Txn::even_behind`]), under a raised epoch: a caller who waits for an operator is the greater harm,
//!   and the raised epoch keeps what was written meanwhile apart. If the right data come back afterwards, exactly those
//!   calls are then missing, and `restore` lists them. What is refused is refused by what a server shows to readers; an
//!   old primary, cut off and still answering, would do so for ever. So now and then an empty write asks it whether it is
//!   the primary: where that fails, the engine finds the new one, which has the operator's word. A command that has its
//!   receipt there is not refused: it took effect (`again`).
//!
//! - The log does not show what was acknowledged, because its replicas do not confirm it: nobody can tell. What waits for
//!   replicas is refused as unavailable until it is shown, or shown to be gone.
//!
//! Otherwise a commit stays one call of the engine: only memory is touched.

mod again;
mod check;
mod gone;
pub mod kept;
mod past;
pub mod restore;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use crate::{
    clock::Clock,
    domain::{
        ids::{CommandId, TerritoryId},
        time::Instant,
    },
    telemetry::Metrics,
};

use self::{check::now_elsewhere, kept::Keeper, past::Past};

pub use past::Mark;

use super::{
    Committed, Conflict, Durability, DurabilityReport, Index, Key, LogEntry, Member, Page, Score, Snapshot, Standing,
    Store, StoreError, Txn,
};

/// How often a call is repeated whose connection changed under it.
const ATTEMPTS: usize = 4;

/// What a fence needs beside the engine.
#[derive(Debug)]
pub struct FenceOptions {
    /// Where the last acknowledged entries are kept across restarts; `None`: nowhere.
    pub keeper: Option<Keeper>,
    /// How often they are written, when they changed.
    pub every: Duration,
    /// The machine's clock, to see how far the store's is from it.
    pub clock: Clock,
    /// Where alarms are counted.
    pub metrics: Metrics,
    /// The level the site promises. What a receipt says to be less safe may go in a failover: it is another history then,
    /// never a store that went back.
    pub promised: Durability,
}

/// One territory.
#[derive(Debug, Default)]
struct Ground {
    past: Mutex<Past>,
    /// Held while the history is compared: callers wait for one comparison.
    checking: tokio::sync::Mutex<()>,
}

/// The layer. Cheap where nothing has changed.
pub struct Fenced {
    inner: Arc<dyn Store>,
    grounds: Mutex<BTreeMap<TerritoryId, Arc<Ground>>>,
    keeper: Option<Keeper>,
    clock: Clock,
    metrics: Metrics,
    promised: Durability,
}

impl fmt::Debug for Fenced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fenced").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl Ground {
    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fenced {
    /// A fence over `inner` that begins with what `options.keeper` has kept. Its file is written as long as the fence
    /// lives.
    pub fn over(inner: Arc<dyn Store>, options: FenceOptions) -> Arc<Self> {
        let FenceOptions { keeper, every, clock, metrics, promised } = options;
        let mut grounds = BTreeMap::new();
        for (territory, marks) in keeper.as_ref().map(Keeper::known).unwrap_or_default() {
            let ground = Ground::default();
            ground.past().recall(marks);
            grounds.insert(territory, Arc::new(ground));
        }
        let fenced = Arc::new(Self { inner, grounds: Mutex::new(grounds), keeper, clock, metrics, promised });
        if fenced.keeper.is_some() {
            tokio::spawn(kept::keep_writing(Arc::downgrade(&fenced), every));
        }
        fenced
    }

    fn ground(&self, territory: &TerritoryId) -> Arc<Ground> {
        let mut grounds = self.grounds.lock().unwrap_or_else(PoisonError::into_inner);
        match grounds.get(territory) {
            Some(ground) => Arc::clone(ground),
            None => Arc::clone(grounds.entry(territory.clone()).or_default()),
        }
    }

    /// What was acknowledged in `territory` and is not there, while writes are refused for it. Readers show it.
    pub fn behind(&self, territory: &TerritoryId) -> Option<Mark> {
        self.ground(territory).past().behind
    }

    /// Writes the last acknowledged entries now: the service stops.
    pub fn flush(&self) {
        let Some(keeper) = &self.keeper else { return };
        let grounds = self.grounds.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (mut all, mut unwritten) = (BTreeMap::new(), Vec::new());
        for (territory, ground) in &grounds {
            let mut past = ground.past();
            if std::mem::take(&mut past.unwritten) {
                unwritten.push(ground);
            }
            if !past.marks.is_empty() {
                all.insert(territory.clone(), past.all_marks().copied().collect());
            }
        }
        if !unwritten.is_empty()
            && let Err(error) = keeper.write(&all)
        {
            unwritten.iter().for_each(|ground| ground.past().unwritten = true);
            tracing::error!(%error, "the last acknowledged commands could not be kept; an old backup might go unnoticed");
        }
    }

    /// Repeats a call that only reads until the history it was read from is one that was compared.
    async fn reading<T, F>(&self, territory: &TerritoryId, call: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send,
        T: Send,
    {
        for _ in 0..ATTEMPTS {
            let generation = self.checked(territory).await?;
            let answer = call().await?;
            if self.inner.generation(territory) == generation {
                return Ok(answer);
            }
        }
        Err(StoreError::Unavailable("the connection to the store keeps changing".to_owned()))
    }

    fn note_time(&self, territory: &TerritoryId, store: Instant) {
        self.metrics.clock_gap(territory, store.since(self.clock.now()));
    }
}

impl Drop for Fenced {
    fn drop(&mut self) {
        self.flush();
    }
}

#[async_trait]
impl Store for Fenced {
    async fn read(
        &self,
        territory: &TerritoryId,
        keys: &[Key],
        receipt: Option<CommandId>,
    ) -> Result<Snapshot, StoreError> {
        let snapshot = self.reading(territory, || self.inner.read(territory, keys, receipt)).await?;
        self.ground(territory).past().see(snapshot.epoch, snapshot.seq, snapshot.last);
        Ok(snapshot)
    }

    async fn range(
        &self,
        territory: &TerritoryId,
        index: &Index,
        after: Option<(Score, Member)>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let page = self.reading(territory, || self.inner.range(territory, index, after.clone(), limit)).await?;
        self.ground(territory).past().see_head(page.seq, page.last);
        Ok(page)
    }

    async fn commit(&self, txn: &Txn) -> Result<Committed, StoreError> {
        let territory = &txn.territory;
        let generation = match self.may_write(txn).await {
            Err(refused @ StoreError::Behind { .. }) => return self.known_behind(txn, refused).await,
            generation => generation?,
        };
        let answer = self.inner.commit(txn).await;
        let again = match &answer {
            Ok(Committed::Done(receipt)) => self.stands(txn, receipt).await?,
            _ => None,
        };
        if self.inner.generation(territory) != generation {
            return match answer {
                // Perhaps the other server's word: the same command id learns what holds here.
                Ok(Committed::Done(_)) => Err(now_elsewhere()),
                answer => answer,
            };
        }
        let ground = self.ground(territory);
        match &answer {
            Ok(Committed::Done(receipt)) => {
                let command = txn.command.filter(|_| txn.event.is_some()).map(|(id, _)| id);
                let kept = receipt.durability >= self.promised;
                ground.past().acknowledge(txn.epoch, command, receipt, kept);
                again.into_iter().for_each(|command| ground.past().acknowledge_again(command, receipt));
            }
            Ok(Committed::Conflict(Conflict { snapshot, .. })) => {
                ground.past().see(snapshot.epoch, snapshot.seq, snapshot.last);
            }
            Ok(Committed::Clock(now)) => self.note_time(territory, *now),
            Err(StoreError::Fenced { current }) => ground.past().see(*current, 0, None),
            Err(_) => {}
        }
        answer
    }

    async fn log(&self, territory: &TerritoryId, after: u64, limit: usize) -> Result<Vec<LogEntry>, StoreError> {
        let entries = self.reading(territory, || self.inner.log(territory, after, limit)).await?;
        let ground = self.ground(territory);
        let mut past = ground.past();
        entries.iter().rev().take(64).rev().for_each(|entry| past.see_entry(entry.seq, entry.command_id));
        drop(past);
        Ok(entries)
    }

    async fn trim(&self, territory: &TerritoryId, through: u64) -> Result<u64, StoreError> {
        self.checked(territory).await?;
        // What is cut off here might be what is compared when the right data are back.
        let ground = self.ground(territory);
        let refused = ground.past().refused(territory);
        refused?;
        self.inner.trim(territory, through).await
    }

    async fn wait(&self, territory: &TerritoryId, after: u64) -> Result<(), StoreError> {
        self.inner.wait(territory, after).await
    }

    fn generation(&self, territory: &TerritoryId) -> u64 {
        self.ground(territory).past().resets
    }

    async fn begin(&self, territory: &TerritoryId, lookup: &str, keep: bool) -> Result<Standing, StoreError> {
        self.inner.begin(territory, lookup, keep).await
    }

    async fn durability(&self) -> Result<DurabilityReport, StoreError> {
        self.inner.durability().await
    }

    async fn territories(&self) -> Result<Vec<TerritoryId>, StoreError> {
        self.inner.territories().await
    }
}

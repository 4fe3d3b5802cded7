//! The tail: one reader of each territory's log per instance, begun on first need.
//!
//! It decodes each event once, those that this instance committed itself not at all, and feeds what is kept in memory from
//! the log ([`Follower`]) and the [`Window`] of recent changes from which every watch of this instance is served. Nothing is shown ahead of the log: a case stands in the
//! window only once the log has reached the version it is at. While nobody waits for what it tells, it reads the log at a
//! pace instead of at each change: what is kept in memory only proposes. A gap, another command at a place already read, another
//! epoch, or a store that has gone back is a reset: everything fed from the tail begins anew.

mod join;
#[cfg(test)]
pub(super) mod made;
mod own;
mod states;
mod window;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::sync::watch;
use tracing::{error, warn};

use crate::{
    clock::Clock,
    domain::{case::Event, ids::TerritoryId},
    store::{LogEntry, Receipt, Store, StoreError, Version},
};

use self::join::{Joined, join};
pub(super) use self::window::{Beat, Latest, Look, Mark, Tail, Watching};

use super::{Engine, Failure, Inner, act};

/// Log entries read at once.
pub(super) const BATCH: usize = 256;
/// How far back a log is looked for its last entry when a tail begins.
const LOOK_BACK: u64 = 256;
/// How often it is asked whether another epoch has begun.
const EPOCH_EVERY: Duration = Duration::from_secs(1);
/// How often a log that shows nothing of what the head counts is asked again before the tail begins anew.
const PATIENCE: u32 = 40;
/// The first pause after a failed read; it doubles up to the configured one.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// One event of a log, decoded once for everybody on this instance.
#[derive(Debug, Clone)]
pub(super) struct Told {
    /// Its place in the log, and the version that its commit gave to what it wrote.
    pub(super) version: Version,
    /// The counters of its commit: the daily number of a case that it opened.
    pub(super) counts: Vec<u64>,
    /// What happened.
    pub(super) event: Arc<Event>,
}

impl Told {
    fn new(entry: &LogEntry) -> Result<Self, StoreError> {
        let event = Arc::new(act::event(entry)?);
        Ok(Self { version: entry.version(), counts: entry.counts.clone(), event })
    }

    pub(super) fn seq(&self) -> u64 {
        self.version.seq()
    }
}

/// What is kept in memory from the log of each territory. Called by the tail only, in order, and must not block.
pub(super) trait Follower: Send + Sync + fmt::Debug {
    /// The next events of a territory: no seq is missing or comes twice since the last reset.
    fn follow(&self, territory: &TerritoryId, told: &[Told]);

    /// What was followed is no longer the territory's history, or a part of it was missed: forget it.
    fn reset(&self, territory: &TerritoryId);
}

/// The tails of this instance.
#[derive(Debug, Default)]
pub(super) struct Tails {
    open: Mutex<BTreeMap<TerritoryId, Arc<Tail>>>,
}

impl Engine {
    /// The tail of a territory, begun if it is not; comes back once it reads the log.
    ///
    /// # Errors
    /// When the log cannot be read within the time a watch may go without.
    pub(super) async fn tail(&self, territory: &TerritoryId) -> Result<Arc<Tail>, Failure> {
        let tail = self.begin_tail(territory);
        tail.live(self.0.options.watch.silence).await?;
        Ok(tail)
    }

    /// What this instance has just committed in `epoch`: its tail need not read it again.
    pub(super) fn committed(&self, territory: &TerritoryId, epoch: u64, receipt: &Receipt, event: Event) {
        let open = self.0.tails.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tail) = open.get(territory) {
            let (version, counts) = (receipt.version, receipt.counts.clone());
            tail.own.committed(epoch, Told { version, counts, event: Arc::new(event) });
        }
    }

    /// The place of what this instance committed last and its tail has not told yet; 0 when it has told all of it.
    pub(super) fn own_place(&self, territory: &TerritoryId) -> u64 {
        let open = self.0.tails.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(territory).map_or(0, |tail| tail.own.last())
    }

    pub(super) fn begin_tail(&self, territory: &TerritoryId) -> Arc<Tail> {
        let mut open = self.0.tails.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tail) = open.get(territory) {
            return tail.clone();
        }
        let clock = self.0.clock.clone();
        let tail = Arc::new(Tail::new(self.0.options.watch.buffer, clock.clone()));
        open.insert(territory.clone(), tail.clone());
        let reader = Reader {
            territory: territory.clone(),
            store: self.0.store.clone(),
            engine: Arc::downgrade(&self.0),
            tail: tail.clone(),
            longest_pause: self.0.options.watch.retry_pause,
            pace: self.0.options.watch.pace,
            mark: None,
            generation: 0,
            ahead: 0,
            resolved: true,
            missing: 0,
            epoch_read: clock.uptime(),
            clock,
        };
        self.0.tasks.spawn(reader.run(self.0.closing.subscribe()));
        tail
    }
}

/// The task behind one tail. It holds the engine only while it works on a batch, so that a forgotten engine ends it.
struct Reader {
    territory: TerritoryId,
    store: Arc<dyn Store>,
    engine: Weak<Inner>,
    tail: Arc<Tail>,
    longest_pause: Duration,
    /// How long what nobody waits for is left unread.
    pace: Duration,
    /// The last entry fed; none before the first contact and after a reset.
    mark: Option<Mark>,
    /// The store's generation when the tail began.
    generation: u64,
    /// The newest version that the states of the window are at: nothing is published before the log is there.
    ahead: u64,
    /// Every case changed since the last publication stands in the window.
    resolved: bool,
    /// How often in a row the log did not show what the head counts.
    missing: u32,
    /// When another epoch was looked for last, in the clock's uptime.
    epoch_read: Duration,
    clock: Clock,
}

/// The engine is gone: nobody is fed any more.
struct Orphan;

impl Reader {
    async fn run(mut self, mut closing: watch::Receiver<bool>) {
        tokio::select! {
            biased;
            () = self.follow() => {}
            // An engine that is gone closes as well.
            _ = closing.wait_for(|closing| *closing) => {}
        }
    }

    async fn follow(&mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.step().await {
                Ok(Ok(())) => pause = FIRST_PAUSE,
                Ok(Err(Orphan)) => return,
                Err(error) => {
                    if self.tail.lost() {
                        warn!(territory = %self.territory, %error, "the log is not read at present; it is tried again");
                    }
                    self.clock.sleep(pause).await;
                    pause = (pause * 2).min(self.longest_pause.max(FIRST_PAUSE));
                }
            }
        }
    }

    async fn step(&mut self) -> Result<Result<(), Orphan>, StoreError> {
        let Some(mark) = self.mark else {
            self.begin().await?;
            return Ok(Ok(()));
        };
        if self.store.generation(&self.territory) != self.generation {
            // What is remembered may be of what is gone, also where the epoch is the same.
            self.engine.upgrade().inspect(|engine| engine.memory.forget(&self.territory));
            self.reset("the store no longer has all that was read of it");
            return Ok(Ok(()));
        }
        if self.other_epoch(mark).await? {
            self.reset("another epoch has begun");
            return Ok(Ok(()));
        }
        // The last entry is read again each time: another command there is another history. What this instance committed
        // behind it is known; only the last of that is looked for.
        let own = self.tail.own.after(mark);
        let known = Mark { version: own.last().map_or(mark.version, |told| told.version), ..mark };
        let entries = self.store.log(&self.territory, known.seq().saturating_sub(1), BATCH).await?;
        match join(known, entries) {
            Joined::Next(new) if new.is_empty() && own.is_empty() => self.idle(mark).await?,
            Joined::Next(new) => {
                self.missing = 0;
                let more = new.len() + 1 >= BATCH || own.len() >= BATCH;
                let Some(engine) = self.engine.upgrade() else { return Ok(Err(Orphan)) };
                self.take(&Engine(engine), mark, own, &new).await?;
                if !more {
                    self.tail.wanted_within(self.pace).await;
                    self.wait().await?;
                }
            }
            Joined::Missing | Joined::Other if !own.is_empty() => self.tail.own.forget(),
            Joined::Missing => self.doubt(mark).await?,
            Joined::Other => self.reset("its log tells another history, or a part of it is gone"),
        }
        Ok(Ok(()))
    }

    async fn wait(&self) -> Result<(), StoreError> {
        match self.mark {
            Some(mark) => self.store.wait(&self.territory, mark.seq()).await,
            None => Ok(()),
        }
    }

    /// Where the log ends now. Nothing before it is fed.
    async fn begin(&mut self) -> Result<(), StoreError> {
        let generation = self.store.generation(&self.territory);
        let head = self.store.read(&self.territory, &[], None).await?;
        (self.epoch_read, self.generation) = (self.clock.uptime(), generation);
        let entries =
            self.store.log(&self.territory, head.seq.saturating_sub(LOOK_BACK), LOOK_BACK as usize + 1).await?;
        let last = entries.last().map(LogEntry::version);
        let version = match last {
            Some(version) => version,
            None if head.seq == 0 => Version::NONE,
            None => {
                self.missing += 1;
                if self.missing <= PATIENCE {
                    return Err(StoreError::Unavailable("the log does not show its last entries yet".to_owned()));
                }
                // Everything up to the head was trimmed away: what follows is read from there.
                Version::unknown(head.seq)
            }
        };
        let mark = Mark { epoch: head.epoch, version };
        (self.mark, self.missing, self.ahead, self.resolved) = (Some(mark), 0, mark.seq(), true);
        self.tail.begin(mark, entries.iter().map(LogEntry::version));
        Ok(())
    }

    /// Nothing new, and everybody may know that this is so.
    async fn idle(&mut self, mark: Mark) -> Result<(), StoreError> {
        self.tail.alive(mark.seq());
        self.wait().await
    }

    /// Whether another epoch has begun, perhaps without an entry; asked for now and then.
    async fn other_epoch(&mut self, mark: Mark) -> Result<bool, StoreError> {
        if self.clock.uptime().saturating_sub(self.epoch_read) < EPOCH_EVERY {
            return Ok(false);
        }
        let head = self.store.read(&self.territory, &[], None).await?;
        self.epoch_read = self.clock.uptime();
        Ok(head.epoch != mark.epoch && mark.seq() > 0)
    }

    /// The log shows not even the last entry that was fed.
    async fn doubt(&mut self, mark: Mark) -> Result<(), StoreError> {
        let head = self.store.read(&self.territory, &[], None).await?;
        self.missing += 1;
        if head.epoch != mark.epoch || head.seq < mark.seq() || self.missing > PATIENCE {
            self.reset("it was rolled back");
            return Ok(());
        }
        if head.seq == mark.seq() {
            // All of it was trimmed away, and nothing has come since.
            self.missing = 0;
            return self.idle(mark).await;
        }
        Err(StoreError::Unavailable("the log shows less than was read of it before".to_owned()))
    }

    async fn take(&mut self, engine: &Engine, mark: Mark, own: Vec<Told>, new: &[LogEntry]) -> Result<(), StoreError> {
        let told = match own.into_iter().map(Ok).chain(new.iter().map(Told::new)).collect::<Result<Vec<_>, _>>() {
            Ok(told) => told,
            Err(cause) => {
                error!(territory = %self.territory, error = %cause, "the log holds what this binary cannot read");
                self.reset("an event cannot be read");
                return Ok(());
            }
        };
        let Some(last) = told.last().map(|told| told.version) else { return Ok(()) };
        let epoch = if mark.epoch == 0 { self.store.read(&self.territory, &[], None).await?.epoch } else { mark.epoch };
        self.tail.note(told.iter().map(|told| told.version));
        self.resolve(engine, &told).await?;
        for follower in engine.followers() {
            follower.follow(&self.territory, &told);
        }
        let mark = Mark { epoch, version: last };
        self.mark = Some(mark);
        if self.ahead <= mark.seq() && self.tail.holds_lost() {
            self.reset("a record was read of a history that was lost");
        } else if self.ahead <= mark.seq() {
            self.tail.publish(mark, std::mem::replace(&mut self.resolved, true));
        } else {
            self.tail.fed(mark.seq());
        }
        Ok(())
    }

    fn reset(&mut self, why: &str) {
        warn!(territory = %self.territory, why, "the tail of the log begins anew");
        self.mark = None;
        self.tail.lost();
        // What was committed in a history that is gone is waited for in vain.
        self.tail.own.forget();
        if let Some(engine) = self.engine.upgrade() {
            for follower in Engine(engine).followers() {
                follower.reset(&self.territory);
            }
        }
    }
}

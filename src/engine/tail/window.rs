//! What one territory's tail shows: how far the log was read, and the latest state of each case changed lately.
//!
//! One window serves every watch: a watch is a place in the log, and what it has still to be told is the cases whose last
//! change stands after that place. A slow console is so told the latest state of each case and no more; the window is
//! bounded by cases, and who has fallen behind it is told so.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Notify, watch};

use crate::{
    clock::Clock,
    domain::ids::CaseId,
    engine::{CaseView, Failure, memory::Known},
    store::Version,
};

use super::own::Own;

/// Places of the log that are remembered for each case the window may hold.
const PLACES_PER_CASE: usize = 8;

/// A place in one history of a log: the epoch, and seq and command of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) struct Mark {
    pub(in crate::engine) epoch: u64,
    pub(in crate::engine) version: Version,
}

impl Mark {
    pub(in crate::engine) fn seq(self) -> u64 {
        self.version.seq()
    }
}

/// What everybody who waits for the tail is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) struct Beat {
    /// Everything up to here stands in the window.
    pub(in crate::engine) mark: Mark,
    /// Everything up to here was given to the followers.
    pub(in crate::engine) fed: u64,
    /// How often the tail began anew: another number means that what was known before no longer counts.
    pub(in crate::engine) resets: u64,
    /// The log was read just now. False: it cannot be, and what is shown may be old.
    pub(in crate::engine) live: bool,
    /// Grows each time the log was found to hold nothing new.
    rounds: u64,
}

/// A case as its last change left it.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Latest {
    pub(in crate::engine) known: Known,
    pub(in crate::engine) view: Arc<CaseView>,
}

/// What a watch at some place has still to be told.
#[derive(Debug)]
pub(in crate::engine) enum Look {
    /// The next cases by their last change; `Some` place when these are all.
    Changes(Vec<Latest>, Option<Mark>),
    /// More has changed since that place than the window holds.
    Behind,
    /// The tail began anew.
    Reset,
}

#[derive(Debug)]
struct Window {
    /// Cases that it holds at most.
    most: usize,
    watchers: usize,
    mark: Mark,
    /// Every change after this seq stands here.
    floor: u64,
    resets: u64,
    order: BTreeMap<u64, CaseId>,
    latest: HashMap<CaseId, Latest>,
    /// Places of the log read lately, in order.
    places: VecDeque<Version>,
}

/// The shared face of one territory's tail.
#[derive(Debug)]
pub(in crate::engine) struct Tail {
    window: Mutex<Window>,
    beat: watch::Sender<Beat>,
    /// What this instance committed and the log has not told yet.
    pub(super) own: Own,
    /// How many wait for the log to be read further.
    waiting: AtomicUsize,
    /// Somebody waits or watches from now on.
    wanted: Notify,
    clock: Clock,
}

/// Somebody waits for the tail as long as this lives.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Tail {
    pub(super) fn new(most: usize, clock: Clock) -> Self {
        let mark = Mark { epoch: 0, version: Version::NONE };
        let beat = Beat { mark, fed: 0, resets: 0, live: false, rounds: 0 };
        let window = Window {
            most: most.max(1),
            watchers: 0,
            mark,
            floor: 0,
            resets: 0,
            order: BTreeMap::new(),
            latest: HashMap::new(),
            places: VecDeque::new(),
        };
        let (own, waiting, wanted) = Default::default();
        Self { window: Mutex::new(window), beat: watch::Sender::new(beat), own, waiting, wanted, clock }
    }

    /// Comes back at once while somebody waits for what the log tells, else as soon as somebody does or after `pace`.
    pub(super) async fn wanted_within(&self, pace: Duration) {
        if self.waiting.load(Ordering::SeqCst) == 0 && self.watchers() == 0 {
            // Either is a reason to read on.
            self.clock.within(pace, self.wanted.notified()).await;
        }
    }

    fn wait_for_it(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        self.wanted.notify_one();
        Waiting(&self.waiting)
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new history, or the first: what was there counts no more.
    pub(super) fn begin(&self, mark: Mark, places: impl Iterator<Item = Version>) {
        let resets = {
            let mut window = self.window();
            (window.mark, window.floor) = (mark, mark.seq());
            window.resets += 1;
            window.forget();
            window.places = places.collect();
            window.resets
        };
        self.beat.send_modify(|beat| {
            *beat = Beat { mark, fed: mark.seq(), resets, live: true, rounds: beat.rounds + 1 };
        });
    }

    /// The log cannot be read; answers whether it could before.
    pub(super) fn lost(&self) -> bool {
        self.beat.send_if_modified(|beat| std::mem::replace(&mut beat.live, false))
    }

    /// The log was read and held nothing new.
    pub(super) fn alive(&self, seq: u64) {
        self.beat.send_modify(|beat| {
            (beat.live, beat.rounds) = (true, beat.rounds + 1);
            beat.fed = seq;
        });
    }

    /// The followers know everything up to `seq`.
    pub(super) fn fed(&self, seq: u64) {
        self.beat.send_modify(|beat| (beat.live, beat.fed) = (true, seq));
    }

    /// The next places of the history that is read; those of a batch that could not be worked on come again.
    pub(super) fn note(&self, places: impl Iterator<Item = Version>) {
        let mut window = self.window();
        for place in places {
            while window.places.back().is_some_and(|last| last.seq() >= place.seq()) {
                window.places.pop_back();
            }
            window.places.push_back(place);
        }
        let most = window.most * PLACES_PER_CASE;
        let over = window.places.len().saturating_sub(most);
        window.places.drain(..over);
    }

    /// Everything up to `mark` stands in the window, or nothing of it when it was not `resolved` for want of watchers.
    pub(super) fn publish(&self, mark: Mark, resolved: bool) {
        {
            let mut window = self.window();
            window.mark = mark;
            if !resolved {
                window.floor = mark.seq();
                window.forget();
            }
            window.shrink();
        }
        self.beat.send_modify(|beat| {
            let rounds = beat.rounds + 1;
            *beat = Beat { mark, fed: mark.seq(), live: true, rounds, ..*beat };
        });
    }

    pub(in crate::engine) fn watchers(&self) -> usize {
        self.window().watchers
    }

    pub(super) fn latest(&self, case: CaseId) -> Option<Known> {
        self.window().latest.get(&case).map(|latest| latest.known.clone())
    }

    pub(super) fn put(&self, case: CaseId, latest: Latest) {
        let mut window = self.window();
        let seq = latest.known.version.seq();
        if let Some(old) = window.latest.insert(case, latest) {
            window.order.remove(&old.known.version.seq());
        }
        window.order.insert(seq, case);
    }

    /// What a watch at `cursor` has still to be told, at most `limit` cases.
    pub(in crate::engine) fn after(&self, resets: u64, cursor: u64, limit: usize) -> Look {
        let window = self.window();
        if window.resets != resets {
            return Look::Reset;
        }
        if cursor < window.floor {
            return Look::Behind;
        }
        let upto = window.mark.seq();
        let next = window.order.range(cursor.saturating_add(1)..).take_while(|(seq, _)| **seq <= upto).take(limit);
        let changes: Vec<Latest> = next.filter_map(|(_, case)| window.latest.get(case).cloned()).collect();
        let level = (changes.len() < limit).then_some(window.mark);
        Look::Changes(changes, level)
    }

    /// Where the window ends, the seq after which it holds every change, and how often the tail began anew.
    pub(in crate::engine) fn place(&self) -> (Mark, u64, u64) {
        let window = self.window();
        (window.mark, window.floor, window.resets)
    }

    /// Whether the history read has this entry; `None` when it was read too long ago to know.
    pub(in crate::engine) fn has(&self, place: Version) -> Option<bool> {
        self.window().has(place)
    }

    /// Whether a state that waits to be shown is of another history than the one that was read: it came from an old primary.
    pub(super) fn holds_lost(&self) -> bool {
        let window = self.window();
        let mut waiting = window.order.range(window.mark.seq() + 1..).filter_map(|(_, case)| window.latest.get(case));
        waiting.any(|latest| window.has(latest.known.version) == Some(false))
    }

    /// What this tail tells from now on.
    pub(in crate::engine) fn beats(&self) -> watch::Receiver<Beat> {
        self.beat.subscribe()
    }

    /// Comes back once the log is read.
    pub(in crate::engine) async fn live(&self, patience: Duration) -> Result<(), Failure> {
        self.until(patience, |beat| beat.live).await.map(|_| ())
    }

    /// Comes back once everything up to `seq` was given to the followers.
    pub(in crate::engine) async fn follows(&self, seq: u64, patience: Duration) -> Result<(), Failure> {
        self.until(patience, |beat| beat.fed >= seq).await.map(|_| ())
    }

    /// Comes back once everything up to `seq` may be shown, or the tail began anew since it had done so `resets` times.
    pub(in crate::engine) async fn shows(&self, seq: u64, resets: u64, patience: Duration) -> Result<(), Failure> {
        self.until(patience, |beat| beat.mark.seq() >= seq || beat.resets != resets).await.map(|_| ())
    }

    async fn until(&self, patience: Duration, enough: impl FnMut(&Beat) -> bool) -> Result<Beat, Failure> {
        let mut beats = self.beat.subscribe();
        let _waiting = self.wait_for_it();
        match self.clock.within(patience, beats.wait_for(enough)).await {
            Some(Ok(beat)) => Ok(*beat),
            _ => {
                Err(Failure::Unavailable("the territory's log is not read far enough at present: try again".to_owned()))
            }
        }
    }
}

impl Window {
    fn has(&self, place: Version) -> Option<bool> {
        let first = self.places.front()?.seq();
        let at = usize::try_from(place.seq().checked_sub(first)?).ok()?;
        Some(self.places.get(at).is_some_and(|known| *known == place))
    }

    fn forget(&mut self) {
        self.order.clear();
        self.latest.clear();
    }

    /// The cases whose last change is the oldest leave first.
    fn shrink(&mut self) {
        while self.latest.len() > self.most {
            let Some((seq, case)) = self.order.pop_first() else { return };
            self.latest.remove(&case);
            self.floor = self.floor.max(seq);
        }
    }
}

/// Keeps the window filled as long as it lives.
#[derive(Debug)]
pub(in crate::engine) struct Watching(Arc<Tail>);

impl Watching {
    pub(in crate::engine) fn begin(tail: Arc<Tail>) -> Self {
        tail.window().watchers += 1;
        tail.wanted.notify_one();
        Self(tail)
    }
}

impl std::ops::Deref for Watching {
    type Target = Tail;

    fn deref(&self) -> &Tail {
        &self.0
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.window().watchers -= 1;
    }
}

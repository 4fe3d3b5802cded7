//! What this instance has seen, so that an uncontended command costs one round trip: records, the fronts of the queues,
//! the cases of telephone calls. It only ever proposes: the commit decides, and nothing is refused from here.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    domain::{
        case::Case,
        ids::{CaseId, TerritoryId},
        time::Instant,
        visits::Shift,
    },
    store::{Conflict, Index, Key, Member, Op, Record, StoreError, Version},
};

use super::{
    codec::{self, Entity},
    queues::{Place, Queue},
};

/// A record as read: decoded once.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) version: Version,
    pub(super) number: Option<u64>,
    pub(super) entity: Arc<Entity>,
}

impl Known {
    pub(super) fn from_record(key: &Key, record: &Record) -> Result<Self, StoreError> {
        let entity = Arc::new(codec::decode(key.as_str(), &record.value)?);
        Ok(Self { version: record.version, number: record.number, entity })
    }

    /// The last instant that it tells of.
    pub(super) fn last_instant(&self) -> Option<Instant> {
        match self.entity.as_ref() {
            Entity::Case(case) => Some(case.last_instant()),
            Entity::Slot(slot) => slot.last_instant(),
            Entity::Shift(shift) => shift.last_instant(),
            Entity::Room(room) => room.last_instant(),
            Entity::Sheet(sheet) => Some(sheet.last_instant()),
        }
    }

    pub(super) fn case(&self) -> Option<&Case> {
        match self.entity.as_ref() {
            Entity::Case(case) => Some(case),
            Entity::Slot(_) | Entity::Shift(_) | Entity::Room(_) | Entity::Sheet(_) => None,
        }
    }

    pub(super) fn shift(&self) -> Option<&Shift> {
        match self.entity.as_ref() {
            Entity::Shift(shift) => Some(shift),
            Entity::Case(_) | Entity::Slot(_) | Entity::Room(_) | Entity::Sheet(_) => None,
        }
    }
}

/// A record, and whether it was used since it was last looked at for eviction.
struct Kept {
    known: Known,
    used: bool,
}

/// One territory.
#[derive(Default)]
struct Shelf {
    records: HashMap<Key, Kept>,
    /// The keys by arrival: whoever was used goes round once more.
    ring: VecDeque<Key>,
    epoch: Option<u64>,
    queues: HashMap<Index, Queue>,
    calls: HashMap<Index, CaseId>,
    /// The calls by arrival: the oldest is forgotten first.
    rang: VecDeque<Index>,
}

/// Bounded: when full, what was not used lately is forgotten and read again when it is needed.
pub(super) struct Memory {
    most: usize,
    kept: AtomicUsize,
    shelves: RwLock<BTreeMap<TerritoryId, Arc<Mutex<Shelf>>>>,
}

impl Memory {
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), kept: AtomicUsize::new(0), shelves: RwLock::default() }
    }

    fn shelf(&self, territory: &TerritoryId) -> Arc<Mutex<Shelf>> {
        let known = self.shelves.read().unwrap_or_else(PoisonError::into_inner).get(territory).cloned();
        known.unwrap_or_else(|| {
            let mut shelves = self.shelves.write().unwrap_or_else(PoisonError::into_inner);
            shelves.entry(territory.clone()).or_default().clone()
        })
    }

    pub(super) fn get(&self, territory: &TerritoryId, key: &Key) -> Option<Known> {
        let shelf = self.shelf(territory);
        let mut shelf = open(&shelf);
        let kept = shelf.records.get_mut(key)?;
        kept.used = true;
        Some(kept.known.clone())
    }

    /// Keeps a record unless a newer one is known; `None` forgets it.
    pub(super) fn put(&self, territory: &TerritoryId, key: &Key, known: Option<Known>) {
        let shelf = self.shelf(territory);
        let mut shelf = open(&shelf);
        let Some(known) = known else {
            let gone = shelf.records.remove(key).is_some();
            self.kept.fetch_sub(usize::from(gone), Ordering::Relaxed);
            return;
        };
        if let Some(kept) = shelf.records.get_mut(key) {
            if kept.known.version.seq() <= known.version.seq() {
                kept.known = known;
            }
            return;
        }
        if self.kept.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.kept.fetch_sub(shelf.evict(), Ordering::Relaxed);
        }
        // A key whose record went by itself still stands in the ring.
        while shelf.ring.len() > 2 * shelf.records.len() + 16 {
            self.kept.fetch_sub(shelf.evict(), Ordering::Relaxed);
        }
        shelf.ring.push_back(key.clone());
        shelf.records.insert(key.clone(), Kept { known, used: false });
    }

    pub(super) fn epoch(&self, territory: &TerritoryId) -> Option<u64> {
        open(&self.shelf(territory)).epoch
    }

    /// Another epoch than the known one makes everything remembered of the territory void: it may be of a lost history.
    pub(super) fn set_epoch(&self, territory: &TerritoryId, epoch: u64) {
        if self.epoch(territory).is_some_and(|known| known > 0 && known != epoch) {
            self.forget(territory);
        }
        open(&self.shelf(territory)).epoch = Some(epoch);
    }

    /// Forgets a territory: another epoch has begun.
    pub(super) fn forget(&self, territory: &TerritoryId) {
        let shelf = std::mem::take(&mut *open(&self.shelf(territory)));
        self.kept.fetch_sub(shelf.records.len(), Ordering::Relaxed);
    }

    /// Does something with a queue.
    pub(super) fn queue<T>(&self, territory: &TerritoryId, index: &Index, act: impl FnOnce(&mut Queue) -> T) -> T {
        let shelf = self.shelf(territory);
        let mut shelf = open(&shelf);
        match shelf.queues.get_mut(index) {
            Some(queue) => act(queue),
            None => act(shelf.queues.entry(index.clone()).or_default()),
        }
    }

    /// The case of a telephone call, when this instance has seen it: a call keeps its case.
    pub(super) fn call(&self, territory: &TerritoryId, index: &Index) -> Option<CaseId> {
        open(&self.shelf(territory)).calls.get(index).copied()
    }

    pub(super) fn rang(&self, territory: &TerritoryId, index: &Index, case: CaseId) {
        open(&self.shelf(territory)).rang(index, case, self.most);
    }

    /// The index entries that a commit of this instance has written.
    pub(super) fn committed(&self, territory: &TerritoryId, ops: &[Op]) {
        let shelf = self.shelf(territory);
        let mut shelf = open(&shelf);
        for op in ops {
            match op {
                Op::IndexAdd(index, score, member) if index.is_queue() => {
                    shelf.queues.entry(index.clone()).or_default().add(*score, member);
                }
                Op::IndexRemove(index, member) if index.is_queue() => {
                    shelf.queues.entry(index.clone()).or_default().remove(member);
                }
                Op::IndexAdd(index, _, member) if index.is_call() => {
                    if let Ok(case) = member.0.parse() {
                        shelf.rang(index, case, self.most);
                    }
                }
                _ => {}
            }
        }
    }

    /// What a conflict said of the heads of indexes. `place` says where a record stands in a queue; what is remembered of
    /// it may be newer than the conflict.
    pub(super) fn corrected(
        &self,
        territory: &TerritoryId,
        conflict: &Conflict,
        place: impl Fn(&Entity, &Index) -> Option<Place>,
    ) {
        for (index, head) in &conflict.heads {
            if let (true, Some(case)) =
                (index.is_call(), head.as_ref().and_then(|member: &Member| member.0.parse().ok()))
            {
                self.rang(territory, index, case);
            }
            if index.is_queue() {
                let record = head.as_ref().and_then(|head| index.head_record(head));
                let known = record.and_then(|key| self.get(territory, &key));
                let place = known.and_then(|known| place(&known.entity, index));
                self.queue(territory, index, |queue| queue.begins_with(place, head.is_none()));
            }
        }
    }
}

impl Shelf {
    /// Forgets what was not used since the last time round; answers how many records went.
    fn evict(&mut self) -> usize {
        while let Some(key) = self.ring.pop_front() {
            match self.records.get_mut(&key) {
                Some(kept) if kept.used => {
                    kept.used = false;
                    self.ring.push_back(key);
                }
                Some(_) => {
                    self.records.remove(&key);
                    return 1;
                }
                None => return 0,
            }
        }
        0
    }

    fn rang(&mut self, index: &Index, case: CaseId, most: usize) {
        if self.calls.insert(index.clone(), case).is_none() {
            self.rang.push_back(index.clone());
        }
        if self.rang.len() > most
            && let Some(oldest) = self.rang.pop_front()
        {
            self.calls.remove(&oldest);
        }
    }
}

fn open(shelf: &Arc<Mutex<Shelf>>) -> MutexGuard<'_, Shelf> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}

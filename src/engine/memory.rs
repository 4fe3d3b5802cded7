//! The records this instance has seen, so that an uncontended command costs one round trip. Never trusted for a refusal.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    domain::ids::TerritoryId,
    store::{Key, Record, StoreError, Version},
};

use super::codec::{self, Entity};

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
}

#[derive(Default)]
struct Shelf {
    records: HashMap<(TerritoryId, Key), Known>,
    epochs: BTreeMap<TerritoryId, u64>,
}

/// Bounded: when full, everything is forgotten and read again as it is needed.
pub(super) struct Memory {
    most: usize,
    shelf: Mutex<Shelf>,
}

impl Memory {
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), shelf: Mutex::default() }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, territory: &TerritoryId, key: &Key) -> Option<Known> {
        self.shelf().records.get(&(territory.clone(), key.clone())).cloned()
    }

    /// Keeps a record unless a newer one is known; `None` forgets it.
    pub(super) fn put(&self, territory: &TerritoryId, key: &Key, known: Option<Known>) {
        let mut shelf = self.shelf();
        let name = (territory.clone(), key.clone());
        let Some(known) = known else {
            shelf.records.remove(&name);
            return;
        };
        if shelf.records.len() >= self.most {
            shelf.records.clear();
        }
        let newer = shelf.records.get(&name).is_some_and(|kept| kept.version.seq() > known.version.seq());
        if !newer {
            shelf.records.insert(name, known);
        }
    }

    pub(super) fn epoch(&self, territory: &TerritoryId) -> Option<u64> {
        self.shelf().epochs.get(territory).copied()
    }

    pub(super) fn set_epoch(&self, territory: &TerritoryId, epoch: u64) {
        self.shelf().epochs.insert(territory.clone(), epoch);
    }

    /// Forgets a territory: another epoch has begun.
    pub(super) fn forget(&self, territory: &TerritoryId) {
        let mut shelf = self.shelf();
        shelf.records.retain(|(owner, _), _| owner != territory);
        shelf.epochs.remove(territory);
    }
}

//! Up to where each territory's log is known to be on the replicas.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::domain::ids::TerritoryId;

/// For each territory the generation of servers and the last seq that the replicas had.
#[derive(Default)]
pub(super) struct Durable(Mutex<HashMap<TerritoryId, (u64, u64)>>);

impl Durable {
    /// The replicas have everything through `seq`, as the servers of `generation` say.
    pub fn note(&self, territory: &TerritoryId, seq: u64, generation: u64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get_mut(territory) {
            Some((since, through)) if *since == generation => *through = seq.max(*through),
            Some(entry) => *entry = (generation, seq),
            None => {
                known.insert(territory.clone(), (generation, seq));
            }
        }
    }

    /// Through which seq; 0 when these servers have not said.
    pub fn through(&self, territory: &TerritoryId, generation: u64) -> u64 {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(territory).filter(|(since, _)| *since == generation).map_or(0, |(_, seq)| *seq)
    }
}

//! Who waits for a territory's log to grow. Only a hint: the log itself is read from the file.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use tokio::sync::watch;

use crate::domain::ids::TerritoryId;

/// The last flushed seq of each territory that anybody has waited for.
#[derive(Debug, Default)]
pub(super) struct Heads(Mutex<HashMap<TerritoryId, watch::Sender<u64>>>);

impl Heads {
    /// Wakes those who wait for `territory`.
    pub fn moved(&self, territory: &TerritoryId, seq: u64) {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = waiting.get(territory) {
            sender.send_if_modified(|head| {
                let grew = seq > *head;
                *head = seq.max(*head);
                grew
            });
        }
    }

    /// A view of the seq of `territory`; 0 until it next moves.
    pub fn watch(&self, territory: &TerritoryId) -> watch::Receiver<u64> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.entry(territory.clone()).or_insert_with(|| watch::channel(0).0).subscribe()
    }
}

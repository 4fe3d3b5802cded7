//! The ledger is what the simulation takes for a store: it is held to the embedded engine by the same fuzz that holds Redis
//! to it.

use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use sas_dispatch::{
    clock::Clock,
    domain::ids::{CommandId, TerritoryId},
    store::{
        Committed, DurabilityReport, Index, Key, LogEntry, LookupKept, Member, Page, Score, Snapshot, Standing, Store,
        StoreError, Txn, embedded::Embedded,
    },
};

use super::ledger::Ledger;
use crate::store::{fuzz::Both, stand::START};

#[test]
fn the_simulated_store_answers_and_keeps_as_the_embedded_engine_does() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Clock::manual(START));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let both = runtime.block_on(async {
        let embedded = Arc::new(Embedded::open(dir.path(), clock.clone()).unwrap());
        Both::new(embedded, Arc::new(Lone::new(clock.clone())), clock)
    });
    both.answer_and_keep_alike(&runtime);
}

/// One ledger without any network before it.
#[derive(Debug)]
pub struct Lone {
    ledger: Mutex<Ledger>,
    clock: Clock,
}

impl Lone {
    pub fn new(clock: Clock) -> Self {
        Self { ledger: Mutex::default(), clock }
    }

    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }
}

#[async_trait]
impl Store for Lone {
    async fn read(
        &self,
        territory: &TerritoryId,
        keys: &[Key],
        receipt: Option<CommandId>,
    ) -> Result<Snapshot, StoreError> {
        let (mut ledger, now) = (self.ledger(), self.clock.now());
        ledger.note_clock(territory, now);
        Ok(ledger.read(territory, keys, receipt, now))
    }

    async fn range(
        &self,
        territory: &TerritoryId,
        index: &Index,
        after: Option<(Score, Member)>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        Ok(self.ledger().range(territory, index, after.as_ref(), limit))
    }

    async fn commit(&self, txn: &Txn) -> Result<Committed, StoreError> {
        self.ledger().commit(txn, self.clock.now())
    }

    async fn log(&self, territory: &TerritoryId, after: u64, limit: usize) -> Result<Vec<LogEntry>, StoreError> {
        Ok(self.ledger().log(territory, after, limit))
    }

    async fn trim(&self, _: &TerritoryId, _: u64) -> Result<u64, StoreError> {
        Err(StoreError::Unavailable("nothing is trimmed in a simulation".to_owned()))
    }

    async fn wait(&self, _: &TerritoryId, _: u64) -> Result<(), StoreError> {
        // Whoever waits for more lets the others work.
        tokio::task::yield_now().await;
        Ok(())
    }

    async fn begin(&self, _: &TerritoryId, _: &str, _: bool) -> Result<Standing, StoreError> {
        Ok(Standing { schema: 0, lookup: LookupKept::Same })
    }

    async fn durability(&self) -> Result<DurabilityReport, StoreError> {
        Err(StoreError::Unavailable("a ledger keeps nothing".to_owned()))
    }

    async fn territories(&self) -> Result<Vec<TerritoryId>, StoreError> {
        Ok(self.ledger().lands.keys().cloned().collect())
    }

    fn generation(&self, _: &TerritoryId) -> u64 {
        1
    }
}

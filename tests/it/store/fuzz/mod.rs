//! Differential fuzz: random transactions over a small space of names, given to another store and to the embedded engine,
//! must get the same answers and leave the same records, indexes and log, whatever the clock does. The other is the Redis
//! script here, and the simulation's ledger there.

mod steps;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, atomic::Ordering},
};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use sas_dispatch::{
    clock::Clock,
    domain::ids::TerritoryId,
    store::{Committed, Durability, Guard, Member, Page, Score, Snapshot, Store, StoreError, Txn, embedded::Embedded},
};

use self::steps::{Aim, Head, INDEXES, KEYS, Plan, Step, WrittenGuard, steps};
use super::stand::{START, index, key, member, redis_at};
use crate::support::redis::Server;

/// Both engines on one hand-driven clock.
pub struct Both {
    embedded: Arc<dyn Store>,
    other: Arc<dyn Store>,
    clock: Clock,
    /// Kinds of answers that came, to know that the fuzz reaches all of them.
    seen: Mutex<BTreeSet<&'static str>>,
}

#[test]
fn script_and_embedded_engine_answer_alike_and_keep_alike() {
    let (dir, server) = (tempfile::tempdir().unwrap(), Server::start("no"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let both = runtime.block_on(async {
        let clock = Clock::manual(START);
        let embedded = Arc::new(Embedded::open(dir.path(), clock.clone()).unwrap());
        Both::new(embedded, redis_at(&server.url(), clock.clone()).await, clock)
    });
    both.answer_and_keep_alike(&runtime);
}

impl Both {
    /// Both on `clock`, which is a manual one.
    pub fn new(embedded: Arc<dyn Store>, other: Arc<dyn Store>, clock: Clock) -> Self {
        Self { embedded, other, clock, seen: Mutex::default() }
    }

    /// Plays random transactions on both, a new territory each time.
    pub fn answer_and_keep_alike(&self, runtime: &tokio::runtime::Runtime) {
        let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(120);
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let next = std::cell::Cell::new(0);
        let played = runner.run(&steps(), |steps| {
            next.set(next.get() + 1);
            let territory = format!("case-{}", next.get()).parse().unwrap();
            runtime.block_on(self.play(territory, steps))
        });
        played.unwrap_or_else(|failure| panic!("{failure}"));
        let reached: Vec<_> = self.seen.lock().unwrap().iter().copied().collect();
        let all = [
            "clock",
            "conflict",
            "done",
            "fenced",
            "malformed",
            "newer",
            "other payload",
            "replayed",
            "stale command",
            "touched",
        ];
        assert_eq!(reached, all, "the fuzz no longer reaches every kind of answer");
    }

    async fn play(&self, territory: TerritoryId, steps: Vec<Step>) -> Result<(), TestCaseError> {
        self.set_clock(START.unix_ms());
        let mut known = self.state(&territory).await?;
        let mut versions = Vec::new();
        for step in steps {
            match step {
                Step::Clock(ms) => self.set_clock(self.clock.now().unix_ms() + ms),
                Step::Commit(plan) => {
                    let txn = self.transaction(&territory, &known, &versions, &plan);
                    let (ours, theirs) = (self.embedded.commit(&txn).await, self.other.commit(&txn).await);
                    prop_assert_eq!(alike(&ours), alike(&theirs), "{:?}", txn);
                    self.seen.lock().unwrap().insert(kind(&txn, &ours));
                }
            }
            versions.extend(known.records.values().flatten().map(|record| record.version));
            known = self.state(&territory).await?;
        }
        self.compare_indexes(&territory).await?;
        let (ours, theirs) =
            (self.embedded.log(&territory, 0, 1_000).await, self.other.log(&territory, 0, 1_000).await);
        prop_assert_eq!(&ours, &theirs);
        let seqs: Vec<u64> = ours.unwrap().iter().map(|entry| entry.seq).collect();
        prop_assert_eq!(seqs, (1..=known.seq).collect::<Vec<_>>(), "the log has a gap");
        Ok(())
    }

    fn set_clock(&self, ms: i64) {
        let Clock::Manual(clock) = &self.clock else { unreachable!("the fuzz drives the clock") };
        clock.store(ms, Ordering::SeqCst);
    }

    /// Every record and the receipts of every command, the same on both.
    async fn state(&self, territory: &TerritoryId) -> Result<Snapshot, TestCaseError> {
        let keys = KEYS.map(key);
        let mut state = None;
        for command in [None, Some(steps::command_id(0, 0)), Some(steps::command_id(1, 0))] {
            let mut ours = self.embedded.read(territory, &keys, command).await.unwrap();
            let mut theirs = self.other.read(territory, &keys, command).await.unwrap();
            for receipt in [&mut ours.receipt, &mut theirs.receipt].into_iter().flatten() {
                receipt.durability = Durability::Unknown;
            }
            prop_assert_eq!(&ours, &theirs);
            state = Some(ours);
        }
        Ok(state.expect("three reads were made"))
    }

    async fn compare_indexes(&self, territory: &TerritoryId) -> Result<(), TestCaseError> {
        for name in INDEXES {
            for size in [1, 3, 1_000] {
                let mut after: Option<(Score, Member)> = None;
                loop {
                    let ours: Page = self.embedded.range(territory, &index(name), after.clone(), size).await.unwrap();
                    let theirs = self.other.range(territory, &index(name), after.clone(), size).await.unwrap();
                    prop_assert_eq!(&ours, &theirs, "{} after {:?}", name, after);
                    after = ours.entries.last().cloned();
                    if ours.entries.len() < size {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn transaction(
        &self,
        territory: &TerritoryId,
        known: &Snapshot,
        versions: &[sas_dispatch::store::Version],
        plan: &Plan,
    ) -> Txn {
        let guard = |guard: &WrittenGuard| match guard {
            WrittenGuard::Version(name, aim) => {
                let current = known.records[&key(name)].as_ref().map(|record| record.version);
                let other = versions.first().copied();
                match (aim, current.or(other)) {
                    (Aim::Current, Some(version)) => Guard::Version(key(name), version),
                    (Aim::Other, _) if other.is_some() => Guard::Version(key(name), other.expect("just seen")),
                    _ => Guard::Absent(key(name)),
                }
            }
            WrittenGuard::Absent(name) => Guard::Absent(key(name)),
            WrittenGuard::First(name, Head::Empty) => Guard::First(index(name), None),
            WrittenGuard::First(name, Head::Member(text)) => Guard::First(index(name), Some(member(text))),
            WrittenGuard::Due(name, text) => Guard::Due(index(name), member(text)),
            WrittenGuard::Running(name, text) => Guard::Running(index(name), member(text)),
        };
        let guards = plan.guards.iter().map(guard).collect();
        plan.transaction(territory.clone(), known, guards)
    }
}

/// The answer without what the engines may differ in: how safe it is, which their settings decide.
fn alike(answer: &Result<Committed, StoreError>) -> Result<Committed, StoreError> {
    let mut answer = answer.clone();
    if let Ok(Committed::Done(receipt)) = &mut answer {
        receipt.durability = Durability::Unknown;
    }
    answer
}

fn kind(txn: &Txn, answer: &Result<Committed, StoreError>) -> &'static str {
    match answer {
        Ok(Committed::Done(receipt)) if receipt.replayed => "replayed",
        Ok(Committed::Done(_)) if txn.command.is_none() => "touched",
        Ok(Committed::Done(_)) => "done",
        Ok(Committed::Conflict(_)) => "conflict",
        Ok(Committed::Clock(_)) => "clock",
        Err(StoreError::Fenced { .. }) => "fenced",
        Err(StoreError::OtherPayload(_)) => "other payload",
        Err(StoreError::StaleCommand(_)) => "stale command",
        Err(StoreError::Malformed(_)) => "malformed",
        Err(StoreError::Newer { .. }) => "newer",
        Err(_) => "failed",
    }
}

/// A map of what a plan names, so that the small space is small on purpose: every name is met again and again.
#[test]
fn the_names_of_the_fuzz_meet_every_rule_for_heads() {
    let prefixes: BTreeMap<_, _> = INDEXES.iter().map(|name| (*name, index(name).record_prefix())).collect();
    assert_eq!(prefixes, BTreeMap::from([("free/d", Some("slot/")), ("queue/amu", Some("case/")), ("timers", None)]));
}

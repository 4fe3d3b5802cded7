//! Going on after an old backup was put back: the operator's word, written into the store so that every instance follows.
//!
//! The record `restored` names the epoch that the last restore began. What was acknowledged in an earlier epoch and is
//! not there is settled by it: known to be lost, and no longer a reason to refuse writes.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    domain::{case::state::SCHEMA, ids::TerritoryId, time::Instant},
    store::{Committed, Guard, Key, Op, Policy, Record, Snapshot, Store, StoreError, Txn},
};

use super::{
    gone::{self, Apart},
    past::Mark,
};

/// How often a restore is tried against instances that raise the epoch themselves.
const ATTEMPTS: usize = 8;

/// The record `restored`; it holds nothing about a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Restored {
    /// The epoch that began.
    epoch: u64,
    /// The head of the log then.
    seq: u64,
    /// How many events were missing at least.
    #[serde(default)]
    missing: u64,
}

/// One acknowledged entry against what the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    /// What was acknowledged.
    pub mark: Mark,
    /// Whether it is there.
    pub found: Found,
}

/// Whether an acknowledged entry is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It is.
    Present,
    /// The log was trimmed beyond it: it was archived, and nothing can be said from here.
    Trimmed,
    /// It is not.
    Missing,
    /// It is not, and an earlier restore has settled it.
    Settled,
}

/// What a restore found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The head of the log.
    pub head: u64,
    /// The instant of the last entry of the log, as far as the log shows it.
    pub last: Option<Instant>,
    /// The last place of the log that is left of the history of what is missing: the head, unless calls were taken since the
    /// store went back.
    pub left: u64,
    /// Its instant, as far as the log shows it.
    pub left_at: Option<Instant>,
    /// How many events were missing at least when an earlier restore began the epoch that there is.
    pub settled: u64,
    /// The epoch before.
    pub before: u64,
    /// The epoch now; the same when there was nothing to do.
    pub epoch: u64,
    /// Each acknowledged entry that was asked about.
    pub compared: Vec<Compared>,
}

impl Report {
    /// The acknowledged entries that are missing and were not settled before.
    pub fn missing(&self) -> impl Iterator<Item = Mark> + '_ {
        self.compared.iter().filter(|compared| compared.found == Found::Missing).map(|compared| compared.mark)
    }

    /// How many events are missing at least: from what is left to the last acknowledged entry, or those entries themselves
    /// when the log had grown beyond them before anybody noticed.
    pub fn missing_events(&self) -> u64 {
        let beyond = self.missing().map(|mark| mark.seq.saturating_sub(self.left)).max().unwrap_or_default();
        beyond.max(self.missing().count() as u64)
    }
}

/// The epoch that the last restore began; 0 without one.
pub(super) fn epoch_of(record: Option<&Record>) -> Result<u64, StoreError> {
    Ok(parsed(&Key::restored(), record)?.map_or(0, |restored: Restored| restored.epoch))
}

/// What the record at `key` says, when there is one.
fn parsed<T: DeserializeOwned>(key: &Key, record: Option<&Record>) -> Result<Option<T>, StoreError> {
    let parse = |record: &Record| {
        serde_json::from_slice(&record.value)
            .map_err(|error| StoreError::Corrupt(format!("the record `{key}` at column {}", error.column())))
    };
    record.map(parse).transpose()
}

/// Compares `marks` with what `store` (the engine itself) holds of `territory`, and begins another epoch unless one that
/// a restore began has just begun and nothing is missing: to repeat it is harmless. `look_only` changes nothing.
///
/// # Errors
/// When the store does not answer, or holds what this binary cannot read.
pub async fn restore(
    store: &dyn Store,
    territory: &TerritoryId,
    marks: &[Mark],
    look_only: bool,
) -> Result<Report, StoreError> {
    let keys = [Key::restored(), Key::apart()];
    let mut at = None;
    for _ in 0..ATTEMPTS {
        let head = store.read(territory, &keys, None).await?;
        let record = head.records.get(&keys[0]).and_then(Option::as_ref);
        let settled: Option<Restored> = parsed(&keys[0], record)?;
        let apart = parsed(&keys[1], head.records.get(&keys[1]).and_then(Option::as_ref))?;
        let report = compare(store, territory, marks, &head, (settled, apart)).await?;
        let begun = settled.is_some_and(|restored| restored.epoch == head.epoch);
        if look_only || begun && report.missing().next().is_none() {
            return Ok(report);
        }
        let beyond = marks.iter().map(|mark| mark.epoch).max().unwrap_or_default();
        let txn = restoring(territory, &head, at.unwrap_or(head.at), record, (beyond, report.missing_events()));
        match store.commit(&txn).await {
            Ok(Committed::Done(_)) => return Ok(Report { epoch: head.epoch.max(beyond) + 1, ..report }),
            Ok(Committed::Clock(now)) => at = Some(now),
            Ok(Committed::Conflict(_)) | Err(StoreError::Fenced { .. } | StoreError::Unknown(_)) => at = None,
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::Unavailable("others keep changing the territory's epoch: run it again".to_owned()))
}

async fn compare(
    store: &dyn Store,
    territory: &TerritoryId,
    marks: &[Mark],
    head: &Snapshot,
    (settled, apart): (Option<Restored>, Option<Apart>),
) -> Result<Report, StoreError> {
    let mut compared = Vec::new();
    for mark in marks {
        let entry = store.log(territory, mark.seq.saturating_sub(1), 1).await?.pop();
        let found = match entry {
            Some(entry) if entry.seq == mark.seq && entry.command_id == mark.command => Found::Present,
            Some(entry) if entry.seq > mark.seq => Found::Trimmed,
            _ if settled.is_some_and(|restored| restored.epoch > mark.epoch) => Found::Settled,
            _ => Found::Missing,
        };
        compared.push(Compared { mark: *mark, found });
    }
    let last = instant_of(store, territory, head.seq).await?;
    // What an earlier restore settled is no matter of this one.
    let apart = apart.filter(|apart| settled.is_none_or(|restored| restored.epoch < apart.epoch));
    let (left, left_at) = match apart {
        Some(apart) => (apart.seq, instant_of(store, territory, apart.seq).await?),
        None => (head.seq, last),
    };
    let settled = settled.filter(|restored| restored.epoch == head.epoch).map_or(0, |restored| restored.missing);
    Ok(Report { head: head.seq, last, left, left_at, settled, before: head.epoch, epoch: head.epoch, compared })
}

/// When the entry at `seq` was written, where the log shows it.
async fn instant_of(store: &dyn Store, territory: &TerritoryId, seq: u64) -> Result<Option<Instant>, StoreError> {
    let entry = store.log(territory, seq.saturating_sub(1), 1).await?.pop();
    Ok(entry.filter(|entry| entry.seq == seq).map(|entry| entry.at))
}

fn restoring(
    territory: &TerritoryId,
    head: &Snapshot,
    at: Instant,
    record: Option<&Record>,
    (beyond, missing): (u64, u64),
) -> Txn {
    let key = Key::restored();
    let guard = match record {
        Some(record) => Guard::Version(key.clone(), record.version),
        None => Guard::Absent(key.clone()),
    };
    let restored = Restored { epoch: head.epoch.max(beyond) + 1, seq: head.seq, missing };
    let value = serde_json::to_vec(&restored).expect("three numbers have a JSON form");
    let mut ops = vec![Op::RaiseEpoch { beyond }, Op::Put { key, value, number: None }];
    ops.extend(gone::skipped(at, missing));
    let touch = Txn::touch(territory.clone(), head.epoch, at);
    Txn { schema: SCHEMA, guards: vec![guard], ops, policy: Policy::Degraded, ..touch }
}

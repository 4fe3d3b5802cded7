//! One transaction against the open tables: every check first, then the writes. The order is that of `commit.lua`.

use std::collections::BTreeMap;

use redb::ReadableTable;

use crate::{
    domain::{ids::CommandId, time::Instant},
    store::{
        Committed, Conflict, Durability, Guard, Key, Member, Op, Receipt, Record, Snapshot, StoreError, Txn, Version,
        txn::{MAX_CLOCK_GAP, MAX_COMMAND_AGE, MAX_COMMAND_AHEAD, MAX_SCORE, RECEIPT_LIFE, command_time},
    },
};

use super::tables::{Head, Writing};

/// What a transaction came to. Nothing was written unless it is `Done` and not replayed.
pub(super) type Answer = Result<Committed, StoreError>;

/// Why the checks ended before the writes.
enum Stop {
    Answer(Box<Answer>),
    Disk(redb::Error),
}

impl<E: Into<redb::Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Disk(error.into())
    }
}

fn answer<T>(answer: Answer) -> Result<T, Stop> {
    Err(Stop::Answer(Box::new(answer)))
}

/// Decides `txn` when the clock shows `clock` and applies it. An error is the disk's: the whole group must be given up.
pub(super) fn commit(tables: &mut Writing<'_>, txn: &Txn, clock: Instant) -> Result<Answer, redb::Error> {
    let head = tables.head(&txn.territory)?;
    let (now, pace) = head.pace.at(clock);
    match check(tables, txn, &head, now) {
        Ok(()) => Ok(Ok(Committed::Done(write(tables, txn, Head { pace, ..head }, now)?))),
        Err(Stop::Answer(answer)) => Ok(*answer),
        Err(Stop::Disk(error)) => Err(error),
    }
}

fn check(tables: &Writing<'_>, txn: &Txn, head: &Head, now: Instant) -> Result<(), Stop> {
    if let Some((id, digest)) = txn.command
        && let Some(kept) = tables.receipt(&txn.territory, id, now)?
    {
        let known = kept.digest == digest;
        return answer(if known { Ok(Committed::Done(kept.receipt)) } else { Err(StoreError::OtherPayload(id)) });
    }
    if txn.epoch != head.epoch {
        return answer(Err(StoreError::Fenced { current: head.epoch }));
    }
    let schema = txn.written_schema().unwrap_or(head.schema);
    if schema < head.schema {
        return answer(Err(StoreError::Newer { found: head.schema, known: schema }));
    }
    if now.since(txn.at).max(txn.at.since(now)) > MAX_CLOCK_GAP {
        return answer(Ok(Committed::Clock(now)));
    }
    if let Some((id, _)) = txn.command
        && is_stale(id, txn.at)
    {
        return answer(Err(StoreError::StaleCommand(id)));
    }
    if !guards_hold(tables, txn, now)? {
        return answer(Ok(Committed::Conflict(conflict(tables, txn, head, now)?)));
    }
    check_numbers(tables, txn)
}

fn is_stale(id: CommandId, at: Instant) -> bool {
    let made = command_time(id).unwrap_or(Instant::from_unix_ms(0));
    at.since(made) > MAX_COMMAND_AGE || made.since(at) > MAX_COMMAND_AHEAD
}

fn guards_hold(tables: &Writing<'_>, txn: &Txn, now: Instant) -> Result<bool, redb::Error> {
    let territory = &txn.territory;
    let score = |index: &crate::store::Index, member: &Member| -> Result<Option<i64>, redb::Error> {
        Ok(tables.scores.get((territory.as_str(), index.as_str(), member.0.as_str()))?.map(|row| row.value()))
    };
    for guard in &txn.guards {
        let holds = match guard {
            Guard::Version(key, version) => tables.record(territory, key)?.is_some_and(|r| r.version == *version),
            Guard::Absent(key) => tables.record(territory, key)?.is_none(),
            Guard::First(index, head) => tables.first(territory, index)? == *head,
            Guard::Due(index, member) => score(index, member)?.is_some_and(|due| due <= now.unix_ms()),
            Guard::Running(index, member) => score(index, member)?.is_some_and(|end| end > now.unix_ms()),
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

fn conflict(tables: &Writing<'_>, txn: &Txn, head: &Head, now: Instant) -> Result<Conflict, redb::Error> {
    let mut records: BTreeMap<Key, Option<Record>> = BTreeMap::new();
    let mut heads = BTreeMap::new();
    for guard in &txn.guards {
        let key = match guard {
            Guard::Version(key, _) | Guard::Absent(key) => Some(key.clone()),
            Guard::First(index, _) => {
                let first = tables.first(&txn.territory, index)?;
                let key = first.as_ref().and_then(|member| index.head_record(member));
                heads.insert(index.clone(), first);
                key
            }
            Guard::Due(..) | Guard::Running(..) => None,
        };
        if let Some(key) = key {
            let record = tables.record(&txn.territory, &key)?;
            records.insert(key, record);
        }
    }
    let last = tables.command_at(&txn.territory, head.seq)?;
    let snapshot = Snapshot { seq: head.seq, last, epoch: head.epoch, at: now, records, receipt: None };
    Ok(Conflict { snapshot, heads })
}

/// Only a new record is numbered, and no counter leaves the numbers that every engine holds exactly.
fn check_numbers(tables: &Writing<'_>, txn: &Txn) -> Result<(), Stop> {
    for op in &txn.ops {
        let (counter, more) = match op {
            Op::Put { key, number: Some(counter), .. } => {
                if tables.records.get((txn.territory.as_str(), key.as_str()))?.is_some() {
                    return answer(Err(StoreError::numbered_again()));
                }
                (counter, 1)
            }
            Op::Skip { counter, numbers } => (counter, *numbers),
            _ => continue,
        };
        let value = tables.counters.get((txn.territory.as_str(), counter.as_str()))?.map_or(0, |row| row.value());
        if value.saturating_add(more) > MAX_SCORE.unsigned_abs() {
            return answer(Err(StoreError::Corrupt(format!("counter {counter} is beyond 2^53"))));
        }
    }
    Ok(())
}

fn write(tables: &mut Writing<'_>, txn: &Txn, mut head: Head, now: Instant) -> Result<Receipt, redb::Error> {
    head.epoch = epoch_after(txn, head.epoch);
    head.schema = txn.written_schema().unwrap_or(head.schema);
    head.seq += u64::from(txn.event.is_some());
    head.touches += u64::from(txn.command.is_none());
    let version = match txn.command {
        Some((id, _)) => Version::new(head.seq, id, txn.at),
        None => Version::of_touch(head.seq, txn.touch_digest(), head.touches),
    };
    let mut counts = Vec::new();
    for op in &txn.ops {
        apply(tables, txn.territory.as_str(), op, version, &mut counts)?;
    }
    let territory = txn.territory.as_str();
    if let (Some(event), Some((id, _))) = (&txn.event, txn.command) {
        let entry = (id.0.as_u128(), txn.at.unix_ms(), counts.clone(), event.as_slice());
        tables.log.insert((territory, head.seq), entry)?;
    }
    tables.heads.insert(territory, head.row())?;
    let (seq, at, outcome) = (head.seq, txn.at, txn.outcome.clone());
    let receipt = Receipt { seq, at, counts, outcome, version, durability: Durability::D1, replayed: false };
    keep_receipt(tables, txn, &receipt, now)?;
    Ok(receipt)
}

/// The epoch a transaction leaves: the first commit begins epoch 1.
fn epoch_after(txn: &Txn, epoch: u64) -> u64 {
    let raised = txn.ops.iter().fold(epoch, |epoch, op| match op {
        Op::RaiseEpoch { beyond } => epoch.max(*beyond) + 1,
        _ => epoch,
    });
    raised.max(1)
}

fn apply(
    tables: &mut Writing<'_>,
    territory: &str,
    op: &Op,
    version: Version,
    counts: &mut Vec<u64>,
) -> Result<(), redb::Error> {
    match op {
        Op::Put { key, value, number } => {
            let name = (territory, key.as_str());
            let mut kept = tables.records.get(name)?.and_then(|row| row.value().1);
            if let Some(counter) = number {
                let counter = (territory, counter.as_str());
                let next = tables.counters.get(counter)?.map_or(0, |row| row.value()) + 1;
                tables.counters.insert(counter, next)?;
                counts.push(next);
                kept = Some(next);
            }
            let version = u128::from_be_bytes(version.to_bytes());
            tables.records.insert(name, (version, kept, value.as_slice()))?;
        }
        Op::Delete(key) => {
            tables.records.remove((territory, key.as_str()))?;
        }
        Op::IndexAdd(index, score, member) => {
            let name = (territory, index.as_str(), member.0.as_str());
            let old = tables.scores.insert(name, *score)?.map(|row| row.value());
            if let Some(old) = old {
                tables.indexes.remove((territory, index.as_str(), old, member.0.as_str()))?;
            }
            tables.indexes.insert((territory, index.as_str(), *score, member.0.as_str()), ())?;
        }
        // Written with the head.
        Op::RaiseEpoch { .. } => {}
        Op::Skip { counter, numbers } => {
            let counter = (territory, counter.as_str());
            let value = tables.counters.get(counter)?.map_or(0, |row| row.value());
            tables.counters.insert(counter, value + numbers)?;
        }
        Op::IndexRemove(index, member) => {
            let name = (territory, index.as_str(), member.0.as_str());
            let old = tables.scores.remove(name)?.map(|row| row.value());
            if let Some(old) = old {
                tables.indexes.remove((territory, index.as_str(), old, member.0.as_str()))?;
            }
        }
    }
    Ok(())
}

/// Writes the receipt and clears up to two that have outlived their 72 h: the table stays bounded without a sweep.
fn keep_receipt(tables: &mut Writing<'_>, txn: &Txn, receipt: &Receipt, now: Instant) -> Result<(), redb::Error> {
    let Some((id, digest)) = txn.command else { return Ok(()) };
    let (territory, id, now) = (txn.territory.as_str(), id.0.as_u128(), now.unix_ms());
    let row = (digest.0, receipt.seq, receipt.at.unix_ms(), now, receipt.counts.clone(), receipt.outcome.as_slice());
    // A receipt that outlived its life still lies there when its id comes again: its age entry goes with it.
    let before = tables.receipts.insert((territory, id), row)?.map(|row| row.value().3);
    if let Some(before) = before {
        tables.ages.remove((territory, before, id))?;
    }
    tables.ages.insert((territory, now, id), ())?;
    for _ in 0..2 {
        let end = now - RECEIPT_LIFE.ms();
        let oldest = tables.ages.range((territory, i64::MIN, 0)..(territory, end, 0))?.next().transpose()?;
        let Some((written, old)) = oldest.map(|(key, _)| (key.value().1, key.value().2)) else { break };
        tables.ages.remove((territory, written, old))?;
        tables.receipts.remove((territory, old))?;
    }
    Ok(())
}

//! A store in memory: the rules of a commit written a third time, in plain maps, so that a whole server can be copied,
//! lose its tail and be looked at from inside. The fuzz of the store's contract holds it to the embedded engine.

use std::collections::{BTreeMap, BTreeSet};

use sas_dispatch::{
    domain::{
        case::Case,
        ids::{CaseId, CommandId, TerritoryId},
        time::Instant,
    },
    engine::codec::{self, Entity},
    store::{
        Committed, Conflict, Counter, Digest, Durability, Guard, Index, Key, LogEntry, Member, Op, Page, Receipt,
        Record, Score, Snapshot, StoreError, Txn, Version,
        txn::{MAX_CLOCK_GAP, MAX_COMMAND_AGE, MAX_COMMAND_AHEAD, RECEIPT_LIFE, command_time},
    },
};
use sha2::{Digest as _, Sha256};

use super::plant::{Plant, Planted};

/// What a commit answers.
pub type Answer = Result<Committed, StoreError>;

#[derive(Debug, Clone)]
struct Kept {
    digest: Digest,
    written: Instant,
    receipt: Receipt,
}

/// Everything one server keeps of one territory.
#[derive(Debug, Clone, Default)]
pub struct Land {
    pub epoch: u64,
    pub seq: u64,
    schema: u32,
    touches: u64,
    last: i64,
    wall: i64,
    pub records: BTreeMap<Key, Record>,
    pub indexes: BTreeMap<Index, BTreeSet<(Score, Member)>>,
    counters: BTreeMap<Counter, u64>,
    pub log: Vec<LogEntry>,
    receipts: BTreeMap<CommandId, Kept>,
}

/// One server.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    pub lands: BTreeMap<TerritoryId, Land>,
    /// What is wrong with it on purpose.
    pub plant: Planted,
}

impl Ledger {
    pub fn read(&self, territory: &TerritoryId, keys: &[Key], receipt: Option<CommandId>, clock: Instant) -> Snapshot {
        let empty = Land::default();
        let land = self.lands.get(territory).unwrap_or(&empty);
        let now = land.time(clock).0;
        let records = keys.iter().map(|key| (key.clone(), land.records.get(key).cloned())).collect();
        let receipt =
            receipt.and_then(|id| land.receipt(id, now)).map(|kept| Receipt { replayed: true, ..kept.receipt.clone() });
        Snapshot { seq: land.seq, last: land.last_command(), epoch: land.epoch, at: now, records, receipt }
    }

    /// A clock that went back is noted by an empty touch, as the embedded engine notes it after a read.
    pub fn note_clock(&mut self, territory: &TerritoryId, clock: Instant) -> Option<Txn> {
        let land = self.lands.get(territory)?;
        if clock.unix_ms() >= land.last.min(land.wall) {
            return None;
        }
        let touch = Txn::touch(territory.clone(), land.epoch, land.time(clock).0);
        self.commit(&touch, clock).expect("an empty touch breaks no rule");
        Some(touch)
    }

    pub fn range(&self, territory: &TerritoryId, index: &Index, after: Option<&(Score, Member)>, limit: usize) -> Page {
        let empty = Land::default();
        let land = self.lands.get(territory).unwrap_or(&empty);
        let all = land.indexes.get(index).into_iter().flatten();
        let entries = all.filter(|entry| after.is_none_or(|after| *entry > after)).take(limit).cloned().collect();
        Page { seq: land.seq, last: land.last_command(), entries }
    }

    pub fn log(&self, territory: &TerritoryId, after: u64, limit: usize) -> Vec<LogEntry> {
        let log = self.lands.get(territory).map(|land| land.log.as_slice()).unwrap_or_default();
        log.iter().filter(|entry| entry.seq > after).take(limit).cloned().collect()
    }

    /// The order of the contract: receipt, epoch, schema, clock, guards, log, ops, receipt.
    pub fn commit(&mut self, txn: &Txn, clock: Instant) -> Answer {
        txn.check()?;
        let Self { lands, plant } = self;
        let land = lands.entry(txn.territory.clone()).or_default();
        let (now, pace) = land.time(clock);
        if let Some(answer) = land.answer(txn, now, plant) {
            if land.epoch == 0 {
                lands.remove(&txn.territory);
            }
            return answer;
        }
        (land.last, land.wall) = pace;
        let before = plant.now(Plant::DropsAcknowledged, txn).then(|| land.clone());
        let receipt = land.write(txn, now, plant);
        if plant.now(Plant::AppliesTwice, txn) {
            land.write(txn, now, plant);
        }
        if let Some(before) = before {
            *land = before;
        }
        Ok(Committed::Done(receipt))
    }
}

impl Land {
    fn last_command(&self) -> Option<CommandId> {
        self.log.last().filter(|entry| entry.seq == self.seq).map(|entry| entry.command_id)
    }

    /// The store's now and what to remember of it: forward at once, at half speed while the clock is behind.
    fn time(&self, clock: Instant) -> (Instant, (i64, i64)) {
        let clock = clock.unix_ms();
        let (now, pace) = if clock >= self.last {
            (clock, (clock, clock))
        } else if clock < self.wall {
            (self.last, (self.last, clock))
        } else {
            let half = (clock - self.wall) / 2;
            (self.last + half, (self.last + half, self.wall + 2 * half))
        };
        (Instant::from_unix_ms(now), pace)
    }

    fn receipt(&self, id: CommandId, now: Instant) -> Option<&Kept> {
        self.receipts.get(&id).filter(|kept| now.since(kept.written) <= RECEIPT_LIFE)
    }

    /// The receipt of a command, with its digest's agreement left aside.
    pub fn has_receipt(&self, id: CommandId) -> Option<u64> {
        self.receipts.get(&id).map(|kept| kept.receipt.seq)
    }

    /// The answer that ends the checks before anything is written.
    fn answer(&self, txn: &Txn, now: Instant, plant: &mut Planted) -> Option<Answer> {
        if let Some((id, digest)) = txn.command
            && let Some(kept) = self.receipt(id, now)
        {
            let known = kept.digest == digest;
            let receipt = Receipt { replayed: true, ..kept.receipt.clone() };
            return Some(if known { Ok(Committed::Done(receipt)) } else { Err(StoreError::OtherPayload(id)) });
        }
        if txn.epoch != self.epoch {
            return Some(Err(StoreError::Fenced { current: self.epoch }));
        }
        if puts(txn) && txn.schema < self.schema {
            return Some(Err(StoreError::Newer { found: self.schema, known: txn.schema }));
        }
        if now.since(txn.at).max(txn.at.since(now)) > MAX_CLOCK_GAP {
            return Some(Ok(Committed::Clock(now)));
        }
        if let Some((id, _)) = txn.command {
            let made = command_time(id).expect("checked: a UUIDv7");
            if txn.at.since(made) > MAX_COMMAND_AGE || made.since(txn.at) > MAX_COMMAND_AHEAD {
                return Some(Err(StoreError::StaleCommand(id)));
            }
        }
        if !txn.guards.iter().all(|guard| self.holds(guard, now) || plant.ignores(guard)) {
            return Some(Ok(Committed::Conflict(self.conflict(txn, now))));
        }
        let numbered = |op: &Op| matches!(op, Op::Put { key, number: Some(_), .. } if self.records.contains_key(key));
        txn.ops
            .iter()
            .any(numbered)
            .then(|| Err(StoreError::Malformed("a record that exists cannot be numbered".to_owned())))
    }

    fn score(&self, index: &Index, member: &Member) -> Option<Score> {
        self.indexes.get(index)?.iter().find(|(_, known)| known == member).map(|(score, _)| *score)
    }

    fn first(&self, index: &Index) -> Option<Member> {
        self.indexes.get(index)?.first().map(|(_, member)| member.clone())
    }

    fn holds(&self, guard: &Guard, now: Instant) -> bool {
        match guard {
            Guard::Version(key, version) => self.records.get(key).is_some_and(|record| record.version == *version),
            Guard::Absent(key) => !self.records.contains_key(key),
            Guard::First(index, head) => self.first(index) == *head,
            Guard::Due(index, member) => self.score(index, member).is_some_and(|due| due <= now.unix_ms()),
            Guard::Running(index, member) => self.score(index, member).is_some_and(|end| end > now.unix_ms()),
        }
    }

    fn conflict(&self, txn: &Txn, now: Instant) -> Conflict {
        let (mut records, mut heads) = (BTreeMap::new(), BTreeMap::new());
        for guard in &txn.guards {
            let key = match guard {
                Guard::Version(key, _) | Guard::Absent(key) => Some(key.clone()),
                Guard::First(index, _) => {
                    let first = self.first(index);
                    heads.insert(index.clone(), first.clone());
                    first.and_then(|member| index.head_record(&member))
                }
                Guard::Due(..) | Guard::Running(..) => None,
            };
            records.extend(key.map(|key| (key.clone(), self.records.get(&key).cloned())));
        }
        let snapshot =
            Snapshot { seq: self.seq, last: self.last_command(), epoch: self.epoch, at: now, records, receipt: None };
        Conflict { snapshot, heads }
    }

    fn write(&mut self, txn: &Txn, now: Instant, plant: &mut Planted) -> Receipt {
        let raised = txn.ops.iter().fold(self.epoch, |epoch, op| match op {
            Op::RaiseEpoch { beyond } => epoch.max(*beyond) + 1,
            _ => epoch,
        });
        self.epoch = raised.max(1);
        if puts(txn) {
            self.schema = txn.schema;
        }
        self.seq += u64::from(txn.event.is_some());
        self.touches += u64::from(txn.command.is_none());
        let (seq, at) = (self.seq, txn.at);
        let version = match txn.command {
            Some((id, _)) => Version::new(self.seq, id, at),
            None => touch_version(self.seq, txn, self.touches),
        };
        let mut counts = Vec::new();
        for op in &txn.ops {
            if !plant.forgets(op) {
                self.apply(op, version, &mut counts);
            }
        }
        if let (Some(event), Some((command_id, _))) = (&txn.event, txn.command) {
            let event = plant.told(event, |id| self.case(id)).unwrap_or_else(|| event.clone());
            self.log.push(LogEntry { seq, command_id, at, counts: counts.clone(), event });
        }
        let outcome = txn.outcome.clone();
        let receipt = Receipt { seq, at, counts, outcome, version, durability: Durability::D1, replayed: false };
        if let Some((id, digest)) = txn.command
            && !plant.now(Plant::ForgetsReceipt, txn)
        {
            self.receipts.insert(id, Kept { digest, written: now, receipt: receipt.clone() });
        }
        receipt
    }

    fn case(&self, id: CaseId) -> Option<Case> {
        let key = Key::case(id);
        match codec::decode(key.as_str(), &self.records.get(&key)?.value) {
            Ok(Entity::Case(case)) => Some(Case::clone(&case)),
            _ => None,
        }
    }

    fn apply(&mut self, op: &Op, version: Version, counts: &mut Vec<u64>) {
        match op {
            Op::Put { key, value, number } => {
                let mut kept = self.records.get(key).and_then(|record| record.number);
                if let Some(counter) = number {
                    let count = self.counters.entry(counter.clone()).or_default();
                    *count += 1;
                    counts.push(*count);
                    kept = Some(*count);
                }
                self.records.insert(key.clone(), Record { version, number: kept, value: value.clone() });
            }
            Op::Delete(key) => {
                self.records.remove(key);
            }
            Op::IndexAdd(index, score, member) => {
                self.remove(index, member);
                self.indexes.entry(index.clone()).or_default().insert((*score, member.clone()));
            }
            Op::IndexRemove(index, member) => self.remove(index, member),
            Op::RaiseEpoch { .. } => {}
            Op::Skip { counter, numbers } => *self.counters.entry(counter.clone()).or_default() += numbers,
        }
    }

    fn remove(&mut self, index: &Index, member: &Member) {
        if let Some(entries) = self.indexes.get_mut(index) {
            entries.retain(|(_, known)| known != member);
        }
    }
}

fn puts(txn: &Txn) -> bool {
    txn.ops.iter().any(|op| matches!(op, Op::Put { .. }))
}

/// A touch's version: 40 bits of a digest of its content and 24 bits of the count of touches, after the seq.
fn touch_version(seq: u64, txn: &Txn, count: u64) -> Version {
    let mut hash = Sha256::new();
    hash.update(txn.at.unix_ms().to_be_bytes());
    let mut name = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    for op in &txn.ops {
        match op {
            Op::Put { key, value, number } => {
                name(key.as_str().as_bytes());
                number.iter().for_each(|counter| name(counter.as_str().as_bytes()));
                name(value);
            }
            Op::Delete(key) => name(key.as_str().as_bytes()),
            Op::RaiseEpoch { .. } => {}
            Op::Skip { counter, .. } => name(counter.as_str().as_bytes()),
            Op::IndexAdd(index, _, member) | Op::IndexRemove(index, member) => {
                name(index.as_str().as_bytes());
                name(member.0.as_bytes());
            }
        }
    }
    let digest = hash.finalize()[..5].iter().fold(0, |n, byte| (n << 8) | u64::from(*byte));
    let low = (digest << 24) | (count & 0x00ff_ffff);
    let bytes = [seq.to_be_bytes(), low.to_be_bytes()].concat();
    Version::from_bytes(&bytes).expect("sixteen bytes")
}

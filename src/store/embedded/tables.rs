//! The tables of the file, one per kind of thing, each keyed by territory first. Tuples sort by their parts and text
//! by its bytes, which is the order Redis gives to equal scores.

use redb::{ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};

use crate::{
    domain::{
        ids::{CommandId, TerritoryId},
        time::Instant,
    },
    store::{
        Durability, Index, Key, Member, Receipt, Record, Version,
        pace::Pace,
        txn::{Digest, RECEIPT_LIFE},
    },
};

type Named = (&'static str, &'static str);
/// Version, number, bytes.
type RecordRow = (u128, Option<u64>, &'static [u8]);
/// Command, instant, counts, event.
type LogRow = (u128, i64, Vec<u64>, &'static [u8]);
/// Digest, seq, instant, when written by the store's time, counts, outcome.
type ReceiptRow = ([u8; 32], u64, i64, i64, Vec<u64>, &'static [u8]);
/// Epoch, seq, schema, count of touches, last instant, its clock reading.
type HeadRow = (u64, u64, u32, u64, i64, i64);
type IndexKey = (&'static str, &'static str, i64, &'static str);
type AgeKey = (&'static str, i64, u128);

const HEADS: TableDefinition<&str, HeadRow> = TableDefinition::new("heads");
const RECORDS: TableDefinition<Named, RecordRow> = TableDefinition::new("records");
const INDEXES: TableDefinition<IndexKey, ()> = TableDefinition::new("indexes");
const SCORES: TableDefinition<(&str, &str, &str), i64> = TableDefinition::new("scores");
const COUNTERS: TableDefinition<Named, u64> = TableDefinition::new("counters");
const LOG: TableDefinition<(&str, u64), LogRow> = TableDefinition::new("log");
const RECEIPTS: TableDefinition<(&str, u128), ReceiptRow> = TableDefinition::new("receipts");
const RECEIPT_AGES: TableDefinition<AgeKey, ()> = TableDefinition::new("receipt_ages");

/// Where a territory stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub epoch: u64,
    pub seq: u64,
    pub schema: u32,
    pub touches: u64,
    pub pace: Pace,
}

/// A receipt with what the caller never sees of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeptReceipt {
    pub digest: Digest,
    pub written: Instant,
    pub receipt: Receipt,
}

/// All tables, open for writing or (as `ReadOnlyTable`s) for reading.
pub(super) struct Tables<H, R, I, S, C, L, P, A> {
    pub heads: H,
    pub records: R,
    pub indexes: I,
    pub scores: S,
    pub counters: C,
    pub log: L,
    pub receipts: P,
    pub ages: A,
}

/// The tables of one write transaction.
pub(super) type Writing<'t> = Tables<
    Table<'t, &'static str, HeadRow>,
    Table<'t, Named, RecordRow>,
    Table<'t, IndexKey, ()>,
    Table<'t, (&'static str, &'static str, &'static str), i64>,
    Table<'t, Named, u64>,
    Table<'t, (&'static str, u64), LogRow>,
    Table<'t, (&'static str, u128), ReceiptRow>,
    Table<'t, AgeKey, ()>,
>;

/// The tables of one consistent read.
pub(super) type Reading = Tables<
    redb::ReadOnlyTable<&'static str, HeadRow>,
    redb::ReadOnlyTable<Named, RecordRow>,
    redb::ReadOnlyTable<IndexKey, ()>,
    redb::ReadOnlyTable<(&'static str, &'static str, &'static str), i64>,
    redb::ReadOnlyTable<Named, u64>,
    redb::ReadOnlyTable<(&'static str, u64), LogRow>,
    redb::ReadOnlyTable<(&'static str, u128), ReceiptRow>,
    redb::ReadOnlyTable<AgeKey, ()>,
>;

macro_rules! open_all {
    ($transaction:ident) => {
        Ok(Tables {
            heads: $transaction.open_table(HEADS)?,
            records: $transaction.open_table(RECORDS)?,
            indexes: $transaction.open_table(INDEXES)?,
            scores: $transaction.open_table(SCORES)?,
            counters: $transaction.open_table(COUNTERS)?,
            log: $transaction.open_table(LOG)?,
            receipts: $transaction.open_table(RECEIPTS)?,
            ages: $transaction.open_table(RECEIPT_AGES)?,
        })
    };
}

/// Opens every table for writing; creates those that are missing.
pub(super) fn writing(transaction: &WriteTransaction) -> Result<Writing<'_>, redb::Error> {
    open_all!(transaction)
}

/// Opens every table for reading, all at one instant.
pub(super) fn reading(transaction: &ReadTransaction) -> Result<Reading, redb::Error> {
    open_all!(transaction)
}

impl Head {
    pub(super) fn row(&self) -> (u64, u64, u32, u64, i64, i64) {
        (self.epoch, self.seq, self.schema, self.touches, self.pace.last, self.pace.wall)
    }
}

impl<H, R, I, S, C, L, P, A> Tables<H, R, I, S, C, L, P, A>
where
    H: ReadableTable<&'static str, HeadRow>,
    R: ReadableTable<Named, RecordRow>,
    I: ReadableTable<IndexKey, ()>,
    L: ReadableTable<(&'static str, u64), LogRow>,
    P: ReadableTable<(&'static str, u128), ReceiptRow>,
{
    /// Where `territory` stands; all zero when it is unknown.
    pub(super) fn head(&self, territory: &TerritoryId) -> Result<Head, redb::Error> {
        let Some(row) = self.heads.get(territory.as_str())? else { return Ok(Head::default()) };
        let (epoch, seq, schema, touches, last, wall) = row.value();
        Ok(Head { epoch, seq, schema, touches, pace: Pace { last, wall } })
    }

    pub(super) fn record(&self, territory: &TerritoryId, key: &Key) -> Result<Option<Record>, redb::Error> {
        let Some(row) = self.records.get((territory.as_str(), key.as_str()))? else { return Ok(None) };
        let (version, number, value) = row.value();
        let version = Version::from_bytes(&version.to_be_bytes()).expect("a u128 has the sixteen bytes of a version");
        Ok(Some(Record { version, number, value: value.to_vec() }))
    }

    /// The entry with the least score, and of equal scores the least bytes.
    pub(super) fn first(&self, territory: &TerritoryId, index: &Index) -> Result<Option<Member>, redb::Error> {
        let (from, to) = bounds(territory, index);
        match self.indexes.range(from..to)?.next() {
            Some(entry) => Ok(Some(Member(entry?.0.value().3.to_owned()))),
            None => Ok(None),
        }
    }

    /// The command of the log's entry at `seq`.
    pub(super) fn command_at(&self, territory: &TerritoryId, seq: u64) -> Result<Option<CommandId>, redb::Error> {
        let row = self.log.get((territory.as_str(), seq))?;
        Ok(row.map(|row| CommandId(uuid::Uuid::from_u128(row.value().0))))
    }

    /// The receipt of `command` while it lives.
    pub(super) fn receipt(
        &self,
        territory: &TerritoryId,
        command: CommandId,
        now: Instant,
    ) -> Result<Option<KeptReceipt>, redb::Error> {
        let Some(row) = self.receipts.get((territory.as_str(), command.0.as_u128()))? else { return Ok(None) };
        let (digest, seq, at, written, counts, outcome) = row.value();
        let (at, written) = (Instant::from_unix_ms(at), Instant::from_unix_ms(written));
        let durability = Durability::D1;
        let (outcome, version) = (outcome.to_vec(), Version::new(seq, command, at));
        let receipt = Receipt { seq, at, counts, outcome, version, durability, replayed: true };
        let kept = KeptReceipt { digest: Digest(digest), written, receipt };
        Ok((now.since(written) <= RECEIPT_LIFE).then_some(kept))
    }
}

/// A key of the indexes, borrowed.
type Place<'a> = (&'a str, &'a str, i64, &'a str);

/// The least key of an index and the first beyond it.
pub(super) fn bounds<'a>(territory: &'a TerritoryId, index: &'a Index) -> (Place<'a>, Place<'a>) {
    let (territory, index) = (territory.as_str(), index.as_str());
    ((territory, index, i64::MIN, ""), (territory, index, i64::MAX, ""))
}

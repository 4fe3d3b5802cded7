//! Whole territories: a dump in one read transaction, a load in one write transaction, and the trimming of the log.

use async_trait::async_trait;
use redb::{Database, Durability, ReadableTable as _, WriteTransaction};
use uuid::Uuid;

use crate::{
    domain::{
        ids::{CommandId, TerritoryId},
        time::Instant,
    },
    store::{
        Counter, Digest, Index, Key, LogEntry, MAX_TRIM, Member, Record, StoreError, Version,
        dump::{Dump, Head, KeptReceipt, Load, MAX_ROWS, Page, Row},
        pace::Pace,
        txn::RECEIPT_LIFE,
    },
};

use super::{
    begin,
    tables::{self, Reading},
};

type Rows = Box<dyn Iterator<Item = Result<Row, redb::Error>> + Send>;

/// All of one territory as one read transaction sees it.
pub(super) struct Whole {
    head: Head,
    rows: Rows,
}

impl Whole {
    /// `None` when the territory has no state.
    pub fn begin(tables: &Reading, territory: &TerritoryId, clock: Instant) -> Result<Option<Self>, redb::Error> {
        if tables.heads.get(territory.as_str())?.is_none() {
            return Ok(None);
        }
        let head = tables.head(territory)?;
        let now = head.pace.at(clock).0;
        let rows = records(tables, territory)?
            .chain(entries(tables, territory)?)
            .chain(counters(tables, territory)?)
            .chain(receipts(tables, territory, now)?)
            .chain(log(tables, territory)?);
        let (last, wall) = (Instant::from_unix_ms(head.pace.last), Instant::from_unix_ms(head.pace.wall));
        let head = Head { epoch: head.epoch, seq: head.seq, schema: head.schema, touches: head.touches, last, wall };
        Ok(Some(Self { head, rows: Box::new(rows) }))
    }
}

#[async_trait]
impl Dump for Whole {
    fn head(&self) -> Head {
        self.head
    }

    async fn next(&mut self) -> Result<Page, StoreError> {
        let rows: Result<Vec<Row>, redb::Error> = self.rows.by_ref().take(MAX_ROWS).collect();
        let rows = rows.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(if rows.is_empty() { Page::End } else { Page::Rows(rows) })
    }
}

/// The rows of one territory in a table whose key begins with it.
macro_rules! of_territory {
    ($table:expr, $from:expr, $territory:expr, |$key:ident, $value:ident| $row:expr) => {{
        let territory = $territory.as_str().to_owned();
        let rows: Rows = Box::new(
            $table
                .range($from..)?
                .take_while(move |row| row.as_ref().map_or(true, |(key, _)| key.value().0 == territory))
                .map(|row| {
                    let (key, value) = row?;
                    let ($key, $value) = (key.value(), value.value());
                    Ok($row)
                }),
        );
        rows
    }};
}

fn records(tables: &Reading, territory: &TerritoryId) -> Result<Rows, redb::Error> {
    Ok(of_territory!(tables.records, (territory.as_str(), ""), territory, |key, row| {
        let (version, number, value) = row;
        let version = Version::from_bytes(&version.to_be_bytes()).expect("a u128 has the sixteen bytes of a version");
        Row::Record(Key::from_stored(key.1), Record { version, number, value: value.to_vec() })
    }))
}

fn entries(tables: &Reading, territory: &TerritoryId) -> Result<Rows, redb::Error> {
    Ok(of_territory!(tables.indexes, (territory.as_str(), "", i64::MIN, ""), territory, |key, _nothing| {
        Row::Entry(Index::from_stored(key.1), key.2, Member(key.3.to_owned()))
    }))
}

fn counters(tables: &Reading, territory: &TerritoryId) -> Result<Rows, redb::Error> {
    Ok(of_territory!(tables.counters, (territory.as_str(), ""), territory, |key, value| {
        Row::Counter(Counter::from_stored(key.1), value)
    }))
}

fn receipts(tables: &Reading, territory: &TerritoryId, now: Instant) -> Result<Rows, redb::Error> {
    let all = of_territory!(tables.receipts, (territory.as_str(), 0), territory, |key, row| {
        let (digest, seq, at, written, counts, outcome) = row;
        Row::Receipt(KeptReceipt {
            command: CommandId(Uuid::from_u128(key.1)),
            digest: Digest(digest),
            seq,
            at: Instant::from_unix_ms(at),
            written: Instant::from_unix_ms(written),
            counts,
            outcome: outcome.to_vec(),
        })
    });
    let lives = move |row: &Result<Row, redb::Error>| match row {
        Ok(Row::Receipt(receipt)) => now.since(receipt.written) <= RECEIPT_LIFE,
        _ => true,
    };
    Ok(Box::new(all.filter(lives)))
}

fn log(tables: &Reading, territory: &TerritoryId) -> Result<Rows, redb::Error> {
    Ok(of_territory!(tables.log, (territory.as_str(), 0), territory, |key, row| {
        let (command, at, counts, event) = row;
        let command_id = CommandId(Uuid::from_u128(command));
        Row::Log(LogEntry { seq: key.1, command_id, at: Instant::from_unix_ms(at), counts, event: event.to_vec() })
    }))
}

/// A load: one write transaction, in which nobody sees anything until it ends.
pub(super) struct Filling {
    transaction: WriteTransaction,
    territory: TerritoryId,
    head: Head,
}

impl Filling {
    /// `None` when the territory has state already.
    pub fn begin(database: &Database, territory: &TerritoryId, head: Head) -> Result<Option<Self>, redb::Error> {
        let mut transaction = database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        let known = tables::writing(&transaction)?.heads.get(territory.as_str())?.is_some();
        begin::forget(&transaction, territory)?;
        Ok((!known).then(|| Self { transaction, territory: territory.clone(), head }))
    }

    fn write(&self, rows: &[Row]) -> Result<(), redb::Error> {
        let mut tables = tables::writing(&self.transaction)?;
        let territory = self.territory.as_str();
        for row in rows {
            match row {
                Row::Record(key, record) => {
                    let version = u128::from_be_bytes(record.version.to_bytes());
                    tables
                        .records
                        .insert((territory, key.as_str()), (version, record.number, record.value.as_slice()))?;
                }
                Row::Entry(index, score, member) => {
                    let (index, member) = (index.as_str(), member.0.as_str());
                    tables.scores.insert((territory, index, member), *score)?;
                    tables.indexes.insert((territory, index, *score, member), ())?;
                }
                Row::Counter(counter, value) => {
                    tables.counters.insert((territory, counter.as_str()), *value)?;
                }
                Row::Receipt(receipt) => {
                    let (id, written) = (receipt.command.0.as_u128(), receipt.written.unix_ms());
                    let counts = receipt.counts.clone();
                    let at = receipt.at.unix_ms();
                    let row = (receipt.digest.0, receipt.seq, at, written, counts, receipt.outcome.as_slice());
                    tables.receipts.insert((territory, id), row)?;
                    tables.ages.insert((territory, written, id), ())?;
                }
                Row::Log(entry) => {
                    let id = entry.command_id.0.as_u128();
                    let row = (id, entry.at.unix_ms(), entry.counts.clone(), entry.event.as_slice());
                    tables.log.insert((territory, entry.seq), row)?;
                }
            }
        }
        Ok(())
    }

    fn end(self) -> Result<(), redb::Error> {
        let Head { epoch, seq, schema, touches, last, wall } = self.head;
        let pace = Pace { last: last.unix_ms(), wall: wall.unix_ms() };
        let head = tables::Head { epoch, seq, schema, touches, pace };
        tables::writing(&self.transaction)?.heads.insert(self.territory.as_str(), head.row())?;
        Ok(self.transaction.commit()?)
    }
}

#[async_trait]
impl Load for Filling {
    async fn add(&mut self, rows: Vec<Row>) -> Result<(), StoreError> {
        self.write(&rows).map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    async fn finish(self: Box<Self>) -> Result<(), StoreError> {
        self.end().map_err(|error| StoreError::Unavailable(error.to_string()))
    }
}

/// Removes log entries up to `through` and no further than cursors and the newest entry allow. Answers the first seq kept.
pub(super) fn trim(database: &Database, territory: &TerritoryId, through: u64) -> Result<u64, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    let kept = {
        let mut tables = tables::writing(&transaction)?;
        let head = tables.head(territory)?.seq;
        let name = territory.as_str();
        let first = tables.log.range((name, 0)..=(name, u64::MAX))?.next().transpose()?;
        let first = first.map_or(head + 1, |(key, _)| key.value().1);
        let cursors = Index::cursors();
        let (from, to) = tables::bounds(territory, &cursors);
        let least = tables.indexes.range(from..to)?.next().transpose()?.map(|(key, _)| key.value().2);
        let end = last_to_go(through, head, first, least);
        if end < first {
            return Ok(first);
        }
        tables.log.retain_in((name, first)..=(name, end), |_, _| false)?;
        end + 1
    };
    transaction.commit()?;
    Ok(kept)
}

/// The last seq that may go, 0 for none: not beyond the least cursor, never the newest entry, and so many at a time.
fn last_to_go(through: u64, head: u64, first: u64, least_cursor: Option<i64>) -> u64 {
    let cursor = least_cursor.map_or(u64::MAX, |score| u64::try_from(score).unwrap_or(0));
    through.min(cursor).min(head.saturating_sub(1)).min(first + MAX_TRIM - 1)
}

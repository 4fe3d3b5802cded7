//! The log: into the archive's files, then the cursor moves, then what everybody has read is trimmed.

use std::sync::Arc;

use crate::{
    domain::{case::state::SCHEMA, ids::TerritoryId, time::Span},
    store::{
        Committed, Guard, Index, Key, LogEntry, MAX_PAGE, Member, Op, Policy, Snapshot, StoreError, Txn, dump::Row,
    },
};

use super::{
    super::{Engine, Failure, Place},
    Archive,
};

/// The reader's name among the cursors.
const READER: &str = "archive";
/// Most pages of the log that one round archives or looks through.
const PAGES: usize = 20;

impl Engine {
    /// Appends what the log has beyond the cursor and moves the cursor. Answers how many entries that were.
    pub(super) async fn archive_log(&self, place: &Place, archive: &Arc<Archive>) -> Result<u64, Failure> {
        let mut archived = 0;
        for _ in 0..PAGES {
            let territory = &place.territory.id;
            let at = self.0.store.read(territory, &[Key::reader(READER)], None).await?;
            let cursor = cursor(&at)?;
            let entries = self.0.store.log(territory, cursor, MAX_PAGE).await?;
            let Some(last) = entries.last().map(|entry| entry.seq) else { break };
            if entries[0].seq != cursor + 1 {
                // Trimmed by hand, or another history. The files show the gap; there is nothing to fill it with.
                tracing::warn!(%territory, after = cursor, next = entries[0].seq, "the archive has a gap in the log");
            }
            if !self.is_believed(territory, &at).await? {
                break;
            }
            let (full, count) = (entries.len() == MAX_PAGE, entries.len() as u64);
            let rows = entries.into_iter().map(|entry| (entry.at, Row::Log(entry))).collect();
            self.append(place, archive, &at, rows).await?;
            if !self.move_cursor(territory, &at, last).await? {
                break;
            }
            archived += count;
            if !full {
                break;
            }
        }
        Ok(archived)
    }

    /// False when another instance moved it meanwhile.
    async fn move_cursor(&self, territory: &TerritoryId, at: &Snapshot, seq: u64) -> Result<bool, Failure> {
        let key = Key::reader(READER);
        let guard = match at.records.get(&key).and_then(Option::as_ref) {
            Some(record) => Guard::Version(key.clone(), record.version),
            None => Guard::Absent(key.clone()),
        };
        let score = i64::try_from(seq).map_err(|_| StoreError::Corrupt("a seq beyond 2^63".to_owned()))?;
        let ops = vec![
            Op::Put { key, value: seq.to_string().into_bytes(), number: None },
            Op::IndexAdd(Index::cursors(), score, Member(READER.to_owned())),
        ];
        let touch = Txn::touch(territory.clone(), at.epoch, at.at.max(self.now()));
        let txn = Txn { schema: SCHEMA, guards: vec![guard], ops, policy: Policy::Strict, ..touch };
        self.settled(&txn).await
    }

    /// Before a line is added that is never taken back: whether the store has everything that was acknowledged, is the one
    /// that is written to, and is still in the epoch of what was read there.
    pub(super) async fn is_believed(&self, territory: &TerritoryId, at: &Snapshot) -> Result<bool, Failure> {
        let touch = Txn::touch(territory.clone(), at.epoch, at.at.max(self.now()));
        self.settled(&Txn { policy: Policy::Strict, ..touch }).await
    }

    /// Sends a transaction of the archive. False when another instance was first or the clock has to be asked again:
    /// the next round looks again.
    pub(super) async fn settled(&self, txn: &Txn) -> Result<bool, Failure> {
        match self.send(txn).await? {
            Some(Committed::Done(_)) => Ok(true),
            Some(Committed::Clock(now)) => {
                self.set_store_time(now);
                Ok(false)
            }
            Some(Committed::Conflict(_)) => Ok(false),
            None => {
                self.0.memory.forget(&txn.territory);
                Ok(false)
            }
        }
    }

    /// Trims what is archived and older than `keep`. Answers the first seq that stays.
    pub(super) async fn trim_log(&self, territory: &TerritoryId, keep: Span) -> Result<u64, Failure> {
        let at = self.0.store.read(territory, &[Key::reader(READER)], None).await?;
        let (archived, cut) = (cursor(&at)?, self.now() - keep);
        let mut first = 1;
        for _ in 0..PAGES {
            let page = self.0.store.log(territory, 0, MAX_PAGE).await?;
            first = page.first().map_or(at.seq + 1, |entry| entry.seq);
            let old = |entry: &&LogEntry| entry.at <= cut && entry.seq <= archived;
            let Some(through) = page.iter().take_while(old).last().map(|entry| entry.seq) else { break };
            let kept = self.0.store.trim(territory, through).await?;
            let moved = kept > first;
            first = kept;
            if !moved || page.len() < MAX_PAGE {
                break;
            }
        }
        Ok(first)
    }
}

/// How far the archive has read.
fn cursor(at: &Snapshot) -> Result<u64, Failure> {
    let Some(record) = at.records.get(&Key::reader(READER)).and_then(Option::as_ref) else { return Ok(0) };
    let text = std::str::from_utf8(&record.value).ok();
    let seq: Option<u64> = text.and_then(|text| text.parse().ok());
    let seq = seq.ok_or_else(|| StoreError::Corrupt("the archive's cursor is no number".to_owned()))?;
    // A store that was restored from an old backup has a shorter log: it is read again from its end.
    Ok(seq.min(at.seq))
}

//! What leaves the working set: closed cases, slots and shifts that are over, and the log that everybody has read.
//!
//! Any instance may do it; a guard lets one win. First the file, flushed to disk, then the commit: whoever is killed
//! between the two appends the same again, and readers count it once. Nothing is removed from the store that is not on disk
//! in the archive.

mod leaving;
mod log;

use std::{io, sync::Arc};

use chrono::NaiveDate;

use crate::{
    archive::{Content, Header, folder::Folder, history::History},
    domain::{
        calendar::local_date,
        case::Refusal,
        ids::{CaseId, TerritoryId},
        time::{Instant, Span},
    },
    store::{
        LogEntry, Snapshot,
        dump::{Head, Row},
    },
};

use super::{Engine, Failure, Place};

/// Where what leaves goes, and how long it stays before.
#[derive(Debug)]
pub struct Archive {
    /// The folder; shared by the instances, or one for each machine.
    pub folder: Folder,
    /// How long a closed case, a slot or a shift that is over stays.
    pub keep_closed: Span,
    /// How long a log entry stays after it was archived.
    pub keep_log: Span,
}

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Archived {
    /// Log entries that went into files.
    pub events: u64,
    /// Records that left the working set.
    pub records: u64,
    /// The first log entry that is still in the store.
    pub first_kept: u64,
}

impl Engine {
    /// The same engine with an archive; the first one given stays.
    #[must_use]
    pub fn with_archive(self, archive: Archive) -> Self {
        self.0.archive.get_or_init(|| Arc::new(archive));
        self
    }

    /// One round over all territories; does nothing without an archive. One that fails holds no other one up.
    ///
    /// # Errors
    /// When the store does not answer or a file cannot be written for some territory: nothing of it is removed then, and the
    /// next round goes on.
    pub async fn archive_once(&self) -> Result<Archived, Failure> {
        let Some(archive) = self.0.archive.get().cloned() else { return Ok(Archived::default()) };
        let (mut all, mut failed) = (Archived::default(), None);
        for territory in self.0.store.territories().await? {
            match self.archive_of(&territory, &archive).await {
                Ok(Archived { events, records, first_kept }) => {
                    all = Archived { events: all.events + events, records: all.records + records, first_kept };
                }
                Err(failure) => failed = Some(failure),
            }
        }
        failed.map_or(Ok(all), Err)
    }

    async fn archive_of(&self, territory: &TerritoryId, archive: &Arc<Archive>) -> Result<Archived, Failure> {
        let place = self.territory(territory)?;
        let records = self.let_go(&place, archive).await?;
        let events = self.archive_log(&place, archive).await?;
        let first_kept = self.trim_log(territory, archive.keep_log).await?;
        Ok(Archived { events, records, first_kept })
    }

    /// Why there is no such case: one that arrived so long ago would have been archived.
    pub(super) fn no_case(&self, id: CaseId) -> Refusal {
        let arrived = Instant::from_unix_ms((id.0.as_u128() >> 80) as i64);
        let old = |archive: &Arc<Archive>| arrived + archive.keep_closed <= self.now();
        let archived = id.0.get_version_num() == 7 && self.0.archive.get().is_some_and(old);
        if archived { Refusal::Archived(id) } else { Refusal::NotFound("case".to_owned()) }
    }

    /// The log before `first`, as the archive of this instance has it; empty without one.
    pub(super) async fn archived_before(&self, territory: &TerritoryId, first: u64) -> Result<Vec<LogEntry>, Failure> {
        self.archived_between(territory, NaiveDate::MIN, first).await
    }

    /// The log from a local day on and before `first`, as the archive of this instance has it; empty without one.
    pub(super) async fn archived_between(
        &self,
        territory: &TerritoryId,
        from: NaiveDate,
        first: u64,
    ) -> Result<Vec<LogEntry>, Failure> {
        let Some(archive) = self.0.archive.get().filter(|_| first > 1).cloned() else { return Ok(Vec::new()) };
        let territory = territory.clone();
        let read = move || {
            let mut history = History::default();
            for day in archive.folder.days(&territory)?.into_iter().filter(|day| *day >= from) {
                for piece in archive.folder.read(&territory, day)?.pieces {
                    history.add(&piece.header, piece.rows);
                }
            }
            Ok(history.entries().filter(|entry| entry.seq < first).cloned().collect())
        };
        apart(read).await
    }

    /// Appends rows to the files of their local days; on disk when it returns.
    async fn append(
        &self,
        place: &Place,
        archive: &Arc<Archive>,
        at: &Snapshot,
        rows: Vec<(Instant, Row)>,
    ) -> Result<(), Failure> {
        let zone = place.territory.calendar.zone();
        let mut days: std::collections::BTreeMap<NaiveDate, Vec<Row>> = std::collections::BTreeMap::new();
        for (when, row) in rows {
            days.entry(local_date(zone, when)).or_default().push(row);
        }
        let territory = place.territory.id.clone();
        let head = Head { epoch: at.epoch, seq: at.seq, schema: 0, touches: 0, last: at.at, wall: at.at };
        let (archive, now) = (archive.clone(), self.now());
        apart(move || {
            for (day, rows) in days {
                let header = Header::new(territory.clone(), Content::Archive, head, seqs(&rows, at_most(&head)), now);
                archive.folder.append(&header, day, &rows)?;
            }
            Ok(())
        })
        .await
    }
}

fn at_most(head: &Head) -> (u64, u64) {
    (head.seq + 1, head.seq)
}

/// The first and the last seq of the log entries among `rows`; `none` when there are none.
fn seqs(rows: &[Row], none: (u64, u64)) -> (u64, u64) {
    let mut found = rows.iter().filter_map(|row| if let Row::Log(entry) = row { Some(entry.seq) } else { None });
    let Some(first) = found.next() else { return none };
    (first, found.next_back().unwrap_or(first))
}

/// Works on files off the async threads.
pub(super) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    let failed = |why: String| Failure::Unavailable(format!("a file of this instance: {why}"));
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| failed(error.to_string())),
        Err(stopped) => Err(failed(stopped.to_string())),
    }
}

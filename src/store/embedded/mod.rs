//! State in one file, `sas.redb`, with no other program: the default. One process per data directory.
//!
//! A reply to a commit leaves after the file is flushed (D1). Commits that arrive while the disk is busy share the next
//! flush ([`writer`]).
//!
//! Quick-repair is off. Measured (state contract): at 10⁶ records a file reopens in 3.0 s after a kill without it and in
//! 1 ms with it, and every commit is 2.7 times slower with it. A site of this shape holds far fewer open records, is
//! killed rarely and commits all day, so it pays the seconds at the restart. A clean stop needs no repair at all.

mod apply;
mod begin;
mod dump;
mod heads;
mod power;
mod tables;
mod writer;

use std::{
    fmt,
    fs::{self, DirBuilder, OpenOptions, Permissions},
    ops::Bound,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable};
use tracing::instrument;

use crate::{
    clock::Clock,
    domain::{
        ids::{CommandId, TerritoryId},
        time::Instant,
    },
};

use self::{heads::Heads, tables::Reading, writer::Writer};

use super::dump::{Broken, Dump, Head, Load, Portable, not_empty};
use super::{
    Committed, Durability, DurabilityReport, Index, Key, LogEntry, Member, Page, Score, Snapshot, Standing, Store,
    StoreError, Txn, check_limit, check_read, note_clock,
};

const FILE: &str = "sas.redb";
/// Memory for pages of the file, bytes.
const CACHE: usize = 64 * 1024 * 1024;
/// How long `wait` waits for news.
const PATIENCE: Duration = Duration::from_secs(1);

/// The embedded engine.
pub struct Embedded {
    // Before `database`: the writer ends first.
    writer: Writer,
    database: Arc<Database>,
    heads: Arc<Heads>,
    clock: Clock,
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").finish_non_exhaustive()
    }
}

impl Embedded {
    /// Opens the store in directory `path`, which is made when missing. `Unavailable` names the directory when another
    /// process has it open or it cannot be written.
    pub fn open(path: impl AsRef<Path>, clock: Clock) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let fail = |why: String| StoreError::Unavailable(format!("data directory {}: {why}", path.display()));
        make_dir(path).map_err(|error| fail(error.to_string()))?;
        private_file(&path.join(FILE)).map_err(|error| fail(error.to_string()))?;
        let opened = Database::builder().set_cache_size(CACHE).create(path.join(FILE));
        let database = opened.map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => {
                fail("in use by another process; stop that one or name another directory".to_owned())
            }
            error => fail(error.to_string()),
        })?;
        // The name of a new file must survive a power cut too.
        sync_dir(path).map_err(|error| fail(error.to_string()))?;
        Self::over(database, clock).map_err(|error| fail(error.to_string()))
    }

    /// Whether directory `path` holds a store.
    pub fn is_in(path: impl AsRef<Path>) -> bool {
        path.as_ref().join(FILE).is_file()
    }

    /// The engine over an open file.
    fn over(database: Database, clock: Clock) -> Result<Self, redb::Error> {
        create_tables(&database)?;
        let (database, heads) = (Arc::new(database), Arc::new(Heads::default()));
        let writer =
            Writer::start(Arc::clone(&database), Arc::clone(&heads), clock.clone()).map_err(redb::Error::Io)?;
        Ok(Self { writer, database, heads, clock })
    }

    /// Runs `look` over one consistent state, off the async threads: it may read the disk.
    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Reading) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.apart(move |database| {
            let transaction = database.begin_read()?;
            look(&tables::reading(&transaction)?)
        })
        .await
    }

    /// Works on the file off the async threads.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let database = Arc::clone(&self.database);
        match tokio::task::spawn_blocking(move || work(&database)).await {
            Ok(done) => done.map_err(|error| StoreError::Unavailable(error.to_string())),
            Err(stopped) => Err(StoreError::Unavailable(stopped.to_string())),
        }
    }
}

#[async_trait]
impl Store for Embedded {
    #[instrument(name = "embedded.read", level = "debug", skip_all, fields(keys = keys.len()))]
    async fn read(
        &self,
        territory: &TerritoryId,
        keys: &[Key],
        receipt: Option<CommandId>,
    ) -> Result<Snapshot, StoreError> {
        check_read(keys)?;
        let (owned, keys, clock) = (territory.clone(), keys.to_vec(), self.clock.now());
        let (snapshot, must_note) = self.look(move |tables| snapshot(tables, &owned, &keys, receipt, clock)).await?;
        if must_note {
            note_clock(self, territory, &snapshot).await;
        }
        Ok(snapshot)
    }

    #[instrument(name = "embedded.range", level = "debug", skip_all, fields(limit))]
    async fn range(
        &self,
        territory: &TerritoryId,
        index: &Index,
        after: Option<(Score, Member)>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        check_limit(limit)?;
        let (territory, index) = (territory.clone(), index.clone());
        self.look(move |tables| page(tables, &territory, &index, after.as_ref(), limit)).await
    }

    #[instrument(name = "embedded.commit", level = "debug", skip_all, fields(guards = txn.guards.len(), ops = txn.ops.len()))]
    async fn commit(&self, txn: &Txn) -> Result<Committed, StoreError> {
        txn.check()?;
        self.writer.commit(txn.clone()).await
    }

    #[instrument(name = "embedded.log", level = "debug", skip_all, fields(after, limit))]
    async fn log(&self, territory: &TerritoryId, after: u64, limit: usize) -> Result<Vec<LogEntry>, StoreError> {
        check_limit(limit)?;
        let territory = territory.clone();
        self.look(move |tables| entries(tables, &territory, after, limit)).await
    }

    async fn trim(&self, territory: &TerritoryId, through: u64) -> Result<u64, StoreError> {
        let territory = territory.clone();
        self.apart(move |database| dump::trim(database, &territory, through)).await
    }

    async fn wait(&self, territory: &TerritoryId, after: u64) -> Result<(), StoreError> {
        // Watch first, look second: what is flushed between the two is seen by one of them.
        let mut head = self.heads.watch(territory);
        let owned = territory.clone();
        if self.look(move |tables| tables.head(&owned)).await?.seq > after {
            return Ok(());
        }
        let _ = tokio::time::timeout(PATIENCE, head.wait_for(|seq| *seq > after)).await;
        Ok(())
    }

    async fn begin(&self, territory: &TerritoryId, lookup: &str, keep: bool) -> Result<Standing, StoreError> {
        let (territory, lookup) = (territory.clone(), lookup.to_owned());
        self.apart(move |database| begin::begin(database, &territory, &lookup, keep)).await
    }

    async fn durability(&self) -> Result<DurabilityReport, StoreError> {
        let facts = vec!["engine redb, one file".to_owned(), "every reply after fsync".to_owned()];
        Ok(DurabilityReport { level: Durability::D1, facts, remarks: Vec::new() })
    }

    async fn territories(&self) -> Result<Vec<TerritoryId>, StoreError> {
        let names: Vec<String> =
            self.look(|tables| tables.heads.iter()?.map(|row| Ok(row?.0.value().to_owned())).collect()).await?;
        let parse = |name: String| name.parse().map_err(|_| StoreError::Corrupt("a territory id".to_owned()));
        names.into_iter().map(parse).collect()
    }
}

#[async_trait]
impl Portable for Embedded {
    async fn stands(&self, territory: &TerritoryId) -> Result<Option<Head>, StoreError> {
        let (territory, clock) = (territory.clone(), self.clock.now());
        let whole = self.look(move |tables| dump::Whole::begin(tables, &territory, clock)).await?;
        Ok(whole.map(|whole| whole.head()))
    }

    async fn dump(&self, territory: &TerritoryId) -> Result<Option<Box<dyn Dump>>, StoreError> {
        let (territory, clock) = (territory.clone(), self.clock.now());
        let whole = self.look(move |tables| dump::Whole::begin(tables, &territory, clock)).await?;
        Ok(whole.map(|whole| Box::new(whole) as Box<dyn Dump>))
    }

    async fn load(&self, territory: &TerritoryId, head: Head, _: Broken) -> Result<Box<dyn Load>, StoreError> {
        // A load that was broken off left nothing in the file.
        let owned = territory.clone();
        let filling = self.apart(move |database| dump::Filling::begin(database, &owned, head)).await?;
        filling.map(|filling| Box::new(filling) as Box<dyn Load>).ok_or_else(|| not_empty(territory))
    }
}

fn make_dir(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), sync_dir)
}

/// Everything that patients said is in it: its owner alone reads it, one that a copy or an older binary left looser too.
fn private_file(path: &Path) -> std::io::Result<()> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0
        && let Err(error) = file.set_permissions(Permissions::from_mode(0o600))
    {
        tracing::error!(path = %path.display(), %error, "other accounts may read the state, and this one may not change that");
    }
    Ok(())
}

fn sync_dir(path: &Path) -> std::io::Result<()> {
    fs::File::open(path)?.sync_all()
}

fn create_tables(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    drop(tables::writing(&transaction)?);
    Ok(transaction.commit()?)
}

fn snapshot(
    tables: &Reading,
    territory: &TerritoryId,
    keys: &[Key],
    command: Option<CommandId>,
    clock: Instant,
) -> Result<(Snapshot, bool), redb::Error> {
    let head = tables.head(territory)?;
    let now = head.pace.at(clock).0;
    let record = |key: &Key| Ok((key.clone(), tables.record(territory, key)?));
    let records = keys.iter().map(record).collect::<Result<_, redb::Error>>()?;
    let receipt = match command {
        Some(id) => tables.receipt(territory, id, now)?.map(|kept| kept.receipt),
        None => None,
    };
    let last = tables.command_at(territory, head.seq)?;
    let snapshot = Snapshot { seq: head.seq, last, epoch: head.epoch, at: now, records, receipt };
    Ok((snapshot, head.pace.must_note(clock)))
}

fn page(
    tables: &Reading,
    territory: &TerritoryId,
    index: &Index,
    after: Option<&(Score, Member)>,
    limit: usize,
) -> Result<Page, redb::Error> {
    let (least, end) = tables::bounds(territory, index);
    let from = match after {
        Some((score, member)) => Bound::Excluded((territory.as_str(), index.as_str(), *score, member.0.as_str())),
        None => Bound::Included(least),
    };
    let entries = tables.indexes.range((from, Bound::Excluded(end)))?.take(limit).map(|entry| {
        let entry = entry?.0;
        let (_, _, score, member) = entry.value();
        Ok((score, Member(member.to_owned())))
    });
    let seq = tables.head(territory)?.seq;
    let last = tables.command_at(territory, seq)?;
    Ok(Page { seq, last, entries: entries.collect::<Result<_, redb::Error>>()? })
}

fn entries(tables: &Reading, territory: &TerritoryId, after: u64, limit: usize) -> Result<Vec<LogEntry>, redb::Error> {
    let from = (territory.as_str(), after.saturating_add(1));
    let mut entries = Vec::new();
    for row in tables.log.range(from..=(territory.as_str(), u64::MAX))?.take(limit) {
        let (key, row) = row?;
        let (command, at, counts, event) = row.value();
        let command_id = CommandId(uuid::Uuid::from_u128(command));
        let (seq, at) = (key.value().1, Instant::from_unix_ms(at));
        entries.push(LogEntry { seq, command_id, at, counts, event: event.to_vec() });
    }
    Ok(entries)
}

//! The shift sheet (feuille de garde): every open case of a territory on paper, rewritten again and again, so that a room
//! whose computers all stop goes on from what it looked like seconds before.
//!
//! Two files per territory, `<territory>.html` (a browser that shows it reloads it by itself, and prints it) and
//! `<territory>.txt`, each replaced in one step: a reader never sees half a sheet. They hold patient data: only the
//! service's own account may read them. What is done on paper meanwhile is entered afterwards with `BackfillCase`.
//!
//! Where the store has gone back behind what was acknowledged, the sheet of before is what the room goes on from: it is kept
//! beside the new one, which says so.

mod before;
mod entry;
mod html;
pub mod page;
mod site;
mod text;

use std::{
    collections::HashMap,
    fs,
    hash::{BuildHasher, Hasher, RandomState},
    io::{self, Write},
    path::{Path, PathBuf},
    pin::pin,
    process,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use futures_util::{StreamExt, stream};
use tracing::warn;

use crate::{
    clock::{Clock, Stopwatch},
    domain::{
        calendar::wall_time,
        ids::{CaseId, TerritoryId},
        time::{Instant, Span},
    },
    engine::{Engine, Failure, FoundSheet, OpenCases, Place},
};

use entry::Entry;

/// Blank forms at the end of a sheet, for the calls that come in while nothing works.
const BLANK_FORMS: usize = 6;
/// A sheet older than this many rounds says on its face that it is old.
const ROUNDS_FRESH: i64 = 4;
/// Territories whose sheets are written at the same time: one that cannot be reached holds the others up by no more.
const AT_ONCE: usize = 4;
/// What a writer that was killed left behind is taken away after this time: it holds patient data.
const LEFT_BEHIND: Span = Span::from_mins(10);

/// Where sheets are written, and how often.
#[derive(Debug, Clone)]
pub struct Sheets {
    /// Their folder, made when missing.
    pub dir: PathBuf,
    /// How often they are written again.
    pub every: Span,
}

/// Why a sheet was not written; the last one stays.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// The cases could not be read.
    #[error(transparent)]
    Unread(#[from] Failure),
    /// The file could not be written.
    #[error("shift sheet {}: {error}", path.display())]
    Unwritten {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// What became of one round of writing.
#[derive(Debug, Default)]
pub struct Round {
    /// How long the sheets that were written took to write, together; waiting for a store that does not answer is no work.
    pub work: Duration,
    /// What was not written.
    pub failed: Vec<(TerritoryId, SheetError)>,
}

/// One territory's sheet.
struct Sheet<'a> {
    territory: &'a TerritoryId,
    /// Wall-clock time of the territory, `26/12/2024 10:03:12`.
    written: String,
    /// Until when it may be taken for fresh, `10:04:12`.
    fresh_until: String,
    /// The place in the log that it shows.
    seq: u64,
    every: Span,
    /// What was acknowledged is missing from the store, and so from this sheet.
    behind: bool,
    entries: Vec<Entry>,
}

impl Sheets {
    /// Writes the sheet of every territory that is served. One that fails does not hold up the others. `next`: after how long
    /// they are written again; a sheet says until when it may be taken for fresh. `behind`: whether what was acknowledged is
    /// missing from the store of a territory.
    pub async fn write_all(
        &self,
        engine: &Engine,
        next: Span,
        behind: &(dyn Fn(&TerritoryId) -> bool + Sync),
    ) -> Round {
        let written = engine.territories().into_iter().map(|place| async {
            let (territory, watch) = (place.territory.id.clone(), Stopwatch::start());
            let written = self.write(engine, place, next, behind).await;
            (territory, written.map(|()| watch.elapsed()))
        });
        let mut round = Round::default();
        let mut written = pin!(stream::iter(written).buffer_unordered(AT_ONCE));
        while let Some((territory, written)) = written.next().await {
            match written {
                Ok(work) => round.work += work,
                Err(error) => round.failed.push((territory, error)),
            }
        }
        round
    }

    async fn write(
        &self,
        engine: &Engine,
        place: Arc<Place>,
        next: Span,
        behind: &(dyn Fn(&TerritoryId) -> bool + Sync),
    ) -> Result<(), SheetError> {
        let open = engine.open_cases(&place.territory.id).await?;
        let known = engine.remarkable_of(&place.territory.id, &open.cases).await;
        let unread = |error: &Failure| warn!(%error, territory = %place.territory.id, "without the sheets of remarkable patients");
        let known = known.inspect_err(unread).ok();
        let (now, sheets) = (engine.now(), self.clone());
        // After the reading: it is what compares the store with what is known.
        let behind = behind(&place.territory.id);
        // Putting many cases into words and flushing files would hold up whoever calls meanwhile.
        let written = tokio::task::spawn_blocking(move || {
            sheets.write_cases((&open, known.as_ref()), &place, (now, next), behind)
        })
        .await;
        written.unwrap_or_else(|stopped| Err(SheetError::Unwritten { path: self.dir.clone(), error: stopped.into() }))
    }

    fn write_cases(
        &self,
        (open, known): (&OpenCases, Option<&HashMap<CaseId, Vec<FoundSheet>>>),
        place: &Place,
        (now, next): (Instant, Span),
        behind: bool,
    ) -> Result<(), SheetError> {
        clear_left_behind(&self.dir, &place.territory.id);
        let known = |case| known.map(|known| known.get(&case).map(Vec::as_slice).unwrap_or_default());
        let mut entries: Vec<Entry> =
            open.cases.iter().map(|view| Entry::of(view, known(view.case.id), place, now)).collect();
        entries.extend(open.unreadable.iter().map(Entry::unreadable));
        entries.sort_by_key(Entry::place);
        let time = |at: Instant, form: &str| wall_time(place.territory.calendar.zone(), at, form);
        let sheet = Sheet {
            territory: &place.territory.id,
            written: time(now, "%d/%m/%Y %H:%M:%S"),
            fresh_until: time(now + Span::from_ms(next.ms() * ROUNDS_FRESH), "%H:%M:%S"),
            seq: open.seq,
            every: self.every,
            behind,
            entries,
        };
        let file = |ending: &str| self.dir.join(format!("{}.{ending}", place.territory.id));
        if behind {
            let named = time(now, "%Y%m%d-%H%M%S");
            let kept = |ending: &str| self.dir.join(format!("{}.avant-retour-{named}.{ending}", place.territory.id));
            before::keep([(file("html"), kept("html")), (file("txt"), kept("txt"))])?;
        }
        for (path, content) in [(file("html"), html::page(&sheet)), (file("txt"), text::page(&sheet))] {
            replace(&path, &content).map_err(|error| SheetError::Unwritten { path, error })?;
        }
        Ok(())
    }
}

/// Replaces a file in one step; a machine that stops in between keeps the old one.
fn replace(path: &Path, content: &str) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    private_dir(dir)?;
    // Another instance, of this machine or of another container, may write the same sheet at this moment.
    let mut new = path.as_os_str().to_owned();
    new.push(format!(".{}.{:016x}.new", process::id(), RandomState::new().build_hasher().finish()));
    let new = PathBuf::from(new);
    let written = private_file(&new).and_then(|mut file| {
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    });
    if written.is_err() {
        // It may hold half a sheet; the fault itself is what is said.
        fs::remove_file(&new).ok();
    }
    written
}

/// Takes away what writers of this territory's sheet left that were killed.
fn clear_left_behind(dir: &Path, territory: &TerritoryId) {
    let begins = format!("{territory}.");
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let now = Clock::System.now();
    let left = entries.filter(|entry| {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(&begins) && name.ends_with(".new"));
        let written = entry.metadata().and_then(|known| known.modified()).ok();
        let written = written.and_then(|at| i64::try_from(at.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok());
        ours && written.is_some_and(|at| now.since(Instant::from_unix_ms(at)) >= LEFT_BEHIND)
    });
    // The next round tries again.
    left.for_each(|entry| drop(fs::remove_file(entry.path())));
}

fn private_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(dir)
}

fn private_file(path: &Path) -> io::Result<fs::File> {
    private_file_of(fs::OpenOptions::new().write(true).create(true).truncate(true), path)
}

fn private_file_of(options: &mut fs::OpenOptions, path: &Path) -> io::Result<fs::File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sheets_that_are_written_at_once_never_mix_and_a_failure_leaves_no_half_of_one() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| dir.path().join(name);
        // What another instance of this machine is writing at this moment.
        for other in ["fr-67.new", "fr-67.html.1.new"] {
            fs::write(path(other), "another's").expect("a file in a temporary folder");
        }
        std::thread::scope(|scope| {
            for (name, content) in [("fr-67.html", "<p>".repeat(9_000)), ("fr-67.txt", "p".repeat(9_000))] {
                let path = path(name);
                scope.spawn(move || {
                    for _ in 0..40 {
                        replace(&path, &content).expect("the folder may be written");
                        assert!(fs::read_to_string(&path).is_ok_and(|found| found == content), "{name}");
                    }
                });
            }
        });
        clear_left_behind(dir.path(), &"fr-67".parse().expect("a territory"));
        for other in ["fr-67.new", "fr-67.html.1.new"] {
            assert!(fs::read_to_string(path(other)).is_ok_and(|text| text == "another's"), "{other}");
        }
        fs::create_dir(path("fr-89.html")).expect("a folder in a temporary folder");
        assert!(replace(&path("fr-89.html"), "x").is_err());
        assert_eq!(fs::read_dir(dir.path()).expect("it can be listed").count(), 5);
    }

    #[test]
    fn what_a_killed_writer_left_is_taken_away_once_nobody_can_be_writing_it() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for name in ["fr-67.html.9.new", "fr-67.txt.9.ff.new", "fr-89.html.9.new", "fr-67.html"] {
            let file = fs::File::create(dir.path().join(name)).expect("a file in a temporary folder");
            file.set_modified(UNIX_EPOCH).expect("its time can be set");
        }
        clear_left_behind(dir.path(), &"fr-67".parse().expect("a territory"));
        let mut left: Vec<_> = fs::read_dir(dir.path()).expect("it can be listed").flatten().collect();
        left.sort_by_key(fs::DirEntry::file_name);
        let left: Vec<_> = left.iter().map(fs::DirEntry::file_name).collect();
        assert_eq!(left, ["fr-67.html", "fr-89.html.9.new"]);
    }
}

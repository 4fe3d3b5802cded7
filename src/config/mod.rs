//! Reads and checks `config/`: `default.toml` and one folder per territory.
//!
//! Unknown keys and files are refused; `default.toml`, `advice.toml`, `protocols` and a territory must be there; units stand in
//! names, secrets are never printed, and all faults come at once, each with its file and line. Rules that differ between
//! territories are data here; the law is code in [`crate::domain::calendar`].
//!
//! ```text
//! config/
//!   default.toml                     the service: port, limits, store, telemetry
//!   advice.toml                      sentences a doctor picks: advice, what to watch for
//!   protocols/*.toml                 triage protocols: questions, red flags, rules, sources, signature
//!   territories/fr-67/
//!     territory.toml                 name, rule version, calendar, sectors' names, delays, order of search
//!     communes.csv                   insee,name,lat,lon
//!     sectors.csv                    insee,sector,band,from,to
//!     responders.toml                who gives care
//!     protocols.toml                 what an ARM may send straight to a coordinator (D6311-35 CSP)
//!     advice.toml                    its own sentences, each in the place of one of its code
//!     protocols/*.toml               its own triage protocols, each in the place of a national one of its code
//! ```

mod advice;
mod calendar;
mod csv;
mod fault;
mod folder;
mod geography;
mod protocols;
mod responders;
mod room;
mod settings;
mod sheet;
mod statistics;
mod telemetry;
mod territory;
mod values;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use fault::{Fault, Faults};
pub use settings::{ArchiveSettings, Below, Intake, Promised, ServerSettings, Settings, StoreSettings};
pub use statistics::{ExtractSettings, IndicatorSettings};
pub use telemetry::{LogFormat, TelemetrySettings};

use crate::domain::{
    calendar::UnknownTerritory,
    directory::Directory,
    ids::TerritoryId,
    regulation::{advice::AdviceList, protocols::Book},
    territory::Territory,
};
use fault::FaultLog;

/// The folder read when none is named.
pub const DEFAULT_DIR: &str = "./config";

/// What a configuration folder holds that is read at the start.
const ROOT: [&str; 4] = ["default.toml", advice::FILE, "protocols", "territories"];

/// The settings shipped with the service, in force where there is no configuration folder.
const SHIPPED: &str = include_str!("../../config/default.toml");

/// A territory and those who give care in it.
pub type Ground = (Territory, Directory);

/// A whole configuration, free of faults.
#[derive(Debug, Clone)]
pub struct Config {
    /// The service's own settings.
    pub settings: Settings,
    /// The territories that have a folder.
    pub territories: BTreeMap<TerritoryId, Arc<Ground>>,
    /// The national triage protocols.
    pub book: Arc<Book>,
}

/// No territory of that id, neither by folder nor by law.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{unknown}; with a folder here: {}", configured.join(", "))]
pub struct NoTerritory {
    unknown: UnknownTerritory,
    configured: Vec<String>,
}

impl Config {
    /// Reads the folder `dir`.
    ///
    /// # Errors
    /// All faults at once, each with file and line.
    pub fn load(dir: &Path) -> Result<Self, Faults> {
        let log = FaultLog::default();
        let settings = settings(dir, &log);
        only_known(dir, &log);
        let book = protocols::national(&dir.join("protocols"), &log);
        let shared = Shared { book: &book, advice: &advice::national(dir, &log) };
        let territories = territories(dir, shared, &log);
        log.finish(settings.map(|settings| Self { settings, territories, book: Arc::new(book) }))
    }

    /// Reads the folder named, or `./config`, or where that does not exist takes the shipped settings and no territory.
    ///
    /// # Errors
    /// All faults at once, each with file and line; a folder that was named and is not there is one.
    pub fn load_or_shipped(dir: Option<&Path>) -> Result<Self, Faults> {
        match dir {
            Some(dir) => Self::load(dir),
            None if Path::new(DEFAULT_DIR).is_dir() => Self::load(Path::new(DEFAULT_DIR)),
            None => Self::shipped(),
        }
    }

    /// The shipped settings and no territory: every territory answers from the law.
    ///
    /// # Errors
    /// Faults of the shipped file, which a test excludes.
    pub fn shipped() -> Result<Self, Faults> {
        let log = FaultLog::default();
        let settings = sheet::with_root("default.toml", SHIPPED, &log, settings::read);
        let book = Arc::new(protocols::shipped(&log));
        log.finish(settings.map(|settings| Self { settings, territories: BTreeMap::new(), book }))
    }

    /// The same configuration with every protocol in force, signed or not: for a demonstration, never for a room.
    pub fn with_unsigned_protocols(mut self) -> Self {
        self.book = Arc::new(Book::clone(&self.book).with_unsigned());
        for ground in self.territories.values_mut() {
            let territory = &mut Arc::make_mut(ground).0;
            territory.regulation.unsigned_run = true;
            territory.book = Arc::new(Book::clone(&territory.book).with_unsigned());
        }
        self
    }

    /// The territory of a folder, or of the law with the defaults and an empty directory.
    ///
    /// # Errors
    /// When neither knows it; the message names those that are known.
    pub fn territory(&self, id: &TerritoryId) -> Result<Arc<Ground>, NoTerritory> {
        if let Some(ground) = self.territories.get(id) {
            return Ok(Arc::clone(ground));
        }
        match Territory::from_law(id) {
            Ok(territory) => Ok(Arc::new((territory, Directory::default()))),
            Err(unknown) => {
                let configured = self.territories.keys().map(ToString::to_string).collect();
                Err(NoTerritory { unknown, configured })
            }
        }
    }
}

fn settings(dir: &Path, log: &FaultLog) -> Option<Settings> {
    let path = dir.join("default.toml");
    let file = path.display().to_string();
    match fs::read_to_string(&path) {
        Ok(text) => sheet::with_root(&file, &text, log, settings::read),
        Err(error) => {
            log.add(&file, 1, unreadable(&error));
            None
        }
    }
}

/// What every territory has in common.
#[derive(Clone, Copy)]
struct Shared<'a> {
    book: &'a Book,
    advice: &'a AdviceList,
}

fn territories(dir: &Path, shared: Shared<'_>, log: &FaultLog) -> BTreeMap<TerritoryId, Arc<Ground>> {
    let path = dir.join("territories");
    let Some(folders) = listed(&path, log) else { return BTreeMap::new() };
    if folders.is_empty() {
        log.add(&path.display().to_string(), 1, "holds no territory; each is a folder such as fr-67");
    }
    let grounds = folders.iter().filter_map(|folder| folder::read(folder, shared, log));
    grounds.map(|ground| (ground.0.id.clone(), Arc::new(ground))).collect()
}

/// A folder or a table whose name is misspelt is one that nobody reads: its rules would be off without a word. Other files, a
/// committee's vignettes say, may lie there.
fn only_known(dir: &Path, log: &FaultLog) {
    let rules = |path: &Path| path.is_dir() || path.extension().is_some_and(|ending| ending == "toml");
    let named = |path: &Path| path.file_name().is_some_and(|name| ROOT.iter().any(|known| name == *known));
    let known = |path: &PathBuf| named(path) || !rules(path);
    // Where the folder itself cannot be read, its files say so.
    for path in listed(dir, &FaultLog::default()).unwrap_or_default().iter().filter(|path| !known(path)) {
        log.add(&path.display().to_string(), 1, format!("nobody reads this; known here: {}", ROOT.join(", ")));
    }
}

/// What stands in a folder, by name. `None`, and a fault, where it cannot be read: nobody knows then what is missing.
fn listed(dir: &Path, log: &FaultLog) -> Option<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let entries = entries.map_err(|error| {
        let problem = match error.kind() {
            io::ErrorKind::NotFound => "no such folder; it is required".to_owned(),
            io::ErrorKind::NotADirectory => "expected a folder".to_owned(),
            _ => unreadable(&error),
        };
        log.add(&dir.display().to_string(), 1, problem);
    });
    let mut paths: Vec<_> = entries.ok()?.iter().filter(|entry| shown(entry)).map(fs::DirEntry::path).collect();
    paths.sort();
    Some(paths)
}

/// Dot files belong to editors and version control.
fn shown(entry: &fs::DirEntry) -> bool {
    !entry.file_name().to_string_lossy().starts_with('.')
}

fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file; it is required".into(),
        _ => format!("cannot be read: {error}"),
    }
}

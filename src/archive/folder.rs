//! The archive: one folder for each territory, one file for each local day, to which sections are only ever appended.
//!
//! A section is one gzip member, flushed to disk before [`Folder::append`] answers. Whoever is killed in the middle leaves
//! a torn member at the end of a file: readers leave it out, and the next append takes it away first, under a lock that
//! one process holds at a time. Nothing that was answered for is ever touched.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use chrono::NaiveDate;
use flate2::{Compression, bufread::GzDecoder, write::GzEncoder};

use crate::{domain::ids::TerritoryId, store::dump::Row};

use super::{Header, Item, Sections, begin};

const ENDING: &str = ".jsonl.gz";
/// How every member begins that is written here: gzip, deflate, no flags, no time.
const MEMBER: [u8; 8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0];
/// How long the checksum and the length at a member's end are: one that is sound never ends with as many zeros.
const TRAILER: usize = 8;

/// A section as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// How it began.
    pub header: Header,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// A day's file as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Day {
    /// Its sound sections, in the order in which they were appended.
    pub pieces: Vec<Piece>,
    /// Bytes at the end that are no section: what a killed writer left.
    pub torn: u64,
}

/// The archive's folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// How long each file was when this process last left it sound.
    sound: Mutex<BTreeMap<PathBuf, u64>>,
}

impl Folder {
    /// The folder at `path`, which is made by the first append.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), sound: Mutex::default() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a section to a day and returns once it is on disk, its name too.
    ///
    /// # Errors
    /// When it could not be written or flushed: then it counts as not written, and may be appended again.
    pub fn append(&self, header: &Header, day: NaiveDate, rows: &[Row]) -> io::Result<()> {
        let folder = self.path.join(header.territory.as_str());
        make_dirs(&folder)?;
        let path = folder.join(format!("{day}{ENDING}"));
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(folder.join("lock"))?;
        lock.lock()?;
        let mut file = OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(&path)?;
        self.mend(&path, &mut file)?;
        let member = packed(header, rows)?;
        file.write_all(&member)?;
        file.sync_all()?;
        File::open(&folder)?.sync_all()?;
        let length = file.metadata()?.len();
        self.sound().insert(path, length);
        Ok(())
    }

    /// Takes a torn end away, unless this process left the file as it is.
    fn mend(&self, path: &Path, file: &mut File) -> io::Result<()> {
        let length = file.metadata()?.len();
        if length == 0 || self.sound().get(path) == Some(&length) {
            return Ok(());
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let torn = pieces(&bytes)?.torn;
        if torn > 0 {
            tracing::warn!(bytes = torn, "a torn end of an archive file was taken away");
            file.set_len(length - torn)?;
        }
        Ok(())
    }

    fn sound(&self) -> std::sync::MutexGuard<'_, BTreeMap<PathBuf, u64>> {
        self.sound.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The territories it holds days of.
    ///
    /// # Errors
    /// When the folder cannot be read; one that is not there holds none.
    pub fn territories(&self) -> io::Result<Vec<TerritoryId>> {
        let names = names(&self.path)?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// The days of a territory.
    ///
    /// # Errors
    /// As [`Folder::territories`].
    pub fn days(&self, territory: &TerritoryId) -> io::Result<Vec<NaiveDate>> {
        let names = names(&self.path.join(territory.as_str()))?;
        Ok(names.iter().filter_map(|name| name.strip_suffix(ENDING)?.parse().ok()).collect())
    }

    /// A day's sections; those that are sound even when the end is torn.
    ///
    /// # Errors
    /// When it cannot be read, or something before its end is damaged.
    pub fn read(&self, territory: &TerritoryId, day: NaiveDate) -> io::Result<Day> {
        read_file(&self.path.join(territory.as_str()).join(format!("{day}{ENDING}")))
    }
}

/// A day's file, wherever it lies; as [`Folder::read`].
///
/// # Errors
/// As [`Folder::read`].
pub fn read_file(path: &Path) -> io::Result<Day> {
    pieces(&fs::read(path)?)
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().into_string());
    }
    names.sort_unstable();
    Ok(names)
}

/// Makes a folder and those above it, and flushes the name of each that is new.
pub(super) fn make_dirs(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.map_or(Ok(()), make_dirs)?;
    match DirBuilder::new().mode(0o700).create(path) {
        // Another instance made it at the same time.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made?,
    }
    parent.map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

fn packed(header: &Header, rows: &[Row]) -> io::Result<Vec<u8>> {
    let mut section = begin(GzEncoder::new(Vec::new(), Compression::default()), header)?;
    for row in rows {
        section.row(row)?;
    }
    section.end()?.0.finish()
}

/// The sections of a file, member by member. Only what is broken up to the very end is torn; anything else is damage.
fn pieces(bytes: &[u8]) -> io::Result<Day> {
    let mut day = Day::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        let mut member = GzDecoder::new(rest);
        let mut text = Vec::new();
        match member.read_to_end(&mut text) {
            Ok(_) => {}
            Err(_) if torn(rest) => {
                day.torn = rest.len() as u64;
                return Ok(day);
            }
            Err(error) => {
                let at = bytes.len() - rest.len();
                return Err(io::Error::other(format!(
                    "damaged at byte {at}: {error}; restore the file from its backup"
                )));
            }
        }
        day.pieces.push(piece(&text).map_err(|fault| io::Error::other(fault.to_string()))?);
        rest = member.into_inner();
    }
    Ok(day)
}

/// Whether this, which is no member, is the beginning of one with nothing after it: cut short, or followed by space that
/// was given and never filled, as a power loss leaves it.
fn torn(rest: &[u8]) -> bool {
    let filled = rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let begun = if rest.len() - filled < TRAILER { rest } else { &rest[..filled] };
    let follows = rest.windows(MEMBER.len()).skip(1).any(|window| window == MEMBER);
    let cut = |error: io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
    !follows && (filled == 0 || GzDecoder::new(begun).read_to_end(&mut Vec::new()).is_err_and(cut))
}

fn piece(text: &[u8]) -> Result<Piece, super::Fault> {
    let (mut header, mut rows) = (None, Vec::new());
    for item in Sections::new(text) {
        match item? {
            Item::Begin(begun) => header = Some(*begun),
            Item::Row(row) => rows.push(*row),
            Item::End => {}
        }
    }
    let missing = || super::Fault { line: 1, problem: "an empty section".to_owned() };
    Ok(Piece { header: header.ok_or_else(missing)?, rows })
}

//! The last acknowledged entry of each territory, kept on this machine across restarts: what a store that was put back
//! must still hold.
//!
//! One small JSON file for each instance, `acknowledged-<store>-<n>.json`, written whole beside itself and renamed, with
//! a version and a checksum. `<store>` names the store by its address, so that one folder serves several; `<n>` is the
//! first whose lock is free. An instance begins with what all of them know. A damaged file is set aside and said, never
//! trusted. It holds ids and instants, nothing about a person.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Weak,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::{
    ids::{CommandId, TerritoryId},
    time::Instant,
};

use super::{Fenced, past::Mark};

const FORMAT: &str = "sas-dispatch acknowledged";
const VERSION: u32 = 1;
/// The ending of a file that was set aside.
const DAMAGED: &str = "damaged";
/// Instances of one machine over one store.
const MOST_INSTANCES: u32 = 64;

/// The marks of each territory.
pub type Marks = BTreeMap<TerritoryId, Vec<Mark>>;

/// The place of this instance's file, locked against others.
#[derive(Debug)]
pub struct Keeper {
    path: PathBuf,
    known: Marks,
    /// Held as long as this instance lives.
    _lock: File,
}

#[derive(Serialize, Deserialize)]
struct Document {
    format: String,
    version: u32,
    territories: BTreeMap<String, Vec<Row>>,
    /// SHA-256 of the JSON of `territories`, in hexadecimal.
    sha256: String,
}

#[derive(Serialize, Deserialize)]
struct Row {
    epoch: u64,
    seq: u64,
    command: String,
    /// Milliseconds since 1970.
    at_ms: i64,
}

/// The name of a store in file names: `embedded`, or a digest of Redis's address without user and password.
pub fn store_name(address: Option<&str>) -> String {
    let Some(address) = address else { return "embedded".to_owned() };
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let rest = rest.split('?').next().unwrap_or_default();
    let hosts = rest.rsplit_once('@').map_or(rest, |(_, hosts)| hosts).trim_end_matches('/');
    hex(&Sha256::digest(format!("{scheme}://{hosts}"))[..8])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Keeper {
    /// Takes the first free place for an instance over `store` in `data` and reads what all of them kept.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn open(data: &Path, store: &str) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(data)?;
        for n in 0..MOST_INSTANCES {
            let path = data.join(format!("acknowledged-{store}-{n}.json"));
            let lock = File::create(path.with_extension("lock"))?;
            match lock.try_lock() {
                Ok(()) => return Ok(Self { known: read_all(data, store)?, path, _lock: lock }),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::Error::other(format!("{MOST_INSTANCES} instances keep their last acknowledged commands here already")))
    }

    pub(super) fn known(&self) -> Marks {
        self.known.clone()
    }

    /// Writes the file whole and flushes it before it takes the old one's place.
    pub(super) fn write(&self, marks: &Marks) -> io::Result<()> {
        let new = self.path.with_extension("new");
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
        file.write_all(&document(marks))?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        self.path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }
}

/// What every instance over `store` kept in `data`. A damaged file is set aside and reported.
///
/// # Errors
/// When the folder cannot be read.
pub fn read_all(data: &Path, store: &str) -> io::Result<Marks> {
    let mut all = Marks::new();
    for path in files(data, store)? {
        match read(&path) {
            Ok(marks) => {
                marks.into_iter().for_each(|(territory, marks)| all.entry(territory).or_default().extend(marks))
            }
            Err(error) => {
                tracing::error!(path = %path.display(), %error, "what was acknowledged before is not known from this file");
                fs::rename(&path, path.with_extension(DAMAGED))?;
            }
        }
    }
    Ok(all)
}

/// The files of all instances over `store` in `data`, by name.
///
/// # Errors
/// When the folder cannot be read.
pub fn files(data: &Path, store: &str) -> io::Result<Vec<PathBuf>> {
    ending(data, store, "json")
}

/// The files of instances over `store` in `data` that were found damaged and set aside, by name.
///
/// # Errors
/// As [`files`].
pub fn set_aside(data: &Path, store: &str) -> io::Result<Vec<PathBuf>> {
    ending(data, store, DAMAGED)
}

fn ending(data: &Path, store: &str, ending: &str) -> io::Result<Vec<PathBuf>> {
    let (begins, mut files) = (format!("acknowledged-{store}-"), Vec::new());
    for entry in fs::read_dir(data)? {
        let path = data.join(entry?.file_name());
        let ours = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&begins));
        if ours && path.extension().is_some_and(|found| found == ending) {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Reads one file.
///
/// # Errors
/// When it cannot be read, is of another version, or its checksum is wrong.
pub fn read(path: &Path) -> io::Result<Marks> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let document: Document = serde_json::from_slice(&fs::read(path)?)
        .map_err(|error| wrong(&format!("no file of acknowledged commands (column {})", error.column())))?;
    if document.format != FORMAT || document.version != VERSION {
        return Err(wrong("another format or version than this binary's"));
    }
    if document.sha256 != checksum(&document.territories) {
        return Err(wrong("the checksum is wrong: the file was cut or changed"));
    }
    let mut marks = Marks::new();
    for (territory, rows) in document.territories {
        let territory = territory.parse().map_err(|_| wrong("a territory id that is none"))?;
        let rows: Option<Vec<Mark>> = rows.iter().map(Row::mark).collect();
        marks.insert(territory, rows.ok_or_else(|| wrong("a command id that is none"))?);
    }
    Ok(marks)
}

impl Row {
    fn mark(&self) -> Option<Mark> {
        let command = CommandId(self.command.parse().ok()?);
        (self.seq > 0).then_some(Mark {
            epoch: self.epoch,
            seq: self.seq,
            command,
            at: Instant::from_unix_ms(self.at_ms),
        })
    }
}

fn document(marks: &Marks) -> Vec<u8> {
    let row = |mark: &Mark| Row {
        epoch: mark.epoch,
        seq: mark.seq,
        command: mark.command.to_string(),
        at_ms: mark.at.unix_ms(),
    };
    let territories: BTreeMap<String, Vec<Row>> =
        marks.iter().map(|(territory, marks)| (territory.to_string(), marks.iter().map(row).collect())).collect();
    let sha256 = checksum(&territories);
    let document = Document { format: FORMAT.to_owned(), version: VERSION, territories, sha256 };
    serde_json::to_vec_pretty(&document).expect("ids and numbers have a JSON form")
}

fn checksum(territories: &BTreeMap<String, Vec<Row>>) -> String {
    hex(&Sha256::digest(serde_json::to_vec(territories).expect("ids and numbers have a JSON form")))
}

/// Writes the file every so often while the fence lives.
pub(super) async fn keep_writing(fence: Weak<Fenced>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let Some(fence) = fence.upgrade() else { return };
        // A write that panicked is tried again by the next round.
        let _ = tokio::task::spawn_blocking(move || fence.flush()).await;
    }
}

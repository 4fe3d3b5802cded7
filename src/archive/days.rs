//! One small file for each territory and local day: sums and extracts, replaced as a whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use chrono::NaiveDate;

use crate::domain::ids::TerritoryId;

use super::folder::make_dirs;

/// A folder of such files.
#[derive(Debug, Clone)]
pub struct DayFiles {
    path: PathBuf,
    ending: &'static str,
}

impl DayFiles {
    /// Files of `path` whose names end with `ending`; the folder is made by the first write.
    pub fn new(path: impl Into<PathBuf>, ending: &'static str) -> Self {
        Self { path: path.into(), ending }
    }

    /// Where the file of a day is, or would be.
    pub fn file(&self, territory: &TerritoryId, day: NaiveDate) -> PathBuf {
        self.path.join(territory.as_str()).join(format!("{day}{}", self.ending))
    }

    /// Whether there is one.
    pub fn has(&self, territory: &TerritoryId, day: NaiveDate) -> bool {
        self.file(territory, day).is_file()
    }

    /// Writes the file of a day; on disk when it returns, readable by its owner alone.
    ///
    /// # Errors
    /// When it could not be written: the one before stays.
    pub fn write(&self, territory: &TerritoryId, day: NaiveDate, bytes: &[u8]) -> io::Result<()> {
        let (folder, file) = (self.path.join(territory.as_str()), self.file(territory, day));
        make_dirs(&folder)?;
        let unfinished = folder.join(format!("{day}{}.{}", self.ending, std::process::id()));
        replace(&unfinished, &file, bytes)?;
        File::open(&folder)?.sync_all()
    }

    /// The file of a day; none when there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, territory: &TerritoryId, day: NaiveDate) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.file(territory, day)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn replace(unfinished: &Path, file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut writing = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(unfinished)?;
    writing.write_all(bytes)?;
    writing.sync_all()?;
    fs::rename(unfinished, file)
}

//! The sheet of before the store went back: kept, since it tells of cases that the store has no longer.

use std::{
    fs,
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use super::{SheetError, private_file_of};

/// What a sheet says on which cases are missing: it is none of before.
pub(super) const MISSING: &str =
    "ATTENTION : le magasin est revenu en arrière, des dossiers manquent ici : voir « avant-retour ».";

/// Keeps each sheet under its other name, unless it is one on which cases are missing already.
pub(super) fn keep(sheets: [(PathBuf, PathBuf); 2]) -> Result<(), SheetError> {
    sheets.into_iter().try_for_each(|(sheet, kept)| {
        kept_as(&sheet, &kept).map_err(|error| SheetError::Unwritten { path: kept, error })
    })
}

fn kept_as(sheet: &Path, kept: &Path) -> io::Result<()> {
    let text = match fs::read(sheet) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if String::from_utf8_lossy(&text).contains(MISSING) {
        return Ok(());
    }
    // What another instance of this machine kept at the same second stays.
    let mut file = match private_file_of(fs::OpenOptions::new().write(true).create_new(true), kept) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(error),
    };
    file.write_all(&text)?;
    file.sync_all()
}

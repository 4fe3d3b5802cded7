//! The files of final days, and the anonymised extracts.

use std::{
    fmt::Write,
    io,
    path::{Path, PathBuf},
};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    archive::days::DayFiles,
    domain::{
        ids::TerritoryId,
        indicators::{
            Day,
            extract::{Anonymous, table},
        },
    },
};

use super::Extract;

/// The version of a day's file that this binary writes and reads.
const VERSION: u32 = 1;

/// Where final days are kept.
#[derive(Debug, Clone)]
pub struct DayFolder(DayFiles);

/// A day's file.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    version: u32,
    day: Day,
}

impl DayFolder {
    /// The folder at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(DayFiles::new(path, ".json"))
    }

    /// Keeps a day. What was published as complete and final stays as it is, and one that is only partly known takes the
    /// place of nothing.
    pub(super) fn keep(&self, territory: &TerritoryId, date: NaiveDate, day: &Day) -> io::Result<()> {
        if self.read(territory, date)?.is_some_and(|kept| !day.complete || closed(&kept)) {
            return Ok(());
        }
        let text = serde_json::to_vec(&Kept { version: VERSION, day: day.clone() }).map_err(io::Error::other)?;
        self.0.write(territory, date, &text)
    }

    /// A day as it was kept.
    pub(super) fn read(&self, territory: &TerritoryId, date: NaiveDate) -> io::Result<Option<Day>> {
        let Some(bytes) = self.0.read(territory, date)? else { return Ok(None) };
        let damaged = |why: String| {
            let file = self.0.file(territory, date);
            io::Error::other(format!("{}: {why}; remove it, or use the release that wrote it", file.display()))
        };
        let kept: Kept = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if kept.version != VERSION {
            return Err(damaged(format!("version {}, this binary reads {VERSION}", kept.version)));
        }
        Ok(Some(kept.day))
    }
}

/// Whether nothing is added to a day any more, and nothing of it is missing.
pub(super) fn closed(day: &Day) -> bool {
    day.complete && day.settled
}

/// Where extracts are written.
#[derive(Debug, Clone)]
pub struct ExtractFolder(DayFiles);

impl ExtractFolder {
    /// The folder at `path`.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self(DayFiles::new(path.as_ref(), ".csv"))
    }

    /// Whether a day has its extract: a second one, told otherwise, would name patients by what it differs in.
    pub(super) fn has(&self, territory: &TerritoryId, date: NaiveDate) -> bool {
        self.0.has(territory, date)
    }

    /// Writes the extract of a day.
    ///
    /// # Errors
    /// When it could not be written: the one before stays.
    pub fn write(&self, territory: &TerritoryId, date: NaiveDate, text: &str) -> io::Result<()> {
        self.0.write(territory, date, text.as_bytes())
    }
}

/// The extract of a day: a comma-separated line for each total and each cell that is shown.
pub fn extract_csv(extract: &Extract, cases: &Anonymous, territory: &TerritoryId, date: NaiveDate) -> String {
    let shown = table(cases.of(date, &extract.columns), extract.smallest_cell);
    let names: Vec<String> = extract.columns.iter().map(|column| column.code().to_lowercase()).collect();
    let mut text = format!("territory,day,{},cases\n", names.join(","));
    for cell in shown.totals.iter().chain(&shown.cells) {
        // Codes and sector ids hold no comma and no quote.
        writeln!(text, "{territory},{date},{},{}", cell.values.join(","), cell.count)
            .expect("a String takes every line");
    }
    text
}

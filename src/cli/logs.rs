//! Reading exported logs: sections of one territory after another, in files of `export` and of the archive.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;

use super::WrongUse;
use crate::{
    archive::{self, Header, Item, history::History},
    domain::{calendar::local_date, case::Event, ids::TerritoryId},
    engine::codec::decode_event,
    store::dump::Row,
};

/// Hands each whole section of `files` to `take`, of `only` one territory when it is named.
///
/// # Errors
/// When a file cannot be read or is damaged. A torn end of an archive file is left aside with a warning.
pub(super) fn sections(
    files: &[PathBuf],
    only: Option<&TerritoryId>,
    mut take: impl FnMut(&Header, Vec<Row>),
) -> Result<(), WrongUse> {
    let mut any = false;
    for file in files {
        any |= sections_of(file, only, any, &mut take)?;
    }
    match any {
        true => Ok(()),
        false => Err(WrongUse::new("nothing of this territory in these files: name others, or another territory")),
    }
}

fn sections_of(
    file: &Path,
    only: Option<&TerritoryId>,
    mut any: bool,
    take: &mut impl FnMut(&Header, Vec<Row>),
) -> Result<bool, WrongUse> {
    let wrong = |why: String| WrongUse::new(format!("{}: {why}", file.display()));
    let (mut open, mut rows) = (None, Vec::new());
    for item in archive::open(file).map_err(|error| wrong(error.to_string()))? {
        match item {
            Ok(Item::Begin(header)) => open = Some(header),
            Ok(Item::Row(row)) => rows.push(*row),
            Ok(Item::End) => {
                let (header, rows) = (open.take(), std::mem::take(&mut rows));
                if let Some(header) = header.filter(|header| only.is_none_or(|id| *id == header.territory)) {
                    any = true;
                    take(&header, rows);
                }
            }
            // A writer of the archive that was killed leaves a torn end, and what it said stands nowhere else: in the log.
            Err(fault) if fault.torn && file.to_string_lossy().ends_with(".jsonl.gz") && any => {
                eprintln!("sas-dispatch: {}: {fault}; laissé de côté", file.display());
            }
            Err(fault) => return Err(wrong(fault.to_string())),
        }
    }
    Ok(any)
}

/// The events of one territory in order.
pub(super) struct Told {
    pub territory: TerritoryId,
    pub events: Vec<Event>,
    /// The last seq before which one is missing, and which of the events it is; none: told from the first without a hole.
    pub hole: Option<(u64, usize)>,
    pub last_seq: u64,
}

impl Told {
    /// The first local day that is told from its beginning without a hole after it; none: all are.
    pub fn whole_from(&self, zone: Tz) -> Option<NaiveDate> {
        self.hole.map(|(_, at)| local_date(zone, self.events[at].at) + Days::new(1))
    }
}

/// The one territory of these files.
///
/// # Errors
/// As [`sections`]; when there are several and none is named; when an event cannot be read.
pub(super) fn told(files: &[PathBuf], only: Option<&TerritoryId>) -> Result<Told, WrongUse> {
    let mut histories: BTreeMap<TerritoryId, History> = BTreeMap::new();
    sections(files, only, |header, rows| histories.entry(header.territory.clone()).or_default().add(header, rows))?;
    if histories.len() > 1 {
        let names: Vec<_> = histories.keys().map(TerritoryId::to_string).collect();
        return Err(WrongUse::new(format!("several territories ({}): name one with --territory", names.join(", "))));
    }
    let (territory, history) = histories.pop_first().expect("sections of no territory are an error");
    let seqs = || history.entries().map(|entry| entry.seq);
    let holes = seqs().zip(std::iter::once(0).chain(seqs())).enumerate().filter(|(_, (seq, before))| *seq > before + 1);
    let hole = holes.last().map(|(at, (seq, _))| (seq, at));
    let decoded = history
        .entries()
        .map(|entry| decode_event(&entry.event).map_err(|error| WrongUse::new(format!("seq {}: {error}", entry.seq))));
    Ok(Told { territory, events: decoded.collect::<Result<_, _>>()?, hole, last_seq: history.last_seq() })
}

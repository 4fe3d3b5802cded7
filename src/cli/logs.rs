//! Reading exported logs: sections of one territory after another, in files of `export` and of the archive.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use serde::Serialize;

use super::WrongUse;
use crate::{
    archive::{self, Content, Header, Item, folder, history::History},
    domain::{calendar::local_date, case::Event, ids::TerritoryId},
    engine::codec::decode_event,
    store::dump::Row,
};

/// The end of a file of the archive that is no section: what a killed writer left. It was never answered for, and stands
/// in the log.
#[derive(Debug, Serialize)]
pub(super) struct LeftOut {
    pub file: PathBuf,
    pub bytes: u64,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, bytes } = self;
        write!(f, "{} : {bytes} octets d'une écriture interrompue, laissés de côté", file.display())
    }
}

/// Hands each whole section of `files` to `take`, of `only` one territory when it is named; says what it left out.
///
/// # Errors
/// When a file cannot be read, is damaged or was cut short. Only a torn end of an archive's file is left out.
pub(super) fn sections(
    files: &[PathBuf],
    only: Option<&TerritoryId>,
    mut take: impl FnMut(&Header, Vec<Row>),
) -> Result<Vec<LeftOut>, WrongUse> {
    let (mut any, mut left_out) = (false, Vec::new());
    for file in files {
        let mut asked = |header: &Header, rows| {
            if only.is_none_or(|id| *id == header.territory) {
                any = true;
                take(header, rows);
            }
        };
        left_out.extend(sections_of(file, &mut asked)?);
    }
    left_out.iter().for_each(|left| eprintln!("sas-dispatch: {left}"));
    match any {
        true => Ok(left_out),
        false => Err(WrongUse::new("nothing of this territory in these files: name others, or another territory")),
    }
}

fn sections_of(file: &Path, take: &mut impl FnMut(&Header, Vec<Row>)) -> Result<Option<LeftOut>, WrongUse> {
    let wrong = |why: String| WrongUse::new(format!("{}: {why}", file.display()));
    let (mut open, mut rows, mut read) = (None, Vec::new(), Read::default());
    for item in archive::open(file).map_err(|error| wrong(error.to_string()))? {
        match item {
            Ok(Item::Begin(header)) => {
                read.begun += 1;
                read.archived += u64::from(header.content == Content::Archive);
                open = Some(header);
            }
            Ok(Item::Row(row)) => rows.push(*row),
            Ok(Item::End) => {
                read.whole += 1;
                let rows = std::mem::take(&mut rows);
                if let Some(header) = open.take() {
                    take(&header, rows);
                }
            }
            Err(fault) => return read.torn_end(file).map(Some).ok_or_else(|| wrong(fault.to_string())),
        }
    }
    Ok(None)
}

/// The sections of a file so far: how many begun, how many of them an archive's, how many ended.
#[derive(Default)]
struct Read {
    begun: u64,
    archived: u64,
    whole: u64,
}

impl Read {
    /// What cannot be read on is the end of an archive's file that a killed writer left: whatever else broke off has lost
    /// something, and is not left out in silence.
    fn torn_end(&self, file: &Path) -> Option<LeftOut> {
        if self.begun == 0 || self.archived != self.begun {
            return None;
        }
        let day = folder::read_file(file).ok()?;
        let members = day.pieces.len() as u64;
        // A member whose data are all there, and only its own end is not, has given its section already.
        let fits = self.whole == members || self.whole == members + 1 && self.begun == self.whole;
        (day.torn > 0 && fits).then(|| LeftOut { file: file.to_owned(), bytes: day.torn })
    }
}

/// The events of one territory in order.
pub(super) struct Told {
    pub territory: TerritoryId,
    pub events: Vec<Event>,
    /// The last seq before which one is missing, and which of the events it is; none: told from the first without a hole.
    pub hole: Option<(u64, usize)>,
    pub last_seq: u64,
    pub left_out: Vec<LeftOut>,
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
    let left_out =
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
    let (events, last_seq) = (decoded.collect::<Result<_, _>>()?, history.last().1);
    Ok(Told { territory, events, hole, last_seq, left_out })
}

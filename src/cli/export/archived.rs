//! What the archive holds, day by day: as lines, or the cases themselves as one document.

use std::{collections::BTreeSet, io, io::Write};

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::Value;

use super::{Answer, Args, Out, Outcome, WrongUse, say, say_json};
use crate::{
    archive::{self, Header, folder::Folder, history::History},
    domain::ids::{CaseId, TerritoryId},
    engine::codec::{self, Entity},
    store::{Key, LogEntry, dump::Row},
};

/// One day of one territory, put together from every folder that was named.
struct Day {
    header: Header,
    date: NaiveDate,
    history: History,
    torn: u64,
}

/// What is asked for of each day.
#[derive(Clone, Copy)]
struct Wanted {
    case: Option<CaseId>,
    /// What was lost with a store that went back, instead of what is left.
    lost: bool,
}

impl Wanted {
    /// What was lost is told by its events alone: the records are those of now.
    fn has(self, key: &Key) -> bool {
        !self.lost && self.case.is_none_or(|case| *key == Key::case(case))
    }

    /// Says what a day holds and is not given.
    fn notes(self, day: &Day) {
        let (territory, date, lost) = (&day.header.territory, day.date, day.history.overtaken().len());
        if day.torn > 0 {
            let torn = day.torn;
            eprintln!("sas-dispatch: {territory} {date} : {torn} octets d'une écriture interrompue, laissés de côté");
        }
        if lost > 0 && !self.lost {
            eprintln!(
                "sas-dispatch: {territory} {date} : {lost} événements d'une époque dépassée, perdus quand une ancienne \
                 sauvegarde a été remise en place ; --lost les donne"
            );
        }
    }
}

#[derive(Debug, Serialize)]
struct Document {
    days: Vec<DayDocument>,
}

#[derive(Debug, Serialize)]
struct DayDocument {
    territory: TerritoryId,
    day: NaiveDate,
    cases: Vec<Value>,
    events: Vec<Value>,
}

pub(super) fn run(args: &Args) -> Outcome {
    let folders: Vec<Folder> = args.archive.iter().map(Folder::new).collect();
    let days = asked_for(args, &folders)?;
    let wanted = Wanted { case: args.case, lost: args.lost };
    let mut found = false;
    if args.json {
        let mut document = Document { days: Vec::new() };
        for (territory, date) in days {
            let Some(day) = read(&folders, &territory, date)? else { continue };
            wanted.notes(&day);
            document.days.extend(decoded(&day, wanted)?);
        }
        found |= !document.days.is_empty();
        say_json(&document);
        return Ok(if found { Answer::Done } else { Answer::No });
    }
    let mut out = Out::create(&args.out)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(WrongUse::new)?;
    for (territory, date) in days {
        let Some(day) = read(&folders, &territory, date)? else { continue };
        wanted.notes(&day);
        let rows = rows(&day, wanted)?;
        found |= !rows.is_empty();
        if !rows.is_empty() {
            let written = runtime.block_on(out.section(async |lines| lines_of(&day, &rows, lines)));
            written.map_err(|error: io::Error| WrongUse::new(error))?;
        }
    }
    out.finish()?;
    if !found {
        eprintln!("sas-dispatch: rien de tel dans l'archive");
    } else if args.out.as_os_str() != "-" {
        say(format!("{} : données de patients, lisible par son seul propriétaire", args.out.display()));
    }
    Ok(if found { Answer::Done } else { Answer::No })
}

fn asked_for(args: &Args, folders: &[Folder]) -> Result<BTreeSet<(TerritoryId, NaiveDate)>, WrongUse> {
    let mut days = BTreeSet::new();
    for folder in folders {
        let failed = |error: io::Error| WrongUse::new(format!("{}: {error}", folder.path().display()));
        if !folder.path().is_dir() {
            return Err(WrongUse::new(format!("{}: no such folder; name the archive's", folder.path().display())));
        }
        for territory in folder.territories().map_err(failed)? {
            if !args.territory.is_empty() && !args.territory.contains(&territory) {
                continue;
            }
            let all = folder.days(&territory).map_err(failed)?;
            let chosen = all.into_iter().filter(|date| args.day.is_none_or(|day| day == *date));
            days.extend(chosen.map(|date| (territory.clone(), date)));
        }
    }
    Ok(days)
}

fn read(folders: &[Folder], territory: &TerritoryId, date: NaiveDate) -> Result<Option<Day>, WrongUse> {
    let (mut header, mut history, mut torn) = (None::<Header>, History::default(), 0);
    for folder in folders {
        let read = match folder.read(territory, date) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            read => read,
        };
        let day =
            read.map_err(|error| WrongUse::new(format!("{}, {territory} {date}: {error}", folder.path().display())))?;
        torn += day.torn;
        for piece in day.pieces {
            history.add(&piece.header, piece.rows);
            header = Some(piece.header);
        }
    }
    Ok(header.map(|header| Day { header, date, history, torn }))
}

fn unreadable(day: &Day, what: &str) -> WrongUse {
    WrongUse::new(format!("{} {}: {what} cannot be decoded", day.header.territory, day.date))
}

fn entries(day: &Day, Wanted { case, lost }: Wanted) -> Result<Vec<&LogEntry>, WrongUse> {
    let mut chosen = Vec::new();
    let (kept, overtaken) = (day.history.entries(), day.history.overtaken());
    let all: Vec<&LogEntry> = if lost { overtaken.collect() } else { kept.collect() };
    for entry in all {
        let event = codec::decode_event(&entry.event).map_err(|_| unreadable(day, &format!("seq {}", entry.seq)))?;
        if case.is_none() || event.case == case {
            chosen.push(entry);
        }
    }
    Ok(chosen)
}

fn rows(day: &Day, wanted: Wanted) -> Result<Vec<Row>, WrongUse> {
    let records = day.history.records().filter(|(key, _)| wanted.has(key));
    let mut rows: Vec<Row> = records.map(|(key, record)| Row::Record(key.clone(), record.clone())).collect();
    rows.extend(entries(day, wanted)?.into_iter().map(|entry| Row::Log(entry.clone())));
    Ok(rows)
}

fn lines_of(day: &Day, rows: &[Row], lines: &mut impl Write) -> io::Result<()> {
    let mut seqs = rows.iter().filter_map(|row| if let Row::Log(entry) = row { Some(entry.seq) } else { None });
    let first_seq = seqs.next().unwrap_or(1);
    let last_seq = seqs.next_back().unwrap_or(if first_seq == 1 { 0 } else { first_seq });
    let mut section = archive::begin(lines, &Header { first_seq, last_seq, ..day.header.clone() })?;
    rows.iter().try_for_each(|row| section.row(row))?;
    section.end().map(|_| ())
}

/// The cases and events with what was said, for people who may read it; `None` when the day has none of the kind asked for.
fn decoded(day: &Day, wanted: Wanted) -> Result<Option<DayDocument>, WrongUse> {
    let (mut cases, mut events) = (Vec::new(), Vec::new());
    for (key, record) in day.history.records().filter(|(key, _)| wanted.has(key)) {
        let entity = codec::decode(key.as_str(), &record.value).map_err(|_| unreadable(day, key.as_str()))?;
        if let Entity::Case(known) = entity {
            cases.push(serde_json::json!({ "number": record.number, "case": *known, "sealed": known.sealed }));
        }
    }
    for entry in entries(day, wanted)? {
        let event = codec::decode_event(&entry.event).map_err(|_| unreadable(day, &format!("seq {}", entry.seq)))?;
        events.push(serde_json::json!({ "seq": entry.seq, "event": event, "words": event.words }));
    }
    let (territory, day) = (day.header.territory.clone(), day.date);
    Ok((!cases.is_empty() || !events.is_empty()).then_some(DayDocument { territory, day, cases, events }))
}

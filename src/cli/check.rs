//! `sas-dispatch check LOG`: tells an exported log again and reports every second in which something was so that must
//! never be: a case without an owner, a slot given twice, two holders, a deadline that passed in silence.

mod judged;
mod print;

use std::path::{Path, PathBuf};

use super::{Answer, Outcome, Shared, WrongUse};
use crate::{
    archive::{self, Item},
    domain::ids::TerritoryId,
};

use judged::Told;

/// Arguments of `check`.
///
/// Exit status: 0 nothing of the kind, 1 something was found, 2 a file cannot be read. What lies before the first event of
/// a trimmed log is not judged, and the report says so: give the archive's files as well.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files of `sas-dispatch export` and of the archive, plain or packed, in any order
    #[arg(required = true, value_name = "LOG")]
    files: Vec<PathBuf>,
    /// Only this territory [default: all]
    #[arg(long, value_name = "ID")]
    territory: Option<TerritoryId>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, _: &Shared) -> Outcome {
    let mut told = std::collections::BTreeMap::<TerritoryId, Told>::new();
    for file in &args.files {
        read(file, args, &mut told)?;
    }
    if told.is_empty() {
        return Err(WrongUse::new("nothing of this territory in these files: name others, or another territory"));
    }
    let judged: Vec<_> = told.into_iter().map(|(territory, told)| judged::judge(territory, told)).collect();
    if args.json {
        print::json(&args.files, &judged);
    } else {
        print::text(&judged);
    }
    Ok(if judged.iter().all(|judged| judged.findings.is_empty()) { Answer::Done } else { Answer::No })
}

fn read(file: &Path, args: &Args, told: &mut std::collections::BTreeMap<TerritoryId, Told>) -> Result<(), WrongUse> {
    let wrong = |why: String| WrongUse::new(format!("{}: {why}", file.display()));
    let (mut open, mut rows) = (None, Vec::new());
    for item in archive::open(file).map_err(|error| wrong(error.to_string()))? {
        match item {
            Ok(Item::Begin(header)) => open = Some(header),
            Ok(Item::Row(row)) => rows.push(*row),
            Ok(Item::End) => {
                let (header, rows) = (open.take(), std::mem::take(&mut rows));
                let wanted = header.filter(|header| args.territory.as_ref().is_none_or(|id| *id == header.territory));
                if let Some(header) = wanted {
                    told.entry(header.territory.clone()).or_default().add(&header, rows);
                }
            }
            // A writer of the archive that was killed leaves a torn end, and what it said stands nowhere else: in the log.
            Err(fault) if fault.torn && file.to_string_lossy().ends_with(".jsonl.gz") && !told.is_empty() => {
                eprintln!("sas-dispatch: {}: {fault}; laissé de côté", file.display());
            }
            Err(fault) => return Err(wrong(fault.to_string())),
        }
    }
    Ok(())
}

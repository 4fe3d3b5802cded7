//! `sas-dispatch export`: a site's state, its log or its archive as JSON lines, each section of one moment.

mod archived;
mod out;
mod state;

use std::path::PathBuf;

use chrono::NaiveDate;
use serde::Serialize;

use super::{Answer, Outcome, Shared, WrongUse, place::Place, say, say_json};
use crate::domain::ids::{CaseId, TerritoryId};

use out::Out;

/// Arguments of `export`.
///
/// What is written holds what patients said and who they are: files are readable by their owner alone (mode 0600).
/// Whoever moves a site stops the service first: what it acknowledges after the export would stay behind.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
    /// Territory to export; may be given several times [default: all]
    #[arg(long, value_name = "ID")]
    territory: Vec<TerritoryId>,
    /// All territories, said in so many words
    #[arg(long, conflicts_with = "territory")]
    all: bool,
    /// File to write, packed when its name ends with .gz; `-` for standard output. Holds patient data: made with mode 0600
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
    /// Only the log: what `sas-dispatch check` replays. May be taken beside a working service at any
    /// time where the state is in Redis; an embedded store is its service's alone: stop it first
    #[arg(long, conflicts_with = "archive")]
    log_only: bool,
    /// Read this archive folder instead of a store; may be given several times, one for each machine that kept one
    #[arg(long, value_name = "DIR")]
    archive: Vec<PathBuf>,
    /// Only this local day of the archive
    #[arg(long, value_name = "YYYY-MM-DD", requires = "archive")]
    day: Option<NaiveDate>,
    /// Only this case of the archive, with every event of it
    #[arg(long, value_name = "UUID", requires = "archive")]
    case: Option<CaseId>,
    /// What was lost when an old backup was put back: the events of an epoch that a later one has overtaken
    #[arg(long, requires = "archive")]
    lost: bool,
    /// Print one JSON document about what was written; with --archive, the cases themselves
    #[arg(long)]
    json: bool,
}

/// What was written of one territory.
#[derive(Debug, Serialize)]
struct Written {
    territory: TerritoryId,
    epoch: u64,
    first_seq: u64,
    last_seq: u64,
    rows: u64,
}

#[derive(Debug, Serialize)]
struct Document {
    out: PathBuf,
    territories: Vec<Written>,
}

pub(super) fn run(args: &Args, shared: &Shared) -> Outcome {
    if !args.archive.is_empty() {
        return archived::run(args);
    }
    let to_stdout = args.out.as_os_str() == "-";
    if args.json && to_stdout {
        return Err(WrongUse::new("--json: the document would stand among the lines; name a file with --out"));
    }
    let config = shared.load()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(WrongUse::new)?;
    let mut out = Out::create(&args.out)?;
    let territories = runtime.block_on(state::write(args, &config, &mut out))?;
    out.finish()?;
    if args.json {
        say_json(&Document { out: args.out.clone(), territories });
    } else if !to_stdout {
        territories.iter().for_each(|written| {
            let Written { territory, epoch, first_seq, last_seq, rows } = written;
            say(format!("{territory} : {rows} lignes, journal {first_seq} à {last_seq}, époque {epoch}"));
        });
        say(format!("{} : données de patients, lisible par son seul propriétaire", args.out.display()));
    }
    Ok(Answer::Done)
}

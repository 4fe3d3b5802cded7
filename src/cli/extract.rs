//! `sas-dispatch extract`: the anonymised extract of a day, from exported logs.

use std::path::PathBuf;

use chrono::NaiveDate;

use super::{Answer, Outcome, Shared, WrongUse, logs::told, say};
use crate::{
    app::statistics,
    domain::{
        ids::TerritoryId,
        indicators::extract::{Anonymous, Bands},
    },
    engine::extract_csv,
};

/// Arguments of `extract`.
///
/// Columns, smallest cell and age bands are those of `[extract]` in the configuration. The files must tell the whole day and
/// what became of its cases.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files of `sas-dispatch export` and of the archive, in any order
    #[arg(long = "log", required = true, num_args = 1.., value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only this territory [default: the one there is]
    #[arg(long, value_name = "ID")]
    territory: Option<TerritoryId>,
    /// Only this local day [default: every day of the log]
    #[arg(long, value_name = "YYYY-MM-DD")]
    day: Option<NaiveDate>,
    /// Folder to write into, one file for each territory and day; `-` for standard output
    #[arg(long, value_name = "DIR", default_value = "-")]
    out: PathBuf,
}

pub(super) fn run(args: &Args, shared: &Shared) -> Outcome {
    let config = shared.load()?;
    let told = told(&args.files, args.territory.as_ref())?;
    let ground = config.territory(&told.territory).map_err(WrongUse::new)?;
    let extract = statistics::extract(&config.settings.extract, &args.out);
    let mut cases = Anonymous::new(ground.0.calendar.zone(), Bands(extract.age_bands.clone()));
    told.events.iter().for_each(|event| cases.tell(event));
    let days: Vec<_> = cases.days().into_iter().filter(|day| args.day.is_none_or(|only| only == *day)).collect();
    if days.is_empty() {
        return Err(WrongUse::new("no case arrived on this day: name another, or other files"));
    }
    let whole = told.whole_from(ground.0.calendar.zone());
    let (partly, days): (Vec<_>, Vec<_>) = days.into_iter().partition(|day| whole.is_some_and(|first| *day < first));
    for day in &partly {
        let before = told.hole.map_or(0, |(seq, _)| seq);
        eprintln!("sas-dispatch: {day}: a part of the log before seq {before} is missing; name the files that have it");
    }
    if days.is_empty() {
        return Err(WrongUse::new("no day of these files is told without a gap: nothing was written"));
    }
    for day in days {
        let text = extract_csv(&extract, &cases, &told.territory, day);
        if args.out.as_os_str() == "-" {
            say(text.trim_end());
        } else {
            let written = extract.folder.write(&told.territory, day, &text);
            written.map_err(|error| WrongUse::new(format!("{}: {error}", args.out.display())))?;
        }
    }
    Ok(Answer::Done)
}

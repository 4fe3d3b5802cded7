//! `sas-dispatch check LOG`: tells an exported log again and reports every second in which something was so that must
//! never be: a case without an owner, a slot given twice, two holders, a deadline that passed in silence. The logs of several
//! territories are told against each other as well: what each says of a hand-over must fit what the other says.

mod judged;
mod print;

use std::path::PathBuf;

use super::{Answer, Outcome, Shared, logs::sections, say};
use crate::domain::{case::replay::border, ids::TerritoryId, time::Span};

use judged::Told;

/// Arguments of `check`.
///
/// Exit status: 0 nothing of the kind, 1 something was found, 2 a file cannot be read. What lies before the first event of
/// a trimmed log is not judged, and the report says so: give the archive's files as well. A hand-over between two territories
/// is judged when the logs of both are among the files, as far as both reach.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files of `sas-dispatch export` and of the archive, plain or packed, in any order
    #[arg(required = true, value_name = "LOG")]
    files: Vec<PathBuf>,
    /// Only this territory [default: all]
    #[arg(long, value_name = "ID")]
    territory: Option<TerritoryId>,
    /// How long after its deadline an alarm may come before that is reported; what two clocks and one round of the service
    /// may take
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(0..=3_600))]
    silence_seconds: u32,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, _: &Shared) -> Outcome {
    let mut told = std::collections::BTreeMap::<TerritoryId, Told>::new();
    let left_out = sections(&args.files, args.territory.as_ref(), |header, rows| {
        told.entry(header.territory.clone()).or_default().add(header, rows);
    })?;
    let tolerated = Span::from_secs(args.silence_seconds.into());
    let judged: Vec<_> = told.into_iter().map(|(territory, told)| judged::judge(territory, told, tolerated)).collect();
    let logs = judged.iter().map(|judged| (judged.territory.clone(), judged.log.clone())).collect();
    let between = border::between(&logs);
    if args.json {
        print::json(&args.files, &left_out, &judged, &between);
    } else {
        left_out.iter().for_each(say);
        print::text(&judged);
        print::between(&between);
    }
    let clean = between.findings.is_empty() && judged.iter().all(|judged| judged.findings.is_empty());
    Ok(if clean { Answer::Done } else { Answer::No })
}

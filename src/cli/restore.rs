//! `sas-dispatch restore`: an operator says that the store, into which a backup was put back, is to go on from here.
//!
//! Compares what the instances acknowledged (their files `acknowledged-….json`) with what the store holds, lists what is
//! missing, and begins another epoch, so that whoever still believes in the lost history is fenced and every watcher
//! begins anew. Running instances follow by themselves. To repeat it changes nothing.
//!
//! Exit status: 0 nothing acknowledged is missing; 1 what is missing is listed, and the territory goes on without it; 2
//! wrong use, or the store was not reached.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{Answer, Outcome, Shared, WrongUse, french::moment, place::Place, say, say_json};
use crate::{
    config::Config,
    domain::{calendar::local, ids::TerritoryId, time::Instant},
    store::{
        Store,
        fence::{
            Mark, kept,
            restore::{self, Compared, Found, Report},
        },
    },
};

/// Arguments of `restore`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Territory that goes on; may be given several times
    #[arg(long, value_name = "ID", required_unless_present = "all")]
    territory: Vec<TerritoryId>,
    /// All territories of the store and of the files
    #[arg(long, conflicts_with = "territory")]
    all: bool,
    #[command(flatten)]
    place: Place,
    /// A file of an instance on another machine (acknowledged-….json of its data folder); may be given several times.
    /// Those of this machine are read without being named
    #[arg(long, value_name = "FILE")]
    acknowledged: Vec<PathBuf>,
    /// Only say what is missing; nothing is changed
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// The document of `--json`; the order of the keys is part of it.
#[derive(Debug, Serialize)]
struct Document {
    files: Vec<PathBuf>,
    dry_run: bool,
    territories: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    territory: TerritoryId,
    head_seq: u64,
    head_at: Option<String>,
    epoch_before: u64,
    epoch: u64,
    missing_events_at_least: u64,
    acknowledged: Vec<Acknowledged>,
}

#[derive(Debug, Serialize)]
struct Acknowledged {
    epoch: u64,
    seq: u64,
    command_id: String,
    at: String,
    state: &'static str,
}

/// What every instance that is known acknowledged, and where that stands.
#[derive(Default)]
struct Known {
    files: Vec<PathBuf>,
    marks: BTreeMap<TerritoryId, Vec<Mark>>,
}

pub(super) fn run(args: &Args, shared: &Shared) -> Outcome {
    let config = shared.load()?;
    let known = known(args, &config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(WrongUse::new)?;
    let reports = runtime.block_on(restored(args, &config, &known))?;
    if args.json {
        let territories = reports.iter().map(|(territory, report)| row(territory, report)).collect();
        say_json(&Document { files: known.files, dry_run: args.dry_run, territories });
    } else {
        reports.iter().for_each(|(territory, report)| say(words(&config, territory, report, args.dry_run)));
        say(sources(&known.files));
    }
    let complete = reports.values().all(|report| report.missing().next().is_none());
    Ok(if complete { Answer::Done } else { Answer::No })
}

async fn restored(args: &Args, config: &Config, known: &Known) -> Result<BTreeMap<TerritoryId, Report>, WrongUse> {
    // Nothing at all may have been put back: an empty store is one too.
    let store = args.place.open(config, !known.marks.is_empty()).await?;
    let store: &dyn Store = store.as_ref();
    let mut territories: BTreeSet<TerritoryId> = args.territory.iter().cloned().collect();
    if args.all {
        territories.extend(store.territories().await.map_err(WrongUse::new)?);
        territories.extend(known.marks.keys().cloned());
    }
    let mut reports = BTreeMap::new();
    for territory in territories {
        let marks = known.marks.get(&territory).map_or(&[][..], Vec::as_slice);
        let report = restore::restore(store, &territory, marks, args.dry_run).await;
        reports.insert(territory.clone(), report.map_err(|error| WrongUse::new(format!("{territory}: {error}")))?);
    }
    Ok(reports)
}

/// Reads the files of this machine and those that were named. A damaged one that was named is wrong use; of this
/// machine's it is said, and the others count.
fn known(args: &Args, config: &Config) -> Result<Known, WrongUse> {
    let (folder, name) = args.place.acknowledged(config);
    let mut known = Known::default();
    for path in kept::files(&folder, &name).unwrap_or_default() {
        if let Err(wrong) = known.add(&path) {
            eprintln!("sas-dispatch: {wrong}");
        }
    }
    args.acknowledged.iter().try_for_each(|path| known.add(path))?;
    Ok(known)
}

impl Known {
    fn add(&mut self, path: &Path) -> Result<(), WrongUse> {
        let marks = kept::read(path).map_err(|error| WrongUse::new(format!("{}: {error}", path.display())))?;
        for (territory, marks) in marks {
            let all = self.marks.entry(territory).or_default();
            all.extend(marks.into_iter().filter(|mark| !all.contains(mark)).collect::<Vec<_>>());
        }
        self.files.push(path.to_owned());
        Ok(())
    }
}

fn state(found: Found) -> &'static str {
    match found {
        Found::Present => "present",
        Found::Trimmed => "trimmed",
        Found::Missing => "missing",
        Found::Settled => "settled",
    }
}

fn row(territory: &TerritoryId, report: &Report) -> Row {
    let acknowledged = |compared: &Compared| Acknowledged {
        epoch: compared.mark.epoch,
        seq: compared.mark.seq,
        command_id: compared.mark.command.to_string(),
        at: compared.mark.at.to_string(),
        state: state(compared.found),
    };
    Row {
        territory: territory.clone(),
        head_seq: report.head,
        head_at: report.last.map(|at| at.to_string()),
        epoch_before: report.before,
        epoch: report.epoch,
        missing_events_at_least: report.missing_events(),
        acknowledged: report.compared.iter().map(acknowledged).collect(),
    }
}

fn words(config: &Config, territory: &TerritoryId, report: &Report, dry_run: bool) -> String {
    let wall = |at: Instant| match config.territory(territory) {
        Ok(ground) => moment(local(ground.0.calendar.zone(), at)),
        Err(_) => at.to_string(),
    };
    let head =
        report.last.map_or_else(|| "vide".to_owned(), |at| format!("jusqu'au n° {} ({})", report.head, wall(at)));
    let epoch = match (report.before == report.epoch, dry_run) {
        (false, _) => format!("époque {} → {}", report.before, report.epoch),
        (true, true) => format!("époque {}, rien n'a été changé (--dry-run)", report.before),
        (true, false) => format!("époque {}, déjà ouverte par une reprise : rien à faire", report.before),
    };
    let mut lines = vec![format!("{territory} : journal {head} ; {epoch}")];
    for mark in report.missing() {
        lines.push(format!(
            "  MANQUE : n° {} de l'époque {}, acquitté {}, commande {}",
            mark.seq,
            mark.epoch,
            wall(mark.at),
            mark.command
        ));
    }
    match (report.missing().next(), report.last) {
        (None, _) => lines.push("  rien de ce qui a été acquitté ne manque".to_owned()),
        (Some(_), last) => lines.push(format!(
            "  au moins {} événement(s) perdu(s){} : reprendre les feuilles de garde et les postes, ressaisir les dossiers \
             (reprise papier, avec les heures vraies)",
            report.missing_events(),
            last.map(|at| format!(" après {}", wall(at))).unwrap_or_default()
        )),
    }
    lines.join("\n")
}

fn sources(files: &[PathBuf]) -> String {
    if files.is_empty() {
        return "Aucun fichier « acknowledged-….json » ici : ce qui manque ne peut pas être listé ; donnez ceux des \
                instances avec --acknowledged"
            .to_owned();
    }
    let names: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
    format!("D'après : {}", names.join(", "))
}

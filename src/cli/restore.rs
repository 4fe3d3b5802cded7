//! `sas-dispatch restore`: an operator says that the store, into which a backup was put back, is to go on from here.
//!
//! Compares what the instances acknowledged (their files `acknowledged-….json`) with what the store holds, lists what is
//! missing, and begins another epoch, so that whoever still believes in the lost history is fenced and every watcher
//! begins anew. Running instances follow by themselves. To repeat it changes nothing.
//!
//! To go on settles what was acknowledged before, known or not: afterwards nobody can list it any more. So nothing is
//! changed while what was acknowledged is not known, of one of the territories or from one of the files, unless the operator
//! says in so many words that he goes on without.
//!
//! Exit status: 0 nothing acknowledged is missing; 1 what is missing is listed, or is not known, and the territory goes on
//! without it; 2 wrong use, or the store was not reached.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{Answer, Outcome, Shared, WrongUse, french::moment, place::Site, say, say_json};
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
    site: Site,
    /// A file of an instance on another machine (acknowledged-….json of its data folder); may be given several times.
    /// Those of this machine are read without being named
    #[arg(long, value_name = "FILE")]
    acknowledged: Vec<PathBuf>,
    /// Go on although it is not known what was acknowledged: what is missing can never be listed then
    #[arg(long)]
    without_acknowledged: bool,
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
    /// Files of this machine that could not be read: what they held is not among what was compared.
    unread: Vec<PathBuf>,
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
    /// The last place that is left of the history of what is missing, and when that was.
    left_seq: u64,
    left_at: Option<String>,
    /// Missing when an earlier restore began the epoch that there is.
    settled_events_at_least: u64,
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
    unread: Vec<PathBuf>,
    marks: BTreeMap<TerritoryId, Vec<Mark>>,
}

pub(super) fn run(args: &Args, shared: &Shared) -> Outcome {
    let config = shared.load()?;
    let known = known(args, &config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(WrongUse::new)?;
    let reports = runtime.block_on(restored(args, &config, &known))?;
    let complete =
        |(territory, report): (&TerritoryId, &Report)| known.knows(territory) && report.missing().next().is_none();
    let answer = if reports.iter().all(complete) { Answer::Done } else { Answer::No };
    if args.json {
        let territories = reports.iter().map(|(territory, report)| row(territory, report)).collect();
        say_json(&Document { files: known.files, unread: known.unread, dry_run: args.dry_run, territories });
    } else {
        for (territory, report) in &reports {
            say(words(&config, territory, report, args.dry_run));
            say(verdict(&config, territory, report, known.knows(territory)));
        }
        say(sources(&known));
    }
    Ok(answer)
}

async fn restored(args: &Args, config: &Config, known: &Known) -> Result<BTreeMap<TerritoryId, Report>, WrongUse> {
    // Nothing at all may have been put back: an empty store is one too.
    let store = args.site.open(config, !known.marks.is_empty()).await?;
    let store: &dyn Store = store.as_ref();
    let mut territories: BTreeSet<TerritoryId> = args.territory.iter().cloned().collect();
    if args.all {
        territories.extend(store.territories().await.map_err(WrongUse::new)?);
        territories.extend(known.marks.keys().cloned());
    }
    if !args.without_acknowledged {
        known.must_know(&territories)?;
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
/// machine's it is said, and nothing is changed without the operator's word.
fn known(args: &Args, config: &Config) -> Result<Known, WrongUse> {
    let (folder, name) = args.site.acknowledged(config);
    let mut known = Known::default();
    let listed = kept::files(&folder, &name).and_then(|files| Ok((files, kept::set_aside(&folder, &name)?)));
    match listed {
        Ok((files, damaged)) => {
            for path in files {
                if let Err(wrong) = known.add(&path) {
                    eprintln!("sas-dispatch: {wrong}");
                    known.unread.push(path);
                }
            }
            known.unread.extend(damaged);
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => {
            eprintln!("sas-dispatch: {}: {error}", folder.display());
            known.unread.push(folder);
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

    /// Whether all that was acknowledged of a territory is known, as far as the files of the instances say it.
    fn knows(&self, territory: &TerritoryId) -> bool {
        self.unread.is_empty() && self.marks.contains_key(territory)
    }

    /// # Errors
    /// Wrong use, when something is not known of one of the territories.
    fn must_know(&self, territories: &BTreeSet<TerritoryId>) -> Result<(), WrongUse> {
        let unknown: Vec<&str> =
            territories.iter().filter(|territory| !self.knows(territory)).map(TerritoryId::as_str).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let unread = match shown(&self.unread) {
            none if none.is_empty() => String::new(),
            paths => format!(" (cannot be read: {paths}; once its gap is settled, move it away)"),
        };
        Err(WrongUse::new(format!(
            "it is not known what was acknowledged of {}{unread}, and nothing was changed: to go on would make it unlistable \
             for good. Name the files acknowledged-….json of every instance with --acknowledged, or the data folder of this \
             machine's with --data; when they are lost, go on with --without-acknowledged",
            unknown.join(", ")
        )))
    }
}

fn shown(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
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
        left_seq: report.left,
        left_at: report.left_at.map(|at| at.to_string()),
        settled_events_at_least: report.settled,
        acknowledged: report.compared.iter().map(acknowledged).collect(),
    }
}

fn wall(config: &Config, territory: &TerritoryId, at: Instant) -> String {
    match config.territory(territory) {
        Ok(ground) => moment(local(ground.0.calendar.zone(), at)),
        Err(_) => at.to_string(),
    }
}

fn words(config: &Config, territory: &TerritoryId, report: &Report, dry_run: bool) -> String {
    let wall = |at: Instant| wall(config, territory, at);
    let head =
        report.last.map_or_else(|| "vide".to_owned(), |at| format!("jusqu'au n° {} ({})", report.head, wall(at)));
    let epoch = match (report.before == report.epoch, dry_run) {
        (false, _) => format!("époque {} → {}", report.before, report.epoch),
        (true, true) => format!("époque {}, rien n'a été changé (--dry-run)", report.before),
        (true, false) => format!("époque {}, déjà ouverte par une reprise : rien à faire", report.before),
    };
    let mut lines = vec![format!("{territory} : journal {head} ; {epoch}")];
    for Compared { mark, found } in &report.compared {
        let what = match found {
            Found::Missing => "MANQUE",
            Found::Settled => "perdu, déjà réglé",
            Found::Present | Found::Trimmed => continue,
        };
        let Mark { seq, epoch, command, at } = mark;
        lines.push(format!("  {what} : n° {seq} de l'époque {epoch}, acquitté {}, commande {command}", wall(*at)));
    }
    lines.join("\n")
}

/// What it comes to; `known`: what was acknowledged of the territory is.
fn verdict(config: &Config, territory: &TerritoryId, report: &Report, known: bool) -> String {
    let settled = report.settled > 0 || report.compared.iter().any(|compared| compared.found == Found::Settled);
    if report.missing().next().is_some() {
        let after = report.left_at.map(|at| format!(" après {}", wall(config, territory, at))).unwrap_or_default();
        return format!(
            "  au moins {} événement(s) perdu(s){after} (n° {}) : reprendre les feuilles de garde et les postes, ressaisir les \
             dossiers (reprise papier, avec les heures vraies)",
            report.missing_events(),
            report.left
        );
    }
    if known && report.settled > 0 {
        let settled = report.settled;
        return format!("  perdus et déjà réglés par une reprise : au moins {settled} ; rien d'autre ne manque");
    }
    match (known, settled) {
        (false, _) => {
            "  ce qui a été acquitté n'est pas connu en entier : ce qui manque ne peut pas être dit".to_owned()
        }
        (true, true) => "  rien d'autre de ce qui a été acquitté ne manque".to_owned(),
        (true, false) => "  rien de ce qui a été acquitté ne manque".to_owned(),
    }
}

fn sources(known: &Known) -> String {
    let mut lines = Vec::new();
    if known.files.is_empty() {
        lines.push("Aucun fichier « acknowledged-….json » n'a été lu".to_owned());
    } else {
        lines.push(format!("D'après : {}", shown(&known.files)));
    }
    if !known.unread.is_empty() {
        lines.push(format!("Illisibles : {}", shown(&known.unread)));
    }
    lines.join("\n")
}

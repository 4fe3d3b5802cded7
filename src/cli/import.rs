//! `sas-dispatch import FILE`: an export becomes the state of an empty place, and nothing of it is different but the epoch.

use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Answer, Outcome, Shared, WrongUse, place::Place, say, say_json};
use crate::{
    archive::{self, Content, Header, Item},
    domain::{case::state::SCHEMA, ids::TerritoryId},
    engine::Stated,
    store::dump::{Broken, Head, MAX_ROWS, Page, Portable, Row},
};

/// Arguments of `import`.
///
/// The epoch rises by one, so that instances which still believe in the old place are fenced. The look-up key of the old
/// place (`lookup.key` in its data folder, or `lookup_key` of its configuration) belongs with the state: without it calls
/// of known numbers are no longer recognised.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// File of `sas-dispatch export`, plain or packed
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Only this territory of the file; may be given several times [default: all]
    #[arg(long, value_name = "ID")]
    territory: Vec<TerritoryId>,
    /// Throw away what an import that was broken off left here, once none is running, and go on after the territories that
    /// it had brought whole
    #[arg(long)]
    replace_broken: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Imported {
    territory: TerritoryId,
    epoch: u64,
    last_seq: u64,
    rows: u64,
    /// An import that was broken off later had brought it already; it was read back again.
    already: bool,
}

#[derive(Debug, Serialize)]
struct Document {
    file: PathBuf,
    territories: Vec<Imported>,
}

pub(super) fn run(args: &Args, shared: &Shared) -> Outcome {
    let config = shared.load()?;
    let sections = verified(args)?;
    let broken = if args.replace_broken { Broken::Replace } else { Broken::Refuse };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(WrongUse::new)?;
    let here = runtime.block_on(async {
        let store = args.place.open(&config, true).await?;
        let mut here = Vec::new();
        for section in &sections {
            if already(&*store, section, broken).await? {
                here.push(section.header.territory.clone());
            }
        }
        fill(&*store, &args.file, &sections, &here, broken).await.map(|()| here)
    })?;
    let imported = |section: &Section| section.imported(here.contains(&section.header.territory));
    let territories: Vec<Imported> = sections.iter().map(imported).collect();
    if args.json {
        say_json(&Document { file: args.file.clone(), territories });
        return Ok(Answer::Done);
    }
    for Imported { territory, epoch, last_seq, rows, already } in &territories {
        let taken = if *already { "déjà reprises, relues" } else { "reprises et relues" };
        say(format!("{territory} : {rows} lignes {taken}, journal jusqu'à {last_seq}, époque {epoch}"));
    }
    say("la clé de recherche (lookup.key) de l'ancien emplacement doit suivre ; relancez ensuite le service ici");
    Ok(Answer::Done)
}

fn wrong(file: &Path, why: impl std::fmt::Display) -> WrongUse {
    WrongUse::new(format!("{}: {why}", file.display()))
}

/// A whole state as the file tells it.
struct Section {
    header: Header,
    told: Told,
}

/// A section on its way: nothing of it counts before its end.
struct Reading {
    section: Section,
    /// The seq that must come next.
    next: u64,
    stated: Stated,
}

impl Reading {
    fn of(header: Header) -> Result<Self, String> {
        if header.content != Content::State {
            let problem = "it holds a log alone, which is no state; import what `export` writes without --log-only";
            return Err(problem.to_owned());
        }
        if header.schema > SCHEMA {
            let (territory, found) = (&header.territory, header.schema);
            return Err(format!(
                "{territory}: written in schema {found} by a newer version, and this one knows {SCHEMA} at most: nothing could \
                 be written there; import with the version that wrote it, or a later one"
            ));
        }
        if header.epoch == u64::MAX {
            return Err(format!("{}: its epoch cannot rise, which is no service's", header.territory));
        }
        let (next, stated) = (header.first_seq, Stated::of(header.territory.clone()));
        Ok(Self { section: Section { header, told: Told::default() }, next, stated })
    }

    fn row(&mut self, row: &Row) -> Result<(), String> {
        if let Row::Log(entry) = row {
            self.section.follows(self.next, entry.seq)?;
            self.next += 1;
        }
        self.section.told.note(row);
        self.stated.row(row);
        Ok(())
    }

    fn whole(self) -> Result<Section, String> {
        self.section.follows(self.next, self.section.header.last_seq + 1)?;
        self.section.fits(self.stated)?;
        Ok(self.section)
    }
}

/// Reads the whole file before anything is written: the sections asked for, all of the file sound and whole states.
fn verified(args: &Args) -> Result<Vec<Section>, WrongUse> {
    let file = &args.file;
    let (mut sections, mut reading): (Vec<Section>, Option<Reading>) = (Vec::new(), None);
    for item in archive::open(file).map_err(|error| wrong(file, error))? {
        match (item.map_err(|fault| wrong(file, fault))?, &mut reading) {
            (Item::Begin(header), _) => {
                if sections.iter().any(|known| known.header.territory == header.territory) {
                    return Err(wrong(file, format!("{} stands in it twice", header.territory)));
                }
                reading = Some(Reading::of(*header).map_err(|problem| wrong(file, problem))?);
            }
            (Item::Row(row), Some(reading)) => reading.row(&row).map_err(|problem| wrong(file, problem))?,
            (Item::End, _) => {
                let whole = reading.take().map(Reading::whole).transpose();
                sections.extend(whole.map_err(|problem| wrong(file, problem))?);
            }
            (Item::Row(_), None) => {}
        }
    }
    if sections.is_empty() {
        return Err(wrong(file, "it holds no territory"));
    }
    let known: Vec<String> = sections.iter().map(|section| section.header.territory.to_string()).collect();
    if let Some(missing) = args.territory.iter().find(|asked| !known.contains(&asked.to_string())) {
        return Err(wrong(file, format!("{missing} is not in it; it holds {}", known.join(", "))));
    }
    sections.retain(|section| args.territory.is_empty() || args.territory.contains(&section.header.territory));
    Ok(sections)
}

impl Section {
    /// Where the territory is to stand.
    fn head(&self) -> Head {
        let head = self.header.head();
        Head { epoch: head.epoch + 1, ..head }
    }

    /// Its log has every entry that its header speaks of.
    fn follows(&self, next: u64, seq: u64) -> Result<(), String> {
        if next == seq {
            return Ok(());
        }
        let Header { territory, first_seq, last_seq, .. } = &self.header;
        Err(format!(
            "{territory}: entry {next} of its log is missing or too many, its header says {first_seq} to {last_seq}: what \
             was acknowledged is not all there; export again from the store's last sound backup"
        ))
    }

    /// Its index entries and counters are there: a case that stands in no queue is a call that is lost.
    fn fits(&self, stated: Stated) -> Result<(), String> {
        let faults: Vec<_> = stated.faults().into_iter().filter(|fault| fault.loses).collect();
        let Some(first) = faults.first() else { return Ok(()) };
        Err(format!(
            "{}: {}: {} ({} fault(s) by which a call or a deadline would be lost; `sas-dispatch check` names them all): the \
             store it comes from is damaged; export from its last sound backup",
            self.header.territory,
            first.what,
            first.problem,
            faults.len()
        ))
    }

    fn imported(&self, already: bool) -> Imported {
        let Header { territory, last_seq, .. } = self.header.clone();
        Imported { territory, epoch: self.head().epoch, last_seq, rows: self.told.rows, already }
    }
}

/// Looks at every place before the first is filled. True for a territory that is here whole, as the file tells it: an
/// import that was broken off afterwards brought it.
async fn already(store: &dyn Portable, section: &Section, broken: Broken) -> Result<bool, WrongUse> {
    let territory = &section.header.territory;
    match (store.stands(territory).await, broken) {
        (Ok(None), _) => Ok(false),
        (Ok(Some(_)), Broken::Replace) if same(store, section).await? => Ok(true),
        (Ok(Some(_)), _) => {
            Err(WrongUse::new(format!("{territory} has state here already: import into an empty place")))
        }
        // A load that was broken off; the next one takes its place.
        (Err(_), Broken::Replace) => Ok(false),
        (Err(error), Broken::Refuse) => Err(WrongUse::new(error)),
    }
}

/// Fills the places of all sections save those that are here already.
async fn fill(
    store: &dyn Portable,
    file: &Path,
    sections: &[Section],
    here: &[TerritoryId],
    broken: Broken,
) -> Result<(), WrongUse> {
    let mut items = archive::open(file).map_err(|error| wrong(file, error))?;
    while let Some(item) = items.next() {
        let Item::Begin(header) = item.map_err(|fault| wrong(file, fault))? else { continue };
        let asked = sections.iter().find(|section| section.header.territory == header.territory);
        let Some(section) = asked.filter(|section| !here.contains(&section.header.territory)) else { continue };
        let territory = &section.header.territory;
        let mut load = store.load(territory, section.head(), broken).await.map_err(WrongUse::new)?;
        let mut rows = Vec::new();
        while let Some(Item::Row(row)) = items.next().transpose().map_err(|fault| wrong(file, fault))? {
            rows.push(*row);
            if rows.len() == MAX_ROWS {
                load.add(std::mem::take(&mut rows)).await.map_err(WrongUse::new)?;
            }
        }
        load.add(rows).await.map_err(WrongUse::new)?;
        load.finish().await.map_err(WrongUse::new)?;
        if !same(store, section).await? {
            let problem = "what was read back is not what the file holds; do not serve from this place";
            return Err(WrongUse::new(format!("{territory}: {problem}")));
        }
    }
    Ok(())
}

/// The digest of a territory's rows. Receipts are left out: they end by themselves while the rows are on their way.
#[derive(Default)]
struct Told {
    rows: u64,
    hash: Sha256,
}

impl Told {
    fn note(&mut self, row: &Row) {
        self.rows += 1;
        if !matches!(row, Row::Receipt(_)) {
            self.hash.update(format!("{row:?}\n"));
        }
    }
}

/// Whether what is here is what the file tells.
async fn same(store: &dyn Portable, section: &Section) -> Result<bool, WrongUse> {
    let mut dump = store.dump(&section.header.territory).await.map_err(WrongUse::new)?;
    let mut found = Told::default();
    let same_head = dump.as_ref().is_some_and(|dump| dump.head() == section.head());
    while let Some(dump) = &mut dump {
        match dump.next().await.map_err(WrongUse::new)? {
            Page::Rows(rows) => rows.iter().for_each(|row| found.note(row)),
            Page::End | Page::Moved => break,
        }
    }
    Ok(same_head && found.hash.finalize() == section.told.hash.clone().finalize())
}

//! `sas-dispatch import FILE`: an export becomes the state of an empty place, and nothing of it is different but the epoch.

use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Answer, Outcome, Shared, WrongUse, place::Place, say, say_json};
use crate::{
    archive::{self, Content, Header, Item},
    domain::ids::TerritoryId,
    store::{
        StoreError,
        dump::{Broken, Head, MAX_ROWS, Page, Portable, Row},
    },
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
    /// Throw away what an import that was broken off left here, once none is running
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
}

#[derive(Debug, Serialize)]
struct Document {
    file: PathBuf,
    territories: Vec<Imported>,
}

pub(super) fn run(args: &Args, shared: &Shared) -> Outcome {
    let config = shared.load()?;
    let sections = verified(&args.file)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(WrongUse::new)?;
    let territories = runtime.block_on(async {
        let store = args.place.open(&config, true).await?;
        for header in &sections {
            empty(&*store, &header.territory).await?;
        }
        let broken = if args.replace_broken { Broken::Replace } else { Broken::Refuse };
        fill(&*store, &args.file, broken).await
    })?;
    if args.json {
        say_json(&Document { file: args.file.clone(), territories });
        return Ok(Answer::Done);
    }
    for Imported { territory, epoch, last_seq, rows } in &territories {
        say(format!("{territory} : {rows} lignes reprises et relues, journal jusqu'à {last_seq}, époque {epoch}"));
    }
    say("la clé de recherche (lookup.key) de l'ancien emplacement doit suivre ; relancez ensuite le service ici");
    Ok(Answer::Done)
}

fn wrong(file: &Path, why: impl std::fmt::Display) -> WrongUse {
    WrongUse::new(format!("{}: {why}", file.display()))
}

/// Reads the whole file before anything is written: the sections it has, all of them sound and whole states.
fn verified(file: &Path) -> Result<Vec<Header>, WrongUse> {
    let mut headers: Vec<Header> = Vec::new();
    for item in archive::open(file).map_err(|error| wrong(file, error))? {
        if let Item::Begin(header) = item.map_err(|fault| wrong(file, fault))? {
            if header.content != Content::State {
                let problem = "it holds a log alone, which is no state; import what `export` writes without --log-only";
                return Err(wrong(file, problem));
            }
            if headers.iter().any(|known| known.territory == header.territory) {
                return Err(wrong(file, format!("{} stands in it twice", header.territory)));
            }
            headers.push(*header);
        }
    }
    if headers.is_empty() { Err(wrong(file, "it holds no territory")) } else { Ok(headers) }
}

async fn empty(store: &dyn Portable, territory: &TerritoryId) -> Result<(), WrongUse> {
    match store.read(territory, &[], None).await {
        Ok(snapshot) if snapshot.epoch > 0 => {
            Err(WrongUse::new(format!("{territory} has state here already: import into an empty place")))
        }
        // A load that was broken off is unreadable; the load itself says what to do about it.
        Ok(_) | Err(StoreError::Corrupt(_)) => Ok(()),
        Err(error) => Err(WrongUse::new(error)),
    }
}

async fn fill(store: &dyn Portable, file: &Path, broken: Broken) -> Result<Vec<Imported>, WrongUse> {
    let mut imported = Vec::new();
    let mut items = archive::open(file).map_err(|error| wrong(file, error))?;
    while let Some(item) = items.next() {
        let Item::Begin(header) = item.map_err(|fault| wrong(file, fault))? else { continue };
        let Header { territory, epoch, last_seq, .. } = (*header).clone();
        let head = Head { epoch: epoch + 1, ..header.head() };
        let mut load = store.load(&territory, head, broken).await.map_err(WrongUse::new)?;
        let (mut rows, mut told) = (Vec::new(), Told::default());
        while let Some(Item::Row(row)) = items.next().transpose().map_err(|fault| wrong(file, fault))? {
            told.note(&row);
            rows.push(*row);
            if rows.len() == MAX_ROWS {
                load.add(std::mem::take(&mut rows)).await.map_err(WrongUse::new)?;
            }
        }
        load.add(rows).await.map_err(WrongUse::new)?;
        load.finish().await.map_err(WrongUse::new)?;
        read_back(store, &territory, head, &told).await?;
        imported.push(Imported { territory, epoch: head.epoch, last_seq, rows: told.rows });
    }
    Ok(imported)
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

/// What was loaded is read again and must be what the file told.
async fn read_back(store: &dyn Portable, territory: &TerritoryId, head: Head, told: &Told) -> Result<(), WrongUse> {
    let mut dump = store.dump(territory).await.map_err(WrongUse::new)?;
    let mut found = Told::default();
    let same_head = dump.as_ref().is_some_and(|dump| dump.head() == head);
    while let Some(dump) = &mut dump {
        match dump.next().await.map_err(WrongUse::new)? {
            Page::Rows(rows) => rows.iter().for_each(|row| found.note(row)),
            Page::End | Page::Moved => break,
        }
    }
    if same_head && found.hash.finalize() == told.hash.clone().finalize() {
        return Ok(());
    }
    Err(WrongUse::new(format!(
        "{territory}: what was read back is not what the file holds; do not serve from this place"
    )))
}

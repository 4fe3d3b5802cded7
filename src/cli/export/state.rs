//! What a store holds: everything at one seq, or the log up to one.

use std::io::{self, Write};

use super::{Args, Out, Written};
use crate::{
    archive::{self, Content, Header},
    cli::WrongUse,
    clock::Clock,
    config::Config,
    domain::ids::TerritoryId,
    store::{
        MAX_PAGE, StoreError,
        dump::{Page, Portable, Row},
    },
};

/// How often a territory that is written meanwhile is read again.
const ATTEMPTS: u32 = 8;

/// Why a section was not written.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("the territory was written meanwhile")]
    Moved,
    #[error(
        "entry {0} of its log is missing or too many, its head says {1}: what was acknowledged is not all there; put the \
         store's last sound backup back"
    )]
    Lost(u64, u64),
}

pub(super) async fn write(args: &Args, config: &Config, out: &mut Out) -> Result<Vec<Written>, WrongUse> {
    let store = args.place.open(config, false).await?;
    let known = store.territories().await.map_err(WrongUse::new)?;
    let wanted = if args.territory.is_empty() { &known } else { &args.territory };
    if let Some(missing) = wanted.iter().find(|territory| !known.contains(territory)) {
        return Err(WrongUse::new(format!("{missing} has no state in this store; it holds {}", listed(&known))));
    }
    let mut all = Vec::new();
    for territory in wanted {
        all.push(territory_of(&*store, territory, args.log_only, out).await?);
    }
    Ok(all)
}

fn listed(known: &[TerritoryId]) -> String {
    if known.is_empty() {
        "none".to_owned()
    } else {
        known.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

async fn territory_of(
    store: &dyn Portable,
    territory: &TerritoryId,
    log_only: bool,
    out: &mut Out,
) -> Result<Written, WrongUse> {
    for _ in 0..ATTEMPTS {
        let written =
            out.section(async |lines| {
                if log_only { log(store, territory, lines).await } else { state(store, territory, lines).await }
            })
            .await;
        match written {
            Ok(written) => return Ok(written),
            Err(Stopped::Moved) => {}
            Err(stopped) => return Err(WrongUse::new(format!("{territory}: {stopped}"))),
        }
    }
    Err(WrongUse::new(format!(
        "{territory}: it was written during each of {ATTEMPTS} attempts to read it at one moment; stop the service (who \
         moves a site must), or take the log alone with --log-only"
    )))
}

async fn first_seq(store: &dyn Portable, territory: &TerritoryId, head: u64) -> Result<u64, StoreError> {
    Ok(store.log(territory, 0, 1).await?.first().map_or(head + 1, |entry| entry.seq))
}

async fn state(store: &dyn Portable, territory: &TerritoryId, out: &mut impl Write) -> Result<Written, Stopped> {
    let mut dump = store.dump(territory).await?.ok_or(Stopped::Moved)?;
    let head = dump.head();
    let first = first_seq(store, territory, head.seq).await?;
    let header = Header::new(territory.clone(), Content::State, head, (first, head.seq), Clock::System.now());
    let (mut section, mut next) = (archive::begin(out, &header)?, first);
    loop {
        match dump.next().await? {
            Page::Rows(rows) => {
                for row in rows {
                    if let Row::Log(entry) = &row {
                        if entry.seq != next {
                            return Err(hole(store, territory, next, head.seq).await);
                        }
                        next += 1;
                    }
                    section.row(&row)?;
                }
            }
            Page::End => break,
            Page::Moved => return Err(Stopped::Moved),
        }
    }
    reaches(first, next, head.seq)?;
    ended(section, &header)
}

/// The log that was read from `first` to before `next` is the one the head speaks of. A trim leaves the newest entry.
fn reaches(first: u64, next: u64, head: u64) -> Result<(), Stopped> {
    if next != head + 1 {
        return Err(Stopped::Lost(next, head));
    }
    if first > head && head > 0 { Err(Stopped::Lost(head, head)) } else { Ok(()) }
}

/// Why entry `next` is not where it should be: the log was trimmed between two pages, or has lost it.
async fn hole(store: &dyn Portable, territory: &TerritoryId, next: u64, head: u64) -> Stopped {
    match first_seq(store, territory, head).await {
        Ok(first) if first > next => Stopped::Moved,
        Ok(_) => Stopped::Lost(next, head),
        Err(error) => error.into(),
    }
}

async fn log(store: &dyn Portable, territory: &TerritoryId, out: &mut impl Write) -> Result<Written, Stopped> {
    let at = store.stands(territory).await?.ok_or(Stopped::Moved)?;
    let first = first_seq(store, territory, at.seq).await?;
    let header = Header::new(territory.clone(), Content::Log, at, (first, at.seq), Clock::System.now());
    let (mut section, mut next) = (archive::begin(out, &header)?, first);
    while next <= at.seq {
        let entries = store.log(territory, next - 1, MAX_PAGE).await?;
        if entries.first().is_none_or(|entry| entry.seq != next) {
            return Err(hole(store, territory, next, at.seq).await);
        }
        for entry in entries.into_iter().filter(|entry| entry.seq <= at.seq) {
            next = entry.seq + 1;
            section.row(&Row::Log(entry))?;
        }
    }
    reaches(first, next, at.seq)?;
    ended(section, &header)
}

fn ended<W: Write>(section: archive::Section<W>, header: &Header) -> Result<Written, Stopped> {
    let (_, rows) = section.end()?;
    let Header { territory, epoch, first_seq, last_seq, .. } = header.clone();
    Ok(Written { territory, epoch, first_seq, last_seq, rows })
}

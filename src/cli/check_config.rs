//! `sas-dispatch check-config`: every fault of the configuration at once, for CI and for a change board.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Answer, Outcome, Shared, say, say_json};
use crate::{
    config::{Config, DEFAULT_DIR, Fault, Ground},
    domain::{ids::TerritoryId, regulation::protocols::Seal, territory::DatedProtocol},
};

/// Arguments of `check-config`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// The document of `--json`.
#[derive(Serialize)]
struct Document {
    config: PathBuf,
    ok: bool,
    territories: Vec<Row>,
    faults: Vec<Fault>,
}

#[derive(Serialize)]
struct Row {
    territory: TerritoryId,
    name: String,
    version: String,
    digest: String,
    communes: usize,
    sectors: usize,
    responders: usize,
    protocols: Vec<Sealed>,
    triage_protocols: usize,
    /// Triage protocols without a committee's signature on what they say now: off, outside the demo.
    triage_protocols_off: Vec<String>,
}

/// A protocol of D6311-35, and whether it applies.
#[derive(Serialize)]
struct Sealed {
    name: String,
    digest: String,
    signed: bool,
}

pub(super) fn run(args: &Args, shared: &Shared) -> Outcome {
    let dir = shared.config.clone().unwrap_or_else(|| DEFAULT_DIR.into());
    let (territories, faults) = match Config::load(&dir) {
        Ok(config) => (config.territories.values().map(|ground| row(ground)).collect(), Vec::new()),
        Err(faults) => (Vec::new(), faults.0),
    };
    let document = Document { config: dir.clone(), ok: faults.is_empty(), territories, faults };
    if args.json {
        say_json(&document);
    } else {
        say(words(&dir, &document));
    }
    Ok(if document.ok { Answer::Done } else { Answer::No })
}

fn row((territory, directory): &Ground) -> Row {
    Row {
        territory: territory.id.clone(),
        name: territory.name.clone(),
        version: territory.version.name.clone(),
        digest: territory.version.digest.clone(),
        communes: territory.communes.len(),
        sectors: territory.sectors.names.len(),
        responders: directory.len(),
        protocols: territory.regulation.protocols.iter().map(sealed).collect(),
        triage_protocols: territory.book.protocols().len(),
        triage_protocols_off: territory.book.off_codes(),
    }
}

fn sealed(dated: &DatedProtocol) -> Sealed {
    let digest = dated.protocol.digest(dated.from, dated.to);
    Sealed { name: dated.protocol.name.clone(), digest, signed: matches!(dated.seal, Seal::Signed(_)) }
}

fn words(dir: &Path, document: &Document) -> String {
    if !document.ok {
        let faults: Vec<_> = document.faults.iter().map(ToString::to_string).collect();
        return format!("{}\n{} faute(s) dans {}", faults.join("\n"), faults.len(), dir.display());
    }
    let mut lines = vec![format!("{} : aucune faute", dir.display())];
    lines.extend(document.territories.iter().map(|row| {
        let signed = row.protocols.iter().filter(|protocol| protocol.signed).count();
        format!(
            "{} {} (règles {}) : {} communes, {} secteurs, {} effecteurs, {} protocole(s) D6311-35 dont {signed} signé(s), {} \
             protocoles de tri dont {} éteints faute de signature",
            row.territory,
            row.name,
            row.version,
            row.communes,
            row.sectors,
            row.responders,
            row.protocols.len(),
            row.triage_protocols,
            row.triage_protocols_off.len(),
        )
    }));
    lines.join("\n")
}

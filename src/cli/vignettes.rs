//! `sas-dispatch vignettes FILE`: the protocols over clinical vignettes, and how often they say less or more than expected.
//!
//! Protocols propose here whether signed or not, and the ones that are not signed are named: this is how a committee sees
//! what it would sign.

mod age;
mod print;
mod read;

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde::Serialize;

use super::{Answer, Outcome, Shared, WrongUse, say_json};
use crate::domain::{
    ids::TerritoryId,
    regulation::{
        protocols::{Book, Fired, Proposal, propose},
        qualification::Priority,
    },
};
use read::{Unread, Vignette};

/// Arguments of `vignettes`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// JSON lines: {"id", "age", "sex", "motive", "answers", "expected"}; age in years or as P3M, answers by question code
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// With the protocols of this territory, its own among them [default: the national ones]
    #[arg(long, value_name = "ID")]
    territory: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// The levels a vignette can expect, the most urgent first.
pub(super) const LEVELS: [Priority; 4] = [Priority::P0, Priority::P1, Priority::P2, Priority::P3];

/// The document of `--json`; the order of the keys is part of it.
#[derive(Debug, Serialize)]
pub(super) struct Document {
    /// Whose protocols; none: the national ones.
    territory: Option<TerritoryId>,
    vignettes: usize,
    agreement_share: Option<f64>,
    under_triage_share: Option<f64>,
    under_triage_interval_95: Option<[f64; 2]>,
    over_triage_share: Option<f64>,
    over_triage_interval_95: Option<[f64; 2]>,
    /// By expected level, then by proposed level.
    confusion: serde_json::Value,
    /// Under-triaged vignettes that were expected P0 or P1.
    under_triaged_urgent: Vec<String>,
    unsigned_protocols: BTreeSet<String>,
    errors: Vec<Unread>,
    results: Vec<Judged>,
}

/// One vignette, judged.
#[derive(Debug, Serialize)]
pub(super) struct Judged {
    id: String,
    motive: String,
    expected: &'static str,
    proposed: &'static str,
    /// `agree`, `under` or `over`.
    verdict: &'static str,
    stream: &'static str,
    rule: RuleEntry,
    red_flags: Vec<RuleEntry>,
    unanswered: Vec<String>,
}

#[derive(Debug, Serialize)]
struct RuleEntry {
    protocol: String,
    version: String,
    rule: String,
    priority: &'static str,
    reason: String,
}

pub(super) fn run(args: &Args, shared: &Shared) -> Outcome {
    let (territory, book) = shared.book(args.territory.as_deref())?;
    let book = Book::clone(&book).with_unsigned();
    let text = fs::read_to_string(&args.file)
        .map_err(|error| WrongUse::new(format!("{}: {error}; name a file of vignettes", args.file.display())))?;
    let (vignettes, errors) = read::all(&text, &book);
    if vignettes.is_empty() {
        let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
        let file = args.file.display();
        return Err(WrongUse::new(format!("{file}: no vignette in it can be judged\n{}", told.join("\n"))));
    }
    let document = Document { territory, ..judged(&book, vignettes, errors) };
    if args.json {
        say_json(&document);
    } else {
        print::words(&document);
    }
    Ok(if document.errors.is_empty() { Answer::Done } else { Answer::No })
}

fn judged(book: &Book, vignettes: Vec<Vignette>, errors: Vec<Unread>) -> Document {
    let mut unsigned = BTreeSet::new();
    let mut counts = [[0_usize; 4]; 4];
    let mut urgent = Vec::new();
    let mut results = Vec::new();
    for vignette in vignettes {
        let proposal = propose(book, &vignette.subject, &vignette.motive, &vignette.answers);
        unsigned.extend(proposal.unsigned.iter().cloned());
        counts[place(vignette.expected)][place(proposal.priority)] += 1;
        let result = result(vignette, proposal);
        if result.verdict == "under" && matches!(result.expected, "P0" | "P1") {
            urgent.push(result.id.clone());
        }
        results.push(result);
    }
    let of = |verdict: &str| results.iter().filter(|result| result.verdict == verdict).count();
    let (all, under, over) = (results.len(), of("under"), of("over"));
    Document {
        territory: None,
        vignettes: all,
        agreement_share: share(all - under - over, all),
        under_triage_share: share(under, all),
        under_triage_interval_95: wilson(under, all),
        over_triage_share: share(over, all),
        over_triage_interval_95: wilson(over, all),
        confusion: confusion(&counts),
        under_triaged_urgent: urgent,
        unsigned_protocols: unsigned,
        errors,
        results,
    }
}

fn place(priority: Priority) -> usize {
    LEVELS.iter().position(|level| *level == priority).unwrap_or(LEVELS.len() - 1)
}

fn result(vignette: Vignette, proposal: Proposal) -> Judged {
    let entry = |fired: Fired| RuleEntry {
        protocol: fired.protocol,
        version: fired.version,
        rule: fired.rule,
        priority: fired.priority.code(),
        reason: fired.reason,
    };
    let verdict = match place(proposal.priority).cmp(&place(vignette.expected)) {
        std::cmp::Ordering::Greater => "under",
        std::cmp::Ordering::Equal => "agree",
        std::cmp::Ordering::Less => "over",
    };
    Judged {
        id: vignette.id,
        motive: vignette.motive,
        expected: vignette.expected.code(),
        proposed: proposal.priority.code(),
        verdict,
        stream: proposal.stream.code(),
        rule: entry(proposal.rule),
        red_flags: proposal.red_flags.into_iter().map(entry).collect(),
        unanswered: proposal.unanswered,
    }
}

fn confusion(counts: &[[usize; 4]; 4]) -> serde_json::Value {
    let row = |row: &[usize; 4]| {
        let cells = LEVELS.iter().zip(row).map(|(level, count)| (level.code().to_owned(), (*count).into()));
        serde_json::Value::Object(cells.collect())
    };
    let rows = LEVELS.iter().zip(counts).map(|(level, counts)| (level.code().to_owned(), row(counts)));
    serde_json::Value::Object(rows.collect())
}

fn share(part: usize, all: usize) -> Option<f64> {
    (all > 0).then(|| rounded(part as f64 / all as f64))
}

/// The 95 % interval of a share by Wilson's score, which stays within 0 and 1 and holds for few cases.
fn wilson(part: usize, all: usize) -> Option<[f64; 2]> {
    const Z: f64 = 1.959_964;
    if all == 0 {
        return None;
    }
    let (n, share) = (all as f64, part as f64 / all as f64);
    let centre = share + Z * Z / (2.0 * n);
    let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    Some([((centre - spread) / scale).max(0.0), ((centre + spread) / scale).min(1.0)].map(rounded))
}

/// Four digits are more than a few hundred vignettes can tell.
fn rounded(share: f64) -> f64 {
    (share * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_wilsons() {
        // Brown, Cai, DasGupta (2001), and by hand: 0 of 20 and 3 of 20.
        assert_eq!(wilson(0, 20), Some([0.0, 0.1611]));
        assert_eq!(wilson(3, 20), Some([0.0524, 0.3604]));
        assert_eq!((wilson(0, 0), share(1, 4)), (None, Some(0.25)));
    }
}

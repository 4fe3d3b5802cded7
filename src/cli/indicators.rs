//! `sas-dispatch indicators`: indicators and the reports on independence, counted from exported logs or asked of a service.

mod asked;
mod counted;
mod rows;

use std::{net::SocketAddr, path::PathBuf};

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::{Answer, Outcome, Shared, WrongUse, say, say_json};
use crate::{
    domain::{
        ids::{PersonId, TerritoryId},
        regulation::qualification::{Priority, Stream},
    },
    grpc::{convert::codes::Coded, pb},
};

use rows::{Cell, Table};

/// Arguments of `indicators`.
///
/// A case counts on the local day on which its request arrived. From logs, all their days are counted unless some are named;
/// a service is asked for today.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files of `sas-dispatch export` and of the archive, in any order
    #[arg(long = "log", num_args = 1.., value_name = "FILE", required_unless_present = "address", conflicts_with = "address")]
    files: Vec<PathBuf>,
    /// Ask the service on this address instead
    #[arg(long, value_name = "IP:PORT", requires = "territory")]
    address: Option<SocketAddr>,
    /// Who asks the service, as a supervisor
    #[arg(long, value_name = "ID", default_value = "cadre")]
    person: PersonId,
    /// Only this territory [default: the one there is]
    #[arg(long, value_name = "ID")]
    territory: Option<TerritoryId>,
    /// First local day
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<NaiveDate>,
    /// Last local day, included
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Option<NaiveDate>,
    /// Only cases of this stream: AMU, SNP, PSY, NEONAT
    #[arg(long, value_name = "CODE")]
    stream: Option<Stream>,
    /// Only cases of this priority: P0, P1, P2, P3, NR
    #[arg(long, value_name = "CODE")]
    priority: Option<Priority>,
    /// What is reported
    #[arg(long, value_enum, default_value_t = Report::Figures)]
    report: Report,
    /// Print comma-separated values
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Which report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Report {
    /// Calls, waits, decisions, by day
    Figures,
    /// Answers that differ from their need, by SUPPLY reason, sector and hour
    Unmet,
    /// Each regulator's shares beside those of all others, by the affiliation of who took his decisions
    Regulators,
    /// Who may respond to cases he regulated, and how often that was used
    Exceptions,
}

/// The answer to one report, from wherever it came.
enum Reply {
    Figures(Box<pb::GetIndicatorsResponse>),
    Unmet(pb::GetUnmetNeedsResponse),
    Regulators(pb::CompareRegulatorsResponse),
    Exceptions(pb::ListIndependenceExceptionsResponse),
}

impl Args {
    fn selection(&self) -> pb::DaySelection {
        let text = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
        pb::DaySelection {
            from_date: text(self.from.or(self.to)),
            to_date: text(self.to.or(self.from)),
            stream: self.stream.map_or(0, Coded::wire),
            priority: self.priority.map_or(0, Coded::wire),
        }
    }
}

pub(super) fn run(args: &Args, shared: &Shared) -> Outcome {
    let all_cases = matches!(args.report, Report::Regulators | Report::Exceptions);
    if all_cases && (args.stream.is_some() || args.priority.is_some()) {
        return Err(WrongUse::new("this report counts all cases: leave --stream and --priority out"));
    }
    if args.from.zip(args.to).is_some_and(|(from, to)| to < from) {
        return Err(WrongUse::new("--to must not lie before --from"));
    }
    let (territory, reply, notes) = match args.address {
        Some(address) => {
            let (territory, reply) = asked::ask(args, address)?;
            (territory, reply, Vec::new())
        }
        None => counted::count(args, shared)?,
    };
    let mut table = match &reply {
        Reply::Figures(reply) => rows::figures(reply),
        Reply::Unmet(reply) => rows::unmet(reply),
        Reply::Regulators(reply) => rows::regulators(reply),
        Reply::Exceptions(reply) => rows::exceptions(reply),
    };
    table.notes.extend(notes);
    match (args.csv, args.json) {
        (true, _) => say(csv(&table).trim_end()),
        (_, true) => say_json(&document(&territory, args.report, &table)),
        _ => say(text(&territory, &table).trim_end()),
    }
    Ok(Answer::Done)
}

fn csv(table: &Table) -> String {
    let quoted = |cell: &Cell| {
        let text = cell.text();
        if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
    };
    let mut lines = vec![table.columns.join(",")];
    lines.extend(table.rows.iter().map(|row| row.iter().map(quoted).collect::<Vec<_>>().join(",")));
    // Whoever opens the file alone reads the notes beside the numbers.
    let between = ",".repeat(table.columns.len() - 1);
    lines.extend(table.notes.iter().map(|note| format!("note{between}\"{}\"", note.replace('"', "\"\""))));
    lines.join("\n")
}

fn document(territory: &TerritoryId, report: Report, table: &Table) -> Value {
    let row = |row: &Vec<Cell>| -> Value {
        table.columns.iter().zip(row).map(|(name, cell)| ((*name).to_owned(), cell.json())).collect()
    };
    let name = match report {
        Report::Figures => "figures",
        Report::Unmet => "unmet",
        Report::Regulators => "regulators",
        Report::Exceptions => "exceptions",
    };
    let rows: Vec<Value> = table.rows.iter().map(row).collect();
    json!({ "territory": territory, "report": name, "notes": table.notes, "rows": rows })
}

fn text(territory: &TerritoryId, table: &Table) -> String {
    let widths: Vec<usize> = (0..table.columns.len())
        .map(|at| {
            let cells = table.rows.iter().map(|row| row[at].text().chars().count());
            cells.chain([table.columns[at].chars().count()]).max().unwrap_or_default()
        })
        .collect();
    let line = |cells: Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![territory.to_string(), line(table.columns.iter().map(|name| (*name).to_owned()).collect())];
    lines.extend(table.rows.iter().map(|row| line(row.iter().map(Cell::text).collect())));
    lines.extend(table.notes.iter().map(|note| format!("— {note}")));
    lines.join("\n")
}

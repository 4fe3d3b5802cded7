//! The command line: each subcommand is a file here and a client of what stands below.
//!
//! A new subcommand is a file with `pub struct Args` (clap) and `pub fn run(&Args, &Shared) -> Outcome`, and one line in
//! [`Command`] and one in [`Command::run`]. Each prints text for people (French) or, with `--json`, one stable document.
//! Exit status: 0 done, 1 the answer is no, 2 wrong use.

mod calendar;
mod check;
mod check_config;
mod demo;
mod explain;
mod export;
mod extract;
mod french;
mod import;
mod indicators;
mod logs;
mod place;
mod protocols;
mod relay;
mod replay;
mod restore;
mod scratch;
mod serve;
mod stop;
mod vignettes;

use std::{
    fmt::Display,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use clap::{Parser, Subcommand};
use serde::Serialize;

use crate::{
    config::Config,
    domain::{ids::TerritoryId, regulation::protocols::Book},
};

/// Regulated unscheduled care: calls in, medical regulation, own GP, SAS slot or SOS Médecins visit out.
#[derive(Debug, Parser)]
#[command(name = "sas-dispatch", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    shared: Shared,
    #[command(subcommand)]
    command: Command,
}

/// What every subcommand takes.
#[derive(Debug, clap::Args)]
pub struct Shared {
    /// Configuration folder [default: ./config, or what is shipped where there is none]
    #[arg(long, global = true, value_name = "DIR")]
    pub config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service until it is asked to stop (Ctrl-C or SIGTERM)
    Serve(serve::Args),
    /// Play a real day through gRPC in a store that is thrown away, and print what came of it
    Demo(demo::Args),
    /// Open messages of other systems in a store that is thrown away, and say where each would go and why
    Replay(replay::Args),
    /// Say where requests would go and why, from the published hours alone; nothing is opened or changed
    Explain(explain::Args),
    /// Say which legal period it is in a territory at an instant, and when it next changes
    Calendar(calendar::Args),
    /// Write a site's state, its log or its archive as JSON lines, checked and complete; holds patient data
    Export(export::Args),
    /// Make an export the state of an empty place: from embedded to Redis and back, without a difference
    Import(import::Args),
    /// Tell an exported log again: every second in which a case had no owner, a slot was double, a deadline was silent
    Check(check::Args),
    /// Indicators of exported logs or of a running service: by day, as CSV or JSON; unmet needs; regulators compared
    Indicators(indicators::Args),
    /// Print the hand-over between two shifts of a running service on one page, as text or HTML
    Relay(relay::Args),
    /// Write the anonymised extract of a day from an exported log: counts without a person, small cells hidden
    ///
    /// Each run over a day is a release of its own: whoever has two of one day that differ (other columns, a log that goes
    /// on, the file that the service itself wrote) may single a patient out by subtraction. Give out one, never both.
    Extract(extract::Args),
    /// Go on after a backup was put back: lists what is missing and begins another epoch
    Restore(restore::Args),
    /// List the triage protocols: questions with their codes, red flags, sources, and who has signed
    Protocols(protocols::Args),
    /// Run the triage protocols over clinical vignettes and say how often they propose less, or more, than expected
    Vignettes(vignettes::Args),
    /// Check the configuration: every fault at once, with file and line
    CheckConfig(check_config::Args),
}

impl Command {
    fn run(&self, shared: &Shared) -> Outcome {
        match self {
            Self::Serve(args) => serve::run(args, shared),
            Self::Demo(args) => demo::run(args, shared),
            Self::Replay(args) => replay::run(args, shared),
            Self::Explain(args) => explain::run(args, shared),
            Self::Calendar(args) => calendar::run(args, shared),
            Self::Export(args) => export::run(args, shared),
            Self::Import(args) => import::run(args, shared),
            Self::Check(args) => check::run(args, shared),
            Self::Indicators(args) => indicators::run(args, shared),
            Self::Relay(args) => relay::run(args, shared),
            Self::Extract(args) => extract::run(args, shared),
            Self::Restore(args) => restore::run(args, shared),
            Self::Protocols(args) => protocols::run(args, shared),
            Self::Vignettes(args) => vignettes::run(args, shared),
            Self::CheckConfig(args) => check_config::run(args, shared),
        }
    }
}

/// What a subcommand came to: done, "no", or wrong use with what to do about it.
pub type Outcome = Result<Answer, WrongUse>;

/// The answer of a subcommand that was used rightly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Done: exit status 0.
    Done,
    /// The answer is no: exit status 1.
    No,
}

/// Wrong use: the message goes to standard error, the exit status is 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongUse(String);

impl WrongUse {
    /// With a message that names the argument and what to do.
    pub fn new(problem: impl Display) -> Self {
        Self(problem.to_string())
    }
}

impl Shared {
    /// The configuration that `--config` names, or `./config`, or the shipped settings.
    ///
    /// # Errors
    /// Wrong use, with every fault.
    pub fn load(&self) -> Result<Config, WrongUse> {
        Config::load_or_shipped(self.config.as_deref())
            .map_err(|faults| WrongUse(format!("the configuration has faults:\n{faults}")))
    }

    /// The triage protocols and whose they are: the national ones, or those of a territory with its own among them.
    fn book(&self, territory: Option<&str>) -> Result<(Option<TerritoryId>, Arc<Book>), WrongUse> {
        let config = self.load()?;
        let Some(asked) = territory else { return Ok((None, config.book)) };
        let known = config.territories.iter().find(|(id, _)| id.as_str().eq_ignore_ascii_case(asked));
        known.map(|(id, ground)| (Some(id.clone()), ground.0.book.clone())).ok_or_else(|| {
            let known: Vec<_> = config.territories.keys().map(ToString::to_string).collect();
            let known = if known.is_empty() { "aucun".to_owned() } else { known.join(", ") };
            WrongUse::new(format!(
                "--territory : aucun dossier de ce nom dans la configuration ; territoires : {known}"
            ))
        })
    }
}

/// Parses the command line and runs the subcommand.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match cli.command.run(&cli.shared) {
        Ok(Answer::Done) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Err(wrong) => {
            eprintln!("sas-dispatch: {}", wrong.to_string().trim_end());
            ExitCode::from(2)
        }
    }
}

/// Prints one line. A reader that went away (a closed pipe) is no fault of ours.
pub fn say(line: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Prints one JSON document.
pub fn say_json(document: &impl Serialize) {
    say(serde_json::to_string_pretty(document).expect("documents of the command line have text keys only"));
}

//! The command line of the harness.

use std::path::PathBuf;

use crate::{ground::Topology, plant::Plant};

/// How it is used.
pub const USAGE: &str = "\
tests/chaos --topology single|sentinel|cluster --seconds N [--seed S] [--json] [--history FILE]
            [--faults NAME,NAME,…] [--plant drop|unflushed|twice]

Starts three instances of the service on real servers, plays people on them, torments everything, and checks that nothing
acknowledged was lost. Exit status 0: nothing was; 1: a violation; 2: wrong use, or the site did not start.
--history keeps what every client saw, one JSON document a line (without it: only of a run that failed).
--faults makes only these, for whoever looks into one of them.
--plant makes the store lie once, to see the checker catch it. Without --topology the checker tests itself.";

/// What is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub topology: Topology,
    pub seconds: u64,
    pub seed: u64,
    pub json: bool,
    pub history: Option<PathBuf>,
    /// Only these faults; all when it is empty.
    pub faults: Vec<String>,
    pub plant: Option<Plant>,
}

impl Run {
    /// How long people work and faults are made, microseconds.
    pub fn load_us(&self) -> u64 {
        self.seconds * 1_000_000
    }
}

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    Run(Run),
    /// The checker's own tests: what `cargo test` runs.
    SelfTest,
    /// A test filter that names none of them, or a list of tests.
    Nothing,
    Help,
}

/// Reads the arguments, program name left out.
pub fn read(arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
    let (json, history, faults, plant) = Default::default();
    let mut run = Run { topology: Topology::Single, seconds: 60, seed: 1, json, history, faults, plant };
    let (mut named, mut filtered) = (false, false);
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        };
        let mut value = || inline.clone().or_else(|| arguments.next()).ok_or(format!("{name} needs a value"));
        match name.as_str() {
            "--topology" => {
                run.topology = one_of(&value()?, &Topology::ALL, "--topology")?;
                named = true;
            }
            "--seconds" => run.seconds = number(&value()?, "--seconds")?.max(1),
            "--seed" => run.seed = number(&value()?, "--seed")?,
            "--history" => run.history = Some(value()?.into()),
            "--faults" => run.faults = value()?.split(',').map(str::to_owned).collect(),
            "--plant" => run.plant = Some(one_of(&value()?, &Plant::ALL, "--plant")?),
            "--json" => run.json = true,
            "--help" | "-h" => return Ok(Asked::Help),
            "--list" => filtered = true,
            // What `cargo test` hands to every test program.
            known if known.starts_with('-') => {
                if !["--nocapture", "--quiet", "-q", "--exact", "--test-threads", "--include-ignored"].contains(&known)
                {
                    return Err(format!("{known} is not known"));
                }
            }
            _ => filtered = true,
        }
    }
    Ok(match (named, filtered) {
        (true, _) => Asked::Run(run),
        (false, true) => Asked::Nothing,
        (false, false) => Asked::SelfTest,
    })
}

fn number(text: &str, name: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{name}: expected a whole number"))
}

fn one_of<T: Copy>(text: &str, all: &[(&str, T)], name: &str) -> Result<T, String> {
    let known = all.iter().find(|(known, _)| *known == text).map(|(_, value)| *value);
    let names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
    known.ok_or_else(|| format!("{name}: expected {}", names.join(" or ")))
}

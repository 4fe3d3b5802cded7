//! `sas-dispatch demo`: a real day, played through gRPC.
//!
//! The service runs in this process with its embedded store; telephone exchange, assistants, regulating doctors,
//! coordinators, practices, visiting doctors and back office are clients over loopback TCP, and there is no other door.
//! Chance comes from the seed alone: the same day and seed give the same figures.

mod acts;
mod agenda;
mod callers;
mod cases;
mod coordinators;
mod curve;
mod desk;
mod dice;
mod figures;
mod front;
mod notice;
mod play;
mod policy;
mod quantiles;
mod regulators;
mod room;
mod screens;
mod staff;
mod supply;
mod table;
mod tally;
mod told;
mod triage;
mod verdict;
mod visitors;
mod wants;
mod wire;

use std::path::PathBuf;

use chrono::NaiveDate;

use super::{Answer, Outcome, Shared, WrongUse, say, say_json, stop};
use figures::Document;
use policy::{Both, Policy};

/// The territory that is played.
const TERRITORY: &str = "fr-67";

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Day to play: 2024-12-26 is a public holiday in Bas-Rhin, 2024-12-19 an ordinary Thursday
    #[arg(long, value_name = "YYYY-MM-DD", default_value = "2024-12-26")]
    date: NaiveDate,
    /// Hours in which calls arrive
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=24))]
    hours: u32,
    /// Hour of the day at which the play begins
    #[arg(long, value_name = "H", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=23))]
    from: u32,
    /// Where chance comes from: the same seed gives the same figures
    #[arg(long, value_name = "N", default_value_t = 67)]
    seed: u64,
    /// Who decides what is needed
    #[arg(long, value_enum, default_value_t = Policy::Independent)]
    policy: Policy,
    /// Keep the store in this empty folder; of two days each in a folder of its own in it
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, shared: &Shared) -> Outcome {
    play::playable(args.date)?;
    let config = shared.load()?;
    eprintln!("sas-dispatch: démonstration : les protocoles non signés par un comité y proposent aussi");
    // One thread: everybody takes turns anyway, and nobody waits for another thread to wake.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(WrongUse::new)?;
    let days = async {
        let independent = play::play(args, Policy::Independent, config.clone()).await?;
        match args.policy {
            Policy::Independent => Ok(Played::One(Box::new(independent))),
            Policy::ResponderDecides => {
                let other = play::play(args, Policy::ResponderDecides, config).await?;
                Ok(Played::Both(Box::new(Both::of(independent, other))))
            }
        }
    };
    let played = match runtime.block_on(stop::unless_asked(days)).map_err(WrongUse::new)? {
        Some(Ok(played)) => played,
        None => {
            eprintln!("sas-dispatch: interrompu");
            return Ok(Answer::No);
        }
        Some(Err(play::Stopped::Use(wrong))) => return Err(wrong),
        Some(Err(play::Stopped::Fault(fault))) => {
            eprintln!("sas-dispatch: la journée n'a pas pu être jouée jusqu'au bout : {fault}");
            return Ok(Answer::No);
        }
    };
    played.print(args.json);
    Ok(if played.clean() { Answer::Done } else { Answer::No })
}

/// One day, or two over the same demand.
enum Played {
    One(Box<Document>),
    Both(Box<Both>),
}

impl Played {
    fn clean(&self) -> bool {
        match self {
            Self::One(document) => document.check.clean(),
            Self::Both(both) => both.clean(),
        }
    }

    fn print(&self, json: bool) {
        match (self, json) {
            (Self::One(document), true) => say_json(document),
            (Self::One(document), false) => say(table::table(document).trim_end()),
            (Self::Both(both), true) => say_json(both),
            (Self::Both(both), false) => {
                say(table::table(&both.independent).trim_end());
                say("\nLA MÊME JOURNÉE, CHAQUE EFFECTEUR DÉCIDE");
                say(table::table(&both.responder_decides).trim_end());
                say(both.table());
            }
        }
    }
}

//! `sas-dispatch explain FILE`: where each request of a file would go and why, on the configured territory.
//!
//! Nothing is opened, stored or changed. Only what the directory publishes is known here (who there is, hours, absences):
//! live slots and duty rosters belong to a running service, so their sources are said to be not connected.

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde::Serialize;

use super::{Answer, Outcome, Shared, WrongUse, calendar::instant, french::moment, say, say_json};
use crate::{
    config::{Config, Ground},
    domain::{
        calendar::{Legal, local},
        case::state::Patient,
        regulation::need::Need,
        routing::{Plan, Problem, Supply, explain_french, plan, sources_french},
        time::Instant,
    },
    interop::{
        fault::{Fault, Limits},
        incoming::IncomingCase,
        intake,
        messages::messages,
    },
};

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A message RS-EDA (JSON), a request line, or NDJSON of both
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Plan at this instant in RFC 3339 instead of when each request was received
    #[arg(long, value_name = "RFC3339")]
    at: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// A request and where it would go.
struct Planned {
    /// The period of the law, within the years the calendar answers for.
    legal: Option<Legal>,
    need: Need,
    /// `None` when the need is met without a responder.
    plan: Option<Plan>,
}

/// The document of `--json`; the order of the keys is part of it.
#[derive(Serialize)]
struct Document {
    messages: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    place: String,
    faults: Vec<String>,
    warnings: Vec<String>,
    #[serde(flatten)]
    explained: Option<Explained>,
}

#[derive(Serialize)]
struct Explained {
    territory: String,
    at: String,
    period: Option<&'static str>,
    need: NeedEntry,
    plan: Option<Plan>,
    explanation: Vec<String>,
    sources: Vec<String>,
    #[serde(skip)]
    head: Vec<String>,
}

#[derive(Serialize)]
struct NeedEntry {
    care_type: &'static str,
    level: &'static str,
    longest_delay: &'static str,
    /// It stood in the request; otherwise it is assumed.
    signed: bool,
}

pub(super) fn run(args: &Args, shared: &Shared) -> Outcome {
    let config = shared.load()?;
    let at = args.at.as_deref().map(|at| instant(Some(at))).transpose()?.map(|(at, _)| at);
    let bytes = fs::read(&args.file)
        .map_err(|error| WrongUse::new(format!("{}: {error}; name a file of requests", args.file.display())))?;
    let entries: Vec<_> = messages(&bytes, &Limits::DEFAULT)
        .into_iter()
        .map(|(place, decoded)| entry(&config, place.to_string(), decoded, at))
        .collect();
    let refused = entries.iter().any(|entry| entry.explained.is_none());
    if args.json {
        say_json(&Document { messages: entries });
    } else {
        entries.iter().for_each(print);
    }
    Ok(if refused { Answer::No } else { Answer::Done })
}

fn entry(config: &Config, place: String, decoded: Result<IncomingCase, Vec<Fault>>, at: Option<Instant>) -> Entry {
    let refused = |faults| Entry { place: place.clone(), faults, warnings: Vec::new(), explained: None };
    let incoming = match decoded {
        Ok(incoming) => incoming,
        Err(faults) => return refused(faults.iter().map(ToString::to_string).collect()),
    };
    let ground = match config.territory(&incoming.territory) {
        Ok(ground) => ground,
        Err(unknown) => return refused(vec![unknown.to_string()]),
    };
    let at = at.unwrap_or(incoming.received);
    let warnings = incoming.warnings.iter().map(ToString::to_string).collect();
    let explained = explained(&incoming, &ground, at, planned(&incoming, &ground, at));
    Entry { place, faults: Vec::new(), warnings, explained: Some(explained) }
}

/// Plans for the first patient of a request, as nobody regulated it and nobody was asked yet.
fn planned(incoming: &IncomingCase, (territory, directory): &Ground, at: Instant) -> Planned {
    let need = intake::need(incoming);
    let known = intake::open(incoming, territory, at).particulars;
    let first = known.patients.into_iter().next().map(|(patient, _)| patient);
    let problem = Problem {
        now: at,
        territory,
        directory,
        need: &need,
        signed_at: at,
        care: need.care,
        patient: &first.unwrap_or(Patient { number: 1, ..Patient::default() }),
        place: &known.place.unwrap_or_default(),
        regulators: &BTreeSet::new(),
        tried: Vec::new(),
        supply: &Supply::default(),
    };
    let plan = need.care.needs_supply().then(|| plan(&problem));
    Planned { legal: territory.period_at(at).ok(), need, plan }
}

fn explained(incoming: &IncomingCase, ground: &Ground, at: Instant, planned: Planned) -> Explained {
    let (territory, directory) = ground;
    let zone = territory.calendar.zone();
    let head = head(incoming, ground, at, &planned);
    let Planned { legal, need, plan } = planned;
    Explained {
        territory: territory.id.to_string(),
        at: local(zone, at).to_rfc3339(),
        period: legal.map(|legal| legal.period.code()),
        need: NeedEntry {
            care_type: need.care.code(),
            level: need.level.code(),
            longest_delay: need.longest_delay.code(),
            signed: incoming.need.is_some(),
        },
        explanation: plan.as_ref().map(|plan| explain_french(plan, directory)).unwrap_or_default(),
        sources: plan.as_ref().map(|plan| sources_french(plan, zone)).unwrap_or_default(),
        plan,
        head,
    }
}

/// Place, hour, need and deadline, for people.
fn head(incoming: &IncomingCase, (territory, _): &Ground, at: Instant, planned: &Planned) -> Vec<String> {
    let wall = |at| moment(local(territory.calendar.zone(), at));
    let period = planned.legal.as_ref().map_or("hors des années du calendrier", |legal| legal.period.label());
    let need = &planned.need;
    let basis = if incoming.need.is_some() { "signé dans la demande" } else { "supposé, la demande n'en porte pas" };
    let (care, level, delay) = (need.care.label(), need.level.code(), need.longest_delay.label());
    let mut lines = vec![
        format!("{} ({}), {} — {period}", territory.name, territory.id, wall(at)),
        format!("Besoin : {care}, {level}, {delay} ({basis})"),
    ];
    lines.push(match &planned.plan {
        None => "Aucun effecteur à chercher pour ce type de soin.".to_owned(),
        Some(plan) if plan.first().is_none() => {
            format!("Personne d'ici {} : retour au régulateur, avec alarme.", wall(plan.deadline))
        }
        Some(plan) => format!("Au plus tard {} :", wall(plan.deadline)),
    });
    lines
}

fn print(entry: &Entry) {
    say(&entry.place);
    entry.faults.iter().for_each(|fault| say(format!("  refusé : {fault}")));
    entry.warnings.iter().for_each(|warning| say(format!("  avertissement : {warning}")));
    if let Some(explained) = &entry.explained {
        explained.head.iter().for_each(|line| say(format!("  {line}")));
        explained.explanation.iter().for_each(|line| say(format!("    {line}")));
        if !explained.sources.is_empty() {
            say("  Sources, sans service en marche :");
        }
        explained.sources.iter().for_each(|line| say(format!("    {line}")));
    }
    say("");
}

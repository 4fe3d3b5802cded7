//! `sas-dispatch relay`: the hand-over between two shifts of a running service, on one page.

mod page;
mod words;

use std::{net::SocketAddr, path::PathBuf};

use serde_json::{Value, json};

use super::{Answer, Outcome, Shared, WrongUse, say, say_json};
use crate::{
    domain::{
        actor::{Actor, Role},
        ids::{PersonId, TerritoryId},
    },
    grpc::{client, pb},
};

use words::Words;

/// Most deadlines a service lists.
const DEADLINES: u32 = 200;

/// Arguments of `relay`.
///
/// It holds case numbers, priorities, motives and who does what until when, and nothing that says who a patient is: the
/// shift sheet does.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The service to ask
    #[arg(long, value_name = "IP:PORT")]
    address: SocketAddr,
    /// Of which territory, such as fr-67
    #[arg(long, value_name = "ID")]
    territory: TerritoryId,
    /// Who asks, as a supervisor
    #[arg(long, value_name = "ID", default_value = "cadre")]
    person: PersonId,
    /// Write the page as HTML to this file, which only its owner may read
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    html: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, shared: &Shared) -> Outcome {
    let ground = shared.load()?.territory(&args.territory).map_err(WrongUse::new)?;
    let reply = ask(args)?;
    let words = Words { zone: ground.0.calendar.zone(), now: reply.at_unix_ms };
    if args.json {
        say_json(&document(&args.territory, &reply, &words));
        return Ok(Answer::Done);
    }
    let page = page::of(&args.territory, &reply, &words);
    match &args.html {
        None => say(page.text().trim_end()),
        Some(file) => {
            page.write(file).map_err(|error| WrongUse::new(format!("{}: {error}", file.display())))?;
            say(format!("relève écrite : {}", file.display()));
        }
    }
    Ok(Answer::Done)
}

fn ask(args: &Args) -> Result<pb::GetRelayResponse, WrongUse> {
    let (person, territory) = (args.person.clone(), args.territory.clone());
    let actor = Actor { person, role: Role::Supervisor, territory, connection: None };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(WrongUse::new)?;
    runtime.block_on(async {
        let link = client::connect(args.address).await.map_err(WrongUse::new)?;
        let request = pb::GetRelayRequest { deadlines: DEADLINES, at_least_seq: 0 };
        let reply = link.acting_as(&actor).supervision.get_relay(request).await;
        let refused = |status: client::Status| WrongUse::new(format!("the service answered: {}", status.message()));
        reply.map(client::Response::into_inner).map_err(refused)
    })
}

fn document(territory: &TerritoryId, relay: &pb::GetRelayResponse, words: &Words) -> Value {
    let due = |known: &pb::Due| {
        let action = known.action.clone().unwrap_or_default();
        json!({
            "case_id": known.case_id, "case_number": known.case_number, "priority": words.priority(known.priority),
            "action": words.kind_code(action.kind), "owner": words.owner(&action),
            "deadline": words.rfc3339(action.deadline_unix_ms), "alarmed": words.rfc3339(action.alarmed_unix_ms),
        })
    };
    let told = |known: &pb::RelayCase| {
        json!({
            "case_id": known.case_id, "case_number": known.case_number, "priority": words.priority(known.priority),
            "stream": words.stream(known.stream), "motive": known.motive_label,
            "opened": words.rfc3339(known.opened_unix_ms), "holder": known.holder,
            "held_since": words.rfc3339(known.held_since_unix_ms),
            "suspect_since": words.rfc3339(known.suspect_since_unix_ms),
        })
    };
    let duty = |known: &pb::Duty| {
        json!({
            "person": known.person, "stream": words.stream(known.stream), "skills": known.skills,
            "affiliation": words.affiliation_code(known.affiliation), "from": words.rfc3339(known.from_unix_ms),
            "until": words.rfc3339(known.until_unix_ms),
        })
    };
    let stream = |known: &pb::StreamState| {
        json!({
            "stream": words.stream(known.stream), "on_duty": known.on_duty, "waiting": known.waiting,
            "answered_by": words.stream(known.answered_by), "fallback": words.fallback(known.fallback),
        })
    };
    let surge = relay.surge.as_ref().map(|known| {
        json!({
            "reason": words.surge_code(known.reason), "by": known.by, "from": words.rfc3339(known.from_unix_ms),
            "until": words.rfc3339(known.until_unix_ms),
        })
    });
    let open = |known: &pb::OpenActions| (words.kind_code(known.kind).to_owned(), json!(known.open));
    let totals = relay.totals.unwrap_or_default();
    json!({
        "totals": {
            "urgent": totals.urgent, "suspect": totals.suspect, "unanswered": totals.unanswered,
            "late": totals.late, "next": totals.next,
        },
        "territory": territory.as_str(), "at": words.rfc3339(relay.at_unix_ms), "seq": relay.seq,
        "open_cases": relay.open_cases, "surge": surge,
        "streams": relay.streams.iter().map(stream).collect::<Vec<_>>(),
        "duties": relay.duties.iter().map(duty).collect::<Vec<_>>(),
        "urgent": relay.urgent.iter().map(told).collect::<Vec<_>>(),
        "suspect": relay.suspect.iter().map(told).collect::<Vec<_>>(),
        "unanswered": relay.unanswered.iter().map(due).collect::<Vec<_>>(),
        "late": relay.late.iter().map(due).collect::<Vec<_>>(),
        "next": relay.next.iter().map(due).collect::<Vec<_>>(),
        "open_actions": relay.open_actions.iter().map(open).collect::<serde_json::Map<_, _>>(),
    })
}

//! Invariant 11: patient data reaches no log line, span, metric, key, member, score or clear part. The real program plays the
//! path, refusals and bad input included, with words that occur nowhere else; then everything that left it, and everything
//! it stored, is searched for them.

mod bad_input;
mod path;
mod process;
mod stored;

use std::collections::BTreeSet;

use rstest::rstest;
use sas_dispatch::{domain::actor::Role, grpc::pb};

use crate::{
    otlp::{Collector, Received},
    support::{
        redis::Server,
        room::{Stopped, ask},
    },
};
use path::{CALLER_TRACE, TRACE};
use process::{Left, Process};
use stored::Stored;

/// What must be nowhere but in sealed parts and entitled replies, in lower case: the made-up syllable that stands in every
/// name and text, and the digits of numbers and dates.
const CANARIES: [&str; 10] = [
    "zq",
    "48.583912",
    "7.745123",
    "639980042",
    "639980043",
    "639980044",
    "06 39 98 00 4",
    "255081416802538",
    "2 55 08 14",
    "1955-08-19",
];

/// What the sealed parts must hold, so that the search is known to look for what was stored.
const SEALED: [&str; 25] = [
    "Zqappel-7",
    "48.583912",
    "Zqappelante",
    "+33639980042",
    "+33639980043",
    "12 rue Zqvoie",
    "porte Zqcode",
    "Zqpatiente",
    "1955-08-19",
    "255081416802538",
    "Zqmedecin",
    "Zqnaissance",
    "Zqtuteur",
    "+33639980044",
    "Zqlien",
    "Zqbatiment",
    "Zqdigicode",
    "Zqcentre",
    "Zqreference",
    "Zqfiche",
    "Zqnote",
    "Zqconseil",
    "Zqrapport",
    "Zqraison",
    "Zqtardif",
];

/// The canary that a text holds, if it holds one.
fn canary(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    CANARIES.into_iter().find(|canary| text.contains(canary))
}

#[track_caller]
fn clean(what: &str, text: &str) {
    if let Some(canary) = canary(text) {
        let at = text.to_lowercase().find(canary).unwrap_or_default();
        let around: String = text.chars().skip(at.saturating_sub(200)).take(400).collect();
        panic!("{what} holds '{canary}': …{around}…");
    }
}

#[rstest]
#[case::embedded_with_text_logs(false, "text")]
#[case::redis_with_json_logs(true, "json")]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_personal_stays_in_sealed_parts_and_entitled_replies(
    #[case] redis: bool,
    #[case] log_format: &str,
) -> Result<(), Stopped> {
    let collector = Collector::start().await;
    let server = redis.then(|| Server::start("always"));
    let process = Process::start(log_format, &collector.endpoint(), server.as_ref()).await;
    let case = path::play(&process).await?;
    bad_input::play(&process).await;
    entitled_replies(&process, &case).await?;
    let left = process.stop();
    let stored = match &server {
        Some(server) => Stored::in_redis(server).await,
        None => Stored::in_file(&left.data.path().join("sas.redb")),
    };
    nothing_in_logs(&left, log_format);
    nothing_in_telemetry(&collector).await;
    only_sealed(&stored);
    Ok(())
}

/// Whoever handles a case reads it; an exchange, the back office and a supervisor read nothing about a person.
async fn entitled_replies(process: &Process, case: &str) -> Result<(), Stopped> {
    let asked = || pb::GetCaseRequest { case_id: case.to_owned(), at_least_seq: 0 };
    for role in [Role::Arm, Role::Regulator, Role::Coordinator] {
        let reader = process.somebody("lecteur-1", role);
        let told = format!("{:?}", ask!(reader, intake, get_case, asked())?);
        for canary in ["Zqappelante", "+33639980042", "12 rue Zqvoie", "Zqpatiente", "255081416802538", "Zqnote"] {
            assert!(told.contains(canary), "{role:?} does not read {canary}");
        }
    }
    for role in [Role::Telephony, Role::BackOffice, Role::Supervisor] {
        let reader = process.somebody("lecteur-2", role);
        let told = ask!(reader, intake, get_case, asked())?;
        assert!(told.case.as_ref().unwrap().sealed, "{role:?} is told that something is left out");
        clean(&format!("what {role:?} reads"), &format!("{told:?}"));
    }
    let doctor = process.somebody("dr-67-houblon", Role::Responder);
    let refused = ask!(doctor, intake, get_case, asked()).unwrap_err();
    assert_eq!(refused.code(), tonic::Code::NotFound, "a doctor to whom it was not offered");
    Ok(())
}

fn nothing_in_logs(left: &Left, log_format: &str) {
    assert!(left.lines.contains("listening"), "the log is empty: {}", left.lines);
    if log_format == "json" {
        let parsed = left.lines.lines().map(serde_json::from_str::<serde_json::Value>);
        assert!(parsed.into_iter().all(|line| line.is_ok()), "a line is no JSON document: {}", left.lines);
    }
    clean("the log", &left.lines);
    clean("standard output", &left.said);
}

async fn nothing_in_telemetry(collector: &Collector) {
    let complete = |received: &Received| {
        let names: BTreeSet<_> = received.metrics().iter().map(|metric| metric.name.clone()).collect();
        received.spans().len() > 100 && ["sas.calls", "sas.store.commits"].iter().all(|name| names.contains(*name))
    };
    let received = tokio::time::timeout(std::time::Duration::from_secs(30), collector.until(complete)).await;
    let received = received.expect("spans and metrics were to reach the collector");
    clean("spans and metrics", &received.text());
    one_trace(&received);
}

/// The caller's trace goes on through the door and the engine to the store.
fn one_trace(received: &Received) {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let spans: Vec<_> = received.spans().into_iter().filter(|span| hex(&span.trace_id) == TRACE).collect();
    let named = |name: &str| {
        let found = spans.iter().find(|span| span.name == name);
        *found.unwrap_or_else(|| panic!("no span {name} in {:?}", spans.iter().map(|s| &s.name).collect::<Vec<_>>()))
    };
    let (door, engine) = (named("call"), named("act"));
    let store = spans.iter().find(|span| span.name.ends_with(".commit")).expect("a span of the store");
    assert_eq!(hex(&door.parent_span_id), CALLER_TRACE);
    assert_eq!(engine.parent_span_id, door.span_id);
    let mut above = store.parent_span_id.clone();
    while above != engine.span_id {
        let parent =
            spans.iter().find(|span| span.span_id == above).expect("the store's span hangs below the engine's");
        above = parent.parent_span_id.clone();
    }
}

fn only_sealed(stored: &Stored) {
    assert!(stored.names.len() > 20 && stored.clear.len() > 40, "hardly anything was stored");
    stored.names.iter().for_each(|name| clean("a name, member or score", name));
    stored.clear.iter().for_each(|clear| clean("a clear part", &String::from_utf8_lossy(clear)));
    let sealed: String = stored.sealed.iter().map(|sealed| String::from_utf8_lossy(sealed)).collect();
    for canary in SEALED {
        assert!(sealed.contains(canary), "{canary} is in no sealed part: was it stored at all?");
    }
}

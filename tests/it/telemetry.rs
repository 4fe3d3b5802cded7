//! What leaves the process: one trace from caller to store, JSON lines that parse, closed labels, nothing personal.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::HeaderMap;
use sas_dispatch::{
    domain::{
        indicators::{Avoided, DecisionCount, Figures},
        person::Private,
        regulation::{
            need::{CareLevel, CareType},
            qualification::{Priority, Stream},
        },
        time::Span,
    },
    grpc::client::Code,
    telemetry::{
        self, Guard, LogFormat, TelemetryError, TelemetrySettings,
        labels::{CallResult, CommitResult, StoreKind},
        trace,
    },
};
use tonic_types::StatusExt;
use tracing::Dispatch;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    otlp::Collector,
    support::room::{Ground, Room, ill, shipped},
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// Log lines kept in memory.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn json(&self) -> Vec<serde_json::Value> {
        self.text().lines().map(|line| serde_json::from_str(line).expect("each line is one JSON document")).collect()
    }
}

fn start(settings: &TelemetrySettings) -> (Dispatch, Guard, Lines) {
    let lines = Lines::default();
    let (dispatch, guard) = telemetry::build(settings, lines.clone()).unwrap();
    (dispatch, guard, lines)
}

fn json(otlp_endpoint: Option<String>) -> TelemetrySettings {
    TelemetrySettings { log_format: LogFormat::Json, otlp_endpoint, ..TelemetrySettings::default() }
}

fn called_by(parent: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("traceparent", parent.parse().unwrap());
    headers.insert("tracestate", "patient=Zebulon".parse().unwrap());
    headers
}

/// One call as the rings see it: the door's span, the engine's in it, the store's in that.
fn play_a_call() {
    let call =
        trace::request_span("sas.dispatch.v1.IntakeService/Open", &called_by(&format!("00-{TRACE}-{CALLER}-01")));
    call.in_scope(|| {
        let name = Private::new("Zebulon Canari");
        tracing::info_span!(target: "sas_dispatch::engine", "open", caller = %name).in_scope(|| {
            tracing::debug_span!(target: "sas_dispatch::store", "commit", records = 2).in_scope(|| {
                tracing::info!(target: "sas_dispatch::store", caller = ?name, seq = 7, "case opened");
            });
        });
        tracing::trace!(target: "h2::codec", frame = "Zebulon", "sent");
        tracing::info_span!(target: "hyper::client", "connect", host = "Zebulon").in_scope(|| {});
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callers_trace_goes_on_from_the_door_to_the_store_and_reaches_the_collector() {
    let collector = Collector::start().await;
    let (dispatch, guard, lines) = start(&json(Some(collector.endpoint())));
    tracing::dispatcher::with_default(&dispatch, play_a_call);
    guard.shutdown().await;

    let received = collector.until(|received| received.spans().len() >= 3).await;
    let spans = received.spans();
    let span = |name: &str| *spans.iter().find(|span| span.name == name).unwrap();
    assert_eq!(spans.len(), 3, "only our own spans leave: {spans:#?}");
    assert!(spans.iter().all(|span| hex(&span.trace_id) == TRACE));
    assert_eq!(hex(&span("call").parent_span_id), CALLER);
    assert_eq!(span("open").parent_span_id, span("call").span_id);
    assert_eq!(span("commit").parent_span_id, span("open").span_id);
    assert_eq!(lines.json()[0]["spans"][0]["trace_id"], TRACE);

    let sent = received.text();
    assert!(sent.contains("case opened") && sent.contains("sas-dispatch"), "{sent}");
    assert!(!sent.contains("Zebulon") && !lines.text().contains("Zebulon"), "{sent}\n{}", lines.text());
    assert!(!sent.contains("src/"), "source paths stay here: {sent}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn json_lines_parse_and_name_the_span_without_a_collector() {
    let (dispatch, _guard, lines) = start(&json(None));
    tracing::dispatcher::with_default(&dispatch, play_a_call);
    let lines = lines.json();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert_eq!(lines[0]["message"], "case opened");
    assert_eq!(lines[0]["seq"], 7);
    assert_eq!(lines[0]["caller"], "…");
    assert_eq!(lines[0]["spans"][0]["rpc"], "sas.dispatch.v1.IntakeService/Open");
    assert_eq!(lines[0]["spans"][0]["trace_id"], TRACE);
}

#[test]
fn no_filter_brings_out_the_debug_lines_of_other_crates() {
    let settings = TelemetrySettings { filter: "trace".to_owned(), ..json(None) };
    let (dispatch, _guard, lines) = start(&settings);
    tracing::dispatcher::with_default(&dispatch, || {
        tracing::debug!(target: "redis::cmd", "SET Zebulon");
        tracing::warn!(target: "redis::aio", "connection lost");
        tracing::trace!(target: "sas_dispatch::engine", "decided");
    });
    let messages: Vec<_> = lines.json().iter().map(|line| line["message"].clone()).collect();
    assert_eq!(messages, ["connection lost", "decided"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_reach_the_collector_under_the_words_of_the_field() {
    let collector = Collector::start().await;
    let (_dispatch, guard, _lines) = start(&json(Some(collector.endpoint())));
    let metrics = guard.metrics();
    let territory = "fr-67".parse().unwrap();
    metrics.call("sas.dispatch.v1.IntakeService/Open", CallResult::Ok, Duration::from_millis(3));
    metrics.commit(StoreKind::Embedded, CommitResult::Conflict, Duration::from_millis(1));
    metrics.queue_depth(&territory, Stream::Snp, Priority::P2, 4);
    metrics.claimed(&territory, Priority::P2, Duration::from_secs(75));
    guard.shutdown().await;

    let received = collector.until(|received| received.metrics().len() >= 4).await;
    let mut names: Vec<&str> = received.metrics().iter().map(|metric| metric.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["sas.calls", "sas.queue.depth", "sas.queue.wait", "sas.store.commits"]);
    let sent = received.text();
    for label in ["fr-67", "\"SNP\"", "\"P2\"", "\"CONFLICT\"", "IntakeService/Open"] {
        assert!(sent.contains(label), "{label}: {sent}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_midnight_nothing_of_yesterday_is_told_as_todays() {
    let collector = Collector::start().await;
    let (_dispatch, guard, _lines) = start(&json(Some(collector.endpoint())));
    let territory = "fr-67".parse().unwrap();
    let avoided = Avoided {
        baseline_per_100: 92.5,
        face_to_face_per_100: 30.0,
        face_to_face_or_hospital_per_100: 40.0,
        avoided_per_100: 62.5,
        avoided_per_100_low: 52.5,
        definition: "",
        caveat: "",
    };
    let decisions = vec![DecisionCount { care: CareType::HomeVisit, level: CareLevel::R3, count: 41 }];
    let yesterday = Figures { cases: 300, decisions, avoided: Some(avoided), ..Figures::default() };
    guard.metrics().day(&territory, &yesterday);
    guard.metrics().day(&territory, &Figures { cases: 2, ..Figures::default() });
    guard.shutdown().await;

    let received = collector.until(|received| !received.metrics().is_empty()).await;
    let names: Vec<&str> = received.metrics().iter().map(|metric| metric.name.as_str()).collect();
    assert!(names.contains(&"sas.day.cases"), "{names:?}");
    let sent = received.text();
    assert!(sent.contains("AsInt(2)") && !sent.contains("AsInt(300)"), "{sent}");
    assert!(!sent.contains("HOME_VISIT") && !names.contains(&"sas.day.avoided"), "{sent}");
}

/// The store stands still: one call is given up by the service when its time is over, one by its caller before.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_nobody_waits_for_any_longer_is_counted_as_what_became_of_it() {
    let collector = Collector::start().await;
    let (_dispatch, guard, _lines) = start(&json(Some(collector.endpoint())));
    let mut config = shipped();
    config.settings.server.request_deadline = Span::from_secs(10);
    // The store is waited for longer than that.
    config.settings.store.redis_response = Span::from_secs(60);
    let room = Room::configured(config, Ground::Redis, "fr-67", "2024-12-19 10:00").await;
    let room = room.restarts_measured(guard.metrics()).await;
    let arm = room.arm("arm-1");
    let case = arm.opens("67482", ill()).await.unwrap();
    room.redis_stands_still(true);
    let over = arm.reads(&case).await.expect_err("its time is over");
    // Found by testing: the transport said CANCELLED, and nothing of what to do.
    assert_eq!(over.code(), Code::Unavailable);
    assert_eq!(over.get_error_details().error_info().expect("says why").reason, "OUTCOME_UNKNOWN");
    let left = tokio::time::timeout(Duration::from_secs(2), arm.notes(&case, "trop tard")).await;
    left.expect_err("the caller has gone");
    arm.reads(&case).await.expect_err("what came after it on the same line is over too");
    room.redis_stands_still(false);
    guard.shutdown().await;

    let sent = collector.until(|received| !received.metrics().is_empty()).await.text();
    for label in ["\"DEADLINE_EXCEEDED\"", "\"CANCELLED\""] {
        assert!(sent.contains(label), "{label}: {sent}");
    }
}

#[test]
fn settings_that_cannot_work_say_what_to_write() {
    let filter = TelemetrySettings { filter: "sas_dispatch=loud".to_owned(), ..TelemetrySettings::default() };
    let error = telemetry::build(&filter, io::sink).unwrap_err();
    assert!(matches!(error, TelemetryError::Filter(_)));
    assert!(error.to_string().contains("write a level (`info`)"), "{error}");
    let endpoint = json(Some("collector:4317".to_owned()));
    let error = telemetry::build(&endpoint, io::sink).unwrap_err().to_string();
    assert!(error.contains("write `http://host:port`"), "{error}");
}

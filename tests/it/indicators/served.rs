//! Indicators of a running service: live, after a restart, and when the log has left for the archive.

use std::path::Path;

use sas_dispatch::{
    app::{self, Service, Setup, StorePlace, Upkeep},
    clock::Clock,
    config::Config,
    domain::{actor::Role, time::Instant},
    grpc::{client::connect, pb},
    store::due_command,
    telemetry::Metrics,
};
use tokio::net::TcpListener;

use super::{Played, events, ok, text, values};
use crate::{
    config::shipped_dir,
    support::room::{Room, ask},
};

pub(super) const DAY: &str = "2024-12-26";

/// A service on what a played day left, at an instant.
pub(super) async fn service(data: &Path, at: Instant) -> (Service, Clock) {
    service_under(data, at, |_| ()).await
}

/// The same under another configuration than the shipped one.
pub(super) async fn service_under(data: &Path, at: Instant, change: impl FnOnce(&mut Config)) -> (Service, Clock) {
    let mut config = Config::load(&shipped_dir()).unwrap();
    config.settings.store.data_dir = data.to_owned();
    change(&mut config);
    let clock = Clock::manual(at);
    let setup = Setup {
        config: config.into(),
        clock: clock.clone(),
        store: StorePlace::Embedded(data.to_owned()),
        upkeep: Upkeep::ByHand,
        metrics: Metrics::silent(),
    };
    (app::start(setup, TcpListener::bind("127.0.0.1:0").await.unwrap()).await.unwrap(), clock)
}

pub(super) async fn day_of(service: &Service) -> pb::DayIndicators {
    let link = connect(service.address).await.unwrap();
    let mut clients = link.acting("cadre-1", Role::Supervisor, "fr-67").unwrap();
    let selection = Some(pb::DaySelection { from_date: DAY.to_owned(), ..Default::default() });
    let request = pb::GetIndicatorsRequest { selection, at_least_seq: 0 };
    let mut reply = clients.supervision.get_indicators(request).await.unwrap().into_inner();
    assert_eq!(reply.days.len(), 1);
    reply.days.remove(0)
}

pub(super) fn days_later(at: Instant, days: i64) -> Instant {
    at + sas_dispatch::domain::time::Span::from_hours(24 * days)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_stays_the_same_through_restarts_and_when_its_log_is_archived_and_even_gone() {
    let (store, log) = (Played::day().store(), Played::day().log());
    let data = store.path();
    let counted = values(&ok(&["indicators", "--log", text(&log), "--json"]), DAY);
    let last = events(&log).last().unwrap().at;

    let (running, _) = service(data, last).await;
    let live = day_of(&running).await;
    assert!(live.complete && !live.r#final);
    let known = live.indicators.clone().unwrap();
    assert_eq!(known.cases as f64, counted[&("cases".to_owned(), String::new())]);
    assert_eq!(known.regulated as f64, counted[&("regulated".to_owned(), String::new())]);
    running.stop().await;

    // Another day: final, on disk, and its extract written.
    let (running, _) = service(data, days_later(last, 6)).await;
    assert_eq!(day_of(&running).await, live, "a restart counts the same");
    running.engine.follow_indicators().await.unwrap();
    let settled = day_of(&running).await;
    assert!(settled.complete && settled.r#final);
    assert_eq!(settled.indicators, live.indicators);
    assert!(data.join("indicateurs/fr-67").join(format!("{DAY}.json")).is_file());
    let extract = std::fs::read_to_string(data.join("extraits/fr-67").join(format!("{DAY}.csv"))).unwrap();
    assert!(extract.starts_with("territory,day,motive"), "{extract}");
    running.stop().await;

    // The log leaves for the archive, and then the archive goes too.
    let (running, _) = service(data, days_later(last, 12)).await;
    while running.engine.archive_once().await.unwrap().events > 0 {}
    assert!(running.engine.archive_once().await.unwrap().first_kept > 1, "the log was trimmed");
    running.engine.follow_indicators().await.unwrap();
    assert_eq!(day_of(&running).await, settled);
    running.stop().await;
    std::fs::remove_dir_all(data.join("archive")).unwrap();
    let (running, _) = service(data, days_later(last, 13)).await;
    assert_eq!(day_of(&running).await, settled, "its sums are kept by themselves");
    running.engine.follow_indicators().await.unwrap();
    assert_eq!(day_of(&running).await, settled, "what is only partly known replaces nothing");
    running.stop().await;
}

#[tokio::test]
async fn an_answer_counts_at_once_and_only_a_supervisor_may_ask() {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let supervisor = room.supervisor("cadre-1");
    let empty = ask!(supervisor, supervision, get_indicators, pb::GetIndicatorsRequest::default()).unwrap();
    assert_eq!(empty.total.as_ref().unwrap().indicators.as_ref().unwrap().cases, 0);
    assert!(empty.total.unwrap().complete, "a day without cases is known");
    let command_id = due_command("open", room.now()).to_string();
    let request = pb::OpenCaseRequest { command_id, ..Default::default() };
    let opened = ask!(room.arm("arm-1"), intake, open_case, request).unwrap();
    let asked = pb::GetIndicatorsRequest { selection: None, at_least_seq: opened.receipt.unwrap().seq };
    let one = ask!(supervisor, supervision, get_indicators, asked).unwrap();
    assert_eq!(one.days[0].indicators.as_ref().unwrap().cases, 1);
    let refused =
        ask!(room.regulator("reg-1"), supervision, get_indicators, pb::GetIndicatorsRequest::default()).unwrap_err();
    assert!(refused.message().contains("SUPERVISOR"), "{}", refused.message());
    let selection =
        pb::DaySelection { from_date: "2024-01-01".into(), to_date: "2024-12-31".into(), ..Default::default() };
    let year = pb::GetIndicatorsRequest { selection: Some(selection), at_least_seq: 0 };
    let refused = ask!(supervisor, supervision, get_indicators, year).unwrap_err();
    assert!(refused.message().contains("at most 92"), "{}", refused.message());
    room.closes().await.unwrap();
}

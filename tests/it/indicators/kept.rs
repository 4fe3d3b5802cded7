//! What was published of a day stays as it was: its final sums and its one extract.

use std::{collections::BTreeMap, path::Path};

use sas_dispatch::{
    app::Service,
    domain::{
        actor::Role,
        indicators::{Counts, Day, Projection, Rules, extract::Column},
        time::{Instant, Span},
    },
    grpc::{client::connect, pb},
    store::due_command,
};

use super::{
    Played, events,
    served::{DAY, day_of, days_later, service, service_under},
};
use crate::domain::stage::{Stage, call};

/// A case of the played day is entered from paper, now.
async fn latecomer(service: &Service, arrived: Instant, now: Instant) {
    let link = connect(service.address).await.unwrap();
    let mut clients = link.acting("arm-1", Role::Arm, "fr-67").unwrap();
    let command_id = due_command("paper", now).to_string();
    let (arrived_unix_ms, note) = (arrived.unix_ms(), "Fiche papier n° 12".to_owned());
    let sheet = pb::BackfillCaseRequest { command_id, arrived_unix_ms, note, ..Default::default() };
    clients.intake.backfill_case(sheet).await.unwrap();
}

fn extract_of(data: &Path) -> String {
    std::fs::read_to_string(data.join("extraits/fr-67").join(format!("{DAY}.csv"))).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_final_day_takes_no_latecomer_neither_after_a_restart_nor_when_it_was_let_go() {
    let (store, log) = (Played::day().store(), Played::day().log());
    let (data, last) = (store.path(), events(&log).last().unwrap().at);

    let (running, _) = service(data, days_later(last, 6)).await;
    running.engine.follow_indicators().await.unwrap();
    let settled = day_of(&running).await;
    assert!(settled.complete && settled.r#final);
    latecomer(&running, last, days_later(last, 6)).await;
    running.engine.follow_indicators().await.unwrap();
    assert_eq!(day_of(&running).await, settled);
    running.stop().await;

    // Its log is still there: it is folded anew, with what came since.
    let (running, _) = service(data, days_later(last, 7)).await;
    assert_eq!(day_of(&running).await, settled, "before its sums are made");
    running.engine.follow_indicators().await.unwrap();
    assert_eq!(day_of(&running).await, settled, "and after");
    running.stop().await;

    // The day was let go; the year of another sheet is mistyped.
    let any = |config: &mut sas_dispatch::config::Config| {
        config.settings.server.oldest_paper = Span::from_hours(24 * 366);
    };
    let (running, _) = service_under(data, days_later(last, 200), any).await;
    running.engine.follow_indicators().await.unwrap();
    latecomer(&running, last, days_later(last, 200)).await;
    running.engine.follow_indicators().await.unwrap();
    assert_eq!(day_of(&running).await, settled, "one case does not take the place of a day");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_extract_of_a_day_is_written_once_whatever_is_known_or_configured_later() {
    let (store, log) = (Played::day().store(), Played::day().log());
    let (data, last) = (store.path(), events(&log).last().unwrap().at);
    let (running, _) = service(data, days_later(last, 6)).await;
    running.engine.follow_indicators().await.unwrap();
    let released = extract_of(data);
    latecomer(&running, last, days_later(last, 6)).await;
    running.stop().await;

    let coarser = |config: &mut sas_dispatch::config::Config| config.settings.extract.columns = vec![Column::Decision];
    let (running, _) = service_under(data, days_later(last, 7), coarser).await;
    running.engine.follow_indicators().await.unwrap();
    assert_eq!(extract_of(data), released, "two versions of one day tell who is in the one and not in the other");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_day_is_told_by_the_thresholds_it_was_counted_by_whatever_they_are_today() {
    let (store, log) = (Played::day().store(), Played::day().log());
    let (data, last) = (store.path(), events(&log).last().unwrap().at);
    let (running, _) = service(data, days_later(last, 6)).await;
    running.engine.follow_indicators().await.unwrap();
    let settled = day_of(&running).await.indicators.unwrap();
    running.stop().await;

    let others = |config: &mut sas_dispatch::config::Config| {
        config.settings.indicators.thresholds = [20, 60].map(Span::from_secs).to_vec();
        config.settings.indicators.early = Span::from_secs(60);
    };
    let (running, _) = service_under(data, days_later(last, 6), others).await;
    assert_eq!(day_of(&running).await.indicators, Some(settled.clone()));
    running.stop().await;

    // A file of before thresholds were kept says nothing of them.
    let file = data.join("indicateurs/fr-67").join(format!("{DAY}.json"));
    let mut kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    for class in kept["day"]["classes"].as_array_mut().unwrap() {
        let counts = class[1].as_object_mut().unwrap();
        assert!(counts.remove("answered_within_s").is_some() && counts.remove("abandoned_before_s").is_some());
        counts.insert("answered_within".to_owned(), [3, 2, 1].as_slice().into());
        counts.insert("abandoned_early".to_owned(), 1.into());
    }
    std::fs::write(&file, kept.to_string()).unwrap();
    let (running, _) = service_under(data, days_later(last, 6), others).await;
    let old = day_of(&running).await.indicators.unwrap();
    assert_eq!((old.answered_within.len(), old.early_hang_up_seconds), (0, 0));
    assert_eq!((old.abandoned_without_early, old.cases), (settled.abandoned, settled.cases));
    running.stop().await;
}

#[test]
fn days_counted_by_other_thresholds_add_up_to_those_they_share() {
    let day = |within: &[(i64, u64)], early: i64| Counts {
        cases: 9,
        abandoned: 3,
        abandoned_before: BTreeMap::from([(early, 1)]),
        answered_within: within.iter().copied().collect(),
        ..Counts::default()
    };
    let mut both = Counts::default();
    both.merge(&day(&[(15, 4), (60, 5)], 15));
    both.merge(&Counts::default());
    assert_eq!(both, day(&[(15, 4), (60, 5)], 15), "a day without cases takes nothing away");
    both.merge(&day(&[(20, 1), (60, 2)], 10));
    assert_eq!((both.answered_within, both.abandoned_before.len()), (BTreeMap::from([(60, 7)]), 0));
}

pub(super) fn rules(stage: &Stage) -> Rules {
    Rules {
        zone: stage.territory.calendar.zone(),
        thresholds: vec![Span::from_secs(60)],
        early: Span::from_secs(15),
        settle: Span::from_hours(96),
        baseline_acts_per_100: 92.5,
    }
}

#[test]
fn a_day_that_was_let_go_is_no_longer_told_from_its_beginning() {
    let mut stage = Stage::new();
    stage.called();
    let opened = stage.log.last().unwrap().clone();
    let mut projection = Projection::new(rules(&stage), false);
    projection.tell(&opened);
    let [day] = projection.dates()[..] else { panic!("{:?}", projection.dates()) };
    let next = day.succ_opt().unwrap();
    projection.forget_before(next);
    assert!(projection.covers(day), "its case is still open to change");
    stage.pass(Span::from_hours(24 * 6));
    assert_eq!(projection.settle(stage.now, &stage.directory), [day]);
    projection.forget_before(next);
    projection.tell(&opened);
    assert_eq!((projection.day(day, &stage.directory), projection.covers(day)), (None, false));
    assert!(projection.covers(next), "a day without cases is known");
    stage.opened(&crate::domain::stage::arm(), call(stage.now));
    projection.tell(stage.log.last().unwrap());
    let today: Vec<Day> = projection.dates().into_iter().filter_map(|d| projection.day(d, &stage.directory)).collect();
    assert!(today.len() == 1 && today[0].complete);
}

/// Without the loop that follows the logs (`indicators.enabled = false`) nobody else makes days final.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_makes_days_final_where_no_loop_does() {
    let (store, log) = (Played::day().store(), Played::day().log());
    let (data, last) = (store.path(), events(&log).last().unwrap().at);
    let off = |config: &mut sas_dispatch::config::Config| config.settings.indicators.enabled = false;
    let (running, clock) = service_under(data, last, off).await;
    let live = day_of(&running).await;
    assert!(!live.r#final);
    clock.advance_to(days_later(last, 6));
    let settled = day_of(&running).await;
    assert!(settled.r#final && settled.indicators == live.indicators);
    assert!(!data.join("indicateurs").exists(), "nothing is kept on disk");
    running.stop().await;
}

//! What was published of a day stays as it was: its final sums and its one extract.

use std::path::Path;

use sas_dispatch::{
    app::Service,
    domain::{
        actor::Role,
        indicators::{Day, Projection, Rules, extract::Column},
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
    let (running, _) = service(data, days_later(last, 200)).await;
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

fn rules(stage: &Stage) -> Rules {
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

//! A node that is gone takes its own territories away, and nothing from those that lie elsewhere.

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::FutureExt;
use sas_dispatch::{
    clock::{Clock, Simulated},
    domain::{
        case::ActionKind,
        ids::TerritoryId,
        regulation::qualification::{Priority, Stream},
        time::Span,
    },
    engine::Options,
    sheet::Sheets,
    store::Txn,
};

use super::desk::{Desk, regulator};
use crate::{
    store::{
        on_every_engine,
        stand::{START, Stand, put},
    },
    support::gate::Gate,
};

on_every_engine! {
    territories_of_a_node_that_is_gone_hold_no_other_one_up
    a_round_that_waits_for_a_node_that_is_gone_is_no_absence
    waiting_for_territories_that_are_gone_is_no_work_that_the_sheets_rest_from
}

/// All of them come before `fr-67`.
const GONE: [&str; 6] = ["fr-01", "fr-02", "fr-03", "fr-04", "fr-05", "fr-06"];
/// Longer than that the store is not asked again in the same round.
const LATE: Duration = Duration::from_millis(1_100);

/// Waits begun and waits at once: each is waited for once, the first alone and then the others together.
const ONE_THEN_THE_OTHERS: (usize, usize) = (GONE.len(), GONE.len() - 1);

/// Two instances, of which the second reaches the store through a gate, and state in all territories.
async fn desk(stand: Stand) -> (Desk, Arc<Gate>) {
    for gone in GONE {
        let (id, now) = (gone.parse().unwrap(), stand.clock.now());
        stand.done(&Txn { schema: 1, ops: vec![put("case/1", "opened")], ..Txn::touch(id, 0, now) }).await;
    }
    let gate = Gate::before(stand.store.clone());
    let stores = [stand.store.clone(), gate.clone()];
    (Desk::over(stand, stores, Options::default()), gate)
}

async fn territories_of_a_node_that_is_gone_hold_no_other_one_up(stand: Stand) {
    let (mut desk, gate) = desk(stand).await;
    let case = desk.qualified(Priority::P2).await;
    desk.stand.pass(Span::from_mins(15));
    gate.set_lost(&GONE, LATE);
    desk.b.upkeep_once().await.expect_err("it is not passed over in silence");
    assert_eq!(gate.waits(), ONE_THEN_THE_OTHERS);
    assert!(desk.read(case).await.case.open_action(ActionKind::ReEvaluate).is_some(), "what was late has fired");

    desk.stand.store = gate.clone();
    let fresh = Desk::engine(&desk.stand, Options::default());
    GONE.iter().for_each(|gone| drop(fresh.territory(&gone.parse::<TerritoryId>().unwrap()).unwrap()));
    gate.calls();
    gate.waits();
    fresh.measure_queues().await.expect_err("some were not measured");
    assert_eq!(gate.waits(), ONE_THEN_THE_OTHERS);
    let here = gate.calls().iter().filter(|call| call.starts_with("range fr-67 ")).count();
    assert_eq!(here, Stream::ALL.len() + 1, "each queue of the territory that is there, and its lane");
}

async fn a_round_that_waits_for_a_node_that_is_gone_is_no_absence(stand: Stand) {
    let clock = Arc::new(Simulated::new(START));
    let desk = Desk::new(stand.reopen(Clock::Simulated(clock.clone())).await);
    let case = desk.qualified(Priority::P3).await;
    desk.b.claim_next(&regulator(1), desk.mutation(), Stream::Snp).await.unwrap();
    let mut seen = pin!(desk.b.stay_present());
    desk.a.present();
    for seconds in (0..=32).step_by(4) {
        clock.set(START + Span::from_secs(seconds));
        assert!(seen.as_mut().now_or_never().is_none(), "it goes on");
        clock.pass(Duration::from_secs(4));
    }
    desk.a.present();
    assert_eq!(desk.a.upkeep_once().await.unwrap(), 0, "frozen all the time, it is not the first to judge");
    desk.b.present();
    assert_eq!(desk.b.upkeep_once().await.unwrap(), 1, "a lease of 30 s has ended");
    assert!(desk.read(case).await.case.claim.as_ref().unwrap().suspect.is_some());
}

async fn waiting_for_territories_that_are_gone_is_no_work_that_the_sheets_rest_from(stand: Stand) {
    let (mut desk, gate) = desk(stand).await;
    desk.qualified(Priority::P2).await;
    // Longer than one sheet takes to write on a busy machine.
    let late = Duration::from_secs(3);
    gate.set_lost(&GONE, late);
    desk.stand.store = gate.clone();
    let fresh = Desk::engine(&desk.stand, Options::default());
    GONE.iter().for_each(|gone| drop(fresh.territory(&gone.parse::<TerritoryId>().unwrap()).unwrap()));
    gate.waits();
    let dir = tempfile::tempdir().unwrap();
    let sheets = Sheets { dir: dir.path().to_owned(), every: Span::from_secs(15) };
    let written = sheets.write_all(&fresh, Span::from_secs(150), &|_| false).await;
    assert_eq!(written.failed.len(), GONE.len());
    assert!(written.work < late, "{:?}", written.work);
    assert_eq!(gate.waits(), (GONE.len(), 4), "each is waited for once, beside others");
    let text = std::fs::read_to_string(dir.path().join("fr-67.txt")).unwrap();
    assert!(text.contains("À jour jusqu'à 08:10:00"), "four times the time until the next: {text}");
}

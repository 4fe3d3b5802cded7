//! One instant for a whole transaction, near the store's own, which never goes back.

use sas_dispatch::{
    clock::Clock,
    domain::time::Span,
    store::{Committed, Guard},
};

use super::stand::{START, Stand, add, index, member, put};

super::on_every_engine! {
    an_instant_more_than_a_second_off_answers_the_stores_time
    reads_and_conflicts_tell_the_stores_time
    time_runs_at_half_speed_after_the_clock_was_set_back
}

async fn an_instant_more_than_a_second_off_answers_the_stores_time(stand: Stand) {
    for (n, off) in [-1_000_i64, 1_000, -1_001, 1_001].into_iter().enumerate() {
        let mut txn = stand.txn(&format!("{n}")).await;
        txn.ops = vec![put("case/1", &off.to_string())];
        txn.at = sas_dispatch::domain::time::Instant::from_unix_ms(START.unix_ms() + off);
        let answer = stand.store.commit(&txn).await.unwrap();
        if off.abs() <= 1_000 {
            assert!(matches!(answer, Committed::Done(receipt) if receipt.at == txn.at), "{off} ms");
        } else {
            assert_eq!(answer, Committed::Clock(START), "{off} ms");
        }
    }
    assert_eq!(stand.record("case/1").await.unwrap().value, b"1000");
    assert_eq!(stand.log().await.len(), 2);
}

async fn reads_and_conflicts_tell_the_stores_time(stand: Stand) {
    stand.done(&stand.txn("begin").await).await;
    stand.pass(Span::from_mins(7));
    let now = START + Span::from_mins(7);
    assert_eq!(stand.store.read(&stand.territory, &[], None).await.unwrap().at, now);
    let mut txn = stand.txn("late").await;
    txn.guards = vec![Guard::Due(index("timers"), member("none"))];
    assert_eq!(stand.conflict(&txn).await.snapshot.at, now);
}

async fn time_runs_at_half_speed_after_the_clock_was_set_back(stand: Stand) {
    let mut txn = stand.txn("begin").await;
    let due = START + Span::from_secs(40);
    txn.ops = vec![add("timers", due.unix_ms(), "t")];
    stand.done(&txn).await;
    let clock = Clock::manual(START - Span::from_mins(60));
    let stand = stand.reopen(clock.clone()).await;
    let now = async || stand.store.read(&stand.territory, &[], None).await.unwrap().at;
    assert_eq!(now().await, START, "time does not go back");
    clock.advance_to(clock.now() + Span::from_secs(60));
    assert_eq!(now().await, START + Span::from_secs(30), "and does not stand still");
    clock.advance_to(clock.now() + Span::from_secs(20));
    let mut fire = stand.txn("fire").await;
    fire.at = now().await;
    fire.guards = vec![Guard::Due(index("timers"), member("t"))];
    assert_eq!(stand.done(&fire).await.at, due);
    clock.advance_to(START + Span::from_mins(60));
    assert_eq!(now().await, START + Span::from_mins(60), "the clock has caught up");
}

//! A command takes effect once, however often it is sent.

use sas_dispatch::{
    domain::time::Span,
    store::{Committed, Digest, Durability, StoreError, due_command},
};

use super::stand::{START, Stand, add, command, put, put_numbered};

super::on_every_engine! {
    a_repeated_command_gets_its_first_receipt_and_changes_nothing
    a_repeated_command_is_answered_before_any_guard
    the_same_command_with_another_payload_is_refused
    a_read_returns_the_receipt_it_asks_for
    a_command_id_too_old_or_ahead_of_time_is_refused
    a_receipt_is_answered_for_as_long_as_its_command_is_young
    a_command_id_that_tells_no_time_is_refused
    one_command_sent_by_sixteen_callers_at_once_takes_effect_once
}

async fn a_repeated_command_gets_its_first_receipt_and_changes_nothing(stand: Stand) {
    let mut txn = stand.txn("open").await;
    txn.ops = vec![put_numbered("case/1", "opened", "number/2024-12-26"), add("open", 5, "1")];
    let receipt = stand.done(&txn).await;
    assert_eq!((receipt.seq, receipt.counts.as_slice(), receipt.replayed), (1, [1].as_slice(), false));
    assert_eq!((receipt.at, receipt.outcome.as_slice()), (START, b"outcome".as_slice()));
    assert_eq!(receipt.durability, Durability::D1);

    stand.pass(Span::from_mins(3));
    let again = stand.done(&txn).await;
    assert!(again.replayed);
    assert_eq!(again, sas_dispatch::store::Receipt { replayed: true, ..receipt });
    assert_eq!(stand.log().await, [(1, "event of open".to_owned())]);
    assert_eq!(stand.record("case/1").await.unwrap().number, Some(1));
}

async fn a_repeated_command_is_answered_before_any_guard(stand: Stand) {
    let mut txn = stand.txn("open").await;
    txn.guards = vec![sas_dispatch::store::Guard::Absent(super::stand::key("case/1"))];
    txn.ops = vec![put("case/1", "opened")];
    stand.done(&txn).await;
    assert!(stand.done(&txn).await.replayed, "its own first run must not refuse it");
}

async fn the_same_command_with_another_payload_is_refused(stand: Stand) {
    let mut txn = stand.txn("open").await;
    stand.done(&txn).await;
    txn.command = Some((command("open"), Digest::of(b"another payload")));
    assert_eq!(stand.refused(&txn).await, StoreError::OtherPayload(command("open")));
}

async fn a_read_returns_the_receipt_it_asks_for(stand: Stand) {
    let receipt = stand.done(&stand.txn("open").await).await;
    let read = stand.store.read(&stand.territory, &[], Some(command("open"))).await.unwrap();
    assert_eq!(read.receipt.unwrap().counts, receipt.counts);
    let read = stand.store.read(&stand.territory, &[], Some(command("never sent"))).await.unwrap();
    assert_eq!(read.receipt, None);
}

async fn a_command_id_too_old_or_ahead_of_time_is_refused(stand: Stand) {
    let mut txn = stand.txn("now").await;
    for (made, stale) in [
        (START - Span::from_hours(71), false),
        (START - Span::from_hours(71) - Span::from_ms(1), true),
        (START + Span::from_mins(5), false),
        (START + Span::from_mins(5) + Span::from_ms(1), true),
    ] {
        let id = due_command("of another hour", made);
        txn.command = Some((id, Digest::of(b"")));
        txn.epoch = stand.txn("now").await.epoch;
        match stand.store.commit(&txn).await {
            Ok(Committed::Done(_)) => assert!(!stale, "{made} should be refused"),
            Err(StoreError::StaleCommand(refused)) => assert!(stale && refused == id, "{made} should be accepted"),
            other => panic!("{made}: {other:?}"),
        }
    }
}

async fn a_receipt_is_answered_for_as_long_as_its_command_is_young(stand: Stand) {
    let mut txn = stand.txn("open").await;
    stand.done(&txn).await;
    stand.pass(Span::from_hours(72));
    assert!(stand.done(&txn).await.replayed);
    stand.pass(Span::from_ms(1));
    assert_eq!(stand.store.read(&stand.territory, &[], Some(command("open"))).await.unwrap().receipt, None);
    txn.epoch = 1;
    txn.at = stand.clock.now();
    assert_eq!(stand.refused(&txn).await, StoreError::StaleCommand(command("open")));
}

async fn a_command_id_that_tells_no_time_is_refused(stand: Stand) {
    let mut txn = stand.txn("open").await;
    let id = sas_dispatch::domain::ids::CommandId(sas_dispatch::domain::ids::derive(command("open"), "timer", 1));
    txn.command = Some((id, Digest::of(b"")));
    let error = stand.refused(&txn).await.to_string();
    assert_eq!(error, "the transaction is malformed: command id: expected a UUIDv7");
}

async fn one_command_sent_by_sixteen_callers_at_once_takes_effect_once(stand: Stand) {
    stand.done(&stand.txn("begin").await).await;
    let mut txn = stand.txn("open").await;
    txn.ops = vec![put_numbered("case/1", "opened", "number/2024-12-26")];
    let sending = (0..16).map(|_| stand.done(&txn));
    let receipts = futures_util::future::join_all(sending).await;
    assert_eq!(receipts.iter().filter(|r| !r.replayed).count(), 1);
    assert!(receipts.iter().all(|r| r.seq == 2 && r.counts == [1]));
    assert_eq!(stand.log().await.len(), 2);
}

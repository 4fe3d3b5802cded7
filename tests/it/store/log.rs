//! The log: one per territory, without a gap, whoever writes.

use std::collections::BTreeSet;

use sas_dispatch::store::StoreError;

use super::stand::{Stand, add, put_numbered};

super::on_every_engine! {
    sixty_four_callers_leave_a_gapless_log_and_numbers_without_collisions
    the_log_is_read_in_pages
    a_waiter_is_woken_by_the_next_event_and_not_kept_for_ever
}

async fn sixty_four_callers_leave_a_gapless_log_and_numbers_without_collisions(stand: Stand) {
    stand.done(&stand.txn("begin").await).await;
    let mut intake = Vec::new();
    for caller in 0..64 {
        let mut mine = Vec::new();
        for n in 0..5 {
            let mut txn = stand.txn(&format!("call {caller} {n}")).await;
            txn.ops = vec![put_numbered(&format!("case/{caller}-{n}"), "opened", "number/d"), add("open", n, "x")];
            mine.push(txn);
        }
        intake.push(mine);
    }
    let stand = &stand;
    let calls = intake.iter().map(|mine| async move {
        let mut receipts = Vec::new();
        for txn in mine {
            receipts.push(stand.done(txn).await);
        }
        receipts
    });
    let receipts: Vec<_> = futures_util::future::join_all(calls).await.into_iter().flatten().collect();
    assert_eq!(receipts.iter().map(|r| r.seq).collect::<BTreeSet<_>>(), (2..=321).collect());
    assert_eq!(receipts.iter().map(|r| r.counts[0]).collect::<BTreeSet<_>>(), (1..=320).collect());
    let seqs: Vec<u64> = stand.log().await.into_iter().map(|(seq, _)| seq).collect();
    assert_eq!(seqs, (1..=321).collect::<Vec<_>>());
}

async fn the_log_is_read_in_pages(stand: Stand) {
    for n in 1..=5 {
        stand.done(&stand.txn(&format!("{n}")).await).await;
    }
    let mut seen = Vec::new();
    loop {
        let page = stand.store.log(&stand.territory, seen.last().copied().unwrap_or(0), 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 2);
        seen.extend(page.iter().map(|e| e.seq));
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
    assert_eq!(stand.store.log(&stand.territory, u64::MAX, 1).await, Ok(Vec::new()));
}

async fn a_waiter_is_woken_by_the_next_event_and_not_kept_for_ever(stand: Stand) {
    let began: Result<(), StoreError> = stand.store.wait(&stand.territory, 0).await;
    assert_eq!(began, Ok(()), "without news it returns after a while");
    let first = stand.txn("first").await;
    let (woken, _) = tokio::join!(stand.store.wait(&stand.territory, 0), stand.done(&first));
    assert_eq!(woken, Ok(()));
    let mut seq = 0;
    while seq == 0 {
        stand.store.wait(&stand.territory, 0).await.unwrap();
        seq = stand.log().await.last().map_or(0, |entry| entry.0);
    }
    assert_eq!(seq, 1);
}

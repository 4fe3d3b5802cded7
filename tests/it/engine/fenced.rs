//! Another history answers: everything remembered of the first one is dropped, and nobody decides by it any more.

use std::{path::Path, pin::pin, sync::Arc, time::Duration};

use futures_util::StreamExt;
use sas_dispatch::{
    domain::{case::Command, regulation::qualification::Priority},
    engine::{Change, Failure, Options, Target, WatchFilter},
    store::{
        Store, StoreError,
        fence::{FenceOptions, Fenced, kept::Keeper, restore},
    },
    telemetry::Metrics,
};

use super::desk::{Desk, regulator};
use crate::{
    domain::stage::{self, arm},
    store::{
        fence::backups::{copy_of, put_back},
        stand::{Stand, redis_at},
    },
    support::redis::Server,
};

async fn fenced(server: &Server, stand: &Stand, folder: &Path) -> Arc<dyn Store> {
    let inner = redis_at(&server.url(), stand.clock.clone()).await;
    let keeper = Some(Keeper::open(folder, "it").unwrap());
    let (clock, every) = (stand.clock.clone(), Duration::from_secs(3_600));
    Fenced::over(
        inner,
        FenceOptions {
            keeper,
            every,
            clock,
            metrics: Metrics::silent(),
            promised: sas_dispatch::store::Durability::D1,
        },
    )
}

/// Two instances with a fence each, and one without, which is gone by the end of the story.
async fn room(server: &Server, folder: &Path) -> (Desk, Desk) {
    let stand = Stand::beside(server).await;
    let stores = [fenced(server, &stand, folder).await, fenced(server, &stand, folder).await];
    let gone = Desk::new(Stand::beside(server).await);
    // Its commands are others than those of the first desk, which are made in the same order.
    (0..100).for_each(|_| {
        gone.mutation();
    });
    (Desk::over(stand, stores, Options::default()), gone)
}

#[tokio::test]
async fn what_was_remembered_of_a_lost_tail_decides_nothing() {
    let (mut server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let (desk, gone) = room(&server, folder.path()).await;
    let case = desk.qualified(Priority::P2).await;
    let old = copy_of(&server).await;
    gone.give(&regulator(7), Some(case), Command::Claim).await.unwrap();
    // Both instances have seen the claim, and a console has a token from behind it.
    let watched = desk.b.watch(&regulator(1), None, WatchFilter::All).await.unwrap();
    let mut watched = pin!(watched);
    let token = loop {
        if let Change::SnapshotDone(token) = watched.next().await.unwrap().unwrap() {
            break token;
        }
    };
    for engine in [&desk.a, &desk.b] {
        let (view, _) = engine.read_case(&regulator(1), case, 0).await.unwrap();
        assert!(view.case.claim.is_some());
        let log = desk.stand.store.log(&desk.stand.territory, 0, 10).await.unwrap();
        assert_eq!(log.len(), 3);
    }
    put_back(&mut server, old.path());

    let claimed = desk.give(&regulator(1), Some(case), Command::Claim).await.unwrap();
    assert_eq!(claimed.seq, 3, "the claim of the lost tail holds nobody up");
    let (view, _) = desk.b.read_case(&regulator(2), case, 0).await.unwrap();
    assert_eq!(view.case.claim.as_ref().unwrap().by, regulator(1).person);
    let resumed = desk.b.watch(&regulator(1), Some(token), WatchFilter::All).await.unwrap();
    let first = pin!(resumed).next().await.unwrap().unwrap();
    assert!(matches!(first, Change::Reset(_)), "an old token does not resume: {first:?}");
    let told = async { while !matches!(watched.next().await.unwrap().unwrap(), Change::Reset(_)) {} };
    tokio::time::timeout(Duration::from_secs(30), told).await.expect("a console that watches is told to begin anew");
    let other = desk.b.act(&regulator(2), desk.mutation(), Target::case(case), Command::Claim).await;
    assert!(matches!(other, Err(Failure::Refused(_))), "one of them holds it: {other:?}");
    desk.clean().await;
}

#[tokio::test]
async fn a_vital_call_is_taken_while_everything_else_waits_for_the_operator() {
    let (mut server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let (desk, _) = room(&server, folder.path()).await;
    let case = desk.qualified(Priority::P2).await;
    let old = copy_of(&server).await;
    desk.qualified(Priority::P1).await;
    put_back(&mut server, old.path());

    let refused = desk.give(&regulator(1), Some(case), Command::Claim).await.unwrap_err();
    assert!(matches!(&refused, Failure::Store(StoreError::Behind { acknowledged: 4, head: 2, .. })), "{refused}");
    assert!(refused.to_string().contains("sas-dispatch restore"), "{refused}");
    assert_eq!(desk.read(case).await.case.id, case, "reading goes on");
    let mut open = stage::call(desk.stand.clock.now());
    open.vital = true;
    let vital = desk.give(&arm(), None, Command::Open(Box::new(open))).await.unwrap();
    assert_eq!(vital.seq, 3);
    let again = desk.give(&regulator(1), Some(case), Command::Claim).await;
    assert!(matches!(again, Err(Failure::Store(StoreError::Behind { .. }))), "{again:?}");

    let territory = &desk.stand.territory;
    let store = redis_at(&server.url(), desk.stand.clock.clone()).await;
    restore::restore(store.as_ref(), territory, &[], false).await.unwrap();
    desk.give(&regulator(1), Some(case), Command::Claim).await.unwrap();
    desk.clean().await;
}

#[tokio::test]
async fn a_command_that_took_effect_through_another_instance_is_answered_while_writes_are_refused() {
    let (mut server, folder) = (Server::start("always"), tempfile::tempdir().unwrap());
    let (desk, gone) = room(&server, folder.path()).await;
    let case = desk.qualified(Priority::P2).await;
    let old = copy_of(&server).await;
    desk.qualified(Priority::P1).await;
    put_back(&mut server, old.path());
    // It has seen nothing of what was lost, and stops before it can answer.
    let claims = gone.mutation();
    gone.a.act(&regulator(1), claims, Target::case(case), Command::Claim).await.unwrap();

    let told = desk.a.act(&regulator(1), claims, Target::case(case), Command::Claim).await.unwrap();
    assert_eq!((told.seq, told.replayed, told.reply.claim_no), (3, true, Some(1)), "he holds it, and is told so");
    let gives_back = Command::Release { claim_no: 1, may_wait: None };
    let refused = desk.give(&regulator(1), Some(case), gives_back).await;
    assert!(matches!(refused, Err(Failure::Store(StoreError::Behind { .. }))), "{refused:?}");
    // A vital call is taken although the store has gone back; its answer is lost, and it comes again.
    let (mut open, calls) = (stage::call(desk.stand.clock.now()), desk.mutation());
    open.vital = true;
    let open = Command::Open(Box::new(open));
    let first = desk.a.act(&arm(), calls, Target::default(), open.clone()).await.unwrap();
    let again = desk.b.act(&arm(), calls, Target::default(), open).await.unwrap();
    assert_eq!((first.reply.case, first.seq, again.replayed), (again.reply.case, again.seq, true));
}

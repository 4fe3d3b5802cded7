//! A site that moves to another engine works on there as if nothing had happened.

use sas_dispatch::{
    domain::{
        case::Command,
        regulation::qualification::{Priority, Stream},
        time::Span,
    },
    engine::Target,
    store::dump::{Broken, Head, Page},
};

use super::desk::{Desk, regulator};
use crate::{
    domain::stage::{self, arm},
    store::{on_every_engine, stand::Stand},
};

on_every_engine! {
    a_site_that_moved_answers_repeats_keeps_claims_and_counts_on
}

/// Puts all of the desk's territory into an empty stand, one epoch later.
async fn moves(desk: &Desk, to: Stand) -> Stand {
    to.clock.advance_to(desk.stand.clock.now());
    let mut dump = desk.stand.whole.dump(&desk.stand.territory).await.unwrap().unwrap();
    let head = dump.head();
    let mut load = to.whole.load(&to.territory, Head { epoch: head.epoch + 1, ..head }, Broken::Refuse).await.unwrap();
    while let Page::Rows(rows) = dump.next().await.unwrap() {
        load.add(rows).await.unwrap();
    }
    load.finish().await.unwrap();
    to
}

async fn a_site_that_moved_answers_repeats_keeps_claims_and_counts_on(stand: Stand) {
    let old = Desk::new(Stand::embedded().await);
    old.slot(Span::from_hours(2)).await;
    let (routed, decision) = old.decided().await;
    let waiting = old.qualified(Priority::P2).await;
    let open = old.mutation();
    let call = Command::Open(Box::new(stage::call(old.stand.clock.now())));
    let first = old.a.act(&arm(), open, Target::default(), call.clone()).await.unwrap();
    let claim = old.a.claim_next(&regulator(1), old.mutation(), Stream::Snp).await.unwrap();
    assert_eq!(claim.reply.case, Some(waiting));
    let new = Desk::new(moves(&old, stand).await);
    new.clean().await;
    let again = new.a.act(&arm(), open, Target::default(), call).await.unwrap();
    assert_eq!((again.seq, again.reply.case, again.replayed), (first.seq, first.reply.case, true));
    new.stand.pass(Span::from_secs(20));
    new.b.renew_claim(&regulator(1), waiting, claim.reply.claim_no.unwrap()).await.unwrap();
    new.stand.pass(Span::from_secs(15));
    assert_eq!(new.a.upkeep_once().await.unwrap(), 0, "the lease runs on from its renewal");
    new.stand.pass(Span::from_secs(15));
    assert_eq!(new.a.upkeep_once().await.unwrap(), 1, "and ends where nobody renews it");
    let (_, more) = (new.mutation(), new.mutation());
    let open = Command::Open(Box::new(stage::call(new.stand.clock.now())));
    let next = new.a.act(&arm(), more, Target::default(), open).await.unwrap();
    assert_eq!(next.case.unwrap().number, Some(4), "the fourth case of the day");
    let offer = new.a.advance(&stage::coordinator(), new.mutation(), Target::case(routed), decision).await;
    assert!(offer.unwrap().reply.offer.is_some(), "routing goes on where it stood");
    new.clean().await;
}

//! What falls due: fired once by whichever instance comes first; a lease that ends, a hold that ends, a crash between.

use sas_dispatch::{
    domain::{
        case::{
            ActionKind, Command, OfferState,
            command::{OfferAnswer, Timer},
        },
        ids::{CaseId, DecisionId, OfferId},
        regulation::qualification::{Priority, Stream},
        routing::{Means, WhyNot},
        time::Span,
    },
    engine::{List, Mutation, Options, PageRequest, Target},
    store::{Digest, Index, Member, Op, Txn, due_command},
};

use super::desk::{Desk, regulator};
use crate::{
    domain::stage::{arm, coordinator, text, upkeep},
    store::{on_every_engine, stand::Stand},
    support::gate::Gate,
};

on_every_engine! {
    two_instances_fire_a_timer_once
    a_lease_that_ends_makes_a_case_suspect_and_then_everybodys
    a_renewed_lease_does_not_end
    a_hold_that_ends_rings_and_takes_no_other_slot
    a_crash_between_an_expiry_and_the_next_option_leaves_an_open_action
    timers_that_are_refused_hide_none_behind_them
    lease_time_stands_still_while_nobody_can_renew
    a_timer_whose_receipt_stands_there_already_still_rings
}

async fn two_instances_fire_a_timer_once(stand: Stand) {
    let desk = Desk::new(stand);
    let case = desk.qualified(Priority::P2).await;
    desk.stand.pass(Span::from_mins(15));
    let (a, b) = tokio::join!(desk.a.upkeep_once(), desk.b.upkeep_once());
    assert!(a.unwrap() + b.unwrap() >= 1);
    assert_eq!(desk.a.upkeep_once().await.unwrap(), 0, "nothing is left to fire");
    let fired = desk.log().await.iter().filter(|event| event.command == "Fire").count();
    assert_eq!(fired, 1);
    assert!(desk.read(case).await.case.open_action(ActionKind::ReEvaluate).is_some());
    desk.clean().await;
}

async fn waiting(desk: &Desk) -> usize {
    let page = PageRequest { size: 10, ..PageRequest::default() };
    desk.b.list(&regulator(1), List::Queue(Stream::Snp), page).await.unwrap().items.len()
}

async fn a_lease_that_ends_makes_a_case_suspect_and_then_everybodys(stand: Stand) {
    let desk = Desk::new(stand);
    let case = desk.qualified(Priority::P3).await;
    let claim = desk.a.claim_next(&regulator(1), desk.mutation(), Stream::Snp).await.unwrap();
    desk.stand.pass(Span::from_secs(29));
    assert_eq!(desk.b.upkeep_once().await.unwrap(), 0);
    desk.stand.pass(Span::from_secs(1));
    assert_eq!(desk.b.upkeep_once().await.unwrap(), 1);
    assert!(desk.read(case).await.case.claim.as_ref().unwrap().suspect.is_some());
    assert_eq!(waiting(&desk).await, 0, "shown, and not for the queue to give away");
    let late = desk.a.renew_claim(&regulator(1), case, claim.reply.claim_no.unwrap()).await.unwrap_err();
    assert!(late.to_string().contains("resume it first"), "{late}");
    desk.stand.pass(Span::from_secs(90));
    assert_eq!(desk.b.upkeep_once().await.unwrap(), 1);
    assert_eq!(waiting(&desk).await, 1);
    let next = desk.a.claim_next(&regulator(2), desk.mutation(), Stream::Snp).await.unwrap();
    assert_eq!((next.reply.case, next.reply.claim_no), (Some(case), Some(2)));
    desk.clean().await;
}

async fn a_renewed_lease_does_not_end(stand: Stand) {
    let desk = Desk::new(stand);
    let case = desk.qualified(Priority::P3).await;
    desk.a.claim_next(&regulator(1), desk.mutation(), Stream::Snp).await.unwrap();
    for _ in 0..6 {
        desk.stand.pass(Span::from_secs(20));
        desk.b.renew_claim(&regulator(1), case, 1).await.unwrap();
        assert_eq!(desk.a.upkeep_once().await.unwrap(), 0);
    }
    let stranger = desk.a.renew_claim(&regulator(2), case, 1).await.unwrap_err();
    assert_eq!(stranger, sas_dispatch::domain::case::Refusal::NotHolderWordless.into());
    desk.clean().await;
}

/// Goes on until a slot is held: whoever is rung before says no.
async fn held(desk: &Desk, case: CaseId, decision: DecisionId) -> OfferId {
    for _ in 0..20 {
        let target = Target::case(case);
        let offer = desk.a.advance(&coordinator(), desk.mutation(), target, decision).await.unwrap().reply.offer;
        let offer = offer.expect("a slot of Dr Marée is free");
        if matches!(desk.read(case).await.case.offer(offer).unwrap().means, Means::Slot { .. }) {
            return offer;
        }
        let answer = OfferAnswer::Declined;
        desk.done(&coordinator(), case, Command::AnswerOffer { offer, answer }).await;
    }
    panic!("no slot was ever held");
}

async fn a_hold_that_ends_rings_and_takes_no_other_slot(stand: Stand) {
    let desk = Desk::new(stand);
    desk.slot(Span::from_hours(1)).await;
    desk.slot(Span::from_hours(2)).await;
    let (case, decision) = desk.decided().await;
    let held = held(&desk, case, decision).await;
    desk.stand.pass(Span::from_secs(180));
    desk.b.upkeep_once().await.unwrap();
    let after = desk.read(case).await.case;
    let closed = &after.offer(held).unwrap().state;
    assert!(matches!(closed, OfferState::Closed { why: WhyNot::Expired, .. }), "{closed:?}");
    assert!(
        after.offers.iter().all(|offer| offer.state != OfferState::Open),
        "nobody has told the patient of the first"
    );
    assert!(after.open_action(ActionKind::Route).unwrap().alarmed().is_some());
    let target = Target::case(case);
    let next = desk.a.advance(&coordinator(), desk.mutation(), target, decision).await.unwrap().reply.offer.unwrap();
    let after = desk.read(case).await.case;
    assert_ne!(after.offer(next).unwrap().means, after.offer(held).unwrap().means);
    desk.clean().await;
}

async fn a_crash_between_an_expiry_and_the_next_option_leaves_an_open_action(stand: Stand) {
    let desk = Desk::new(stand);
    desk.slot(Span::from_hours(1)).await;
    let (case, decision) = desk.decided().await;
    held(&desk, case, decision).await;
    desk.stand.pass(Span::from_secs(180));
    // The instance that fires the timer dies before it goes on: the same commit, and nothing after it.
    let action = desk.read(case).await.case.open_action(ActionKind::ConfirmSlot).unwrap().id;
    let fire = Command::Fire(Timer::Action(action));
    desk.a.act(&upkeep(), desk.mutation(), Target::case(case), fire).await.unwrap();
    let route = desk.read(case).await.case.open_action(ActionKind::Route).cloned().expect("somebody has to go on");
    desk.clean().await;
    desk.stand.pass(route.deadline.since(desk.stand.clock.now()));
    desk.b.upkeep_once().await.unwrap();
    let seen = desk.read(case).await.case;
    let alarmed = seen.open_action(ActionKind::Route).is_some_and(|action| action.alarmed().is_some());
    assert!(alarmed, "nobody went on, and it is not silent");
    desk.clean().await;
}

async fn timers_that_are_refused_hide_none_behind_them(stand: Stand) {
    let desk = Desk::with(stand, Options { timers_per_round: 4, ..Options::default() });
    let case = desk.qualified(Priority::P2).await;
    // Entries of actions that the case does not have, as a fault would leave them, before the one that counts.
    let epoch = desk.stand.store.read(&desk.stand.territory, &[], None).await.unwrap().epoch;
    let mut planted = Txn::touch(desk.stand.territory.clone(), epoch, desk.stand.clock.now());
    let due = desk.stand.clock.now().unix_ms();
    let stray = |n: u128| Member(format!("action/{case}/{}", uuid::Uuid::from_u128(n)));
    planted.ops = (1..=9).map(|n| Op::IndexAdd(Index::timers(), due, stray(n))).collect();
    desk.stand.done(&planted).await;
    desk.stand.pass(Span::from_mins(15));
    assert_eq!(desk.a.upkeep_once().await.unwrap(), 1);
    assert!(desk.read(case).await.case.open_action(ActionKind::ReEvaluate).is_some());
}

async fn lease_time_stands_still_while_nobody_can_renew(mut stand: Stand) {
    let gate = Gate::before(stand.store.clone());
    stand.store = gate.clone();
    let desk = Desk::new(stand);
    let case = desk.qualified(Priority::P3).await;
    let claim = desk.a.claim_next(&regulator(1), desk.mutation(), Stream::Snp).await.unwrap();
    desk.stand.pass(Span::from_secs(10));
    assert_eq!(desk.b.upkeep_once().await.unwrap(), 0);
    gate.set_down(true);
    desk.stand.pass(Span::from_secs(60));
    desk.b.upkeep_once().await.unwrap_err();
    gate.set_down(false);
    assert_eq!(desk.b.upkeep_once().await.unwrap(), 0, "20 s of the lease are left, as before the outage");
    desk.stand.pass(Span::from_secs(19));
    assert_eq!(desk.b.upkeep_once().await.unwrap(), 0);
    desk.b.renew_claim(&regulator(1), case, claim.reply.claim_no.unwrap()).await.unwrap();
    desk.stand.pass(Span::from_secs(100));
    assert_eq!(desk.b.upkeep_once().await.unwrap(), 1, "whoever renews no more loses it in the end");
    assert!(desk.read(case).await.case.claim.as_ref().unwrap().suspect.is_some());
    desk.clean().await;
}

/// Found by reading: an alarm that was taken back and set to the same deadline again was never raised any more.
async fn a_timer_whose_receipt_stands_there_already_still_rings(stand: Stand) {
    let desk = Desk::new(stand);
    let case = desk.qualified(Priority::P2).await;
    let action = desk.read(case).await.case.open_action(ActionKind::Regulate).cloned().unwrap();
    let cause = format!("{}/action/{case}/{}/{}", Index::timers(), action.id, action.deadline.unix_ms());
    let mutation = Mutation { command_id: due_command(&cause, action.deadline), digest: Digest::of(cause.as_bytes()) };
    desk.stand.pass(Span::from_mins(15));
    let other = Command::AddNote(text("sous le même numéro"));
    desk.a.act(&arm(), mutation, Target::case(case), other).await.unwrap();
    assert_eq!(desk.a.upkeep_once().await.unwrap(), 1);
    let late = desk.read(case).await.case.open_action(ActionKind::Regulate).cloned().unwrap();
    assert_eq!(late.alarmed(), Some(desk.stand.clock.now()));
    assert_eq!(desk.a.upkeep_once().await.unwrap(), 0, "and once");
    desk.clean().await;
}

//! Of the slots of a doctor of his own no two share time, whichever instances publish them.

use sas_dispatch::{
    domain::{
        case::{Command, Refusal},
        ids::SlotId,
        slots::SlotKind,
        time::{Instant, Span},
    },
    engine::{Done, Engine, Failure, Options, Target},
};

use super::desk::Desk;
use crate::{
    domain::stage::{SAS, SAS_DOCTOR, doctor},
    store::{on_every_engine, stand::Stand},
    support::gate::Gate,
};

on_every_engine! {
    of_two_slots_in_one_time_published_at_once_on_two_instances_one_is_refused
    slots_side_by_side_published_at_once_are_all_taken
    a_slot_that_another_instance_has_only_just_published_or_moved_is_known
}

async fn publishes(
    desk: &Desk,
    engine: &Engine,
    slot: Option<SlotId>,
    (start, end): (Instant, Instant),
) -> Result<Done, Failure> {
    let (responder, kind) = (SAS.parse().unwrap(), SlotKind::Snp);
    let publish = Command::PublishSlot { slot, responder, kind, start, end };
    engine.act(&doctor(SAS_DOCTOR), desk.mutation(), Target::default(), publish).await
}

fn minutes(from: Instant, begins: i64, ends: i64) -> (Instant, Instant) {
    (from + Span::from_mins(begins), from + Span::from_mins(ends))
}

fn of_the_other(refused: &Failure) -> bool {
    matches!(refused, Failure::Refused(Refusal::State { what, .. }) if what == "slot")
}

async fn of_two_slots_in_one_time_published_at_once_on_two_instances_one_is_refused(stand: Stand) {
    let desk = Desk::new(stand);
    let now = desk.stand.clock.now();
    for nth in 1..=12 {
        desk.stand.pass(Span::from_secs(1));
        let (one, other) = (minutes(now, 60 * nth, 60 * nth + 20), minutes(now, 60 * nth + 10, 60 * nth + 30));
        // The hour has a slot already, or none.
        if nth % 2 == 0 {
            publishes(&desk, &desk.a, None, minutes(now, 60 * nth + 40, 60 * nth + 50)).await.unwrap();
        }
        let both = tokio::join!(publishes(&desk, &desk.a, None, one), publishes(&desk, &desk.b, None, other));
        let refused = match both {
            (Ok(_), Err(refused)) | (Err(refused), Ok(_)) => refused,
            both => panic!("one of two, the {nth}th time: {both:?}"),
        };
        assert!(of_the_other(&refused), "{refused:?}");
    }
    desk.clean().await;
}

async fn slots_side_by_side_published_at_once_are_all_taken(stand: Stand) {
    let desk = Desk::new(stand);
    let now = desk.stand.clock.now();
    let publish = |nth: i64| {
        let engine = if nth % 2 == 0 { &desk.a } else { &desk.b };
        publishes(&desk, engine, None, minutes(now, 60 + 20 * nth, 80 + 20 * nth))
    };
    let all = futures_util::future::join_all((0..12).map(publish)).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    desk.clean().await;
}

async fn a_slot_that_another_instance_has_only_just_published_or_moved_is_known(stand: Stand) {
    let gate = Gate::before(stand.store.clone());
    let stores = [stand.store.clone(), gate.clone()];
    let desk = Desk::over(stand, stores, Options::default());
    let now = desk.stand.clock.now();
    let old = publishes(&desk, &desk.b, None, minutes(now, 60, 80)).await.unwrap().reply.slot;
    // What the second instance has followed ends here.
    gate.hold_log_at(desk.stand.store.read(&desk.stand.territory, &[], None).await.unwrap().seq);
    publishes(&desk, &desk.a, old, minutes(now, 300, 320)).await.unwrap();
    publishes(&desk, &desk.a, None, minutes(now, 180, 200)).await.unwrap();
    for (begins, ends) in [(190, 210), (310, 330), (170, 181)] {
        let refused = publishes(&desk, &desk.b, None, minutes(now, begins, ends)).await.unwrap_err();
        assert!(of_the_other(&refused), "{begins}: {refused:?}");
    }
    publishes(&desk, &desk.b, None, minutes(now, 60, 80)).await.expect("that slot was moved away");
    gate.hold_log_at(u64::MAX);
    desk.clean().await;
}

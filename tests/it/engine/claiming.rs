//! Many regulators at one queue: each case once, in strict order; and who loses a race is told the truth.

use std::{collections::BTreeSet, sync::Arc};

use sas_dispatch::{
    domain::{
        case::{Command, Fact, Refusal},
        ids::CaseId,
        regulation::{
            qualification::{Priority, Stream},
            queue,
        },
        routing::Means,
        time::Span,
    },
    engine::{Failure, Target},
};

use super::desk::{Desk, regulator};
use crate::{
    domain::stage::{SAS, Stage, coordinator},
    store::{on_every_engine, stand::Stand},
};

on_every_engine! {
    sixteen_regulators_take_sixty_cases_each_once_and_in_strict_order
    of_two_who_want_one_slot_one_gets_it
}

async fn sixteen_regulators_take_sixty_cases_each_once_and_in_strict_order(stand: Stand) {
    let desk = Arc::new(Desk::new(stand));
    let mut order = Vec::new();
    for n in 0..60 {
        let priority = [Priority::P2, Priority::P1, Priority::P3][n % 3];
        let case = desk.qualified(priority).await;
        let due = desk.read(case).await.case.qualification.as_ref().unwrap().due;
        order.push(((queue::class(priority), due, case.to_string()), case));
        desk.stand.pass(Span::from_ms(7));
    }
    order.sort();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..16 {
        let desk = desk.clone();
        tasks.spawn(async move {
            let engine = if n % 2 == 0 { &desk.a } else { &desk.b };
            let mut taken: Vec<CaseId> = Vec::new();
            let mut mutation = desk.mutation();
            loop {
                match engine.claim_next(&regulator(n), mutation, Stream::Snp).await {
                    Ok(done) => match done.reply.case {
                        Some(case) => taken.push(case),
                        None => return taken,
                    },
                    Err(Failure::Busy) => continue,
                    Err(failure) => panic!("{failure}"),
                }
                mutation = desk.mutation();
            }
        });
    }
    let taken: Vec<CaseId> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!((taken.len(), taken.iter().collect::<BTreeSet<_>>().len()), (60, 60));
    let claimed = |event: sas_dispatch::domain::case::Event| {
        event.facts.iter().any(|fact| matches!(fact, Fact::Claimed { .. })).then_some(event.case).flatten()
    };
    let logged: Vec<CaseId> = desk.log().await.into_iter().filter_map(claimed).collect();
    assert_eq!(logged, order.into_iter().map(|(_, case)| case).collect::<Vec<_>>(), "class, due, arrival");
    desk.clean().await;
}

async fn of_two_who_want_one_slot_one_gets_it(stand: Stand) {
    let desk = Desk::new(stand);
    let slot = desk.slot(Span::from_hours(2)).await;
    let (start, end) = (desk.stand.clock.now() + Span::from_hours(2), desk.stand.clock.now() + Span::from_mins(140));
    let mut plan = Stage::new().plan(Some((SAS, Means::Slot { slot, start, end })));
    plan.at = desk.stand.clock.now();
    let (first, second) = (desk.decided().await, desk.decided().await);
    let advance = |(_, decision)| Command::Advance { decision, plan: Box::new(plan.clone()) };
    let chloe = coordinator();
    let (won, lost) = tokio::join!(
        desk.a.act(&chloe, desk.mutation(), Target::case(first.0), advance(first)),
        desk.b.act(&chloe, desk.mutation(), Target::case(second.0), advance(second)),
    );
    let refused = |result: &Result<_, Failure>| matches!(result, Err(Failure::Refused(Refusal::State { what, .. })) if what == "slot");
    assert!(won.is_ok() != lost.is_ok(), "{won:?} {lost:?}");
    assert!(refused(&won.map(|_| ())) || refused(&lost.map(|_| ())));
    desk.clean().await;
}

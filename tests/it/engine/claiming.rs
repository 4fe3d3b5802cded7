//! Many regulators at one queue: each case once, in strict order; and who loses a race is told the truth.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use sas_dispatch::{
    domain::{
        actor::Role,
        case::{Command, Fact, Refusal},
        ids::CaseId,
        regulation::{
            need::CareType,
            qualification::{Priority, Stream},
            queue,
        },
        routing::Means,
        time::Span,
    },
    engine::{Failure, Options, Target},
    store::Store,
};

use super::desk::{Desk, regulator};
use crate::{
    domain::stage::{self, GP, GP_DOCTOR, SAS, Stage, coordinator},
    store::{on_every_engine, stand::Stand},
    support::gate::Gate,
};

on_every_engine! {
    sixteen_regulators_take_sixty_cases_each_once_and_in_strict_order
    of_two_who_want_one_slot_one_gets_it
    whoever_may_not_take_the_first_takes_the_most_urgent_of_the_others
    a_signature_does_not_wait_for_a_roster_that_is_not_read
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

async fn whoever_may_not_take_the_first_takes_the_most_urgent_of_the_others(stand: Stand) {
    let desk = Desk::new(stand);
    let before_all = desk.qualified(Priority::P1).await;
    desk.stand.pass(Span::from_ms(5));
    // Dr Colombage's practice is being asked when the case becomes urgent: he may not regulate it.
    let (his, decision) = desk.decided().await;
    let plan = Box::new(stage::plan_at(desk.stand.clock.now(), Some((GP, Means::Ring))));
    desk.done(&coordinator(), his, Command::Advance { decision, plan }).await;
    let urgent = Command::Qualify(Box::new(stage::qualify(Priority::P1)));
    desk.done(&stage::arm(), his, urgent).await;
    let deferred = desk.qualified(Priority::P2).await;
    // Instance B reads the queue once; then a P1 comes in elsewhere.
    let first = desk.b.claim_next(&regulator(1), desk.mutation(), Stream::Snp).await.unwrap();
    assert_eq!(first.reply.case, Some(before_all));
    desk.stand.pass(Span::from_ms(5));
    let newest = desk.qualified(Priority::P1).await;

    let colombage = stage::someone(GP_DOCTOR, Role::Regulator);
    let taken = desk.b.claim_next(&colombage, desk.mutation(), Stream::Snp).await.unwrap();
    assert_eq!(taken.reply.case, Some(newest), "a P2 is not taken before a P1");
    let taken = desk.b.claim_next(&colombage, desk.mutation(), Stream::Snp).await.unwrap();
    assert_eq!(taken.reply.case, Some(deferred));
    let taken = desk.b.claim_next(&regulator(2), desk.mutation(), Stream::Snp).await.unwrap();
    assert_eq!(taken.reply.case, Some(his), "the first of all is there for everybody else");
    desk.clean().await;
}

async fn a_signature_does_not_wait_for_a_roster_that_is_not_read(stand: Stand) {
    let gate = Gate::before(stand.store.clone());
    let stores = [stand.store.clone(), gate.clone() as Arc<dyn Store>];
    let desk = Desk::over(stand, stores, Options::default());
    let anne = regulator(1);
    desk.a.start_duty(&anne, desk.mutation(), desk.hospital_duty()).await.unwrap();
    let waiting = desk.qualified(Priority::P2).await;
    desk.done(&anne, waiting, Command::Claim).await;
    let vital = desk.qualified(Priority::P0).await;
    desk.done(&anne, vital, Command::AcceptHandOver).await;
    // The other instance knows nothing of who regulates, and its log does not come.
    gate.hold_log_at(0);
    for (case, care) in [(vital, CareType::Amu), (waiting, CareType::Advice)] {
        let need = Command::SignNeed(Box::new(stage::sign(1, care)));
        let signs = desk.b.act(&anne, desk.mutation(), Target::case(case), need);
        let signed = tokio::time::timeout(Duration::from_secs(5), signs).await;
        signed.expect("nobody is kept on the line for a roster").unwrap();
    }
    gate.hold_log_at(u64::MAX);
    desk.clean().await;
}

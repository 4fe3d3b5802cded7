//! A doctor is on duty once at a time and on one visit at a time, whichever instance he asks.

use sas_dispatch::{
    domain::{
        actor::Role,
        case::{Command, Refusal, command::StartDuty},
        ids::{CaseId, OfferId, ShiftId},
        regulation::{
            need::CareType,
            qualification::{Priority, Stream},
        },
        time::{Instant, Span},
    },
    engine::{Done, Engine, Failure, Options, Target},
    store::{Index, Op, Txn},
};

use super::desk::{Desk, regulator};
use crate::{
    domain::stage::{self, SECTOR, SOS, SOS_DOCTOR, coordinator, doctor, visit_means},
    store::{on_every_engine, stand::Stand},
    support::{gate::Gate, redis::until},
};

on_every_engine! {
    of_two_shifts_entered_at_once_on_two_instances_one_is_refused
    of_a_duty_and_a_shift_of_one_person_entered_at_once_one_is_refused
    a_duty_is_refused_for_a_shift_that_another_instance_has_only_just_entered_and_the_other_way_round
    a_doctor_whose_shift_ran_out_on_a_visit_takes_no_other_in_his_next_one
    a_shift_entered_a_moment_ago_at_another_instance_is_known_when_a_visit_is_taken_in_it
    a_shift_that_an_older_binary_left_in_the_doctors_list_locks_nobody_out
    a_shift_that_was_never_ended_locks_nobody_out_of_a_later_one
    whoever_makes_visits_takes_no_case_at_any_instance
    of_a_shift_and_a_claim_of_one_person_at_once_one_is_refused
}

async fn opens(desk: &Desk, engine: &Engine, (start, end): (Instant, Instant)) -> Result<Done, Failure> {
    let (responder, sectors) = (SOS.parse().unwrap(), vec![SECTOR.parse().unwrap()]);
    let open = Command::OpenShift { responder, sectors, start, end, position: None, doctor: None };
    engine.act(&doctor(SOS_DOCTOR), desk.mutation(), Target::default(), open).await
}

async fn regulates(desk: &Desk, engine: &Engine, (from, until): (Instant, Instant)) -> Result<Done, Failure> {
    let duty = StartDuty { from, until, ..desk.hospital_duty() };
    engine.start_duty(&stage::someone(SOS_DOCTOR, Role::Regulator), desk.mutation(), duty).await
}

fn refused_of(both: (Result<Done, Failure>, Result<Done, Failure>)) -> Failure {
    match both {
        (Ok(_), Err(refused)) | (Err(refused), Ok(_)) => refused,
        both => panic!("one of two: {both:?}"),
    }
}

/// Found by reading: each looked at what its own instance remembered of the other.
async fn of_a_duty_and_a_shift_of_one_person_entered_at_once_one_is_refused(stand: Stand) {
    let desk = Desk::new(stand);
    let now = desk.stand.clock.now();
    for day in 0..12 {
        desk.stand.pass(Span::from_secs(1));
        let hours = (now + Span::from_hours(24 * day), now + Span::from_hours(24 * day + 8));
        let shift_at = if day % 3 == 0 { &desk.a } else { &desk.b };
        let (duty, shift) = (regulates(&desk, &desk.a, hours), opens(&desk, shift_at, hours));
        let both = if day % 2 == 0 {
            tokio::join!(duty, shift)
        } else {
            let (shift, duty) = tokio::join!(shift, duty);
            (duty, shift)
        };
        let refused = refused_of(both);
        assert!(matches!(refused, Failure::Refused(Refusal::State { .. })), "day {day}: {refused:?}");
    }
    let free = now + Span::from_hours(24 * 20);
    opens(&desk, &desk.a, (free, free + Span::from_hours(8))).await.unwrap();
    desk.clean().await;
}

async fn a_duty_is_refused_for_a_shift_that_another_instance_has_only_just_entered_and_the_other_way_round(
    stand: Stand,
) {
    let gate = Gate::before(stand.store.clone());
    let stores = [stand.store.clone(), gate.clone()];
    let desk = Desk::over(stand, stores, Options::default());
    let now = desk.stand.clock.now();
    let day = |n: i64| (now + Span::from_hours(24 * n), now + Span::from_hours(24 * n + 8));
    // What the second instance has followed, roster and shifts, ends here.
    regulates(&desk, &desk.b, day(0)).await.unwrap();
    opens(&desk, &desk.b, day(1)).await.unwrap();
    gate.hold_log_at(desk.stand.store.read(&desk.stand.territory, &[], None).await.unwrap().seq);
    opens(&desk, &desk.a, day(2)).await.unwrap();
    regulates(&desk, &desk.a, day(3)).await.unwrap();
    let late = [regulates(&desk, &desk.b, day(2)).await, opens(&desk, &desk.b, day(3)).await];
    for refused in late.map(Result::unwrap_err) {
        assert!(matches!(refused, Failure::Refused(Refusal::State { .. })), "{refused:?}");
    }
    gate.hold_log_at(u64::MAX);
    desk.clean().await;
}

async fn of_two_shifts_entered_at_once_on_two_instances_one_is_refused(stand: Stand) {
    let desk = Desk::new(stand);
    let now = desk.stand.clock.now();
    for day in 0..12 {
        desk.stand.pass(Span::from_secs(1));
        let (start, hours) = (now + Span::from_hours(24 * day), Span::from_hours(8));
        let later = start + Span::from_hours(2);
        let both =
            tokio::join!(opens(&desk, &desk.a, (start, start + hours)), opens(&desk, &desk.b, (later, later + hours)));
        let refused = match both {
            (Ok(_), Err(refused)) | (Err(refused), Ok(_)) => refused,
            both => panic!("one of two, on day {day}: {both:?}"),
        };
        assert!(matches!(&refused, Failure::Refused(Refusal::State { what, .. }) if what == "shift"), "{refused:?}");
    }
    desk.clean().await;
}

/// A visit of SOS Médecins that is offered to the doctors on duty.
async fn offered(desk: &Desk) -> (CaseId, OfferId) {
    let case = desk.qualified(Priority::P2).await;
    let claim_no = desk.done(&regulator(1), case, Command::Claim).await.reply.claim_no.unwrap();
    let decision = desk.signs(&regulator(1), (case, claim_no), CareType::HomeVisit).await;
    let plan = Box::new(stage::plan_at(desk.stand.clock.now(), Some((SOS, visit_means()))));
    let advance = Command::Advance { decision, plan };
    (case, desk.done(&coordinator(), case, advance).await.reply.offer.unwrap())
}

async fn a_doctor_whose_shift_ran_out_on_a_visit_takes_no_other_in_his_next_one(stand: Stand) {
    let desk = Desk::new(stand);
    let begun = desk.stand.clock.now();
    let (end, next) = (begun + Span::from_hours(1), begun + Span::from_hours(9));
    let on =
        async |from, until| -> ShiftId { opens(&desk, &desk.a, (from, until)).await.unwrap().reply.shift.unwrap() };
    let (first, second) = (on(begun, end).await, on(end, next).await);
    let (case, offer) = offered(&desk).await;
    desk.done(&doctor(SOS_DOCTOR), case, Command::TakeVisit { offer, shift: first }).await;
    desk.stand.pass(Span::from_mins(61));
    let (other, offer) = offered(&desk).await;
    for engine in [&desk.a, &desk.b] {
        let take = Command::TakeVisit { offer, shift: second };
        let refused = engine.act(&doctor(SOS_DOCTOR), desk.mutation(), Target::case(other), take).await.unwrap_err();
        assert!(refused.to_string().contains("on a visit in another shift"), "{refused}");
    }
    desk.clean().await;
}

async fn a_shift_entered_a_moment_ago_at_another_instance_is_known_when_a_visit_is_taken_in_it(stand: Stand) {
    let gate = Gate::before(stand.store.clone());
    let stores = [stand.store.clone(), gate.clone()];
    let desk = Desk::over(stand, stores, Options::default());
    let begun = desk.stand.clock.now();
    let shift = |from, until| opens(&desk, &desk.a, (from, until));
    let first = shift(begun, begun + Span::from_hours(1)).await.unwrap().reply.shift.unwrap();
    let (case, offer) = offered(&desk).await;
    desk.done(&doctor(SOS_DOCTOR), case, Command::TakeVisit { offer, shift: first }).await;
    desk.stand.pass(Span::from_mins(61));
    let (other, offer) = offered(&desk).await;
    // What the second instance has followed ends here.
    let in_the_first = Command::TakeVisit { offer, shift: first };
    desk.b.act(&doctor(SOS_DOCTOR), desk.mutation(), Target::case(other), in_the_first).await.unwrap_err();
    gate.hold_log_at(desk.stand.store.read(&desk.stand.territory, &[], None).await.unwrap().seq);
    let now = desk.stand.clock.now();
    let second = shift(now, now + Span::from_hours(8)).await.unwrap().reply.shift.unwrap();
    let take = Command::TakeVisit { offer, shift: second };
    let (person, mutation) = (doctor(SOS_DOCTOR), desk.mutation());
    let before = gate.reads();
    let takes = desk.b.act(&person, mutation, Target::case(other), take);
    let follows = async {
        until("it asks how far the log is", async || gate.reads() > before).await;
        gate.hold_log_at(u64::MAX);
    };
    let refused = tokio::join!(takes, follows).0.unwrap_err();
    assert!(refused.to_string().contains("on a visit in another shift"), "{refused}");
    desk.clean().await;
}

async fn a_shift_that_an_older_binary_left_in_the_doctors_list_locks_nobody_out(stand: Stand) {
    let desk = Desk::new(stand);
    let now = desk.stand.clock.now();
    let shift = opens(&desk, &desk.a, (now, now + Span::from_hours(1))).await.unwrap().reply.shift.unwrap();
    let person = doctor(SOS_DOCTOR);
    let list = Index::shifts_of(&person.person);
    let listed = desk.stand.store.range(&desk.stand.territory, &list, None, 9).await.unwrap().entries;
    desk.give(&person, None, Command::EndShift(shift)).await.unwrap();
    let (score, member) = listed[0].clone();
    let left = Op::IndexAdd(list, score, member);
    desk.stand.done(&Txn { ops: vec![left], ..desk.stand.touch().await }).await;
    for engine in [&desk.b, &Desk::engine(&desk.stand, Options::default())] {
        let from = desk.stand.clock.now();
        desk.stand.pass(Span::from_hours(2));
        opens(&desk, engine, (from + Span::from_hours(2), from + Span::from_hours(3))).await.unwrap();
        desk.stand.pass(Span::from_hours(2));
    }
}

async fn a_shift_that_was_never_ended_locks_nobody_out_of_a_later_one(stand: Stand) {
    let desk = Desk::new(stand);
    let now = desk.stand.clock.now();
    opens(&desk, &desk.a, (now, now + Span::from_hours(8))).await.unwrap();
    desk.stand.pass(Span::from_hours(24 * 9));
    let (fresh, now) = (Desk::engine(&desk.stand, Options::default()), desk.stand.clock.now());
    opens(&desk, &fresh, (now, now + Span::from_hours(8))).await.unwrap();
    let again = opens(&desk, &fresh, (now + Span::from_hours(1), now + Span::from_hours(9))).await.unwrap_err();
    assert!(matches!(&again, Failure::Refused(Refusal::State { what, .. }) if what == "shift"), "{again:?}");
    desk.clean().await;
}

async fn takes(desk: &Desk, engine: &Engine, case: Option<CaseId>) -> Result<Done, Failure> {
    let (who, mutation) = (stage::someone(SOS_DOCTOR, Role::Regulator), desk.mutation());
    match case {
        Some(case) => engine.act(&who, mutation, Target::case(case), Command::Claim).await,
        None => engine.claim_next(&who, mutation, Stream::Snp).await,
    }
}

async fn whoever_makes_visits_takes_no_case_at_any_instance(stand: Stand) {
    let desk = Desk::new(stand);
    let now = desk.stand.clock.now();
    let case = desk.qualified(Priority::P2).await;
    let hours = (now, now + Span::from_hours(8));
    let shift = opens(&desk, &desk.a, hours).await.unwrap().reply.shift.unwrap();
    // The second instance has never looked at a shift.
    let fresh = Desk::engine(&desk.stand, Options::default());
    for engine in [&desk.a, &desk.b, &fresh] {
        for which in [Some(case), None] {
            let refused = takes(&desk, engine, which).await.unwrap_err();
            assert!(refused.to_string().contains("makes visits"), "{which:?}: {refused}");
        }
    }
    desk.give(&doctor(SOS_DOCTOR), None, Command::EndShift(shift)).await.unwrap();
    let taken = takes(&desk, &desk.b, None).await.unwrap();
    assert_eq!(taken.reply.case, Some(case));
    for engine in [&desk.a, &desk.b, &fresh] {
        let refused = opens(&desk, engine, hours).await.unwrap_err();
        assert!(refused.to_string().contains(&case.to_string()), "it names the case: {refused}");
    }
    let (claim_no, who) = (taken.reply.claim_no.unwrap(), stage::someone(SOS_DOCTOR, Role::Regulator));
    desk.done(&who, case, Command::Release { claim_no, may_wait: None }).await;
    opens(&desk, &fresh, hours).await.unwrap();
    desk.clean().await;
}

async fn of_a_shift_and_a_claim_of_one_person_at_once_one_is_refused(stand: Stand) {
    let desk = Desk::new(stand);
    for round in 0..8 {
        let now = desk.stand.clock.now();
        let case = desk.qualified(Priority::P2).await;
        let which = (round % 2 == 0).then_some(case);
        let (shift, claim) = tokio::join!(
            opens(&desk, &desk.a, (now, now + Span::from_hours(1))),
            takes(&desk, if round < 4 { &desk.a } else { &desk.b }, which)
        );
        assert!(shift.is_ok() != claim.is_ok(), "round {round}: {shift:?} {claim:?}");
        match (shift, claim) {
            (Ok(shift), _) => {
                let over = Command::EndShift(shift.reply.shift.unwrap());
                desk.give(&doctor(SOS_DOCTOR), None, over).await.unwrap();
                takes(&desk, &desk.a, Some(case)).await.unwrap();
            }
            (_, claim) => drop(claim),
        }
        let who = stage::someone(SOS_DOCTOR, Role::Regulator);
        let claim_no = desk.done(&who, case, Command::AddNote(stage::text("vu"))).await.case.unwrap().case.last_claim;
        let advice = Command::SignNeed(Box::new(stage::sign(claim_no, CareType::Advice)));
        desk.done(&who, case, advice).await;
    }
    desk.clean().await;
}

//! A doctor is on duty once at a time and on one visit at a time, whichever instance he asks.

use sas_dispatch::{
    domain::{
        case::{Command, Refusal},
        ids::{CaseId, OfferId, ShiftId},
        regulation::{need::CareType, qualification::Priority},
        time::{Instant, Span},
    },
    engine::{Done, Engine, Failure, Target},
};

use super::desk::{Desk, regulator};
use crate::{
    domain::stage::{self, SECTOR, SOS, SOS_DOCTOR, coordinator, doctor, visit_means},
    store::{on_every_engine, stand::Stand},
};

on_every_engine! {
    of_two_shifts_entered_at_once_on_two_instances_one_is_refused
    a_doctor_whose_shift_ran_out_on_a_visit_takes_no_other_in_his_next_one
}

async fn opens(desk: &Desk, engine: &Engine, (start, end): (Instant, Instant)) -> Result<Done, Failure> {
    let (responder, sectors) = (SOS.parse().unwrap(), vec![SECTOR.parse().unwrap()]);
    let open = Command::OpenShift { responder, sectors, start, end, position: None };
    engine.act(&doctor(SOS_DOCTOR), desk.mutation(), Target::default(), open).await
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

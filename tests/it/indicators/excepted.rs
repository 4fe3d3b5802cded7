//! Exceptions to independence count when they are used: once for each case, and apart where only the roster is concerned.

use std::collections::{BTreeMap, BTreeSet};

use sas_dispatch::domain::{
    actor::Role,
    case::{
        Command,
        command::{OfferAnswer, StartDuty},
    },
    ids::{CaseId, OfferId},
    indicators::{Day, Projection},
    regulation::{independence::Exception, need::CareType, qualification::Stream, room::Affiliation},
    routing::Means,
    time::Span,
};

use super::kept::rules;
use crate::domain::stage::{GP, GP_DOCTOR, SOS_DOCTOR, Stage, coordinator, doctor, someone};

const CONVENTION: &str = "Convention 2024-03, article 7";

fn excepting(person: &str) -> Stage {
    let mut stage = Stage::new();
    let (from, until) = (stage.now - Span::from_hours(1), stage.now + Span::from_hours(24));
    let (person, convention) = (person.parse().unwrap(), CONVENTION.to_owned());
    stage.territory.regulation.independence_exceptions = vec![Exception { person, convention, from, until }];
    stage
}

/// The GP regulates a case, and his own practice is rung for it.
fn rung(stage: &mut Stage) -> (CaseId, OfferId) {
    let gp = someone(GP_DOCTOR, Role::Regulator);
    let (case, claim) = stage.held_by(&gp);
    let decision = stage.need(&gp, case, claim, CareType::Consultation);
    stage.answer(&gp, case, claim, decision, CareType::Consultation);
    (case, stage.offered(case, decision, GP, Means::Ring))
}

fn told(stage: &Stage) -> Day {
    let mut projection = Projection::new(rules(stage), false);
    stage.log.iter().for_each(|event| projection.tell(event));
    let [day] = projection.dates()[..] else { panic!("{:?}", projection.dates()) };
    projection.day(day, &stage.directory).unwrap()
}

fn uses(person: &str, times: u64) -> BTreeMap<(sas_dispatch::domain::ids::PersonId, String), u64> {
    BTreeMap::from([((person.parse().unwrap(), CONVENTION.to_owned()), times)])
}

#[test]
fn a_practice_that_was_merely_asked_has_used_no_exception() {
    let mut stage = excepting(GP_DOCTOR);
    let (case, offer) = rung(&mut stage);
    stage.done(&coordinator(), case, Command::AnswerOffer { offer, answer: OfferAnswer::Declined });
    assert_eq!(told(&stage).excepted, BTreeMap::new());
}

#[test]
fn an_exception_is_used_once_for_each_case_whoever_writes_the_acceptance_down() {
    let mut stage = excepting(GP_DOCTOR);
    let (case, offer) = rung(&mut stage);
    stage.accepted(&coordinator(), case, offer);
    assert_eq!(told(&stage).excepted, uses(GP_DOCTOR, 1), "a coordinator heard his yes");
    let (case, offer) = rung(&mut stage);
    stage.accepted(&doctor(GP_DOCTOR), case, offer);
    let day = told(&stage);
    assert_eq!((day.excepted, day.rostered), (uses(GP_DOCTOR, 2), BTreeMap::new()), "he said so himself");
}

#[test]
fn who_regulates_and_visits_in_the_same_hours_uses_it_on_the_roster_without_a_case() {
    let mut stage = excepting(SOS_DOCTOR);
    let shift = stage.on_duty(SOS_DOCTOR);
    let (from, until) = (stage.now, stage.now + Span::from_hours(4));
    let (person, skills, shifts) = (Some(SOS_DOCTOR.parse().unwrap()), BTreeSet::new(), vec![shift]);
    let affiliation = Affiliation::Liberal;
    let duty = StartDuty { person, stream: Stream::Snp, skills, affiliation, from, until, shifts };
    let chief = crate::domain::stage::supervisor();
    stage.give(&chief, None, &Command::StartDuty(Box::new(duty))).unwrap();
    let day = told(&stage);
    assert_eq!((day.excepted, day.rostered.clone()), (BTreeMap::new(), uses(SOS_DOCTOR, 1)));
    // The day is made final with it, cases or none.
    let mut projection = Projection::new(rules(&stage), false);
    stage.log.iter().for_each(|event| projection.tell(event));
    let settled = projection.settle(stage.now + Span::from_hours(24 * 6), &stage.directory);
    assert_eq!(settled.len(), 1);
    let kept = projection.day(settled[0], &stage.directory).unwrap();
    assert!(kept.settled && kept.rostered == day.rostered, "{kept:?}");
}

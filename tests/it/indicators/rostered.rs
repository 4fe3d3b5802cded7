//! What the roster and a responder's own decision change in the counts.

use std::collections::BTreeSet;

use sas_dispatch::domain::{
    actor::Role,
    case::{Command, Event, Fact, Refusal, command::StartDuty},
    directory::Directory,
    indicators::{Affiliation, Counts, Filter, Projection, Rules},
    regulation::{
        decision::{CounterReason, CounterRegulation},
        need::CareType,
        qualification::Stream,
        room::Affiliation as OnAccountOf,
    },
    time::Span,
};

use crate::domain::stage::{SOS, Stage, arm, regulator, someone};

fn on_duty(stage: &mut Stage, affiliation: OnAccountOf) -> Result<(), Refusal> {
    let (person, stream, skills, from) = (None, Stream::Snp, BTreeSet::new(), stage.now);
    let (until, shifts) = (from + Span::from_hours(8), Vec::new());
    let duty = StartDuty { person, stream, skills, affiliation, from, until, shifts };
    stage.give(&regulator(), None, &Command::StartDuty(Box::new(duty))).map(drop)
}

fn counted(stage: &Stage, log: &[Event]) -> Counts {
    let rules = Rules {
        zone: stage.territory.calendar.zone(),
        thresholds: vec![Span::from_secs(60)],
        early: Span::from_secs(15),
        settle: Span::from_hours(96),
        baseline_acts_per_100: 92.5,
    };
    let mut projection = Projection::new(rules, false);
    log.iter().for_each(|event| projection.tell(event));
    let day = projection.dates().pop().unwrap();
    projection.day(day, &stage.directory).unwrap().counts(Filter::default())
}

#[test]
fn a_case_counts_for_those_on_whose_account_its_doctor_was_on_duty() {
    let mut stage = Stage::new();
    stage.decided(CareType::Consultation);
    on_duty(&mut stage, OnAccountOf::Hospital).unwrap();
    stage.decided(CareType::Consultation);
    let regulators = counted(&stage, &stage.log).regulators;
    assert_eq!(regulators.get(&Affiliation::Hospital), Some(&1), "{regulators:?}");
    assert_eq!(regulators.values().sum::<u64>(), 2);
}

#[test]
fn an_association_regulates_only_under_a_convention() {
    let mut stage = Stage::new();
    let refused = on_duty(&mut stage, OnAccountOf::Association).unwrap_err();
    assert!(refused.to_string().contains("convention"), "{refused}");
    let mut responders: Vec<_> = stage.directory.iter().cloned().collect();
    responders[0].conventions.own_regulation = true;
    stage.directory = Directory::new(responders.clone());
    let refused = on_duty(&mut stage, OnAccountOf::Association).unwrap_err();
    assert!(refused.to_string().contains("of no association"), "another's convention is none of his: {refused}");
    responders[0].doctors.push(regulator().person);
    stage.directory = Directory::new(responders);
    on_duty(&mut stage, OnAccountOf::Association).unwrap();
    stage.decided(CareType::Consultation);
    assert_eq!(counted(&stage, &stage.log).regulators.get(&Affiliation::Association), Some(&1));
}

#[test]
fn an_answer_that_a_responder_changed_is_counted_once() {
    let mut stage = Stage::new();
    let (case, decision) = stage.decided(CareType::Consultation);
    stage.decided(CareType::Consultation);
    let mut log = stage.log.clone();
    let last = log.last().unwrap().clone();
    let counter = CounterRegulation {
        care: CareType::Advice,
        reasons: vec![CounterReason::Better],
        by: regulator().person,
        at: last.at,
    };
    log.push(Event { case: Some(case), facts: vec![Fact::CounterRegulated { decision, counter }], ..last });
    assert_eq!((counted(&stage, &log).counter_regulated, counted(&stage, &stage.log).counter_regulated), (1, 0));
}

/// Without a roster the signature has the convention's word, whatever kind of responder the doctor is elsewhere.
#[test]
fn a_doctor_of_an_association_under_convention_signs_for_it() {
    let sources = |id: &str, own_regulation: bool| {
        let mut stage = Stage::new();
        let mut responders: Vec<_> = stage.directory.iter().cloned().collect();
        let gp = responders.iter_mut().find(|known| known.id.as_str() == id).unwrap();
        gp.conventions.own_regulation = own_regulation;
        let doctor = someone(gp.doctors[0].as_str(), Role::Regulator);
        stage.directory = sas_dispatch::domain::directory::Directory::new(responders);
        let (case, claim) = stage.held_by(&doctor);
        stage.need(&doctor, case, claim, CareType::Advice);
        let signed = stage.case(case).decisions[0].signed.source;
        (signed, counted(&stage, &stage.log).regulators.into_keys().collect::<Vec<_>>())
    };
    for id in ["gp-67-houblon", SOS] {
        assert_eq!(sources(id, true), (Some(OnAccountOf::Association), vec![Affiliation::Association]), "{id}");
        assert_eq!(sources(id, false), (None, vec![Affiliation::Liberal]), "the directory guesses afterwards: {id}");
    }
}

/// The case that it was first linked to counted as called again for good.
#[test]
fn a_case_that_is_linked_to_another_calls_the_first_again_no_longer() {
    let mut stage = Stage::new();
    let (first, second) = (stage.called(), stage.called());
    stage.pass(Span::from_mins(30));
    let (again, other) = (stage.called(), stage.called());
    let called_again = |stage: &Stage| counted(stage, &stage.log).called_again[0];
    stage.done(&arm(), again, Command::LinkRepeat(first));
    assert_eq!(called_again(&stage), 1);
    stage.done(&arm(), again, Command::LinkRepeat(second));
    assert_eq!(called_again(&stage), 1, "the one it is linked to now");
    stage.done(&arm(), other, Command::LinkRepeat(first));
    assert_eq!(called_again(&stage), 2);
    stage.done(&arm(), other, Command::LinkRepeat(second));
    assert_eq!(called_again(&stage), 1);
}

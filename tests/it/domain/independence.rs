//! Whoever regulated a case does not give its care, in either order, unless a dated convention says so (invariant 6).

use sas_dispatch::domain::{
    case::{ActionKind, Command, End, Fact, Refusal},
    regulation::{independence::Exception, need::CareType},
    routing::Means,
    time::Span,
};

use super::stage::{
    GP, GP_DOCTOR, SOS, SOS_DOCTOR, Stage, coordinator, doctor, regulator, someone, upkeep, visit_means,
};
use sas_dispatch::domain::actor::{Actor, Role};

/// A SOS doctor who regulates today.
fn sos_regulator() -> Actor {
    someone(SOS_DOCTOR, Role::Regulator)
}

fn regulated_by(stage: &mut Stage, actor: &Actor, care: CareType) -> sas_dispatch::domain::ids::CaseId {
    let (case, claim) = stage.held_by(actor);
    let decision = stage.need(actor, case, claim, care);
    stage.answer(actor, case, claim, decision, care);
    case
}

#[test]
fn the_regulator_does_not_take_the_visit_but_a_colleague_may() {
    let mut stage = Stage::new();
    let case = regulated_by(&mut stage, &sos_regulator(), CareType::HomeVisit);
    let decision = stage.case(case).decisions[0].id;
    let offer = stage.offered(case, decision, SOS, visit_means());
    let shift = stage.on_duty(SOS_DOCTOR);
    let own = Command::TakeVisit { offer, shift };
    assert_eq!(stage.refused(&doctor(SOS_DOCTOR), case, own), Refusal::Independence);
    let colleague = stage.on_duty("dr-67-sos-brume");
    stage.done(&doctor("dr-67-sos-brume"), case, Command::TakeVisit { offer, shift: colleague });
}

#[test]
fn a_patient_is_not_sent_to_the_practice_of_the_regulator() {
    let mut stage = Stage::new();
    let case = regulated_by(&mut stage, &someone(GP_DOCTOR, Role::Regulator), CareType::Consultation);
    let decision = stage.case(case).decisions[0].id;
    let plan = Box::new(stage.plan(Some((GP, Means::Ring))));
    assert_eq!(stage.refused(&coordinator(), case, Command::Advance { decision, plan }), Refusal::Independence);
}

#[test]
fn a_dated_convention_allows_it_and_the_log_keeps_which() {
    let mut stage = Stage::new();
    let (from, until) = (stage.now - Span::from_hours(1), stage.now + Span::from_hours(1));
    let convention = "Convention 2024-03, article 7".to_owned();
    let person = SOS_DOCTOR.parse().unwrap();
    stage.territory.regulation.independence_exceptions = vec![Exception { person, convention, from, until }];
    let case = regulated_by(&mut stage, &sos_regulator(), CareType::HomeVisit);
    let decision = stage.case(case).decisions[0].id;
    let offer = stage.offered(case, decision, SOS, visit_means());
    let shift = stage.on_duty(SOS_DOCTOR);
    stage.done(&doctor(SOS_DOCTOR), case, Command::TakeVisit { offer, shift });
    let named =
        stage.log.last().unwrap().facts.iter().any(
            |fact| matches!(fact, Fact::Excepted { convention, .. } if convention == "Convention 2024-03, article 7"),
        );
    assert!(named);
}

#[test]
fn a_convention_that_is_over_allows_nothing() {
    let mut stage = Stage::new();
    let (from, until) = (stage.now - Span::from_hours(1), stage.now + Span::from_hours(1));
    let (person, convention) = (SOS_DOCTOR.parse().unwrap(), "Convention 2024-03".to_owned());
    stage.territory.regulation.independence_exceptions = vec![Exception { person, convention, from, until }];
    stage.now = until;
    let case = regulated_by(&mut stage, &sos_regulator(), CareType::HomeVisit);
    let decision = stage.case(case).decisions[0].id;
    let offer = stage.offered(case, decision, SOS, visit_means());
    let shift = stage.on_duty(SOS_DOCTOR);
    let expired = Command::TakeVisit { offer, shift };
    assert_eq!(stage.refused(&doctor(SOS_DOCTOR), case, expired), Refusal::Independence);
}

/// Found by reading: the case was refused by the last line of defence, as a fault of the program.
#[test]
fn the_doctor_who_visited_does_not_regulate_the_case_afterwards() {
    let mut stage = Stage::new();
    let case = regulated_by(&mut stage, &regulator(), CareType::HomeVisit);
    let decision = stage.case(case).decisions[0].id;
    let offer = stage.offered(case, decision, SOS, visit_means());
    let shift = stage.on_duty(SOS_DOCTOR);
    stage.done(&doctor(SOS_DOCTOR), case, Command::TakeVisit { offer, shift });
    let action = stage.action(case, ActionKind::Visit).id;
    stage.done(&doctor(SOS_DOCTOR), case, Command::EndAction { action, end: End::Absent, note: None });
    assert_eq!(stage.refused(&sos_regulator(), case, Command::Claim), Refusal::Independence);
    stage.claim(&regulator(), case);
}

#[test]
fn a_gp_whose_practice_is_being_asked_does_not_regulate_the_case() {
    let mut stage = Stage::new();
    let case = regulated_by(&mut stage, &regulator(), CareType::Consultation);
    let decision = stage.case(case).decisions[0].id;
    stage.offered(case, decision, GP, Means::Ring);
    let claim = stage.case(case).last_claim;
    assert_eq!(claim, 1);
    stage.done(
        &super::stage::arm(),
        case,
        Command::Qualify(Box::new(super::stage::qualify(
            sas_dispatch::domain::regulation::qualification::Priority::P1,
        ))),
    );
    assert_eq!(stage.refused(&someone(GP_DOCTOR, Role::Regulator), case, Command::Claim), Refusal::Independence);
    let waiting = stage.action(case, ActionKind::RingGp);
    stage.now = waiting.deadline;
    stage.done(&upkeep(), case, Command::Fire(sas_dispatch::domain::case::command::Timer::Action(waiting.id)));
    stage.claim(&someone(GP_DOCTOR, Role::Regulator), case);
}

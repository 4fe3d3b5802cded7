//! Whoever regulated a case does not give its care, in either order, unless a dated convention says so (invariant 6).

use sas_dispatch::domain::{
    case::{ActionKind, Command, End, Fact, Refusal, command::OfferAnswer},
    ids::{CaseId, OfferId},
    regulation::{independence::Exception, need::CareType},
    routing::Means,
    time::Span,
};

use super::stage::{
    GP, GP_DOCTOR, SAS, SAS_COLLEAGUE, SAS_DOCTOR, SOS, SOS_DOCTOR, Stage, coordinator, doctor, regulator, someone,
    visit_means,
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
    stage.give(&doctor(SOS_DOCTOR), None, &Command::EndShift(shift)).unwrap();
    assert_eq!(stage.refused(&sos_regulator(), case, Command::Claim), Refusal::Independence);
    stage.claim(&regulator(), case);
}

/// A practice of two doctors has published a slot, and is asked to see the patient.
fn asked_of_two(stage: &mut Stage, by: &Actor) -> (CaseId, OfferId) {
    stage.sas_of_two();
    let case = regulated_by(stage, by, CareType::Consultation);
    let decision = stage.case(case).decisions[0].id;
    let (_, means) = stage.slot(Span::from_hours(1));
    (case, stage.offered(case, decision, SAS, means))
}

fn yes(offer: OfferId) -> Command {
    Command::AnswerOffer { offer, answer: OfferAnswer::Accepted { appointment: None } }
}

/// Found by reading: he could not accept the patient, and could record that he had seen him.
#[test]
fn a_doctor_of_several_who_regulated_does_not_see_the_patient() {
    let mut stage = Stage::new();
    let (case, offer) = asked_of_two(&mut stage, &someone(SAS_DOCTOR, Role::Regulator));
    assert_eq!(stage.refused(&doctor(SAS_DOCTOR), case, yes(offer)), Refusal::Independence);
    stage.done(&coordinator(), case, yes(offer));
    stage.pass(Span::from_hours(1));
    for seen in [true, false] {
        let attend = Command::Attend { offer, seen, counter: None };
        assert_eq!(stage.refused(&doctor(SAS_DOCTOR), case, attend), Refusal::Independence);
    }
    stage.done(&doctor(SAS_COLLEAGUE), case, Command::Attend { offer, seen: true, counter: None });
    assert_eq!(stage.case(case).responders, [(offer, SAS_COLLEAGUE.parse().unwrap())].into());
}

/// Found by reading: only who was alone in his practice, or had driven, was known for the care.
#[test]
fn a_doctor_of_several_who_gave_the_care_does_not_regulate_the_case_afterwards() {
    for (accepts, attends) in [(doctor(SAS_DOCTOR), coordinator()), (coordinator(), doctor(SAS_DOCTOR))] {
        let mut stage = Stage::new();
        let (case, offer) = asked_of_two(&mut stage, &regulator());
        stage.done(&accepts, case, yes(offer));
        stage.pass(Span::from_hours(1));
        stage.done(&attends, case, Command::Attend { offer, seen: true, counter: None });
        let again = super::stage::qualify(sas_dispatch::domain::regulation::qualification::Priority::P2);
        stage.done(&super::stage::arm(), case, Command::Qualify(Box::new(again)));
        assert_eq!(stage.refused(&someone(SAS_DOCTOR, Role::Regulator), case, Command::Claim), Refusal::Independence);
        stage.claim(&someone(SAS_COLLEAGUE, Role::Regulator), case);
    }
}

/// Found by reading: at night he was the only regulator, and what he had accepted by day had been taken back at once.
#[test]
fn who_had_accepted_what_was_taken_back_regulates_the_case() {
    let mut stage = Stage::new();
    let (case, offer) = asked_of_two(&mut stage, &regulator());
    stage.done(&doctor(SAS_DOCTOR), case, yes(offer));
    let again = super::stage::qualify(sas_dispatch::domain::regulation::qualification::Priority::P2);
    stage.done(&super::stage::arm(), case, Command::Qualify(Box::new(again)));
    let himself = someone(SAS_DOCTOR, Role::Regulator);
    assert_eq!(stage.refused(&himself, case, Command::Claim), Refusal::Independence);
    let reason = super::stage::text("le patient ne peut pas venir");
    stage.done(&coordinator(), case, Command::Cancel { offer, reason });
    stage.claim(&himself, case);
}

/// As an older binary left it: nobody is named, and nothing is told that was not.
#[test]
fn a_case_of_an_older_binary_names_nobody_who_gave_care() {
    let mut stage = Stage::new();
    let case = regulated_by(&mut stage, &regulator(), CareType::Consultation);
    let stored = serde_json::to_value(stage.case(case)).unwrap();
    assert!(stored.get("responders").is_none());
    let read: sas_dispatch::domain::case::Case = serde_json::from_value(stored).unwrap();
    assert!(read.responders.is_empty() && read.unknown.is_empty());
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
    let answer = sas_dispatch::domain::case::command::OfferAnswer::Unreachable;
    let offer = stage.case(case).offers[0].id;
    stage.done(&coordinator(), case, Command::AnswerOffer { offer, answer });
    stage.claim(&someone(GP_DOCTOR, Role::Regulator), case);
}

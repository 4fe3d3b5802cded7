//! Every action has an owner and a deadline that alarms; every bad end opens something for a regulator (invariant 2).

use sas_dispatch::domain::{
    case::{
        ActionKind, Command, End, Refusal,
        command::{OfferAnswer, Timer},
        transfer::TransferAct,
    },
    ids::CaseId,
    regulation::{
        need::CareType,
        qualification::{Priority, Stream},
    },
    routing::Means,
    time::Span,
};

use super::stage::{
    GP, SAS, SAS_DOCTOR, SOS, SOS_DOCTOR, Stage, arm, coordinator, doctor, other_regulator, qualify, regulator, text,
    upkeep, visit_means,
};

#[test]
fn a_late_p2_raises_an_alarm_and_is_asked_how_the_patient_is() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    let action = stage.action(case, ActionKind::Regulate);
    stage.pass(Span::from_mins(14));
    let early = stage.refused(&upkeep(), case, Command::Fire(Timer::Action(action.id)));
    assert!(early.to_string().contains("nothing is due"));
    stage.late(case, ActionKind::Regulate);
    assert_eq!(stage.action(case, ActionKind::Regulate).alarmed(), Some(stage.now));
    assert!(stage.waits(case, ActionKind::ReEvaluate));
    let twice = stage.refused(&upkeep(), case, Command::Fire(Timer::Action(action.id)));
    assert!(matches!(twice, Refusal::State { .. }), "a second tick loses");
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P1))));
    assert_eq!(stage.action(case, ActionKind::Regulate).alarmed(), None, "its new deadline alarms again");
}

/// Found by reading: the front line was told to ring a caller who was speaking with the doctor.
#[test]
fn who_is_late_and_in_a_doctors_hands_is_asked_again_only_when_he_gives_the_case_back() {
    for given_back in [true, false] {
        let mut stage = Stage::new();
        let case = stage.qualified(Priority::P2);
        let claim_no = stage.claim(&regulator(), case);
        stage.late(case, ActionKind::Regulate);
        assert!(stage.action(case, ActionKind::Regulate).alarmed().is_some(), "the room sees that it is late");
        assert!(!stage.waits(case, ActionKind::ReEvaluate));
        if given_back {
            stage.done(&regulator(), case, Command::Release { claim_no, may_wait: None });
        } else {
            stage.done(&upkeep(), case, Command::Fire(Timer::Lease));
            stage.pass(Span::from_mins(10));
            stage.done(&upkeep(), case, Command::Fire(Timer::Suspect));
        }
        assert!(stage.waits(case, ActionKind::ReEvaluate), "given back: {given_back}");
    }
}

/// Found by reading: what was late in a doctor's hands and was then sent on was never asked again.
#[test]
fn who_is_late_and_sent_on_is_asked_while_the_others_have_not_answered() {
    let reorient = |claim_no| Command::Reorient { claim_no, stream: Stream::Amu, reason: text("avis") };
    let transfer = |claim_no| {
        let (claim_no, to) = (Some(claim_no), "fr-89".parse().unwrap());
        Command::Transfer(Box::new(TransferAct::Send { claim_no, to, reason: text("son secteur") }))
    };
    let ways: [&dyn Fn(u64) -> Command; 2] = [&reorient, &transfer];
    for send in ways {
        let mut stage = Stage::new();
        let case = stage.qualified(Priority::P2);
        let claim_no = stage.claim(&regulator(), case);
        stage.late(case, ActionKind::Regulate);
        stage.done(&regulator(), case, send(claim_no));
        assert!(stage.waits(case, ActionKind::ReEvaluate));
    }
}

#[test]
fn who_was_asked_again_is_not_asked_once_more_because_a_doctor_looked() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    stage.late(case, ActionKind::Regulate);
    let action = stage.action(case, ActionKind::ReEvaluate).id;
    stage.done(&arm(), case, Command::EndAction { action, end: End::Done, note: None });
    let claim_no = stage.claim(&regulator(), case);
    stage.done(&regulator(), case, Command::Release { claim_no, may_wait: None });
    assert!(!stage.waits(case, ActionKind::ReEvaluate));
}

/// Found by reading: a decided case came back to the queue because nobody had reached an interpreter.
#[test]
fn an_interpreter_who_is_not_found_calls_no_doctor_once_one_has_decided() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    stage.done(&arm(), case, Command::CallInterpreter { language: Some("ar".to_owned()) });
    let claim_no = stage.claim(&regulator(), case);
    let decision = stage.need(&regulator(), case, claim_no, CareType::Consultation);
    stage.answer(&regulator(), case, claim_no, decision, CareType::Consultation);
    assert!(!stage.waits(case, ActionKind::Interpreter), "the doctor has understood");
    stage.done(&coordinator(), case, Command::CallInterpreter { language: Some("ar".to_owned()) });
    stage.late(case, ActionKind::Interpreter);
    assert!(!stage.waits(case, ActionKind::Regulate), "the desk is told, and goes on");
}

/// A case in which one action of this kind waits.
fn waiting(stage: &mut Stage, kind: ActionKind) -> CaseId {
    let care = match kind {
        ActionKind::DeliverPrescription => CareType::PhonePrescription,
        ActionKind::AwaitReport => CareType::Ambulance,
        ActionKind::FollowUp => CareType::OtherResource,
        ActionKind::Visit => CareType::HomeVisit,
        _ => CareType::Consultation,
    };
    let (case, claim) = stage.held_by(&regulator());
    let decision = stage.need(&regulator(), case, claim, care);
    if care.needs_supply() {
        stage.answer(&regulator(), case, claim, decision, care);
    }
    match kind {
        ActionKind::Visit => {
            let offer = stage.offered(case, decision, SOS, visit_means());
            let shift = stage.on_duty(SOS_DOCTOR);
            stage.done(&doctor(SOS_DOCTOR), case, Command::TakeVisit { offer, shift });
        }
        ActionKind::ReturnOfInformation => {
            let (_, means) = stage.slot(Span::from_hours(1));
            let offer = stage.offered(case, decision, SAS, means);
            stage.accepted(&doctor(SAS_DOCTOR), case, offer);
            stage.done(&doctor(SAS_DOCTOR), case, Command::Attend { offer, seen: true, counter: None });
        }
        _ => {}
    }
    case
}

#[test]
fn each_bad_end_of_each_kind_of_action_comes_to_a_regulator() {
    let kinds = [
        ActionKind::Route,
        ActionKind::Visit,
        ActionKind::DeliverPrescription,
        ActionKind::AwaitReport,
        ActionKind::ReturnOfInformation,
        ActionKind::FollowUp,
    ];
    for kind in kinds {
        for end in [End::Refused, End::Unreachable, End::NoShow, End::Absent, End::Undelivered] {
            let mut stage = Stage::new();
            let case = waiting(&mut stage, kind);
            let action = stage.action(case, kind).id;
            stage.done(&coordinator(), case, Command::EndAction { action, end, note: None });
            assert!(stage.waits(case, ActionKind::Regulate), "{kind} {end}");
            assert!(!stage.waits(case, kind), "{kind} {end}");
            stage.claim(&regulator(), case);
        }
    }
}

#[test]
fn a_deadline_that_passes_alarms_and_the_action_stays() {
    let kinds = [ActionKind::Route, ActionKind::DeliverPrescription, ActionKind::AwaitReport, ActionKind::FollowUp];
    for kind in kinds {
        let mut stage = Stage::new();
        let case = waiting(&mut stage, kind);
        stage.late(case, kind);
        assert_eq!(stage.action(case, kind).alarmed(), Some(stage.now), "{kind}");
    }
}

#[test]
fn a_good_end_is_the_end_and_only_once() {
    let mut stage = Stage::new();
    let case = waiting(&mut stage, ActionKind::DeliverPrescription);
    let action = stage.action(case, ActionKind::DeliverPrescription).id;
    let end = |end| Command::EndAction { action, end, note: None };
    for own in [End::Expired, End::Replaced] {
        assert!(matches!(stage.refused(&coordinator(), case, end(own)), Refusal::Fields(_)), "the service's own word");
    }
    assert!(matches!(stage.refused(&arm(), case, end(End::Done)), Refusal::Role { .. }), "it is the coordinators'");
    stage.done(&coordinator(), case, end(End::Done));
    assert!(matches!(stage.refused(&coordinator(), case, end(End::Done)), Refusal::State { .. }));
    assert!(stage.case(case).idle_since.is_some());
}

#[test]
fn what_ends_by_another_act_is_not_ended_by_saying_so() {
    let mut stage = Stage::new();
    let (case, decision) = stage.decided(CareType::Consultation);
    let offer = stage.offered(case, decision, GP, Means::Ring);
    let refused = |stage: &mut Stage, case, kind| {
        for end in [End::Done, End::Refused] {
            let action = stage.action(case, kind).id;
            let refusal = stage.refused(&regulator(), case, Command::EndAction { action, end, note: None });
            assert!(matches!(refusal, Refusal::State { .. }), "{kind} {end}");
        }
    };
    refused(&mut stage, case, ActionKind::RingGp);
    stage.done(&coordinator(), case, Command::AnswerOffer { offer, answer: OfferAnswer::Declined });
    stage.offered(case, decision, GP, Means::Ring);
    let unqualified = stage.called();
    refused(&mut stage, unqualified, ActionKind::Qualify);
    let waiting = stage.qualified(Priority::P2);
    refused(&mut stage, waiting, ActionKind::Regulate);
    let vital = stage.qualified(Priority::P0);
    refused(&mut stage, vital, ActionKind::HandOver);
}

/// Found by the simulation: an hour that was over was promised again.
#[test]
fn an_agreed_hour_that_is_over_is_now_for_the_stream_that_takes_the_case_over() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P3);
    stage.late(case, ActionKind::Regulate);
    stage.late(case, ActionKind::TelephoneAppointment);
    stage.pass(Span::from_secs(1));
    let claim_no = stage.claim(&regulator(), case);
    stage.done(&regulator(), case, Command::Reorient { claim_no, stream: Stream::Psy, reason: text("avis") });
    stage.done(&other_regulator(), case, Command::AnswerReorientation { refused: None });
    assert_eq!(stage.action(case, ActionKind::TelephoneAppointment).deadline, stage.now);
}

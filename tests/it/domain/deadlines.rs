//! Every action has an owner and a deadline that alarms; every bad end opens something for a regulator (invariant 2).

use sas_dispatch::domain::{
    case::{
        ActionKind, Command, End, Refusal,
        command::{OfferAnswer, Timer},
    },
    ids::CaseId,
    regulation::{need::CareType, qualification::Priority},
    routing::Means,
    time::Span,
};

use super::stage::{
    GP, SAS, SAS_DOCTOR, SOS, SOS_DOCTOR, Stage, arm, coordinator, doctor, qualify, regulator, upkeep, visit_means,
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
            stage.done(&doctor(SAS_DOCTOR), case, Command::Attend { offer, seen: true });
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

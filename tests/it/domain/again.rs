//! The same file again: a second call in it, a second qualification of it, an alarm that has rung already.

use sas_dispatch::domain::{
    case::{
        ActionKind, Command, End, Refusal,
        command::{CallEvent, Qualify, SignNeed},
    },
    ids::CaseId,
    regulation::{
        need::CareType,
        qualification::{Attribution, Flag, Priority, Stream},
    },
    routing::Means,
    time::{Instant, Span},
};

use super::stage::{
    GP, SAS, SAS_DOCTOR, Stage, arm, coordinator, doctor, other_regulator, qualify, regulator, sign, text,
};

impl Stage {
    fn qualify(&mut self, case: CaseId, priority: Priority) {
        self.done(&arm(), case, Command::Qualify(Box::new(qualify(priority))));
    }

    fn queued(&self, case: CaseId) -> (Priority, Instant) {
        let known = self.case(case).qualification.as_ref().unwrap();
        (known.priority, known.due)
    }

    fn alarm(&self, case: CaseId) -> Option<Instant> {
        self.action(case, ActionKind::Regulate).alarmed()
    }

    /// Somebody speaks of suicide, and Dr Anne has him on the line.
    pub(super) fn suicidal(&mut self) -> (CaseId, u64) {
        let case = self.called();
        let motive = Some("M04.01".to_owned());
        let psychiatric = Qualify { stream: Stream::Psy, motive, ..qualify(Priority::P2) };
        self.done(&arm(), case, Command::Qualify(Box::new(psychiatric)));
        (case, self.claim(&regulator(), case))
    }

    /// The line breaks: the room is told at once, and the case comes first.
    pub(super) fn breaks_off_with_an_alarm(&mut self, case: CaseId) {
        self.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
        assert!(self.action(case, ActionKind::CallBack).alarmed().is_some());
        assert_eq!(self.queued(case).0, Priority::P1);
        assert!(self.waits(case, ActionKind::Regulate) && self.flags(case).contains(&Flag::LostCall));
    }

    fn flags(&self, case: CaseId) -> Vec<Flag> {
        self.case(case).qualification.as_ref().unwrap().flags.clone()
    }
}

/// Found by reading: the alarm was switched off, and the deadline it had been raised for stood there again.
#[test]
fn who_does_not_answer_at_the_agreed_hour_rings_on() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P3);
    stage.late(case, ActionKind::Regulate);
    let alarm = stage.alarm(case);
    assert!(alarm.is_some());
    stage.pass(Span::from_mins(2));
    let action = stage.action(case, ActionKind::TelephoneAppointment).id;
    stage.done(&regulator(), case, Command::EndAction { action, end: End::Unreachable, note: None });
    assert_eq!((stage.alarm(case), stage.queued(case).0), (alarm, Priority::P2));
    assert!(stage.flags(case).contains(&Flag::LostCall));
}

#[test]
fn a_late_case_qualified_again_keeps_its_alarm_and_its_place() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    let (_, due) = stage.queued(case);
    stage.late(case, ActionKind::Regulate);
    let alarm = stage.alarm(case);
    stage.pass(Span::from_mins(1));
    stage.qualify(case, Priority::P2);
    assert_eq!((stage.alarm(case), stage.queued(case)), (alarm, (Priority::P2, due)));
    assert!(!stage.waits(case, ActionKind::ReEvaluate), "the caller was asked how the patient is");
}

#[test]
fn a_case_qualified_again_waits_no_longer_than_it_would_have() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    let due = stage.queued(case);
    let deadline = stage.action(case, ActionKind::Regulate).deadline;
    stage.pass(Span::from_mins(10));
    stage.qualify(case, Priority::P2);
    assert_eq!((stage.queued(case), stage.action(case, ActionKind::Regulate).deadline), (due, deadline));
    let psychiatric = Qualify { stream: Stream::Psy, ..qualify(Priority::P2) };
    stage.done(&arm(), case, Command::Qualify(Box::new(psychiatric)));
    assert_eq!(stage.action(case, ActionKind::Regulate).deadline, deadline, "whichever regulators it waits for");
}

#[test]
fn a_late_case_found_more_urgent_is_the_first_of_its_class() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    let (_, due) = stage.queued(case);
    stage.late(case, ActionKind::Regulate);
    stage.pass(Span::from_mins(5));
    stage.qualify(case, Priority::P1);
    assert_eq!(stage.queued(case), (Priority::P1, due));
    assert!(stage.action(case, ActionKind::Regulate).deadline > stage.now, "and rings anew as a P1");
}

#[test]
fn a_p0_that_the_amu_has_accepted_is_lowered_by_a_regulator_alone() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P0);
    stage.done(&other_regulator(), case, Command::AcceptHandOver);
    for priority in [Priority::P1, Priority::P2, Priority::P3] {
        let lower = Command::Qualify(Box::new(qualify(priority)));
        assert!(matches!(stage.refused(&arm(), case, lower), Refusal::State { .. }), "{priority}");
    }
    stage.qualify(case, Priority::P0);
    let lower = Qualify { lower_reason: Some(text("malaise passé")), ..qualify(Priority::P2) };
    stage.done(&other_regulator(), case, Command::Qualify(Box::new(lower)));
    assert_eq!(stage.queued(case).0, Priority::P2);
}

#[test]
fn a_second_call_in_a_decided_file_that_breaks_off_is_rung_back() {
    let mut stage = Stage::new();
    let (case, claim) = stage.held_by(&regulator());
    stage.need(&regulator(), case, claim, CareType::Advice);
    stage.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
    assert!(!stage.waits(case, ActionKind::CallBack), "a call that was answered ends so");
    stage.pass(Span::from_hours(2));
    stage.done(&arm(), case, Command::Call(CallEvent::Reconnected.into()));
    stage.qualify(case, Priority::P2);
    stage.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
    assert!(stage.waits(case, ActionKind::CallBack) && stage.waits(case, ActionKind::Regulate));
    assert!(stage.flags(case).contains(&Flag::LostCall));
}

#[test]
fn a_caller_who_breaks_off_before_the_amu_has_accepted_is_rung_back() {
    let mut stage = Stage::new();
    let (case, claim) = stage.held_by(&regulator());
    stage.need(&regulator(), case, claim, CareType::Amu);
    stage.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
    assert!(stage.waits(case, ActionKind::HandOver) && stage.waits(case, ActionKind::CallBack));
}

/// A need without its answer counted as what the caller had been told, and nobody rang.
#[test]
fn a_caller_who_breaks_off_between_need_and_answer_is_rung_back() {
    for given_back in [false, true] {
        let mut stage = Stage::new();
        let (case, claim_no) = stage.held_by(&regulator());
        stage.need(&regulator(), case, claim_no, CareType::Consultation);
        stage.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
        if given_back {
            stage.done(&regulator(), case, Command::Release { claim_no, may_wait: None });
        }
        assert!(stage.waits(case, ActionKind::CallBack), "given back {given_back}");
        assert!(stage.flags(case).contains(&Flag::LostCall));
    }
}

#[test]
fn a_suicidal_caller_who_breaks_off_between_need_and_answer_alarms_at_once() {
    let mut stage = Stage::new();
    let (case, claim) = stage.suicidal();
    stage.need(&regulator(), case, claim, CareType::HomeVisit);
    stage.breaks_off_with_an_alarm(case);
}

#[test]
fn a_suicidal_caller_who_breaks_off_from_a_doctor_who_is_not_done_alarms_at_once() {
    let mut stage = Stage::new();
    let (case, claim) = stage.suicidal();
    let more = SignNeed { keep: true, ..sign(claim, CareType::Advice) };
    stage.done(&regulator(), case, Command::SignNeed(Box::new(more)));
    stage.breaks_off_with_an_alarm(case);
}

/// The doctor went on writing and signed: nobody had told the caller, and nobody rang him any more.
#[test]
fn a_suicidal_caller_who_broke_off_is_rung_back_whatever_is_signed_meanwhile() {
    let mut stage = Stage::new();
    let (case, claim) = stage.suicidal();
    stage.breaks_off_with_an_alarm(case);
    let signed = stage.done(&regulator(), case, Command::SignNeed(Box::new(sign(claim, CareType::Advice))));
    assert!(signed.warnings.iter().any(|told| told.starts_with("CALLER_NOT_REACHED")), "{:?}", signed.warnings);
    assert!(stage.waits(case, ActionKind::CallBack) && !stage.waits(case, ActionKind::Regulate));
    stage.done(&arm(), case, Command::Call(CallEvent::Reconnected.into()));
    assert!(!stage.waits(case, ActionKind::CallBack));
}

#[test]
fn a_doctor_who_has_signed_the_answer_lets_the_caller_go() {
    let mut stage = Stage::new();
    let (case, claim) = stage.held_by(&regulator());
    let decision = stage.need(&regulator(), case, claim, CareType::HomeVisit);
    stage.answer(&regulator(), case, claim, decision, CareType::HomeVisit);
    stage.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
    assert!(!stage.waits(case, ActionKind::CallBack) && !stage.flags(case).contains(&Flag::LostCall));
}

#[test]
fn who_calls_again_before_his_appointment_is_a_repeat_call_and_not_deferred() {
    let mut stage = Stage::new();
    let (case, decision) = stage.decided(CareType::Consultation);
    let offer = stage.offered(case, decision, GP, Means::Ring);
    stage.accepted(&coordinator(), case, offer);
    assert!(stage.waits(case, ActionKind::Appointment));
    stage.qualify(case, Priority::P3);
    assert!(stage.flags(case).contains(&Flag::RepeatCall));
    assert_eq!(stage.queued(case).0, Priority::P2);
}

#[test]
fn who_calls_again_while_his_gp_is_still_to_be_told_is_a_repeat_call() {
    let mut stage = Stage::new();
    let (_, means) = stage.slot(Span::from_hours(1));
    let (case, decision) = stage.decided(CareType::Consultation);
    let offer = stage.offered(case, decision, SAS, means);
    stage.accepted(&doctor(SAS_DOCTOR), case, offer);
    stage.done(&doctor(SAS_DOCTOR), case, Command::Attend { offer, seen: true, counter: None });
    assert!(stage.waits(case, ActionKind::ReturnOfInformation));
    stage.qualify(case, Priority::P3);
    assert_eq!((stage.queued(case).0, stage.flags(case)), (Priority::P2, vec![Flag::RepeatCall]));
}

#[test]
fn a_call_that_resembles_an_earlier_one_is_not_ended_before_it_is_qualified() {
    let mut stage = Stage::new();
    let case = stage.called();
    for attribution in Attribution::ALL {
        let dismiss = Command::Dismiss { attribution: *attribution, possible_repeat: true };
        assert!(matches!(stage.refused(&arm(), case, dismiss), Refusal::State { .. }));
    }
}

/// Whoever came back on the line before his appointment was on the line with nobody: only the hour of it was waited for.
#[test]
fn who_is_on_the_line_again_before_his_appointment_comes_to_somebody() {
    for event in [CallEvent::Reconnected, CallEvent::Answered] {
        let mut stage = Stage::new();
        let (case, decision) = stage.decided(CareType::Consultation);
        stage.done(&arm(), case, Command::Call(event.into()));
        assert!(!stage.waits(case, ActionKind::Qualify), "{event:?}: the line was never broken");
        stage.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
        stage.done(&arm(), case, Command::Call(event.into()));
        assert!(
            !stage.waits(case, ActionKind::Qualify),
            "{event:?}: the coordinator who looks for a doctor speaks to him"
        );
        let offer = stage.offered(case, decision, GP, Means::Ring);
        stage.accepted(&coordinator(), case, offer);
        stage.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
        stage.done(&arm(), case, Command::Call(event.into()));
        assert!(stage.waits(case, ActionKind::Qualify) && stage.waits(case, ActionKind::Appointment), "{event:?}");
        stage.done(&arm(), case, Command::Call(event.into()));
        let asked = stage.case(case).open_actions().filter(|action| action.kind == ActionKind::Qualify).count();
        assert_eq!(asked, 1, "{event:?}");
        stage.qualify(case, Priority::P3);
        assert_eq!((stage.queued(case).0, stage.flags(case)), (Priority::P2, vec![Flag::RepeatCall]));
    }
}

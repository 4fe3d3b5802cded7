//! D6311-35: a protocol named in configuration sends from the ARM to a coordinator, and to a doctor whenever in doubt.

use sas_dispatch::domain::{
    case::{
        ActionKind, Command, End, Refusal,
        command::{CallEvent, Qualify},
    },
    ids::CaseId,
    regulation::qualification::{Flag, Priority, Stream},
    routing::Means,
    time::Span,
};

use super::stage::{GP, Stage, arm, call, coordinator, qualify, regulator};

const PROTOCOL: &str = "certificat-ou-ordonnance";

/// A certificate or prescription, as the protocol of Bas-Rhin covers it.
fn certificate() -> Qualify {
    let motive = Some("M06.02".to_owned());
    Qualify { motive, symptoms: false, protocol: Some(PROTOCOL.to_owned()), ..qualify(Priority::P3) }
}

fn sent(stage: &mut Stage) -> CaseId {
    let case = stage.called();
    stage.done(&arm(), case, Command::Qualify(Box::new(certificate())));
    case
}

/// Qualifies by protocol and shows that a doctor gets the case instead.
fn goes_to_a_doctor(stage: &mut Stage, case: CaseId, qualify: Qualify) {
    let reply = stage.done(&arm(), case, Command::Qualify(Box::new(qualify)));
    assert!(reply.warnings.iter().any(|warning| warning.starts_with("PROTOCOL_NOT_APPLIED")), "{:?}", reply.warnings);
    assert!(stage.waits(case, ActionKind::Regulate) && stage.case(case).decisions.is_empty());
}

#[test]
fn a_certificate_goes_straight_to_a_coordinator_under_the_protocols_name() {
    let mut stage = Stage::new();
    let case = sent(&mut stage);
    assert!(stage.waits(case, ActionKind::Route) && !stage.waits(case, ActionKind::Regulate));
    let decision = &stage.case(case).decisions[0];
    assert_eq!(decision.protocol.as_deref(), Some(PROTOCOL));
    assert!(stage.case(case).regulators.is_empty(), "no doctor has regulated it");
}

#[test]
fn every_flag_sends_it_to_a_doctor() {
    for flag in Flag::ALL {
        let mut stage = Stage::new();
        let case = stage.called();
        goes_to_a_doctor(&mut stage, case, Qualify { flags: vec![*flag], ..certificate() });
    }
}

#[test]
fn priority_stream_motive_and_date_are_the_protocols_or_a_doctor_decides() {
    let mut stage = Stage::new();
    for other in [
        Qualify { priority: Priority::P1, ..certificate() },
        Qualify { stream: Stream::Psy, priority: Priority::P2, ..certificate() },
        Qualify { motive: Some("M03.06".to_owned()), priority: Priority::P2, ..certificate() },
    ] {
        let case = stage.called();
        goes_to_a_doctor(&mut stage, case, other);
    }
    let case = stage.called();
    let unknown = Qualify { protocol: Some("inconnu".to_owned()), ..certificate() };
    assert!(matches!(stage.refused(&arm(), case, Command::Qualify(Box::new(unknown))), Refusal::Fields(_)));
    let doctors = stage.refused(&regulator(), case, Command::Qualify(Box::new(certificate())));
    assert!(doctors.to_string().contains("sign a need"));
}

#[test]
fn a_repeat_call_an_infant_and_a_lost_call_are_seen_without_the_arm_saying_so() {
    let mut stage = Stage::new();
    let (earlier, again) = (stage.called(), stage.called());
    stage.done(&arm(), again, Command::LinkRepeat(earlier));
    goes_to_a_doctor(&mut stage, again, certificate());
    let mut open = call(stage.now);
    open.particulars.patients[0].0.infant = true;
    let infant = stage.opened(&arm(), open);
    goes_to_a_doctor(&mut stage, infant, certificate());
    let lost = stage.qualified(Priority::P2);
    stage.done(&arm(), lost, Command::Call(CallEvent::HungUp.into()));
    goes_to_a_doctor(&mut stage, lost, certificate());
}

/// Found by reading: a coordinator went on booking although a doctor had become compulsory.
#[test]
fn a_red_flag_found_later_takes_the_case_from_the_coordinator_to_a_doctor() {
    let mut stage = Stage::new();
    let case = sent(&mut stage);
    let earlier = stage.called();
    stage.done(&arm(), case, Command::LinkRepeat(earlier));
    assert!(stage.waits(case, ActionKind::Regulate) && !stage.waits(case, ActionKind::Route));
}

#[test]
fn an_offer_that_fails_after_the_flag_goes_to_the_doctor_and_not_to_the_next_responder() {
    let mut stage = Stage::new();
    let case = sent(&mut stage);
    let decision = stage.case(case).decisions[0].id;
    stage.offered(case, decision, GP, Means::Ring);
    let earlier = stage.called();
    stage.done(&arm(), case, Command::LinkRepeat(earlier));
    stage.late(case, ActionKind::RingGp);
    assert!(!stage.waits(case, ActionKind::Route) && stage.waits(case, ActionKind::Regulate));
}

/// Found by reading: a second qualification by protocol took the case back from the doctor its failure had called for.
#[test]
fn a_protocol_that_failed_goes_to_a_doctor_and_is_not_applied_again() {
    let mut stage = Stage::new();
    let case = sent(&mut stage);
    let decision = stage.case(case).decisions[0].id;
    let plan = Box::new(stage.plan(None));
    stage.done(&coordinator(), case, Command::Advance { decision, plan });
    assert!(stage.waits(case, ActionKind::Regulate) && stage.waits(case, ActionKind::Unanswered));
    let reply = stage.done(&arm(), case, Command::Qualify(Box::new(certificate())));
    assert!(reply.warnings[0].starts_with("PROTOCOL_NOT_APPLIED"));
    assert!(stage.waits(case, ActionKind::Regulate) && stage.case(case).decisions.len() == 1);
}

#[test]
fn a_protocol_does_not_take_a_case_from_the_doctor_who_holds_it() {
    let mut stage = Stage::new();
    let (case, _) = stage.held_by(&regulator());
    let why = Some(super::stage::text("demande un certificat"));
    goes_to_a_doctor(&mut stage, case, Qualify { lower_reason: why, ..certificate() });
    assert!(stage.case(case).claim.is_some());
}

#[test]
fn a_patient_who_wants_nothing_of_it_is_put_to_a_doctor() {
    let mut stage = Stage::new();
    let case = sent(&mut stage);
    let route = stage.action(case, ActionKind::Route).id;
    let done = Command::EndAction { action: route, end: End::Done, note: None };
    assert!(matches!(stage.refused(&coordinator(), case, done), Refusal::State { .. }));
    stage.done(&coordinator(), case, Command::EndAction { action: route, end: End::Refused, note: None });
    assert!(stage.waits(case, ActionKind::Regulate));
}

/// Found by reading: given back undecided, or with the word that it may wait, it was a coordinator's all the same.
#[test]
fn a_protocol_does_not_take_a_case_from_the_doctor_who_has_seen_it_and_given_it_back() {
    for minutes in [None, Some(20)] {
        let mut stage = Stage::new();
        let (case, claim_no) = stage.held_by(&regulator());
        let may_wait = minutes.map(|minutes| stage.now + Span::from_mins(minutes));
        stage.done(&regulator(), case, Command::Release { claim_no, may_wait });
        goes_to_a_doctor(&mut stage, case, certificate());
    }
}

//! Several patients in one case: each is decided for, and what happens to one takes nothing from the others.

use sas_dispatch::domain::{
    case::{
        ActionKind, Command, Reply,
        command::{Particulars, Qualify, SignNeed},
        state::Patient,
        status::{Missing, Status, missing, status},
    },
    ids::{CaseId, DecisionId},
    regulation::{need::CareType, qualification::Priority},
    routing::Means,
    time::Span,
};

use super::stage::{GP, Stage, arm, coordinator, other_regulator, qualify, regulator, sign};

impl Stage {
    /// Somebody else is ill, too.
    fn joined(&mut self, case: CaseId, number: u32, infant: bool) {
        let patient = Patient { number, infant, identity_unknown: true, ..Patient::default() };
        let patients = vec![(patient, Default::default())];
        let particulars = Particulars { patients, ..Particulars::default() };
        self.done(&arm(), case, Command::Amend(Box::new(particulars)));
    }

    fn sign_for(&mut self, case: CaseId, claim_no: u64, patient: u32, care: CareType, keep: bool) -> Reply {
        let mut known: SignNeed = sign(claim_no, care);
        (known.need.patient, known.keep) = (patient, keep);
        self.done(&regulator(), case, Command::SignNeed(Box::new(known)))
    }

    /// A mother and her sister: a consultation is decided for the second, and Dr Anne has signed all that she began.
    fn second_sent_on(&mut self) -> (CaseId, DecisionId) {
        let case = self.qualified(Priority::P2);
        self.joined(case, 2, false);
        let claim = self.claim(&regulator(), case);
        self.sign_for(case, claim, 1, CareType::Advice, true);
        let decision = self.sign_for(case, claim, 2, CareType::Consultation, false).decision.unwrap();
        self.answer(&regulator(), case, claim, decision, CareType::Consultation);
        assert!(!self.waits(case, ActionKind::Regulate) && self.waits(case, ActionKind::Route));
        (case, decision)
    }

    /// Nobody is left for this decision.
    fn nobody_left(&mut self, case: CaseId, decision: DecisionId) {
        let plan = Box::new(self.plan(None));
        self.done(&coordinator(), case, Command::Advance { decision, plan });
        assert!(self.waits(case, ActionKind::Unanswered) && self.waits(case, ActionKind::Regulate));
    }
}

fn tells(reply: &Reply, of: &str) -> bool {
    reply.warnings.iter().any(|warning| warning.starts_with("PATIENTS_UNDECIDED") && warning.ends_with(of))
}

#[test]
fn a_doctors_advice_for_one_child_leaves_the_other_to_be_decided() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    stage.joined(case, 2, true);
    let claim = stage.claim(&regulator(), case);
    let reply = stage.sign_for(case, claim, 1, CareType::Advice, false);
    assert!(tells(&reply, "patient 2"), "{:?}", reply.warnings);
    assert!(stage.waits(case, ActionKind::Regulate) && stage.case(case).claim.is_some(), "the doctor goes on");
    assert!(missing(stage.case(case)).contains(&Missing::Regulator));
    let reply = stage.done(&regulator(), case, Command::Release { claim_no: claim, may_wait: None });
    assert!(tells(&reply, "patient 2") && stage.waits(case, ActionKind::Regulate), "given back, it waits in the queue");
    let claim = stage.claim(&regulator(), case);
    stage.sign_for(case, claim, 2, CareType::Advice, false);
    assert!(!stage.waits(case, ActionKind::Regulate) && stage.case(case).claim.is_none());
}

#[test]
fn a_suicidal_call_for_two_that_breaks_off_after_the_first_is_decided_alarms_at_once() {
    let mut stage = Stage::new();
    let (case, claim) = stage.suicidal();
    stage.joined(case, 2, false);
    stage.sign_for(case, claim, 1, CareType::Advice, false);
    stage.breaks_off_with_an_alarm(case);
}

#[test]
fn who_was_left_without_a_responder_is_not_answered_by_advice_for_somebody_else() {
    let mut stage = Stage::new();
    let (case, decision) = stage.second_sent_on();
    stage.pass(Span::from_mins(5));
    stage.nobody_left(case, decision);
    let claim = stage.claim(&regulator(), case);
    let reply = stage.sign_for(case, claim, 1, CareType::Advice, false);
    assert!(tells(&reply, "patient 2"), "{:?}", reply.warnings);
    assert!(stage.waits(case, ActionKind::Unanswered) && stage.waits(case, ActionKind::Regulate));
    stage.sign_for(case, claim, 2, CareType::Advice, false);
    assert!(!stage.waits(case, ActionKind::Unanswered) && !stage.waits(case, ActionKind::Regulate));
}

#[test]
fn what_is_handed_over_to_the_amu_for_one_still_seeks_somebody_for_the_other() {
    let mut stage = Stage::new();
    let (case, decision) = stage.second_sent_on();
    stage.pass(Span::from_mins(5));
    stage.nobody_left(case, decision);
    let claim = stage.claim(&regulator(), case);
    stage.sign_for(case, claim, 1, CareType::Amu, false);
    assert!(stage.waits(case, ActionKind::HandOver) && stage.waits(case, ActionKind::Unanswered));
    stage.done(&other_regulator(), case, Command::AcceptHandOver);
    let claim = stage.case(case).claim.as_ref().unwrap().no;
    stage.need(&other_regulator(), case, claim, CareType::Ambulance);
    assert!(stage.waits(case, ActionKind::Regulate), "the sister still waits for a doctor");
}

/// Found by reading: nobody was called for an infant whom the mother mentions at the end of the call.
#[test]
fn who_comes_to_a_decided_case_is_a_doctors_too() {
    for infant in [false, true] {
        let mut stage = Stage::new();
        let (case, claim) = stage.held_by(&regulator());
        stage.need(&regulator(), case, claim, CareType::Advice);
        assert_eq!(status(stage.case(case), stage.now), Status::Valid);
        stage.joined(case, 2, infant);
        assert!(stage.waits(case, ActionKind::Regulate), "infant {infant}");
        let claim = stage.claim(&regulator(), case);
        stage.sign_for(case, claim, 2, CareType::Advice, false);
        assert_eq!(status(stage.case(case), stage.now), Status::Valid);
    }
}

#[test]
fn a_protocol_sends_one_patient_on_and_the_other_waits_for_a_doctor() {
    let mut stage = Stage::new();
    let case = stage.called();
    stage.joined(case, 2, false);
    let (motive, protocol) = (Some("M06.02".to_owned()), Some("certificat-ou-ordonnance".to_owned()));
    let certificate = Qualify { motive, protocol, symptoms: false, ..qualify(Priority::P3) };
    stage.done(&arm(), case, Command::Qualify(Box::new(certificate)));
    assert!(stage.waits(case, ActionKind::Route) && stage.waits(case, ActionKind::Regulate));
}

#[test]
fn a_doctor_who_says_that_the_second_may_wait_has_not_decided_for_her() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    let claim = stage.claim(&regulator(), case);
    stage.sign_for(case, claim, 1, CareType::Advice, true);
    let until = stage.now + Span::from_mins(20);
    stage.done(&regulator(), case, Command::Release { claim_no: claim, may_wait: Some(until) });
    assert_eq!(stage.action(case, ActionKind::Regulate).deadline, until);
    assert_eq!(stage.case(case).may_wait.as_ref().map(|said| said.until), Some(until));
}

#[test]
fn a_vital_emergency_of_one_leaves_the_routing_decided_for_the_other() {
    let mut stage = Stage::new();
    let (case, decision) = stage.second_sent_on();
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P0))));
    stage.done(&other_regulator(), case, Command::AcceptHandOver);
    let claim = stage.case(case).claim.as_ref().unwrap().no;
    stage.need(&other_regulator(), case, claim, CareType::Amu);
    assert!(!stage.waits(case, ActionKind::Regulate));
    stage.offered(case, decision, GP, Means::Ring);
    assert!(stage.waits(case, ActionKind::RingGp), "the second is still brought to a doctor");
}

#[test]
fn a_vital_emergency_of_the_only_patient_ends_his_routing() {
    let mut stage = Stage::new();
    let (case, _) = stage.decided(CareType::Consultation);
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P0))));
    assert!(!stage.waits(case, ActionKind::Route) && stage.waits(case, ActionKind::HandOver));
}

/// A patient who was entered twice kept the case open, and a doctor had to sign a decision about nobody.
#[test]
fn who_was_noted_in_error_is_nobody_to_decide_about() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    stage.joined(case, 2, false);
    let claim = stage.claim(&regulator(), case);
    let reply = stage.sign_for(case, claim, 1, CareType::Advice, false);
    assert!(tells(&reply, "2") && stage.waits(case, ActionKind::Regulate));
    let mark = |number: u32, noted_in_error: bool| {
        let patient = Patient { number, identity_unknown: true, noted_in_error, ..Patient::default() };
        let patients = vec![(patient, Default::default())];
        Command::Amend(Box::new(Particulars { patients, ..Particulars::default() }))
    };
    let refused = stage.refused(&arm(), case, mark(1, true)).to_string();
    assert!(refused.contains("patients[0].noted_in_error: a decision was signed"), "{refused}");
    stage.done(&regulator(), case, Command::Release { claim_no: claim, may_wait: None });
    stage.done(&arm(), case, mark(2, true));
    assert!(!stage.waits(case, ActionKind::Regulate), "the doctor had decided for the only one there is");
    assert_eq!(missing(stage.case(case)), []);
    stage.done(&arm(), case, mark(2, false));
    assert!(stage.waits(case, ActionKind::Regulate) && missing(stage.case(case)).contains(&Missing::Outcome));

    let other = stage.qualified(Priority::P2);
    let refused = stage.refused(&arm(), other, mark(1, true)).to_string();
    assert!(refused.contains("no other patient"), "{refused}");
    let mut vital = qualify(Priority::P0);
    vital.particulars.patients =
        vec![(Patient { number: 1, noted_in_error: true, ..Patient::default() }, Default::default())];
    stage.done(&arm(), other, Command::Qualify(Box::new(vital)));
    assert_eq!(stage.case(other).present().count(), 1, "a P0 is not refused, and its patient stays");
}

/// The hospital refused one of two, and a doctor's advice for the other closed the regulation.
#[test]
fn who_was_refused_by_the_hospital_is_still_to_be_decided_about() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    stage.joined(case, 2, false);
    let claim = stage.claim(&regulator(), case);
    stage.sign_for(case, claim, 1, CareType::Advice, true);
    let mut away = sign(claim, CareType::EmergencyDepartment);
    (away.need.patient, away.need.level) = (2, sas_dispatch::domain::regulation::need::CareLevel::R2);
    stage.done(&regulator(), case, Command::SignNeed(Box::new(away)));
    stage.pass(Span::from_secs(60));
    let action = stage.action(case, ActionKind::AnnouncePatient).id;
    let note = Some(super::stage::text("aucun lit"));
    stage.done(
        &coordinator(),
        case,
        Command::EndAction { action, end: sas_dispatch::domain::case::End::Refused, note },
    );
    let claim = stage.claim(&regulator(), case);
    let reply = stage.sign_for(case, claim, 1, CareType::Advice, false);
    assert!(tells(&reply, "2") && stage.waits(case, ActionKind::Regulate), "{:?}", reply.warnings);
    stage.sign_for(case, claim, 2, CareType::Advice, false);
    assert!(!stage.waits(case, ActionKind::Regulate));
}

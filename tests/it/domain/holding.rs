//! Who holds a case: one regulator, under a number that fences what comes late (invariant 3), and what he signs.

use sas_dispatch::domain::{
    case::{
        ActionKind, Command, Refusal,
        command::{SignAnswer, Timer},
        sealed::NoteKind,
    },
    regulation::{
        decision::SupplyReason,
        need::{CareType, Constraints},
        qualification::{FiredCode, Flag, Priority, Proposed, Stream},
    },
    time::Span,
};

use super::stage::{Stage, arm, other_regulator, qualify, regulator, sign, supervisor, text, upkeep};

#[test]
fn of_two_regulators_one_holds_the_case() {
    let mut stage = Stage::new();
    let (case, _) = stage.held_by(&regulator());
    let refusal = stage.refused(&other_regulator(), case, Command::Claim);
    assert!(refusal.to_string().contains("another regulator holds it"));
}

#[test]
fn a_late_command_changes_nothing_and_its_words_are_kept() {
    let mut stage = Stage::new();
    let (case, first) = stage.held_by(&regulator());
    stage.done(&supervisor(), case, Command::ForceRelease { reason: text("poste en panne") });
    let second = stage.claim(&other_regulator(), case);
    assert!(second > first);
    let mut late = sign(first, CareType::Advice);
    late.note = Some(text("paracétamol, rappeler si fièvre"));
    let reply = stage.give(&regulator(), Some(case), &Command::SignNeed(Box::new(late))).unwrap();
    assert_eq!(reply.refused, Some(Refusal::NotHolder));
    let note = stage.case(case).sealed.notes.last().unwrap();
    assert_eq!((note.kind, note.by.as_str()), (NoteKind::Late, "dr-reg-anne"));
    assert!(stage.case(case).decisions.is_empty());
    assert!(stage.log.last().unwrap().facts.is_empty(), "words only");
    let silent = Command::SignNeed(Box::new(sign(first, CareType::Advice)));
    assert_eq!(stage.refused(&regulator(), case, silent), Refusal::NotHolderWordless);
    let borrowed = Command::SignNeed(Box::new(sign(second, CareType::Advice)));
    assert_eq!(
        stage.refused(&regulator(), case, borrowed),
        Refusal::NotHolderWordless,
        "the number alone is not enough"
    );
}

#[test]
fn a_silent_console_is_suspect_and_its_doctor_may_resume() {
    let mut stage = Stage::new();
    let (case, claim_no) = stage.held_by(&regulator());
    stage.done(&upkeep(), case, Command::Fire(Timer::Lease));
    let refusal = stage.refused(&other_regulator(), case, Command::Claim);
    assert!(refusal.to_string().contains("may still be on the line"));
    stage.done(&regulator(), case, Command::Resume { claim_no });
    assert_eq!(stage.case(case).claim.as_ref().unwrap().suspect, None);
    stage.need(&regulator(), case, claim_no, CareType::Advice);
}

#[test]
fn a_suspect_case_goes_back_to_the_queue_after_its_time() {
    let mut stage = Stage::new();
    let (case, claim_no) = stage.held_by(&regulator());
    stage.done(&upkeep(), case, Command::Fire(Timer::Lease));
    stage.pass(Span::from_secs(89));
    assert!(matches!(stage.refused(&upkeep(), case, Command::Fire(Timer::Suspect)), Refusal::State { .. }));
    stage.pass(Span::from_secs(1));
    stage.done(&upkeep(), case, Command::Fire(Timer::Suspect));
    assert!(stage.case(case).claim.is_none() && stage.waits(case, ActionKind::Regulate));
    assert_eq!(stage.refused(&regulator(), case, Command::Resume { claim_no }), Refusal::NotHolderWordless);
    stage.claim(&other_regulator(), case);
}

#[test]
fn a_p1_and_a_p0_are_taken_over_from_a_silent_console_at_once() {
    let mut stage = Stage::new();
    let p1 = stage.qualified(Priority::P1);
    stage.claim(&regulator(), p1);
    let p0 = stage.qualified(Priority::P0);
    stage.done(&regulator(), p0, Command::AcceptHandOver);
    for case in [p1, p0] {
        assert!(matches!(stage.refused(&other_regulator(), case, Command::Claim), Refusal::State { .. }));
        stage.done(&upkeep(), case, Command::Fire(Timer::Lease));
        assert_eq!(stage.claim(&other_regulator(), case), 2);
    }
}

#[test]
fn a_supervisor_says_why_he_takes_a_case_back() {
    let mut stage = Stage::new();
    let (case, _) = stage.held_by(&regulator());
    let silent = Command::ForceRelease { reason: text("  ") };
    assert!(matches!(stage.refused(&supervisor(), case, silent), Refusal::Fields(_)));
    stage.done(&supervisor(), case, Command::ForceRelease { reason: text("malaise du médecin") });
    let note = stage.case(case).sealed.notes.last().unwrap();
    assert_eq!((note.kind, note.text.reveal().as_str()), (NoteKind::Reason, "malaise du médecin"));
    let nobody = Command::ForceRelease { reason: text("encore") };
    assert!(matches!(stage.refused(&supervisor(), case, nobody), Refusal::State { .. }));
}

#[test]
fn a_case_given_back_undecided_waits_as_it_did() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    let deadline = stage.action(case, ActionKind::Regulate).deadline;
    let claim_no = stage.claim(&regulator(), case);
    stage.done(&regulator(), case, Command::Release { claim_no, may_wait: None });
    assert_eq!(stage.action(case, ActionKind::Regulate).deadline, deadline);
}

#[test]
fn the_need_is_signed_before_the_answer_and_neither_is_overwritten() {
    let mut stage = Stage::new();
    let (case, claim_no) = stage.held_by(&regulator());
    let decision = stage.need(&regulator(), case, claim_no, CareType::HomeVisit);
    assert!(stage.waits(case, ActionKind::Regulate), "an unanswered need keeps its doctor");
    let plan = Box::new(stage.plan(None));
    let early = Command::Advance { decision, plan };
    assert!(stage.refused(&regulator(), case, early).to_string().contains("not signed yet"));
    let answer = |care, supply| {
        Command::SignAnswer(Box::new(SignAnswer {
            claim_no,
            decision,
            care,
            supply,
            note: None,
            keep: true,
            beside: Default::default(),
        }))
    };
    let unreasoned = stage.refused(&regulator(), case, answer(CareType::Consultation, None));
    assert!(unreasoned.to_string().contains("SUPPLY reason"));
    let needless = stage.refused(&regulator(), case, answer(CareType::HomeVisit, Some(SupplyReason::NoVisit)));
    assert!(needless.to_string().contains("leave the supply reason out"));
    stage.done(&regulator(), case, answer(CareType::Consultation, Some(SupplyReason::NoVisit)));
    let kept = stage.case(case).decision(decision).unwrap();
    assert_eq!((kept.need.care, kept.answer.as_ref().unwrap().care), (CareType::HomeVisit, CareType::Consultation));
    let again = stage.refused(&regulator(), case, answer(CareType::HomeVisit, None));
    assert!(again.to_string().contains("answered already"));
}

#[test]
fn several_patients_and_decisions_fit_in_one_claim() {
    let mut stage = Stage::new();
    let (case, claim_no) = stage.held_by(&regulator());
    let mut first = sign(claim_no, CareType::Advice);
    first.keep = true;
    stage.done(&regulator(), case, Command::SignNeed(Box::new(first)));
    assert!(stage.waits(case, ActionKind::Regulate) && stage.case(case).claim.is_some());
    let mut nobody = sign(claim_no, CareType::Advice);
    nobody.need.patient = 7;
    assert!(stage.refused(&regulator(), case, Command::SignNeed(Box::new(nobody))).to_string().contains("patient"));
    stage.need(&regulator(), case, claim_no, CareType::PhonePrescription);
    assert!(stage.case(case).claim.is_none() && stage.waits(case, ActionKind::DeliverPrescription));
}

#[test]
fn a_need_that_contradicts_itself_is_not_signed() {
    let mut stage = Stage::new();
    let (case, claim_no) = stage.held_by(&regulator());
    let mut stays = sign(claim_no, CareType::Consultation);
    stays.need.constraints = Constraints { home_only: true, ..Constraints::default() };
    stays.follow_up = Some(stage.now);
    let Refusal::Fields(faults) = stage.refused(&regulator(), case, Command::SignNeed(Box::new(stays))) else {
        panic!()
    };
    assert_eq!(faults.len(), 2, "{faults:?}");
}

/// Found by reading: the answer of a need that was signed in another stream did not end the regulation.
#[test]
fn a_need_signed_before_a_reorientation_is_answered_after_it() {
    let mut stage = Stage::new();
    let (case, claim_no) = stage.held_by(&regulator());
    let decision = stage.need(&regulator(), case, claim_no, CareType::Consultation);
    stage.pass(Span::from_secs(5));
    let reason = text("avis psychiatrique");
    stage.done(&regulator(), case, Command::Reorient { claim_no, stream: Stream::Psy, reason });
    let claim_no = stage.claim(&other_regulator(), case);
    stage.answer(&other_regulator(), case, claim_no, decision, CareType::Consultation);
    assert!(!stage.waits(case, ActionKind::Regulate) && stage.case(case).claim.is_none());
}

/// Found by reading: a decision of the same millisecond counted for the regulation that was asked for after it.
#[test]
fn a_case_that_came_back_in_the_same_instant_still_waits_for_its_doctor() {
    let mut stage = Stage::new();
    let (case, decision) = stage.decided(CareType::Consultation);
    let plan = Box::new(stage.plan(None));
    stage.done(&super::stage::coordinator(), case, Command::Advance { decision, plan });
    let claim_no = stage.claim(&other_regulator(), case);
    stage.done(&other_regulator(), case, Command::Release { claim_no, may_wait: None });
    assert!(stage.waits(case, ActionKind::Regulate), "nobody has decided anew");
}

#[test]
fn a_reorientation_says_why_and_keeps_what_is_open() {
    let mut stage = Stage::new();
    let (case, claim_no) = stage.held_by(&regulator());
    let silent = Command::Reorient { claim_no, stream: Stream::Amu, reason: text("") };
    assert!(matches!(stage.refused(&regulator(), case, silent), Refusal::Fields(_)));
    stage.done(&regulator(), case, Command::Reorient { claim_no, stream: Stream::Amu, reason: text("douleur") });
    assert!(stage.case(case).claim.is_none() && stage.waits(case, ActionKind::Regulate));
    assert_eq!(stage.case(case).before(), Some(Stream::Amu), "the others see it");
    let stream = stage.case(case).qualification.as_ref().unwrap().stream;
    assert_eq!(stream, Stream::Snp, "and it stays the sender's until they have accepted");
}

#[test]
fn a_qualification_of_a_held_case_leaves_it_held() {
    let mut stage = Stage::new();
    let (case, claim_no) = stage.held_by(&regulator());
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P1))));
    stage.need(&regulator(), case, claim_no, CareType::Advice);
}

/// Found by reading: saying so was answered with an internal error.
#[test]
fn a_doctor_may_say_that_what_a_red_flag_made_a_p1_can_wait() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P1);
    let rule = FiredCode {
        protocol: "fievre".to_owned(),
        version: "1".to_owned(),
        rule: "FIA.CONFUSION".to_owned(),
        priority: Priority::P1,
        stream: Stream::Snp,
    };
    let known = stage.records.case_mut(case).unwrap().qualification.as_mut().unwrap();
    known.flags = vec![Flag::RedFlag];
    let red_flags = vec![rule.clone()];
    known.proposal = Some(Box::new(Proposed { rule, red_flags, unsigned: Vec::new(), lowered: false }));
    let claim_no = stage.claim(&regulator(), case);
    let may_wait = Some(stage.now + Span::from_mins(20));
    stage.done(&regulator(), case, Command::Release { claim_no, may_wait });
    let known = stage.case(case).qualification.clone().unwrap();
    assert_eq!((known.priority, known.proposal.unwrap().lowered), (Priority::P2, true));
    let earlier = stage.called();
    stage.done(&arm(), case, Command::LinkRepeat(earlier));
    let claim_no = stage.claim(&other_regulator(), case);
    stage.need(&other_regulator(), case, claim_no, CareType::Advice);
}

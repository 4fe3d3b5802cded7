//! A case's record has a largest size, and what keeps the case safe always has room in it: whatever is told of a call, however
//! often words come late, a vital emergency, a caller who is gone and an end are taken.

use sas_dispatch::{
    domain::{
        case::{
            ActionKind, Command, End, Refusal,
            command::{CallEvent, SignNeed},
            sealed::NoteKind,
        },
        ids::CaseId,
        regulation::{need::CareType, qualification::Priority},
        time::Span,
        visits::VisitStatus,
    },
    engine::codec::{self, Entity},
};

use super::stage::{
    SOS, SOS_DOCTOR, Stage, arm, doctor, other_regulator, qualify, regulator, sign, supervisor, text, visit_means,
};

/// The largest record that a store takes, bytes.
const MOST: usize = 256 * 1_024;

fn bytes(stage: &Stage, case: CaseId) -> usize {
    codec::encode(&Entity::Case(stage.records.cases[&case].clone())).len()
}

/// A vital emergency, a caller who is gone and the AMU's doctor are all still taken.
fn goes_on(stage: &mut Stage, case: CaseId) {
    let vital = qualify(Priority::P0);
    stage.done(&arm(), case, Command::Qualify(Box::new(vital)));
    assert!(stage.waits(case, ActionKind::HandOver));
    stage.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
    assert!(stage.waits(case, ActionKind::CallBack), "who is gone is rung back");
    stage.done(&regulator(), case, Command::AcceptHandOver);
    assert!(bytes(stage, case) < MOST, "{} bytes", bytes(stage, case));
}

#[test]
fn a_line_that_breaks_two_thousand_times_fills_no_case() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    for _ in 0..2_000 {
        for event in [CallEvent::HungUp, CallEvent::Reconnected] {
            stage.pass(Span::from_secs(1));
            stage.done(&arm(), case, Command::Call(event.into()));
        }
    }
    assert!(bytes(&stage, case) < MOST / 16, "{} bytes", bytes(&stage, case));
    let rung = stage.case(case).actions.iter().filter(|action| action.kind == ActionKind::CallBack);
    assert!((10..100).contains(&rung.count()), "the last of them are still seen");
    goes_on(&mut stage, case);
}

/// A console that was cut off sends what its doctor wrote again and again, each time as a new command.
#[test]
fn words_that_come_late_again_and_again_leave_room_for_those_of_who_holds_the_case() {
    let mut stage = Stage::new();
    let (case, old) = stage.held_by(&regulator());
    stage.done(&regulator(), case, Command::Release { claim_no: old, may_wait: None });
    let held = stage.claim(&other_regulator(), case);
    let words =
        |claim_no| SignNeed { note: Some(text(&"\u{1}\"é".repeat(1_300))), ..sign(claim_no, CareType::Advice) };
    for _ in 0..300 {
        match stage.give(&regulator(), Some(case), &Command::SignNeed(Box::new(words(old)))) {
            Ok(late) => assert_eq!(late.refused, Some(Refusal::NotHolder)),
            Err(full) => assert!(matches!(&full, Refusal::State { what, .. } if what == "claim"), "{full}"),
        }
    }
    let late = said(&stage, case, NoteKind::Late);
    assert!((3..300).contains(&late), "{late} late notes");
    stage.done(&other_regulator(), case, Command::AddNote(text("la famille rappellera")));
    stage.done(&other_regulator(), case, Command::SignNeed(Box::new(words(held))));
    let kept = (said(&stage, case, NoteKind::Note), said(&stage, case, NoteKind::Advice));
    assert_eq!(kept, (1, 1), "the holder's words are kept");
    goes_on(&mut stage, case);
}

#[test]
fn an_end_is_taken_though_the_case_keeps_no_more_words() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    let one = Command::AddNote(text(&"a".repeat(4_000)));
    let refused = (0..200).find_map(|_| stage.give(&arm(), Some(case), &one).err()).expect("words have an end");
    assert!(matches!(&refused, Refusal::State { what, .. } if what == "notes"), "{refused}");
    let short = Command::AddNote(text("a"));
    let refused = (0..200).find_map(|_| stage.give(&arm(), Some(case), &short).err());
    assert!(refused.is_some(), "many short notes are as large as a few long ones");
    stage.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
    for _ in 0..200 {
        let action = stage.action(case, ActionKind::CallBack).id;
        let note = Some(text(&"b".repeat(4_000)));
        let reply = stage.done(&arm(), case, Command::EndAction { action, end: End::Done, note });
        assert!(reply.warnings.iter().any(|told| told.starts_with("NOTES_FULL: ")), "{:?}", reply.warnings);
        stage.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
    }
    goes_on(&mut stage, case);
}

/// Fills a case with the notes of whoever adds some.
fn fill(stage: &mut Stage, case: CaseId) {
    for length in [4_000, 1] {
        let note = Command::AddNote(text(&"é".repeat(length)));
        let refused = (0..500).find_map(|_| stage.give(&arm(), Some(case), &note).err());
        assert!(matches!(&refused, Some(Refusal::State { what, .. }) if what == "notes"), "{refused:?}");
    }
}

fn said(stage: &Stage, case: CaseId, kind: NoteKind) -> usize {
    stage.case(case).sealed.notes.iter().filter(|note| note.kind == kind).count()
}

#[test]
fn what_a_doctor_found_on_a_visit_is_kept_though_the_case_takes_no_more_notes() {
    let mut stage = Stage::new();
    let sos = doctor(SOS_DOCTOR);
    let shift = stage.on_duty(SOS_DOCTOR);
    let (case, decision) = stage.decided(CareType::HomeVisit);
    let offer = stage.offered(case, decision, SOS, visit_means());
    stage.done(&sos, case, Command::TakeVisit { offer, shift });
    let visit = stage.case(case).visits[0].id;
    stage.done(&sos, case, Command::MoveVisit { visit, status: VisitStatus::Finished, happened: None });
    fill(&mut stage, case);
    let report = Command::ReportVisit { visit, text: text(&"é".repeat(4_000)), counter: None };
    let reply = stage.done(&sos, case, report.clone());
    assert!(!reply.warnings.iter().any(|told| told.starts_with("NOTES_FULL")), "{:?}", reply.warnings);
    assert_eq!(said(&stage, case, NoteKind::Report), 1);
    // What is added to it has an end too, and is refused then rather than left out.
    let refused = (0..10).find_map(|_| stage.give(&sos, Some(case), &report).err()).expect("words have an end");
    assert!(matches!(&refused, Refusal::State { what, .. } if what == "notes"), "{refused}");
    assert!(said(&stage, case, NoteKind::Report) >= 2, "he had more to say");
    goes_on(&mut stage, case);
}

#[test]
fn why_somebody_acted_and_what_a_doctor_advised_are_kept_though_the_case_takes_no_more_notes() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    fill(&mut stage, case);
    stage.claim(&other_regulator(), case);
    stage.done(&supervisor(), case, Command::ForceRelease { reason: text(&"é".repeat(4_000)) });
    let claim_no = stage.claim(&regulator(), case);
    let signed = SignNeed { note: Some(text(&"é".repeat(4_000))), ..sign(claim_no, CareType::Advice) };
    let reply = stage.done(&regulator(), case, Command::SignNeed(Box::new(signed)));
    assert!(!reply.warnings.iter().any(|told| told.starts_with("NOTES_FULL")), "{:?}", reply.warnings);
    assert_eq!((said(&stage, case, NoteKind::Reason), said(&stage, case, NoteKind::Advice)), (1, 1));
    goes_on(&mut stage, case);
}

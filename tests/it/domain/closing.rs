//! The national état is derived, never commanded: ACTIF, ACHEVE, VALIDE, CLOTURE (HubSante.etat).

use sas_dispatch::domain::{
    case::{
        ActionKind, Command, End, Refusal,
        command::Particulars,
        state::Patient,
        status::{Missing, Status, missing, status},
    },
    regulation::{need::CareType, qualification::Priority},
    time::Span,
};

use super::stage::{SAS, SAS_DOCTOR, Stage, arm, complete, coordinator, doctor, qualify, regulator, sign, text};

#[test]
fn advice_ends_a_case_which_is_closed_a_day_later() {
    let mut stage = Stage::new();
    let (case, claim) = stage.held_by(&regulator());
    assert_eq!(status(stage.case(case), stage.now), Status::Active);
    stage.need(&regulator(), case, claim, CareType::Advice);
    assert_eq!(status(stage.case(case), stage.now), Status::Valid);
    stage.pass(Span::from_hours(24) + Span::from_ms(0));
    assert_eq!(status(stage.case(case), stage.now - Span::from_ms(1)), Status::Valid);
    assert_eq!(status(stage.case(case), stage.now), Status::Closed);
}

#[test]
fn a_case_with_an_appointment_to_come_is_never_valid() {
    let mut stage = Stage::new();
    let (case, decision) = stage.decided(CareType::Consultation);
    let (_, means) = stage.slot(Span::from_hours(40));
    let offer = stage.offered(case, decision, SAS, means);
    stage.accepted(&doctor(SAS_DOCTOR), case, offer);
    stage.pass(Span::from_hours(41));
    assert_eq!(status(stage.case(case), stage.now), Status::Active);
}

/// The 24 hours run from the end of ACTIF, not from its beginning: who was seen yesterday and calls again is answered in the
/// same file.
#[test]
fn a_file_that_was_open_for_longer_than_a_day_is_closed_a_day_after_its_last_action() {
    let mut stage = Stage::new();
    let (case, decision) = stage.decided(CareType::Consultation);
    let (_, means) = stage.slot(Span::from_hours(40));
    let offer = stage.offered(case, decision, SAS, means);
    stage.accepted(&doctor(SAS_DOCTOR), case, offer);
    stage.pass(Span::from_hours(41));
    let attend = Command::Attend { offer, seen: true, counter: None };
    stage.done(&doctor(SAS_DOCTOR), case, attend);
    let left: Vec<_> = stage.case(case).open_actions().map(|action| action.id).collect();
    for action in left {
        stage.done(&coordinator(), case, Command::EndAction { action, end: End::Done, note: None });
    }
    let last = stage.now;
    assert_eq!(status(stage.case(case), last), Status::Valid);
    assert_eq!(status(stage.case(case), last + Span::from_hours(24) - Span::from_ms(1)), Status::Valid);
    assert_eq!(status(stage.case(case), last + Span::from_hours(24)), Status::Closed);
}

#[test]
fn a_follow_up_keeps_a_case_active() {
    let mut stage = Stage::new();
    let (case, claim) = stage.held_by(&regulator());
    let mut advice = sign(claim, CareType::Advice);
    advice.follow_up = Some(stage.now + Span::from_hours(3));
    stage.done(&regulator(), case, Command::SignNeed(Box::new(advice)));
    assert!(stage.waits(case, ActionKind::FollowUp));
    assert_eq!(status(stage.case(case), stage.now + Span::from_hours(48)), Status::Active);
}

/// The rules keep an idle case complete; what a record that lacks something is shown as is said here all the same.
#[test]
fn a_file_that_lacks_something_is_acheve_and_never_closed() {
    let mut stage = Stage::new();
    let (id, claim) = stage.held_by(&regulator());
    stage.need(&regulator(), id, claim, CareType::Advice);
    let mut case = stage.case(id).clone();
    case.decisions[0].answer = None;
    for hours in [0, 24, 240] {
        assert_eq!(status(&case, stage.now + Span::from_hours(hours)), Status::Achieved);
    }
}

#[test]
fn a_closed_file_is_not_opened_again_but_a_note_may_be_added() {
    let mut stage = Stage::new();
    let earlier = stage.called();
    let (case, claim) = stage.held_by(&regulator());
    stage.need(&regulator(), case, claim, CareType::Advice);
    stage.pass(Span::from_hours(24));
    let closed = [
        Command::Qualify(Box::new(qualify(Priority::P1))),
        Command::Amend(Box::default()),
        Command::LinkRepeat(earlier),
        Command::Dismiss {
            attribution: sas_dispatch::domain::regulation::qualification::Attribution::Fax,
            possible_repeat: false,
        },
    ];
    for command in closed {
        let refusal = stage.refused(&arm(), case, command);
        assert!(matches!(&refusal, Refusal::State { problem, .. } if problem.contains("CLOTURE")), "{refusal}");
    }
    stage.done(&arm(), case, Command::AddNote(text("courrier reçu")));
    assert_eq!(status(stage.case(case), stage.now), Status::Closed);
}

#[test]
fn a_valid_file_that_is_called_about_again_becomes_active_and_counts_anew() {
    let mut stage = Stage::new();
    let (case, claim) = stage.held_by(&regulator());
    stage.need(&regulator(), case, claim, CareType::Advice);
    stage.pass(Span::from_hours(23));
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P2))));
    assert_eq!(status(stage.case(case), stage.now), Status::Active);
    let claim = stage.claim(&regulator(), case);
    stage.need(&regulator(), case, claim, CareType::Advice);
    stage.pass(Span::from_hours(2));
    assert_eq!(status(stage.case(case), stage.now), Status::Valid);
    assert!(matches!(stage.refused(&coordinator(), case, Command::Claim), Refusal::Role { .. }));
}

/// The ARM does what she can of it at once; the rest is the doctor's, and nobody has to come back to it.
#[test]
fn a_file_completed_while_a_doctor_decides_anew_waits_for_nothing_but_his_answer() {
    let mut stage = Stage::new();
    let (case, claim) = stage.held_by(&regulator());
    let child = Patient { number: 2, infant: true, ..Patient::default() };
    let particulars = Particulars { patients: vec![(child, Default::default())], ..Particulars::default() };
    stage.done(&arm(), case, Command::Amend(Box::new(particulars)));
    let mut for_the_child = super::stage::sign(claim, CareType::Advice);
    for_the_child.need.patient = 2;
    for_the_child.keep = true;
    stage.done(&regulator(), case, Command::SignNeed(Box::new(for_the_child)));
    stage.need(&regulator(), case, claim, CareType::Advice);
    assert!(stage.waits(case, ActionKind::CompleteFile), "nobody said who the child is");
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P2))));
    let claim = stage.claim(&regulator(), case);
    let decision = stage.need(&regulator(), case, claim, CareType::Consultation);
    let completed = complete(stage.case(case));
    stage.done(&arm(), case, completed);
    assert_eq!(missing(stage.case(case)), [Missing::Outcome]);
    assert!(stage.waits(case, ActionKind::CompleteFile));
    stage.answer(&regulator(), case, claim, decision, CareType::Consultation);
    assert!(!stage.waits(case, ActionKind::CompleteFile) && stage.waits(case, ActionKind::Route));
}

//! What the ARM may end alone: only a file without symptoms or flags, and reversibly (IGAS 2018; invariant 5).

use sas_dispatch::domain::{
    case::{
        ActionKind, Command, Refusal,
        command::Particulars,
        state::Patient,
        status::{Status, status},
    },
    regulation::qualification::{Attribution, Flag, Priority},
};

use super::stage::{Stage, arm, call, qualify, regulator};

fn refused_a_dismissal(stage: &mut Stage, case: sas_dispatch::domain::ids::CaseId) {
    for attribution in Attribution::ALL {
        let refusal =
            stage.refused(&arm(), case, Command::Dismiss { attribution: *attribution, possible_repeat: false });
        assert!(refusal.to_string().contains("only with a doctor's decision"), "{refusal}");
    }
}

#[test]
fn a_wrong_number_is_ended_and_comes_back_when_it_was_none() {
    let mut stage = Stage::new();
    let case = stage.called();
    stage.done(&arm(), case, Command::Dismiss { attribution: Attribution::WrongNumber, possible_repeat: false });
    assert_eq!(status(stage.case(case), stage.now), Status::Valid);
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P2))));
    assert_eq!(stage.case(case).dismissed, None);
    assert_eq!(status(stage.case(case), stage.now), Status::Active);
}

#[test]
fn a_question_for_the_pharmacy_on_duty_is_qualified_nr_and_ended() {
    let mut stage = Stage::new();
    let case = stage.called();
    let mut question = qualify(Priority::NotRegulated);
    question.motive = Some("M06.04".to_owned());
    stage.done(&arm(), case, Command::Qualify(Box::new(question)));
    assert!(stage.waits(case, ActionKind::Qualify), "it still waits for somebody");
    stage.done(
        &arm(),
        case,
        Command::Dismiss { attribution: Attribution::PharmacyInformation, possible_repeat: false },
    );
    assert_eq!(stage.case(case).dismissed, Some(Attribution::PharmacyInformation));
}

#[test]
fn a_medical_request_is_not_ended_by_the_arm() {
    let mut stage = Stage::new();
    for priority in [Priority::P0, Priority::P1, Priority::P2, Priority::P3] {
        let case = stage.qualified(priority);
        refused_a_dismissal(&mut stage, case);
    }
    let mut quiet = qualify(Priority::P3);
    quiet.symptoms = false;
    for flag in Flag::ALL {
        let case = stage.called();
        quiet.flags = vec![*flag];
        stage.done(&arm(), case, Command::Qualify(Box::new(quiet.clone())));
        refused_a_dismissal(&mut stage, case);
    }
}

/// Found by reading: before a qualification nothing stood in the way.
#[test]
fn a_repeat_call_or_an_infants_is_not_ended_even_before_it_is_qualified() {
    let mut stage = Stage::new();
    let (earlier, again) = (stage.called(), stage.called());
    stage.done(&arm(), again, Command::LinkRepeat(earlier));
    refused_a_dismissal(&mut stage, again);
    let mut infant = call(stage.now);
    let patient = Patient { number: 1, infant: true, ..Patient::default() };
    infant.particulars.patients = vec![(patient, Default::default())];
    let case = stage.opened(&arm(), infant);
    refused_a_dismissal(&mut stage, case);
}

/// Found by reading: the file of an infant stayed ended.
#[test]
fn a_file_that_was_ended_opens_again_when_its_patient_turns_out_to_be_an_infant() {
    let mut stage = Stage::new();
    let case = stage.called();
    stage.done(&arm(), case, Command::Dismiss { attribution: Attribution::Administrative, possible_repeat: false });
    let infant = Patient { number: 1, infant: true, ..Patient::default() };
    let particulars = Particulars { patients: vec![(infant, Default::default())], ..Particulars::default() };
    stage.done(&arm(), case, Command::Amend(Box::new(particulars)));
    assert!(stage.waits(case, ActionKind::Qualify));
    assert_eq!(stage.case(case).dismissed, None);
}

/// Found by reading: a dismissal left the case in the regulator's hands, with nothing to regulate.
#[test]
fn a_file_that_a_doctor_holds_is_not_ended_behind_his_back() {
    let mut stage = Stage::new();
    let case = stage.called();
    let mut quiet = qualify(Priority::P3);
    (quiet.symptoms, quiet.motive) = (false, Some("M06.02".to_owned()));
    stage.done(&arm(), case, Command::Qualify(Box::new(quiet)));
    stage.claim(&regulator(), case);
    let mut nothing = qualify(Priority::NotRegulated);
    nothing.symptoms = false;
    nothing.lower_reason = Some(super::stage::text("ne demande rien"));
    stage.done(&arm(), case, Command::Qualify(Box::new(nothing)));
    assert!(stage.waits(case, ActionKind::Regulate), "a doctor who was called for stays called for");
    refused_a_dismissal(&mut stage, case);
}

#[test]
fn a_decided_case_is_not_dismissed() {
    let mut stage = Stage::new();
    let (case, claim) = stage.held_by(&regulator());
    stage.need(&regulator(), case, claim, sas_dispatch::domain::regulation::need::CareType::Advice);
    assert!(matches!(
        stage.refused(&arm(), case, Command::Dismiss { attribution: Attribution::Fax, possible_repeat: false }),
        Refusal::State { .. }
    ));
}

/// Found by reading: who was said to have no symptom was ended without a doctor, whatever he rang for.
#[test]
fn whoever_rings_for_body_or_mind_is_a_doctors_whatever_is_said_of_symptoms() {
    let mut stage = Stage::new();
    for motive in ["M04.01", "M03.16", "M01.01", "M03.14", "M02.06", "M05.02", "M06.03"] {
        let case = stage.called();
        let mut nothing = qualify(Priority::NotRegulated);
        nothing.motive = Some(motive.to_owned());
        let refused = stage.refused(&arm(), case, Command::Qualify(Box::new(nothing)));
        assert!(refused.to_string().contains("priority: NR is for requests"), "{motive}: {refused}");
        // As an older binary wrote it.
        stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::NotRegulated))));
        stage.records.case_mut(case).unwrap().qualification.as_mut().unwrap().motive = Some(motive.to_owned());
        refused_a_dismissal(&mut stage, case);
    }
}

/// A call was ended as one whose file exists where there was no such file.
#[test]
fn a_call_is_not_ended_as_a_repetition_but_linked() {
    let mut stage = Stage::new();
    let case = stage.called();
    let ends = Command::Dismiss { attribution: Attribution::Repeat, possible_repeat: false };
    let refused = stage.refused(&arm(), case, ends);
    assert!(refused.to_string().contains("LinkRepeatCall"), "{refused}");
    assert_eq!(stage.case(case).dismissed, None);
}

//! The room: whose a case is, what is said when it becomes less urgent, and what a person on duty may not do beside it.

use sas_dispatch::domain::{
    actor::{Actor, Role},
    case::{ActionKind, Command, End, Refusal, RestsOn, command::Qualify, sealed::NoteKind},
    ids::CaseId,
    regulation::{
        fallback::{Fallback, Stop},
        independence::Exception,
        need::CareType,
        qualification::{Priority, Stream},
        room::{Affiliation, SurgeReason},
    },
    time::Span,
};

use super::{
    stage::{
        SECTOR, SOS, SOS_DOCTOR, Stage, arm, coordinator, doctor, other_regulator, qualify, regulator, sign, someone,
        supervisor, text,
    },
    streams::duty,
};

fn driver() -> Actor {
    someone(SOS_DOCTOR, Role::Regulator)
}

fn fields(refusal: &Refusal) -> Vec<&str> {
    match refusal {
        Refusal::Fields(faults) => faults.iter().map(|fault| fault.field.as_str()).collect(),
        other => panic!("no fault of a field: {other}"),
    }
}

fn because(what: Qualify) -> Command {
    Command::Qualify(Box::new(Qualify { lower_reason: Some(text("rassuré par l'examen du voisin")), ..what }))
}

impl Stage {
    fn heart(&mut self, who: &Actor) -> (CaseId, u64) {
        let case = self.called();
        let heart = Qualify { stream: Stream::Amu, ..qualify(Priority::P1) };
        self.done(&arm(), case, Command::Qualify(Box::new(heart)));
        (case, self.claim(who, case))
    }

    fn reasons(&self, case: CaseId) -> Vec<&str> {
        let notes = self.case(case).sealed.notes.iter().filter(|note| note.kind == NoteKind::Reason);
        notes.map(|note| note.by.as_str()).collect()
    }
}

#[test]
fn what_a_doctor_has_is_made_less_urgent_only_with_a_reason_that_is_kept() {
    for (who, decided) in [(arm(), false), (regulator(), false), (arm(), true)] {
        let mut stage = Stage::new();
        let (case, claim_no) = stage.heart(&regulator());
        if decided {
            stage.need(&regulator(), case, claim_no, CareType::Advice);
        }
        let lower = [
            Qualify { stream: Stream::Amu, ..qualify(Priority::P2) },
            Qualify { stream: Stream::Amu, ..qualify(Priority::P3) },
            qualify(Priority::P1),
        ];
        for what in &lower {
            let wordless = Command::Qualify(Box::new(what.clone()));
            assert_eq!(fields(&stage.refused(&who, case, wordless)), ["lower_reason"], "{what:?}");
            let blank = Qualify { lower_reason: Some(text("  ")), ..what.clone() };
            assert_eq!(fields(&stage.refused(&who, case, Command::Qualify(Box::new(blank)))), ["lower_reason"]);
        }
        stage.done(&who, case, because(lower[0].clone()));
        assert_eq!(stage.reasons(case), [who.person.as_str()]);
        // Up again, and into the AMU, is free.
        let up = Qualify { stream: Stream::Amu, ..qualify(Priority::P1) };
        stage.done(&who, case, Command::Qualify(Box::new(up)));
        assert_eq!(stage.reasons(case).len(), 1);
    }
}

#[test]
fn what_no_doctor_has_seen_is_qualified_again_freely() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P1);
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P2))));
    assert!(stage.reasons(case).is_empty());
}

/// A doctor qualified his case out of the AMU and prescribed by telephone in the same breath.
#[test]
fn whoever_takes_a_case_out_of_the_amu_does_not_prescribe_for_it_by_telephone() {
    let mut stage = Stage::new();
    let (case, claim_no) = stage.heart(&regulator());
    stage.done(&regulator(), case, because(qualify(Priority::P2)));
    let prescribes = |claim_no| Command::SignNeed(Box::new(sign(claim_no, CareType::PhonePrescription)));
    assert_eq!(fields(&stage.refused(&regulator(), case, prescribes(claim_no))), ["need.care"]);
    // Qualified once more it still is what it was.
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P2))));
    assert_eq!(fields(&stage.refused(&regulator(), case, prescribes(claim_no))), ["need.care"]);
    let mut of_stream = stage.clone();
    of_stream.rostered(&regulator(), Stream::Snp);
    of_stream.done(&regulator(), case, prescribes(claim_no));
    stage.done(&regulator(), case, Command::Release { claim_no, may_wait: None });
    let claim_no = stage.claim(&other_regulator(), case);
    stage.done(&other_regulator(), case, prescribes(claim_no));
}

#[test]
fn whoever_makes_visits_takes_no_case_and_whoever_holds_one_opens_no_shift() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    let shift = stage.on_duty(SOS_DOCTOR);
    for take in [Command::Claim, Command::ClaimNext(Stream::Snp)] {
        let refused = stage.refused(&driver(), case, take);
        assert!(refused.rests_on(RestsOn::Shifts) && refused.to_string().contains("makes visits"), "{refused}");
    }
    let mut excepted = stage.clone();
    excepted.territory.regulation.independence_exceptions = vec![Exception {
        person: SOS_DOCTOR.parse().unwrap(),
        convention: "Convention 2024-03".to_owned(),
        from: stage.now,
        until: stage.now + Span::from_hours(48),
    }];
    excepted.claim(&driver(), case);
    assert!(format!("{:?}", excepted.log.last().unwrap().facts).contains("Convention 2024-03"));
    stage.give(&doctor(SOS_DOCTOR), None, &Command::EndShift(shift)).unwrap();
    let claim_no = stage.claim(&driver(), case);
    let opens = |from| {
        let (responder, sectors, end) =
            (SOS.parse().unwrap(), vec![SECTOR.parse().unwrap()], from + Span::from_hours(8));
        Command::OpenShift { responder, sectors, start: from, end, position: None, doctor: None }
    };
    let refused = stage.give(&doctor(SOS_DOCTOR), None, &opens(stage.now)).unwrap_err();
    assert!(refused.to_string().contains(&case.to_string()), "{refused}");
    let tomorrow = opens(stage.now + Span::from_hours(24));
    stage.give(&doctor(SOS_DOCTOR), None, &tomorrow).expect("he will have given it back");
    stage.done(&driver(), case, Command::Release { claim_no, may_wait: None });
    let now = opens(stage.now);
    stage.give(&doctor(SOS_DOCTOR), None, &now).unwrap();
}

/// SNP was the AMU's and the AMU SNP's at the same instant.
#[test]
fn a_stream_with_a_doctor_answers_itself_though_a_stop_is_scheduled() {
    let mut stage = Stage::new();
    let (from, to, first) = ("00:00".parse().unwrap(), "08:00".parse().unwrap(), "2024-01-01".parse().unwrap());
    let stop = |stream| Stop { stream, from, to, first, last: None };
    stage.territory.regulation.stops = vec![stop(Stream::Snp), stop(Stream::Psy)];
    let case = stage.qualified(Priority::P2);
    stage.pass(Span::from_hours(16));
    stage.rostered(&regulator(), Stream::Snp);
    let refused = stage.refused(&other_regulator(), case, Command::ClaimNext(Stream::Amu));
    assert!(refused.to_string().contains("another stream"), "{refused}");
    stage.claim(&regulator(), case);
    assert_eq!(stage.case(case).claim.as_ref().unwrap().fallback, None);
    stage.rostered(&someone("dr-reg-psy", Role::Regulator), Stream::Psy);
    let case = stage.called();
    let sad = Qualify { stream: Stream::Psy, ..qualify(Priority::P2) };
    stage.done(&arm(), case, Command::Qualify(Box::new(sad)));
    stage.refused(&other_regulator(), case, Command::ClaimNext(Stream::Amu));
}

#[test]
fn a_decision_counts_for_the_duty_on_which_its_case_was_taken() {
    let mut stage = Stage::new();
    let id = stage.rostered(&regulator(), Stream::Snp);
    let (case, claim_no) = stage.held_by(&regulator());
    stage.pass(Span::from_mins(3));
    stage.give(&regulator(), None, &Command::EndDuty(id)).unwrap();
    stage.pass(Span::from_mins(3));
    stage.need(&regulator(), case, claim_no, CareType::Advice);
    assert_eq!(stage.case(case).decisions[0].signed.source, Some(Affiliation::Hospital));
    let (case, claim_no) = stage.held_by(&regulator());
    stage.need(&regulator(), case, claim_no, CareType::Advice);
    assert_eq!(stage.case(case).decisions[0].signed.source, None, "taken after it");
}

#[test]
fn whoever_sent_a_case_does_not_refuse_it_for_the_others_either() {
    let mut stage = Stage::new();
    stage.rostered(&regulator(), Stream::Snp);
    let (case, claim_no) = stage.held_by(&regulator());
    let reason = text("douleur thoracique");
    stage.done(&regulator(), case, Command::Reorient { claim_no, stream: Stream::Amu, reason });
    let back = || Command::AnswerReorientation { refused: Some(text("relève de la médecine générale")) };
    let refused = stage.refused(&regulator(), case, back());
    assert!(refused.to_string().contains("your own stream sent it"), "{refused}");
    stage.rostered(&other_regulator(), Stream::Amu);
    stage.done(&other_regulator(), case, back());
}

#[test]
fn whoever_takes_what_is_another_streams_is_told() {
    let mut stage = Stage::new();
    stage.rostered(&regulator(), Stream::Snp);
    stage.rostered(&other_regulator(), Stream::Amu);
    let told = |stage: &mut Stage, who: &Actor, take: Command| {
        let case = stage.qualified(Priority::P2);
        let warnings = stage.done(who, case, take).warnings;
        warnings.iter().any(|warning| warning.starts_with("NOT_OF_STREAM: "))
    };
    assert!(told(&mut stage, &other_regulator(), Command::Claim));
    assert!(told(&mut stage, &other_regulator(), Command::ClaimNext(Stream::Snp)));
    assert!(!told(&mut stage, &regulator(), Command::Claim));
    assert!(!told(&mut stage, &someone("dr-hors-liste", Role::Regulator), Command::Claim));
    let until = stage.now + Span::from_hours(1);
    stage.give(&supervisor(), None, &Command::StartSurge { reason: SurgeReason::CallLoad, until }).unwrap();
    assert!(!told(&mut stage, &other_regulator(), Command::Claim), "the split is suspended");
    stage.give(&supervisor(), None, &Command::EndSurge).unwrap();
    let ends = stage.records.room.as_ref().unwrap().duties[0].id;
    stage.give(&regulator(), None, &Command::EndDuty(ends)).unwrap();
    let case = stage.qualified(Priority::P2);
    stage.claim(&other_regulator(), case);
    assert_eq!(stage.case(case).claim.as_ref().unwrap().fallback, Some(Fallback::LiberalUnavailable));
}

#[test]
fn a_department_that_refuses_and_a_report_that_came_are_put_in_words() {
    let mut stage = Stage::new();
    let mut ends = |care, kind, end| {
        let (case, claim_no) = stage.held_by(&regulator());
        let decision = stage.need(&regulator(), case, claim_no, care);
        if stage.case(case).decision(decision).unwrap().answer.is_none() {
            stage.answer(&regulator(), case, claim_no, decision, care);
        }
        let action = stage.action(case, kind).id;
        for note in [None, Some(text(" "))] {
            let wordless = Command::EndAction { action, end, note };
            assert_eq!(fields(&stage.refused(&coordinator(), case, wordless)), ["note"], "{kind}");
        }
        let note = Some(text("plus de lit avant minuit"));
        stage.done(&coordinator(), case, Command::EndAction { action, end, note });
    };
    ends(CareType::EmergencyDepartment, ActionKind::AnnouncePatient, End::Refused);
    ends(CareType::Ambulance, ActionKind::AwaitReport, End::Done);
}

#[test]
fn a_supervisor_says_who_goes_on_duty() {
    let mut stage = Stage::new();
    let nobody = duty(Stream::Snp, stage.now, 8);
    assert_eq!(fields(&stage.give(&supervisor(), None, &nobody).unwrap_err()), ["person"]);
    let Command::StartDuty(mut known) = nobody else { unreachable!() };
    known.person = Some(regulator().person);
    stage.give(&supervisor(), None, &Command::StartDuty(known)).unwrap();
}

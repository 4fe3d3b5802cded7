//! What is corrected or added after the triage: ages, pregnancies, other patients. What is heard now counts as if it had been
//! known from the start.

use std::sync::Arc;

use sas_dispatch::domain::{
    case::{
        ActionKind, Command, Reply,
        command::{Answered, Particulars, Qualify},
        sealed::{Identity, Sex},
        state::Patient,
    },
    ids::CaseId,
    person::Private,
    regulation::{
        protocols::{Book, Value},
        qualification::{Flag, Priority},
    },
    time::Span,
};

use super::stage::{Stage, arm, call, qualify, regulator, sign, text};

/// A room whose committee has signed the protocols of triage.
fn signed() -> Stage {
    let mut stage = Stage::new();
    stage.territory.book = Arc::new(Book::clone(&stage.territory.book).with_unsigned());
    stage
}

fn patient(number: u32, age: &str, pregnant: bool) -> (Patient, Identity) {
    let known = Patient { number, pregnant, ..Patient::default() };
    let age = Private::new((!age.is_empty()).then(|| age.parse().unwrap()));
    let identity = Identity {
        number,
        name: text("Personne Fictive"),
        age,
        sex: Private::new(Some(Sex::Female)),
        ..Identity::default()
    };
    (known, identity)
}

fn opened(stage: &mut Stage, patients: Vec<(Patient, Identity)>) -> CaseId {
    let mut open = call(stage.now);
    open.particulars.patients = patients;
    stage.opened(&arm(), open)
}

/// An adult's fever in which every sign of gravity was asked and denied.
fn mild_fever(priority: Priority) -> Qualify {
    let chosen = |question: &str, choice: &str| (question.to_owned(), Value::Choice(choice.to_owned()));
    let mut answers = vec![
        chosen("VIT.CONSCIENCE", "NORMALE"),
        chosen("VIT.RESPIRATION", "NORMALE"),
        chosen("VIT.CIRCULATION", "NORMALE"),
        chosen("PLAINTE", "FIEVRE"),
        ("TEMP".to_owned(), Value::Number(38.3)),
    ];
    let book = signed().territory.book;
    let fever = book.protocols().iter().filter(|known| known.motives.iter().any(|motive| motive == "M03.14"));
    for asked in fever.flat_map(|known| book.asked_by(known)) {
        if asked.reassuring == Value::Yes(false) && asked.code != "GROSSESSE" {
            answers.push((asked.code.clone(), Value::Yes(false)));
        }
    }
    answers.retain(|(code, _)| code != "FIA.ISOLEE");
    answers.push(("FIA.ISOLEE".to_owned(), Value::Yes(true)));
    let answers = answers.into_iter().map(|(question, value)| Answered { question, value: Private::new(value) });
    Qualify { answers: answers.collect(), ..qualify(priority) }
}

/// An adult's fever that a doctor has answered with advice.
fn advised(stage: &mut Stage) -> CaseId {
    let case = opened(stage, vec![patient(1, "P40Y", false)]);
    stage.done(&arm(), case, Command::Qualify(Box::new(mild_fever(Priority::P2))));
    let claim_no = stage.claim(&regulator(), case);
    let advice = sign(claim_no, sas_dispatch::domain::regulation::need::CareType::Advice);
    stage.done(&regulator(), case, Command::SignNeed(Box::new(advice)));
    case
}

fn amended(stage: &mut Stage, case: CaseId, patient: (Patient, Identity)) -> Reply {
    let particulars = Particulars { patients: vec![patient], ..Particulars::default() };
    stage.done(&arm(), case, Command::Amend(Box::new(particulars)))
}

fn told(reply: &Reply, code: &str) -> bool {
    reply.warnings.iter().any(|warning| warning.starts_with(&format!("{code}: ")))
}

/// Found by trying: only the first patient of a case was looked at.
#[test]
fn whoever_of_the_patients_is_worst_off_decides() {
    let adult = || patient(1, "P40Y", false);
    for beside in [patient(2, "P1M", false), patient(2, "P90Y", false), patient(2, "P30Y", true), patient(2, "", false)]
    {
        let mut stage = signed();
        let alone = opened(&mut stage, vec![adult()]);
        stage.done(&arm(), alone, Command::Qualify(Box::new(mild_fever(Priority::P3))));
        let case = opened(&mut stage, vec![adult(), beside.clone()]);
        let refused = stage.refused(&arm(), case, Command::Qualify(Box::new(mild_fever(Priority::P3)))).to_string();
        assert!(refused.contains("less urgent than proposed") || refused.contains("red flag"), "{refused}");
    }
    let mut stage = signed();
    let case = opened(&mut stage, vec![adult(), patient(2, "P1M", false)]);
    let refused = stage.refused(&arm(), case, Command::Qualify(Box::new(mild_fever(Priority::P2)))).to_string();
    assert!(refused.contains("red flag"), "a feverish infant of one month is no P2: {refused}");
    stage.done(&arm(), case, Command::Qualify(Box::new(mild_fever(Priority::P1))));
}

/// Found by trying: an age was corrected after the triage, and the appointment in four hours stood.
#[test]
fn an_age_or_a_pregnancy_that_is_corrected_is_triaged_again() {
    for (corrected, raised) in [
        (patient(1, "P30Y", true), Some(Priority::P1)),
        (patient(1, "P1M", false), Some(Priority::P1)),
        (patient(1, "P90Y", false), None),
        (patient(1, "P41Y", false), Some(Priority::P3)),
    ] {
        let mut stage = signed();
        let case = opened(&mut stage, vec![patient(1, "P40Y", false)]);
        stage.done(&arm(), case, Command::Qualify(Box::new(mild_fever(Priority::P3))));
        assert!(stage.waits(case, ActionKind::TelephoneAppointment));
        let reply = amended(&mut stage, case, corrected.clone());
        let known = stage.case(case).qualification.clone().unwrap();
        let expected = raised.unwrap_or(Priority::P2);
        assert_eq!(known.priority, expected, "{:?}: {:?}", corrected.1.age.reveal(), reply.warnings);
        assert_eq!(known.flags.contains(&Flag::RedFlag), expected == Priority::P1);
        assert_eq!(told(&reply, "RED_FLAG_HEARD"), expected == Priority::P1, "{:?}", reply.warnings);
        assert_eq!(told(&reply, "P3_LIFTED"), expected == Priority::P2, "{:?}", reply.warnings);
        assert_eq!(stage.waits(case, ActionKind::TelephoneAppointment), expected == Priority::P3);
    }
}

#[test]
fn what_a_doctor_has_decided_on_is_not_triaged_again() {
    let mut stage = signed();
    let case = advised(&mut stage);
    let reply = amended(&mut stage, case, patient(1, "P30Y", true));
    assert!(!told(&reply, "RED_FLAG_HEARD") && !stage.waits(case, ActionKind::Regulate), "{:?}", reply.warnings);
}

/// Found by trying: the same words said again undid a doctor's word that it may wait, and a flag that was heard in a correction was
/// unheard with the next one.
#[test]
fn what_was_heard_in_a_correction_is_kept_and_said_again_changes_nothing() {
    let mut stage = signed();
    let case = opened(&mut stage, vec![patient(1, "P40Y", false)]);
    stage.done(&arm(), case, Command::Qualify(Box::new(mild_fever(Priority::P2))));
    assert!(told(&amended(&mut stage, case, patient(1, "P10D", false)), "RED_FLAG_HEARD"));
    let claim_no = stage.claim(&regulator(), case);
    let may_wait = Some(stage.now + Span::from_hours(1));
    stage.done(&regulator(), case, Command::Release { claim_no, may_wait });
    let before = stage.case(case).qualification.clone();
    let reply = amended(&mut stage, case, patient(1, "P10D", false));
    assert_eq!((stage.case(case).qualification.clone(), reply.warnings), (before, Vec::new()));
    amended(&mut stage, case, patient(1, "P40Y", false));
    let refused = stage.refused(&arm(), case, Command::Qualify(Box::new(mild_fever(Priority::P2)))).to_string();
    assert!(refused.contains("red flag"), "only a regulator says that it was nothing: {refused}");
}

/// A second patient who comes to a request that a doctor has answered is triaged, and one for whom only a rule asks for more is
/// raised, too.
#[test]
fn whoever_joins_a_decided_case_is_triaged_and_a_rule_raises_as_a_flag_does() {
    let mut stage = signed();
    let case = advised(&mut stage);
    let reply = amended(&mut stage, case, patient(2, "P10D", false));
    assert!(told(&reply, "RED_FLAG_HEARD"), "{:?}", reply.warnings);
    assert_eq!(stage.case(case).qualification.as_ref().unwrap().priority, Priority::P1);
    assert!(stage.waits(case, ActionKind::Regulate));

    let belly = opened(&mut stage, vec![patient(1, "P5Y", false)]);
    let value = Private::new(Value::Choice("ABDOMEN".to_owned()));
    let answers = vec![Answered { question: "PLAINTE".to_owned(), value }];
    let mild = Qualify { answers, motive: Some("M03.02".to_owned()), ..qualify(Priority::P2) };
    stage.done(&arm(), belly, Command::Qualify(Box::new(mild)));
    let reply = amended(&mut stage, belly, patient(1, "P10D", false));
    let priority = stage.case(belly).qualification.as_ref().unwrap().priority;
    assert!(
        priority == Priority::P1 && (told(&reply, "RAISED") || told(&reply, "RED_FLAG_HEARD")),
        "{:?}",
        reply.warnings
    );
}

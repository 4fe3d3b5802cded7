//! What was heard once counts, wherever and at whatever age it was heard; what was not asked does not reassure.

use sas_dispatch::domain::regulation::{
    protocols::{Age, Answers, Kind, Proposal, Sex, Subject, Value, propose},
    qualification::Priority,
};

use super::book;

fn asked(age: &str, motive: &str, answers: &[(&str, Value)]) -> Proposal {
    let subject = Subject { age: Some(age.parse().unwrap()), sex: Some(Sex::Male), ..Subject::default() };
    let answers: Answers = answers.iter().map(|(code, value)| ((*code).to_owned(), value.clone())).collect();
    propose(book(), &subject, motive, &answers)
}

fn yes(code: &str) -> (&str, Value) {
    (code, Value::Yes(true))
}

fn chosen<'a>(code: &'a str, choice: &str) -> (&'a str, Value) {
    (code, Value::Choice(choice.to_owned()))
}

const VITAL: [(&str, &str); 3] =
    [("VIT.CONSCIENCE", "NORMALE"), ("VIT.RESPIRATION", "NORMALE"), ("VIT.CIRCULATION", "NORMALE")];

/// Found by reading: naming the complaint switched off the protocol that holds for every complaint of the motive.
#[test]
fn naming_the_complaint_of_a_grave_motive_leaves_it_grave() {
    for (motive, complaint) in [("M02.08", "CRANE"), ("M01.02", "DIABETE")] {
        assert_eq!(asked("P30Y", motive, &[]).priority, Priority::P0, "{motive}");
        assert_eq!(
            asked("P30Y", motive, &[chosen("PLAINTE", complaint)]).priority,
            Priority::P0,
            "{motive} {complaint}"
        );
    }
}

/// Found by reading: a sign of another protocol counted only within that protocol's ages.
#[test]
fn a_sign_that_was_heard_is_one_at_any_age() {
    for (age, motive, sign, at_most) in [
        ("P23M", "M03.14", "FIE.PURPURA", Priority::P0),
        ("P20M", "M03.12", "DYE.BAVE", Priority::P0),
        ("P14Y", "M03.20", "ABD.SYNCOPE", Priority::P0),
        ("P14Y", "M03.05", "URH.RETENTION", Priority::P1),
    ] {
        let proposal = asked(age, motive, &[yes(sign)]);
        assert!(proposal.priority <= at_most, "{sign} at {age}: {:?}", proposal.rule);
    }
}

/// Found by reading: fever of a small infant, or with few defences, was urgent only under the motive of fever.
#[test]
fn fever_is_as_urgent_under_any_motive_where_it_is_grave() {
    let hot = ("TEMP", Value::Number(38.5));
    for motive in ["M03.12", "M06.02", "M06.04", "M03.14"] {
        assert_eq!(asked("P10W", motive, std::slice::from_ref(&hot)).priority, Priority::P1, "{motive}, ten weeks");
        let weak = asked("P50Y", motive, &[hot.clone(), yes("TERRAIN.IMMUNO")]);
        assert!(weak.priority <= Priority::P1, "{motive}, few defences: {:?}", weak.rule);
    }
}

/// Found by reading: whether the temperature had been taken did not matter, though a fever made it P2.
#[test]
fn p3_waits_for_every_question_it_hangs_on() {
    let mut answers: Vec<(&str, Value)> = VITAL.iter().map(|(code, choice)| chosen(code, choice)).collect();
    answers.push(chosen("PLAINTE", "CEPHALEE"));
    let no =
        ["BRUTALE", "MENINGE", "PURPURA", "NEURO", "CRANE", "CO", "NOUVEAU", "OEIL"].map(|sign| format!("CEP.{sign}"));
    answers.extend(no.iter().map(|code| (code.as_str(), Value::Yes(false))));
    answers.extend(["TERRAIN.ANTICOAG", "TERRAIN.IMMUNO"].map(|code| (code, Value::Yes(false))));
    answers.extend([yes("CEP.HABITUEL"), ("DOULEUR", Value::Number(4.0))]);
    let open = asked("P60Y", "M03.11", &answers);
    assert_eq!((open.priority, open.rule.rule.as_str()), (Priority::P2, "DEFAUT"), "over the age of the rule");
    let open = asked("P40Y", "M03.11", &answers);
    assert_eq!((open.priority, open.rule.rule.as_str()), (Priority::P2, "SANS_REPONSE"), "it may be grave");
    answers.push(("TEMP", Value::Number(36.9)));
    assert_eq!(asked("P40Y", "M03.11", &answers).priority, Priority::P3);

    let mut answers: Vec<(&str, Value)> = VITAL.iter().map(|(code, choice)| chosen(code, choice)).collect();
    answers.push(chosen("PLAINTE", "PIQURE"));
    let no = ["ALLERGIE", "SERPENT", "GORGE", "PROFONDE", "RAGE", "MULTIPLES", "MORSURE", "INFECTION", "TIQUE"];
    let no = no.map(|sign| format!("PIQ.{sign}"));
    answers.extend(no.iter().map(|code| (code.as_str(), Value::Yes(false))));
    answers.push(("TERRAIN.IMMUNO", Value::Yes(false)));
    let open = asked("P40Y", "M03.15", &answers);
    assert_eq!((open.priority, open.rule.rule.as_str()), (Priority::P2, "QUESTIONS_OUVERTES"), "is it at the hand?");
    answers.push(("PIQ.MAIN", Value::Yes(false)));
    assert_eq!(asked("P40Y", "M03.15", &answers).priority, Priority::P3);
}

/// Found by others' stories: a blow to the belly was told « traumatisme crânien sans signe de gravité ».
#[test]
fn what_was_not_named_is_not_told_to_be_of_another_complaint() {
    let vital: Vec<(&str, Value)> = VITAL.iter().map(|(code, choice)| chosen(code, choice)).collect();
    for (motive, named) in [("M02.07", None), ("M02.06", Some("DOS")), ("M02.07", Some("AUTRE"))] {
        let named = named.map(|complaint| chosen("PLAINTE", complaint));
        let answers: Vec<_> = vital.iter().cloned().chain(named).collect();
        let open = asked("P10Y", motive, &answers);
        assert_eq!((open.priority, open.rule.rule.as_str()), (Priority::P2, "PLAINTE_OUVERTE"), "{motive}");
    }
    let head: Vec<_> = vital.into_iter().chain([chosen("PLAINTE", "CRANE")]).collect();
    assert_eq!(asked("P10Y", "M02.07", &head).rule.protocol, "CRANE");
}

#[test]
fn a_slight_shortness_of_breath_is_never_deferred() {
    for protocol in book().protocols() {
        let mut answers: Answers =
            book().asked_by(protocol).map(|asked| (asked.code.clone(), asked.reassuring.clone())).collect();
        answers.insert("VIT.RESPIRATION".to_owned(), Value::Choice("GENE_LEGERE".to_owned()));
        answers.extend(protocol.presentation.iter().map(|of| ("PLAINTE".to_owned(), Value::Choice(of.code.clone()))));
        let subject = Subject { age: Age::from_years(30.0), ..Subject::default() };
        let proposal = propose(book(), &subject, &protocol.motives[0], &answers);
        assert!(proposal.priority <= Priority::P2, "{}: {:?}", protocol.code, proposal.rule);
    }
}

/// Callers without a thermometer never give a number: that somebody has no fever can be told all the same, save of the youngest.
#[test]
fn no_fever_and_no_pain_are_answers_without_a_measure_from_three_months_on() {
    let mut answers: Vec<(&str, Value)> = VITAL.iter().map(|(code, choice)| chosen(code, choice)).collect();
    answers.push(chosen("PLAINTE", "DOS"));
    let no = ["SPHINCTERS", "FORCE", "ABDOMEN", "TRAUMA", "CANCER", "MARCHE"].map(|sign| format!("DOS.{sign}"));
    answers.extend(no.iter().map(|code| (code.as_str(), Value::Yes(false))));
    answers.extend(["TERRAIN.ANTICOAG", "TERRAIN.IMMUNO", "TERRAIN.GROSSESSE"].map(|code| (code, Value::Yes(false))));
    answers.push(("DOULEUR", Value::Number(4.0)));
    assert_eq!(asked("P40Y", "M03.22", &answers).priority, Priority::P2, "nobody asked for a fever");
    answers.push(("TEMP", Value::Yes(false)));
    assert_eq!(asked("P40Y", "M03.22", &answers).priority, Priority::P3);
    assert!(book().fault("TEMP", &Value::Yes(false)).is_none() && book().fault("TEMP", &Value::Yes(true)).is_some());
    assert!(book().fault("DIA.GLYCEMIE", &Value::Yes(false)).is_some(), "what only a measure tells");

    let newborn = asked("P20D", "M03.12", &[chosen("PLAINTE", "RHUME"), ("TEMP", Value::Yes(false))]);
    assert!(newborn.unanswered.iter().any(|code| code == "TEMP"), "{:?}", newborn.unanswered);
}

#[test]
fn no_is_worth_the_value_that_worries_least_in_every_protocol() {
    for protocol in book().protocols() {
        for known in book().asked_by(protocol).filter(|known| matches!(known.kind, Kind::Number { or_no: true, .. })) {
            let mut answers: Answers =
                book().asked_by(protocol).map(|asked| (asked.code.clone(), asked.reassuring.clone())).collect();
            let subject = Subject { age: Age::from_years(30.0), ..Subject::default() };
            let measured = propose(book(), &subject, &protocol.motives[0], &answers);
            answers.insert(known.code.clone(), Value::Yes(false));
            assert_eq!(propose(book(), &subject, &protocol.motives[0], &answers), measured, "{}", protocol.code);
        }
    }
}

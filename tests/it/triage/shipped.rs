//! The protocols that are shipped: every motive answered for, every source named, nothing signed, P3 within reach.

use std::collections::BTreeSet;

use sas_dispatch::{
    config::Config,
    domain::regulation::{
        motives::MOTIVES,
        protocols::{Age, Answers, Seal, Subject, Value, propose},
        qualification::Priority,
    },
};

use super::book;

#[test]
fn every_motive_of_the_national_list_has_a_protocol_for_a_child_and_for_an_adult() {
    for entry in MOTIVES.iter().filter(|entry| entry.level == 2) {
        for years in [0.5, 6.0, 30.0, 80.0] {
            let meant = book().protocols().iter().filter(|known| {
                let age = Age::from_years(years);
                known.population.admits(&Subject { age, ..Subject::default() })
                    && known.motives.iter().any(|code| code == entry.code)
            });
            assert!(meant.count() > 0, "{} at {years}", entry.code);
        }
    }
    assert!(book().protocols().len() >= 20);
}

#[test]
fn a_motive_without_a_protocol_is_p2_to_a_regulator_and_says_so() {
    let proposal = propose(book(), &Subject::default(), "M99.99", &Answers::new());
    assert_eq!((proposal.priority, proposal.rule.rule.as_str()), (Priority::P2, "SANS_PROTOCOLE"));
}

#[test]
fn every_protocol_names_published_sources_and_none_is_signed() {
    for protocol in book().protocols() {
        assert!(protocol.sources.iter().any(|source| source.year >= 2000), "{}", protocol.code);
        assert_eq!(protocol.seal, Seal::Unsigned, "{}: only a committee signs", protocol.code);
        assert_eq!(protocol.digest.len(), 64);
    }
}

#[test]
fn what_is_built_in_is_what_is_in_the_folder() {
    let built_in = Config::shipped().unwrap().book;
    let codes = |book: &sas_dispatch::domain::regulation::protocols::Book| {
        book.protocols().iter().map(|known| (known.code.clone(), known.digest.clone())).collect::<BTreeSet<_>>()
    };
    assert_eq!(codes(&built_in), codes(book()));
}

#[test]
fn a_patient_of_thirty_with_reassuring_answers_is_no_emergency_unless_the_motive_is_one() {
    for protocol in book().protocols().iter().filter(|known| known.default == Priority::P2) {
        let age = Age::from_years(30.0);
        let subject = Subject { age, pregnant: Some(false), ..Subject::default() };
        let mut answers: Answers =
            book().asked_by(protocol).map(|asked| (asked.code.clone(), asked.reassuring.clone())).collect();
        answers.extend(
            protocol.presentation.iter().map(|known| ("PLAINTE".to_owned(), Value::Choice(known.code.clone()))),
        );
        if protocol.population.admits(&subject) {
            let proposal = propose(book(), &subject, &protocol.motives[0], &answers);
            assert!(proposal.priority >= Priority::P2, "{}: {:?}", protocol.code, proposal.rule);
        }
    }
}

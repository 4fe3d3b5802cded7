//! What holds for every patient, motive and set of answers. A smaller priority is a more urgent one.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sas_dispatch::domain::{
    regulation::{
        protocols::{Fired, NotDeferred, Subject, Value, propose, propose_for_all, psychiatric},
        qualification::Priority,
    },
    territory::Deferral,
};

use super::{book, complaints, oracle, story, subject};

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_red_flag_that_was_heard_wins_whatever_else_was_said((subject, motive, answers) in story()) {
        let proposal = propose(book(), &subject, &motive, &answers);
        if let Some(flag) = oracle::red_flag(&subject, &motive, &answers) {
            prop_assert!(proposal.priority <= flag, "{} after {flag}", proposal.priority);
            prop_assert!(proposal.red_flags.iter().any(|heard| heard.priority == flag));
        }
        let least = proposal.red_flags.iter().map(|heard| heard.priority).min();
        prop_assert!(least.is_none_or(|least| proposal.priority <= least));
    }

    #[test]
    fn one_more_red_flag_never_makes_it_less_urgent((subject, motive, answers) in story(), at in any::<prop::sample::Index>()) {
        let flags: Vec<_> = book().protocols().iter().filter(|known| known.motives.contains(&motive))
            .flat_map(|known| &known.questions)
            .filter(|asked| asked.reassuring == Value::Yes(false))
            .filter(|asked| book().protocols().iter().any(|known| known.red_flags.iter().any(|flag| flag.code == asked.code)))
            .collect();
        prop_assume!(!flags.is_empty());
        let mut worse = answers.clone();
        worse.insert(flags[at.index(flags.len())].code.clone(), Value::Yes(true));
        let before = propose(book(), &subject, &motive, &answers);
        let after = propose(book(), &subject, &motive, &worse);
        prop_assert!(after.priority <= before.priority, "{} became {}", before.priority, after.priority);
    }

    #[test]
    fn an_answer_that_is_missing_never_makes_it_less_urgent_than_the_reassuring_one((subject, motive, answers) in story()) {
        for code in answers.keys().filter(|code| *code != "PLAINTE") {
            let mut without = answers.clone();
            without.remove(code);
            let mut calm = without.clone();
            calm.insert(code.clone(), book().question(code).unwrap().reassuring.clone());
            let (missing, given) =
                (propose(book(), &subject, &motive, &without), propose(book(), &subject, &motive, &calm));
            prop_assert!(missing.priority <= given.priority, "{code}: {} instead of {}", missing.priority, given.priority);
        }
    }

    /// The answers are the call's: who is worst off decides, and nobody is deferred unless all are.
    #[test]
    fn of_several_patients_the_one_who_is_worst_off_decides(
        (_, motive, answers) in story(),
        subjects in proptest::collection::vec(subject(), 0..4),
    ) {
        let together = propose_for_all(book(), &subjects, &motive, &answers);
        let unknown = [Subject::default()];
        let named = if subjects.is_empty() { &unknown[..] } else { &subjects };
        let each: Vec<_> = named.iter().map(|subject| propose(book(), subject, &motive, &answers)).collect();
        prop_assert_eq!(Some(together.priority), each.iter().map(|one| one.priority).min());
        prop_assert_eq!(together.priority, together.rule.priority);
        let heard = |flags: &[Fired]| flags.iter().map(|flag| (flag.protocol.clone(), flag.rule.clone())).collect::<BTreeSet<_>>();
        let all: BTreeSet<_> = each.iter().flat_map(|one| heard(&one.red_flags)).collect();
        prop_assert_eq!(heard(&together.red_flags), all);
        prop_assert_eq!(together.open_red_flags > 0, each.iter().any(|one| one.open_red_flags > 0));
        let open: BTreeSet<_> = each.iter().flat_map(|one| one.unanswered.clone()).collect();
        prop_assert_eq!(together.unanswered.iter().cloned().collect::<BTreeSet<_>>(), open);
        prop_assert_eq!(together.window, each.iter().map(|one| one.window).min().flatten());
    }

    #[test]
    fn a_complaint_that_was_not_named_is_as_urgent_as_the_most_urgent_of_the_motive((subject, motive, mut answers) in story()) {
        answers.remove("PLAINTE");
        let unnamed = propose(book(), &subject, &motive, &answers);
        for code in complaints(&motive).into_iter().flatten() {
            answers.insert("PLAINTE".to_owned(), Value::Choice(code.clone()));
            let meant = book().protocols().iter().any(|known| {
                known.population.admits(&subject)
                    && known.motives.contains(&motive)
                    && known.presentation.as_ref().is_some_and(|known| known.code == code)
            });
            let named = propose(book(), &subject, &motive, &answers);
            prop_assert!(!meant || unnamed.priority <= named.priority, "{code}");
        }
    }

    #[test]
    fn an_age_that_is_not_known_never_defers((subject, motive, answers) in story()) {
        let proposal = propose(book(), &Subject { age: None, ..subject }, &motive, &answers);
        prop_assert!(proposal.priority < Priority::P3);
    }

    #[test]
    fn p3_is_only_for_who_was_asked_everything_is_no_infant_and_no_psychiatric_case((subject, motive, answers) in story()) {
        let proposal = propose(book(), &subject, &motive, &answers);
        prop_assert!(proposal.priority != Priority::NotRegulated);
        if proposal.priority == Priority::P3 {
            prop_assert_eq!(proposal.open_red_flags, 0);
            prop_assert!(proposal.red_flags.is_empty());
            prop_assert!(subject.age.is_some_and(|age| age.days() >= 730));
            prop_assert!(!psychiatric(&motive));
            prop_assert!(proposal.window.is_some_and(|window| window.secs() > 0));
        } else {
            prop_assert_eq!(proposal.window, None);
        }
    }

    #[test]
    fn what_waits_lifts_a_p3_where_too_few_do_and_touches_nothing_else(
        (subject, motive, answers) in story(),
        asked in 0..5_u32,
        waiting in proptest::option::of(0..6_u32),
        listed in any::<bool>(),
    ) {
        let motives = if listed { vec![motive.clone()] } else { Vec::new() };
        let policy = Deferral { motives, waiting_from: asked, ..Deferral::default() };
        let at_any_hour = propose(book(), &subject, &motive, &answers);
        let now = policy.here_and_now(at_any_hour.clone(), &motive, subject.age, waiting);
        if at_any_hour.priority != Priority::P3 || listed && waiting.unwrap_or(0) >= asked {
            prop_assert_eq!(now, at_any_hour);
        } else {
            let why = if listed { NotDeferred::Quiet } else { NotDeferred::Motive };
            prop_assert_eq!((now.priority, now.rule.priority, now.window), (Priority::P2, Priority::P2, None));
            prop_assert_eq!((now.rule.rule.as_str(), now.rule.reason.as_str()), (why.code(), why.label()));
            prop_assert_eq!(book().reason(&now.rule.protocol, &now.rule.rule), Some(why.label()));
            prop_assert_eq!((now.stream, now.unanswered), (at_any_hour.stream, at_any_hour.unanswered));
        }
    }

    #[test]
    fn every_proposal_names_the_rule_and_says_why_in_french((subject, motive, answers) in story()) {
        let proposal = propose(book(), &subject, &motive, &answers);
        prop_assert_eq!(proposal.priority, proposal.rule.priority);
        prop_assert!(!proposal.rule.reason.is_empty() && !proposal.rule.version.is_empty());
        let again = book().reason(&proposal.rule.protocol, &proposal.rule.rule);
        prop_assert_eq!(again, Some(proposal.rule.reason.as_str()), "the words are found again by code");
    }
}

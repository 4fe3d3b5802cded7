//! An oracle that reads conditions by itself: only what was answered counts, and what is not known is not so.

use sas_dispatch::domain::regulation::{
    protocols::{Answers, Condition, Protocol, Subject, Value},
    qualification::Priority,
};

use super::book;

/// True when `condition` holds on what was really said; a negation of what was not said does not count as said.
pub fn said(condition: &Condition, subject: &Subject, answers: &Answers) -> bool {
    let number = |code: &String| match answers.get(code) {
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    };
    match condition {
        Condition::All(parts) => parts.iter().all(|part| said(part, subject, answers)),
        Condition::Any(parts) => parts.iter().any(|part| said(part, subject, answers)),
        Condition::Not(_) | Condition::Pregnant(false) => false,
        Condition::Is { question, values } => answers.get(question).is_some_and(|value| values.contains(value)),
        Condition::AtLeast { question, number: least } => number(question).is_some_and(|given| given >= *least),
        Condition::AtMost { question, number: most } => number(question).is_some_and(|given| given <= *most),
        Condition::AgeBelow(age) => subject.age.is_some_and(|known| known < *age),
        Condition::AgeFrom(age) => subject.age.is_some_and(|known| known >= *age),
        Condition::Sex(sex) => subject.sex == Some(*sex),
        // A man said to be pregnant is a slip of the mouse.
        Condition::Pregnant(true) => {
            let told = subject.pregnant == Some(true) || answers.get("TERRAIN.GROSSESSE") == Some(&Value::Yes(true));
            told && subject.sex != Some(sas_dispatch::domain::regulation::protocols::Sex::Male)
        }
    }
}

/// Whether a protocol can be for this patient.
fn admits(known: &Protocol, subject: &Subject) -> bool {
    let age = |test: &dyn Fn(u32) -> bool| subject.age.is_none_or(|age| test(age.days()));
    age(&|days| known.population.from.is_none_or(|from| days >= from.days()))
        && age(&|days| known.population.below.is_none_or(|below| days < below.days()))
        && (known.population.sex.is_none() || subject.sex.is_none() || subject.sex == known.population.sex)
}

/// The most urgent red flag that was heard under a motive: of the common ones, and of its protocols.
pub fn red_flag(subject: &Subject, motive: &str, answers: &Answers) -> Option<Priority> {
    let complaint = match answers.get("PLAINTE") {
        Some(Value::Choice(code)) => Some(code.clone()),
        _ => None,
    };
    let of_motive = |known: &&Protocol| known.motives.iter().any(|code| code == motive) && admits(known, subject);
    let meant: Vec<_> = book().protocols().iter().filter(of_motive).collect();
    let code = |known: &Protocol| known.presentation.as_ref().map(|known| known.code.clone());
    let is_named = complaint.is_some() && meant.iter().any(|known| code(known) == complaint);
    let meant = meant.into_iter().filter(|known| !is_named || code(known).is_none() || code(known) == complaint);
    let flags = meant.chain(book().common()).flat_map(|known| &known.red_flags);
    flags.filter(|flag| said(&flag.when, subject, answers)).map(|flag| flag.priority).min()
}

//! Conditions that can never hold, or that always do.

use crate::domain::regulation::protocols::{Answers, Condition, Population, Value};

/// Why no patient and no answer can make it true; `None` when some can.
pub(super) fn of(condition: &Condition, population: Population) -> Option<String> {
    match condition {
        Condition::All(parts) => {
            parts.iter().find_map(|part| of(part, population)).or_else(|| of_all(parts, population))
        }
        Condition::Any(parts) => parts.iter().find_map(|part| of(part, population)),
        Condition::Not(part) => of(part, population),
        Condition::AgeBelow(age) if population.from.is_some_and(|from| *age <= from) => {
            Some(format!("never holds: the protocol is for patients from {}", population.from?))
        }
        Condition::AgeFrom(age) if population.below.is_some_and(|below| *age >= below) => {
            Some(format!("never holds: the protocol is for patients below {}", population.below?))
        }
        Condition::Sex(sex) if population.sex.is_some_and(|only| only != *sex) => {
            Some("never holds: the protocol is for the other sex".to_owned())
        }
        _ => None,
    }
}

/// Bounds that exclude each other in one `all`.
fn of_all(parts: &[Condition], population: Population) -> Option<String> {
    let (mut from, mut below) = (population.from, population.below);
    for part in parts {
        match part {
            Condition::AgeFrom(age) => from = from.max(Some(*age)),
            Condition::AgeBelow(age) => below = Some(below.map_or(*age, |known| known.min(*age))),
            _ => {}
        }
    }
    if from.zip(below).is_some_and(|(from, below)| from >= below) {
        return Some("never holds: its ages exclude each other".to_owned());
    }
    for (at, part) in parts.iter().enumerate() {
        if let Some(question) = parts[..at].iter().find_map(|other| exclude(other, part)) {
            return Some(format!("never holds: its answers to '{question}' exclude each other"));
        }
    }
    None
}

fn exclude<'a>(one: &'a Condition, other: &Condition) -> Option<&'a str> {
    match (one, other) {
        (Condition::Is { question, values }, Condition::Is { question: same, values: others }) if question == same => {
            let shared = values.iter().any(|value| others.contains(value));
            (!shared).then_some(question.as_str())
        }
        (Condition::AtLeast { question, number }, Condition::AtMost { question: same, number: most })
        | (Condition::AtMost { question, number: most }, Condition::AtLeast { question: same, number })
            if question == same && number > most =>
        {
            Some(question)
        }
        _ => None,
    }
}

/// True when it holds with every answer at its most reassuring, whoever the patient is.
pub(super) fn always(condition: &Condition, reassuring: &Answers) -> bool {
    let value = |question: &str| reassuring.get(question);
    match condition {
        Condition::All(parts) => parts.iter().all(|part| always(part, reassuring)),
        Condition::Any(parts) => parts.iter().any(|part| always(part, reassuring)),
        Condition::Not(part) => never(part, reassuring),
        Condition::Is { question, values } => value(question).is_some_and(|known| values.contains(known)),
        Condition::AtLeast { question, number } => matches!(value(question), Some(Value::Number(n)) if n >= number),
        Condition::AtMost { question, number } => matches!(value(question), Some(Value::Number(n)) if n <= number),
        Condition::AgeBelow(_) | Condition::AgeFrom(_) | Condition::Sex(_) | Condition::Pregnant(_) => false,
    }
}

fn never(condition: &Condition, reassuring: &Answers) -> bool {
    let of_patient = matches!(
        condition,
        Condition::AgeBelow(_) | Condition::AgeFrom(_) | Condition::Sex(_) | Condition::Pregnant(_)
    );
    !of_patient && !always(condition, reassuring)
}

//! Conditions: a small typed expression over answers and patient, true, false or not known.

use std::collections::BTreeSet;

use super::{
    Age,
    answer::{Answers, Value},
    subject::{Sex, Subject},
};

/// Code of the shared question that says of a patient that she is pregnant, where the case does not.
pub const PREGNANCY: &str = "TERRAIN.GROSSESSE";

/// When something holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Every one of them.
    All(Vec<Condition>),
    /// At least one of them.
    Any(Vec<Condition>),
    /// Not that.
    Not(Box<Condition>),
    /// The answer is one of these.
    Is {
        /// To which question.
        question: String,
        /// Values that count.
        values: Vec<Value>,
    },
    /// The number answered is at least this.
    AtLeast {
        /// To which question.
        question: String,
        /// In its unit.
        number: f64,
    },
    /// The number answered is at most this.
    AtMost {
        /// To which question.
        question: String,
        /// In its unit.
        number: f64,
    },
    /// Younger than this.
    AgeBelow(Age),
    /// This old or older.
    AgeFrom(Age),
    /// Of this sex.
    Sex(Sex),
    /// Pregnant, or not.
    Pregnant(bool),
}

/// What a condition looks at.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    /// The patient.
    pub(super) subject: &'a Subject,
    /// What was answered.
    pub(super) answers: &'a Answers,
    /// The value that stands for a missing answer; none: a missing answer is not known.
    pub(super) missing: Option<&'a Answers>,
}

impl View<'_> {
    fn value(&self, question: &str) -> Option<&Value> {
        self.answers.get(question).or_else(|| self.missing?.get(question))
    }

    /// As known of the patient, or as answered; a yes from either counts.
    fn pregnant(&self) -> Option<bool> {
        let said = match self.value(PREGNANCY) {
            Some(Value::Yes(yes)) => Some(*yes),
            _ => None,
        };
        match self.subject.pregnant() {
            Some(true) => Some(true),
            Some(false) => Some(said == Some(true) && self.subject.sex != Some(Sex::Male)),
            None => said,
        }
    }

    fn number(&self, question: &str) -> Option<f64> {
        match self.value(question) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }
}

impl Condition {
    /// Whether it holds; `None` when what is not known decides.
    pub(super) fn holds(&self, view: &View<'_>) -> Option<bool> {
        match self {
            Self::All(parts) => all(parts.iter().map(|part| part.holds(view))),
            Self::Any(parts) => all(parts.iter().map(|part| part.holds(view).map(|holds| !holds))).map(|none| !none),
            Self::Not(part) => part.holds(view).map(|holds| !holds),
            Self::Is { question, values } => view.value(question).map(|value| values.contains(value)),
            Self::AtLeast { question, number } => view.number(question).map(|given| given >= *number),
            Self::AtMost { question, number } => view.number(question).map(|given| given <= *number),
            Self::AgeBelow(age) => view.subject.age.map(|known| known < *age),
            Self::AgeFrom(age) => view.subject.age.map(|known| known >= *age),
            Self::Sex(sex) => view.subject.sex.map(|known| known == *sex),
            Self::Pregnant(pregnant) => view.pregnant().map(|known| known == *pregnant),
        }
    }

    /// Every question it looks at.
    pub fn questions(&self) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        self.gather(&mut found);
        found
    }

    fn gather<'a>(&'a self, found: &mut BTreeSet<&'a str>) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.gather(found)),
            Self::Not(part) => part.gather(found),
            Self::Is { question, .. } | Self::AtLeast { question, .. } | Self::AtMost { question, .. } => {
                found.insert(question);
            }
            Self::Pregnant(_) => drop(found.insert(PREGNANCY)),
            Self::AgeBelow(_) | Self::AgeFrom(_) | Self::Sex(_) => {}
        }
    }
}

/// False when one is false; else not known when one is not known.
fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = Some(true);
    for part in parts {
        match part {
            Some(false) => return Some(false),
            None => known = None,
            Some(true) => {}
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_decides_only_where_nothing_else_does() {
        assert_eq!(all([Some(true), None, Some(false)].into_iter()), Some(false));
        assert_eq!(all([Some(true), None].into_iter()), None);
        assert_eq!(all([Some(true); 2].into_iter()), Some(true));
    }
}

//! Questions: a stable code, the French wording, and the answers that exist.

use super::{answer::Value, condition::Condition};

/// One coded answer of a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its code.
    pub code: String,
    /// In French.
    pub label: String,
}

/// What may be answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Yes or no.
    YesNo,
    /// One of these codes.
    Choice(Vec<Choice>),
    /// A number within bounds.
    Number {
        /// Its unit.
        unit: String,
        /// Smallest that is believed.
        min: f64,
        /// Largest that is believed.
        max: f64,
        /// Whether "no" is an answer as well: there is none of it, as far as can be told without measuring.
        or_no: bool,
    },
}

impl Kind {
    /// The name of the kind in documents.
    pub fn name(&self) -> &'static str {
        match self {
            Self::YesNo => "yes_no",
            Self::Choice(_) => "choice",
            Self::Number { .. } => "number",
        }
    }
}

/// One question.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Stable code, `TOPIC.WORD`.
    pub code: String,
    /// What is asked, in French.
    pub text: String,
    /// What may be answered.
    pub kind: Kind,
    /// The answer that worries least: what makes more urgent is judged as if a missing answer were this one.
    pub reassuring: Value,
    /// When it is asked at all; none: always.
    pub asked_if: Option<Condition>,
}

impl Question {
    /// What is wrong with `value` as an answer, in words that do not repeat it; `None` when it is one.
    pub fn fault(&self, value: &Value) -> Option<String> {
        match (&self.kind, value) {
            (Kind::YesNo, Value::Yes(_)) => None,
            (Kind::YesNo, _) => Some("expected yes or no".to_owned()),
            (Kind::Choice(choices), Value::Choice(code)) if choices.iter().any(|choice| choice.code == *code) => None,
            (Kind::Choice(choices), _) => {
                let codes: Vec<_> = choices.iter().map(|choice| choice.code.as_str()).collect();
                Some(format!("expected one of {}", codes.join(", ")))
            }
            (Kind::Number { min, max, .. }, Value::Number(number)) if (*min..=*max).contains(number) => None,
            (Kind::Number { or_no: true, .. }, Value::Yes(false)) => None,
            (Kind::Number { unit, min, max, or_no }, _) => {
                let no = if *or_no { ", or no where there is none and nobody measured it" } else { "" };
                Some(format!("expected a number from {min} to {max} ({unit}){no}"))
            }
        }
    }
}

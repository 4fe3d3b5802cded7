//! One question of a protocol, with the red flags that stand beside its answers.

use toml::de::DeValue;

use super::{
    super::{
        sheet::{Table, kind},
        values::{boolean, parsed, text, words},
    },
    Shelf, condition,
};
use crate::domain::regulation::{
    protocols::{Choice, Condition, Kind, Question, Rule, Value},
    qualification::{Priority, Stream},
};

/// Longest code, characters.
const LONGEST_CODE: usize = 32;
/// Longest wording, characters.
const LONGEST_TEXT: usize = 300;

/// A code: capitals, digits, dots and underscores.
pub(super) fn code(value: &DeValue<'_>) -> Result<String, String> {
    let code = words(value)?;
    let legal = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '.' || c == '_';
    if code.len() <= LONGEST_CODE && code.chars().all(legal) {
        Ok(code)
    } else {
        Err(format!("expected a code of at most {LONGEST_CODE} capitals, digits, dots and underscores"))
    }
}

/// A whole or decimal number.
pub(super) fn number(value: &DeValue<'_>) -> Result<f64, String> {
    let written = value.as_float().map(|number| number.as_str()).or(value.as_integer().map(|n| n.as_str()));
    let number = written.and_then(|written| written.replace('_', "").parse::<f64>().ok());
    number.filter(|number| number.is_finite()).ok_or_else(|| format!("expected a number, got {}", kind(value)))
}

/// Reads a question; `earlier` are those of its file that may say whether it is asked.
pub(super) fn question(
    table: &Table<'_>,
    shelf: &Shelf,
    file: &str,
    earlier: &[Question],
) -> Option<(Question, Vec<Rule>)> {
    let code = table.required("code", code);
    let ask = table.required("ask", wording);
    let flag = table.optional("red_flag", urgent);
    let because = table.optional("because", words);
    let stream = table.optional("stream", parsed::<Stream>);
    let choices = table.optional("choices", self::choices);
    let measured = measured(table);
    let reassuring = table.optional("reassuring", number);
    let or_no = table.optional("or_no", boolean).unwrap_or_default();
    let asked_if = table.optional("asked_if", |value| condition::read(value, &|code| known(shelf, earlier, code)));
    let (code, ask) = (code?, ask?);
    if let Some(place) = shelf.codes.borrow_mut().insert(code.clone(), file.to_owned()) {
        table.fault("code", format!("'{code}' stands in {place} already; each question has its own code"));
    }
    let because = because.unwrap_or_else(|| ask.trim_end_matches(['?', ' ', '\u{a0}']).to_owned());
    let flagged = |value: Value, name: String, priority: Priority, reason: String| Rule {
        code: name,
        when: Condition::Is { question: code.clone(), values: vec![value] },
        priority,
        stream: stream.unwrap_or(Stream::Amu),
        reason,
        window: None,
    };
    let (kind, reassuring, flags) = match (choices, measured) {
        (Some(_), Some(_)) => {
            table.fault("choices", "either choices, or unit with min and max");
            return None;
        }
        (Some(given), None) => {
            let flags = given.iter().filter_map(|(choice, priority)| {
                let reason = format!("{because} : {}", choice.label.to_lowercase());
                let name = format!("{code}.{}", choice.code);
                Some(flagged(Value::Choice(choice.code.clone()), name, (*priority)?, reason))
            });
            let flags = flags.collect();
            let choices: Vec<Choice> = given.into_iter().map(|(choice, _)| choice).collect();
            let first = Value::Choice(choices[0].code.clone());
            (Kind::Choice(choices), first, flags)
        }
        (None, Some((unit, min, max))) => {
            let Some(reassuring) = reassuring.filter(|number| (min..=max).contains(number)) else {
                table.fault("reassuring", "a number needs the value that worries least, within min and max");
                return None;
            };
            (Kind::Number { unit, min, max, or_no }, Value::Number(reassuring), Vec::new())
        }
        (None, None) => {
            let flags = flag.map(|priority| flagged(Value::Yes(true), code.clone(), priority, because.clone()));
            (Kind::YesNo, Value::Yes(false), flags.into_iter().collect())
        }
    };
    if or_no && !matches!(kind, Kind::Number { .. }) {
        table.fault("or_no", "only for a question whose answer is measured");
    }
    if flag.is_some() && kind != Kind::YesNo {
        table.fault("red_flag", "only for a question of yes or no: a choice has it beside each value");
    }
    Some((Question { code, text: ask, kind, reassuring, asked_if }, flags))
}

/// A question by code, among those that stand before.
fn known<'a>(shelf: &'a Shelf, earlier: &'a [Question], code: &str) -> Option<&'a Question> {
    let common = shelf.common.iter().flat_map(|common| &common.questions);
    earlier.iter().chain(&shelf.library).chain(common).find(|question| question.code == code)
}

fn wording(value: &DeValue<'_>) -> Result<String, String> {
    let text = words(value)?;
    let length = text.chars().count();
    if length <= LONGEST_TEXT { Ok(text) } else { Err(format!("{length} characters: at most {LONGEST_TEXT}")) }
}

/// The priority of a red flag.
pub(super) fn urgent(value: &DeValue<'_>) -> Result<Priority, String> {
    match parsed::<Priority>(value)? {
        priority @ (Priority::P0 | Priority::P1) => Ok(priority),
        _ => Err("a red flag is P0 or P1; put what is less urgent among the rules".into()),
    }
}

fn measured(table: &Table<'_>) -> Option<(String, f64, f64)> {
    let unit = table.optional("unit", words);
    let min = table.optional("min", number);
    let max = table.optional("max", number);
    match (unit, min, max) {
        (None, None, None) => None,
        (Some(unit), Some(min), Some(max)) if min < max => Some((unit, min, max)),
        _ => {
            table.fault("unit", "a number has a unit, and a min below its max");
            None
        }
    }
}

/// `[["CODE", "label"], ["CODE", "label", "P1"]]`: the first is the one that worries least.
fn choices(value: &DeValue<'_>) -> Result<Vec<(Choice, Option<Priority>)>, String> {
    let items = value.as_array().ok_or_else(|| format!("expected a list of choices, got {}", kind(value)))?;
    let mut read: Vec<(Choice, Option<Priority>)> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let parts = item.get_ref().as_array().map(|parts| parts.iter().map(|part| part.get_ref()).collect::<Vec<_>>());
        let named = |problem: String| format!("choice {}: {problem}", at + 1);
        let (choice, priority) = match parts.as_deref() {
            Some([name, label]) => (choice(name, label).map_err(named)?, None),
            Some([name, label, flag]) => (choice(name, label).map_err(named)?, Some(urgent(flag).map_err(named)?)),
            _ => return Err(named("expected [\"CODE\", \"label\"] or [\"CODE\", \"label\", \"P1\"]".into())),
        };
        if read.iter().any(|(known, _)| known.code == choice.code) {
            return Err(named("its code stands twice".into()));
        }
        read.push((choice, priority));
    }
    match read.as_slice() {
        [] | [_] => Err("expected at least two choices".into()),
        [(_, Some(_)), ..] => Err("choice 1: the first worries least, so it raises no red flag".into()),
        _ => Ok(read),
    }
}

fn choice(name: &DeValue<'_>, label: &DeValue<'_>) -> Result<Choice, String> {
    Ok(Choice { code: code(name)?, label: text(label)? })
}

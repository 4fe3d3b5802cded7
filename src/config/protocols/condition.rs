//! Conditions as tables: `"CODE"` (yes), `{ no = "CODE" }`, `{ is = ["CODE", "VALUE", …] }`, `{ at_least = ["CODE", 38] }`,
//! `{ at_most = … }`, `{ age_from = "P65Y" }`, `{ age_below = "P3M" }`, `{ sex = "F" }`, `{ pregnant = true }`,
//! `{ all = […] }`, `{ any = […] }`, `{ not = … }`.

use toml::de::{DeArray, DeValue};

use super::{
    super::{
        sheet::kind,
        values::{boolean, parsed, text},
    },
    question::number,
};
use crate::domain::regulation::protocols::{Condition, Kind, Question, Value};

/// Deepest nesting.
const DEEPEST: usize = 8;

/// A question by code.
type Find<'a> = dyn Fn(&str) -> Option<&'a Question> + 'a;

/// Reads a condition over the questions that `find` knows.
pub(super) fn read<'a>(value: &DeValue<'_>, find: &Find<'a>) -> Result<Condition, String> {
    nested(value, find, DEEPEST)
}

fn nested<'a>(value: &DeValue<'_>, find: &Find<'a>, left: usize) -> Result<Condition, String> {
    if left == 0 {
        return Err(format!("nested more than {DEEPEST} deep"));
    }
    if value.is_str() {
        return yes(value, true, find);
    }
    let Some(table) = value.as_table().filter(|table| table.len() == 1) else {
        return Err(format!(
            "expected a question code or a table of one key such as {{ age_below = \"P3M\" }}, got {}",
            kind(value)
        ));
    };
    let (key, part) = table.iter().next().expect("of length one");
    let part = part.get_ref();
    match key.get_ref().as_ref() {
        "all" => parts(part, find, left).map(Condition::All),
        "any" => parts(part, find, left).map(Condition::Any),
        "not" => nested(part, find, left - 1).map(|part| Condition::Not(Box::new(part))),
        "yes" => yes(part, true, find),
        "no" => yes(part, false, find),
        "is" => is(part, find),
        "at_least" => bound(part, find).map(|(question, number)| Condition::AtLeast { question, number }),
        "at_most" => bound(part, find).map(|(question, number)| Condition::AtMost { question, number }),
        "age_below" => parsed(part).map(Condition::AgeBelow),
        "age_from" => parsed(part).map(Condition::AgeFrom),
        "sex" => parsed(part).map(Condition::Sex),
        "pregnant" => boolean(part).map(Condition::Pregnant),
        other => Err(format!(
            "'{other}' is no condition; known: all, any, not, yes, no, is, at_least, at_most, age_below, age_from, sex, \
             pregnant"
        )),
    }
}

fn parts<'a>(value: &DeValue<'_>, find: &Find<'a>, left: usize) -> Result<Vec<Condition>, String> {
    let items = array(value)?;
    if items.is_empty() {
        return Err("expected at least one condition".into());
    }
    items.iter().map(|item| nested(item.get_ref(), find, left - 1)).collect()
}

fn array<'a, 'b>(value: &'a DeValue<'b>) -> Result<&'a DeArray<'b>, String> {
    value.as_array().ok_or_else(|| format!("expected a list, got {}", kind(value)))
}

fn asked<'a>(value: &DeValue<'_>, find: &Find<'a>) -> Result<&'a Question, String> {
    let code = text(value)?;
    find(&code)
        .ok_or_else(|| format!("'{code}' is no question that stands before, in the library or among the common ones"))
}

fn yes<'a>(value: &DeValue<'_>, said: bool, find: &Find<'a>) -> Result<Condition, String> {
    let question = asked(value, find)?;
    if question.kind != Kind::YesNo {
        return Err(format!("'{}' is not a question of yes or no: use is, at_least or at_most", question.code));
    }
    Ok(Condition::Is { question: question.code.clone(), values: vec![Value::Yes(said)] })
}

fn is<'a>(value: &DeValue<'_>, find: &Find<'a>) -> Result<Condition, String> {
    let items = array(value)?;
    let Some((first, rest)) = items.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return Err("expected a question code and at least one of its values".into());
    };
    let question = asked(first.get_ref(), find)?;
    let mut values = Vec::new();
    for item in rest {
        let value = Value::Choice(text(item.get_ref())?);
        if let Some(problem) = question.fault(&value) {
            return Err(format!("no answer to '{}' is that: {problem}", question.code));
        }
        values.push(value);
    }
    Ok(Condition::Is { question: question.code.clone(), values })
}

fn bound<'a>(value: &DeValue<'_>, find: &Find<'a>) -> Result<(String, f64), String> {
    let [first, second] = array(value)?.iter().as_slice() else {
        return Err("expected a question code and a number".into());
    };
    let question = asked(first.get_ref(), find)?;
    let number = number(second.get_ref())?;
    match &question.kind {
        Kind::Number { min, max, .. } if (*min..=*max).contains(&number) => Ok((question.code.clone(), number)),
        Kind::Number { min, max, .. } => {
            Err(format!("{number} is out of reach for '{}', which goes from {min} to {max}", question.code))
        }
        _ => Err(format!("'{}' is not answered with a number", question.code)),
    }
}

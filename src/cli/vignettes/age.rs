//! The age of a vignette, in the notations people use. What stands there and cannot be read is a fault, never no age: a protocol
//! judges a child of unknown age as nobody's child.

use serde_json::{Map, Value as Json};

use super::read::Faults;
use crate::domain::regulation::protocols::Age;

const EXPECTED: &str = "expected years such as 42 or 0.5, a duration such as P3M, words such as \"3 mois\", or null";
const UNIT: &str = "expected the unit of age in words: ans, mois, semaines, jours, years, months, weeks or days";
const NAMES: &str = "no age is read under this name; known: age, age_years, age_months, age_weeks, age_days, age_unit";

/// What the name of a field says about it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Name {
    /// `age`: years, unless there is a unit beside it.
    Bare,
    /// `age_months`: one is so many years.
    In(f64),
    /// `age_unit`: what `age` counts.
    Unit,
    /// Meant for an age, and none that is known.
    Unknown,
}

impl Name {
    /// `age`, `âge`, `age_mois`, `ageMonths`; not `agence`.
    fn of(name: &str) -> Option<Self> {
        let lower = name.to_lowercase();
        let rest = lower.strip_prefix("age").or_else(|| lower.strip_prefix("âge"))?;
        let said = rest.trim_start_matches(['_', '-', ' ']);
        let mut letters = name.chars();
        let camel = letters.nth(1) == Some('g') && letters.nth(1).is_some_and(char::is_uppercase);
        match said {
            "" => Some(Self::Bare),
            _ if said == rest && !camel => None,
            "unit" | "unite" | "unité" => Some(Self::Unit),
            unit => Some(years_in(unit).map_or(Self::Unknown, Self::In)),
        }
    }
}

/// The age, under whichever name; `age` itself before others.
pub(super) fn age(fields: &Map<String, Json>, faults: &mut Faults) -> Option<Age> {
    let named = fields.iter().filter_map(|(name, given)| Some((name, Name::of(name)?, given)));
    let mut named: Vec<_> = named.collect();
    named.sort_by_key(|(_, name, _)| *name != Name::Bare);
    let mut bare = 1.0;
    for (field, _, given) in named.iter().filter(|(_, name, _)| *name == Name::Unit) {
        match unit(given) {
            Some(years) => bare = years,
            None => faults.push(((*field).clone(), UNIT.to_owned())),
        }
    }
    let mut first = None;
    for (field, name, given) in named {
        let read = match name {
            Name::Bare => one(given, bare),
            Name::In(years) => one(given, years),
            Name::Unit => Ok(None),
            Name::Unknown => Err(NAMES),
        };
        match read {
            Ok(age) => first = first.or(age),
            Err(problem) => faults.push((field.clone(), problem.to_owned())),
        }
    }
    first
}

/// A number of units, a duration of ISO 8601, a number and its unit in words, or nothing.
fn one(given: &Json, unit: f64) -> Result<Option<Age>, &'static str> {
    let read = match given {
        Json::Null => return Ok(None),
        Json::Number(count) => count.as_f64().and_then(|count| Age::from_years(count * unit)),
        Json::String(text) if text.trim().is_empty() => return Ok(None),
        Json::String(text) => match text.trim().replace(',', ".").parse::<f64>() {
            Ok(count) => Age::from_years(count * unit),
            Err(_) => text.trim().parse().ok().or_else(|| in_words(text)),
        },
        _ => None,
    };
    read.map(Some).ok_or(EXPECTED)
}

fn unit(given: &Json) -> Option<f64> {
    match given {
        Json::Null => Some(1.0),
        Json::String(text) if text.trim().is_empty() => Some(1.0),
        Json::String(text) => years_in(&text.trim().to_lowercase()),
        _ => None,
    }
}

/// `3 mois`, `18 months`, `2 ans et 6 mois`. A letter alone says too little: `3 m` may be months, or metres.
fn in_words(text: &str) -> Option<Age> {
    let text = text.to_lowercase().replace(',', ".").replace(" et ", " ").replace(" and ", " ");
    let mut years = 0.0;
    let mut parts = text.split_whitespace().peekable();
    parts.peek()?;
    while let Some(part) = parts.next() {
        let (number, unit) = part.split_at(part.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(part.len()));
        let unit = if unit.is_empty() { parts.next()? } else { unit };
        years += number.parse::<f64>().ok()? * years_in(unit)?;
    }
    Age::from_years(years)
}

/// How many years one of a unit is.
fn years_in(unit: &str) -> Option<f64> {
    match unit {
        "an" | "ans" | "année" | "années" | "year" | "years" => Some(1.0),
        "mois" | "month" | "months" => Some(1.0 / 12.0),
        "semaine" | "semaines" | "week" | "weeks" => Some(7.0 / 365.25),
        "jour" | "jours" | "day" | "days" => Some(1.0 / 365.25),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<String>, Vec<String>) {
        let mut faults = Faults::new();
        let fields: Map<String, Json> = serde_json::from_str(text).expect("an object");
        let age = age(&fields, &mut faults);
        let days = age.map(|age| format!("{} {}", age.days(), age.years()));
        (days, faults.into_iter().map(|(field, _)| field).collect())
    }

    #[test]
    fn one_age_is_read_in_every_notation() {
        for text in [
            r#"{"age_months": 3}"#,
            r#"{"age_months": "3"}"#,
            r#"{"age_months": "3,0"}"#,
            r#"{"age_mois": "P3M"}"#,
            r#"{"age": null, "ageMonths": 3.0}"#,
            r#"{"Age": "3 mois"}"#,
            r#"{"âge": "p3m"}"#,
            r#"{"age": 3, "age_unit": "Mois"}"#,
            r#"{"age_unit": "months", "age": "3"}"#,
            r#"{"age_years": 0.25}"#,
            r#"{"AGE_YEARS": "0.25"}"#,
            r#"{"age_days": 91.4}"#,
            r#"{"age_days": "91.4", "agence": "P9", "age": ""}"#,
        ] {
            assert_eq!(read(text), (Some("91 0".to_owned()), vec![]), "{text}");
        }
        assert_eq!(read(r#"{"age": 42, "age_months": null, "age_unit": null}"#), (Some("15340 42".to_owned()), vec![]));
        assert_eq!(read(r#"{"motive": "M03.14", "agence": 3}"#), (None, vec![]));
    }

    /// Found by reading: such an age was dropped, and the case judged as one of unknown age.
    #[test]
    fn an_age_that_cannot_be_read_is_a_fault_of_its_field() {
        for (text, field) in [
            (r#"{"age_months": -3}"#, "age_months"),
            (r#"{"age_months": "trois"}"#, "age_months"),
            (r#"{"age_months": 9999}"#, "age_months"),
            (r#"{"age_days": true}"#, "age_days"),
            (r#"{"age_weeks": [3]}"#, "age_weeks"),
            (r#"{"age": 131}"#, "age"),
            (r#"{"age_years": "NaN"}"#, "age_years"),
            (r#"{"âge": {}}"#, "âge"),
            (r#"{"age": 30, "age_jours": "?"}"#, "age_jours"),
            (r#"{"age_hours": 30}"#, "age_hours"),
            (r#"{"ageInMonths": 30}"#, "ageInMonths"),
            (r#"{"age": 3, "age_unit": "m"}"#, "age_unit"),
        ] {
            assert_eq!(read(text).1, [field], "{text}");
        }
    }
}

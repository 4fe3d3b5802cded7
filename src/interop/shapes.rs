//! Shapes of texts: the patterns of the national schemas, and words for what was found instead of them.
//!
//! Patterns are those of RS-EDA, RC-DE and EDXL-DE 26.07.29 (ansforge/SAMU-Hub-Modeles @ e3d4411b, Apache-2.0).

use chrono::{DateTime, NaiveDate};
use serde_json::Value;

use crate::domain::time::Instant;

/// What stands somewhere, in words that never hold the value.
pub fn describe(value: Option<&Value>) -> String {
    match value {
        None => "nothing".into(),
        Some(Value::Null) => "null".into(),
        Some(Value::Bool(_)) => "true or false".into(),
        Some(Value::Number(number)) if number.is_f64() => "a number with a fraction".into(),
        Some(Value::Number(_)) => "a whole number".into(),
        Some(Value::String(text)) => format!("a text of {} characters", text.chars().count()),
        Some(Value::Array(entries)) => format!("a list of {} entries", entries.len()),
        Some(Value::Object(fields)) => format!("an object of {} properties", fields.len()),
    }
}

/// A code list in words: whole when short, else its size and first codes.
pub fn one_of(list: &[&str]) -> String {
    const SHOWN: usize = 12;
    if list.len() <= SHOWN {
        format!("one of {}", list.join(", "))
    } else {
        format!("one of the {} codes {} …", list.len(), list[..SHOWN].join(", "))
    }
}

/// An unknown property's name where it looks like one; a sentence in its place is only described.
pub fn safe_key(key: &str) -> String {
    let plain = key.len() <= 40
        && key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain { key.to_owned() } else { format!("(a name of {} characters)", key.chars().count()) }
}

/// Objects and lists within each other.
pub fn depth(value: &Value) -> usize {
    let deepest = match value {
        Value::Array(entries) => entries.iter().map(depth).max(),
        Value::Object(fields) => fields.values().map(depth).max(),
        _ => return 0,
    };
    1 + deepest.unwrap_or(0)
}

/// Whether `text` follows `pattern`: `9` a digit, `A` a capital, `a` a letter, anything else itself.
pub fn like(pattern: &str, text: &str) -> bool {
    text.len() == pattern.len()
        && pattern.bytes().zip(text.bytes()).all(|(wanted, found)| match wanted {
            b'9' => found.is_ascii_digit(),
            b'A' => found.is_ascii_uppercase(),
            b'a' => found.is_ascii_alphabetic(),
            other => found == other,
        })
}

/// `2024-12-26T10:00:00+01:00` by its characters only; see [`instant`] for its sense.
pub fn hub_date_time(text: &str) -> bool {
    like("9999-99-99T99:99:99+99:99", text) || like("9999-99-99T99:99:99-99:99", text)
}

/// The instant of an RFC 3339 text.
pub fn instant(text: &str) -> Option<Instant> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc().into())
}

/// The date of a `2024-12-26` text; nothing for a day that no calendar has.
pub fn date(text: &str) -> Option<NaiveDate> {
    like("9999-99-99", text).then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten()
}

/// Words joined by single dots, at most `most` of them with four characters in all (`caseId`, `owner`). The schemas'
/// `^([a-zA-Z0-9_-]+\.?){4,most}$` may split a word and may end in a dot.
pub fn dotted(text: &str, most: usize) -> bool {
    let words: Vec<&str> = text.strip_suffix('.').unwrap_or(text).split('.').collect();
    let characters: usize = words.iter().map(|part| part.len()).sum();
    words.len() <= most && characters >= 4 && words.iter().all(|part| word(part))
}

/// `fr.health.samu670.patient.…`: three to eight words, `kind`, one or two words (`patientId`, `medicalNoteId`).
pub fn dotted_around(text: &str, kind: &str) -> bool {
    let words: Vec<&str> = text.split('.').collect();
    words.iter().all(|part| word(part))
        && words
            .iter()
            .enumerate()
            .any(|(n, part)| *part == kind && (3..=8).contains(&n) && (1..=2).contains(&(words.len() - n - 1)))
}

fn word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-')
}

/// `+33353010001`: a plus and 5 to 18 digits.
pub fn phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| (5..=18).contains(&digits.len()) && all_digits(digits))
}

/// FINESS, SIREN, SIRET or APE/NAF, whichever source is named beside it.
pub fn place_number(text: &str) -> bool {
    let finess = text.len() == 9
        && text.bytes().take(2).all(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
        && text.get(2..).is_some_and(|rest| like("0999999", rest));
    finess || like("999999999", text) || like("99999999999999", text) || like("9999a", text)
}

/// An ICD-10 code with its optional subdivision: `R50.9`, `J45.+0`.
pub fn diagnosis(text: &str) -> bool {
    let (main, subdivision) = match text.split_once('.') {
        Some((main, subdivision)) => (main, Some(subdivision)),
        None => (text, None),
    };
    let legal = |c: u8| c.is_ascii_digit() || c == b'+' || c == b'-';
    like("A99", main) && subdivision.is_none_or(|s| (1..=3).contains(&s.len()) && s.bytes().all(legal))
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_digit())
}

//! Readers of single values: what each accepts and what it says otherwise.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr};

use chrono::{NaiveDate, NaiveTime};
use toml::de::DeValue;

use super::sheet::kind;
use crate::domain::time::Span;

/// A text.
pub(super) fn text(value: &DeValue<'_>) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("expected a text in quotes, got {}", kind(value)))
}

/// A text that is not empty.
pub(super) fn words(value: &DeValue<'_>) -> Result<String, String> {
    let text = text(value)?;
    if text.trim().is_empty() { Err("expected some words, got an empty text".into()) } else { Ok(text) }
}

/// A text that `T` can be made of.
pub(super) fn parsed<T: FromStr<Err: Display>>(value: &DeValue<'_>) -> Result<T, String> {
    text(value)?.parse().map_err(|error: T::Err| error.to_string())
}

/// `true` or `false`.
pub(super) fn boolean(value: &DeValue<'_>) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| format!("expected true or false, got {}", kind(value)))
}

/// A whole number within `range`.
pub(super) fn whole(range: RangeInclusive<i64>) -> impl Fn(&DeValue<'_>) -> Result<i64, String> {
    move |value| {
        let number = value.as_integer().and_then(|number| i64::from_str_radix(number.as_str(), number.radix()).ok());
        let number = number.ok_or_else(|| format!("expected a whole number, got {}", kind(value)))?;
        if range.contains(&number) {
            Ok(number)
        } else {
            Err(format!("expected {} to {}, got {number}", range.start(), range.end()))
        }
    }
}

/// A span in whole seconds, one second to 30 days.
pub(super) fn seconds(value: &DeValue<'_>) -> Result<Span, String> {
    whole(1..=30 * 24 * 3600)(value).map(Span::from_secs)
}

/// Degrees within `range`.
pub(super) fn degrees(range: RangeInclusive<f64>) -> impl Fn(&DeValue<'_>) -> Result<f64, String> {
    number("degrees", range)
}

/// A number within `range`, whole or not.
pub(super) fn fraction(range: RangeInclusive<f64>) -> impl Fn(&DeValue<'_>) -> Result<f64, String> {
    number("a number", range)
}

fn number(what: &'static str, range: RangeInclusive<f64>) -> impl Fn(&DeValue<'_>) -> Result<f64, String> {
    move |value| {
        let written = value.as_float().map(|number| number.as_str()).or(value.as_integer().map(|n| n.as_str()));
        let number = written.and_then(|written| written.replace('_', "").parse::<f64>().ok());
        match number {
            Some(number) if range.contains(&number) => Ok(number),
            _ => Err(format!("expected {what} from {} to {}", range.start(), range.end())),
        }
    }
}

/// A date, bare or in quotes: `2024-12-26`.
pub(super) fn date(value: &DeValue<'_>) -> Result<NaiveDate, String> {
    let written = match value {
        DeValue::Datetime(at) => at.to_string(),
        other => text(other).map_err(|_| format!("expected a date such as 2024-12-26, got {}", kind(other)))?,
    };
    written.parse().map_err(|_| "expected a date that exists, such as 2024-12-26".into())
}

/// A wall-clock time in quotes: `"12:00"`.
pub(super) fn clock(value: &DeValue<'_>) -> Result<NaiveTime, String> {
    let written = text(value).map_err(|_| "expected a time in quotes such as \"12:00\"".to_owned())?;
    NaiveTime::parse_from_str(&written, "%H:%M").map_err(|_| "expected a time such as \"12:00\"".into())
}

/// A list whose items `read` understands; the first bad item is named by its place.
pub(super) fn list<T>(
    read: impl Fn(&DeValue<'_>) -> Result<T, String>,
) -> impl Fn(&DeValue<'_>) -> Result<Vec<T>, String> {
    move |value| {
        let items = value.as_array().ok_or_else(|| format!("expected a list, got {}", kind(value)))?;
        let read = |(at, item): (usize, &toml::Spanned<DeValue<'_>>)| {
            read(item.get_ref()).map_err(|problem| format!("item {}: {problem}", at + 1))
        };
        items.iter().enumerate().map(read).collect()
    }
}

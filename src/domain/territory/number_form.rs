//! How a territory writes the number of a case: a template that keeps numbers apart, whatever it says around them.

use std::{fmt, str::FromStr};

use chrono::Datelike;
use serde::{Deserialize, Serialize};

use crate::domain::ids::TerritoryId;

/// Longest number, characters.
const LONGEST: usize = 32;

/// A template: `{DDX}` the département with a letter or third digit, `{AA}` the year, `{JJJ}` the day of the year, `{00000}`
/// the day's sequence with at least so many digits; around them capitals, digits, `-`, `.`, `_` and `/`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NumberForm(Box<str>);

/// The national form (RS-RPIS; domain.md §2.6).
const NATIONAL: &str = "DRFR15{DDX}{AA}{JJJ}{00000}";

impl Default for NumberForm {
    fn default() -> Self {
        Self(NATIONAL.into())
    }
}

impl NumberForm {
    /// The number of the `sequence`th case of a local date. A sequence that outgrows its digits takes more of them: no other
    /// case of the territory has the same number, since year and day always take five.
    pub fn write(&self, territory: &TerritoryId, date: chrono::NaiveDate, sequence: u64) -> String {
        let departement = territory.as_str().trim_start_matches("fr-");
        let mut number = String::with_capacity(LONGEST);
        for part in parts(&self.0) {
            match part {
                Part::Text(text) => number.push_str(text),
                Part::Field("DDX") => {
                    number.extend(departement.chars().map(|c| c.to_ascii_uppercase()));
                    number.extend(std::iter::repeat_n('0', 3_usize.saturating_sub(departement.len())));
                }
                Part::Field("AA") => padded(&mut number, date.year().rem_euclid(100).unsigned_abs().into(), 2),
                Part::Field("JJJ") => padded(&mut number, date.ordinal().into(), 3),
                Part::Field(zeros) => padded(&mut number, sequence, zeros.len()),
            }
        }
        number
    }
}

/// Appends `number` with at least `width` digits: every view of a case writes one, without the machinery of formatting.
fn padded(text: &mut String, number: u64, width: usize) {
    let digits = number.checked_ilog10().map_or(1, |log| log as usize + 1);
    for place in (0..digits.max(width)).rev() {
        let digit = 10_u64.checked_pow(place as u32).map_or(0, |unit| number / unit % 10);
        text.push(char::from(b'0' + digit as u8));
    }
}

enum Part<'a> {
    Text(&'a str),
    Field(&'a str),
}

/// The parts in order. A brace without its other one is a part of no field.
fn parts(template: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        let bytes = rest.as_bytes();
        if bytes.is_empty() {
            return None;
        }
        let inside = bytes[0] == b'{';
        let begin = usize::from(inside);
        let end = bytes[begin..].iter().position(|byte| *byte == b'{' || inside && *byte == b'}');
        let end = end.map_or(bytes.len(), |end| begin + end);
        let part = &rest[begin..end];
        let closed = inside && bytes.get(end) == Some(&b'}');
        rest = &rest[end + usize::from(closed)..];
        Some(if closed { Part::Field(part) } else { Part::Text(part) })
    })
}

/// Why a text is no template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadForm {
    /// Something other than the four fields, or one twice, or none of a needed one.
    #[error(
        "{{AA}}, {{JJJ}} and zeros in braces such as {{00000}} must stand in it once each, {{DDX}} at most once, and nothing else in braces"
    )]
    Fields,
    /// Something else around them.
    #[error("around the fields only capitals, digits, '-', '.', '_' and '/'")]
    Text,
    /// Too long.
    #[error("longer than {LONGEST} characters with its fields filled in")]
    Length,
}

impl FromStr for NumberForm {
    type Err = BadForm;

    fn from_str(template: &str) -> Result<Self, BadForm> {
        let (mut count, mut length) = ([0; 4], 0);
        for part in parts(template) {
            match part {
                Part::Text(text) => {
                    length += text.len();
                    let legal = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "-._/".contains(c);
                    if !text.chars().all(legal) {
                        return Err(BadForm::Text);
                    }
                }
                Part::Field(field) => {
                    length += field.len();
                    let zeros = !field.is_empty() && field.len() <= 9 && field.bytes().all(|c| c == b'0');
                    let known = ["DDX", "AA", "JJJ"].iter().position(|known| *known == field);
                    let at = known.or(zeros.then_some(3)).ok_or(BadForm::Fields)?;
                    count[at] += 1;
                }
            }
        }
        if count[0] > 1 || count[1..] != [1, 1, 1] {
            return Err(BadForm::Fields);
        }
        if length > LONGEST { Err(BadForm::Length) } else { Ok(Self(template.into())) }
    }
}

impl TryFrom<String> for NumberForm {
    type Error = BadForm;

    fn try_from(text: String) -> Result<Self, BadForm> {
        text.parse()
    }
}

impl From<NumberForm> for String {
    fn from(form: NumberForm) -> Self {
        form.0.into()
    }
}

impl fmt::Debug for NumberForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use proptest::prelude::*;

    use super::*;

    fn date(year: i32, day: u32) -> NaiveDate {
        NaiveDate::from_yo_opt(year, day).expect("a day of the year")
    }

    #[test]
    fn the_number_follows_the_national_form() {
        let write = |territory: &str, number| {
            NumberForm::default().write(&territory.parse().expect("an id"), date(2024, 143), number)
        };
        assert_eq!(write("fr-44", 999), "DRFR154402414300999");
        assert_eq!(write("fr-974", 7), "DRFR159742414300007");
        assert_eq!(write("fr-2a", 100_000), "DRFR152A024143100000");
    }

    #[test]
    fn a_template_that_could_give_one_number_twice_is_refused() {
        for (template, why) in [
            ("", BadForm::Fields),
            ("{AA}{JJJ}", BadForm::Fields),
            ("{00000}{JJJ}", BadForm::Fields),
            ("{AA}{AA}{JJJ}{000}", BadForm::Fields),
            ("{AA}{JJJ}{0000}{0}", BadForm::Fields),
            ("{AA}{JJJ}{NOM}{000}", BadForm::Fields),
            ("{AA}{JJJ}{}{000}", BadForm::Fields),
            ("{AA}{JJJ{000}", BadForm::Fields),
            ("dossier {AA}{JJJ}{000}", BadForm::Text),
            ("{AA}}{JJJ}{000}", BadForm::Text),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZ{AA}{JJJ}{000}", BadForm::Length),
        ] {
            assert_eq!(template.parse::<NumberForm>(), Err(why), "{template}");
        }
    }

    proptest! {
        #[test]
        fn no_two_cases_of_a_territory_share_a_number(
            form in prop_oneof![
                Just("DRFR15{DDX}{AA}{JJJ}{00000}"), Just("{00000}/{AA}{JJJ}"), Just("S{AA}{0}{JJJ}"), Just("{0}{JJJ}{AA}"),
            ],
            (a, b) in (any::<(u8, u16, u32)>(), any::<(u8, u16, u32)>()),
        ) {
            let form: NumberForm = form.parse().expect("a template");
            let case = |(year, day, number): (u8, u16, u32)| {
                (date(2000 + i32::from(year % 100), 1 + u32::from(day % 365)), u64::from(number % 1_000_000))
            };
            let (a, b) = (case(a), case(b));
            let write = |(date, number)| form.write(&"fr-67".parse().expect("an id"), date, number);
            prop_assert_eq!(a == b, write(a) == write(b));
        }
    }
}

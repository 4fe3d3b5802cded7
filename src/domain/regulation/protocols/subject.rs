//! Of whom a question is asked: age, sex, pregnancy, each possibly unknown.

use std::{fmt, str::FromStr};

use crate::{coded_enum, domain::ids::BadId};

/// Days of a mean year and of a mean month.
const YEAR: f64 = 365.25;
const MONTH: f64 = YEAR / 12.0;

coded_enum! {
    /// Sex as far as protocols tell patients apart.
    Sex {
        /// Female.
        Female = "F", "Féminin";
        /// Male.
        Male = "M", "Masculin";
    }
}

/// An age in days. Years and months count with their mean length, so that `P3M` and a quarter of a year are one age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Age(u32);

impl Age {
    /// So many days.
    pub const fn from_days(days: u32) -> Self {
        Self(days)
    }

    /// So many years; `None` outside 0 to 130.
    pub fn from_years(years: f64) -> Option<Self> {
        (0.0..=130.0).contains(&years).then(|| Self(whole(years * YEAR)))
    }

    /// In days.
    pub const fn days(self) -> u32 {
        self.0
    }
}

/// Days are counted as begun: rounding a newborn up would make it older than it is.
fn whole(days: f64) -> u32 {
    // In range: at most 130 years.
    format!("{:.0}", (days + 1e-6).floor()).parse().unwrap_or(u32::MAX)
}

/// ISO 8601: `P70Y`, `P3M`, `P2W`, `P10D`, or several units in that order.
impl FromStr for Age {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        parsed(text).ok_or_else(|| BadId {
            what: "age",
            problem: format!(
                "expected a duration such as P70Y, P3M, P2W or P10D (at most 130 years), got {} characters",
                text.chars().count()
            ),
        })
    }
}

fn parsed(text: &str) -> Option<Age> {
    let mut rest = text.strip_prefix(['P', 'p'])?;
    let mut days = 0.0;
    let mut units = [('Y', YEAR), ('M', MONTH), ('W', 7.0), ('D', 1.0)].into_iter();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let count: f64 = rest[..end].parse().ok()?;
        let unit = rest[end..].chars().next()?.to_ascii_uppercase();
        let (_, length) = units.by_ref().find(|(known, _)| *known == unit)?;
        days += count * length;
        rest = &rest[end + 1..];
    }
    Age::from_years(days / YEAR)
}

impl fmt::Display for Age {
    /// In the largest unit that says it exactly enough for a screen.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = f64::from(self.0) + 0.999;
        match self.0 {
            0..=56 => write!(f, "P{}D", self.0),
            57..=729 => write!(f, "P{}M", whole(days / MONTH)),
            _ => write!(f, "P{}Y", whole(days / YEAR)),
        }
    }
}

/// The patient, as far as a protocol looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Subject {
    /// Age; none while unknown.
    pub age: Option<Age>,
    /// Sex; none while unknown.
    pub sex: Option<Sex>,
    /// Pregnant; none while unknown.
    pub pregnant: Option<bool>,
}

impl Subject {
    /// Whether the patient is pregnant. Men, children below ten and women from sixty on are not asked.
    pub(super) fn pregnant(&self) -> Option<bool> {
        let asked = |age: Age| (10 * 365..60 * 366).contains(&age.days());
        if self.sex == Some(Sex::Male) || self.age.is_some_and(|age| !asked(age)) {
            return self.pregnant.filter(|pregnant| *pregnant && self.sex != Some(Sex::Male)).or(Some(false));
        }
        self.pregnant
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_in_any_notation_is_the_same_age() {
        let age = |text: &str| text.parse::<Age>().unwrap();
        assert_eq!(age("P3M"), Age::from_years(0.25).unwrap());
        assert_eq!(age("P24M"), age("P2Y"));
        assert!(age("P11W") < age("P3M") && age("P90D") < age("P3M") && age("P1Y6M") < age("P2Y"));
        for text in ["P3M", "P2Y", "P70Y", "P10D", "P18M"] {
            assert_eq!(age(text).to_string(), text);
        }
        for wrong in ["", "P", "3M", "P3", "P3M2Y", "P131Y", "PxY", "P3H"] {
            assert!(wrong.parse::<Age>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_man_is_not_asked_about_pregnancy() {
        let man = Subject { sex: Some(Sex::Male), ..Subject::default() };
        assert_eq!(man.pregnant(), Some(false));
        assert_eq!(Subject::default().pregnant(), None);
    }
}

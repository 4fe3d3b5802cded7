//! Ages as people say them and messages write them: an ISO 8601 duration, kept with the unit it was said in.

use std::{cmp::Ordering, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::ids::BadId;

/// Days of a mean year and of a mean month.
const YEAR: f64 = 365.25;
const MONTH: f64 = YEAR / 12.0;
/// The oldest age that is believed, in years.
const OLDEST: f64 = 130.0;

/// Unit of an [`Age`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgeUnit {
    /// Years.
    Years,
    /// Months.
    Months,
    /// Weeks.
    Weeks,
    /// Days.
    Days,
}

impl AgeUnit {
    /// From the longest to the shortest, as a duration names them.
    const ALL: [Self; 4] = [Self::Years, Self::Months, Self::Weeks, Self::Days];

    const fn letter(self) -> char {
        match self {
            Self::Years => 'Y',
            Self::Months => 'M',
            Self::Weeks => 'W',
            Self::Days => 'D',
        }
    }

    /// Years and months count with their mean length.
    const fn days(self) -> f64 {
        match self {
            Self::Years => YEAR,
            Self::Months => MONTH,
            Self::Weeks => 7.0,
            Self::Days => 1.0,
        }
    }
}

/// An age, and the unit it was said in: `P65Y`, `P18M`, `P3W`, `P5D`. Compared by its days, so that `P24M` and `P2Y` are one
/// age.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Age {
    days: u32,
    unit: AgeUnit,
}

impl Age {
    /// So many days.
    pub const fn from_days(days: u32) -> Self {
        Self { days, unit: AgeUnit::Days }
    }

    /// So many years; `None` outside 0 to 130.
    pub fn from_years(years: f64) -> Option<Self> {
        Self::said(years * YEAR, if years.fract() == 0.0 { AgeUnit::Years } else { AgeUnit::Days })
    }

    fn said(days: f64, unit: AgeUnit) -> Option<Self> {
        (0.0..=OLDEST * YEAR).contains(&days).then(|| Self { days: whole(days), unit })
    }

    /// In days.
    pub const fn days(self) -> u32 {
        self.days
    }

    /// Of what it was said to be so many.
    pub const fn unit(self) -> AgeUnit {
        self.unit
    }

    /// How many of its unit.
    pub fn count(self) -> u32 {
        whole((f64::from(self.days) + 0.999) / self.unit.days())
    }

    /// Whole years, rounded down; weeks and days by the mean year.
    pub fn years(self) -> u32 {
        match self.unit {
            AgeUnit::Years => self.count(),
            AgeUnit::Months => self.count() / 12,
            AgeUnit::Weeks | AgeUnit::Days => self.days * 100 / 36_525,
        }
    }

    /// The age in French words: « 18 mois ».
    pub fn in_french(self) -> String {
        let (one, more) = match self.unit {
            AgeUnit::Years => ("an", "ans"),
            AgeUnit::Months => ("mois", "mois"),
            AgeUnit::Weeks => ("semaine", "semaines"),
            AgeUnit::Days => ("jour", "jours"),
        };
        let count = self.count();
        format!("{count} {}", if count < 2 { one } else { more })
    }
}

/// Days are counted as begun: rounding a newborn up would make it older than it is.
fn whole(days: f64) -> u32 {
    // In range: at most 130 years.
    format!("{:.0}", (days + 1e-6).floor()).parse().unwrap_or(u32::MAX)
}

impl PartialEq for Age {
    fn eq(&self, other: &Self) -> bool {
        self.days == other.days
    }
}

impl Eq for Age {}

impl PartialOrd for Age {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Age {
    fn cmp(&self, other: &Self) -> Ordering {
        self.days.cmp(&other.days)
    }
}

impl TryFrom<String> for Age {
    type Error = BadId;

    fn try_from(text: String) -> Result<Self, BadId> {
        text.parse()
    }
}

impl From<Age> for String {
    fn from(age: Age) -> Self {
        age.to_string()
    }
}

/// ISO 8601: `P70Y`, `P3M`, `P2W`, `P10D`, or several units in that order; then it counts as said in the last.
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
    let (mut days, mut said) = (0.0, None);
    let mut units = AgeUnit::ALL.into_iter();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let count: f64 = rest[..end].parse().ok()?;
        let letter = rest[end..].chars().next()?.to_ascii_uppercase();
        let unit = units.by_ref().find(|unit| unit.letter() == letter)?;
        days += count * unit.days();
        said = Some(unit);
        rest = &rest[end + 1..];
    }
    Age::said(days, said?)
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{}{}", self.count(), self.unit.letter())
    }
}

impl fmt::Debug for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Age, AgeUnit};

    fn age(text: &str) -> Age {
        text.parse().unwrap()
    }

    #[test]
    fn an_age_in_any_unit_counts_in_whole_years() {
        for (text, years) in
            [("P65Y", 65), ("P23M", 1), ("P24M", 2), ("P52W", 0), ("P53W", 1), ("P365D", 0), ("P366D", 1)]
        {
            assert_eq!((age(text).years(), age(text).to_string().as_str()), (years, text));
        }
    }

    #[test]
    fn an_age_in_any_notation_is_the_same_age() {
        assert_eq!(age("P3M"), Age::from_years(0.25).unwrap());
        assert_eq!(age("P24M"), age("P2Y"));
        assert!(age("P11W") < age("P3M") && age("P90D") < age("P3M") && age("P1Y6M") < age("P2Y"));
        assert_eq!(age("P1Y6M").in_french(), "18 mois");
    }

    #[test]
    fn every_age_is_written_as_it_was_said() {
        for (unit, most) in AgeUnit::ALL.into_iter().zip([130, 1560, 6783, 47_482]) {
            for count in 0..=most {
                let text = format!("P{count}{}", unit.letter());
                assert_eq!(age(&text).to_string(), text);
            }
        }
    }

    #[test]
    fn another_shape_is_described_and_not_repeated() {
        for text in ["", "P", "PY", "P4", "4Y", "P3M2Y", "P-4Y", "P131Y", "PxY", "P3H", "quatre ans", "Pé"] {
            let error = text.parse::<Age>().unwrap_err().to_string();
            let expected = "age: expected a duration such as P70Y, P3M, P2W or P10D (at most 130 years), got ";
            assert_eq!(error, format!("{expected}{} characters", text.chars().count()));
        }
    }
}

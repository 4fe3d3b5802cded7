//! Ages as people say them and messages write them: an ISO 8601 duration of one unit.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::ids::BadId;

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

/// An age as an ISO 8601 duration of one unit: `P65Y`, `P18M`, `P3W`, `P5D`.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Age {
    /// How many, 0 to 999.
    pub count: u16,
    /// Of what.
    pub unit: AgeUnit,
}

impl Age {
    /// Whole years, rounded down; weeks and days by the mean year.
    pub fn years(self) -> u16 {
        match self.unit {
            AgeUnit::Years => self.count,
            AgeUnit::Months => self.count / 12,
            AgeUnit::Weeks => (u32::from(self.count) * 700 / 36_525) as u16,
            AgeUnit::Days => (u32::from(self.count) * 100 / 36_525) as u16,
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
        format!("{} {}", self.count, if self.count < 2 { one } else { more })
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

impl FromStr for Age {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let parse = || {
            let rest = text.strip_prefix('P')?;
            let unit = match rest.chars().last()? {
                'Y' => AgeUnit::Years,
                'M' => AgeUnit::Months,
                'W' => AgeUnit::Weeks,
                'D' => AgeUnit::Days,
                _ => return None,
            };
            let digits = &rest[..rest.len() - 1];
            let legal = (1..=3).contains(&digits.len()) && digits.bytes().all(|c| c.is_ascii_digit());
            Some(Self { count: digits.parse().ok().filter(|_| legal)?, unit })
        };
        parse().ok_or_else(|| BadId {
            what: "age",
            problem: format!("expected P, 1 to 3 digits and Y, M, W or D, got {} characters", text.chars().count()),
        })
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            AgeUnit::Years => 'Y',
            AgeUnit::Months => 'M',
            AgeUnit::Weeks => 'W',
            AgeUnit::Days => 'D',
        };
        write!(f, "P{}{unit}", self.count)
    }
}

impl fmt::Debug for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Age;

    #[test]
    fn an_age_in_any_unit_counts_in_whole_years() {
        for (text, years) in
            [("P65Y", 65), ("P23M", 1), ("P24M", 2), ("P52W", 0), ("P53W", 1), ("P365D", 0), ("P366D", 1)]
        {
            let age: Age = text.parse().unwrap();
            assert_eq!((age.years(), age.to_string().as_str()), (years, text));
        }
    }

    #[test]
    fn another_shape_is_described_and_not_repeated() {
        for text in ["", "P", "PY", "P4", "4Y", "P4Y6M", "P-4Y", "P1000Y", "quatre ans", "Pé"] {
            let error = text.parse::<Age>().unwrap_err().to_string();
            let expected = "age: expected P, 1 to 3 digits and Y, M, W or D, got ";
            assert_eq!(error, format!("{expected}{} characters", text.chars().count()));
        }
    }
}

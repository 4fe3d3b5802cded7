//! Public holidays by territory: which days, and their French names.
//!
//! Code du travail: L3133-1 (everywhere), L3134-13 (Bas-Rhin, Haut-Rhin, Moselle), L3422-2 (commemoration of the
//! abolition of slavery, one date per overseas territory). Customary days that no article names (Good Friday and
//! Mi-Carême in the Antilles, Victor-Schœlcher) are left to the territory's configuration. The law limits Good Friday to
//! communes with a Protestant temple or a mixed church; a calendar belongs to a whole territory, so it is kept for all of
//! the three départements and can be removed by configuration.

use chrono::{Datelike, NaiveDate, TimeDelta};

use crate::domain::ids::TerritoryId;

/// A holiday that recurs, or one stated day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    /// French name, as shown.
    pub name: String,
    /// On which days.
    pub when: Feast,
}

/// The rule that gives a holiday its date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feast {
    /// The same date every year.
    Fixed {
        /// 1 to 12.
        month: u32,
        /// 1 to 31.
        day: u32,
    },
    /// A number of days after Easter Sunday (negative: before).
    Easter {
        /// Days after Easter Sunday.
        offset_days: i64,
    },
    /// One day of one year.
    Once(NaiveDate),
}

impl Holiday {
    /// Its date in a year; `None` where that year has none (29 February, a day of another year).
    pub fn in_year(&self, year: i32) -> Option<NaiveDate> {
        match self.when {
            Feast::Fixed { month, day } => NaiveDate::from_ymd_opt(year, month, day),
            Feast::Easter { offset_days } => Some(easter_sunday(year) + TimeDelta::days(offset_days)),
            Feast::Once(day) => (day.year() == year).then_some(day),
        }
    }

    /// Whether this holiday is on `date`.
    pub fn falls_on(&self, date: NaiveDate) -> bool {
        match self.when {
            Feast::Fixed { month, day } => (date.month(), date.day()) == (month, day),
            Feast::Easter { offset_days } => {
                // Easter is a day of March or April: of most days it need not be looked for.
                let sunday = date - TimeDelta::days(offset_days);
                matches!(sunday.month(), 3 | 4) && easter_sunday(date.year()) == sunday
            }
            Feast::Once(day) => day == date,
        }
    }
}

/// Easter Sunday of a Gregorian year (the anonymous computus, exact for every year of that calendar).
pub fn easter_sunday(year: i32) -> NaiveDate {
    let golden = year.rem_euclid(19);
    let (century, of_century) = (year.div_euclid(100), year.rem_euclid(100));
    let moon_shift = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - moon_shift + 15) % 30;
    let to_sunday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4) % 7;
    let correction = (golden + 11 * epact + 22 * to_sunday) / 451;
    let march_days = epact + to_sunday - 7 * correction + 114;
    let (month, day) = (march_days / 31, march_days % 31 + 1);
    NaiveDate::from_ymd_opt(year, month.unsigned_abs(), day.unsigned_abs())
        .expect("the computus gives a day between 22 March and 25 April")
}

/// The holidays the law gives `territory`, in the order of the year; the fixed ones first where two may coincide.
pub fn holidays_by_law(territory: &TerritoryId) -> Vec<Holiday> {
    let mut holidays = vec![
        fixed(1, 1, "1er janvier"),
        fixed(5, 1, "1er mai"),
        fixed(5, 8, "8 mai"),
        fixed(7, 14, "14 juillet"),
        fixed(8, 15, "Assomption"),
        fixed(11, 1, "Toussaint"),
        fixed(11, 11, "11 novembre"),
        fixed(12, 25, "Jour de Noël"),
        moving(1, "Lundi de Pâques"),
        moving(39, "Ascension"),
        moving(50, "Lundi de Pentecôte"),
    ];
    holidays.extend(local_holidays(territory.as_str()));
    holidays
}

fn local_holidays(territory: &str) -> Vec<Holiday> {
    let abolition = |month, day| vec![fixed(month, day, "Abolition de l'esclavage")];
    match territory {
        "fr-57" | "fr-67" | "fr-68" => vec![moving(-2, "Vendredi saint"), fixed(12, 26, "Saint-Étienne")],
        "fr-971" => abolition(5, 27),
        "fr-972" => abolition(5, 22),
        "fr-973" => abolition(6, 10),
        "fr-974" => abolition(12, 20),
        "fr-976" => abolition(4, 27),
        "fr-977" => abolition(10, 9),
        "fr-978" => abolition(5, 28),
        _ => Vec::new(),
    }
}

fn fixed(month: u32, day: u32, name: &str) -> Holiday {
    Holiday { name: name.into(), when: Feast::Fixed { month, day } }
}

fn moving(offset_days: i64, name: &str) -> Holiday {
    Holiday { name: name.into(), when: Feast::Easter { offset_days } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easter_of_known_years() {
        let easter = |year| easter_sunday(year).to_string();
        assert_eq!(easter(2000), "2000-04-23");
        assert_eq!(easter(2008), "2008-03-23");
        assert_eq!(easter(2024), "2024-03-31");
        assert_eq!(easter(2026), "2026-04-05");
        assert_eq!(easter(2038), "2038-04-25");
        assert_eq!(easter(2099), "2099-04-12");
    }

    #[test]
    fn every_territory_has_the_eleven_days_and_its_own() {
        let days = |id: &str| holidays_by_law(&id.parse().unwrap()).len();
        assert_eq!((days("fr-89"), days("fr-67"), days("fr-974"), days("fr-975")), (11, 13, 12, 11));
    }
}

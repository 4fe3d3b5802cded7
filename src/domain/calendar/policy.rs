//! What R6315-1 3° leaves to each territory, and the rules that result for one.

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;

use super::{
    bands::{Bands, clock_time},
    holidays::{Holiday, holidays_by_law},
    zones::LawTerritory,
};

/// A territory's own choices; the default is what the service answers for a territory that stated none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarPolicy {
    /// When duty begins on Saturdays (wall clock, from noon at the earliest, before 20:00); `None`: not on Saturdays.
    pub saturday_start: Option<NaiveTime>,
    /// A Monday before a public holiday is on duty from 08:00 to 20:00.
    pub bridge_monday: bool,
    /// A Friday after a public holiday is on duty from 08:00 to 20:00.
    pub bridge_friday: bool,
    /// The morning of a Saturday after a public holiday is on duty.
    pub bridge_saturday: bool,
    /// So is the morning of a Saturday after a bridge Friday, where the Thursday was the holiday. The article does not
    /// say; off unless the regional rules do.
    pub saturday_after_thursday_holiday: bool,
    /// How the night is cut.
    pub bands: Bands,
    /// Holidays beyond those of the law.
    pub added_holidays: Vec<Holiday>,
    /// Names of holidays of the law that are not observed here.
    pub removed_holidays: Vec<String>,
}

impl Default for CalendarPolicy {
    fn default() -> Self {
        Self {
            saturday_start: Some(clock_time(12)),
            bridge_monday: true,
            bridge_friday: true,
            bridge_saturday: true,
            saturday_after_thursday_holiday: false,
            bands: Bands::default(),
            added_holidays: Vec::new(),
            removed_holidays: Vec::new(),
        }
    }
}

/// The calendar of one territory: its zone, its holidays and its policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarRules {
    zone: Tz,
    holidays: Vec<Holiday>,
    policy: CalendarPolicy,
}

impl CalendarRules {
    /// The law's holidays and zone for `territory`, with the territory's own choices.
    pub fn new(territory: &LawTerritory, policy: CalendarPolicy) -> Self {
        let mut holidays = holidays_by_law(&territory.id);
        holidays.retain(|holiday| !policy.removed_holidays.contains(&holiday.name));
        holidays.extend(policy.added_holidays.iter().cloned());
        Self { zone: territory.zone, holidays, policy }
    }

    /// The IANA zone whose wall clock counts.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The territory's choices.
    pub fn policy(&self) -> &CalendarPolicy {
        &self.policy
    }

    /// The public holidays of a year here, in no order.
    pub fn holidays_of(&self, year: i32) -> impl Iterator<Item = NaiveDate> {
        self.holidays.iter().filter_map(move |holiday| holiday.in_year(year))
    }

    /// Whether `date` is a public holiday here.
    pub fn is_holiday(&self, date: NaiveDate) -> bool {
        self.holidays.iter().any(|holiday| holiday.falls_on(date))
    }

    /// The French name of the holiday on `date`. Where two coincide, such as 1 May 2008 with Ascension, both are named:
    /// each is a holiday in its own right, and a reader looking for either finds it.
    pub fn holiday_on(&self, date: NaiveDate) -> Option<String> {
        let names: Vec<_> = self.holidays.iter().filter(|h| h.falls_on(date)).map(|h| h.name.as_str()).collect();
        (!names.is_empty()).then(|| names.join(" et "))
    }
}

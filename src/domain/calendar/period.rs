//! The legal period at an instant: the decision table of R6315-1 CSP, first match wins.
//!
//! | # | wall clock                                                      | period             | article |
//! |---|-----------------------------------------------------------------|--------------------|---------|
//! | 1 | 00–08 or 20–24, any day                                         | PDSA_NIGHT         | 1°      |
//! | 2 | 08–20, Sunday or public holiday                                 | PDSA_SUNDAY_HOLIDAY| 2°      |
//! | 3 | Saturday from its start                                         | PDSA_SATURDAY      | 3°      |
//! | 4 | Monday before a holiday                                         | PDSA_BRIDGE        | 3°      |
//! | 5 | Friday after a holiday                                          | PDSA_BRIDGE        | 3°      |
//! | 6 | Saturday morning after a holiday (6b: after a Thursday holiday) | PDSA_BRIDGE        | 3°      |
//! | 7 | otherwise                                                       | OFFICE_HOURS       | L6311-3 |

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Weekday};

use super::{
    bands::{Band, clock_time},
    policy::CalendarRules,
    wall::{local, to_instant},
};
use crate::{coded_enum, domain::time::Instant};

/// The first year the service answers for.
pub const FIRST_YEAR: i32 = 2000;
/// The last year the service answers for: zone data knows no summer time after it.
pub const LAST_YEAR: i32 = 2099;

const DAY_START: NaiveTime = clock_time(8);
const NOON: NaiveTime = clock_time(12);
const NIGHT_START: NaiveTime = clock_time(20);

coded_enum! {
    /// A legal period.
    Period {
        /// Hours of the service d'accès aux soins: the complement of duty.
        OfficeHours = "OFFICE_HOURS", "heures ouvrables (SAS)";
        /// Duty, every day from 20:00 to 08:00.
        PdsaNight = "PDSA_NIGHT", "permanence des soins, nuit";
        /// Duty, Sundays and public holidays from 08:00 to 20:00.
        PdsaSundayHoliday = "PDSA_SUNDAY_HOLIDAY", "permanence des soins, dimanche ou jour férié";
        /// Duty, Saturdays from the territory's start to 20:00.
        PdsaSaturday = "PDSA_SATURDAY", "permanence des soins, samedi";
        /// Duty on a day between a holiday and a weekend.
        PdsaBridge = "PDSA_BRIDGE", "permanence des soins, pont";
    }
}

coded_enum! {
    /// On duty or not.
    Status {
        /// Permanence des soins ambulatoires.
        Pdsa = "PDSA", "permanence des soins";
        /// Hours of the SAS.
        OfficeHours = "OFFICE_HOURS", "heures ouvrables";
    }
}

impl Period {
    /// On duty or not.
    pub fn status(self) -> Status {
        if self == Self::OfficeHours { Status::OfficeHours } else { Status::Pdsa }
    }

    /// The article that makes it so.
    pub fn article(self) -> &'static str {
        match self {
            Self::OfficeHours => "L6311-3 CSP",
            Self::PdsaNight => "R6315-1 1° CSP",
            Self::PdsaSundayHoliday => "R6315-1 2° CSP",
            Self::PdsaSaturday | Self::PdsaBridge => "R6315-1 3° CSP",
        }
    }
}

/// What the law says of one instant in one territory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Legal {
    /// The legal period.
    pub period: Period,
    /// On duty or not.
    pub status: Status,
    /// The part of the night, at night only.
    pub band: Option<Band>,
    /// The name of the public holiday on the local date, whatever the period.
    pub holiday: Option<String>,
    /// The article that gives the period, such as `R6315-1 1° CSP`.
    pub article: &'static str,
    /// The local date, in the territory's zone.
    pub date: NaiveDate,
    /// The first later instant with another period. A new band alone is no change.
    pub next_change: Instant,
    /// The period from then on.
    pub next_period: Period,
}

/// The instant lies in a year the service does not answer for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "at: the local year {year} is outside {FIRST_YEAR} to {LAST_YEAR}; ask for an instant within those years, in the \
     territory's own zone"
)]
pub struct OutOfYears {
    /// The year on the territory's wall clock.
    pub year: i32,
}

/// What the law says at `at`, on the wall clock of the territory.
///
/// # Errors
/// When the local year is outside 2000 to 2099.
pub fn period_at(rules: &CalendarRules, at: Instant) -> Result<Legal, OutOfYears> {
    let wall = local(rules.zone(), at).naive_local();
    if !(FIRST_YEAR..=LAST_YEAR).contains(&wall.year()) {
        return Err(OutOfYears { year: wall.year() });
    }
    let period = period_on(rules, wall);
    let (next_change, next_period) = next_change(rules, at, wall, period);
    Ok(Legal {
        period,
        status: period.status(),
        band: (period == Period::PdsaNight).then(|| rules.policy().bands.band(wall.time())),
        holiday: rules.holiday_on(wall.date()),
        article: period.article(),
        date: wall.date(),
        next_change,
        next_period,
    })
}

fn period_on(rules: &CalendarRules, wall: NaiveDateTime) -> Period {
    let (date, time) = (wall.date(), wall.time());
    if !(DAY_START..NIGHT_START).contains(&time) {
        Period::PdsaNight
    } else if date.weekday() == Weekday::Sun || rules.is_holiday(date) {
        Period::PdsaSundayHoliday
    } else if date.weekday() == Weekday::Sat && rules.policy().saturday_start.is_some_and(|start| time >= start) {
        Period::PdsaSaturday
    } else if is_bridge(rules, date, time) {
        Period::PdsaBridge
    } else {
        Period::OfficeHours
    }
}

fn is_bridge(rules: &CalendarRules, date: NaiveDate, time: NaiveTime) -> bool {
    let policy = rules.policy();
    let holiday = |days: i64| rules.is_holiday(date + TimeDelta::days(days));
    match date.weekday() {
        Weekday::Mon => policy.bridge_monday && holiday(1),
        Weekday::Fri => policy.bridge_friday && holiday(-1),
        Weekday::Sat if time < morning_end(rules) => {
            (policy.bridge_saturday && holiday(-1))
                || (policy.saturday_after_thursday_holiday && policy.bridge_friday && holiday(-2) && !holiday(-1))
        }
        _ => false,
    }
}

/// A bridge Saturday ends where Saturday duty begins, so that no hour falls between the two. Where there is no Saturday
/// duty it ends at noon: the convention speaks of "le samedi matin".
fn morning_end(rules: &CalendarRules) -> NaiveTime {
    rules.policy().saturday_start.unwrap_or(NOON)
}

/// Tries each wall-clock time at which a period can begin, in order, and takes the first that begins another one.
fn next_change(rules: &CalendarRules, at: Instant, wall: NaiveDateTime, period: Period) -> (Instant, Period) {
    let starts = [DAY_START, morning_end(rules), NIGHT_START];
    wall.date()
        .iter_days()
        .flat_map(|date| starts.map(|time| date.and_time(time)))
        .map(|start| (to_instant(rules.zone(), start), period_on(rules, start)))
        .find(|(instant, next)| *instant > at && *next != period)
        .expect("every day has a night and every night ends, so the period changes within a day")
}

//! Between instants and the wall clock of a zone, across its clock changes.

use chrono::{DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::domain::time::Instant;

/// The months in French, January first.
pub const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

/// The wall clock of `zone` at `at`, with its offset.
pub fn local(zone: Tz, at: Instant) -> DateTime<Tz> {
    at.utc().with_timezone(&zone)
}

/// The wall clock of `zone` at `at`, written; where the clock shows that time twice, with which of the two it is:
/// « 02:13 (heure d'hiver) ».
pub fn wall_time(zone: Tz, at: Instant, form: &str) -> String {
    let shown = local(zone, at);
    let written = shown.format(form);
    match zone.from_local_datetime(&shown.naive_local()) {
        LocalResult::Ambiguous(first, _) if first == shown => format!("{written} (heure d'été)"),
        LocalResult::Ambiguous(..) => format!("{written} (heure d'hiver)"),
        LocalResult::Single(_) | LocalResult::None => written.to_string(),
    }
}

/// The date on the wall of `zone` at `at`.
pub fn local_date(zone: Tz, at: Instant) -> NaiveDate {
    local(zone, at).date_naive()
}

/// The Monday of the local week of `at`.
pub fn monday(zone: Tz, at: Instant) -> NaiveDate {
    let day = local_date(zone, at);
    day - Days::new(u64::from(day.weekday().num_days_from_monday()))
}

/// The first instant at which the wall clock of `zone` shows `wall` or, when the clock jumps over it, a later time.
pub fn to_instant(zone: Tz, wall: NaiveDateTime) -> Instant {
    let mut wall = wall;
    loop {
        if let Some(found) = zone.from_local_datetime(&wall).earliest() {
            return found.to_utc().into();
        }
        // No zone skips more than a day, and all skips end on a whole minute.
        wall += TimeDelta::minutes(1);
    }
}

/// Like [`to_instant`], but not before `not_before`: of a doubled hour it takes the second passage when the first is gone.
pub(super) fn to_instant_from(zone: Tz, wall: NaiveDateTime, not_before: Instant) -> Instant {
    let second = || zone.from_local_datetime(&wall).latest().map(|found| Instant::from(found.to_utc()));
    let first = to_instant(zone, wall);
    if first >= not_before { first } else { second().unwrap_or(first).max(not_before) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_the_clock_jumps_over_is_the_end_of_the_jump_and_a_doubled_one_its_first() {
        let paris = |text: &str| to_instant(chrono_tz::Europe::Paris, text.parse().unwrap()).to_string();
        assert_eq!(paris("2024-03-31T02:30:00"), "2024-03-31T01:00:00.000Z");
        assert_eq!(paris("2024-10-27T02:30:00"), "2024-10-27T00:30:00.000Z");
    }

    #[test]
    fn of_an_hour_that_comes_twice_it_is_said_which_one_it_is() {
        let at = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc().into();
        for (instant, written) in [
            ("2027-10-31T02:58:00+02:00", "02:58 (heure d'été)"),
            ("2027-10-31T02:13:00+01:00", "02:13 (heure d'hiver)"),
            ("2027-10-31T01:59:00+02:00", "01:59"),
            ("2027-10-31T03:00:00+01:00", "03:00"),
            ("2027-03-28T03:00:00+02:00", "03:00"),
        ] {
            assert_eq!(wall_time(chrono_tz::Europe::Paris, at(instant), "%H:%M"), written, "{instant}");
        }
    }
}

//! Nights of 11 and of 13 hours, and the ends of the answered years.

use sas_dispatch::domain::{calendar::period_at, time::Instant};

use super::{legal, rules, wall};

fn utc(text: &str) -> Instant {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc().into()
}

#[test]
fn the_march_night_lasts_11_hours_and_ends_at_08_00_on_the_wall() {
    let rules = rules("fr-67");
    let start = wall(&rules, "2024-03-30T20:00");
    let night = period_at(&rules, start).unwrap();
    assert_eq!(night.next_change, utc("2024-03-31T08:00:00+02:00"));
    assert_eq!(night.next_change.since(start).secs(), 11 * 3600);
    assert_eq!(night.next_period.code(), "PDSA_SUNDAY_HOLIDAY");
}

#[test]
fn the_october_night_lasts_13_hours_and_both_two_o_clocks_are_night() {
    let rules = rules("fr-67");
    let start = wall(&rules, "2024-10-26T20:00");
    let night = period_at(&rules, start).unwrap();
    assert_eq!(night.next_change, utc("2024-10-27T08:00:00+01:00"));
    assert_eq!(night.next_change.since(start).secs(), 13 * 3600);
    for at in ["2024-10-27T02:30:00+02:00", "2024-10-27T02:30:00+01:00"] {
        let legal = period_at(&rules, utc(at)).unwrap();
        assert_eq!((legal.period.code(), legal.next_change), ("PDSA_NIGHT", utc("2024-10-27T08:00:00+01:00")));
    }
}

#[test]
fn miquelon_changes_its_clock_on_other_days_than_paris() {
    let miquelon = rules("fr-975");
    let start = wall(&miquelon, "2024-03-09T20:00");
    assert_eq!(period_at(&miquelon, start).unwrap().next_change.since(start).secs(), 11 * 3600);
    let reunion = rules("fr-974");
    let start = wall(&reunion, "2024-03-30T20:00");
    assert_eq!(period_at(&reunion, start).unwrap().next_change.since(start).secs(), 12 * 3600);
}

#[test]
fn the_service_answers_for_2000_to_2099_on_the_local_wall_clock() {
    let paris = rules("fr-67");
    assert_eq!(legal(&paris, "2000-01-01T00:00").period.code(), "PDSA_NIGHT");
    let last = legal(&paris, "2099-12-31T21:00");
    assert_eq!((last.next_change, last.next_period.code()), (utc("2100-01-01T08:00:00+01:00"), "PDSA_SUNDAY_HOLIDAY"));
    for outside in ["1999-12-31T23:59", "2100-01-01T00:00"] {
        let error = period_at(&paris, wall(&paris, outside)).unwrap_err().to_string();
        assert!(error.contains("outside 2000 to 2099"), "{error}");
    }
    assert!(period_at(&rules("fr-974"), utc("1999-12-31T23:30:00+01:00")).is_ok(), "it is 2000 already in La Réunion");
}

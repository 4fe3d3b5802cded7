//! Responders' own hours on the local wall clock.

use sas_dispatch::domain::{
    calendar::{CareHours, PublicHolidays},
    time::Span,
};

use super::{rules, wall};

fn hours(territory: &str, text: &str) -> CareHours {
    CareHours::parse(text, &PublicHolidays::of(&rules(territory))).unwrap()
}

#[test]
fn a_practice_is_closed_at_noon_on_sundays_and_on_its_territorys_holidays() {
    let text = "Mo-Fr 08:00-12:00,14:00-19:00; Sa 08:00-12:00; PH off";
    let (sens, strasbourg) = (hours("fr-89", text), hours("fr-67", text));
    let rules = rules("fr-89");
    let open = |hours: &CareHours, at| hours.is_open_at(wall(&rules, at));
    assert!(open(&sens, "2024-12-26T10:00"));
    assert!(!open(&strasbourg, "2024-12-26T10:00"), "26 December is a holiday in Bas-Rhin");
    assert!(!open(&sens, "2024-12-26T12:00"));
    assert!(open(&sens, "2024-12-28T11:59"));
    assert!(!open(&sens, "2024-12-29T10:00"));
}

#[test]
fn the_next_opening_is_found_within_the_span_and_not_beyond() {
    let hours = hours("fr-89", "Mo-Fr 08:00-19:00; PH off");
    let rules = rules("fr-89");
    let tuesday_evening = wall(&rules, "2024-12-24T20:00");
    let thursday = wall(&rules, "2024-12-26T08:00");
    assert_eq!(hours.next_open(tuesday_evening, Span::from_hours(48)), Some(thursday), "Christmas is skipped");
    assert_eq!(hours.next_open(tuesday_evening, Span::from_hours(36)), None, "36 h end as it opens");
    assert_eq!(hours.next_open(thursday, Span::from_hours(1)), Some(thursday), "open already");
    assert_eq!(hours.next_close(thursday, Span::from_hours(24)), Some(wall(&rules, "2024-12-26T19:00")));
    assert_eq!(hours.next_close(tuesday_evening, Span::from_hours(1)), Some(tuesday_evening));
}

#[test]
fn a_duty_house_opens_at_its_wall_clock_hour_after_the_clock_change() {
    let hours = hours("fr-67", "Su,PH 09:00-19:00");
    let rules = rules("fr-67");
    let before = wall(&rules, "2024-03-30T21:00");
    assert_eq!(hours.next_open(before, Span::from_hours(24)), Some(wall(&rules, "2024-03-31T09:00")));
}

#[test]
fn hours_that_cannot_be_read_say_what_was_expected() {
    let error = CareHours::parse("Lundi 8h", &PublicHolidays::of(&rules("fr-67"))).unwrap_err().to_string();
    assert!(error.starts_with("not in opening_hours notation (such as 'Mo-Fr 08:00-19:00; PH off')"), "{error}");
}

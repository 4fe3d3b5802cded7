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

/// Found by a reader: each of these loads in silence in the crate, and is shown as closed or as open when it says neither.
#[test]
fn hours_the_service_cannot_tell_are_refused_with_what_to_write_instead() {
    let refused = [
        ("Mo-Fr 08:00-12:00 unknown", "'unknown' is not read"),
        ("Mo-Fr 08:00-12:00 Unknown \"sur rendez-vous\"", "'unknown' is not read"),
        ("Mo-Fr 08:00-12:00; SH off", "'SH' is not read"),
        ("SH Mo-Fr 09:00-12:00", "'SH' is not read"),
        ("SH,PH off", "'SH' is not read"),
        ("PH Mo-Fr 09:00-12:00", "'PH Mo-Fr' with a space"),
        ("Mo-Fr PH 09:00-12:00", "'PH Mo-Fr' with a space"),
        ("Mo[1] PH 09:00-12:00", "'PH Mo-Fr' with a space"),
        ("PH -1 day Mo-Fr 09:00-12:00", "'PH Mo-Fr' with a space"),
        ("Mo-Fr 08:00-12:00 || \"sur rendez-vous\"", "a comment without hours"),
        ("\"sur rendez-vous\"", "a comment without hours"),
        ("Mo-Fr \"sur rendez-vous\"", "a comment without hours"),
        ("Mo-Fr 08:00-12:00; Sa \"de 9:00 à 12:00\"", "a comment without hours"),
        ("Mo-Fr 14:00+", "an open end"),
        ("Mo-Fr 08:00-12:00,14:00-18:00+", "an open end"),
        ("Mo-Fr 08:00-12:00/00:30", "a time that repeats"),
        ("Mo-Fr 08:00-sunset", "'sunset' is not read"),
        ("Mo-Fr (sunrise+01:00)-18:00", "'sunrise' is not read"),
        ("Mo-Fr dawn-Dusk", "'dawn' is not read: write a time of the clock, such as '18:00'; 'dusk' is not read"),
    ];
    let holidays = PublicHolidays::of(&rules("fr-89"));
    for (text, says) in refused {
        let error = CareHours::parse(text, &holidays).expect_err(text).to_string();
        assert!(error.starts_with(says), "{text}: {error}");
        assert!(error.contains(": write "), "{text}: {error}");
    }
}

#[test]
fn what_of_the_notation_is_read_loads_and_a_comment_beside_hours_is_a_remark() {
    let read = [
        "24/7",
        "24/7 \"sonner\"",
        "Mo-Fr 08:00-12:00 \"sur rendez-vous\"",
        "Mo-Fr 08:00-12:00 open \"SH unknown 14:00+ sunset\"; Sa off \"congé\"",
        "\"secrétariat\":Mo-Fr 08:00-12:00",
        "Mo-Fr 08:00-12:00,14:00-18:00; PH,Su off",
        "Mo-Su,PH 08:00-23:00",
        "PH,Mo-Fr 08:00-12:00",
        "Mo-Fr 08:00-12:00, PH 10:00-12:00",
        "PH +1 day off",
        "Mo-Fr 08:00-12:00; Dec 21-Jan 05 off",
        "2024+ Mo-Fr 08:00-12:00",
        "Jan-Mar PH off",
        "week 01-53/2 Sa 08:00-12:00",
        "easter -2 days off",
    ];
    let holidays = PublicHolidays::of(&rules("fr-89"));
    for text in read {
        CareHours::parse(text, &holidays).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
    let remark = hours("fr-89", "Mo-Fr 08:00-12:00 \"sur rendez-vous\"");
    assert!(remark.is_open_at(wall(&rules("fr-89"), "2024-12-19T10:00")));
}

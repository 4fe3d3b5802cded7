//! Named days: 26 December 2024, the bridges of 2026 and 2027, coincidences, the territory's own choices.

use chrono::NaiveTime;
use rstest::rstest;
use sas_dispatch::domain::calendar::{Bands, CalendarPolicy, Feast, Holiday};

use super::{legal, period, rules, rules_with, wall};

#[test]
fn saint_etienne_2024_is_a_holiday_in_strasbourg_and_a_working_day_in_sens() {
    let strasbourg = legal(&rules("fr-67"), "2024-12-26T10:00");
    assert_eq!(strasbourg.period.code(), "PDSA_SUNDAY_HOLIDAY");
    assert_eq!(strasbourg.status.code(), "PDSA");
    assert_eq!(strasbourg.holiday.as_deref(), Some("Saint-Étienne"));
    assert_eq!(strasbourg.article, "R6315-1 2° CSP");
    assert_eq!(strasbourg.band, None);
    assert_eq!(strasbourg.next_change, wall(&rules("fr-67"), "2024-12-26T20:00"));
    assert_eq!(strasbourg.next_period.code(), "PDSA_NIGHT");
    let sens = legal(&rules("fr-89"), "2024-12-26T10:00");
    assert_eq!((sens.period.code(), sens.holiday, sens.article), ("OFFICE_HOURS", None, "L6311-3 CSP"));
    assert_eq!(period("fr-67", "2024-12-27T10:00"), "PDSA_BRIDGE", "the Friday after it bridges in Bas-Rhin only");
    assert_eq!(period("fr-89", "2024-12-27T10:00"), "OFFICE_HOURS");
}

#[rstest]
#[case("fr-89", &["2026-01-02", "2026-05-15", "2026-07-13", "2027-05-07", "2027-11-12"])]
#[case("fr-67", &["2026-01-02", "2026-05-15", "2026-07-13", "2027-05-07", "2027-11-12"])]
#[case("fr-971", &["2026-01-02", "2026-05-15", "2026-07-13", "2027-05-07", "2027-05-28", "2027-11-12"])]
#[case("fr-973", &["2027-06-11"])]
#[case("fr-976", &["2027-04-26"])]
fn mondays_and_fridays_beside_a_holiday_are_on_duty_all_day(#[case] territory: &str, #[case] days: &[&str]) {
    for day in days {
        assert_eq!(period(territory, &format!("{day}T08:00")), "PDSA_BRIDGE", "{day}");
        assert_eq!(period(territory, &format!("{day}T19:59")), "PDSA_BRIDGE", "{day}");
        assert_eq!(period(territory, &format!("{day}T20:00")), "PDSA_NIGHT", "{day}");
    }
}

#[rstest]
#[case("fr-89", &["2026-05-02", "2026-05-09", "2026-12-26", "2027-01-02"])]
#[case("fr-67", &["2026-04-04", "2026-05-02", "2026-05-09", "2027-01-02", "2027-03-27"])]
#[case("fr-972", &["2026-05-02", "2026-05-09", "2026-05-23", "2026-12-26", "2027-01-02"])]
fn saturdays_after_a_friday_holiday_bridge_until_saturday_duty_begins(#[case] territory: &str, #[case] days: &[&str]) {
    for day in days {
        assert_eq!(period(territory, &format!("{day}T08:00")), "PDSA_BRIDGE", "{day}");
        assert_eq!(period(territory, &format!("{day}T11:59")), "PDSA_BRIDGE", "{day}");
        assert_eq!(period(territory, &format!("{day}T12:00")), "PDSA_SATURDAY", "{day}");
    }
}

#[test]
fn the_26th_of_december_2026_is_a_bridge_in_yonne_and_a_holiday_in_bas_rhin() {
    assert_eq!(period("fr-89", "2026-12-26T09:00"), "PDSA_BRIDGE");
    assert_eq!(period("fr-67", "2026-12-26T09:00"), "PDSA_SUNDAY_HOLIDAY");
    assert_eq!(period("fr-67", "2026-12-26T15:00"), "PDSA_SUNDAY_HOLIDAY");
}

#[rstest]
#[case("fr-89", "2026-01-03")]
#[case("fr-89", "2026-05-16")]
#[case("fr-89", "2027-11-13")]
#[case("fr-971", "2027-05-29")]
#[case("fr-973", "2027-06-12")]
fn a_saturday_after_a_thursday_holiday_is_on_duty_only_where_the_territory_says_so(
    #[case] id: &str,
    #[case] day: &str,
) {
    let morning = format!("{day}T09:00");
    assert_eq!(period(id, &morning), "OFFICE_HOURS");
    let on = CalendarPolicy { saturday_after_thursday_holiday: true, ..CalendarPolicy::default() };
    assert_eq!(legal(&rules_with(id, on.clone()), &morning).period.code(), "PDSA_BRIDGE");
    let no_friday = CalendarPolicy { bridge_friday: false, ..on };
    assert_eq!(legal(&rules_with(id, no_friday), &morning).period.code(), "OFFICE_HOURS", "Friday must be a bridge");
}

#[test]
fn a_friday_that_is_itself_a_holiday_is_no_bridge_for_its_saturday() {
    let thursdays =
        CalendarPolicy { saturday_after_thursday_holiday: true, bridge_saturday: false, ..CalendarPolicy::default() };
    let strasbourg = rules_with("fr-67", thursdays);
    assert_eq!(legal(&strasbourg, "2025-12-27T09:00").period.code(), "OFFICE_HOURS", "25 and 26 are both holidays");
    assert_eq!(period("fr-67", "2025-12-27T09:00"), "PDSA_BRIDGE", "it follows the holiday of Friday 26");
}

#[test]
fn days_that_are_no_bridge() {
    assert_eq!(period("fr-974", "2026-12-19T09:00"), "OFFICE_HOURS", "20 December 2026 is a Sunday");
    assert_eq!(period("fr-974", "2027-12-21T09:00"), "OFFICE_HOURS", "a Tuesday after a Monday holiday");
    assert_eq!(period("fr-89", "2024-05-07T09:00"), "OFFICE_HOURS", "a Tuesday before a Wednesday holiday");
}

#[test]
fn saturday_start_at_14_00_and_off() {
    let at_14 = CalendarPolicy { saturday_start: NaiveTime::from_hms_opt(14, 0, 0), ..CalendarPolicy::default() };
    let late = rules_with("fr-89", at_14);
    assert_eq!(legal(&late, "2024-06-15T13:59").period.code(), "OFFICE_HOURS");
    assert_eq!(legal(&late, "2024-06-15T14:00").period.code(), "PDSA_SATURDAY");
    assert_eq!(legal(&late, "2026-05-02T13:59").period.code(), "PDSA_BRIDGE", "a bridge Saturday runs to its start");
    let off = rules_with("fr-89", CalendarPolicy { saturday_start: None, ..CalendarPolicy::default() });
    assert_eq!(legal(&off, "2024-06-15T15:00").period.code(), "OFFICE_HOURS");
    assert_eq!(legal(&off, "2026-05-02T11:59").period.code(), "PDSA_BRIDGE");
    assert_eq!(legal(&off, "2026-05-02T12:00").period.code(), "OFFICE_HOURS", "'le samedi matin' ends at noon");
}

#[test]
fn bridges_can_be_off_one_by_one() {
    let off = CalendarPolicy {
        bridge_monday: false,
        bridge_friday: false,
        bridge_saturday: false,
        ..CalendarPolicy::default()
    };
    let off = rules_with("fr-89", off);
    for day in ["2026-07-13", "2026-01-02", "2026-05-02"] {
        assert_eq!(legal(&off, &format!("{day}T09:00")).period.code(), "OFFICE_HOURS", "{day}");
    }
}

#[test]
fn the_night_wins_over_every_day_and_has_three_bands() {
    let rules = rules("fr-67");
    for (at, band) in [("07:59", "EARLY"), ("05:59", "DEEP_NIGHT"), ("00:00", "DEEP_NIGHT"), ("23:59", "EVENING")] {
        let night = legal(&rules, &format!("2024-12-25T{at}"));
        assert_eq!((night.period.code(), night.article), ("PDSA_NIGHT", "R6315-1 1° CSP"), "{at}");
        assert_eq!(night.band.map(|b| b.code()), Some(band), "{at}");
        assert_eq!(night.holiday.as_deref(), Some("Jour de Noël"), "the date is a holiday at night too");
    }
    let evening = legal(&rules, "2024-12-24T21:00");
    assert_eq!(evening.next_change, wall(&rules, "2024-12-25T08:00"), "midnight and 06:00 change the band only");
    assert_eq!(evening.next_period.code(), "PDSA_SUNDAY_HOLIDAY");
}

#[test]
fn bands_are_the_territorys() {
    let clock = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
    let bands = Bands::new(clock(23), clock(8)).unwrap();
    let rules = rules_with("fr-67", CalendarPolicy { bands, ..CalendarPolicy::default() });
    assert_eq!(legal(&rules, "2024-06-12T23:00").band.unwrap().code(), "DEEP_NIGHT");
    assert_eq!(legal(&rules, "2024-06-12T07:00").band.unwrap().code(), "DEEP_NIGHT");
}

#[test]
fn two_holidays_on_one_day_are_both_named() {
    assert_eq!(legal(&rules("fr-89"), "2008-05-01T10:00").holiday.as_deref(), Some("1er mai et Ascension"));
    assert_eq!(
        legal(&rules("fr-971"), "2075-05-27T10:00").holiday.as_deref(),
        Some("Lundi de Pentecôte et Abolition de l'esclavage")
    );
}

#[test]
fn a_territory_adds_and_removes_holidays() {
    let policy = CalendarPolicy {
        added_holidays: vec![Holiday { name: "Victor Schœlcher".into(), when: Feast::Fixed { month: 7, day: 21 } }],
        removed_holidays: vec!["Vendredi saint".into()],
        ..CalendarPolicy::default()
    };
    let rules = rules_with("fr-67", policy);
    assert_eq!(legal(&rules, "2026-07-21T10:00").holiday.as_deref(), Some("Victor Schœlcher"));
    assert_eq!(legal(&rules, "2026-04-03T10:00").period.code(), "OFFICE_HOURS");
    assert_eq!(legal(&rules, "2026-04-04T10:00").period.code(), "OFFICE_HOURS", "and its bridge goes with it");
}

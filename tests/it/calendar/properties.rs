//! For any territory, choices and instant: `next_change` is the first instant at which the period differs; for any
//! hours, the next opening is the first minute at which they are open.

use chrono::NaiveTime;
use proptest::prelude::*;
use sas_dispatch::domain::{
    calendar::{CalendarPolicy, CalendarRules, CareHours, Legal, PublicHolidays, law_territories, period_at},
    time::{Instant, Span},
};

use super::rules;

const YEAR_2000: i64 = 946_771_200_000;
const YEAR_2099: i64 = 4_102_300_800_000;
const YEAR_2024: i64 = 1_704_067_200_000;
const YEAR_2025: i64 = 1_735_689_600_000;

/// The kinds of hours responders state.
const HOURS: [&str; 5] = [
    "24/7",
    "Mo-Fr 08:00-12:00,14:00-19:00; Sa 08:00-12:00; PH off",
    "Mo-Fr 20:00-24:00; Sa 12:00-24:00; Su,PH 08:00-24:00",
    "Mo-Su 20:00-08:00",
    "Mo-Su,PH 09:00-22:00",
];

fn any_policy() -> impl Strategy<Value = CalendarPolicy> {
    let start = prop_oneof![
        Just(None),
        (8_u32..20, 0_u32..60).prop_map(|(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0)),
    ];
    (start, any::<[bool; 4]>()).prop_map(|(saturday_start, [monday, friday, saturday, thursday])| CalendarPolicy {
        saturday_start,
        bridge_monday: monday,
        bridge_friday: friday,
        bridge_saturday: saturday,
        saturday_after_thursday_holiday: thursday,
        ..CalendarPolicy::default()
    })
}

fn any_rules() -> impl Strategy<Value = CalendarRules> {
    let territories: Vec<_> = law_territories().collect();
    (prop::sample::select(territories), any_policy())
        .prop_map(|(territory, policy)| CalendarRules::new(&territory, policy))
}

fn at(rules: &CalendarRules, at: Instant) -> Legal {
    period_at(rules, at).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_scan_minute_by_minute_finds_the_same_next_change(rules in any_rules(), ms in YEAR_2000..YEAR_2099) {
        let now = Instant::from_unix_ms(ms);
        let legal = at(&rules, now);
        let next_minute = Instant::from_unix_ms((ms / 60_000 + 1) * 60_000);
        let mut scan = next_minute;
        while at(&rules, scan).period == legal.period {
            prop_assert!(scan < legal.next_change, "same period at {scan}, yet next_change is {}", legal.next_change);
            scan = scan + Span::from_mins(1);
        }
        prop_assert_eq!(scan, legal.next_change);
        prop_assert_eq!(at(&rules, scan).period, legal.next_period);
    }

    #[test]
    fn the_parts_of_an_answer_agree(rules in any_rules(), ms in YEAR_2000..YEAR_2099) {
        let now = Instant::from_unix_ms(ms);
        let legal = at(&rules, now);
        prop_assert_eq!(legal.status, legal.period.status());
        prop_assert_eq!(legal.article, legal.period.article());
        prop_assert_eq!(legal.band.is_some(), legal.period.code() == "PDSA_NIGHT");
        prop_assert_eq!(legal.holiday.is_some(), rules.is_holiday(legal.date));
        let span = legal.next_change.since(now);
        prop_assert!(span > Span::ZERO && span <= Span::from_hours(13), "{span:?}");
        prop_assert_ne!(legal.period, legal.next_period);
    }

    #[test]
    fn a_scan_minute_by_minute_finds_the_same_opening_and_closing(
        text in prop::sample::select(HOURS.as_slice()),
        territory in prop::sample::select(vec!["fr-67", "fr-974", "fr-975"]),
        ms in YEAR_2024..YEAR_2025,
        within in 0_i64..=2_880,
    ) {
        let rules = rules(territory);
        let hours = CareHours::parse(text, &PublicHolidays::of(&rules)).unwrap();
        let now = Instant::from_unix_ms(ms / 60_000 * 60_000);
        let minutes = || (0..within).map(|minute| now + Span::from_mins(minute));
        let span = Span::from_mins(within);
        prop_assert_eq!(hours.next_open(now, span), minutes().find(|at| hours.is_open_at(*at)));
        prop_assert_eq!(hours.next_close(now, span), minutes().find(|at| !hours.is_open_at(*at)));
    }
}

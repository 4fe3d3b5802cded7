//! The legal calendar: vectors, clock changes, overseas, an independent oracle, properties, responders' hours.

mod care_hours;
mod clock_changes;
mod oracle;
mod overseas;
mod properties;
mod vectors;

use chrono::{NaiveDate, NaiveDateTime};
use sas_dispatch::domain::{
    calendar::{CalendarPolicy, CalendarRules, Legal, law_territory, period_at, to_instant},
    time::Instant,
};

/// The law's calendar of a territory with the default choices.
fn rules(territory: &str) -> CalendarRules {
    rules_with(territory, CalendarPolicy::default())
}

fn rules_with(territory: &str, policy: CalendarPolicy) -> CalendarRules {
    let territory = law_territory(&territory.parse().unwrap()).unwrap();
    CalendarRules::new(&territory, policy)
}

/// The instant at which the wall clock of the territory shows `wall` (`2024-12-26T10:00`).
fn wall(rules: &CalendarRules, wall: &str) -> Instant {
    let wall = NaiveDateTime::parse_from_str(wall, "%Y-%m-%dT%H:%M").unwrap();
    to_instant(rules.zone(), wall)
}

fn legal(rules: &CalendarRules, at: &str) -> Legal {
    period_at(rules, wall(rules, at)).unwrap()
}

/// The code of the period at a local time of the territory.
fn period(territory: &str, at: &str) -> &'static str {
    legal(&rules(territory), at).period.code()
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

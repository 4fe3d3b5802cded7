//! A responder's own hours, written in OpenStreetMap `opening_hours` notation and read on the local wall clock.
//!
//! No law gives a practice its hours; each states them (`Mo-Fr 08:00-12:00,14:00-19:00; Sa 08:00-12:00; PH off`). `PH`
//! means the public holidays of the territory. Evaluation is left to the crate `opening-hours`; what it would take for
//! something else is refused.

use std::sync::Arc;

use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use opening_hours::{Context, ContextHolidays, OpeningHours, RuleKind};

use super::{
    notation::unread,
    period::{FIRST_YEAR, LAST_YEAR},
    policy::CalendarRules,
    wall::{local, to_instant, to_instant_from},
};
use crate::domain::time::{Instant, Span};

/// The zone and the public holidays against which hours are read; made once per territory and shared.
#[derive(Debug, Clone)]
pub struct PublicHolidays {
    zone: Tz,
    days: ContextHolidays,
}

impl PublicHolidays {
    /// Every holiday of the territory's calendar, 2000 to 2099.
    pub fn of(rules: &CalendarRules) -> Self {
        let mut days = ContextHolidays::default().get_public().clone();
        for date in (FIRST_YEAR..=LAST_YEAR).flat_map(|year| rules.holidays_of(year)) {
            days.insert(date);
        }
        Self { zone: rules.zone(), days: ContextHolidays::new(Arc::new(days), Arc::default()) }
    }
}

/// Why a text is not a set of hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadHours(pub String);

/// When a responder is at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CareHours {
    text: String,
    zone: Tz,
    hours: OpeningHours,
}

impl CareHours {
    /// Reads `text`, such as `Mo-Fr 08:00-12:00,14:00-19:00; PH off`.
    ///
    /// # Errors
    /// When it is not in that notation (the message quotes the place), or says something in it that is not read: each such
    /// thing is named, with what to write instead.
    pub fn parse(text: &str, holidays: &PublicHolidays) -> Result<Self, BadHours> {
        let hours: OpeningHours = text.parse().map_err(|error| {
            BadHours(format!("not in opening_hours notation (such as 'Mo-Fr 08:00-19:00; PH off'): {error}"))
        })?;
        let unread = unread(text);
        if !unread.is_empty() {
            return Err(BadHours(unread.join("; ")));
        }
        let hours = hours.with_context(Context::default().with_holidays(holidays.days.clone()));
        Ok(Self { text: text.to_owned(), zone: holidays.zone, hours })
    }

    /// The hours as they were written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The zone whose wall clock they are read on.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The first instant after the local date `day`.
    pub fn midnight_after(&self, day: NaiveDate) -> Instant {
        to_instant(self.zone, (day + Days::new(1)).and_time(NaiveTime::MIN))
    }

    /// Whether open at `at`.
    pub fn is_open_at(&self, at: Instant) -> bool {
        self.hours.is_open(local(self.zone, at).naive_local())
    }

    /// The first instant in `[at, at + within)` at which it is open; `at` itself when it is open already.
    pub fn next_open(&self, at: Instant, within: Span) -> Option<Instant> {
        self.first(at, within, |open| open)
    }

    /// The first instant in `[at, at + within)` at which it is closed; `at` itself when it is closed already.
    pub fn next_close(&self, at: Instant, within: Span) -> Option<Instant> {
        self.first(at, within, |open| !open)
    }

    fn first(&self, at: Instant, within: Span, wanted: impl Fn(bool) -> bool) -> Option<Instant> {
        let wall = |instant| local(self.zone, instant).naive_local();
        let end = at + within;
        // The hour that a clock set back repeats may hide `end` behind `at` on the wall; the filter below is exact.
        let scanned_to = wall(end) + TimeDelta::hours(1);
        self.hours
            .iter_range(wall(at), scanned_to)
            .find(|range| wanted(range.kind == RuleKind::Open))
            .map(|range| to_instant_from(self.zone, range.range.start, at))
            .filter(|found| *found < end)
    }
}

//! The law written a second time, as `opening_hours` expressions, and compared on every day of 2000 to 2076.
//!
//! The crate brings its own list of French holidays for those years; the local ones are added from that list (Good
//! Friday is three days before its Easter Monday) and from fixed dates, so that nothing of our computus is used.

use std::sync::Arc;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Weekday};
use opening_hours::{Context, ContextHolidays, OpeningHours, RuleKind, localization::Country};
use rstest::rstest;
use sas_dispatch::domain::calendar::{period_at, to_instant};

use super::{date, rules};

/// One row of the decision table: on duty where all of its expressions are open.
struct Row(&'static str, &'static [&'static str]);

const LAW: [Row; 6] = [
    Row("PDSA_NIGHT", &["20:00-08:00"]),
    Row("PDSA_SUNDAY_HOLIDAY", &["Su,PH 08:00-20:00"]),
    Row("PDSA_SATURDAY", &["Sa 12:00-20:00"]),
    Row("PDSA_BRIDGE", &["Mo 08:00-20:00", "PH -1 day 08:00-20:00"]),
    Row("PDSA_BRIDGE", &["Fr 08:00-20:00", "PH +1 day 08:00-20:00"]),
    Row("PDSA_BRIDGE", &["Sa 08:00-12:00", "PH +1 day 08:00-20:00"]),
];

/// The open ranges of one expression, ascending.
struct OpenRanges(Vec<(NaiveDateTime, NaiveDateTime)>);

impl OpenRanges {
    fn of(expression: &str, holidays: &ContextHolidays) -> Self {
        let hours: OpeningHours = expression.parse().unwrap();
        let hours = hours.with_context(Context::default().with_holidays(holidays.clone()));
        let at = |day| date(day).and_time(NaiveTime::MIN);
        let ranges = hours.iter_range(at("1999-12-25"), at("2077-01-02"));
        Self(ranges.filter(|r| r.kind == RuleKind::Open).map(|r| (r.range.start, r.range.end)).collect())
    }

    fn contains(&self, at: NaiveDateTime) -> bool {
        let next = self.0.partition_point(|(start, _)| *start <= at);
        next > 0 && at < self.0[next - 1].1
    }
}

struct Oracle(Vec<(&'static str, Vec<OpenRanges>)>);

impl Oracle {
    fn new(holidays: &ContextHolidays) -> Self {
        let row = |Row(period, expressions): &Row| {
            (*period, expressions.iter().map(|text| OpenRanges::of(text, holidays)).collect())
        };
        Self(LAW.iter().map(row).collect())
    }

    fn period(&self, at: NaiveDateTime) -> &'static str {
        let row = self.0.iter().find(|(_, all)| all.iter().all(|ranges| ranges.contains(at)));
        row.map_or("OFFICE_HOURS", |(period, _)| period)
    }
}

/// The crate's French holidays and the days `more` finds in each year, given that year's Easter Monday.
fn holidays(more: impl Fn(NaiveDate) -> Vec<NaiveDate>) -> ContextHolidays {
    let french = Country::FR.holidays();
    let mut days = french.get_public().clone();
    for year in 2000..=2076 {
        for day in more(easter_monday(&french, year)) {
            days.insert(day);
        }
    }
    ContextHolidays::new(Arc::new(days), Arc::default())
}

/// Easter Monday is the one holiday Monday whose 38th following day (Ascension, a Thursday) is a holiday too.
fn easter_monday(french: &ContextHolidays, year: i32) -> NaiveDate {
    let first = NaiveDate::from_ymd_opt(year, 3, 23).unwrap();
    let holiday = |day| french.get_public().contains(day);
    first
        .iter_days()
        .take(35)
        .find(|day| day.weekday() == Weekday::Mon && holiday(*day) && holiday(*day + Days::new(38)))
        .unwrap()
}

fn on(year: i32, month: u32, day: u32) -> Vec<NaiveDate> {
    vec![NaiveDate::from_ymd_opt(year, month, day).unwrap()]
}

fn alsace(easter_monday: NaiveDate) -> Vec<NaiveDate> {
    let mut days = on(easter_monday.year(), 12, 26);
    days.push(easter_monday - TimeDelta::days(3));
    days
}

#[rstest]
#[case::metropole("fr-89", |_: NaiveDate| vec![])]
#[case::alsace("fr-67", alsace)]
#[case::guadeloupe("fr-971", |easter: NaiveDate| on(easter.year(), 5, 27))]
#[case::martinique("fr-972", |easter: NaiveDate| on(easter.year(), 5, 22))]
#[case::guyane("fr-973", |easter: NaiveDate| on(easter.year(), 6, 10))]
#[case::reunion("fr-974", |easter: NaiveDate| on(easter.year(), 12, 20))]
#[case::miquelon("fr-975", |_: NaiveDate| vec![])]
#[case::mayotte("fr-976", |easter: NaiveDate| on(easter.year(), 4, 27))]
#[case::saint_barthelemy("fr-977", |easter: NaiveDate| on(easter.year(), 10, 9))]
#[case::saint_martin("fr-978", |easter: NaiveDate| on(easter.year(), 5, 28))]
fn the_oracle_agrees_on_every_day(#[case] territory: &str, #[case] local: fn(NaiveDate) -> Vec<NaiveDate>) {
    let oracle = Oracle::new(&holidays(local));
    let rules = rules(territory);
    let times = [(0, 0), (7, 59), (8, 0), (11, 59), (12, 0), (19, 59), (20, 0)];
    let times = times.map(|(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0).unwrap());
    for day in date("2000-01-01").iter_days().take_while(|day| day.year() <= 2076) {
        for time in times {
            let at = day.and_time(time);
            let ours = period_at(&rules, to_instant(rules.zone(), at)).unwrap();
            assert_eq!(ours.period.code(), oracle.period(at), "{territory} {at}");
        }
    }
}

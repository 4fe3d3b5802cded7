//! The `[calendar]` of `territory.toml`.

use std::time::Duration;

use chrono::{Datelike, NaiveDate, NaiveTime};
use toml::de::DeValue;

use super::{
    sheet::Table,
    values::{boolean, clock, date, list, text, whole, words},
};
use crate::domain::{
    calendar::{Bands, CalendarPolicy, Feast, Holiday, holidays_by_law},
    ids::TerritoryId,
};

/// The territory's choices; what is absent has its default.
pub(super) fn policy(root: &Table<'_>, territory: &TerritoryId) -> CalendarPolicy {
    root.table("calendar", |table| read(table, territory)).unwrap_or_default()
}

fn read(table: &Table<'_>, territory: &TerritoryId) -> CalendarPolicy {
    let default = CalendarPolicy::default();
    CalendarPolicy {
        saturday_start: table.or("saturday_start", default.saturday_start, saturday_start),
        bridge_monday: table.or("bridge_monday", default.bridge_monday, boolean),
        bridge_friday: table.or("bridge_friday", default.bridge_friday, boolean),
        bridge_saturday: table.or("bridge_saturday", default.bridge_saturday, boolean),
        saturday_after_thursday_holiday: table.or(
            "saturday_after_thursday_holiday",
            default.saturday_after_thursday_holiday,
            boolean,
        ),
        bands: bands(table),
        added_holidays: table.tables("added_holidays", holiday),
        removed_holidays: removed(table, territory),
    }
}

fn saturday_start(value: &DeValue<'_>) -> Result<Option<NaiveTime>, String> {
    if text(value).is_ok_and(|text| text == "off") {
        return Ok(None);
    }
    let start = clock(value).map_err(|_| "expected a time such as \"12:00\", or \"off\"".to_owned())?;
    let hour = |hour: u64| NaiveTime::MIN + Duration::from_secs(hour * 3600);
    if (hour(12)..hour(20)).contains(&start) {
        Ok(Some(start))
    } else {
        Err("expected a time from 12:00 (R6315-1 3° CSP: on Saturdays from noon) to before 20:00 (night), or \"off\""
            .into())
    }
}

fn bands(table: &Table<'_>) -> Bands {
    let deep = table.optional("deep_night_from", clock);
    let early = table.optional("early_from", clock);
    let six = NaiveTime::MIN + Duration::from_secs(6 * 3600);
    Bands::new(deep.unwrap_or(NaiveTime::MIN), early.unwrap_or(six)).unwrap_or_else(|| {
        table.fault("deep_night_from", "must lie within the night (20:00 to 08:00) and no later than early_from");
        Bands::default()
    })
}

fn removed(table: &Table<'_>, territory: &TerritoryId) -> Vec<String> {
    let names = table.or("removed_holidays", Vec::new(), list(words));
    let law = holidays_by_law(territory);
    for name in &names {
        if !law.iter().any(|holiday| holiday.name == *name) {
            let known: Vec<_> = law.iter().map(|holiday| holiday.name.as_str()).collect();
            table.fault("removed_holidays", format!("'{name}' is no holiday here; known: {}", known.join(", ")));
        }
    }
    names
}

fn holiday(table: &Table<'_>) -> Option<Holiday> {
    let name = table.required("name", words);
    let month = table.optional("month", whole(1..=12));
    let day = table.optional("day", whole(1..=31));
    let offset = table.optional("easter_offset_days", whole(-80..=250));
    let once = table.optional("date", date);
    let when = match (month.zip(day), offset, once) {
        (Some((month, day)), None, None) => fixed(table, month, day),
        (None, Some(offset_days), None) => Some(Feast::Easter { offset_days }),
        (None, None, Some(date)) => Some(Feast::Once(date)),
        _ => {
            table.fault("name", "state either month and day, or easter_offset_days, or date");
            None
        }
    };
    Some(Holiday { name: name?, when: when? })
}

fn fixed(table: &Table<'_>, month: i64, day: i64) -> Option<Feast> {
    let (month, day) = (u32::try_from(month).ok()?, u32::try_from(day).ok()?);
    // 2000 is a leap year, so 29 February passes.
    let exists = NaiveDate::from_ymd_opt(2000, month, day).is_some_and(|date| date.day() == day);
    if !exists {
        table.fault("day", "no such day in that month");
    }
    exists.then_some(Feast::Fixed { month, day })
}

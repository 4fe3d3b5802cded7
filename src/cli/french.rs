//! Dates as people write them in French.

use chrono::{DateTime, Datelike};
use chrono_tz::Tz;

use crate::domain::calendar::{MONTHS, wall_time};

const DAYS: [&str; 7] = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];

/// `jeudi 26 décembre 2024 à 10:00`.
pub(super) fn moment(at: DateTime<Tz>) -> String {
    let day = DAYS[at.weekday().num_days_from_monday() as usize];
    let of_month = if at.day() == 1 { "1er".to_owned() } else { at.day().to_string() };
    format!(
        "{day} {of_month} {} {} à {}",
        MONTHS[at.month0() as usize],
        at.year(),
        wall_time(at.timezone(), at.to_utc().into(), "%H:%M")
    )
}

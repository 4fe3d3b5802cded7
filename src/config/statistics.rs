//! `[indicators]` and `[extract]`: what is counted how, and what leaves the service without a person in it.

use std::path::PathBuf;

use super::{
    sheet::Table,
    values::{boolean, fraction, list, parsed, seconds, whole, words},
};
use crate::domain::{indicators::extract::Column, time::Span};

/// How indicators are counted and kept.
#[derive(Debug, Clone)]
pub struct IndicatorSettings {
    /// Whether this instance keeps them up to date by itself; asked for, they are always computed.
    pub enabled: bool,
    /// Folder of final days; none: `indicateurs` in the data folder.
    pub dir: Option<PathBuf>,
    /// How often the log is read on.
    pub every: Span,
    /// Thresholds of the answer, ascending.
    pub thresholds: Vec<Span>,
    /// A call given up sooner may be left out of the abandoned ones.
    pub early: Span,
    /// A day is final this long after its end.
    pub settle: Span,
    /// The most days one answer covers.
    pub most_days: u32,
    /// Face-to-face acts for 100 files where each responder decides.
    pub baseline_acts_per_100: f64,
    /// The fewest decisions on either side of a comparison that is tested.
    pub minimum_decisions: u64,
}

/// The anonymised extract.
#[derive(Debug, Clone)]
pub struct ExtractSettings {
    /// Whether this instance writes it by itself.
    pub enabled: bool,
    /// Its folder; none: `extraits` in the data folder.
    pub dir: Option<PathBuf>,
    /// What cases are told apart by.
    pub columns: Vec<Column>,
    /// How long after a day's end it is written.
    pub delay: Span,
    /// The smallest count that is shown.
    pub smallest_cell: u64,
    /// First ages, in years, of the age bands after the first.
    pub age_bands: Vec<u32>,
}

pub(super) fn indicators(table: &Table<'_>) -> Option<IndicatorSettings> {
    let enabled = table.required("enabled", boolean);
    let dir = table.optional("dir", words).map(PathBuf::from);
    let every = table.required("every_seconds", seconds);
    let thresholds = table.required("answered_within_seconds", list(seconds));
    let ascending = |list: &[Span]| !list.is_empty() && list.windows(2).all(|two| two[0] < two[1]);
    if thresholds.as_deref().is_some_and(|list| !ascending(list)) {
        table.fault("answered_within_seconds", "expected one or more thresholds, each longer than the one before");
    }
    let early = table.required("early_hang_up_seconds", seconds);
    // Repeat calls are looked for during 72 h.
    let settle = table.required("final_after_hours", whole(72..=24 * 31));
    let most_days = table.required("most_days", whole(1..=366));
    let baseline = table.required("responder_decides_acts_per_100_files", fraction(0.0..=200.0));
    let minimum = table.required("minimum_decisions", whole(5..=100_000));
    Some(IndicatorSettings {
        enabled: enabled?,
        dir,
        every: every?,
        thresholds: thresholds?,
        early: early?,
        settle: Span::from_hours(settle?),
        most_days: u32::try_from(most_days?).expect("read as at most 366"),
        baseline_acts_per_100: baseline?,
        minimum_decisions: minimum?.unsigned_abs(),
    })
}

/// `final_after`: how long after its end a day is kept, where that is known.
pub(super) fn extract(table: &Table<'_>, final_after: Option<Span>) -> Option<ExtractSettings> {
    let enabled = table.required("enabled", boolean);
    let dir = table.optional("dir", words).map(PathBuf::from);
    let columns = table.required("columns", list(parsed::<Column>));
    let twice = |list: &[Column]| list.iter().enumerate().any(|(at, column)| list[..at].contains(column));
    if columns.as_deref().is_some_and(|list| list.is_empty() || twice(list)) {
        table.fault("columns", "expected one or more columns, each once");
    }
    let delay = table.required("delay_hours", whole(0..=24 * 31));
    if delay.zip(final_after).is_some_and(|(delay, days)| Span::from_hours(delay) > days) {
        table.fault("delay_hours", "must not be longer than indicators.final_after_hours");
    }
    let smallest = table.required("smallest_cell", whole(2..=1_000));
    let bands = table.required("age_bands_years", list(whole(1..=120)));
    if bands.as_deref().is_some_and(|list| !list.windows(2).all(|two| two[0] < two[1])) {
        table.fault("age_bands_years", "expected ages, each higher than the one before");
    }
    let years = |ages: Vec<i64>| ages.into_iter().filter_map(|age| u32::try_from(age).ok()).collect();
    Some(ExtractSettings {
        enabled: enabled?,
        dir,
        columns: columns?,
        delay: Span::from_hours(delay?),
        smallest_cell: smallest?.unsigned_abs(),
        age_bands: years(bands?),
    })
}

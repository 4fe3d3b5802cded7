//! Today's indicators as gauges: the counts since midnight of the territory, and the quantiles of waits so far.
//!
//! They are observed when somebody collects: what a new day has none of (yet) is not told any more.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use opentelemetry::{KeyValue, metrics::Meter};

use super::labels::Label;
use crate::domain::{ids::TerritoryId, indicators::Figures};

/// Today's figures of each territory, as they were reported last.
type Today = Arc<Mutex<BTreeMap<TerritoryId, Figures>>>;

/// One value and what it is told apart by, beside the territory.
type Point<T> = (T, Vec<KeyValue>);

/// The gauges.
#[derive(Debug, Clone)]
pub(super) struct DayGauges(Today);

impl DayGauges {
    pub(super) fn new(meter: &Meter) -> Self {
        let today = Today::default();
        let level = |name: &'static str, what: &'static str, points: fn(&Figures) -> Vec<Point<u64>>| {
            let today = today.clone();
            let gauge = meter.u64_observable_gauge(name).with_description(what);
            gauge
                .with_callback(move |seen| observed(&today, points, |value, labels| seen.observe(value, labels)))
                .build();
        };
        level("sas.day.calls", "today's calls, by outcome", calls);
        level("sas.day.answered_within", "today's calls answered within so many seconds", within);
        level("sas.day.cases", "today's cases, by what became of them", cases);
        level("sas.day.decisions", "today's doctors' answers, by care and level", decisions);
        level("sas.day.regulators", "today's regulated cases, by the doctor's affiliation", regulators);
        level("sas.day.appointments", "today's cases' appointments, by outcome", appointments);
        let of = today.clone();
        let wait = meter.f64_observable_gauge("sas.day.wait").with_unit("s");
        wait.with_description("quantiles of today's cases' waits, by stage and class")
            .with_callback(move |seen| observed(&of, waits, |value, labels| seen.observe(value, labels)))
            .build();
        let of = today.clone();
        meter
            .f64_observable_gauge("sas.day.avoided")
            .with_description(
                "face-to-face consultations avoided for 100 regulated cases; consistent with an effect, proof of none",
            )
            .with_callback(move |seen| observed(&of, avoided, |value, labels| seen.observe(value, labels)))
            .build();
        Self(today)
    }

    pub(super) fn record(&self, territory: &TerritoryId, figures: &Figures) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(territory.clone(), figures.clone());
    }
}

fn observed<T>(today: &Today, points: impl Fn(&Figures) -> Vec<Point<T>>, observe: impl Fn(T, &[KeyValue])) {
    for (territory, figures) in &*today.lock().unwrap_or_else(PoisonError::into_inner) {
        for (value, mut labels) in points(figures) {
            labels.push(super::metrics::place(territory));
            observe(value, &labels);
        }
    }
}

fn label(key: &'static str, value: impl Label) -> KeyValue {
    KeyValue::new(key, value.code())
}

fn named<const N: usize>(key: &'static str, counts: [(&'static str, u64); N]) -> Vec<Point<u64>> {
    counts.map(|(value, count)| (count, vec![KeyValue::new(key, value)])).into()
}

fn calls(figures: &Figures) -> Vec<Point<u64>> {
    let counts = [("OFFERED", figures.offered), ("ANSWERED", figures.answered), ("ABANDONED", figures.abandoned)];
    named("outcome", counts)
}

fn within(figures: &Figures) -> Vec<Point<u64>> {
    figures.within.iter().map(|row| (row.count, vec![KeyValue::new("seconds", row.seconds)])).collect()
}

fn cases(figures: &Figures) -> Vec<Point<u64>> {
    let counts = [
        ("OPENED", figures.cases),
        ("REGULATED", figures.regulated),
        ("BY_PROTOCOL", figures.by_protocol),
        ("DISMISSED", figures.dismissed),
        ("COUNTER_REGULATED", figures.counter_regulated),
        ("CALLED_AGAIN_24H", figures.called_again_24h),
        ("CALLED_AGAIN_72H", figures.called_again_72h),
    ];
    named("what", counts)
}

fn decisions(figures: &Figures) -> Vec<Point<u64>> {
    let rows = figures.decisions.iter();
    rows.map(|row| (row.count, vec![label("care", row.care), label("level", row.level)])).collect()
}

fn regulators(figures: &Figures) -> Vec<Point<u64>> {
    figures.regulators.iter().map(|row| (row.count, vec![label("affiliation", row.affiliation)])).collect()
}

fn appointments(figures: &Figures) -> Vec<Point<u64>> {
    let counts = [("ACCEPTED", figures.appointments), ("SEEN", figures.seen), ("NO_SHOW", figures.no_shows)];
    named("outcome", counts)
}

fn waits(figures: &Figures) -> Vec<Point<f64>> {
    let mut points = Vec::new();
    for row in &figures.waits {
        let class = row.priority.map_or("ALL", Label::code);
        for (quantile, value) in [("P50", row.p50_s), ("P90", row.p90_s), ("P95", row.p95_s)] {
            let labels = [KeyValue::new("class", class), KeyValue::new("quantile", quantile)];
            points.push((value, [&[label("stage", row.stage)][..], &labels].concat()));
        }
    }
    points
}

fn avoided(figures: &Figures) -> Vec<Point<f64>> {
    figures.avoided.iter().map(|avoided| (avoided.avoided_per_100, Vec::new())).collect()
}

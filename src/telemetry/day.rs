//! Today's indicators as gauges: the counts since midnight of the territory, and the quantiles of waits so far.

use opentelemetry::{
    KeyValue,
    metrics::{Gauge, Meter},
};

use super::labels::Label;
use crate::domain::indicators::Figures;

/// The gauges.
#[derive(Debug, Clone)]
pub(super) struct DayGauges {
    calls: Gauge<u64>,
    within: Gauge<u64>,
    cases: Gauge<u64>,
    decisions: Gauge<u64>,
    regulators: Gauge<u64>,
    appointments: Gauge<u64>,
    wait: Gauge<f64>,
    avoided: Gauge<f64>,
}

impl DayGauges {
    pub(super) fn new(meter: &Meter) -> Self {
        let level = |name: &'static str, what: &'static str| meter.u64_gauge(name).with_description(what).build();
        let number = |name: &'static str, what: &'static str| meter.f64_gauge(name).with_description(what);
        Self {
            calls: level("sas.day.calls", "today's calls, by outcome"),
            within: level("sas.day.answered_within", "today's calls answered within so many seconds"),
            cases: level("sas.day.cases", "today's cases, by what became of them"),
            decisions: level("sas.day.decisions", "today's doctors' answers, by care and level"),
            regulators: level("sas.day.regulators", "today's regulated cases, by the doctor's affiliation"),
            appointments: level("sas.day.appointments", "today's cases' appointments, by outcome"),
            wait: number("sas.day.wait", "quantiles of today's cases' waits, by stage and class")
                .with_unit("s")
                .build(),
            avoided: number(
                "sas.day.avoided",
                "face-to-face consultations avoided for 100 regulated cases; consistent with an effect, proof of none",
            )
            .build(),
        }
    }

    pub(super) fn record(&self, place: &KeyValue, figures: &Figures) {
        let named = |key: &'static str, value: &'static str| [place.clone(), KeyValue::new(key, value)];
        let calls = [("OFFERED", figures.offered), ("ANSWERED", figures.answered), ("ABANDONED", figures.abandoned)];
        calls.iter().for_each(|(outcome, count)| self.calls.record(*count, &named("outcome", outcome)));
        for row in &figures.within {
            self.within.record(row.count, &[place.clone(), KeyValue::new("seconds", row.seconds)]);
        }
        let cases = [
            ("OPENED", figures.cases),
            ("REGULATED", figures.regulated),
            ("BY_PROTOCOL", figures.by_protocol),
            ("DISMISSED", figures.dismissed),
            ("CALLED_AGAIN_24H", figures.called_again_24h),
            ("CALLED_AGAIN_72H", figures.called_again_72h),
        ];
        cases.iter().for_each(|(what, count)| self.cases.record(*count, &named("what", what)));
        for row in &figures.decisions {
            let labels = [place.clone(), label("care", row.care), label("level", row.level)];
            self.decisions.record(row.count, &labels);
        }
        for row in &figures.regulators {
            self.regulators.record(row.count, &[place.clone(), label("affiliation", row.affiliation)]);
        }
        let appointments = [("ACCEPTED", figures.appointments), ("SEEN", figures.seen), ("NO_SHOW", figures.no_shows)];
        appointments.iter().for_each(|(outcome, count)| self.appointments.record(*count, &named("outcome", outcome)));
        for row in &figures.waits {
            let class = row.priority.map_or("ALL", Label::code);
            for (quantile, value) in [("P50", row.p50_s), ("P90", row.p90_s), ("P95", row.p95_s)] {
                let labels = [KeyValue::new("class", class), KeyValue::new("quantile", quantile)];
                let labels = [&[place.clone(), label("stage", row.stage)][..], &labels].concat();
                self.wait.record(value, &labels);
            }
        }
        if let Some(avoided) = &figures.avoided {
            self.avoided.record(avoided.avoided_per_100, std::slice::from_ref(place));
        }
    }
}

fn label(key: &'static str, value: impl Label) -> KeyValue {
    KeyValue::new(key, value.code())
}

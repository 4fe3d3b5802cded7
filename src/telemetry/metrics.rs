//! The instruments, in the words of the field. Counts and durations only; labels from [`super::labels`], names known
//! when the service is compiled, and territory ids from the configuration.

use std::time::Duration;

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge, Histogram, Meter, MeterProvider, noop::NoopMeterProvider},
};

use super::{
    day::DayGauges,
    labels::{CallResult, CommandResult, CommitResult, Label, OfferOutcome, RetryReason, StoreKind},
};
use crate::domain::{
    ids::TerritoryId,
    indicators::Figures,
    regulation::qualification::{Priority, Stream},
    territory::RouteCategory,
    time::Span,
};

/// Bounds for what a machine does, seconds.
const MACHINE_S: [f64; 13] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
/// Bounds for what people wait, seconds: the targets of the field (30 s, 60 s, 5 min, 20 min, 1 h) are among them.
const PEOPLE_S: [f64; 14] =
    [5.0, 15.0, 30.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1200.0, 1800.0, 3600.0, 7200.0];

/// Every instrument of the service. Cheap to clone; all clones count into the same series.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Somebody takes the figures: else what is counted for each call is not even put together.
    reported: bool,
    calls: Histogram<f64>,
    shed: Counter<u64>,
    commands: Counter<u64>,
    commits: Histogram<f64>,
    retries: Counter<u64>,
    queue_depth: Gauge<u64>,
    queue_wait: Histogram<f64>,
    decision: Histogram<f64>,
    offers: Counter<u64>,
    unanswered: Gauge<u64>,
    alarms: Counter<u64>,
    durability: Gauge<f64>,
    below: Gauge<u64>,
    degraded: Counter<u64>,
    store_behind: Gauge<u64>,
    epochs: Counter<u64>,
    clock_gap: Gauge<f64>,
    day: DayGauges,
}

fn label(key: &'static str, value: impl Label) -> KeyValue {
    KeyValue::new(key, value.code())
}

fn named(key: &'static str, value: &'static str) -> KeyValue {
    KeyValue::new(key, value)
}

pub(super) fn place(territory: &TerritoryId) -> KeyValue {
    KeyValue::new("territory", territory.as_str().to_owned())
}

impl Metrics {
    /// Instruments of `meter`.
    pub fn new(meter: &Meter) -> Self {
        let seconds = |name: &'static str, what: &'static str, bounds: &[f64]| {
            meter.f64_histogram(name).with_description(what).with_unit("s").with_boundaries(bounds.to_vec()).build()
        };
        let count = |name: &'static str, what: &'static str| meter.u64_counter(name).with_description(what).build();
        let level = |name: &'static str, what: &'static str| meter.u64_gauge(name).with_description(what).build();
        Self {
            reported: true,
            calls: seconds("sas.calls", "gRPC calls by method and result", &MACHINE_S),
            shed: count(
                "sas.calls.shed",
                "calls refused because too many were in hand, by whether they have a reserved share",
            ),
            commands: count("sas.commands", "commands by name and result"),
            commits: seconds("sas.store.commits", "commits by engine and result (conflicts among them)", &MACHINE_S),
            retries: count("sas.store.retries", "commits tried again, by reason"),
            queue_depth: level("sas.queue.depth", "cases waiting for regulation, by stream and class"),
            queue_wait: seconds("sas.queue.wait", "from qualification to claim, by class", &PEOPLE_S),
            decision: seconds("sas.decision", "from claim to the regulator's decision, by class", &PEOPLE_S),
            offers: count("sas.offers", "offers by category and outcome"),
            unanswered: level("sas.unanswered", "cases for which nobody is left to ask"),
            alarms: count("sas.alarms", "alarms raised, by kind"),
            durability: meter
                .f64_gauge("sas.store.durability")
                .with_description("level every commit reaches: 0, 0.5, 1 or 2; -1 when unknown")
                .build(),
            below: level("sas.store.below", "1 while that level is below the promised one"),
            degraded: count("sas.store.degraded", "commands acknowledged below the promised level"),
            store_behind: level("sas.store.behind", "1 while what was acknowledged is missing and writes are refused"),
            epochs: count("sas.store.epochs", "epochs raised because the store had another history"),
            clock_gap: meter
                .f64_gauge("sas.store.clock_gap")
                .with_description(
                    "the store's time less this machine's: beyond a second, a clock is wrong or went back",
                )
                .with_unit("s")
                .build(),
            day: DayGauges::new(meter),
        }
    }

    /// Today's indicators of a territory.
    pub fn day(&self, territory: &TerritoryId, figures: &Figures) {
        self.day.record(territory, figures);
    }

    /// Instruments that count nothing, for a process that reports to nobody.
    pub fn silent() -> Self {
        Self { reported: false, ..Self::new(&NoopMeterProvider::new().meter("sas_dispatch")) }
    }

    /// Whether somebody takes the figures.
    pub fn reported(&self) -> bool {
        self.reported
    }

    /// One gRPC call; `rpc` is `package.Service/Method` of a served method.
    pub fn call(&self, rpc: &'static str, result: CallResult, took: Duration) {
        if self.reported {
            self.calls.record(took.as_secs_f64(), &[named("rpc", rpc), label("result", result)]);
        }
    }

    /// One call for which there was no room; `vital`: not even in the reserved share.
    pub fn shed(&self, vital: bool) {
        self.shed.add(1, &[named("share", if vital { "reserved" } else { "ordinary" })]);
    }

    /// One command, by the name of its kind.
    pub fn command(&self, territory: &TerritoryId, command: &'static str, result: CommandResult) {
        if self.reported {
            self.commands.add(1, &[place(territory), named("command", command), label("result", result)]);
        }
    }

    /// One commit.
    pub fn commit(&self, store: StoreKind, result: CommitResult, took: Duration) {
        if self.reported {
            self.commits.record(took.as_secs_f64(), &[label("store", store), label("result", result)]);
        }
    }

    /// One commit that is tried again.
    pub fn retry(&self, reason: RetryReason) {
        self.retries.add(1, &[label("reason", reason)]);
    }

    /// How many cases wait in one queue now.
    pub fn queue_depth(&self, territory: &TerritoryId, stream: Stream, class: Priority, waiting: u64) {
        self.queue_depth.record(waiting, &[place(territory), label("stream", stream), label("class", class)]);
    }

    /// How long a case waited between its qualification and its claim.
    pub fn claimed(&self, territory: &TerritoryId, class: Priority, waited: Duration) {
        self.queue_wait.record(waited.as_secs_f64(), &[place(territory), label("class", class)]);
    }

    /// How long a regulator took from claim to decision.
    pub fn decided(&self, territory: &TerritoryId, class: Priority, took: Duration) {
        self.decision.record(took.as_secs_f64(), &[place(territory), label("class", class)]);
    }

    /// An offer was made, or ended.
    pub fn offer(&self, territory: &TerritoryId, category: RouteCategory, outcome: OfferOutcome) {
        self.offers.add(1, &[place(territory), label("category", category), label("outcome", outcome)]);
    }

    /// How many cases stand in the UNANSWERED lane now.
    pub fn unanswered(&self, territory: &TerritoryId, cases: u64) {
        self.unanswered.record(cases, &[place(territory)]);
    }

    /// Whether what was acknowledged in a territory is missing from the store.
    pub fn store_behind(&self, territory: &TerritoryId, behind: bool) {
        self.store_behind.record(u64::from(behind), &[place(territory)]);
    }

    /// This instance raised a territory's epoch.
    pub fn epoch_raised(&self, territory: &TerritoryId) {
        self.epochs.add(1, &[place(territory)]);
    }

    /// How far the store's time is from this machine's; time in the store never goes back.
    pub fn clock_gap(&self, territory: &TerritoryId, gap: Span) {
        self.clock_gap.record(gap.ms() as f64 / 1_000.0, &[place(territory)]);
    }

    /// An alarm was raised; `kind` is the name of its kind.
    pub fn alarm(&self, territory: &TerritoryId, kind: &'static str) {
        self.alarms.add(1, &[place(territory), named("kind", kind)]);
    }

    /// The rung of the durability ladder that every commit reaches now, and whether the promised one is higher.
    pub fn durability(&self, rung: f64, below: bool) {
        self.durability.record(rung, &[]);
        self.below.record(u64::from(below), &[]);
    }

    /// A command was acknowledged below the promised level.
    pub fn degraded(&self, territory: &TerritoryId) {
        self.degraded.add(1, &[place(territory)]);
    }
}

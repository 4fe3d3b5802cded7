//! Logs, traces and metrics: what leaves the process about its work, and never about a patient (invariant 11).
//!
//! Three rules keep personal data out. Values about persons are `Private` and print as `…`. Metric labels are closed
//! enums, constants and territory ids ([`metrics`]). Other crates never log below INFO whatever the filter says
//! ([`logs`]), since their debug lines show the bytes they carry, and only our own spans leave over OTLP ([`otlp`]).
//! A span names its fields one by one (`skip_all`): `rpc`, `command`, `territory`, `case`, `seq`, `result`, `key` kinds
//! and counts. Of the caller's trace context only `traceparent` is read: `tracestate` and baggage are free text.
//!
//! [`init`] once at start; [`Guard::metrics`] for every part that counts; [`trace::request_span`] at the door;
//! [`Guard::shutdown`] at the end, so that the last spans are sent.

mod day;
pub mod labels;
pub mod logs;
pub mod metrics;
pub mod otlp;
pub mod trace;

use opentelemetry::metrics::{MeterProvider, noop::NoopMeterProvider};
use tracing::Dispatch;
use tracing_subscriber::{Registry, fmt::MakeWriter, layer::SubscriberExt};

pub use logs::LogFormat;
pub use metrics::Metrics;

/// What is reported, how and where to.
#[derive(Debug, Clone)]
pub struct TelemetrySettings {
    /// Lines for people or one JSON document a line.
    pub log_format: LogFormat,
    /// Which lines: `info`, or `info,sas_dispatch::store=debug` (the syntax of `RUST_LOG`).
    pub filter: String,
    /// Where an OpenTelemetry collector takes OTLP over gRPC, `http://host:4317`; nothing is sent without one.
    pub otlp_endpoint: Option<String>,
    /// The name traces and metrics carry (`service.name`).
    pub service_name: String,
    /// Tells several instances apart (`service.instance.id`).
    pub instance: Option<String>,
    /// Seconds between two reports of the metrics.
    pub metrics_every_s: u64,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self {
            log_format: LogFormat::Text,
            filter: "info".to_owned(),
            otlp_endpoint: None,
            service_name: "sas-dispatch".to_owned(),
            instance: None,
            metrics_every_s: 15,
        }
    }
}

/// Why telemetry did not start. Each names the setting and what to write there.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not in the syntax of `RUST_LOG`.
    #[error("log filter: {0}; write a level (`info`) or `target=level` pairs with commas between")]
    Filter(String),
    /// The endpoint is not one this version can reach.
    #[error("OTLP endpoint: {0}; write `http://host:port` of a collector that takes OTLP over gRPC")]
    Endpoint(String),
    /// Something else in the process already takes the log lines.
    #[error("telemetry was started twice in this process")]
    Twice,
}

/// Keeps telemetry running; what waits is sent when it is shut down or dropped.
#[derive(Debug)]
pub struct Guard {
    providers: Option<otlp::Providers>,
    metrics: Metrics,
}

impl Guard {
    /// The instruments; clones count into the same series.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Sends what waits and stops. Prefer this to dropping: a drop blocks its thread, up to some seconds when the
    /// collector does not answer.
    pub async fn shutdown(mut self) {
        if let Some(providers) = self.providers.take() {
            // The exporters wait for the runtime, so its own threads must stay free.
            let stopped = tokio::task::spawn_blocking(move || providers.shutdown()).await;
            stopped.unwrap_or_else(|error| tracing::warn!(%error, "telemetry did not stop cleanly"));
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(providers) = self.providers.take() {
            providers.shutdown();
        }
    }
}

/// Starts telemetry for the whole process: logs to standard error, traces and metrics to the collector if one is named.
/// With a collector, call it inside a multi-threaded runtime.
pub fn init(settings: &TelemetrySettings) -> Result<Guard, TelemetryError> {
    let (dispatch, guard) = build(settings, std::io::stderr)?;
    tracing::dispatcher::set_global_default(dispatch).map_err(|_| TelemetryError::Twice)?;
    Ok(guard)
}

/// The same without making it the process's own: log lines go to `writer`, and the caller decides where the dispatch
/// holds (a second service in one process, a tool that shows lines elsewhere).
pub fn build<W>(settings: &TelemetrySettings, writer: W) -> Result<(Dispatch, Guard), TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let providers = settings.otlp_endpoint.as_deref().map(|to| otlp::Providers::start(settings, to)).transpose()?;
    let meter = match &providers {
        Some(providers) => providers.metrics.meter("sas_dispatch"),
        None => NoopMeterProvider::new().meter("sas_dispatch"),
    };
    // A list of what there is: an absent layer in its place would have every trace line of every crate looked at.
    let mut layers = vec![logs::layer(settings.log_format, &settings.filter, writer)?];
    layers.extend(providers.as_ref().map(otlp::Providers::span_layer));
    let subscriber = Registry::default().with(layers);
    Ok((Dispatch::new(subscriber), Guard { providers, metrics: Metrics::new(&meter) }))
}

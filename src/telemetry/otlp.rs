//! Traces and metrics over OTLP/gRPC to a collector, in batches with bounded queues: a slow or absent collector costs
//! spans, never a call.

use std::time::Duration;

use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    metrics::{PeriodicReader, SdkMeterProvider},
    trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider},
};
use tracing::{Level, Subscriber};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, filter_fn},
    registry::LookupSpan,
};

use super::{TelemetryError, TelemetrySettings, logs};

/// Spans waiting to be sent; what comes when it is full is dropped and counted by the exporter.
const SPAN_QUEUE: usize = 4096;
/// Spans in one request.
const SPAN_BATCH: usize = 512;
/// Time between two requests of a queue that does not fill.
const SPAN_EVERY: Duration = Duration::from_secs(2);
/// The longest wait for the collector's answer, and for a stop.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// What sends traces and metrics.
#[derive(Debug)]
pub(super) struct Providers {
    traces: SdkTracerProvider,
    /// Gives the meter of [`super::Metrics`].
    pub(super) metrics: SdkMeterProvider,
}

impl Providers {
    /// Prepares to send to `endpoint`; the collector may come later.
    pub(super) fn start(settings: &TelemetrySettings, endpoint: &str) -> Result<Self, TelemetryError> {
        checked(endpoint)?;
        let refused = |error: opentelemetry_otlp::ExporterBuildError| TelemetryError::Endpoint(error.to_string());
        let spans = SpanExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(ANSWER_WITHIN);
        let series = MetricExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(ANSWER_WITHIN);
        let queue = BatchConfigBuilder::default()
            .with_max_queue_size(SPAN_QUEUE)
            .with_max_export_batch_size(SPAN_BATCH)
            .with_scheduled_delay(SPAN_EVERY)
            .build();
        let spans = BatchSpanProcessor::builder(spans.build().map_err(refused)?).with_batch_config(queue).build();
        let every = Duration::from_secs(settings.metrics_every_s.max(1));
        let reader = PeriodicReader::builder(series.build().map_err(refused)?).with_interval(every).build();
        let resource = resource(settings);
        Ok(Self {
            traces: SdkTracerProvider::builder().with_resource(resource.clone()).with_span_processor(spans).build(),
            metrics: SdkMeterProvider::builder().with_resource(resource).with_reader(reader).build(),
        })
    }

    /// The layer that turns our spans, down to DEBUG, into OpenTelemetry's. Spans of other crates stay out, as do
    /// source paths and thread names.
    pub(super) fn span_layer<S>(&self) -> Box<dyn Layer<S> + Send + Sync>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let ours = filter_fn(|metadata| logs::ours(metadata) && *metadata.level() <= Level::DEBUG);
        tracing_opentelemetry::layer()
            .with_tracer(self.traces.tracer("sas_dispatch"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(ours.with_max_level_hint(LevelFilter::DEBUG))
            .boxed()
    }

    /// Sends what waits and stops; blocks its thread for [`ANSWER_WITHIN`] at the most for each of the two.
    pub(super) fn shutdown(self) {
        let traces = self.traces.shutdown_with_timeout(ANSWER_WITHIN);
        let metrics = self.metrics.shutdown_with_timeout(ANSWER_WITHIN);
        for (what, result) in [("traces", traces), ("metrics", metrics)] {
            if let Err(error) = result {
                tracing::warn!(what, %error, "the last telemetry was not delivered");
            }
        }
    }
}

/// Names the service. The environment is not asked: everything sent is configured or constant.
fn resource(settings: &TelemetrySettings) -> Resource {
    let instance = settings.instance.iter().map(|id| KeyValue::new("service.instance.id", id.clone()));
    Resource::builder_empty()
        .with_service_name(settings.service_name.clone())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attributes(instance)
        .build()
}

fn checked(endpoint: &str) -> Result<(), TelemetryError> {
    let fault = |what: &str| Err(TelemetryError::Endpoint(what.to_owned()));
    match endpoint.parse::<http::Uri>() {
        Err(_) => fault("it is no address"),
        Ok(address) if address.scheme_str() == Some("https") => fault("TLS to the collector is not built in yet"),
        Ok(address) if address.scheme_str() != Some("http") => fault("it does not start with `http://`"),
        Ok(_) if tokio::runtime::Handle::try_current().is_err() => fault("it needs the async runtime to be running"),
        Ok(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_that_cannot_work_is_refused_with_what_to_write() {
        for (endpoint, told) in
            [("collector:4317", "http://"), ("https://collector:4317", "TLS"), ("http://a b", "no address")]
        {
            let error = checked(endpoint).unwrap_err().to_string();
            assert!(error.starts_with("OTLP endpoint: ") && error.contains(told), "{error}");
            assert!(error.ends_with("collector that takes OTLP over gRPC"), "{error}");
        }
    }
}

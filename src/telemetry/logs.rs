//! Log lines: their form, and which of them are written.

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, LevelFilter, filter_fn},
    fmt::{self, MakeWriter},
    registry::LookupSpan,
};

use super::TelemetryError;

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For a person at a terminal.
    #[default]
    Text,
    /// One JSON document a line, for a log store.
    Json,
}

/// True for what this package itself reports.
pub(super) fn ours(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    target == "sas_dispatch" || target.starts_with("sas_dispatch::")
}

/// The layer that writes lines to `writer`. Lines of other crates below INFO are never written: they show frames,
/// headers and commands as they pass.
pub(super) fn layer<S, W>(
    format: LogFormat,
    filter: &str,
    writer: W,
) -> Result<Box<dyn Layer<S> + Send + Sync>, TelemetryError>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let chosen = EnvFilter::try_new(filter).map_err(|error| TelemetryError::Filter(error.to_string()))?;
    let others = filter_fn(|metadata| ours(metadata) || *metadata.level() <= Level::INFO);
    let chosen = chosen.and(others.with_max_level_hint(LevelFilter::TRACE));
    let lines = fmt::layer().with_writer(writer).with_ansi(false);
    Ok(match format {
        LogFormat::Text => lines.with_filter(chosen).boxed(),
        LogFormat::Json => {
            lines.json().flatten_event(true).with_current_span(true).with_span_list(true).with_filter(chosen).boxed()
        }
    })
}

//! `[telemetry]` of `default.toml`: logs, traces and metrics.

use toml::de::DeValue;

use super::{
    sheet::Table,
    values::{parsed, text, words},
};
use crate::coded_enum;

/// Logs, traces and metrics.
#[derive(Debug, Clone)]
pub struct TelemetrySettings {
    /// OTLP endpoint (gRPC); `None`: nothing is exported.
    pub otlp_endpoint: Option<String>,
    /// For people or for machines.
    pub log_format: LogFormat,
    /// What is logged, in `tracing` filter notation.
    pub log_filter: String,
}

coded_enum! {
    /// How log lines are written.
    LogFormat {
        /// For people.
        Text = "text", "texte";
        /// One JSON object a line.
        Json = "json", "JSON";
    }
}

pub(super) fn read(table: &Table<'_>) -> Option<TelemetrySettings> {
    let otlp_endpoint = table.optional("otlp_endpoint", |value| {
        let url = text(value)?;
        match url.split_once("://") {
            Some(("http", _)) if is_address(&url) => Ok(url),
            Some(("https", _)) => Err("TLS to the collector is not built in: expected http://host:port".into()),
            _ => Err("expected http://host:port".into()),
        }
    });
    let log_format = table.required("log_format", parsed::<LogFormat>);
    let log_filter = table.required("log_filter", log_filter);
    Some(TelemetrySettings { otlp_endpoint, log_format: log_format?, log_filter: log_filter? })
}

/// What the exporter can connect to: a host, and a port that there is.
fn is_address(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    let Some(authority) = uri.authority() else { return false };
    let rest = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
    !authority.host().is_empty() && (rest.is_empty() || authority.port_u16().is_some_and(|port| port > 0))
}

/// Refuses what the service would refuse at its start, and a space, behind which a part means something else than it says.
fn log_filter(value: &DeValue<'_>) -> Result<String, String> {
    let filter = words(value)?;
    if let Some(word) = filter.split(',').find(|part| is_lone(part) && !is_level(part)) {
        return Err(format!("'{word}' is no level: expected trace, debug, info, warn, error or off, or {word}=level"));
    }
    match filter.split(',').all(directive) {
        true => Ok(filter),
        false => Err("expected a level (\"info\") or target=level pairs with commas between and no space".into()),
    }
}

/// A word by itself would be taken for a target, and everything else be silent: a level that is misspelt says nothing.
fn is_lone(part: &str) -> bool {
    !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || ['-', ':', '_'].contains(&c))
}

/// A level, `target=level`, and both with `[span{field=value}]` behind the target; a part may be left empty.
fn directive(part: &str) -> bool {
    let (target, rest) = part.split_at(part.find(['=', '[']).unwrap_or(part.len()));
    let level = match rest.strip_prefix('[') {
        Some(span) => span.rsplit_once(']').map(|(_, level)| level),
        None => Some(rest),
    };
    let starts = target.starts_with(|c: char| c.is_alphanumeric() || ['-', ':', '_'].contains(&c));
    let named = starts && !target.contains(char::is_whitespace) || target.is_empty() && rest.starts_with('[');
    part.is_empty()
        || named && level.is_some_and(|level| level.is_empty() || level.strip_prefix('=').is_some_and(is_level))
}

fn is_level(text: &str) -> bool {
    const LEVELS: [&str; 7] = ["", "off", "error", "warn", "info", "debug", "trace"];
    text.parse::<u8>().is_ok_and(|level| level <= 5) || LEVELS.iter().any(|level| text.eq_ignore_ascii_case(level))
}

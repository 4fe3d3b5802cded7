//! One trace from the caller through gRPC and engine to the store (W3C trace context).

use http::{HeaderMap, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::TraceContextExt,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::{Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The one header that is read and written.
const TRACEPARENT: &str = "traceparent";

/// Shows the propagator `traceparent` and hides every other header.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == TRACEPARENT).then(|| self.0.get(TRACEPARENT)?.to_str().ok()).flatten()
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

/// Takes `traceparent` from the propagator and nothing else.
struct Outgoing<'a>(&'a mut HeaderMap);

impl Injector for Outgoing<'_> {
    fn set(&mut self, key: &str, value: String) {
        if key == TRACEPARENT
            && let Ok(value) = HeaderValue::try_from(value)
        {
            self.0.insert(TRACEPARENT, value);
        }
    }
}

/// The caller's place in its trace; an empty context when `traceparent` is absent or malformed.
pub fn parent_from(headers: &HeaderMap) -> Context {
    TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers))
}

/// The span of one incoming call, a child of the caller's. Everything below it (`engine`, `store`) only opens spans of
/// its own inside this one. `rpc` is the path `package.Service/Method`, which comes from the served methods. The field
/// `trace_id` stands in log lines too, `result` is for the door to record.
///
/// A call outside any trace has a span only where somebody takes it: a collector, or lines down to DEBUG. Making one for
/// nobody would cost a call as much as deciding it.
pub fn request_span(rpc: &'static str, headers: &HeaderMap) -> Span {
    let span = if headers.contains_key(TRACEPARENT) {
        tracing::info_span!("call", otel.kind = "server", rpc, trace_id = Empty, result = Empty)
    } else {
        tracing::debug_span!("call", otel.kind = "server", rpc, trace_id = Empty, result = Empty)
    };
    if span.is_disabled() {
        return span;
    }
    let parent = parent_from(headers);
    let given = parent.span().span_context().clone();
    // Without a collector there is no OpenTelemetry layer to refuse or take it.
    let _no_layer = span.set_parent(parent);
    let own = span.context().span().span_context().clone();
    if let Some(context) = [own, given].iter().find(|context| context.is_valid()) {
        span.record("trace_id", tracing::field::display(context.trace_id()));
    }
    span
}

/// Writes the place of `span` in its trace into the headers of an outgoing call.
pub fn inject(span: &Span, headers: &mut HeaderMap) {
    TraceContextPropagator::new().inject_context(&span.context(), &mut Outgoing(headers));
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_bytes(v.as_bytes()).unwrap()))
            .collect()
    }

    #[test]
    fn only_traceparent_is_read() {
        let context = parent_from(&headers(&[("traceparent", GIVEN), ("tracestate", "patient=Dupont")]));
        let span = context.span().span_context().clone();
        assert_eq!(span.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(span.is_remote());
        assert_eq!(span.trace_state().header(), "");
    }

    #[test]
    fn a_malformed_or_absent_parent_starts_a_trace_of_its_own() {
        for given in [headers(&[]), headers(&[("traceparent", "00-xyz-1-01")]), headers(&[("traceparent", "é")])] {
            assert!(!parent_from(&given).span().span_context().is_valid());
        }
    }
}

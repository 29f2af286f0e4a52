//! `SentAttempt`: the span and the counters of one attempt, from sending to the result.

use bytes::Bytes;
use lifecycle_core::{Fault, HttpResponse};
use tokio::time::Instant;
use tracing::{Span, field::Empty};

use crate::{
    call::context::CallContext,
    call::stats::{ClientLabels, StatsCollector},
};

/// An attempt that was sent. Dropping the value counts the attempt as no longer in flight.
pub(crate) struct SentAttempt<'a> {
    stats: &'a StatsCollector,
    pub(crate) operation: &'static str,
    since: Instant,
    pub(crate) span: Span,
}

/// The names of a call in its span.
pub(crate) struct CallNames<'a> {
    /// The cloud's name of the operation.
    pub(crate) operation: &'static str,
    /// The name of the service for operators.
    pub(crate) service: &'a str,
    pub(crate) labels: &'a ClientLabels,
    /// The number of the attempt, counted from 1.
    pub(crate) number: u32,
}

impl<'a> SentAttempt<'a> {
    /// Counts an attempt, and begins its span.
    pub(crate) fn begin(
        stats: &'a StatsCollector,
        ctx: &CallContext<'_>,
        names: &CallNames<'_>,
        request: &http::Request<Bytes>,
    ) -> Self {
        stats.sending(ctx.kind);
        Self {
            stats,
            operation: names.operation,
            since: Instant::now(),
            span: call_span(names, Some(ctx.instances), request),
        }
    }

    /// Records the result.
    pub(crate) fn end(
        &self,
        response: Option<&HttpResponse>,
        request_id: Option<&str>,
        result: Result<(), &Fault>,
    ) {
        let kind = result.map_err(Fault::kind);
        self.stats.call(self.operation, kind, self.since.elapsed());
        record_result(&self.span, response, request_id, result);
    }
}

impl Drop for SentAttempt<'_> {
    fn drop(&mut self) {
        self.stats.left_flight();
    }
}

/// Returns the span of one HTTP request. Neither path nor query is a field, because both can hold secrets.
///
/// The span has the name of the operation in traces of OpenTelemetry. The other fields have the names of the
/// conventions for RPC and HTTP.
pub(crate) fn call_span(
    names: &CallNames<'_>,
    instances: Option<usize>,
    request: &http::Request<Bytes>,
) -> Span {
    let uri = request.uri();
    let labels = names.labels;
    tracing::info_span!(
        "lifecycle.call",
        otel.name = names.operation,
        otel.kind = "client",
        otel.status_code = Empty,
        rpc.system = &*labels.cloud,
        rpc.service = names.service,
        rpc.method = names.operation,
        server.address = uri.host(),
        server.port = port(uri),
        http.request.method = request.method().as_str(),
        http.request.resend_count = resend_count(names.number),
        http.response.status_code = Empty,
        error.type = Empty,
        cloud.request_id = Empty,
        cloud = &*labels.cloud,
        region = labels.known_region(),
        account = labels.known_account(),
        instances,
    )
}

/// Records the result of an HTTP request in its span.
pub(crate) fn record_result(
    span: &Span,
    response: Option<&HttpResponse>,
    request_id: Option<&str>,
    result: Result<(), &Fault>,
) {
    if span.is_disabled() {
        return;
    }
    if let Some(response) = response {
        span.record("http.response.status_code", response.status().as_u16());
    }
    if let Some(request_id) = request_id {
        span.record("cloud.request_id", request_id);
    }
    if let Err(fault) = result {
        span.record("error.type", fault.kind().as_str());
        span.record("otel.status_code", "ERROR");
    }
}

fn port(uri: &http::Uri) -> Option<u16> {
    uri.port_u16().or(match uri.scheme_str() {
        Some("https") => Some(443),
        Some("http") => Some(80),
        _ => None,
    })
}

/// Returns the number of earlier attempts; `None` for the first attempt.
fn resend_count(number: u32) -> Option<u32> {
    number.checked_sub(1).filter(|earlier| *earlier > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_is_the_named_one_or_the_default_of_the_scheme() {
        for (uri, expected) in [
            ("https://cloud.example/", Some(443)),
            ("http://cloud.example/", Some(80)),
            ("https://cloud.example:8443/", Some(8443)),
            ("ftp://cloud.example/", None),
            ("/path", None),
        ] {
            assert_eq!(port(&uri.parse().unwrap()), expected, "{uri}");
        }
    }

    #[test]
    fn resend_count_is_the_number_of_earlier_attempts() {
        let counts = [1, 2, 3].map(resend_count);
        assert_eq!(counts, [None, Some(1), Some(2)]);
    }
}

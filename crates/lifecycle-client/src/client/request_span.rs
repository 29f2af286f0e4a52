//! The span of one request: `lifecycle.request`.

use std::pin::Pin;

use tracing::{Instrument, Span, field::Empty};

use super::Client;

/// A future on the heap.
type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Returns the span of a request. A request with one location has the names of the location; the calls of each
/// request have them in any case.
pub(super) fn request_span(action: &'static str, instances: usize) -> Span {
    tracing::info_span!(
        "lifecycle.request",
        action,
        instances,
        cloud = Empty,
        region = Empty,
        account = Empty,
    )
}

/// Records the number of instances and the location in the span of a request.
pub(super) fn record_request<'c>(
    span: &Span,
    instances: usize,
    clients: impl ExactSizeIterator<Item = &'c Client>,
) {
    if span.is_disabled() {
        return;
    }
    span.record("instances", instances);
    let is_single = clients.len() == 1;
    if let Some(client) = clients.into_iter().next().filter(|_| is_single) {
        let labels = &client.observer.engine.collector().labels;
        span.record("cloud", &*labels.cloud);
        span.record("region", labels.known_region());
        span.record("account", labels.known_account());
    }
}

/// Runs a future in a span. Without a subscriber the future stays as it is.
pub(super) fn in_span<T: 'static>(future: BoxFuture<T>, span: Span) -> BoxFuture<T> {
    match span.is_disabled() {
        true => future,
        false => Box::pin(future.instrument(span)),
    }
}

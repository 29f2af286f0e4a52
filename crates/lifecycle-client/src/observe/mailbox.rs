//! The queue of observation results and events between the poller and one waiter.

use std::sync::Mutex;

use lifecycle_core::InstanceId;
use tokio::sync::Notify;
use tracing::Span;

use crate::{call::event::CallEvent, observe::lookup::ObserveResult, sync::lock};

/// Collects observation results and events for one waiter, and wakes the waiter.
#[derive(Debug)]
pub(crate) struct Mailbox {
    results: Mutex<Vec<(InstanceId, ObserveResult)>>,
    events: Mutex<Vec<(Vec<InstanceId>, CallEvent)>>,
    wake: Notify,
    /// The span of the request that waits.
    pub(crate) request: Span,
}

impl Mailbox {
    /// Returns the empty mailbox of a request with the current span.
    pub(crate) fn new() -> Self {
        Self {
            results: Mutex::default(),
            events: Mutex::default(),
            wake: Notify::new(),
            request: Span::current(),
        }
    }

    pub(crate) fn put(&self, id: InstanceId, result: ObserveResult) {
        lock(&self.results).push((id, result));
        self.notify();
    }

    /// Removes and returns all results; none after a bare [`notify`](Self::notify).
    pub(crate) fn take(&self) -> Vec<(InstanceId, ObserveResult)> {
        std::mem::take(&mut lock(&self.results))
    }

    /// Adds an event of a lookup of `ids` that is still under way.
    pub(crate) fn put_event(&self, ids: Vec<InstanceId>, event: CallEvent) {
        lock(&self.events).push((ids, event));
        self.notify();
    }

    /// Removes and returns all events.
    pub(crate) fn take_events(&self) -> Vec<(Vec<InstanceId>, CallEvent)> {
        std::mem::take(&mut lock(&self.events))
    }

    /// Wakes the waiter without a result.
    pub(crate) fn notify(&self) {
        self.wake.notify_one();
    }

    /// Waits for a result, or for [`notify`](Self::notify).
    pub(crate) async fn wait_for_change(&self) {
        self.wake.notified().await;
    }
}

//! The queue of lookup results between the poller and one waiter.

use std::sync::Mutex;

use lifecycle_core::InstanceId;
use tokio::sync::Notify;

use crate::{observe::lookup::ObserveResult, sync::lock};

/// Collects lookup results for one waiter, and wakes the waiter.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    results: Mutex<Vec<(InstanceId, ObserveResult)>>,
    changed: Notify,
}

impl Mailbox {
    pub(crate) fn put(&self, id: InstanceId, result: ObserveResult) {
        lock(&self.results).push((id, result));
        self.notify();
    }

    /// Removes and returns all results.
    pub(crate) fn take(&self) -> Vec<(InstanceId, ObserveResult)> {
        std::mem::take(&mut lock(&self.results))
    }

    /// Wakes the waiter without a result.
    pub(crate) fn notify(&self) {
        self.changed.notify_one();
    }

    /// Waits for a result, or for [`notify`](Self::notify).
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}

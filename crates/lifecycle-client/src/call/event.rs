//! Events during a call: sending, throttling and retries.

use std::time::Duration;

use async_trait::async_trait;
use lifecycle_core::{Fault, FaultKind};

/// A step of a call.
#[derive(Clone, Debug)]
pub(crate) enum CallEvent {
    /// An attempt is sent now: the cloud can execute the call from here on.
    Sending {
        /// The cloud's name of the operation.
        operation: &'static str,
    },
    /// The cloud throttled the call.
    Throttled {
        /// The cloud's name of the operation.
        operation: &'static str,
        wait: Duration,
        fault: Fault,
    },
    /// The attempt failed for another reason.
    Retrying {
        /// The cloud's name of the operation.
        operation: &'static str,
        /// The number of the next attempt; the first one was 1.
        attempt: u32,
        wait: Duration,
        fault: Fault,
    },
}

impl CallEvent {
    /// Returns the event for `fault`, before attempt number `attempt`.
    pub(crate) fn new(operation: &'static str, attempt: u32, wait: Duration, fault: Fault) -> Self {
        match fault.kind() {
            FaultKind::Throttled => Self::Throttled {
                operation,
                wait,
                fault,
            },
            _ => Self::Retrying {
                operation,
                attempt,
                wait,
                fault,
            },
        }
    }
}

/// Receives the events of calls.
#[async_trait]
pub(crate) trait CallObserver: Send + Sync {
    /// Receives an event when it happens.
    fn on_event(&self, event: CallEvent);

    /// Returns whether the call is still needed after an attempt without a response in time.
    async fn is_still_needed(&self) -> bool {
        true
    }
}

/// Ignores the events of calls.
#[derive(Debug)]
pub(crate) struct IgnoreEvents;

impl CallObserver for IgnoreEvents {
    fn on_event(&self, _: CallEvent) {}
}

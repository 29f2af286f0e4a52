//! What happens during a request, as it happens.

use std::time::Duration;

use lifecycle_core::{Fault, InstanceId, Observation};

use crate::{Error, Report, report::InstanceReport};

/// One thing that happened. The final report is derived from the same facts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The cloud took the action on for this instance.
    Accepted {
        /// Which instance.
        instance: InstanceId,
        /// The cloud's id of the request.
        request_id: Option<String>,
    },
    /// Nobody knows whether the action was carried out; the client looks.
    Unclear {
        /// Which instance.
        instance: InstanceId,
        /// What happened to the request.
        fault: Fault,
    },
    /// An instance was seen in a state other than the one seen before.
    State(Observation),
    /// The outcome of an instance is final.
    Settled(InstanceReport),
    /// The cloud said that it was too much; the call goes out again after a pause.
    Throttled {
        /// The cloud's name of the operation.
        operation: &'static str,
        /// The pause.
        wait: Duration,
    },
    /// A call failed and goes out again after a pause.
    Retrying {
        /// The cloud's name of the operation.
        operation: &'static str,
        /// Which attempt comes next; the first one was 1.
        attempt: u32,
        /// The pause.
        wait: Duration,
        /// Why.
        fault: Fault,
    },
    /// The request is over. Always the last event.
    Finished(Result<Report, Error>),
}

//! What happens during a request, as it happens.

use std::time::Duration;

use lifecycle_core::{Fault, InstanceId, Observation};
use tokio::sync::mpsc::UnboundedSender;

use crate::{
    call::event::CallEvent,
    error::Error,
    power::report::{InstanceReport, Report},
};

/// One thing that happened. The final report is derived from the same facts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The next wave begins. Only requests in waves have it.
    Wave {
        /// Which wave, counted from 1.
        number: usize,
        /// Of how many, if none has to be left out.
        of: usize,
        /// How many instances it has.
        instances: usize,
    },
    /// The cloud took the action on for this instance.
    Accepted {
        /// Which instance.
        instance: InstanceId,
        /// The cloud's id of the request.
        request_id: Option<String>,
    },
    /// It was not down in time: its power is cut now.
    Forcing {
        /// Which instance.
        instance: InstanceId,
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

impl From<CallEvent> for Event {
    fn from(event: CallEvent) -> Self {
        match event {
            CallEvent::Throttled { operation, wait } => Self::Throttled { operation, wait },
            CallEvent::Retrying {
                operation,
                attempt,
                wait,
                fault,
            } => Self::Retrying {
                operation,
                attempt,
                wait,
                fault,
            },
        }
    }
}

/// Tells whoever listens. When nobody does any more, the report will do.
pub(crate) fn emit(listener: Option<&UnboundedSender<Event>>, event: impl FnOnce() -> Event) {
    if let Some(listener) = listener {
        let _ = listener.send(event());
    }
}

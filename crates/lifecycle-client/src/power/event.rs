//! The events of a running request.

use std::{sync::Arc, time::Duration};

use lifecycle_core::{Fault, InstanceId, Observation};

use crate::{
    error::Error,
    power::report::{InstanceReport, Report},
};

/// One event of a request. The final report is derived from the same facts.
///
/// `I` names an instance and `E` is the error of a whole request; a fleet has its own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<I = InstanceId, E = Error> {
    /// The instances of a request are selected. Requests with named instances do not have the event.
    Selected {
        /// The instances on which the request acts.
        instances: Vec<I>,
    },
    /// A wave begins. Every wave of a request in waves has this event, also a single one; requests
    /// without waves do not have it.
    Wave {
        /// The number of the wave, counted from 1.
        number: usize,
        /// The number of waves, if no failure ends the request early.
        of: usize,
        /// The instances of the wave, in the order of the request.
        instances: Vec<I>,
    },
    /// A pause begins before a wave, as [`Waves::with_pause`](crate::Waves::with_pause) requests.
    Pause {
        /// The number of the wave after the pause.
        number: usize,
        /// The length of the pause.
        wait: Duration,
    },
    /// A call with the action is sent now. A call that is sent again has the event again.
    Sending {
        /// The cloud's name of the operation.
        operation: &'static str,
        /// The instances of the call.
        instances: Vec<I>,
    },
    /// The cloud accepted the action for an instance.
    Accepted {
        /// The instance.
        instance: I,
        /// The cloud's id of the request.
        request_id: Option<Arc<str>>,
    },
    /// The graceful stop took too long, and a forced stop follows now.
    Forcing {
        /// The instance.
        instance: I,
    },
    /// The cloud may or may not have executed the action; observations follow.
    Unclear {
        /// The instance.
        instance: I,
        /// The fault of the call.
        fault: Fault,
    },
    /// An observation returned another state than the observation before.
    State {
        /// The instance.
        instance: I,
        /// The new state, with everything else that the cloud shows.
        observation: Observation,
    },
    /// The outcome of an instance is final.
    Settled(InstanceReport<I>),
    /// The cloud throttled a call; the call is sent again after a pause.
    Throttled {
        /// The cloud's name of the operation.
        operation: &'static str,
        /// The instances for which the call was made.
        instances: Vec<I>,
        /// The pause.
        wait: Duration,
    },
    /// A call failed; the call is sent again after a pause.
    Retrying {
        /// The cloud's name of the operation.
        operation: &'static str,
        /// The instances for which the call was made.
        instances: Vec<I>,
        /// The number of the next attempt; the first one was 1.
        attempt: u32,
        /// The pause.
        wait: Duration,
        /// The reason.
        fault: Fault,
    },
    /// The request has ended. Always the last event.
    Finished(Result<Report<I>, E>),
}

impl Event {
    /// Replaces the ids of instances by their names in a request.
    pub(crate) fn rename<I, E: From<Error>>(self, name: &dyn Fn(InstanceId) -> I) -> Event<I, E> {
        let names = |ids: Vec<InstanceId>| ids.into_iter().map(name).collect();
        match self {
            Self::Selected { instances } => Event::Selected {
                instances: names(instances),
            },
            Self::Wave {
                number,
                of,
                instances,
            } => Event::Wave {
                number,
                of,
                instances: names(instances),
            },
            Self::Pause { number, wait } => Event::Pause { number, wait },
            Self::Sending {
                operation,
                instances,
            } => Event::Sending {
                operation,
                instances: names(instances),
            },
            Self::Accepted {
                instance,
                request_id,
            } => Event::Accepted {
                instance: name(instance),
                request_id,
            },
            Self::Forcing { instance } => Event::Forcing {
                instance: name(instance),
            },
            Self::Unclear { instance, fault } => Event::Unclear {
                instance: name(instance),
                fault,
            },
            Self::State {
                instance,
                observation,
            } => Event::State {
                instance: name(instance),
                observation,
            },
            Self::Settled(row) => Event::Settled(row.rename(name)),
            Self::Throttled {
                operation,
                instances,
                wait,
            } => Event::Throttled {
                operation,
                instances: names(instances),
                wait,
            },
            Self::Retrying {
                operation,
                instances,
                attempt,
                wait,
                fault,
            } => Event::Retrying {
                operation,
                instances: names(instances),
                attempt,
                wait,
                fault,
            },
            Self::Finished(result) => Event::Finished(match result {
                Ok(report) => Ok(report.into_iter().map(|row| row.rename(name)).collect()),
                Err(error) => Err(error.into()),
            }),
        }
    }
}

//! The context of a call (purpose, number of instances, deadline), and the result of the call.

use std::sync::Arc;

use lifecycle_core::{ExecutionStatus, Fault, Idempotency};
use tokio::time::Instant;

use crate::call::event::CallObserver;

/// The purpose of a call. Selects the rate limiter, the counter and the rule for retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallKind {
    /// Sends a power action.
    Act(Idempotency),
    /// Reads the states of instances.
    Observe,
    /// Reads a page of all instances.
    List,
    /// Reads the progress of a job.
    Follow,
}

impl CallKind {
    /// Returns whether the call changes nothing at the cloud.
    pub(crate) fn is_read(self) -> bool {
        !matches!(self, Self::Act(_))
    }

    /// Returns whether executing the call twice has the effect of executing it once.
    pub(crate) fn is_idempotent(self) -> bool {
        !matches!(self, Self::Act(Idempotency::NotIdempotent(_)))
    }
}

/// The limits of a call, and the receiver of its events.
#[derive(Clone, Copy)]
pub(crate) struct CallContext<'a> {
    pub(crate) kind: CallKind,
    /// The number of instances that the call names; 0 for a list.
    pub(crate) instances: usize,
    pub(crate) deadline: Instant,
    /// No attempt is sent from this time on, because too little time is left for the response.
    pub(crate) send_by: Instant,
    pub(crate) observer: &'a dyn CallObserver,
}

impl<'a> CallContext<'a> {
    /// Returns the context of a call that reads. A read can be sent until its deadline.
    pub(crate) fn of_read(
        kind: CallKind,
        instances: usize,
        deadline: Instant,
        observer: &'a dyn CallObserver,
    ) -> Self {
        Self {
            kind,
            instances,
            deadline,
            send_by: deadline,
            observer,
        }
    }

    /// Returns the context of a call that ends at `limit` if the deadline is later.
    pub(crate) fn ending_by(self, limit: Instant) -> Self {
        Self {
            deadline: self.deadline.min(limit),
            send_by: self.send_by.min(limit),
            ..self
        }
    }
}

/// The result of a successful call.
#[derive(Debug)]
pub(crate) struct CallOutput<T> {
    pub(crate) value: T,
    pub(crate) request_id: Option<Arc<str>>,
    /// `Unknown` if the cloud may have executed an attempt before the successful one.
    pub(crate) execution: ExecutionStatus,
}

/// The result of a failed call.
#[derive(Debug)]
pub(crate) struct CallError {
    /// The fault of the last attempt.
    pub(crate) fault: Fault,
    pub(crate) attempts: u32,
    /// `Unknown` if the cloud may have executed any attempt.
    pub(crate) execution: ExecutionStatus,
    /// The last attempt left, or its fault repeats the cloud's rejection of the key.
    pub(crate) sent: bool,
}

impl CallError {
    /// Returns the error of a call that was not sent.
    pub(crate) fn unsent(fault: Fault) -> Self {
        Self {
            fault,
            attempts: 0,
            execution: ExecutionStatus::NotExecuted,
            sent: false,
        }
    }
}

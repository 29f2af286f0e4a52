//! The error of a request as a whole. Errors of single instances are outcomes in the report.

use std::time::Duration;

use lifecycle_core::{Fault, FaultKind, ParseInstanceIdError};

/// The failure of a request as a whole: a rejection before anything was sent, or an unreadable list.
///
/// A sent power action never ends in an `Error`: the [`Report`](crate::Report) has an outcome for
/// each instance.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no valid instance id. Nothing was sent.
    #[error(transparent)]
    InstanceId(#[from] ParseInstanceIdError),
    /// The cloud does not support an option. Nothing was sent.
    #[error("{0}: nothing was sent")]
    Unsupported(#[source] Fault),
    /// The request names more instances than its limit. Nothing was sent.
    #[error("{instances} instances are more than the limit of {max}: nothing was sent")]
    TooMany {
        /// The number of instances of the request.
        instances: usize,
        /// The limit.
        max: usize,
    },
    /// The time limit of a stop comes before its forced stop. Nothing was sent.
    #[error(
        "a force-stop after {after:?} is not within the time limit of {timeout:?}: nothing was sent; force sooner, or allow more time"
    )]
    NeverForced {
        /// The time until the forced stop.
        after: Duration,
        /// The time limit of the request.
        timeout: Duration,
    },
    /// A call failed after all retries.
    #[error("failed to {operation} at {title}: {fault}; {}", .fault.kind().advice())]
    Call {
        /// The purpose of the call, as an English verb.
        operation: &'static str,
        /// The cloud's name for people.
        title: &'static str,
        /// The answer of the cloud, or the failure of the request.
        #[source]
        fault: Fault,
        /// The number of attempts.
        attempts: u32,
    },
}

impl Error {
    /// Returns the kind of the fault.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::InstanceId(_) | Self::TooMany { .. } | Self::NeverForced { .. } => {
                FaultKind::Invalid
            }
            Self::Unsupported(_) => FaultKind::Unsupported,
            Self::Call { fault, .. } => fault.kind(),
        }
    }
}

impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

//! Why a request could not be made at all.

use std::time::Duration;

use lifecycle_core::{Fault, FaultKind, ParseInstanceIdError};

/// A request as a whole failed: it was refused before anything was sent, or a list or an
/// observation could not be read.
///
/// Power actions that were sent never end in an `Error`: their [`Report`](crate::Report) has an
/// outcome for each instance.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An instance id that no cloud can have. Nothing was sent.
    #[error(transparent)]
    ParseInstanceIdError(#[from] ParseInstanceIdError),
    /// An option that the cloud cannot honour. Nothing was sent.
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
    /// A call failed for good.
    #[error("failed to {operation} at {title}: {fault}{}; {}", attempts_text(*.attempts), .fault.kind().advice())]
    Call {
        /// What was tried, as an English verb.
        operation: &'static str,
        /// The cloud's name for people.
        title: &'static str,
        /// The answer of the cloud, or the failure of the request.
        #[source]
        fault: Fault,
        /// How often it was tried.
        attempts: u32,
    },
}

impl Error {
    /// What it means for the caller.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::ParseInstanceIdError(_) | Self::TooMany { .. } | Self::NeverForced { .. } => {
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

fn attempts_text(attempts: u32) -> String {
    match attempts {
        0 | 1 => String::new(),
        n => format!(", after {n} attempts"),
    }
}

//! The error of a request as a whole.

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
    ParseInstanceIdError(#[from] ParseInstanceIdError),
    /// The cloud does not support an option. Nothing was sent.
    #[error("{0}: nothing was sent")]
    Unsupported(Fault),
    /// More instances than the caller's own cap. Nothing was sent.
    #[error("{instances} instances are more than the cap of {cap}: nothing was sent")]
    TooMany {
        /// How many instances were asked for.
        instances: usize,
        /// The cap.
        cap: usize,
    },
    /// The stop would be over before it could be forced. Nothing was sent.
    #[error(
        "forcing after {after:?} cannot happen within a patience of {patience:?}: nothing was sent; wait longer, or force sooner"
    )]
    NeverForced {
        /// When it was to be forced.
        after: Duration,
        /// How long the whole request may wait.
        patience: Duration,
    },
    /// A call failed after all repeats.
    #[error("failed to {operation} at {title}: {fault}{}; {}", attempts_text(*.attempts), .fault.kind().advice())]
    Call {
        /// The purpose of the call, as an English verb.
        operation: &'static str,
        /// The cloud's name for people.
        title: &'static str,
        /// What the cloud said, or what happened to the request.
        fault: Fault,
        /// The number of attempts.
        attempts: u32,
    },
}

impl Error {
    /// Returns the kind of the fault.
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

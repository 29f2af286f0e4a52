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
    /// The instances are selected when the request runs, so the calls are not known before.
    #[error("the instances are not selected yet: select the instances first")]
    NotSelected,
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
    /// The list ended, and is not complete. The pages before the error are valid.
    #[error("incomplete list of {listed} instances at {title}: {defect}")]
    IncompleteList {
        /// The cloud's name for people.
        title: &'static str,
        /// The number of instances on the pages.
        listed: usize,
        /// The reason.
        defect: ListDefect,
    },
}

/// The reason why a list is not complete.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListDefect {
    /// The cloud counts more instances than the pages show.
    #[error(
        "the cloud counts {total} instances; list again, because instances may have changed in the meantime"
    )]
    FewerThanTotal {
        /// The number of instances according to the cloud.
        total: usize,
    },
    /// Rows have no readable id.
    #[error(
        "{rows} further rows have no readable instance id; look for the instances in the console of the cloud"
    )]
    Unidentified {
        /// The number of these rows.
        rows: usize,
    },
    /// The cloud reported a further page without its position.
    #[error("the cloud reports a further page and does not name the page; list again")]
    NextPageUnnamed,
    /// The cloud ignores the requested position, and sends no new instances.
    #[error("the cloud sends pages without new instances and reports no end; list again")]
    NothingNew,
    /// The filter needs a fact that the cloud does not report.
    #[error(
        "the filter needs tags, zones, types or addresses, and the response does not show them for every instance; use names, states or ids"
    )]
    DetailsMissing,
}

impl Error {
    /// Returns the kind of the fault.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::InstanceId(_)
            | Self::TooMany { .. }
            | Self::NotSelected
            | Self::NeverForced { .. } => FaultKind::Invalid,
            Self::Unsupported(_) => FaultKind::Unsupported,
            Self::Call { fault, .. } => fault.kind(),
            Self::IncompleteList { .. } => FaultKind::Unreadable,
        }
    }
}

impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

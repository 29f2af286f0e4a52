//! Why a fleet did nothing.

use lifecycle_client::{CredentialError, Error};
use lifecycle_core::Fault;

use super::ParseReferenceError;

/// Why a fleet did nothing.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
    /// A text that is no reference. Nothing was sent.
    #[error(transparent)]
    InstanceReference(#[from] ParseReferenceError),
    /// A place that cannot be.
    #[error("{place}: {problem}")]
    Location {
        /// The place as it was written.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no key for a cloud. Nothing was done.
    #[error(transparent)]
    CredentialError(#[from] CredentialError),
    /// An account of the configuration that this build cannot have.
    #[error("account {name:?}: {problem}")]
    Account {
        /// The account.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The project of a place could not be found out. Nothing was done.
    #[error("{place}: {fault}")]
    Project {
        /// The place as it was written.
        place: String,
        /// Why.
        fault: Fault,
    },
    /// No HTTP client can be set up.
    #[error("{0}")]
    Setup(String),
    /// More instances than the caller's own cap. Nothing was sent.
    #[error("{instances} instances are more than the cap of {cap}: nothing was sent")]
    TooMany {
        /// How many instances were asked for.
        instances: usize,
        /// The cap.
        cap: usize,
    },
    /// A client refused or failed as a whole.
    #[error(transparent)]
    Client(#[from] Error),
}

impl From<std::convert::Infallible> for FleetError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

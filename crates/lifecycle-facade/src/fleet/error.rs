//! The error of a whole fleet request.

use std::fmt;

use lifecycle_client::{CredentialError, Error};
use lifecycle_core::{Fault, FaultKind};

use crate::cloud::{Cloud, ParseReferenceError};

/// A fleet request failed as a whole. Failures of single instances are in the report instead.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
    /// A text is not a valid reference. Nothing was sent.
    #[error(transparent)]
    InvalidReference(#[from] ParseReferenceError),
    /// A location is invalid. Nothing was sent.
    #[error("{location}: {problem}")]
    Location {
        /// The location as text.
        location: String,
        /// The problem of the location.
        problem: String,
    },
    /// A selection has no locations, and the fleet has no named accounts. Nothing was sent.
    #[error(
        "no location: name a location such as cloud/region or cloud/*, or add accounts to the configuration"
    )]
    NoLocation,
    /// A location has no usable key. No action was sent.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// A cloud from outside has an invalid name, or the name of another cloud.
    #[error("cloud {name:?}: {problem}")]
    Cloud {
        /// The name of the cloud.
        name: String,
        /// The problem of the name.
        problem: String,
    },
    /// An account of the configuration file is invalid.
    #[error("account {name:?}: {problem}")]
    Account {
        /// The name of the account.
        name: String,
        /// The problem of the account.
        problem: String,
    },
    /// The look-up of the project of a location failed. No action was sent.
    #[error(
        "{location}: the look-up of the project failed: {fault}; {}; a project id in {setting}, or as `project` in the configuration file, avoids the look-up",
        .fault.kind().advice()
    )]
    Project {
        /// The location as text.
        location: String,
        /// The environment variable for the project id.
        setting: &'static str,
        /// The fault of the look-up.
        #[source]
        fault: Fault,
    },
    /// The look-up of the regions of a cloud failed. No action was sent.
    #[error("{cloud}: the look-up of the regions failed: {fault}; {}", .fault.kind().advice())]
    Regions {
        /// The cloud.
        cloud: Cloud,
        /// The fault of the look-up.
        #[source]
        fault: Fault,
    },
    /// The HTTP client cannot be set up.
    #[error("{0}")]
    Setup(String),
    /// The client of one location failed as a whole.
    #[error(transparent)]
    Client(#[from] Error),
}

impl FleetError {
    /// Returns the meaning of the error for the caller.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::InvalidReference(_)
            | Self::Location { .. }
            | Self::NoLocation
            | Self::Cloud { .. }
            | Self::Account { .. } => FaultKind::Invalid,
            Self::Credential(error) => error.fault().kind(),
            Self::Project { fault, .. } | Self::Regions { fault, .. } => fault.kind(),
            Self::Setup(_) => FaultKind::Unknown,
            Self::Client(error) => error.kind(),
        }
    }

    /// Returns a function that makes an error of `location` from a problem.
    pub(super) fn at<E: fmt::Display>(location: &impl fmt::Display) -> impl FnOnce(E) -> Self {
        move |problem| Self::Location {
            location: location.to_string(),
            problem: problem.to_string(),
        }
    }
}

impl From<std::convert::Infallible> for FleetError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_look_up_of_the_project_has_the_advice_for_its_fault() {
        let error = FleetError::Project {
            location: "huawei/cn-north-4".to_owned(),
            setting: "HW_PROJECT_ID",
            fault: Fault::new(FaultKind::Certificate, "unknown issuer"),
        };
        let text = error.to_string();
        assert!(text.contains("--ca-certificates"), "{text}");
        assert!(text.contains("a project id in HW_PROJECT_ID"), "{text}");
    }
}

//! `CloudApi`: the interface of a cloud module, which recognises, authenticates and handles the
//! requests of one cloud.

use std::time::Duration;

use crate::{
    Operation,
    cloud_state::{CloudState, RegionScope},
    request::ReceivedRequest,
    response::Response,
};

/// The API of one cloud. Implementations have no state of their own: the state is in [`CloudState`].
///
/// Every call runs through [`serves`](Self::serves), [`classify`](Self::classify),
/// [`authenticate`](Self::authenticate) and [`handle`](Self::handle), in this order. Injected faults
/// and throttles act between these steps.
pub(crate) trait CloudApi: Sync {
    /// Reports whether the request belongs to this cloud. Only the path and the headers count,
    /// because all clouds share one port.
    fn serves(&self, request: &ReceivedRequest) -> bool;

    /// Returns the region with this host name, or `None` for a host that serves all regions.
    fn region_of<'h>(&self, hostname: &'h str) -> Option<&'h str>;

    /// Returns the region in references to the instances of `region`: another name on a cloud with one
    /// endpoint for all regions.
    fn reference_region<'r>(&self, region: &'r str) -> &'r str {
        region
    }

    /// Generates an instance id in the format of the cloud. The id may be in use already.
    fn generate_id(&self, rng: &mut fastrand::Rng) -> String;

    /// Returns the facts about a request that are known before authentication.
    fn classify(&self, request: &ReceivedRequest) -> CallInfo;

    /// Verifies the signature as the cloud documents it, by the clock of the cloud.
    ///
    /// # Errors
    /// The cloud's response to a request without valid authentication.
    fn authenticate(
        &self,
        cloud: &mut CloudState,
        request: &ReceivedRequest,
    ) -> Result<(), AuthError<Box<Response>>>;

    /// Executes an authenticated request.
    fn handle(
        &self,
        cloud: &mut CloudState,
        request: &ReceivedRequest,
        scope: RegionScope,
    ) -> Response;

    /// Returns the response to a throttled call. Without `hint`, the response does not name the time
    /// to wait.
    fn throttled(&self, cloud: &mut CloudState, hint: Option<Duration>) -> Response;

    /// Returns an error response in the format of the cloud; `status` is 500 or above.
    fn server_error(&self, cloud: &mut CloudState, status: u16) -> Response;
}

/// The facts about a request that are known before authentication.
#[derive(Clone, Debug)]
pub(crate) struct CallInfo {
    /// The kind of operation.
    pub(crate) operation: Operation,
    /// The cloud's name for the operation.
    pub(crate) name: &'static str,
    /// The number of instance ids in the request.
    pub(crate) id_count: usize,
    /// The access key id or the token in the request; empty for none.
    pub(crate) key: String,
}

/// A failed authentication, with the cloud's error or response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuthError<E> {
    /// The cause of the failure.
    pub(crate) cause: AuthErrorCause,
    /// The cloud's error or response.
    pub(crate) error: E,
}

/// The cause of a failed authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthErrorCause {
    /// An unknown, revoked or locked key, or a signature that the key did not make.
    Key,
    /// Another cause, such as a clock that is wrong, a repeated nonce or a malformed request.
    Other,
}

impl<E> AuthError<E> {
    /// Creates an error that the key causes.
    pub(crate) fn key(error: E) -> Self {
        Self {
            cause: AuthErrorCause::Key,
            error,
        }
    }

    /// Creates an error that the key does not cause.
    pub(crate) fn other(error: E) -> Self {
        Self {
            cause: AuthErrorCause::Other,
            error,
        }
    }

    /// Converts the error into the cloud's response.
    pub(crate) fn into_response(
        self,
        response: impl FnOnce(&E) -> Response,
    ) -> AuthError<Box<Response>> {
        AuthError {
            cause: self.cause,
            error: Box::new(response(&self.error)),
        }
    }
}

//! The simulated API of Zenlayer ZEC.
//!
//! One endpoint for all regions, one path, `POST` only, the action in a header. Formats, codes,
//! limits and states are documented (docs.console.zenlayer.com); the formats of requests and
//! responses were checked against the vendor's Python SDK. Questions without an answer in the
//! documents are [switches].

mod api_error;
mod auth;
pub(crate) mod behaviours;
mod power;
mod read;
mod record;
pub(crate) mod switches;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::{
    Operation,
    cloud_api::{AuthError, CallInfo, CloudApi},
    cloud_state::{CloudState, RegionScope},
    power_operation::ActionKind,
    request::ReceivedRequest,
    response::{self, Response},
};

use api_error::ApiError;
use read::RowKind;

/// The maximum number of ids in one call. Documented.
const MAX_IDS: usize = 100;

/// Zenlayer ZEC.
#[derive(Debug)]
pub(crate) struct Zenlayer;

impl CloudApi for Zenlayer {
    fn serves(&self, request: &ReceivedRequest) -> bool {
        request.path.starts_with("/api/v2/")
    }

    /// Returns `None`: one host serves all regions.
    fn region_of<'h>(&self, _hostname: &'h str) -> Option<&'h str> {
        None
    }

    fn reference_region<'r>(&self, _region: &'r str) -> &'r str {
        "global"
    }

    /// Generates 19 digits, as in the vendor's examples.
    fn generate_id(&self, rng: &mut fastrand::Rng) -> String {
        rng.u64(1_000_000_000_000_000_000..=9_223_372_036_854_775_807)
            .to_string()
    }

    fn classify(&self, request: &ReceivedRequest) -> CallInfo {
        let route = Route::read(request);
        let named = match route {
            Route::Unknown => None,
            Route::Power(_) | Route::Describe(_) => read::named_ids(request),
        };
        let (operation, name) = route.name(named.is_some());
        CallInfo {
            operation,
            name,
            id_count: named.unwrap_or_default(),
            key: auth::key_id(request).to_owned(),
        }
    }

    fn authenticate(
        &self,
        cloud: &mut CloudState,
        request: &ReceivedRequest,
    ) -> Result<(), AuthError<Box<Response>>> {
        auth::verify(cloud, request)
            .map_err(|auth_error| auth_error.into_response(|error| error.response(cloud)))
    }

    fn handle(
        &self,
        cloud: &mut CloudState,
        request: &ReceivedRequest,
        scope: RegionScope,
    ) -> Response {
        let response = check_version(cloud, request).and_then(|()| match Route::read(request) {
            Route::Power(action) => power::execute(cloud, request, scope, action),
            Route::Describe(rows) => read::describe(cloud, request, scope, rows),
            Route::Unknown => Err(api_error::NO_SUCH_ACTION),
        });
        response.unwrap_or_else(|error| error.response(cloud))
    }

    /// Returns the throttling error. Status and code are known from the vendor's SDKs;
    /// `Retry-After` is known from a third-party SDK that cites the vendor.
    fn throttled(&self, cloud: &mut CloudState, hint: Option<Duration>) -> Response {
        let response = api_error::TOO_FAST.response(cloud);
        match hint {
            Some(wait) => response::with_retry_after(response, wait),
            None => response,
        }
    }

    fn server_error(&self, cloud: &mut CloudState, status: u16) -> Response {
        api_error::of_status(status).response(cloud)
    }
}

/// The call of a request, by method, path and action header.
enum Route {
    Power(ActionKind),
    Describe(RowKind),
    Unknown,
}

impl Route {
    fn read(request: &ReceivedRequest) -> Self {
        if request.method != http::Method::POST || request.path != "/api/v2/zec" {
            return Self::Unknown;
        }
        match request.header("x-zc-action") {
            Some("StartInstances") => Self::Power(ActionKind::Start),
            Some("StopInstances") => Self::Power(ActionKind::Stop),
            Some("RebootInstances") => Self::Power(ActionKind::Reboot),
            Some("DescribeInstancesStatus") => Self::Describe(RowKind::Status),
            Some("DescribeInstances") => Self::Describe(RowKind::Full),
            _ => Self::Unknown,
        }
    }

    fn name(&self, names_ids: bool) -> (Operation, &'static str) {
        let reads = if names_ids {
            Operation::Observe
        } else {
            Operation::List
        };
        match self {
            Self::Power(action @ ActionKind::Start) => ((*action).into(), "StartInstances"),
            Self::Power(action @ ActionKind::Stop) => ((*action).into(), "StopInstances"),
            Self::Power(action @ ActionKind::Reboot) => ((*action).into(), "RebootInstances"),
            Self::Describe(RowKind::Status) => (reads, "DescribeInstancesStatus"),
            Self::Describe(RowKind::Full) => (reads, "DescribeInstances"),
            Self::Unknown => (Operation::Other, "unknown"),
        }
    }
}

/// Checks the version header. Both versions of the documents are served. A switch decides whether
/// the header is mandatory. The rejection of an unknown version is inferred.
fn check_version(cloud: &CloudState, request: &ReceivedRequest) -> Result<(), ApiError> {
    match request.header("x-zc-version") {
        Some("2025-09-01" | "2024-04-01") => Ok(()),
        Some(_) => Err(api_error::BAD_VALUE),
        None => match cloud.switches.zenlayer.version_header {
            switches::VersionHeader::Optional => Ok(()),
            switches::VersionHeader::Required => Err(api_error::MISSING),
        },
    }
}

/// Parses the body. A call without parameters has the body `{}`, never an empty body: documented.
fn read_body<'r, T: serde::Deserialize<'r>>(request: &'r ReceivedRequest) -> Result<T, ApiError> {
    request.json().map_err(|error| {
        if error.is_data() {
            api_error::WRONG_TYPE
        } else {
            api_error::BAD_FORMAT
        }
    })
}

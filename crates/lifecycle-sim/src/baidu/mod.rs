//! The simulated API of Baidu BCC.
//!
//! Paths, bodies, statuses, codes and limits are documented (cloud.baidu.com/doc/BCC); the formats
//! of requests and responses were checked against the vendor's Python SDK. Questions without an
//! answer in the documents are [switches]. The Security Token Service is simulated, too: `sts`.

mod api_error;
mod auth;
pub(crate) mod behaviours;
mod filter;
mod power;
mod read;
mod record;
mod regions;
mod sts;
pub(crate) mod switches;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, time::Duration};

use percent_encoding::percent_decode_str;

pub(crate) use power::OwnState;

use crate::{
    Operation,
    cloud_api::{AuthError, CallInfo, CloudApi},
    cloud_state::{CloudState, RegionScope},
    power_operation::ActionKind,
    request::ReceivedRequest,
    response::{self, Response},
};

use api_error::ApiError;

/// The maximum number of ids in one call. Documented for batch start, batch stop and
/// `listByInstanceId`, assumed for batch reboot.
const MAX_IDS: usize = 100;

/// Baidu BCC.
#[derive(Debug)]
pub(crate) struct Baidu;

impl CloudApi for Baidu {
    fn serves(&self, request: &ReceivedRequest) -> bool {
        versioned(&request.path)
            .is_some_and(|(_, rest)| rest.starts_with("/instance") || rest.starts_with("/region/"))
            || matches!(&*request.path, SESSION_TOKEN | CREDENTIAL)
    }

    /// Parses `bcc.{region}.baidubce.com`.
    fn region_of<'h>(&self, hostname: &'h str) -> Option<&'h str> {
        hostname.strip_prefix("bcc.")?.strip_suffix(".baidubce.com")
    }

    /// Generates `i-` and eight letters or digits.
    fn generate_id(&self, rng: &mut fastrand::Rng) -> String {
        let mut id = String::from("i-");
        id.extend((0..8).map(|_| rng.alphanumeric()));
        id
    }

    fn classify(&self, request: &ReceivedRequest) -> CallInfo {
        let route = Route::read(request);
        let (operation, name) = route.name();
        CallInfo {
            operation,
            name,
            id_count: route.id_count(request),
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
        let route = Route::read(request);
        if scope == RegionScope::Forbidden && route.is_of_region() {
            return api_error::ACCESS_DENIED.response(cloud);
        }
        let response = match route {
            Route::Single(action, id) => power::one(cloud, request, scope, action, &id),
            Route::Batch(action) => power::batch(cloud, request, scope, action),
            Route::Detail(id) => read::detail(cloud, scope, &id),
            Route::List => read::list(cloud, request, scope),
            Route::ListByIds => read::by_ids(cloud, request, scope),
            Route::NoCharge => read::no_charge(cloud, request, scope),
            Route::Regions => regions::describe(cloud, request),
            Route::SessionToken => sts::session_token(cloud, request),
            Route::AssumeRole => sts::assume_role(cloud, request),
            Route::WrongVersion => Err(api_error::BAD_VERSION),
            Route::Unknown => Err(api_error::BAD_URI),
        };
        response.unwrap_or_else(|error| error.response(cloud))
    }

    /// Returns the throttling error. Unknown: a switch decides.
    fn throttled(&self, cloud: &mut CloudState, hint: Option<Duration>) -> Response {
        let response = throttling_response(cloud);
        match hint {
            Some(wait) => response::with_retry_after(response, wait),
            None => response,
        }
    }

    fn server_error(&self, cloud: &mut CloudState, status: u16) -> Response {
        ApiError {
            status,
            code: "InternalError",
            message: Cow::Borrowed("We encountered an internal error Please try again."),
        }
        .response(cloud)
    }
}

fn throttling_response(cloud: &mut CloudState) -> Response {
    let (status, code) = match cloud.switches.baidu.throttling {
        switches::Throttling::Bare => {
            let request_id = cloud.uuid();
            return api_error::with_common_headers(
                response::with_body(429, "text/plain", ""),
                &request_id,
            );
        }
        switches::Throttling::TooManyRequests => (429, "TooManyRequests"),
        switches::Throttling::Unavailable => (503, "ServiceUnavailable"),
    };
    ApiError {
        status,
        code,
        message: Cow::Borrowed("Too many requests. Please slow down."),
    }
    .response(cloud)
}

/// The call of a request, by method, path and query.
enum Route<'r> {
    Single(ActionKind, Cow<'r, str>),
    Batch(ActionKind),
    Detail(Cow<'r, str>),
    List,
    ListByIds,
    NoCharge,
    Regions,
    SessionToken,
    AssumeRole,
    WrongVersion,
    Unknown,
}

impl<'r> Route<'r> {
    fn read(request: &'r ReceivedRequest) -> Self {
        match (request.method.as_str(), &*request.path) {
            ("POST", SESSION_TOKEN) => return Self::SessionToken,
            ("POST", CREDENTIAL) if request.parameter("assumeRole").is_some() => {
                return Self::AssumeRole;
            }
            (_, SESSION_TOKEN | CREDENTIAL) => return Self::Unknown,
            _ => {}
        }
        let Some((version, rest)) = versioned(&request.path) else {
            return Self::Unknown;
        };
        // The vendor's JavaScript SDK still uses version 1.
        if !matches!(version, "1" | "2") {
            return Self::WrongVersion;
        }
        match (request.method.as_str(), rest) {
            ("GET", "/instance") => Self::List,
            ("GET", "/instance/noCharge") => Self::NoCharge,
            ("POST", "/instance/listByInstanceId") => Self::ListByIds,
            ("POST", "/region/describeRegions") => Self::Regions,
            (method, path) => match (method, path.strip_prefix("/instance/")) {
                ("PUT", Some("batchAction")) => match action(request) {
                    Some(action) => Self::Batch(action),
                    None => Self::Unknown,
                },
                ("PUT", Some(id)) => match action(request) {
                    Some(action) => Self::Single(action, decoded(id)),
                    None => Self::Unknown,
                },
                ("GET", Some(id)) => Self::Detail(decoded(id)),
                _ => Self::Unknown,
            },
        }
    }

    /// Reports whether the call belongs to the region of the host name.
    fn is_of_region(&self) -> bool {
        !matches!(self, Self::Regions | Self::SessionToken | Self::AssumeRole)
    }

    fn name(&self) -> (Operation, &'static str) {
        match self {
            Self::Single(action @ ActionKind::Start, _) => ((*action).into(), "StartInstance"),
            Self::Single(action @ ActionKind::Stop, _) => ((*action).into(), "StopInstance"),
            Self::Single(action @ ActionKind::Reboot, _) => ((*action).into(), "RebootInstance"),
            Self::Batch(action @ ActionKind::Start) => ((*action).into(), "BatchStartInstance"),
            Self::Batch(action @ ActionKind::Stop) => ((*action).into(), "BatchStopInstance"),
            Self::Batch(action @ ActionKind::Reboot) => ((*action).into(), "BatchRebootInstance"),
            Self::Detail(_) => (Operation::Observe, "GetInstance"),
            Self::List => (Operation::List, "ListInstances"),
            Self::ListByIds => (Operation::Observe, "ListInstanceByInstanceIds"),
            Self::NoCharge => (Operation::List, "ListInstanceNoCharge"),
            Self::Regions => (Operation::Other, "DescribeRegions"),
            Self::SessionToken => (Operation::Identify, "GetSessionToken"),
            Self::AssumeRole => (Operation::Identify, "AssumeRole"),
            Self::WrongVersion | Self::Unknown => (Operation::Other, "unknown"),
        }
    }

    fn id_count(&self, request: &ReceivedRequest) -> usize {
        match self {
            Self::Single(..) | Self::Detail(_) => 1,
            Self::Batch(_) | Self::ListByIds => power::named_ids(request),
            Self::List
            | Self::NoCharge
            | Self::Regions
            | Self::SessionToken
            | Self::AssumeRole
            | Self::WrongVersion
            | Self::Unknown => 0,
        }
    }
}

/// The path of session tokens in the Security Token Service, which has no other version.
const SESSION_TOKEN: &str = "/v1/sessionToken";
const CREDENTIAL: &str = "/v1/credential";

/// Splits `/v2/instance` into version and rest.
fn versioned(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/v")?;
    let end = rest.find('/')?;
    let (version, rest) = rest.split_at(end);
    version
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then_some((version, rest))
}

/// Returns the action from the query key, with or without an equals sign.
fn action(request: &ReceivedRequest) -> Option<ActionKind> {
    request.pairs().find_map(|(key, _)| match key.as_str() {
        "start" => Some(ActionKind::Start),
        "stop" => Some(ActionKind::Stop),
        "reboot" => Some(ActionKind::Reboot),
        _ => None,
    })
}

fn decoded(segment: &str) -> Cow<'_, str> {
    percent_decode_str(segment).decode_utf8_lossy()
}

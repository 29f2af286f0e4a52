//! The simulated API of Huawei ECS.
//!
//! Simulated: batch start, stop and reboot with their jobs, the detailed list, the query of one
//! server; access keys and tokens; the calls of IAM for keys, tokens and projects, and the metadata
//! service of a server. Not simulated: the deprecated calls of OpenStack, permissions within a region, and
//! filters by reservation and enterprise project.
//!
//! | file | content |
//! | --- | --- |
//! | `auth` | authentication |
//! | `power` | start, stop, reboot |
//! | `jobs` | jobs of power calls |
//! | `servers`, `filter`, `record` | lists and single servers |
//! | `iam`, `metadata` | tokens and temporary keys |
//! | `projects` | regions and their projects |
//! | `api_error` | errors |
//! | `switches` | unknown behaviour |

mod api_error;
mod auth;
pub(crate) mod behaviours;
mod filter;
mod iam;
mod jobs;
mod metadata;
mod power;
mod projects;
mod record;
mod servers;
pub(crate) mod switches;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use http::Method;
use percent_encoding::percent_decode_str;

use self::{
    api_error::ApiError,
    jobs::Jobs,
    power::{PowerRequest, RecentActions},
    switches::ServerIds,
};
use crate::{
    Operation,
    cloud_api::{AuthError, CallInfo, CloudApi},
    cloud_state::{CloudState, RegionScope},
    power_operation::ActionKind,
    request::ReceivedRequest,
    response::{self, Response},
    time::Moment,
};

/// Huawei ECS.
#[derive(Debug)]
pub(crate) struct Huawei;

impl CloudApi for Huawei {
    fn serves(&self, request: &ReceivedRequest) -> bool {
        let signed = request
            .header("authorization")
            .is_some_and(|value| value.starts_with("SDK-HMAC-SHA256 "));
        signed
            || request.headers.contains_key("x-auth-token")
            || request.path.starts_with("/v1/")
            || request.path.starts_with("/v3/")
            || request.path.starts_with("/v3.0/")
            || request.path.starts_with("/v5/")
            || metadata::MetadataCall::of(request).is_some()
    }

    /// Parses `ecs.<region>.myhuaweicloud.com` and `iam.<region>.myhuaweicloud.com` (vendor's
    /// source); the European regions end in `.eu` in the Terraform provider.
    fn region_of<'h>(&self, hostname: &'h str) -> Option<&'h str> {
        let prefix = hostname
            .strip_suffix(".myhuaweicloud.com")
            .or_else(|| hostname.strip_suffix(".myhuaweicloud.eu"))?;
        prefix
            .strip_prefix("ecs.")
            .or_else(|| prefix.strip_prefix("iam."))
    }

    fn generate_id(&self, rng: &mut fastrand::Rng) -> String {
        uuid::Builder::from_random_bytes(rng.u128(..).to_be_bytes())
            .into_uuid()
            .to_string()
    }

    fn classify(&self, request: &ReceivedRequest) -> CallInfo {
        let (operation, name, id_count) = kind(request);
        CallInfo {
            operation,
            name,
            id_count,
            key: auth::key_id(request).into_owned(),
        }
    }

    fn authenticate(
        &self,
        cloud: &mut CloudState,
        request: &ReceivedRequest,
    ) -> Result<(), AuthError<Box<Response>>> {
        if Route::of(request).is_some_and(|route| route.is_open()) {
            return Ok(());
        }
        let key = auth::key_id(request);
        let at = cloud.now();
        let result = if cloud.huawei.failures.is_locked(&key, at) {
            Err(AuthError::key(locked_key()))
        } else {
            let now = cloud.wall_time().as_second();
            let result = auth::verify(request, &cloud.account, now, &cloud.switches.huawei)
                .and_then(|()| check_scope(cloud, request, &key));
            if cloud.account.key(&key).is_some() {
                cloud.huawei.failures.note(&key, result.is_ok(), at);
            }
            result
        };
        result.map_err(|auth_error| auth_error.into_response(|error| error.response(cloud)))
    }

    fn handle(
        &self,
        cloud: &mut CloudState,
        request: &ReceivedRequest,
        scope: RegionScope,
    ) -> Response {
        let response = dispatch(cloud, request, scope);
        match response {
            Ok(response) => {
                let request_id = cloud.uuid().replace('-', "");
                response::with_header(response, "x-request-id", &request_id)
            }
            Err(error) => error.response(cloud),
        }
    }

    fn throttled(&self, cloud: &mut CloudState, hint: Option<Duration>) -> Response {
        api_error::throttled(&cloud.switches.huawei, hint).response(cloud)
    }

    fn server_error(&self, cloud: &mut CloudState, status: u16) -> Response {
        api_error::server_error(status).response(cloud)
    }
}

/// State that only Huawei has.
#[derive(Debug, Default)]
pub(crate) struct OwnState {
    jobs: Jobs,
    failures: AuthFailures,
    recent: RecentActions,
    /// Tokens without a project.
    unscoped: HashSet<String>,
}

/// The failed authentications of each key. Five failures in a row lock a key for five minutes
/// (documented; every error of a known key counts: inferred).
#[derive(Debug, Default)]
struct AuthFailures(HashMap<String, (u32, Moment)>);

impl AuthFailures {
    fn is_locked(&self, key: &str, now: Moment) -> bool {
        self.0
            .get(key)
            .is_some_and(|(failed, last)| *failed >= 5 && now.since(*last) < LOCK_DURATION)
    }

    fn note(&mut self, key: &str, succeeded: bool, now: Moment) {
        if succeeded {
            self.0.remove(key);
            return;
        }
        let (failed, last) = self.0.entry(key.to_owned()).or_insert((0, now));
        // An expired lock is removed.
        *failed = if *failed >= 5 { 1 } else { *failed + 1 };
        *last = now;
    }
}

const LOCK_DURATION: Duration = Duration::from_secs(5 * 60);

/// Rejects a token without a project in a service of a project (documented; the code is inferred).
fn check_scope(
    cloud: &CloudState,
    request: &ReceivedRequest,
    key: &str,
) -> Result<(), AuthError<ApiError>> {
    let is_of_project = matches!(Route::of(request), Some(Route::Project(..)));
    if is_of_project && cloud.huawei.unscoped.contains(key) {
        return Err(AuthError::other(api_error::NO_SCOPE));
    }
    Ok(())
}

fn locked_key() -> ApiError {
    api_error::incorrect_authentication("AK access failed to reach the limit, forbidden")
}

fn dispatch(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
    scope: RegionScope,
) -> Result<Response, ApiError> {
    let route = Route::of(request).ok_or(api_error::NO_API)?;
    let (project, call) = match route {
        Route::Project(project, call) => (project, call),
        Route::Projects => return Ok(projects::list(cloud, request)),
        Route::Regions => return Ok(projects::regions(cloud, request)),
        Route::Token => return iam::create_token(cloud, request),
        Route::TokenByIdToken => return iam::create_token_by_id_token(cloud, request),
        Route::Key => return iam::create_key(cloud, request),
        Route::AssumeWithOidc => return iam::assume_with_oidc(cloud, request),
        Route::Metadata(call) => return Ok(metadata::respond(cloud, request, &call)),
    };
    if scope == RegionScope::Forbidden {
        return Err(api_error::FORBIDDEN_REGION);
    }
    let header_project = request.header("x-project-id");
    let own_project = cloud.account.project_id.as_str();
    if project != own_project
        || header_project.is_some_and(|header_project| header_project != own_project)
    {
        return Err(api_error::wrong_project(&cloud.switches.huawei));
    }
    match call {
        ProjectCall::Action => power::execute(cloud, request, scope),
        ProjectCall::Job(id) => jobs::show(cloud, &id),
        ProjectCall::List => servers::list(cloud, request, scope),
        ProjectCall::Show(id) => servers::show(cloud, scope, &id),
    }
}

/// The destination of a request.
enum Route {
    /// `/v3/projects`
    Projects,
    /// `/v3/regions`
    Regions,
    /// `/v3/auth/tokens`
    Token,
    /// `/v3.0/OS-AUTH/id-token/tokens`
    TokenByIdToken,
    /// `/v3.0/OS-CREDENTIAL/securitytokens`
    Key,
    /// `/v5/agencies/assume-with-oidc`
    AssumeWithOidc,
    /// A path of the metadata service.
    Metadata(metadata::MetadataCall),
    /// `/v1/{project_id}/...`
    Project(String, ProjectCall),
}

enum ProjectCall {
    /// `cloudservers/action`
    Action,
    /// `jobs/{job_id}`
    Job(String),
    /// `cloudservers/detail`
    List,
    /// `cloudservers/{server_id}`
    Show(String),
}

impl Route {
    /// Reports whether the route needs no authentication. The body of such a request has the proof.
    fn is_open(&self) -> bool {
        match self {
            Self::Token | Self::TokenByIdToken | Self::AssumeWithOidc | Self::Metadata(_) => true,
            Self::Projects | Self::Regions | Self::Key | Self::Project(..) => false,
        }
    }

    fn of(request: &ReceivedRequest) -> Option<Self> {
        if let Some(call) = metadata::MetadataCall::of(request) {
            return Some(Self::Metadata(call));
        }
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let segments: Vec<_> = request.path.split('/').skip(1).collect();
        match (&request.method, &*segments) {
            (&Method::GET, ["v3", "projects"]) => Some(Self::Projects),
            (&Method::GET, ["v3", "regions"]) => Some(Self::Regions),
            (&Method::POST, ["v3", "auth", "tokens"]) => Some(Self::Token),
            (&Method::POST, ["v3.0", "OS-AUTH", "id-token", "tokens"]) => {
                Some(Self::TokenByIdToken)
            }
            (&Method::POST, ["v3.0", "OS-CREDENTIAL", "securitytokens"]) => Some(Self::Key),
            (&Method::POST, ["v5", "agencies", "assume-with-oidc"]) => Some(Self::AssumeWithOidc),
            (method, ["v1", project, rest @ ..]) => {
                let call = match (method, rest) {
                    (&Method::POST, ["cloudservers", "action"]) => ProjectCall::Action,
                    (&Method::GET, ["jobs", id]) => ProjectCall::Job(decoded(id)),
                    (&Method::GET, ["cloudservers", "detail"]) => ProjectCall::List,
                    (&Method::GET, ["cloudservers", id]) => ProjectCall::Show(decoded(id)),
                    _ => return None,
                };
                Some(Self::Project(decoded(project), call))
            }
            _ => None,
        }
    }
}

fn kind(request: &ReceivedRequest) -> (Operation, &'static str, usize) {
    match Route::of(request) {
        Some(Route::Project(_, ProjectCall::Action)) => match PowerRequest::read(request) {
            Ok(power_request) => {
                let (operation, name) = match power_request.action {
                    ActionKind::Start => (Operation::Start, "BatchStartServers"),
                    ActionKind::Stop => (Operation::Stop, "BatchStopServers"),
                    ActionKind::Reboot => (Operation::Reboot, "BatchRebootServers"),
                };
                (operation, name, power_request.len())
            }
            Err(_) => (Operation::Other, "unknown", 0),
        },
        Some(Route::Project(_, ProjectCall::Job(_))) => (Operation::Follow, "ShowJob", 0),
        Some(Route::Project(_, ProjectCall::Show(_))) => (Operation::Observe, "ShowServer", 1),
        Some(Route::Project(_, ProjectCall::List)) => {
            let named = servers::named_servers(request, ServerIds::Both).len();
            let operation = if named > 0 {
                Operation::Observe
            } else {
                Operation::List
            };
            (operation, "ListServersDetails", named)
        }
        Some(Route::Projects) => (Operation::Other, "KeystoneListProjects", 0),
        Some(Route::Regions) => (Operation::Other, "KeystoneListRegions", 0),
        Some(Route::Token) => identify("KeystoneCreateUserTokenByPassword"),
        Some(Route::TokenByIdToken) => identify("CreateTokenWithIdToken"),
        Some(Route::Key) => identify("CreateTemporaryAccessKeyByToken"),
        Some(Route::AssumeWithOidc) => identify("AssumeAgencyWithOIDC"),
        Some(Route::Metadata(call)) => identify(call.name()),
        None => (Operation::Other, "unknown", 0),
    }
}

fn identify(name: &'static str) -> (Operation, &'static str, usize) {
    (Operation::Identify, name, 0)
}

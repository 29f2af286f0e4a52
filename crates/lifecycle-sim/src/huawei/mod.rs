//! Huawei ECS as its clients see it.
//!
//! What is simulated: batch start, stop and reboot with their jobs, the detailed list, the query of one
//! server; access keys and tokens; the calls of IAM that hand them out or look up a project, and the
//! metadata service of a server. What is not: the deprecated calls of OpenStack, permissions, tags, and
//! filters other than status and name.
//!
//! | file | holds |
//! | --- | --- |
//! | `auth` | who asks |
//! | `power` | start, stop, reboot |
//! | `jobs` | what becomes of them |
//! | `servers`, `record` | looking |
//! | `iam`, `metadata` | tokens and temporary keys |
//! | `projects` | the project of a region |
//! | `refusal` | what is said instead of an answer |
//! | `switches` | what nobody knows |

mod auth;
pub(crate) mod behaviours;
mod iam;
mod jobs;
mod metadata;
mod power;
mod projects;
mod record;
mod refusal;
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
    jobs::Jobs,
    power::{Order, Recent},
    refusal::Refusal,
    switches::ServerIds,
};
use crate::{
    dialect::{Denial, Dialect, Intent, Operation, Reason},
    instance::Verb,
    request::Received,
    response::{self, Response},
    site::{Scope, Site},
    time::Moment,
};

/// Huawei ECS.
#[derive(Debug)]
pub(crate) struct Huawei;

impl Dialect for Huawei {
    fn claims(&self, request: &Received) -> bool {
        let signed = request
            .header("authorization")
            .is_some_and(|value| value.starts_with("SDK-HMAC-SHA256 "));
        signed
            || request.headers.contains_key("x-auth-token")
            || request.path.starts_with("/v1/")
            || request.path.starts_with("/v3/")
            || request.path.starts_with("/v3.0/")
            || request.path.starts_with("/v5/")
            || metadata::Call::of(request).is_some()
    }

    /// `ecs.<region>.myhuaweicloud.com`, and `iam` likewise (vendor's source); the European regions end
    /// in `.eu` in the Terraform provider.
    fn region_of<'h>(&self, hostname: &'h str) -> Option<&'h str> {
        let place = hostname
            .strip_suffix(".myhuaweicloud.com")
            .or_else(|| hostname.strip_suffix(".myhuaweicloud.eu"))?;
        place
            .strip_prefix("ecs.")
            .or_else(|| place.strip_prefix("iam."))
    }

    fn mint(&self, chance: &mut fastrand::Rng) -> String {
        uuid::Builder::from_random_bytes(chance.u128(..).to_be_bytes())
            .into_uuid()
            .to_string()
    }

    fn intent(&self, request: &Received) -> Intent {
        let (operation, name, ids) = kind(request);
        Intent {
            operation,
            name,
            ids,
            key: auth::claimed_key(request).into_owned(),
        }
    }

    fn authenticate(&self, site: &mut Site, request: &Received) -> Result<(), Denial> {
        if Route::of(request).is_some_and(|route| route.is_open()) {
            return Ok(());
        }
        let key = auth::claimed_key(request);
        let at = site.now();
        let verdict = if site.huawei.failures.is_locked(&key, at) {
            Err((Reason::Key, locked_key()))
        } else {
            let now = site.wall().as_second();
            let verdict = auth::verify(request, &site.account, now, &site.switches.huawei)
                .and_then(|()| check_scope(site, request, &key));
            if site.account.key(&key).is_some() {
                site.huawei.failures.note(&key, verdict.is_ok(), at);
            }
            verdict
        };
        verdict.map_err(|(reason, refusal)| Denial {
            reason,
            response: Box::new(refusal.answer(site)),
        })
    }

    fn perform(&self, site: &mut Site, request: &Received, scope: Scope) -> Response {
        let answer = dispatch(site, request, scope);
        match answer {
            Ok(answer) => {
                let request_id = site.uuid().replace('-', "");
                response::with_header(answer, "x-request-id", &request_id)
            }
            Err(refusal) => refusal.answer(site),
        }
    }

    fn throttled(&self, site: &mut Site, hint: Option<Duration>) -> Response {
        refusal::throttled(&site.switches.huawei, hint).answer(site)
    }

    fn failure(&self, site: &mut Site, status: u16) -> Response {
        refusal::failure(status).answer(site)
    }
}

/// What the cloud remembers from call to call.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    jobs: Jobs,
    failures: Failures,
    recent: Recent,
    /// Tokens that are for no project.
    unscoped: HashSet<String>,
}

/// Keys that failed to prove themselves. Five failures in a row lock a key for five minutes (documented;
/// that every refusal of a known key counts is inferred).
#[derive(Debug, Default)]
struct Failures(HashMap<String, (u32, Moment)>);

impl Failures {
    fn is_locked(&self, key: &str, now: Moment) -> bool {
        self.0
            .get(key)
            .is_some_and(|(failed, last)| *failed >= 5 && now.since(*last) < LOCK)
    }

    fn note(&mut self, key: &str, succeeded: bool, now: Moment) {
        if succeeded {
            self.0.remove(key);
            return;
        }
        let (failed, last) = self.0.entry(key.to_owned()).or_insert((0, now));
        // A lock that is over is forgotten.
        *failed = if *failed >= 5 { 1 } else { *failed + 1 };
        *last = now;
    }
}

const LOCK: Duration = Duration::from_secs(5 * 60);

/// A token that is for no project is good for no service of a project (documented; the code is inferred).
fn check_scope(site: &Site, request: &Received, key: &str) -> Result<(), (Reason, Refusal)> {
    let is_of_project = matches!(Route::of(request), Some(Route::Project(..)));
    if is_of_project && site.huawei.unscoped.contains(key) {
        return Err((Reason::Other, refusal::NO_SCOPE));
    }
    Ok(())
}

fn locked_key() -> Refusal {
    refusal::not_authentic("AK access failed to reach the limit, forbidden")
}

fn dispatch(site: &mut Site, request: &Received, scope: Scope) -> Result<Response, Refusal> {
    let route = Route::of(request).ok_or(refusal::NO_API)?;
    let (project, call) = match route {
        Route::Project(project, call) => (project, call),
        Route::Projects => return Ok(projects::list(site, request)),
        Route::Token => return iam::create_token(site, request),
        Route::TokenByIdToken => return iam::create_token_by_id_token(site, request),
        Route::Key => return iam::create_key(site, request),
        Route::AssumeWithOidc => return iam::assume_with_oidc(site, request),
        Route::Metadata(call) => return Ok(metadata::answer(site, request, &call)),
    };
    let told = request.header("x-project-id");
    let own = site.account.project_id.as_str();
    if project != own || told.is_some_and(|told| told != own) {
        return Err(refusal::wrong_project(&site.switches.huawei));
    }
    match call {
        Call::Act => power::act(site, request, scope),
        Call::Job(id) => jobs::show(site, &id),
        Call::List => servers::list(site, request, scope),
        Call::Show(id) => servers::show(site, scope, &id),
    }
}

/// Where a request goes.
enum Route {
    /// `/v3/projects`
    Projects,
    /// `/v3/auth/tokens`
    Token,
    /// `/v3.0/OS-AUTH/id-token/tokens`
    TokenByIdToken,
    /// `/v3.0/OS-CREDENTIAL/securitytokens`
    Key,
    /// `/v5/agencies/assume-with-oidc`
    AssumeWithOidc,
    /// To the metadata service.
    Metadata(metadata::Call),
    /// `/v1/{project_id}/...`
    Project(String, Call),
}

enum Call {
    /// `cloudservers/action`
    Act,
    /// `jobs/{job_id}`
    Job(String),
    /// `cloudservers/detail`
    List,
    /// `cloudservers/{server_id}`
    Show(String),
}

impl Route {
    /// Is it open to everyone? What such a request proves, it proves in its body.
    fn is_open(&self) -> bool {
        match self {
            Self::Token | Self::TokenByIdToken | Self::AssumeWithOidc | Self::Metadata(_) => true,
            Self::Projects | Self::Key | Self::Project(..) => false,
        }
    }

    fn of(request: &Received) -> Option<Self> {
        if let Some(call) = metadata::Call::of(request) {
            return Some(Self::Metadata(call));
        }
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let segments: Vec<_> = request.path.split('/').skip(1).collect();
        match (&request.method, &*segments) {
            (&Method::GET, ["v3", "projects"]) => Some(Self::Projects),
            (&Method::POST, ["v3", "auth", "tokens"]) => Some(Self::Token),
            (&Method::POST, ["v3.0", "OS-AUTH", "id-token", "tokens"]) => {
                Some(Self::TokenByIdToken)
            }
            (&Method::POST, ["v3.0", "OS-CREDENTIAL", "securitytokens"]) => Some(Self::Key),
            (&Method::POST, ["v5", "agencies", "assume-with-oidc"]) => Some(Self::AssumeWithOidc),
            (method, ["v1", project, rest @ ..]) => {
                let call = match (method, rest) {
                    (&Method::POST, ["cloudservers", "action"]) => Call::Act,
                    (&Method::GET, ["jobs", id]) => Call::Job(decoded(id)),
                    (&Method::GET, ["cloudservers", "detail"]) => Call::List,
                    (&Method::GET, ["cloudservers", id]) => Call::Show(decoded(id)),
                    _ => return None,
                };
                Some(Self::Project(decoded(project), call))
            }
            _ => None,
        }
    }
}

fn kind(request: &Received) -> (Operation, &'static str, usize) {
    match Route::of(request) {
        Some(Route::Project(_, Call::Act)) => match Order::read(request) {
            Ok(order) => {
                let (operation, name) = match order.verb {
                    Verb::Start => (Operation::Start, "BatchStartServers"),
                    Verb::Stop => (Operation::Stop, "BatchStopServers"),
                    Verb::Reboot => (Operation::Reboot, "BatchRebootServers"),
                };
                (operation, name, order.len())
            }
            Err(_) => (Operation::Other, "unknown", 0),
        },
        Some(Route::Project(_, Call::Job(_))) => (Operation::Follow, "ShowJob", 0),
        Some(Route::Project(_, Call::Show(_))) => (Operation::Observe, "ShowServer", 1),
        Some(Route::Project(_, Call::List)) => {
            let named = servers::named_servers(request, ServerIds::Both).len();
            let operation = if named > 0 {
                Operation::Observe
            } else {
                Operation::List
            };
            (operation, "ListServersDetails", named)
        }
        Some(Route::Projects) => (Operation::Other, "KeystoneListProjects", 0),
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

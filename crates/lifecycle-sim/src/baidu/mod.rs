//! Baidu BCC as its clients see it.
//!
//! Paths, bodies, statuses, codes and limits are documented (cloud.baidu.com/doc/BCC); request and
//! answer shapes were checked against what the vendor's Python SDK sends and reads. What the documents leave
//! open is a [switch](switches). The Security Token Service is simulated, too: `sts`.

mod auth;
pub(crate) mod behaviours;
mod power;
mod read;
mod refusal;
mod sts;
pub(crate) mod switches;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, time::Duration};

use percent_encoding::percent_decode_str;

pub(crate) use power::Memory;

use crate::{
    dialect::{Denial, Dialect, Intent, Operation},
    instance::Verb,
    request::Received,
    response::{self, Response},
    site::{Scope, Site},
};

use refusal::Refusal;

/// At most so many ids in one call. Documented for batch start, batch stop and `listByInstanceId`,
/// assumed for batch reboot.
const MOST_IDS: usize = 100;

/// Baidu BCC.
#[derive(Debug)]
pub(crate) struct Baidu;

impl Dialect for Baidu {
    fn claims(&self, request: &Received) -> bool {
        versioned(&request.path)
            .is_some_and(|(_, rest)| rest.starts_with("/instance") || rest.starts_with("/region/"))
            || matches!(&*request.path, SESSION_TOKEN | CREDENTIAL)
    }

    /// `bcc.{region}.baidubce.com`.
    fn region_of<'h>(&self, hostname: &'h str) -> Option<&'h str> {
        hostname.strip_prefix("bcc.")?.strip_suffix(".baidubce.com")
    }

    /// `i-` and eight letters or digits.
    fn mint(&self, chance: &mut fastrand::Rng) -> String {
        let mut id = String::from("i-");
        id.extend((0..8).map(|_| chance.alphanumeric()));
        id
    }

    fn intent(&self, request: &Received) -> Intent {
        let asked = Asked::read(request);
        let (operation, name) = asked.name();
        Intent {
            operation,
            name,
            ids: asked.ids(request),
            key: auth::claimed_key(request).to_owned(),
        }
    }

    fn authenticate(&self, site: &mut Site, request: &Received) -> Result<(), Denial> {
        auth::verify(site, request)
    }

    fn perform(&self, site: &mut Site, request: &Received, scope: Scope) -> Response {
        let answer = match Asked::read(request) {
            Asked::One(verb, id) => power::one(site, request, scope, verb, &id),
            Asked::Batch(verb) => power::batch(site, request, scope, verb),
            Asked::Detail(id) => read::detail(site, scope, &id),
            Asked::List => read::list(site, request, scope),
            Asked::ListByIds => read::by_ids(site, request, scope),
            Asked::NoCharge => read::no_charge(site, request, scope),
            Asked::Regions => Ok(read::regions(site)),
            Asked::SessionToken => sts::session_token(site, request),
            Asked::AssumeRole => sts::assume_role(site, request),
            Asked::WrongVersion => Err(refusal::BAD_VERSION),
            Asked::Nothing => Err(refusal::BAD_URI),
        };
        answer.unwrap_or_else(|refusal| refusal.answer(site))
    }

    /// Unknown: a switch decides.
    fn throttled(&self, site: &mut Site, hint: Option<Duration>) -> Response {
        let answer = throttling_answer(site);
        match hint {
            Some(wait) => response::with_retry_after(answer, wait),
            None => answer,
        }
    }

    fn failure(&self, site: &mut Site, status: u16) -> Response {
        Refusal {
            status,
            code: "InternalError",
            message: Cow::Borrowed("We encountered an internal error Please try again."),
        }
        .answer(site)
    }
}

fn throttling_answer(site: &mut Site) -> Response {
    let (status, code) = match site.switches.baidu.throttling {
        switches::Throttling::Bare => {
            let request_id = site.uuid();
            return refusal::signed_off(response::with_body(429, "text/plain", ""), &request_id);
        }
        switches::Throttling::TooManyRequests => (429, "TooManyRequests"),
        switches::Throttling::Unavailable => (503, "ServiceUnavailable"),
    };
    Refusal {
        status,
        code,
        message: Cow::Borrowed("Too many requests. Please slow down."),
    }
    .answer(site)
}

/// The call that a request is, by method, path and query.
enum Asked<'r> {
    One(Verb, Cow<'r, str>),
    Batch(Verb),
    Detail(Cow<'r, str>),
    List,
    ListByIds,
    NoCharge,
    Regions,
    SessionToken,
    AssumeRole,
    WrongVersion,
    Nothing,
}

impl<'r> Asked<'r> {
    fn read(request: &'r Received) -> Self {
        match (request.method.as_str(), &*request.path) {
            ("POST", SESSION_TOKEN) => return Self::SessionToken,
            ("POST", CREDENTIAL) if request.parameter("assumeRole").is_some() => {
                return Self::AssumeRole;
            }
            (_, SESSION_TOKEN | CREDENTIAL) => return Self::Nothing,
            _ => {}
        }
        let Some((version, rest)) = versioned(&request.path) else {
            return Self::Nothing;
        };
        // The vendor's JavaScript SDK still calls version 1.
        if !matches!(version, "1" | "2") {
            return Self::WrongVersion;
        }
        match (request.method.as_str(), rest) {
            ("GET", "/instance") => Self::List,
            ("GET", "/instance/noCharge") => Self::NoCharge,
            ("POST", "/instance/listByInstanceId") => Self::ListByIds,
            ("POST", "/region/describeRegions") => Self::Regions,
            (method, path) => match (method, path.strip_prefix("/instance/")) {
                ("PUT", Some("batchAction")) => match verb(request) {
                    Some(verb) => Self::Batch(verb),
                    None => Self::Nothing,
                },
                ("PUT", Some(id)) => match verb(request) {
                    Some(verb) => Self::One(verb, decoded(id)),
                    None => Self::Nothing,
                },
                ("GET", Some(id)) => Self::Detail(decoded(id)),
                _ => Self::Nothing,
            },
        }
    }

    fn name(&self) -> (Operation, &'static str) {
        match self {
            Self::One(verb @ Verb::Start, _) => ((*verb).into(), "StartInstance"),
            Self::One(verb @ Verb::Stop, _) => ((*verb).into(), "StopInstance"),
            Self::One(verb @ Verb::Reboot, _) => ((*verb).into(), "RebootInstance"),
            Self::Batch(verb @ Verb::Start) => ((*verb).into(), "BatchStartInstance"),
            Self::Batch(verb @ Verb::Stop) => ((*verb).into(), "BatchStopInstance"),
            Self::Batch(verb @ Verb::Reboot) => ((*verb).into(), "BatchRebootInstance"),
            Self::Detail(_) => (Operation::Observe, "GetInstance"),
            Self::List => (Operation::List, "ListInstances"),
            Self::ListByIds => (Operation::Observe, "ListInstanceByInstanceIds"),
            Self::NoCharge => (Operation::List, "ListInstanceNoCharge"),
            Self::Regions => (Operation::Other, "DescribeRegions"),
            Self::SessionToken => (Operation::Identify, "GetSessionToken"),
            Self::AssumeRole => (Operation::Identify, "AssumeRole"),
            Self::WrongVersion | Self::Nothing => (Operation::Other, "unknown"),
        }
    }

    fn ids(&self, request: &Received) -> usize {
        match self {
            Self::One(..) | Self::Detail(_) => 1,
            Self::Batch(_) | Self::ListByIds => power::named_ids(request),
            Self::List
            | Self::NoCharge
            | Self::Regions
            | Self::SessionToken
            | Self::AssumeRole
            | Self::WrongVersion
            | Self::Nothing => 0,
        }
    }
}

/// The addresses of the Security Token Service, which has no other version.
const SESSION_TOKEN: &str = "/v1/sessionToken";
const CREDENTIAL: &str = "/v1/credential";

/// `/v2/instance` as version and rest.
fn versioned(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/v")?;
    let end = rest.find('/')?;
    let (version, rest) = rest.split_at(end);
    version
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then_some((version, rest))
}

/// The action is a query key, with or without an equals sign.
fn verb(request: &Received) -> Option<Verb> {
    request.pairs().find_map(|(key, _)| match key.as_str() {
        "start" => Some(Verb::Start),
        "stop" => Some(Verb::Stop),
        "reboot" => Some(Verb::Reboot),
        _ => None,
    })
}

fn decoded(segment: &str) -> Cow<'_, str> {
    percent_decode_str(segment).decode_utf8_lossy()
}

//! Zenlayer ZEC as its clients see it.
//!
//! One endpoint for all regions, one path, `POST` only, the action in a header. Forms, codes, limits and
//! states are documented (docs.console.zenlayer.com); request and answer shapes were checked against what
//! the vendor's Python SDK sends and reads. What the documents leave open is a [switch](switches).

mod auth;
pub(crate) mod behaviours;
mod power;
mod read;
mod refusal;
pub(crate) mod switches;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::{
    dialect::{Denial, Dialect, Intent, Operation},
    instance::Verb,
    request::Received,
    response::{self, Response},
    site::{Scope, Site},
};

use read::Rows;
use refusal::Refusal;

/// At most so many ids in one call. Documented.
const MOST_IDS: usize = 100;

/// Zenlayer ZEC.
#[derive(Debug)]
pub(crate) struct Zenlayer;

impl Dialect for Zenlayer {
    fn claims(&self, request: &Received) -> bool {
        request.path.starts_with("/api/v2/")
    }

    /// One host serves all regions.
    fn region_of<'h>(&self, _hostname: &'h str) -> Option<&'h str> {
        None
    }

    /// 19 digits, as in the vendor's examples.
    fn mint(&self, chance: &mut fastrand::Rng) -> String {
        chance
            .u64(1_000_000_000_000_000_000..=9_223_372_036_854_775_807)
            .to_string()
    }

    fn intent(&self, request: &Received) -> Intent {
        let asked = Asked::read(request);
        let named = match asked {
            Asked::Nothing => None,
            Asked::Power(_) | Asked::Describe(_) => read::named_ids(request),
        };
        let (operation, name) = asked.name(named.is_some());
        Intent {
            operation,
            name,
            ids: named.unwrap_or_default(),
            key: auth::claimed_key(request).to_owned(),
        }
    }

    fn authenticate(&self, site: &mut Site, request: &Received) -> Result<(), Denial> {
        auth::verify(site, request)
    }

    fn perform(&self, site: &mut Site, request: &Received, scope: Scope) -> Response {
        let answer = check_version(site, request).and_then(|()| match Asked::read(request) {
            Asked::Power(verb) => power::act(site, request, scope, verb),
            Asked::Describe(rows) => read::describe(site, request, scope, rows),
            Asked::Nothing => Err(refusal::NO_SUCH_ACTION),
        });
        answer.unwrap_or_else(|refusal| refusal.answer(site))
    }

    /// Status and code are the vendor's SDKs'; `Retry-After` comes from a third-party SDK that cites
    /// the vendor.
    fn throttled(&self, site: &mut Site, hint: Option<Duration>) -> Response {
        let answer = refusal::TOO_FAST.answer(site);
        match hint {
            Some(wait) => response::with_retry_after(answer, wait),
            None => answer,
        }
    }

    fn failure(&self, site: &mut Site, status: u16) -> Response {
        refusal::of_status(status).answer(site)
    }
}

/// The call that a request is, by method, path and action header.
enum Asked {
    Power(Verb),
    Describe(Rows),
    Nothing,
}

impl Asked {
    fn read(request: &Received) -> Self {
        if request.method != http::Method::POST || request.path != "/api/v2/zec" {
            return Self::Nothing;
        }
        match request.header("x-zc-action") {
            Some("StartInstances") => Self::Power(Verb::Start),
            Some("StopInstances") => Self::Power(Verb::Stop),
            Some("RebootInstances") => Self::Power(Verb::Reboot),
            Some("DescribeInstancesStatus") => Self::Describe(Rows::Status),
            Some("DescribeInstances") => Self::Describe(Rows::Whole),
            _ => Self::Nothing,
        }
    }

    fn name(&self, names_ids: bool) -> (Operation, &'static str) {
        let reads = if names_ids {
            Operation::Observe
        } else {
            Operation::List
        };
        match self {
            Self::Power(verb @ Verb::Start) => ((*verb).into(), "StartInstances"),
            Self::Power(verb @ Verb::Stop) => ((*verb).into(), "StopInstances"),
            Self::Power(verb @ Verb::Reboot) => ((*verb).into(), "RebootInstances"),
            Self::Describe(Rows::Status) => (reads, "DescribeInstancesStatus"),
            Self::Describe(Rows::Whole) => (reads, "DescribeInstances"),
            Self::Nothing => (Operation::Other, "unknown"),
        }
    }
}

/// Both versions of the documents are served. Whether the header must be there: a switch decides.
/// That an unknown version is refused is inferred.
fn check_version(site: &Site, request: &Received) -> Result<(), Refusal> {
    match request.header("x-zc-version") {
        Some("2025-09-01" | "2024-04-01") => Ok(()),
        Some(_) => Err(refusal::BAD_VALUE),
        None => match site.switches.zenlayer.version_header {
            switches::VersionHeader::Optional => Ok(()),
            switches::VersionHeader::Required => Err(refusal::MISSING),
        },
    }
}

/// Reads the body. No parameters are `{}`, never an empty body: documented.
fn read_body<'r, T: serde::Deserialize<'r>>(request: &'r Received) -> Result<T, Refusal> {
    request.json().map_err(|error| {
        if error.is_data() {
            refusal::WRONG_TYPE
        } else {
            refusal::BAD_FORMAT
        }
    })
}

//! The metadata service of a server, as far as keys go.
//!
//! Paths, headers, statuses and the text for a server without an agency are those that the Python SDK
//! knows (vendor's source); the 24 hours of a key are documented. Other texts are inferred.

use http::Method;

use super::{iam::Credential, switches::MetadataTokens};
use crate::{
    request::Received,
    response::{self, Response},
    site::Site,
};

/// What is asked of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// `/meta-data/latest/api/token`
    Token,
    /// `/openstack/latest/securitykey`
    Key,
}

impl Call {
    /// What is asked; `None` for a request to another service.
    pub(super) fn of(request: &Received) -> Option<Self> {
        match request.path.as_str() {
            "/meta-data/latest/api/token" => Some(Self::Token),
            "/openstack/latest/securitykey" => Some(Self::Key),
            _ => None,
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Token => "PutMetadataToken",
            Self::Key => "GetSecurityKey",
        }
    }
}

pub(super) fn answer(site: &mut Site, request: &Received, call: &Call) -> Response {
    if !site.identity.has_metadata() {
        return text(404, "404 Not Found");
    }
    match (call, &request.method) {
        (Call::Token, &Method::PUT) => token(site, request),
        (Call::Key, &Method::GET) => key(site, request),
        _ => text(405, "405 Method Not Allowed"),
    }
}

fn token(site: &mut Site, request: &Received) -> Response {
    match site.switches.huawei.metadata_tokens {
        MetadataTokens::Absent404 => return text(404, "404 Not Found"),
        MetadataTokens::Absent405 => return text(405, "405 Method Not Allowed"),
        MetadataTokens::Absent503 => return text(503, "503 Service Unavailable"),
        MetadataTokens::Optional | MetadataTokens::Demanded => {}
    }
    let seconds = request
        .header("x-metadata-token-ttl-seconds")
        .and_then(|text| text.trim().parse().ok())
        .filter(|seconds| (1..=21_600).contains(seconds));
    match seconds {
        Some(seconds) => text(200, site.metadata_token(seconds)),
        None => text(400, "400 Bad Request"),
    }
}

fn key(site: &mut Site, request: &Received) -> Response {
    if !is_let_in(site, request) {
        return text(
            401,
            "401 Unauthorized: the metadata token is missing or has expired",
        );
    }
    let Some(role) = site.identity.instance_role().map(str::to_owned) else {
        return text(401, "Please configure Cloud Service Agency first");
    };
    let issued = site.instance_key(&role, LIFE);
    response::json(200, &Credential::of(&issued))
}

/// May the request read? Without a token it may unless one is demanded.
fn is_let_in(site: &Site, request: &Received) -> bool {
    let token = request.header("x-metadata-token");
    let is_good = || token.is_some_and(|token| site.takes_metadata_token(token));
    match site.switches.huawei.metadata_tokens {
        MetadataTokens::Optional => token.is_none() || is_good(),
        MetadataTokens::Demanded => is_good(),
        MetadataTokens::Absent404 | MetadataTokens::Absent405 | MetadataTokens::Absent503 => true,
    }
}

/// 24 hours, in seconds (documented).
const LIFE: u64 = 86_400;

fn text(status: u16, body: impl Into<bytes::Bytes>) -> Response {
    response::with_body(status, "text/plain", body)
}

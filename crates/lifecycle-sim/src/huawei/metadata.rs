//! The simulated Huawei metadata service of a server, limited to keys.
//!
//! Paths, headers, statuses and the text for a server without an agency are known from the Python
//! SDK (vendor's source); the 24 hours of a key are documented. Other texts are inferred.

use http::Method;

use super::{iam::Credential, switches::MetadataTokens};
use crate::{
    cloud_state::CloudState,
    metadata::requested_lifetime,
    request::ReceivedRequest,
    response::{self, Response},
};

/// A call of the metadata service.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum MetadataCall {
    /// `/meta-data/latest/api/token`
    Token,
    /// `/openstack/latest/securitykey`
    Key,
}

impl MetadataCall {
    /// Returns the call, or `None` for a request to another service.
    pub(super) fn of(request: &ReceivedRequest) -> Option<Self> {
        match request.path.as_str() {
            "/meta-data/latest/api/token" => Some(Self::Token),
            "/openstack/latest/securitykey" => Some(Self::Key),
            _ => None,
        }
    }

    /// Returns the name in the log of the simulator. The vendor has no names for these calls.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Token => "PutMetadataToken",
            Self::Key => "GetSecurityKey",
        }
    }
}

pub(super) fn respond(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
    call: &MetadataCall,
) -> Response {
    if !cloud.identity.has_metadata() {
        return text(404, "404 Not Found");
    }
    match (call, &request.method) {
        (MetadataCall::Token, &Method::PUT) => token(cloud, request),
        (MetadataCall::Key, &Method::GET) => key(cloud, request),
        _ => text(405, "405 Method Not Allowed"),
    }
}

fn token(cloud: &mut CloudState, request: &ReceivedRequest) -> Response {
    match cloud.switches.huawei.metadata_tokens {
        MetadataTokens::Absent404 => return text(404, "404 Not Found"),
        MetadataTokens::Absent405 => return text(405, "405 Method Not Allowed"),
        MetadataTokens::Absent503 => return text(503, "503 Service Unavailable"),
        MetadataTokens::Optional | MetadataTokens::Required => {}
    }
    match requested_lifetime(request, "x-metadata-token-ttl-seconds") {
        Some(seconds) => text(200, cloud.metadata_token(seconds)),
        None => text(400, "400 Bad Request"),
    }
}

fn key(cloud: &mut CloudState, request: &ReceivedRequest) -> Response {
    if !may_read(cloud, request) {
        return text(
            401,
            "401 Unauthorized: the metadata token is missing or has expired",
        );
    }
    let Some(role) = cloud.identity.instance_role().map(str::to_owned) else {
        return text(401, "Please configure Cloud Service Agency first");
    };
    let issued = cloud.instance_key(&role, KEY_LIFETIME);
    response::json(200, &Credential::of(&issued))
}

/// Returns `true` if the request may read.
///
/// A request without a token may read unless the service requires tokens. A request with a token may read
/// if the token is valid. A service that issues no tokens ignores a token.
fn may_read(cloud: &CloudState, request: &ReceivedRequest) -> bool {
    let token = request.header("x-metadata-token");
    let is_valid = || token.is_some_and(|token| cloud.accepts_metadata_token(token));
    match cloud.switches.huawei.metadata_tokens {
        MetadataTokens::Optional => token.is_none() || is_valid(),
        MetadataTokens::Required => is_valid(),
        MetadataTokens::Absent404 | MetadataTokens::Absent405 | MetadataTokens::Absent503 => true,
    }
}

/// 24 hours, in seconds (documented).
const KEY_LIFETIME: u64 = 86_400;

fn text(status: u16, body: impl Into<bytes::Bytes>) -> Response {
    response::with_body(status, "text/plain", body)
}

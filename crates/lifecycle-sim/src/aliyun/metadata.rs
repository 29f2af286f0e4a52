//! The simulated Alibaba metadata service of an instance, and the URL that the variable
//! `ALIBABA_CLOUD_CREDENTIALS_URI` can name (the "credentials URI").
//!
//! Paths, headers and the response with the key are documented (ECS, "instance metadata", "instance
//! RAM role"), and so is the error 403 for forwarded requests. Other error responses are inferred: the
//! vendor's SDKs treat every status other than 200 alike. The path of the credentials URI is an invention
//! of the simulator, because the path is free; the response has the format of the metadata service
//! (vendor's source).

use http::Method;
use serde::Serialize;

use super::{sts::expiration, switches::MetadataTokens};
use crate::{
    cloud_state::CloudState,
    metadata::requested_lifetime,
    request::ReceivedRequest,
    response::{self, Response},
    time::write_utc,
};

/// A call of the metadata service.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum MetadataCall<'r> {
    /// `/latest/api/token`
    Token,
    /// `/latest/meta-data/ram/security-credentials/`
    RoleName,
    /// `/latest/meta-data/ram/security-credentials/{role}`
    Key(&'r str),
    /// `/aliyun/credentials-uri`; needs no token of the metadata service.
    Uri,
    /// Another path below `/latest/meta-data/`.
    Unknown,
}

impl<'r> MetadataCall<'r> {
    /// Returns the call, or `None` for a request to another service.
    pub(super) fn of(request: &'r ReceivedRequest) -> Option<Self> {
        let path = request.path.as_str();
        match path {
            "/latest/api/token" => return Some(Self::Token),
            "/aliyun/credentials-uri" => return Some(Self::Uri),
            _ => {}
        }
        let rest = path.strip_prefix("/latest/meta-data/")?;
        Some(match rest.strip_prefix("ram/security-credentials") {
            Some("" | "/") => Self::RoleName,
            Some(name) => name.strip_prefix('/').map_or(Self::Unknown, Self::Key),
            None => Self::Unknown,
        })
    }

    /// Returns the name in the log of the simulator. The vendor has no names for these calls.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Token => "PutMetadataToken",
            Self::RoleName => "GetMetadataRole",
            Self::Key(_) => "GetMetadataCredentials",
            Self::Uri => "GetCredentialsUri",
            Self::Unknown => "unknown",
        }
    }
}

pub(super) fn respond(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
    call: &MetadataCall<'_>,
) -> Response {
    let method = if *call == MetadataCall::Token {
        Method::PUT
    } else {
        Method::GET
    };
    if !cloud.identity.has_metadata() {
        return error_page(404);
    }
    if request.method != method {
        return error_page(405);
    }
    match call {
        MetadataCall::Token => token(cloud, request),
        MetadataCall::Uri => key(cloud, None),
        _ if !may_read(cloud, request) => error_page(cloud.switches.aliyun.metadata_refusal_status),
        MetadataCall::RoleName => match cloud.identity.instance_role() {
            Some(name) => text(name.to_owned()),
            None => error_page(404),
        },
        MetadataCall::Key(role) => key(cloud, Some(role)),
        MetadataCall::Unknown => error_page(404),
    }
}

fn token(cloud: &mut CloudState, request: &ReceivedRequest) -> Response {
    match cloud.switches.aliyun.metadata_tokens {
        MetadataTokens::Absent404 => return error_page(404),
        MetadataTokens::Absent405 => return error_page(405),
        MetadataTokens::Optional | MetadataTokens::Required | MetadataTokens::IssuedButRefused => {}
    }
    // A proxy that forwards requests to the service must not get a token for others.
    if request.headers.contains_key("x-forwarded-for") {
        return error_page(403);
    }
    match requested_lifetime(request, "x-aliyun-ecs-metadata-token-ttl-seconds") {
        Some(seconds) => text(cloud.metadata_token(seconds)),
        None => error_page(400),
    }
}

/// Returns `true` if the request may read.
///
/// A request without a token may read unless the service requires tokens. A request with a token may read
/// if the token is valid. A service that issues no tokens ignores a token; a service that issues tokens but
/// refuses them refuses every request with a token.
fn may_read(cloud: &CloudState, request: &ReceivedRequest) -> bool {
    let token = request.header("x-aliyun-ecs-metadata-token");
    let is_valid = || token.is_some_and(|token| cloud.accepts_metadata_token(token));
    match cloud.switches.aliyun.metadata_tokens {
        MetadataTokens::Optional => token.is_none() || is_valid(),
        MetadataTokens::Required => is_valid(),
        MetadataTokens::IssuedButRefused => token.is_none(),
        MetadataTokens::Absent404 | MetadataTokens::Absent405 => true,
    }
}

/// Returns the key of the instance's role. A named role must be the role of the instance.
fn key(cloud: &mut CloudState, named: Option<&str>) -> Response {
    let role = cloud.identity.instance_role();
    let Some(role) = role.filter(|role| named.is_none_or(|named| named == *role)) else {
        return error_page(404);
    };
    let role = role.to_owned();
    let issued = cloud.instance_key(&role, KEY_LIFETIME);
    response::json(
        200,
        &KeyResponse {
            code: "Success",
            access_key_id: &issued.key.id,
            access_key_secret: &issued.key.secret,
            security_token: issued.session(),
            expiration: expiration(&issued),
            last_updated: write_utc("%Y-%m-%dT%H:%M:%SZ", issued.issued_at),
        },
    )
}

/// Six hours, in seconds, as in the example of the documentation of "instance RAM role".
const KEY_LIFETIME: u64 = 21_600;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyResponse<'a> {
    code: &'static str,
    access_key_id: &'a str,
    access_key_secret: &'a str,
    security_token: &'a str,
    expiration: String,
    last_updated: String,
}

fn text(body: String) -> Response {
    response::with_body(200, "text/plain", body)
}

/// Returns an error page. The service is a web server without the error format of the vendor.
fn error_page(status: u16) -> Response {
    response::with_body(
        status,
        "text/html",
        format!("<html><body><h1>{status}</h1></body></html>"),
    )
}

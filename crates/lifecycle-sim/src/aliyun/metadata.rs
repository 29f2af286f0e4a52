//! The metadata service of an instance, and a credentials URI.
//!
//! Paths, headers and the answer with the key are documented (ECS, "instance metadata", "instance RAM
//! role"). How it refuses is inferred, but for the refusal of forwarded requests: the vendor's SDKs take
//! anything that is not 200 alike. The credentials URI is a path of the simulator's own, since a
//! program serves it wherever it likes; its answer is that of the metadata service (vendor's source).

use http::Method;
use serde::Serialize;

use super::{sts::expiration, switches::MetadataTokens};
use crate::{
    cloud_state::CloudState,
    request::ReceivedRequest,
    response::{self, Response},
    time::write_utc,
};

/// What is asked of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum MetadataCall<'r> {
    /// `/latest/api/token`
    Token,
    /// `/latest/meta-data/ram/security-credentials/`
    RoleName,
    /// `/latest/meta-data/ram/security-credentials/{role}`
    Key(&'r str),
    /// `/aliyun/credentials-uri`
    Uri,
    /// Another path below `/latest/meta-data/`.
    Unknown,
}

impl<'r> MetadataCall<'r> {
    /// What is asked; `None` for a request to another service.
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
        return error(404);
    }
    if request.method != method {
        return error(405);
    }
    match call {
        MetadataCall::Token => token(cloud, request),
        MetadataCall::Uri => key(cloud, None),
        _ if !is_let_in(cloud, request) => error(cloud.switches.aliyun.metadata_refusal_status),
        MetadataCall::RoleName => match cloud.identity.instance_role() {
            Some(name) => text(name.to_owned()),
            None => error(404),
        },
        MetadataCall::Key(role) => key(cloud, Some(role)),
        MetadataCall::Unknown => error(404),
    }
}

fn token(cloud: &mut CloudState, request: &ReceivedRequest) -> Response {
    match cloud.switches.aliyun.metadata_tokens {
        MetadataTokens::Absent404 => return error(404),
        MetadataTokens::Absent405 => return error(405),
        MetadataTokens::Optional | MetadataTokens::Demanded | MetadataTokens::Useless => {}
    }
    // Whoever forwards requests to the service must not get a token for others.
    if request.headers.contains_key("x-forwarded-for") {
        return error(403);
    }
    let seconds = request
        .header("x-aliyun-ecs-metadata-token-ttl-seconds")
        .and_then(|text| text.trim().parse().ok())
        .filter(|seconds| (1..=21_600).contains(seconds));
    match seconds {
        Some(seconds) => text(cloud.metadata_token(seconds)),
        None => error(400),
    }
}

/// May the request read? Without a token it may unless one is demanded.
fn is_let_in(cloud: &CloudState, request: &ReceivedRequest) -> bool {
    let token = request.header("x-aliyun-ecs-metadata-token");
    let is_good = || token.is_some_and(|token| cloud.accepts_metadata_token(token));
    match cloud.switches.aliyun.metadata_tokens {
        MetadataTokens::Optional => token.is_none() || is_good(),
        MetadataTokens::Demanded => is_good(),
        MetadataTokens::Useless => token.is_none(),
        MetadataTokens::Absent404 | MetadataTokens::Absent405 => true,
    }
}

/// The key of the instance's role, which must be the one that is named if one is.
fn key(cloud: &mut CloudState, named: Option<&str>) -> Response {
    let role = cloud.identity.instance_role();
    let Some(role) = role.filter(|role| named.is_none_or(|named| named == *role)) else {
        return error(404);
    };
    let role = role.to_owned();
    let issued = cloud.instance_key(&role, KEY_LIFETIME);
    response::json(
        200,
        &Key {
            code: "Success",
            access_key_id: &issued.key.id,
            access_key_secret: &issued.key.secret,
            security_token: issued.session(),
            expiration: expiration(&issued),
            last_updated: write_utc("%Y-%m-%dT%H:%M:%SZ", issued.issued_at),
        },
    )
}

/// Six hours, as in the example of the page.
const KEY_LIFETIME: u64 = 21_600;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Key<'a> {
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

/// The service is a web server that knows nothing of the vendor's error form.
fn error(status: u16) -> Response {
    response::with_body(
        status,
        "text/html",
        format!("<html><body><h1>{status}</h1></body></html>"),
    )
}

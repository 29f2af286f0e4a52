//! Alibaba's simulated Security Token Service, version 2015-04-01: keys for a role.
//!
//! Parameters, responses and the codes of wrong parameters are documented (RAM, "`AssumeRole`",
//! "`AssumeRoleWithOIDC`", "error codes"). A policy is parsed and has no effect, because
//! permissions are not simulated. The issuer's information about the caller (`OIDCTokenInfo`) is
//! left out.

use serde::Serialize;

use super::{
    api_error::{self, ApiError},
    envelope::Envelope,
    params::Params,
    switches::Switches,
};
use crate::{
    KeyKind,
    cloud_state::CloudState,
    identity::{IssuedCredential, Role},
    response::Response,
    time::write_utc,
};

/// The version of the service's API.
pub(super) const VERSION: &str = "2015-04-01";

/// The call with an identity token instead of a signature.
pub(super) const UNSIGNED: &str = "AssumeRoleWithOIDC";

/// The default session length in seconds, and the default maximum of a role (documented).
const DEFAULT_SESSION: u64 = 3600;
/// The minimum session length in seconds (documented).
const MIN_SESSION: u64 = 900;

/// Issues a key for the role to the holder of another key. The other key can be temporary, too.
pub(super) fn assume_role(
    cloud: &mut CloudState,
    params: &Params,
    envelope: &Envelope,
) -> Result<Response, ApiError> {
    let assume_role = AssumeRoleRequest::read(params, &cloud.switches.aliyun)?;
    let external_id = params.text("ExternalId");
    let role = known_role(cloud, &assume_role)?;
    if !role.allows_external_id(external_id) {
        return Err(api_error::NO_ROLE_PERMISSION);
    }
    let seconds = session_length(params, role)?;
    let issued = cloud.issue_key(KeyKind::Temporary, seconds);
    Ok(envelope.success(&AssumeRoleResponse::of(&assume_role, &issued)))
}

/// Issues a key for the role to the holder of an identity token.
pub(super) fn assume_role_with_oidc(
    cloud: &mut CloudState,
    params: &Params,
    envelope: &Envelope,
) -> Result<Response, ApiError> {
    let assume_role = AssumeRoleRequest::read(params, &cloud.switches.aliyun)?;
    let provider = params.required("OIDCProviderArn", &cloud.switches.aliyun)?;
    let token = params.text("OIDCToken").ok_or(api_error::NO_ID_TOKEN)?;
    if !is_arn(provider, "oidc-provider") {
        return Err(api_error::malformed("OIDCProviderArn"));
    }
    if !cloud.identity.has_provider(provider) {
        return Err(api_error::NO_ID_PROVIDER);
    }
    if !cloud.identity.accepts_id_token(provider, token) {
        return Err(api_error::FOREIGN_ID_TOKEN);
    }
    let seconds = session_length(params, known_role(cloud, &assume_role)?)?;
    let issued = cloud.issue_key(KeyKind::Temporary, seconds);
    Ok(envelope.success(&AssumeRoleResponse::of(&assume_role, &issued)))
}

/// The parameters of both calls.
struct AssumeRoleRequest<'a> {
    role: &'a str,
    session: &'a str,
}

impl<'a> AssumeRoleRequest<'a> {
    fn read(params: &'a Params, switches: &Switches) -> Result<Self, ApiError> {
        let role = params.required("RoleArn", switches)?;
        let session = params.required("RoleSessionName", switches)?;
        if !is_arn(role, "role") {
            return Err(api_error::malformed("RoleArn"));
        }
        if !is_session_name(session) {
            return Err(api_error::malformed("RoleSessionName"));
        }
        if params
            .text("Policy")
            .is_some_and(|policy| !is_policy(policy))
        {
            return Err(api_error::BAD_POLICY);
        }
        Ok(Self { role, session })
    }
}

fn known_role<'s>(
    cloud: &'s CloudState,
    assume_role: &AssumeRoleRequest<'_>,
) -> Result<&'s Role, ApiError> {
    cloud
        .identity
        .role_named(assume_role.role)
        .ok_or_else(|| api_error::no_role(assume_role.role))
}

fn session_length(params: &Params, role: &Role) -> Result<u64, ApiError> {
    let max_session = role.max_session(DEFAULT_SESSION);
    let Some(text) = params.text("DurationSeconds") else {
        return Ok(DEFAULT_SESSION.min(max_session));
    };
    text.parse()
        .ok()
        .filter(|seconds| (MIN_SESSION..=max_session).contains(seconds))
        .ok_or_else(|| api_error::bad_duration(max_session))
}

/// Reports whether the text has the form `acs:ram::ACCOUNT:KIND/NAME`.
fn is_arn(text: &str, kind: &str) -> bool {
    let Some((account, resource)) = text
        .strip_prefix("acs:ram::")
        .and_then(|rest| rest.split_once(':'))
    else {
        return false;
    };
    let name = resource
        .strip_prefix(kind)
        .and_then(|rest| rest.strip_prefix('/'));
    !account.is_empty()
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && name.is_some_and(|name| !name.is_empty())
}

/// Reports whether the text has 2 to 64 letters, digits and `.@-_` (documented).
fn is_session_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".@-_".contains(&byte);
    (2..=64).contains(&text.len()) && text.bytes().all(fits)
}

fn is_policy(text: &str) -> bool {
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AssumeRoleResponse<'a> {
    credentials: Credentials<'a>,
    assumed_role_user: AssumedRoleUser,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials<'a> {
    access_key_id: &'a str,
    access_key_secret: &'a str,
    security_token: &'a str,
    expiration: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedRoleUser {
    arn: String,
    assumed_role_id: String,
}

impl<'a> AssumeRoleResponse<'a> {
    fn of(assume_role: &AssumeRoleRequest<'_>, issued: &'a IssuedCredential) -> Self {
        Self {
            credentials: Credentials {
                access_key_id: &issued.key.id,
                access_key_secret: &issued.key.secret,
                security_token: issued.session(),
                expiration: expiration(issued),
            },
            assumed_role_user: AssumedRoleUser {
                arn: format!("{}/{}", assume_role.role, assume_role.session),
                assumed_role_id: format!("{ROLE_ID}:{}", assume_role.session),
            },
        }
    }
}

/// The id of all roles; the vendor's examples have 18 digits.
const ROLE_ID: &str = "344584339364951186";

/// Returns the expiry of a key in Alibaba's format (documented; the SDKs read no other format).
pub(super) fn expiration(issued: &IssuedCredential) -> String {
    write_utc("%Y-%m-%dT%H:%M:%SZ", issued.expires_at)
}

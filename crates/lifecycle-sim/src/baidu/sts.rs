//! Baidu's simulated Security Token Service: temporary keys.
//!
//! Paths, parameters, response and the two hours of a role's key are documented
//! (cloud.baidu.com/doc/IAM/s/Qjwvyc8ov); the default lifetimes are the values of the Go SDK
//! (vendor's source). No page lists the errors: [switches](super::switches) decide. A list of
//! permissions (ACL) in the body is parsed and has no effect.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    KeyKind, cloud_state::CloudState, request::ReceivedRequest, response::Response, time::write_utc,
};

use super::{
    api_error::{self, ApiError, success},
    switches::LongSession,
};

/// Issues a key with the caller's own permissions.
pub(super) fn session_token(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
) -> Result<Response, ApiError> {
    check_acl(request)?;
    let seconds = requested_seconds(request)?.unwrap_or(DEFAULT_LIFETIME);
    Ok(issue(cloud, seconds))
}

/// Issues a key for a role, which is named by account id and role name.
pub(super) fn assume_role(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
) -> Result<Response, ApiError> {
    check_acl(request)?;
    let parameter = |name: &str| {
        request
            .parameter(name)
            .filter(|value| !value.is_empty())
            .ok_or(api_error::BAD_REQUEST)
    };
    let name = format!("{}/{}", parameter("accountId")?, parameter("roleName")?);
    let max_session = match cloud.identity.role_named(&name) {
        Some(role) => role.max_session(DEFAULT_ROLE_LIFETIME),
        None => return Err(api_error::unknown_role(cloud)),
    };
    let seconds = requested_seconds(request)?.unwrap_or(DEFAULT_ROLE_LIFETIME.min(max_session));
    if seconds > max_session && cloud.switches.baidu.long_session == LongSession::Refused {
        return Err(api_error::BAD_REQUEST);
    }
    Ok(issue(cloud, seconds.min(max_session)))
}

/// The default lifetime: twelve hours, in seconds.
const DEFAULT_LIFETIME: u64 = 43_200;
/// The default lifetime of a role's key, and the default maximum: two hours, in seconds.
const DEFAULT_ROLE_LIFETIME: u64 = 7_200;

fn requested_seconds(request: &ReceivedRequest) -> Result<Option<u64>, ApiError> {
    let Some(text) = request.parameter("durationSeconds") else {
        return Ok(None);
    };
    match text.parse() {
        Ok(seconds) if seconds > 0 => Ok(Some(seconds)),
        _ => Err(api_error::BAD_REQUEST),
    }
}

fn check_acl(request: &ReceivedRequest) -> Result<(), ApiError> {
    if request.body.is_empty() || request.json::<Map<String, Value>>().is_ok() {
        return Ok(());
    }
    Err(api_error::MALFORMED_JSON)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Credential<'a> {
    access_key_id: &'a str,
    secret_access_key: &'a str,
    session_token: &'a str,
    create_time: String,
    expiration: String,
    user_id: &'static str,
}

fn issue(cloud: &mut CloudState, seconds: u64) -> Response {
    let issued = cloud.issue_key(KeyKind::Temporary, seconds);
    let request_id = cloud.uuid();
    let time = |at| write_utc("%Y-%m-%dT%H:%M:%SZ", at);
    success(
        &request_id,
        &Credential {
            access_key_id: &issued.key.id,
            secret_access_key: &issued.key.secret,
            session_token: issued.session(),
            create_time: time(issued.issued_at),
            expiration: time(issued.expires_at),
            user_id: USER_ID,
        },
    )
}

/// The owner of all keys.
const USER_ID: &str = "5e2f37952d3e4d5ca51bd5d4f3b0c8a1";

#[cfg(test)]
mod tests;

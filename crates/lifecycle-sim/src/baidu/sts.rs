//! The Security Token Service: temporary keys.
//!
//! Paths, parameters, answer and the two hours of a role's key are documented
//! (cloud.baidu.com/doc/IAM/s/Qjwvyc8ov), the usual lengths are those of the Go SDK (vendor's source).
//! No page lists its refusals: [switches](super::switches) decide. A list of permissions (ACL) in the
//! body is read and has no effect.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{KeyKind, request::Received, response::Response, site::Site, time::write_utc};

use super::{
    refusal::{self, Refusal, granted},
    switches::LongSession,
};

/// A key with the caller's own permissions.
pub(super) fn session_token(site: &mut Site, request: &Received) -> Result<Response, Refusal> {
    check_acl(request)?;
    let seconds = asked_length(request)?.unwrap_or(USUAL);
    Ok(answer(site, seconds))
}

/// A key for a role, by the account's id and the role's name.
pub(super) fn assume_role(site: &mut Site, request: &Received) -> Result<Response, Refusal> {
    check_acl(request)?;
    let parameter = |name: &str| {
        request
            .parameter(name)
            .filter(|value| !value.is_empty())
            .ok_or(refusal::BAD_REQUEST)
    };
    let name = format!("{}/{}", parameter("accountId")?, parameter("roleName")?);
    let longest = match site.identity.role_named(&name) {
        Some(role) => role.longest(USUAL_OF_ROLE),
        None => return Err(refusal::unknown_role(site)),
    };
    let seconds = asked_length(request)?.unwrap_or(USUAL_OF_ROLE.min(longest));
    if seconds > longest && site.switches.baidu.long_session == LongSession::Refused {
        return Err(refusal::BAD_REQUEST);
    }
    Ok(answer(site, seconds.min(longest)))
}

/// Twelve hours, in seconds.
const USUAL: u64 = 43_200;
/// Two hours, which is the longest session of a role, too.
const USUAL_OF_ROLE: u64 = 7_200;

fn asked_length(request: &Received) -> Result<Option<u64>, Refusal> {
    let Some(text) = request.parameter("durationSeconds") else {
        return Ok(None);
    };
    match text.parse() {
        Ok(seconds) if seconds > 0 => Ok(Some(seconds)),
        _ => Err(refusal::BAD_REQUEST),
    }
}

fn check_acl(request: &Received) -> Result<(), Refusal> {
    if request.body.is_empty() || request.json::<Map<String, Value>>().is_ok() {
        return Ok(());
    }
    Err(refusal::MALFORMED_JSON)
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

fn answer(site: &mut Site, seconds: u64) -> Response {
    let issued = site.hand_out(KeyKind::Temporary, seconds);
    let request_id = site.uuid();
    let time = |at| write_utc("%Y-%m-%dT%H:%M:%SZ", at);
    granted(
        &request_id,
        &Credential {
            access_key_id: &issued.key.id,
            secret_access_key: &issued.key.secret,
            session_token: issued.session(),
            create_time: time(issued.begins),
            expiration: time(issued.ends),
            user_id: USER,
        },
    )
}

/// Whom all keys belong to.
const USER: &str = "5e2f37952d3e4d5ca51bd5d4f3b0c8a1";

#[cfg(test)]
mod tests;

//! The Security Token Service, version 2015-04-01: keys for a role.
//!
//! Parameters, answers and the codes of wrong parameters are documented (RAM, "`AssumeRole`",
//! "`AssumeRoleWithOIDC`", "error codes"). A policy is read and has no effect, since permissions are not
//! simulated; what the token's issuer says of the caller (`OIDCTokenInfo`) is left out.

use serde::Serialize;

use super::{
    answer::Envelope,
    asked::Asked,
    refusal::{self, Refusal},
    switches::Switches,
};
use crate::{
    KeyKind,
    identity::{Issued, Role},
    response::Response,
    site::Site,
    time::write_utc,
};

/// The version of the service's API.
pub(super) const VERSION: &str = "2015-04-01";

/// The call that proves itself by an identity token instead of a signature.
pub(super) const UNSIGNED: &str = "AssumeRoleWithOIDC";

/// The length of a session in seconds, which is that of the longest one, too, unless the role has
/// another (documented).
const USUAL: u64 = 3600;
/// That of the shortest one (documented).
const SHORTEST: u64 = 900;

/// A key for the role, given to the holder of another key, which may be temporary itself.
pub(super) fn assume_role(
    site: &mut Site,
    asked: &Asked,
    envelope: &Envelope,
) -> Result<Response, Refusal> {
    let order = Order::read(asked, &site.switches.aliyun)?;
    let external_id = asked.text("ExternalId");
    let role = known_role(site, &order)?;
    if !role.is_for(external_id) {
        return Err(refusal::NO_ROLE_PERMISSION);
    }
    let seconds = session_length(asked, role)?;
    let issued = site.hand_out(KeyKind::Temporary, seconds);
    Ok(envelope.success(&Answer::of(&order, &issued)))
}

/// A key for the role, given to the holder of an identity token.
pub(super) fn assume_role_with_oidc(
    site: &mut Site,
    asked: &Asked,
    envelope: &Envelope,
) -> Result<Response, Refusal> {
    let order = Order::read(asked, &site.switches.aliyun)?;
    let provider = asked.required("OIDCProviderArn", &site.switches.aliyun)?;
    let token = asked.text("OIDCToken").ok_or(refusal::NO_ID_TOKEN)?;
    if !is_arn(provider, "oidc-provider") {
        return Err(refusal::malformed("OIDCProviderArn"));
    }
    if !site.identity.has_provider(provider) {
        return Err(refusal::NO_ID_PROVIDER);
    }
    if !site.identity.believes(provider, token) {
        return Err(refusal::FOREIGN_ID_TOKEN);
    }
    let seconds = session_length(asked, known_role(site, &order)?)?;
    let issued = site.hand_out(KeyKind::Temporary, seconds);
    Ok(envelope.success(&Answer::of(&order, &issued)))
}

/// What both calls ask for.
struct Order<'a> {
    role: &'a str,
    session: &'a str,
}

impl<'a> Order<'a> {
    fn read(asked: &'a Asked, switches: &Switches) -> Result<Self, Refusal> {
        let role = asked.required("RoleArn", switches)?;
        let session = asked.required("RoleSessionName", switches)?;
        if !is_arn(role, "role") {
            return Err(refusal::malformed("RoleArn"));
        }
        if !is_session_name(session) {
            return Err(refusal::malformed("RoleSessionName"));
        }
        if asked
            .text("Policy")
            .is_some_and(|policy| !is_policy(policy))
        {
            return Err(refusal::BAD_POLICY);
        }
        Ok(Self { role, session })
    }
}

fn known_role<'s>(site: &'s Site, order: &Order<'_>) -> Result<&'s Role, Refusal> {
    site.identity
        .role_named(order.role)
        .ok_or_else(|| refusal::no_role(order.role))
}

fn session_length(asked: &Asked, role: &Role) -> Result<u64, Refusal> {
    let longest = role.longest(USUAL);
    let Some(text) = asked.text("DurationSeconds") else {
        return Ok(USUAL.min(longest));
    };
    text.parse()
        .ok()
        .filter(|seconds| (SHORTEST..=longest).contains(seconds))
        .ok_or_else(|| refusal::bad_duration(longest))
}

/// `acs:ram::ACCOUNT:KIND/NAME`
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

/// 2 to 64 letters, digits and `.@-_` (documented).
fn is_session_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".@-_".contains(&byte);
    (2..=64).contains(&text.len()) && text.bytes().all(fits)
}

fn is_policy(text: &str) -> bool {
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
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

impl<'a> Answer<'a> {
    fn of(order: &Order<'_>, issued: &'a Issued) -> Self {
        Self {
            credentials: Credentials {
                access_key_id: &issued.key.id,
                access_key_secret: &issued.key.secret,
                security_token: issued.session(),
                expiration: expiration(issued),
            },
            assumed_role_user: AssumedRoleUser {
                arn: format!("{}/{}", order.role, order.session),
                assumed_role_id: format!("{ROLE_ID}:{}", order.session),
            },
        }
    }
}

/// All roles have the same id; the vendor's examples have 18 digits.
const ROLE_ID: &str = "344584339364951186";

/// The end of a key as Alibaba writes it (documented; the SDKs read no other form).
pub(super) fn expiration(issued: &Issued) -> String {
    write_utc("%Y-%m-%dT%H:%M:%SZ", issued.ends)
}

//! Temporary keys as Huawei's services write them.

use std::time::Duration;

use lifecycle_core::{
    Credential, Fault, FaultKind, HttpResponse, ResolvedCredential,
    credential_source::{read_expiry, without_excerpt},
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::fault;

/// Huawei's SDK fetches a new key when this much is left (`auth/credentials.py`). New ones appear
/// six hours before the end of one that lives for a day.
pub(crate) const RENEWAL: Duration = Duration::from_secs(40 * 60);

/// The key in a good answer, or why there is none.
pub(crate) fn read(reply: &HttpResponse, found: String) -> Result<ResolvedCredential, Fault> {
    fault::check(reply).map_err(without_excerpt)?;
    let Envelope {
        credential,
        credentials,
    } = json(reply)?;
    let key: Key = match credential.or(credentials) {
        Some(key) => key,
        None => json(reply)?,
    };
    let part = |name, value: Option<String>| {
        value
            .filter(|text| !text.trim().is_empty())
            .ok_or_else(|| unreadable(reply, &format!("it has no {name}")))
    };
    let credential = Credential::session(
        part("access key", key.access)?,
        part("secret key", key.secret)?,
        part("security token", key.token)?,
    );
    let expires = read_expiry(&part("end of the key", key.expires)?, reply)?;
    Ok(ResolvedCredential::new(credential, found).with_expiry(expires))
}

/// A body that holds secrets. The fault says where it is wrong, and shows nothing of it.
pub(crate) fn json<T: DeserializeOwned>(reply: &HttpResponse) -> Result<T, Fault> {
    serde_json::from_slice(reply.body()).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        unreadable(reply, &place)
    })
}

pub(crate) fn unreadable(reply: &HttpResponse, reason: &str) -> Fault {
    let message = format!("the answer with the key cannot be read ({reason})");
    Fault::new(FaultKind::Unreadable, message)
        .with_status(reply.status().as_u16())
        .with_request_id(fault::request_id(reply))
}

/// Where the key is: IAM and the metadata service have `credential`, STS has `credentials`; an agent
/// may have neither around it.
#[derive(Deserialize)]
struct Envelope {
    credential: Option<Key>,
    credentials: Option<Key>,
}

/// The names of the parts differ from service to service; Huawei's SDK takes all of them from each.
#[derive(Deserialize)]
struct Key {
    #[serde(alias = "accessKeyId", alias = "access_key_id")]
    access: Option<String>,
    #[serde(alias = "secretAccessKey", alias = "secret_access_key")]
    secret: Option<String>,
    #[serde(
        rename = "securitytoken",
        alias = "securityToken",
        alias = "security_token"
    )]
    token: Option<String>,
    #[serde(rename = "expires_at", alias = "expiration")]
    expires: Option<String>,
}

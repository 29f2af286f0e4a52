//! Temporary keys in the responses of Huawei's services. Response bodies hold secrets, so a fault
//! never quotes a body.

use std::time::Duration;

use lifecycle_core::{
    Credential, Fault, FaultKind, HttpResponse, ResolvedCredential,
    credential_source::{read_expiry, without_excerpt},
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::fault;

/// The time before the expiry of a key at which Huawei's SDK fetches a new key
/// (`auth/credentials.py`). The metadata service has a new key six hours before the expiry.
pub(crate) const RENEW_BEFORE_EXPIRY: Duration = Duration::from_secs(40 * 60);

/// Reads the key in a response.
pub(crate) fn read(response: &HttpResponse, source: String) -> Result<ResolvedCredential, Fault> {
    fault::check(response).map_err(without_excerpt)?;
    let Body {
        credential,
        credentials,
    } = json(response)?;
    let key: KeyFields = match credential.or(credentials) {
        Some(key) => key,
        None => json(response)?,
    };
    let required = |name, value: Option<String>| {
        value
            .filter(|text| !text.trim().is_empty())
            .ok_or_else(|| unreadable(response, &format!("no {name}")))
    };
    let credential = Credential::session(
        required("access key", key.access)?,
        required("secret key", key.secret)?,
        required("security token", key.token)?,
    );
    let expires = read_expiry(&required("expiry", key.expires)?, response)?;
    Ok(ResolvedCredential::new(credential, source).with_expiry(expires))
}

/// Parses a JSON body. A fault has the position of the error only.
pub(crate) fn json<T: DeserializeOwned>(response: &HttpResponse) -> Result<T, Fault> {
    serde_json::from_slice(response.body()).map_err(|error| {
        let position = format!("line {}, column {}", error.line(), error.column());
        unreadable(response, &position)
    })
}

pub(crate) fn unreadable(response: &HttpResponse, reason: &str) -> Fault {
    let message = format!("cannot read the response with the key ({reason})");
    Fault::new(FaultKind::Unreadable, message)
        .with_status(response.status().as_u16())
        .with_request_id(fault::request_id(response))
}

/// The wrappers of a key: `credential` of IAM and the metadata service, `credentials` of STS. The
/// response of a pod identity agent may have no wrapper.
#[derive(Deserialize)]
struct Body {
    credential: Option<KeyFields>,
    credentials: Option<KeyFields>,
}

/// The fields of a key. The names depend on the service; like Huawei's SDK, every name is accepted
/// from every service.
#[derive(Deserialize)]
struct KeyFields {
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

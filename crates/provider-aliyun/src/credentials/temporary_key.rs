//! Responses of Alibaba's key services (STS, metadata service, credentials URI): the temporary key,
//! or a fault. Response bodies hold secrets, so a fault never quotes a body.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Method, header};
use lifecycle_core::{
    Credential, Endpoint, Fault, FaultKind, HttpResponse, LenientObject, LenientText,
    ResolvedCredential,
    credential_source::{read_expiry, without_excerpt},
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::fault;

/// The vendor's library fetches a new key this long before the expiry.
pub(super) const RENEW_BEFORE_EXPIRY: Duration = Duration::from_secs(15 * 60);

/// The fields of a temporary key.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct KeyFields {
    access_key_id: LenientText,
    access_key_secret: LenientText,
    security_token: LenientText,
    expiration: LenientText,
}

/// The response body of STS.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct StsBody {
    credentials: LenientObject<KeyFields>,
}

/// The response body of the metadata service and of credentials URIs.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct MetadataBody {
    code: LenientText,
    #[serde(flatten)]
    key: KeyFields,
}

/// Reads the key in a response of STS. `source` describes the source of the key to people.
pub(super) fn read_sts_response(
    response: &HttpResponse,
    source: &str,
) -> Result<ResolvedCredential, Fault> {
    check_status(response)?;
    let body: StsBody = parse_json(response)?;
    credential_from(body.credentials.0.unwrap_or_default(), response, source)
}

/// Reads the key in a response of the metadata service or of a credentials URI. `source` describes
/// the source of the key to people.
pub(super) fn read_metadata_response(
    response: &HttpResponse,
    source: &str,
) -> Result<ResolvedCredential, Fault> {
    check_status(response)?;
    let body: MetadataBody = parse_json(response)?;
    match body.code.0.as_deref() {
        None | Some("Success") => credential_from(body.key, response, source),
        Some(code) => Err(
            Fault::new(FaultKind::Credential, "the service returned no key")
                .with_code(code)
                .with_status(response.status().as_u16()),
        ),
    }
}

/// Returns the fault of an error response.
pub(super) fn check_status(response: &HttpResponse) -> Result<(), Fault> {
    fault::check(response).map_err(without_excerpt)
}

/// Appends `context` to the message of the service.
pub(super) fn with_context(fault: Fault, context: &str) -> Fault {
    let message = match fault.message() {
        "" => context.to_owned(),
        message => format!("{message} ({context})"),
    };
    fault.with_message(message)
}

/// Builds an unsigned request without a body.
pub(super) fn request_without_body(
    method: Method,
    endpoint: &Endpoint,
    target: String,
) -> Result<http::Request<Bytes>, Fault> {
    let mut request = http::Request::new(Bytes::new());
    *request.method_mut() = method;
    // The fault does not repeat the target, which may hold a token.
    *request.uri_mut() = endpoint.uri(target).map_err(|_| {
        Fault::new(
            FaultKind::Credential,
            format!("cannot request a key from {endpoint}: invalid URL"),
        )
    })?;
    let host = lifecycle_core::header(endpoint.authority())?;
    request.headers_mut().insert(header::HOST, host);
    Ok(request)
}

fn parse_json<T: DeserializeOwned>(response: &HttpResponse) -> Result<T, Fault> {
    serde_json::from_slice(response.body())
        .map_err(|_| unreadable_fault(response, "the response with the key is not valid JSON"))
}

fn credential_from(
    key: KeyFields,
    response: &HttpResponse,
    source: &str,
) -> Result<ResolvedCredential, Fault> {
    let required = |field: LenientText, name: &str| {
        let missing = || unreadable_fault(response, &format!("the response has no {name}"));
        field.0.ok_or_else(missing)
    };
    let id = required(key.access_key_id, "AccessKeyId")?;
    let secret = required(key.access_key_secret, "AccessKeySecret")?;
    let token = required(key.security_token, "SecurityToken")?;
    let expiration = required(key.expiration, "Expiration")?;
    let expires: SystemTime = read_expiry(&expiration, response)?;
    let resolved = ResolvedCredential::new(Credential::session(id, secret, token), source);
    Ok(resolved
        .with_expiry(expires)
        .with_renewal(RENEW_BEFORE_EXPIRY))
}

fn unreadable_fault(response: &HttpResponse, message: &str) -> Fault {
    Fault::new(FaultKind::Unreadable, message)
        .with_status(response.status().as_u16())
        .with_request_id(fault::request_id(response))
}

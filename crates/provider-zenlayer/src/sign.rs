//! The signature `ZC2-HMAC-SHA256` of Zenlayer, in the order of the vendor page:
//! <https://docs.console.zenlayer.com/api-reference/api-introduction/instruction/sign>.
//!
//! The signature covers the content type, the host and the body, but not the action, the version and
//! the path.

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Request,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};
use lifecycle_core::{
    Credential, Endpoint, Fault, FaultKind, SigningContext, UnsignedRequest, encode, header,
    sensitive_header,
};

/// Signs one attempt to send `unsigned` with an access key, or adds a token instead of a signature:
/// <https://docs.console.zenlayer.com/api-reference/api-introduction/instruction/authentication/access-token>
pub(crate) fn sign(
    endpoint: &Endpoint,
    unsigned: &UnsignedRequest,
    key: &Credential,
    context: &SigningContext,
) -> Result<Request<Bytes>, Fault> {
    let (authorization, timestamp) = match key {
        Credential::Keys {
            id,
            secret,
            session: None,
        } => {
            let timestamp = context.unix().to_string();
            let payload_hash = encode::sha256_hex(&unsigned.body);
            let canonical_request = canonical_request(JSON, endpoint.authority(), &payload_hash);
            let hash = encode::sha256_hex_of(&canonical_request);
            let signature = signature(secret.expose(), &string_to_sign(&timestamp, &hash));
            (authorization(id, &signature), Some(timestamp))
        }
        Credential::Token(token) => (["Bearer ", token.expose()].concat(), None),
        _ => {
            let message = "Zenlayer has no temporary access keys";
            return Err(Fault::new(FaultKind::Credential, message));
        }
    };

    let mut request = Request::new(unsigned.body.clone());
    *request.method_mut() = unsigned.method.clone();
    *request.uri_mut() = endpoint
        .uri(unsigned.target())
        .map_err(|error| Fault::new(FaultKind::Invalid, error.to_string()))?;
    let headers = request.headers_mut();
    headers.reserve(8);
    headers.insert(HOST, endpoint.host_header());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(&ACTION, header(unsigned.operation)?);
    headers.insert(&VERSION, HeaderValue::from_static("2025-09-01"));
    // Not on the vendor page, but in the requests of all SDKs of Zenlayer.
    headers.insert(&SERVICE, HeaderValue::from_static("zec"));
    if let Some(timestamp) = timestamp {
        headers.insert(&SIGNATURE_METHOD, HeaderValue::from_static(ALGORITHM));
        headers.insert(&TIMESTAMP, header(timestamp)?);
    }
    headers.insert(AUTHORIZATION, sensitive_header(authorization)?);
    Ok(request)
}

static ACTION: HeaderName = HeaderName::from_static("x-zc-action");
static VERSION: HeaderName = HeaderName::from_static("x-zc-version");
static SERVICE: HeaderName = HeaderName::from_static("x-zc-service");
static SIGNATURE_METHOD: HeaderName = HeaderName::from_static("x-zc-signature-method");
static TIMESTAMP: HeaderName = HeaderName::from_static("x-zc-timestamp");

const ALGORITHM: &str = "ZC2-HMAC-SHA256";
const JSON: &str = "application/json";
const SIGNED_HEADERS: &str = "content-type;host";

/// Returns the parts of the canonical request, with a slash as path and an empty query for every
/// request. The concatenation is only hashed, never built.
fn canonical_request<'a>(
    content_type: &'a str,
    host: &'a str,
    payload_hash: &'a str,
) -> [&'a str; 8] {
    [
        "POST\n/\n\ncontent-type:",
        content_type,
        "\nhost:",
        host,
        "\n\n",
        SIGNED_HEADERS,
        "\n",
        payload_hash,
    ]
}

/// Returns the parts of the string to sign. `hash` is the hash of the canonical request.
fn string_to_sign<'a>(timestamp: &'a str, hash: &'a str) -> [&'a str; 5] {
    [ALGORITHM, "\n", timestamp, "\n", hash]
}

fn signature(secret: &str, string_to_sign: &[&str]) -> String {
    encode::hmac_sha256_hex_of(secret.as_bytes(), string_to_sign)
}

fn authorization(key_id: &str, signature: &str) -> String {
    [
        ALGORITHM,
        " Credential=",
        key_id,
        ", SignedHeaders=",
        SIGNED_HEADERS,
        ", Signature=",
        signature,
    ]
    .concat()
}

#[cfg(test)]
pub(crate) mod tests;

//! The V3 signature, `ACS3-HMAC-SHA256`, in the order of the vendor's page:
//! <https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature>

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use lifecycle_core::{
    Credential, Endpoint, Fault, FaultKind, SigningContext, UnsignedRequest, encode,
    sensitive_header,
};

use crate::wire::VERSION;

const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// Signs one attempt. The query of the unsigned request is in canonical order already.
pub(crate) fn sign(
    endpoint: &Endpoint,
    request: &UnsignedRequest,
    key: &Credential,
    ctx: &SigningContext,
) -> Result<http::Request<Bytes>, Fault> {
    let Credential::Keys {
        id,
        secret,
        session,
    } = key
    else {
        return Err(Fault::new(
            FaultKind::Credential,
            "Alibaba Cloud ECS requires an access key; a token alone is not accepted",
        ));
    };
    let payload = payload_hash(&request.body);
    let (date, nonce) = (ctx.extended(), ctx.nonce());
    let mut headers = vec![
        ("accept", "application/json"),
        ("host", endpoint.authority()),
        ("x-acs-action", request.operation),
        ("x-acs-content-sha256", &payload),
        ("x-acs-date", &date),
        ("x-acs-signature-nonce", &nonce),
        ("x-acs-version", VERSION),
    ];
    if let Some(session) = session {
        headers.push(("x-acs-accesskey-id", id));
        headers.push((SECURITY_TOKEN, session.expose()));
    }
    let signed_headers = canonical_headers(&headers);
    let hash = encode::sha256_hex_of(&canonical_request(
        request.method.as_str(),
        &request.path,
        &request.query,
        &signed_headers,
        &payload,
    ));
    let names = &signed_headers.names;
    let authorization = authorization(id, secret.expose(), names, &string_to_sign(&hash));

    let mut signed = http::Request::new(request.body.clone());
    *signed.method_mut() = request.method.clone();
    *signed.uri_mut() = endpoint
        .uri(request.target())
        .map_err(|error| Fault::new(FaultKind::Invalid, error.to_string()))?;
    let headers = signed.headers_mut();
    headers.reserve(12);
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(header::HOST, endpoint.host_header());
    headers.insert(&ACTION, HeaderValue::from_static(request.operation));
    headers.insert(&CONTENT, lifecycle_core::header(payload)?);
    headers.insert(&DATE, lifecycle_core::header(date)?);
    headers.insert(&NONCE, lifecycle_core::header(nonce)?);
    headers.insert(&API_VERSION, HeaderValue::from_static(VERSION));
    if let Some(session) = session {
        headers.insert("x-acs-accesskey-id", lifecycle_core::header(id.clone())?);
        headers.insert(SECURITY_TOKEN, sensitive_header(session.expose())?);
    }
    headers.insert(header::AUTHORIZATION, sensitive_header(authorization)?);
    // Explicit, because HTTP clients omit the header in a POST without a body.
    headers.insert(
        header::CONTENT_LENGTH,
        HeaderValue::from(request.body.len()),
    );
    Ok(signed)
}

static ACTION: HeaderName = HeaderName::from_static("x-acs-action");
static CONTENT: HeaderName = HeaderName::from_static("x-acs-content-sha256");
static DATE: HeaderName = HeaderName::from_static("x-acs-date");
static NONCE: HeaderName = HeaderName::from_static("x-acs-signature-nonce");
static API_VERSION: HeaderName = HeaderName::from_static("x-acs-version");
const SECURITY_TOKEN: &str = "x-acs-security-token";

fn payload_hash(body: &[u8]) -> Cow<'static, str> {
    match body {
        [] => encode::SHA256_OF_NOTHING.into(),
        body => encode::sha256_hex(body).into(),
    }
}

/// The signed headers in canonical form.
struct SignedHeaders {
    /// `name:value` lines, each with a line feed.
    lines: String,
    /// Names, joined by semicolons.
    names: String,
}

/// Converts names to lower case, trims values, sorts by name, and joins the values of equal names.
fn canonical_headers(headers: &[(&str, &str)]) -> SignedHeaders {
    let mut sorted: Vec<(Cow<'_, str>, &str)> = headers
        .iter()
        .map(|(name, value)| (lower_case(name), value.trim_ascii()))
        .collect();
    sorted.sort_unstable();
    let mut lines = String::with_capacity(512);
    let mut names = String::with_capacity(192);
    for group in sorted.chunk_by(|(a, _), (b, _)| a == b) {
        let Some((name, _)) = group.first() else {
            continue;
        };
        if !names.is_empty() {
            names.push(';');
        }
        names.push_str(name);
        lines.push_str(name);
        let mut separator = ':';
        for (_, value) in group {
            lines.push(separator);
            lines.push_str(value);
            separator = ',';
        }
        lines.push('\n');
    }
    SignedHeaders { lines, names }
}

/// Returns the parts of the canonical request, in order. The concatenation is only hashed, never built.
fn canonical_request<'a>(
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: &'a SignedHeaders,
    payload: &'a str,
) -> [&'a str; 11] {
    let path = if path.is_empty() { "/" } else { path };
    let SignedHeaders { lines, names } = headers;
    [
        method, "\n", path, "\n", query, "\n", lines, "\n", names, "\n", payload,
    ]
}

/// Returns the parts of the string to sign. `hash` is the hash of the canonical request.
fn string_to_sign(hash: &str) -> [&str; 3] {
    [ALGORITHM, "\n", hash]
}

/// Returns the value of the `Authorization` header. The HMAC key is the secret itself, not a
/// derived key.
fn authorization(id: &str, secret: &str, names: &str, string_to_sign: &[&str]) -> String {
    let signature = encode::hmac_sha256_hex_of(secret.as_bytes(), string_to_sign);
    [
        ALGORITHM,
        " Credential=",
        id,
        ",SignedHeaders=",
        names,
        ",Signature=",
        &signature,
    ]
    .concat()
}

fn lower_case(name: &str) -> Cow<'_, str> {
    let is_lower = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    if name.bytes().all(is_lower) {
        name.into()
    } else {
        name.to_lowercase().into()
    }
}

#[cfg(test)]
pub(crate) mod tests;

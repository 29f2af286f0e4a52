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

/// One attempt, signed. The query of a draft is in canonical order from the start.
pub(crate) fn sign(
    endpoint: &Endpoint,
    draft: &UnsignedRequest,
    key: &Credential,
    at: &SigningContext,
) -> Result<http::Request<Bytes>, Fault> {
    let Credential::Keys {
        id,
        secret,
        session,
    } = key
    else {
        return Err(Fault::new(
            FaultKind::Credential,
            "Alibaba Cloud ECS takes an access key, not a token alone",
        ));
    };
    let payload = payload_hash(&draft.body);
    let (date, nonce) = (at.extended(), at.nonce());
    let mut headers = vec![
        ("accept", "application/json"),
        ("host", endpoint.authority()),
        ("x-acs-action", draft.operation),
        ("x-acs-content-sha256", &payload),
        ("x-acs-date", &date),
        ("x-acs-signature-nonce", &nonce),
        ("x-acs-version", VERSION),
    ];
    if let Some(session) = session {
        headers.push(("x-acs-accesskey-id", id));
        headers.push((SECURITY_TOKEN, session.expose()));
    }
    let signed = canonical_headers(&headers);
    let text = string_to_sign(canonical_request(
        draft.method.as_str(),
        &draft.path,
        &draft.query,
        &signed,
        &payload,
    ));
    let authorization = authorization(id, secret.expose(), &signed.names, &text);

    let mut request = http::Request::new(draft.body.clone());
    *request.method_mut() = draft.method.clone();
    *request.uri_mut() = endpoint
        .uri(draft.target())
        .map_err(|error| Fault::new(FaultKind::Invalid, error.to_string()))?;
    let sent = request.headers_mut();
    sent.reserve(12);
    sent.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    sent.insert(header::HOST, lifecycle_core::header(endpoint.authority())?);
    sent.insert(&ACTION, HeaderValue::from_static(draft.operation));
    sent.insert(&CONTENT, lifecycle_core::header(payload)?);
    sent.insert(&DATE, lifecycle_core::header(date)?);
    sent.insert(&NONCE, lifecycle_core::header(nonce)?);
    sent.insert(&API_VERSION, HeaderValue::from_static(VERSION));
    if let Some(session) = session {
        sent.insert("x-acs-accesskey-id", lifecycle_core::header(id.clone())?);
        sent.insert(SECURITY_TOKEN, sensitive_header(session.expose())?);
    }
    sent.insert(header::AUTHORIZATION, sensitive_header(authorization)?);
    // Said aloud, because HTTP clients leave it out of a POST without a body.
    sent.insert(header::CONTENT_LENGTH, HeaderValue::from(draft.body.len()));
    Ok(request)
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

/// Headers as they are signed.
struct SignedHeaders {
    /// `name:value` lines, each with its line feed.
    lines: String,
    /// The names, joined by semicolons.
    names: String,
}

/// Names in lower case, values trimmed, sorted by name; values of a repeated name are joined.
fn canonical_headers(headers: &[(&str, &str)]) -> SignedHeaders {
    let mut sorted: Vec<(Cow<'_, str>, &str)> = headers
        .iter()
        .map(|(name, value)| (lower_case(name), value.trim()))
        .collect();
    sorted.sort_unstable();
    let mut lines = String::with_capacity(512);
    let mut names = String::with_capacity(192);
    for same in sorted.chunk_by(|(one, _), (other, _)| one == other) {
        let Some((name, _)) = same.first() else {
            continue;
        };
        if !names.is_empty() {
            names.push(';');
        }
        names.push_str(name);
        lines.push_str(name);
        let mut separator = ':';
        for (_, value) in same {
            lines.push(separator);
            lines.push_str(value);
            separator = ',';
        }
        lines.push('\n');
    }
    SignedHeaders { lines, names }
}

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

fn string_to_sign(canonical_request: [&str; 11]) -> String {
    let hash = encode::sha256_hex_of(&canonical_request);
    [ALGORITHM, "\n", &hash].concat()
}

/// The value of the `Authorization` header. The secret is the key as it is: nothing is derived.
fn authorization(id: &str, secret: &str, names: &str, string_to_sign: &str) -> String {
    let signature = encode::hmac_sha256_hex(secret.as_bytes(), string_to_sign.as_bytes());
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

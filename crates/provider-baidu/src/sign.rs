//! Baidu's signature `bce-auth-v1`, in the order of its page:
//! <https://cloud.baidu.com/doc/Reference/s/njwvz1yfu>.
//!
//! Signed are `host`, `x-bce-date` and, with a temporary key, its session token. The
//! `Authorization` header names exactly these, so a proxy may touch all others.

use std::borrow::Cow;

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Method, Request,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};
use lifecycle_core::{
    Credential, Endpoint, Fault, FaultKind, Secret, SigningContext, UnsignedRequest, encode,
    header, sensitive_header,
};

/// One attempt at `draft`, signed.
pub(crate) fn sign(
    endpoint: &Endpoint,
    draft: &UnsignedRequest,
    key: &Credential,
    at: &SigningContext,
) -> Result<Request<Bytes>, Fault> {
    let Credential::Keys {
        id,
        secret,
        session,
    } = key
    else {
        return Err(refused_key("Baidu takes access keys, not bearer tokens"));
    };
    let date = at.extended();
    let session = session.as_ref().map(Secret::expose);
    let mut to_sign = Vec::with_capacity(3);
    to_sign.push(("host", endpoint.authority()));
    to_sign.push((DATE.as_str(), &date));
    to_sign.extend(session.map(|token| (SESSION.as_str(), token)));

    let prefix = auth_string_prefix(id, &date, EXPIRY_SECONDS);
    let signing_key = signing_key(secret.expose(), &prefix);
    let canonical_request = canonical_request(
        &draft.method,
        &canonical_uri(&draft.path),
        &canonical_query(&draft.query),
        &canonical_headers(&to_sign),
    );
    let signature = signature(&signing_key, &canonical_request);
    let authorization = authorization(&prefix, &signed_headers(&to_sign), &signature);

    let mut request = Request::new(draft.body.clone());
    *request.method_mut() = draft.method.clone();
    *request.uri_mut() = endpoint
        .uri(draft.target())
        .map_err(|error| Fault::new(FaultKind::Invalid, error.to_string()))?;
    let headers = request.headers_mut();
    headers.reserve(5);
    headers.insert(HOST, header(endpoint.authority())?);
    headers.insert(CONTENT_TYPE, JSON.clone());
    headers.insert(AUTHORIZATION, sensitive_header(authorization)?);
    if let Some(token) = session {
        headers.insert(&SESSION, sensitive_header(token)?);
    }
    headers.insert(&DATE, header(date)?);
    Ok(request)
}

static DATE: HeaderName = HeaderName::from_static("x-bce-date");
static SESSION: HeaderName = HeaderName::from_static("x-bce-security-token");
static JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// How long a signature is good for: the default of all of Baidu's SDKs.
const EXPIRY_SECONDS: i64 = 1800;

fn auth_string_prefix(key_id: &str, date: &str, expiry_seconds: i64) -> String {
    let expiry = expiry_seconds.to_string();
    ["bce-auth-v1", key_id, date, &expiry].join("/")
}

/// The key of the signature is this text itself, not the bytes that its digits stand for.
fn signing_key(secret: &str, prefix: &str) -> String {
    encode::hmac_sha256_hex(secret.as_bytes(), prefix.as_bytes())
}

fn canonical_request(method: &Method, uri: &str, query: &str, headers: &str) -> String {
    [method.as_str(), uri, query, headers].join("\n")
}

/// `path` is percent-encoded already, as a draft has it; only a missing slash is added.
fn canonical_uri(path: &str) -> Cow<'_, str> {
    if path.starts_with('/') {
        path.into()
    } else {
        ["/", path].concat().into()
    }
}

/// `query` is percent-encoded already, as a draft has it. A key without a value gets its equals
/// sign, which it need not have on the wire. The finished pairs are sorted, not the keys.
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<Cow<'_, str>> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((key, _)) => (key, pair.into()),
            None => (pair, [pair, "="].concat().into()),
        })
        .filter(|(key, _)| !key.eq_ignore_ascii_case("authorization"))
        .map(|(_, pair)| pair)
        .collect();
    pairs.sort_unstable();
    pairs.join("&")
}

/// The lines of all headers that have a value. The finished lines are sorted, not the names.
fn canonical_headers(headers: &[(&str, &str)]) -> String {
    let mut lines: Vec<String> = present(headers)
        .map(|(name, value)| [&encode::percent(&name), ":", &encode::percent(value)].concat())
        .collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// The names of the same headers, in alphabetical order.
fn signed_headers(headers: &[(&str, &str)]) -> String {
    let mut names: Vec<Cow<'_, str>> = present(headers).map(|(name, _)| name).collect();
    names.sort_unstable();
    names.join(";")
}

/// Names in lower case, values without white space at the ends; a header without a value counts as
/// absent.
fn present<'a>(headers: &[(&'a str, &'a str)]) -> impl Iterator<Item = (Cow<'a, str>, &'a str)> {
    headers
        .iter()
        .map(|&(name, value)| (lower_case(name), value.trim()))
        .filter(|(_, value)| !value.is_empty())
}

fn lower_case(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        name.to_ascii_lowercase().into()
    } else {
        name.into()
    }
}

/// The canonical request is what is signed; there is no further string to sign.
fn signature(signing_key: &str, canonical_request: &str) -> String {
    encode::hmac_sha256_hex(signing_key.as_bytes(), canonical_request.as_bytes())
}

fn authorization(prefix: &str, signed_headers: &str, signature: &str) -> String {
    [prefix, signed_headers, signature].join("/")
}

fn refused_key(message: &str) -> Fault {
    Fault::new(FaultKind::Credential, message)
}

#[cfg(test)]
pub(crate) mod tests;

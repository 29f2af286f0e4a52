//! The signature `bce-auth-v1` of Baidu. The functions follow the steps of the vendor's page:
//! <https://cloud.baidu.com/doc/Reference/s/njwvz1yfu>.
//!
//! The signature covers the method, the path, the query, and three headers: `host`, `x-bce-date` and
//! the session token of a temporary key. The `Authorization` header lists the signed headers, so a
//! proxy may change the other headers.

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

/// Signs `unsigned` for one attempt.
pub(crate) fn sign(
    endpoint: &Endpoint,
    unsigned: &UnsignedRequest,
    key: &Credential,
    context: &SigningContext,
) -> Result<Request<Bytes>, Fault> {
    let Credential::Keys {
        id,
        secret,
        session,
    } = key
    else {
        let message = "Baidu accepts access keys, not bearer tokens";
        return Err(Fault::new(FaultKind::Credential, message));
    };
    let date = context.extended();
    let session = session.as_ref().map(Secret::expose);
    let mut to_sign = Vec::with_capacity(3);
    to_sign.push(("host", endpoint.authority()));
    to_sign.push((DATE.as_str(), &date));
    to_sign.extend(session.map(|token| (SECURITY_TOKEN.as_str(), token)));

    let prefix = auth_string_prefix(id, &date, VALIDITY_SECONDS);
    let signing_key = signing_key(secret.expose(), &prefix);
    let signature = signature(
        &signing_key,
        &canonical_request(
            &unsigned.method,
            &canonical_uri(&unsigned.path),
            &canonical_query(&unsigned.query),
            &canonical_headers(&to_sign),
        ),
    );
    let authorization = authorization(&prefix, &signed_headers(&to_sign), &signature);

    let mut request = Request::new(unsigned.body.clone());
    *request.method_mut() = unsigned.method.clone();
    *request.uri_mut() = endpoint
        .uri(unsigned.target())
        .map_err(|error| Fault::new(FaultKind::Invalid, error.to_string()))?;
    let headers = request.headers_mut();
    headers.reserve(5);
    headers.insert(HOST, endpoint.host_header());
    headers.insert(CONTENT_TYPE, JSON.clone());
    headers.insert(AUTHORIZATION, sensitive_header(authorization)?);
    if let Some(token) = session {
        headers.insert(&SECURITY_TOKEN, sensitive_header(token)?);
    }
    headers.insert(&DATE, header(date)?);
    Ok(request)
}

static DATE: HeaderName = HeaderName::from_static("x-bce-date");
static SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-bce-security-token");
static JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// The validity of a signature: the default of Baidu's SDKs.
const VALIDITY_SECONDS: &str = "1800";

fn auth_string_prefix(key_id: &str, date: &str, expiry_seconds: &str) -> String {
    ["bce-auth-v1/", key_id, "/", date, "/", expiry_seconds].concat()
}

/// Returns the key of the signature as hex text. The vendor uses the hex digits themselves as the HMAC
/// key, not the bytes that the digits encode.
fn signing_key(secret: &str, prefix: &str) -> String {
    encode::hmac_sha256_hex(secret.as_bytes(), prefix.as_bytes())
}

/// Returns the parts of the canonical request, in order. The concatenation is only hashed, never built.
fn canonical_request<'a>(
    method: &'a Method,
    uri: &'a str,
    query: &'a str,
    headers: &'a str,
) -> [&'a str; 7] {
    [method.as_str(), "\n", uri, "\n", query, "\n", headers]
}

/// Returns the canonical path of a percent-encoded path: adds a missing slash at the beginning.
fn canonical_uri(path: &str) -> Cow<'_, str> {
    if path.starts_with('/') {
        path.into()
    } else {
        ["/", path].concat().into()
    }
}

/// Returns the canonical query of a percent-encoded query. A key without a value gets an equals sign,
/// which the sent query may lack. Whole pairs are sorted: `a-b=` comes before `a=`.
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

/// Returns the lines of all headers with a value. Whole lines are sorted: `a-b:` comes before
/// `a:`.
fn canonical_headers(headers: &[(&str, &str)]) -> String {
    let mut lines: Vec<String> = non_empty_headers(headers)
        .map(|(name, value)| [&encode::percent(&name), ":", &encode::percent(value)].concat())
        .collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// Returns the names of all headers with a value, in alphabetical order.
fn signed_headers(headers: &[(&str, &str)]) -> String {
    let mut names: Vec<Cow<'_, str>> = non_empty_headers(headers).map(|(name, _)| name).collect();
    names.sort_unstable();
    names.join(";")
}

/// Returns names in lower case and trimmed values of the headers with a value.
fn non_empty_headers<'a>(
    headers: &[(&'a str, &'a str)],
) -> impl Iterator<Item = (Cow<'a, str>, &'a str)> {
    headers
        .iter()
        .map(|&(name, value)| (lower_case(name), value.trim_ascii()))
        .filter(|(_, value)| !value.is_empty())
}

fn lower_case(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        name.to_ascii_lowercase().into()
    } else {
        name.into()
    }
}

/// Signs the canonical request itself: the signature has no further string to sign.
fn signature(signing_key: &str, canonical_request: &[&str]) -> String {
    encode::hmac_sha256_hex_of(signing_key.as_bytes(), canonical_request)
}

fn authorization(prefix: &str, signed_headers: &str, signature: &str) -> String {
    [prefix, "/", signed_headers, "/", signature].concat()
}

#[cfg(test)]
pub(crate) mod tests;

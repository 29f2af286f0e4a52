//! Huawei's signature `SDK-HMAC-SHA256`, in the order of its page:
//! <https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-algorithm-001.html>.
//!
//! Everything that this crate sends is signed, but for `Authorization` itself. A token is sent as
//! it is, without a signature.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderName, Method, Request};
use lifecycle_core::{
    Credential, Endpoint, Fault, FaultKind, Secret, SigningContext, UnsignedRequest, encode,
    header, sensitive_header,
};
use percent_encoding::percent_decode_str;

/// One attempt at `draft`, signed, or with a token. Calls of a service that has projects name theirs.
pub(crate) fn sign(
    endpoint: &Endpoint,
    project_id: Option<&str>,
    draft: &UnsignedRequest,
    key: &Credential,
    at: &SigningContext,
) -> Result<Request<Bytes>, Fault> {
    let query = canonical_query(&draft.query);
    let mut headers = Vec::with_capacity(6);
    headers.push(("host", endpoint.authority()));
    if draft.method == Method::POST {
        headers.push(("content-type", "application/json;charset=utf-8"));
    }
    let (id, secret, session) = match key {
        Credential::Keys {
            id,
            secret,
            session,
        } => (id, secret, session),
        Credential::Token(token) => {
            headers.push(("x-auth-token", token.expose()));
            return request(endpoint, draft, &query, &headers);
        }
        _ => {
            return Err(Fault::new(
                FaultKind::Credential,
                "Huawei takes access keys and tokens only",
            ));
        }
    };
    let date = at.basic();
    headers.push(("x-sdk-date", &date));
    headers.extend(project_id.map(|id| ("x-project-id", id)));
    headers.extend(
        session
            .iter()
            .map(|token| ("x-security-token", token.expose())),
    );

    let signed = signed(&headers);
    let names = signed_headers(&signed);
    let canonical_request = canonical_request(
        draft.method.as_str(),
        &canonical_uri(&draft.path),
        &query,
        &canonical_headers(&signed),
        &names,
        &payload_hash(&signed, &draft.body),
    );
    let string_to_sign = string_to_sign(&date, &canonical_request);
    let authorization = authorization(id, secret, &names, &string_to_sign);
    headers.push(("authorization", &authorization));
    request(endpoint, draft, &query, &headers)
}

/// Name and value of a header.
type Header<'a> = (Cow<'a, str>, &'a str);

/// The headers as the signature has them: names in lower case and in order, values without white
/// space at the ends. A name with an underscore is not signed.
fn signed<'a>(headers: &[(&'a str, &'a str)]) -> Vec<Header<'a>> {
    let mut signed: Vec<Header<'a>> = headers
        .iter()
        .filter(|(name, _)| !name.contains('_'))
        .map(|(name, value)| (lower_case(name), value.trim()))
        .collect();
    signed.sort_unstable();
    signed
}

fn lower_case(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        name.to_ascii_lowercase().into()
    } else {
        name.into()
    }
}

/// Step 1 of the page: the request in the one form in which both sides can write it.
fn canonical_request(
    method: &str,
    uri: &str,
    query: &str,
    headers: &str,
    signed_headers: &str,
    payload_hash: &str,
) -> String {
    [
        &method.to_ascii_uppercase(),
        uri,
        query,
        headers,
        signed_headers,
        payload_hash,
    ]
    .join("\n")
}

/// Decoded once, encoded anew, and with a slash at the end, which the path that is sent lacks.
fn canonical_uri(path: &str) -> String {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let encoded = encode::percent_path(&decoded);
    let slash = if encoded.ends_with('/') { "" } else { "/" };
    [&encoded, slash].concat()
}

/// The pairs in the order of their texts before encoding, each with its equals sign. This is also
/// the query that is sent.
fn canonical_query(query: &str) -> String {
    let decode = |text| percent_decode_str(text).decode_utf8_lossy();
    let mut pairs: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode::percent(name), encode::percent(value)))
        .collect();
    pairs.join("&")
}

/// A line per header. The last line break makes an empty line in the canonical request.
fn canonical_headers(headers: &[Header<'_>]) -> String {
    let mut lines = String::with_capacity(64 * headers.len());
    for (name, value) in headers {
        for part in [name, ":", value, "\n"] {
            lines.push_str(part);
        }
    }
    lines
}

fn signed_headers(headers: &[Header<'_>]) -> String {
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_ref()).collect();
    names.join(";")
}

/// The hash of the body, unless a header brings a word to stand in its place.
fn payload_hash<'a>(headers: &[Header<'a>], body: &[u8]) -> Cow<'a, str> {
    if body.is_empty() {
        return encode::SHA256_OF_NOTHING.into();
    }
    headers
        .iter()
        .find(|(name, value)| name == "x-sdk-content-sha256" && !value.is_empty())
        .map_or_else(
            || encode::sha256_hex(body).into(),
            |(_, given)| (*given).into(),
        )
}

/// Step 2 of the page. `date` is the value of `X-Sdk-Date`.
fn string_to_sign(date: &str, canonical_request: &str) -> String {
    let hash = encode::sha256_hex(canonical_request.as_bytes());
    [ALGORITHM, date, &hash].join("\n")
}

/// Steps 3 and 4 of the page: the value of the `Authorization` header.
fn authorization(id: &str, secret: &Secret, signed_headers: &str, string_to_sign: &str) -> String {
    let signature = encode::hmac_sha256_hex(secret.expose().as_bytes(), string_to_sign.as_bytes());
    [
        ALGORITHM,
        " Access=",
        id,
        ", SignedHeaders=",
        signed_headers,
        ", Signature=",
        &signature,
    ]
    .concat()
}

const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// The request as it is sent.
fn request(
    endpoint: &Endpoint,
    draft: &UnsignedRequest,
    query: &str,
    headers: &[(&'static str, &str)],
) -> Result<Request<Bytes>, Fault> {
    let mut request = Request::new(draft.body.clone());
    *request.method_mut() = draft.method.clone();
    *request.uri_mut() = endpoint
        .uri(request_target(&draft.path, query))
        .map_err(|error| Fault::new(FaultKind::Invalid, error.to_string()))?;
    request.headers_mut().reserve(headers.len());
    for (name, value) in headers {
        let value = if SECRETS.contains(name) {
            sensitive_header(*value)?
        } else {
            header(*value)?
        };
        let name = HeaderName::from_static(name);
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}

/// Headers that HTTP clients keep out of their logs.
const SECRETS: [&str; 3] = ["authorization", "x-auth-token", "x-security-token"];

/// Path and query as the request line has them.
fn request_target(path: &str, query: &str) -> String {
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

#[cfg(test)]
mod tests;

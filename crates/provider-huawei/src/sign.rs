//! Huawei's signature `SDK-HMAC-SHA256`, in the order of the vendor's page:
//! <https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-algorithm-001.html>.
//!
//! Every header except `Authorization` is signed. A request with a token has no signature.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderName, Method, Request};
use lifecycle_core::{
    Credential, Endpoint, Fault, FaultKind, Secret, SigningContext, UnsignedRequest, encode,
    header, sensitive_header,
};
use percent_encoding::percent_decode_str;

/// Signs one attempt, or adds the token. `project_id` is set for services with projects.
pub(crate) fn sign(
    endpoint: &Endpoint,
    project_id: Option<&str>,
    request: &UnsignedRequest,
    key: &Credential,
    ctx: &SigningContext,
) -> Result<Request<Bytes>, Fault> {
    let query = canonical_query(&request.query);
    let mut headers = Vec::with_capacity(6);
    headers.push(("host", endpoint.authority()));
    if request.method == Method::POST {
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
            return http_request(endpoint, request, &query, &headers);
        }
        _ => {
            return Err(Fault::new(
                FaultKind::Credential,
                "Huawei Cloud supports access keys and tokens only",
            ));
        }
    };
    let date = ctx.basic();
    headers.push(("x-sdk-date", &date));
    headers.extend(project_id.map(|id| ("x-project-id", id)));
    headers.extend(
        session
            .iter()
            .map(|token| ("x-security-token", token.expose())),
    );

    let signed = signed_headers(&headers);
    let names = signed_names(&signed);
    let hash = encode::sha256_hex_of(&canonical_request(
        request.method.as_str(),
        &canonical_uri(&request.path),
        &query,
        &canonical_headers(&signed),
        &names,
        &payload_hash(&signed, &request.body),
    ));
    let authorization = authorization(id, secret, &names, &string_to_sign(&date, &hash));
    headers.push(("authorization", &authorization));
    http_request(endpoint, request, &query, &headers)
}

/// The name and the value of a header.
type Header<'a> = (Cow<'a, str>, &'a str);

/// Returns the signed headers: sorted, names in lower case, values trimmed. A header with an
/// underscore in the name is not signed.
fn signed_headers<'a>(headers: &[(&'a str, &'a str)]) -> Vec<Header<'a>> {
    let mut signed: Vec<Header<'a>> = headers
        .iter()
        .filter(|(name, _)| !name.contains('_'))
        .map(|(name, value)| (lower_case(name), value.trim_ascii()))
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

/// Returns the parts of the canonical request (step 1 of the page), in order. The concatenation is only
/// hashed, never built. `method` is in upper case.
fn canonical_request<'a>(
    method: &'a str,
    uri: &'a str,
    query: &'a str,
    headers: &'a str,
    signed_headers: &'a str,
    payload_hash: &'a str,
) -> [&'a str; 11] {
    [
        method,
        "\n",
        uri,
        "\n",
        query,
        "\n",
        headers,
        "\n",
        signed_headers,
        "\n",
        payload_hash,
    ]
}

/// Decodes the path, encodes the path again, and appends a slash, which the sent path does not
/// have.
fn canonical_uri(path: &str) -> String {
    let is_plain = !path.contains('%') && path.split('/').all(encode::is_percent_encoded_ascii);
    let encoded = match is_plain {
        true => path.into(),
        false => {
            let decoded = percent_decode_str(path).decode_utf8_lossy();
            Cow::Owned(encode::percent_path(&decoded).into_owned())
        }
    };
    let slash = if encoded.ends_with('/') { "" } else { "/" };
    [&encoded, slash].concat()
}

/// Sorts the decoded pairs and encodes them, each with an equals sign. The result is also the query
/// on the wire.
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encoded(name), encoded(value)))
        .collect();
    pairs.sort_unstable_by(|(name, value), (other_name, other_value)| {
        let names = percent_decode_str(name).cmp(percent_decode_str(other_name));
        names.then_with(|| percent_decode_str(value).cmp(percent_decode_str(other_value)))
    });
    let mut canonical = String::with_capacity(query.len());
    for (name, value) in &pairs {
        let separator = if canonical.is_empty() { "" } else { "&" };
        canonical.extend([separator, name, "=", value]);
    }
    canonical
}

/// Decodes a text and encodes the text again, unless the result is the text itself.
fn encoded(text: &str) -> Cow<'_, str> {
    if encode::is_percent_encoded_ascii(text) {
        return text.into();
    }
    let decoded = percent_decode_str(text).decode_utf8_lossy();
    encode::percent(&decoded).into_owned().into()
}

/// Returns one line per header. The last line break makes an empty line in the canonical request.
fn canonical_headers(headers: &[Header<'_>]) -> String {
    let mut lines = String::with_capacity(64 * headers.len());
    for (name, value) in headers {
        for part in [name, ":", value, "\n"] {
            lines.push_str(part);
        }
    }
    lines
}

fn signed_names(headers: &[Header<'_>]) -> String {
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_ref()).collect();
    names.join(";")
}

/// Returns the hash of the body, or the value of `x-sdk-content-sha256`, if set.
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

/// Returns the parts of the string to sign (step 2 of the page). `date` is the value of `X-Sdk-Date`,
/// `hash` the hash of the canonical request.
fn string_to_sign<'a>(date: &'a str, hash: &'a str) -> [&'a str; 5] {
    [ALGORITHM, "\n", date, "\n", hash]
}

/// Returns the value of the `Authorization` header (steps 3 and 4 of the page).
fn authorization(
    id: &str,
    secret: &Secret,
    signed_headers: &str,
    string_to_sign: &[&str],
) -> String {
    let signature = encode::hmac_sha256_hex_of(secret.expose().as_bytes(), string_to_sign);
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

/// Builds the HTTP request.
fn http_request(
    endpoint: &Endpoint,
    request: &UnsignedRequest,
    query: &str,
    headers: &[(&'static str, &str)],
) -> Result<Request<Bytes>, Fault> {
    let mut signed = Request::new(request.body.clone());
    *signed.method_mut() = request.method.clone();
    *signed.uri_mut() = endpoint
        .uri(request_target(&request.path, query))
        .map_err(|error| Fault::new(FaultKind::Invalid, error.to_string()))?;
    signed.headers_mut().reserve(headers.len());
    for (name, value) in headers {
        let value = if SECRETS.contains(name) {
            sensitive_header(*value)?
        } else {
            header(*value)?
        };
        let name = HeaderName::from_static(name);
        signed.headers_mut().insert(name, value);
    }
    Ok(signed)
}

/// Headers that are marked as sensitive, so that HTTP clients do not log the values.
const SECRETS: [&str; 3] = ["authorization", "x-auth-token", "x-security-token"];

/// Returns the path and query of the request line.
fn request_target(path: &str, query: &str) -> String {
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

#[cfg(test)]
mod tests;

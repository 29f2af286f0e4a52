//! Authentication at the simulated Huawei API: `SDK-HMAC-SHA256` over the request as received, and
//! IAM tokens.
//!
//! Documented in the API request signing guide; differences of the SDK are marked. Every set of
//! signed headers with `x-sdk-date` is accepted, because the vendor's own tools sign different sets
//! and add further headers afterwards (documented; vendor's source).

use std::borrow::Cow;

use lifecycle_core::encode::{SHA256_OF_NOTHING, hmac_sha256_hex, percent_path, sha256_hex};
use percent_encoding::percent_decode_str;

use super::{
    api_error::{self, ApiError, incorrect_authentication},
    iam,
    switches::Switches,
};
use crate::{
    account::Account,
    cloud_api::AuthError,
    request::{ReceivedRequest, encode_pairs},
    time::read_basic,
};

/// Verifies key, clock and signature, or the token; `now` is in seconds since 1970.
///
/// # Errors
/// The gateway's error, and whether the key causes the error.
pub(super) fn verify(
    request: &ReceivedRequest,
    account: &Account,
    now: i64,
    switches: &Switches,
) -> Result<(), AuthError<ApiError>> {
    if request.headers.contains_key("authorization") {
        return verify_signature(request, account, now, switches);
    }
    verify_token(request, account, now).map_err(AuthError::key)
}

/// Returns the access key id or the token in a request; empty for none.
pub(super) fn key_id(request: &ReceivedRequest) -> Cow<'_, str> {
    SignatureParts::of(request)
        .map(|parts| Cow::Borrowed(parts.access_key))
        .or_else(|| token(request))
        .unwrap_or_default()
}

/// Returns the token of a request: from the header, or from the body of a key exchange.
fn token(request: &ReceivedRequest) -> Option<Cow<'_, str>> {
    if let Some(token) = request.header("x-auth-token") {
        return Some(Cow::Borrowed(token));
    }
    request
        .path
        .ends_with("/OS-CREDENTIAL/securitytokens")
        .then(|| iam::exchanged_token(request))
        .flatten()
        .map(Cow::Owned)
}

/// Verifies a token. A token that was never issued cannot be decoded (documented as a cause of this
/// code); an expired or revoked token must be renewed (documented).
fn verify_token(request: &ReceivedRequest, account: &Account, now: i64) -> Result<(), ApiError> {
    let token = token(request).ok_or_else(|| incorrect_authentication("x-auth-token not found"))?;
    let key = account
        .token(&token)
        .ok_or_else(|| incorrect_authentication("decrypt token fail"))?;
    if key.is_revoked() || key.is_expired(now) {
        return Err(api_error::STALE_TOKEN);
    }
    Ok(())
}

fn verify_signature(
    request: &ReceivedRequest,
    account: &Account,
    now: i64,
    switches: &Switches,
) -> Result<(), AuthError<ApiError>> {
    let other = |cause: &str| AuthError::other(incorrect_authentication(cause));
    let parts = SignatureParts::of(request)
        .ok_or_else(|| other("the Authorization header is malformed"))?;
    let date = parts
        .is_signed("x-sdk-date")
        .then(|| header(request, "x-sdk-date"))
        .flatten()
        .ok_or_else(|| other("x-sdk-date is not signed"))?;
    let key = account
        .key(parts.access_key)
        .filter(|key| !key.is_revoked())
        .ok_or_else(|| {
            let ak = parts.access_key;
            let cause = format!("Get secretKey failed,ak:{ak},err:ak not exist");
            AuthError::key(incorrect_authentication(&cause))
        })?;
    if key.is_expired(now) {
        return Err(AuthError::key(api_error::expired_key(
            parts.access_key,
            switches,
        )));
    }
    check_clock(&date, now).map_err(AuthError::other)?;
    if !key.matches_session(header(request, "x-security-token").as_deref()) {
        let cause = "the security token does not belong to the ak";
        return Err(AuthError::key(incorrect_authentication(cause)));
    }
    let candidates =
        canonical_requests(request, &parts).ok_or_else(|| other("a signed header is not there"))?;
    let matches = candidates
        .iter()
        .any(|canonical| signature(&key.secret, &date, canonical) == parts.signature);
    match candidates.first() {
        Some(canonical) if !matches => Err(AuthError::key(mismatch(canonical))),
        _ => Ok(()),
    }
}

/// The three fields of the Authorization header.
struct SignatureParts<'r> {
    access_key: &'r str,
    signed: &'r str,
    signature: &'r str,
}

impl<'r> SignatureParts<'r> {
    fn of(request: &'r ReceivedRequest) -> Option<Self> {
        let fields = request
            .header("authorization")?
            .strip_prefix("SDK-HMAC-SHA256 ")?;
        let field = |name: &str| {
            fields
                .split(',')
                .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
        };
        Some(Self {
            access_key: field("Access")?,
            signed: field("SignedHeaders")?,
            signature: field("Signature")?,
        })
    }

    fn is_signed(&self, name: &str) -> bool {
        self.signed.split(';').any(|signed| signed == name)
    }
}

/// Returns the value of a header, trimmed only at both ends.
fn header(request: &ReceivedRequest, name: &str) -> Option<String> {
    let value = request.headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
}

/// Accepts a difference of fifteen minutes in both directions (documented). The text is quoted from
/// a real response.
fn check_clock(date: &str, now: i64) -> Result<(), ApiError> {
    let sent = read_basic(date)
        .ok_or_else(|| incorrect_authentication("the format of x-sdk-date is wrong"))?;
    if now.abs_diff(sent) <= 15 * 60 {
        return Ok(());
    }
    let server = jiff::Timestamp::from_second(now)
        .unwrap_or_default()
        .strftime("%Y%m%dT%H%M%SZ");
    Err(incorrect_authentication(&format!(
        "calc aksk signature fail:signature expired, signature time:{date},server time:{server}"
    )))
}

/// Returns the error for a wrong signature. The gateway shows the computed canonical request, with
/// `|` for line breaks (quoted from a real response).
fn mismatch(canonical: &str) -> ApiError {
    incorrect_authentication(&format!(
        "verify aksk signature fail, canonicalRequest:{}",
        canonical.replace('\n', "|")
    ))
}

fn signature(secret: &str, date: &str, canonical: &str) -> String {
    let hash = sha256_hex(canonical.as_bytes());
    let string_to_sign = format!("SDK-HMAC-SHA256\n{date}\n{hash}");
    hmac_sha256_hex(secret.as_bytes(), string_to_sign.as_bytes())
}

/// Returns the possible canonical requests of the signature, the more probable first: an unsigned
/// and empty payload has two. Returns `None` if a signed header is missing.
fn canonical_requests(
    request: &ReceivedRequest,
    parts: &SignatureParts<'_>,
) -> Option<Vec<String>> {
    let mut headers = String::new();
    for name in parts.signed.split(';') {
        headers.push_str(name);
        headers.push(':');
        headers.push_str(&header(request, name)?);
        headers.push('\n');
    }
    let head = format!(
        "{}\n{}\n{}\n{headers}\n{}\n",
        request.method,
        canonical_path(&request.path),
        canonical_query(&request.query),
        parts.signed
    );
    let hashes = payload_hashes(request);
    Some(hashes.iter().map(|hash| format!("{head}{hash}")).collect())
}

/// Returns the possible payload hashes. The payload can be unsigned (documented). The Python SDK
/// then hashes an empty body, the Go SDK does not (vendor's source).
fn payload_hashes(request: &ReceivedRequest) -> Vec<String> {
    let is_unsigned = header(request, "x-sdk-content-sha256").as_deref() == Some(UNSIGNED_PAYLOAD);
    if !is_unsigned {
        return vec![sha256_hex(&request.body)];
    }
    let mut hashes = vec![UNSIGNED_PAYLOAD.to_owned()];
    if request.body.is_empty() {
        hashes.push(SHA256_OF_NOTHING.to_owned());
    }
    hashes
}

const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// Decodes and encodes the path, and adds a slash at the end, which the request itself does not
/// have.
fn canonical_path(path: &str) -> String {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let mut canonical = percent_path(&decoded).into_owned();
    if !canonical.ends_with('/') {
        canonical.push('/');
    }
    canonical
}

/// Decodes the query, sorts by name and value, and encodes. A plus is a plus.
fn canonical_query(query: &str) -> String {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut pairs: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect();
    pairs.sort();
    encode_pairs(&pairs)
}

//! Who asks: `SDK-HMAC-SHA256` and IAM tokens, checked over the request as it arrived.
//!
//! Documented in the API request signing guide; what the SDK does beyond it is marked. Any set of
//! signed headers that holds `x-sdk-date` is taken, because the vendor's own tools sign different sets
//! and add further headers afterwards (documented; vendor's source).

use std::borrow::Cow;

use lifecycle_core::encode::{
    SHA256_OF_NOTHING, hmac_sha256_hex, percent, percent_path, sha256_hex,
};
use percent_encoding::percent_decode_str;

use super::{
    api_error::{self, ApiError, not_authentic},
    iam,
    switches::Switches,
};
use crate::{account::Account, cloud_api::AuthError, request::ReceivedRequest, time::read_basic};

/// Checks key, clock and signature, or the token; `now` is in seconds since 1970.
///
/// # Errors
/// The gateway's refusal, and whether the key is to blame.
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

/// The access key or token that a request claims to come from; empty for none.
pub(super) fn key_id(request: &ReceivedRequest) -> Cow<'_, str> {
    SignatureParts::of(request)
        .map(|parts| Cow::Borrowed(parts.access_key))
        .or_else(|| token(request))
        .unwrap_or_default()
}

/// The token of a request: in its header, or in the body that asks for a key in exchange.
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

/// A token that was never issued cannot be decoded (documented as a cause of this code), one that ended
/// or was taken back has to be renewed (documented).
fn verify_token(request: &ReceivedRequest, account: &Account, now: i64) -> Result<(), ApiError> {
    let token = token(request).ok_or_else(|| not_authentic("x-auth-token not found"))?;
    let key = account
        .token(&token)
        .ok_or_else(|| not_authentic("decrypt token fail"))?;
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
    let other = |cause: &str| AuthError::other(not_authentic(cause));
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
            AuthError::key(not_authentic(&cause))
        })?;
    if key.is_expired(now) {
        return Err(AuthError::key(api_error::ended_key(
            parts.access_key,
            switches,
        )));
    }
    check_clock(&date, now).map_err(AuthError::other)?;
    if !key.matches_session(header(request, "x-security-token").as_deref()) {
        let cause = "the security token does not belong to the ak";
        return Err(AuthError::key(not_authentic(cause)));
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

/// A header's value, trimmed at both ends and nowhere else.
fn header(request: &ReceivedRequest, name: &str) -> Option<String> {
    let value = request.headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
}

/// Fifteen minutes either way (documented); the text is a real one.
fn check_clock(date: &str, now: i64) -> Result<(), ApiError> {
    let sent =
        read_basic(date).ok_or_else(|| not_authentic("the format of x-sdk-date is wrong"))?;
    if now.abs_diff(sent) <= 15 * 60 {
        return Ok(());
    }
    let server = jiff::Timestamp::from_second(now)
        .unwrap_or_default()
        .strftime("%Y%m%dT%H%M%SZ");
    Err(not_authentic(&format!(
        "calc aksk signature fail:signature expired, signature time:{date},server time:{server}"
    )))
}

/// The gateway shows the canonical request that it computed, with `|` for line breaks (a real answer).
fn mismatch(canonical: &str) -> ApiError {
    not_authentic(&format!(
        "verify aksk signature fail, canonicalRequest:{}",
        canonical.replace('\n', "|")
    ))
}

fn signature(secret: &str, date: &str, canonical: &str) -> String {
    let hash = sha256_hex(canonical.as_bytes());
    let string_to_sign = format!("SDK-HMAC-SHA256\n{date}\n{hash}");
    hmac_sha256_hex(secret.as_bytes(), string_to_sign.as_bytes())
}

/// The canonical requests that the signature may be made over, the likelier first: there are two when
/// an unsigned payload is empty. `None` when a header is named as signed and not there.
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

/// The payload may be left unsigned (documented). The Python SDK then hashes an empty body all the same,
/// the Go SDK does not (vendor's source).
fn payload_hashes(request: &ReceivedRequest) -> Vec<String> {
    let is_unsigned = header(request, "x-sdk-content-sha256").as_deref() == Some(UNSIGNED);
    if !is_unsigned {
        return vec![sha256_hex(&request.body)];
    }
    let mut hashes = vec![UNSIGNED.to_owned()];
    if request.body.is_empty() {
        hashes.push(SHA256_OF_NOTHING.to_owned());
    }
    hashes
}

const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Decoded once, encoded again, and with a slash at the end, which the request itself does not have.
fn canonical_path(path: &str) -> String {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let mut canonical = percent_path(&decoded).into_owned();
    if !canonical.ends_with('/') {
        canonical.push('/');
    }
    canonical
}

/// Sorted by name, then by value, before they are encoded; a plus is a plus.
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
    let encoded: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", percent(name), percent(value)))
        .collect();
    encoded.join("&")
}

//! Verification of Baidu's signature `bce-auth-v1` in the simulator, written from the vendor's page
//! (cloud.baidu.com/doc/Reference/s/njwvz1yfu) and independent of the client's signer.
//!
//! The path is not normalised. The Authorization header lists the signed headers; an empty list
//! means the default set. The behaviour is documented, except the errors for a request without
//! Authorization, for an unsigned `host` and for a wrong session token, which are inferred.

use std::borrow::Cow;

use lifecycle_core::encode::{hmac_sha256_hex, percent};
use percent_encoding::percent_decode_str;

use crate::{
    cloud_api::AuthError, cloud_state::CloudState, request::ReceivedRequest, time::read_extended,
};

use super::{
    api_error::{self, ApiError},
    switches::CheckedTime,
};

/// The maximum difference between a date and the cloud's clock, in seconds. Documented on another
/// product's page.
const MAX_CLOCK_SKEW: i64 = 30 * 60;

/// Verifies key, time and signature of a request.
///
/// # Errors
/// [`AuthError::key`] if the key causes the error, [`AuthError::other`] for other errors.
pub(super) fn verify(
    cloud: &CloudState,
    request: &ReceivedRequest,
) -> Result<(), AuthError<ApiError>> {
    let parts = match request.header("authorization") {
        None => Err(api_error::ACCESS_DENIED),
        Some(text) => SignatureParts::read(text).ok_or(api_error::BAD_AUTHORIZATION),
    };
    parts
        .map_err(AuthError::other)
        .and_then(|parts| parts.check(cloud, request))
}

/// Returns the access key id in a request.
pub(super) fn key_id(request: &ReceivedRequest) -> &str {
    request
        .header("authorization")
        .and_then(SignatureParts::read)
        .map_or("", |parts| parts.access_key)
}

/// The parts of an Authorization header.
struct SignatureParts<'r> {
    /// The text before the list of headers, the input of the signing key.
    prefix: &'r str,
    access_key: &'r str,
    timestamp: &'r str,
    /// The same time as `timestamp`, in seconds since 1970.
    signed_at: i64,
    /// The validity of the signature in seconds.
    lifetime: i64,
    signed_headers: &'r str,
    signature: &'r str,
}

impl<'r> SignatureParts<'r> {
    /// Parses `bce-auth-v1/{AK}/{timestamp}/{expires}/{signedHeaders}/{signature}`.
    fn read(text: &'r str) -> Option<Self> {
        let mut parts = text.split('/');
        if parts.next()? != "bce-auth-v1" {
            return None;
        }
        let (access_key, timestamp, lifetime) = (parts.next()?, parts.next()?, parts.next()?);
        let (signed_headers, signature) = (parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let rest = signed_headers.len() + signature.len() + 2;
        Some(Self {
            prefix: text.get(..text.len() - rest)?,
            access_key,
            timestamp,
            signed_at: read_extended(timestamp)?,
            lifetime: lifetime.parse().ok().filter(|seconds| *seconds >= 0)?,
            signed_headers,
            signature,
        })
    }

    fn check(
        &self,
        cloud: &CloudState,
        request: &ReceivedRequest,
    ) -> Result<(), AuthError<ApiError>> {
        if !self.signs_host() {
            return Err(AuthError::other(api_error::BAD_AUTHORIZATION));
        }
        let key = cloud
            .account
            .key(self.access_key)
            .filter(|key| !key.is_revoked())
            .ok_or(AuthError::key(api_error::UNKNOWN_KEY))?;
        if key.is_expired(cloud.wall_time().as_second()) {
            return Err(AuthError::key(api_error::expired_key(cloud)));
        }
        self.check_time(cloud, request).map_err(AuthError::other)?;
        let signing_key = hmac_sha256_hex(key.secret.as_bytes(), self.prefix.as_bytes());
        let canonical = self.canonical_request(request);
        if hmac_sha256_hex(signing_key.as_bytes(), canonical.as_bytes()) != self.signature {
            return Err(AuthError::key(api_error::BAD_SIGNATURE));
        }
        if !key.matches_session(session(request).as_deref()) {
            return Err(AuthError::key(api_error::UNKNOWN_KEY));
        }
        Ok(())
    }

    fn check_time(&self, cloud: &CloudState, request: &ReceivedRequest) -> Result<(), ApiError> {
        let now = cloud.wall_time().as_second();
        let near = |time: i64| (now - time).abs() <= MAX_CLOCK_SKEW;
        let header = date_header_time(request);
        let in_window = match cloud.switches.baidu.checked_time {
            CheckedTime::Authorization => near(self.signed_at),
            CheckedTime::DateHeader => near(header.unwrap_or(self.signed_at)),
            CheckedTime::Both => near(self.signed_at) && header.is_none_or(near),
        };
        if !in_window || now > self.signed_at.saturating_add(self.lifetime) {
            return Err(api_error::expired_request(self.timestamp));
        }
        Ok(())
    }

    fn canonical_request(&self, request: &ReceivedRequest) -> String {
        [
            request.method.as_str(),
            canonical_path(&request.path),
            &canonical_query(&request.query),
            &self.canonical_headers(request),
        ]
        .join("\n")
    }

    /// Returns `name:value` lines of the signed headers, sorted as whole lines.
    fn canonical_headers(&self, request: &ReceivedRequest) -> String {
        let mut lines: Vec<String> = request
            .headers
            .iter()
            .filter(|(name, _)| self.signs(name.as_str()))
            .filter_map(|(name, value)| {
                let value = std::str::from_utf8(value.as_bytes()).ok()?.trim();
                (!value.is_empty())
                    .then(|| format!("{}:{}", percent(name.as_str()), percent(value)))
            })
            .collect();
        lines.sort_unstable();
        lines.join("\n")
    }

    fn signs(&self, name: &str) -> bool {
        if self.signed_headers.is_empty() {
            return matches!(
                name,
                "host" | "content-length" | "content-type" | "content-md5"
            ) || name.starts_with("x-bce-");
        }
        self.signed_headers.split(';').any(|signed| signed == name)
    }

    fn signs_host(&self) -> bool {
        self.signs("host")
    }
}

fn canonical_path(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

/// Returns every pair except `authorization`, as `key=value`, encoded again and sorted as whole
/// strings. A key without a value has an equals sign, too.
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(key, value)| (decoded(key), decoded(value)))
        .filter(|(key, _)| !key.eq_ignore_ascii_case("authorization"))
        .map(|(key, value)| format!("{}={}", percent(&key), percent(&value)))
        .collect();
    pairs.sort_unstable();
    pairs.join("&")
}

fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

/// Returns the session token from the header, or from the query parameter of the same name.
fn session(request: &ReceivedRequest) -> Option<Cow<'_, str>> {
    const NAME: &str = "x-bce-security-token";
    request
        .header(NAME)
        .map(|token| Cow::Borrowed(token.trim()))
        .or_else(|| request.parameter(NAME).map(Cow::Owned))
}

/// Returns the time of the date header in seconds since 1970; `x-bce-date` has priority over
/// `Date`.
fn date_header_time(request: &ReceivedRequest) -> Option<i64> {
    if let Some(text) = request.header("x-bce-date") {
        return read_extended(text.trim());
    }
    let date = httpdate::parse_http_date(request.header("date")?).ok()?;
    let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

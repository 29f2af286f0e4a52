//! Verification of `bce-auth-v1`, written from the vendor's page
//! (cloud.baidu.com/doc/Reference/s/njwvz1yfu) and independent of the client's signer.
//!
//! The request is taken as received. The Authorization header says which headers were signed; an
//! empty list stands for the default set. Documented, but for the refusals of a request without
//! Authorization, of one that leaves `host` unsigned, and of a wrong session token, which are inferred.

use std::borrow::Cow;

use lifecycle_core::encode::{hmac_sha256_hex, percent};
use percent_encoding::percent_decode_str;

use crate::{dialect::Denial, request::Received, site::Site, time::read_extended};

use super::{
    refusal::{self, Refusal},
    switches::CheckedTime,
};

/// A date may be this far from the cloud's clock. Documented on another product's page.
const WINDOW: i64 = 30 * 60;

pub(super) fn verify(site: &mut Site, request: &Received) -> Result<(), Denial> {
    let claim = match request.header("authorization") {
        None => Err(refusal::ACCESS_DENIED),
        Some(text) => Claim::read(text).ok_or(refusal::BAD_AUTHORIZATION),
    };
    let verdict = claim
        .map_err(Complaint::Form)
        .and_then(|claim| claim.check(site, request));
    verdict.map_err(|complaint| match complaint {
        Complaint::Key(refusal) => Denial::key(refusal.answer(site)),
        Complaint::Form(refusal) => Denial::other(refusal.answer(site)),
    })
}

/// The access key that a request claims to come from.
pub(super) fn claimed_key(request: &Received) -> &str {
    request
        .header("authorization")
        .and_then(Claim::read)
        .map_or("", |claim| claim.access_key)
}

/// What is wrong with a request that is not let in.
enum Complaint {
    /// Its key.
    Key(Refusal),
    /// Something else.
    Form(Refusal),
}

/// The parts of an Authorization header.
struct Claim<'r> {
    /// Everything before the list of headers: what the signing key is made of.
    prefix: &'r str,
    access_key: &'r str,
    timestamp: &'r str,
    made: i64,
    lifetime: i64,
    signed_headers: &'r str,
    signature: &'r str,
}

impl<'r> Claim<'r> {
    /// Reads `bce-auth-v1/{AK}/{timestamp}/{expires}/{signedHeaders}/{signature}`.
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
            made: read_extended(timestamp)?,
            lifetime: lifetime.parse().ok().filter(|seconds| *seconds >= 0)?,
            signed_headers,
            signature,
        })
    }

    fn check(&self, site: &Site, request: &Received) -> Result<(), Complaint> {
        if !self.signs_host() {
            return Err(Complaint::Form(refusal::BAD_AUTHORIZATION));
        }
        let key = site
            .account
            .key(self.access_key)
            .filter(|key| !key.is_revoked())
            .ok_or(Complaint::Key(refusal::UNKNOWN_KEY))?;
        if key.is_over(site.wall().as_second()) {
            return Err(Complaint::Key(refusal::ended_key(site)));
        }
        self.check_time(site, request).map_err(Complaint::Form)?;
        let signing_key = hmac_sha256_hex(key.secret.as_bytes(), self.prefix.as_bytes());
        let canonical = self.canonical_request(request);
        if hmac_sha256_hex(signing_key.as_bytes(), canonical.as_bytes()) != self.signature {
            return Err(Complaint::Key(refusal::BAD_SIGNATURE));
        }
        if !key.fits_session(session(request).as_deref()) {
            return Err(Complaint::Key(refusal::UNKNOWN_KEY));
        }
        Ok(())
    }

    fn check_time(&self, site: &Site, request: &Received) -> Result<(), Refusal> {
        let now = site.wall().as_second();
        let near = |time: i64| (now - time).abs() <= WINDOW;
        let header = dated(request);
        let in_window = match site.switches.baidu.checked_time {
            CheckedTime::Prefix => near(self.made),
            CheckedTime::Header => near(header.unwrap_or(self.made)),
            CheckedTime::Both => near(self.made) && header.is_none_or(near),
        };
        if !in_window || now > self.made.saturating_add(self.lifetime) {
            return Err(refusal::expired_request(self.timestamp));
        }
        Ok(())
    }

    fn canonical_request(&self, request: &Received) -> String {
        [
            request.method.as_str(),
            canonical_path(&request.path),
            &canonical_query(&request.query),
            &self.canonical_headers(request),
        ]
        .join("\n")
    }

    /// `name:value` lines of the signed headers, sorted as whole lines.
    fn canonical_headers(&self, request: &Received) -> String {
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

/// Every pair but `authorization`, as `key=value`, encoded afresh and sorted as whole strings. A key
/// without a value has its equals sign all the same.
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

/// The session token: a header, or a query parameter of the same name.
fn session(request: &Received) -> Option<Cow<'_, str>> {
    const NAME: &str = "x-bce-security-token";
    request
        .header(NAME)
        .map(|token| Cow::Borrowed(token.trim()))
        .or_else(|| request.parameter(NAME).map(Cow::Owned))
}

/// The request's date header in seconds since 1970; `x-bce-date` counts before `Date`.
fn dated(request: &Received) -> Option<i64> {
    if let Some(text) = request.header("x-bce-date") {
        return read_extended(text.trim());
    }
    let date = httpdate::parse_http_date(request.header("date")?).ok()?;
    let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

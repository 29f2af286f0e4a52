//! Authentication at the simulated Alibaba gateway: both signatures, verified over the request as
//! received.
//!
//! - `ACS3-HMAC-SHA256`, of the current SDKs (documented: "V3 request body and signature method").
//!   The list of signed headers is used as received, because the vendor's own SDKs sign different
//!   sets (vendor's source).
//! - `HMAC-SHA1`, version 1.0, of older SDKs, the CLI and Terraform (documented: "RPC signature").
//!
//! The order of the checks is inferred.

use std::borrow::Cow;

use lifecycle_core::encode::{hmac_sha256_hex, percent, sha256_hex};

use super::{
    api_error::{self, ApiError},
    hmac_sha1::hmac_sha1_base64,
    params::{parameters, value},
    switches::Switches,
};
use crate::{
    account::{Account, Key},
    cloud_api::AuthError,
    request::{ReceivedRequest, encode_pairs},
    time::read_extended,
};

/// Verifies clock, key and signature of a request; `now` is in seconds since 1970. The caller
/// checks the nonce.
///
/// # Errors
/// The documented error, and whether the key causes the error.
pub(super) fn verify(
    request: &ReceivedRequest,
    account: &Account,
    now: i64,
    switches: &Switches,
) -> Result<KeyNonce, AuthError<ApiError>> {
    let parts = SignatureParts::of(request).map_err(AuthError::other)?;
    check_clock(parts.date.as_deref(), now, switches).map_err(AuthError::other)?;
    let Some(key) = account.key(&parts.access_key) else {
        let error = api_error::NO_KEY.with_status(switches.unknown_key_status);
        return Err(AuthError::key(error));
    };
    check_key(key, parts.session.as_deref(), now, switches).map_err(AuthError::key)?;
    if parts.proof.signature(&key.secret) != parts.signature {
        return Err(AuthError::key(parts.proof.mismatch()));
    }
    Ok(KeyNonce {
        access_key: parts.access_key,
        nonce: parts.nonce,
    })
}

/// The nonce of an authenticated request, together with the key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct KeyNonce {
    pub(super) access_key: String,
    /// The nonce. The cloud accepts a nonce once.
    pub(super) nonce: String,
}

/// Returns the access key id in a request; empty for none.
pub(super) fn key_id(request: &ReceivedRequest) -> String {
    let from_header = request
        .header("authorization")
        .and_then(|authorization| field(authorization, "Credential"));
    match from_header {
        Some(key) => key.to_owned(),
        None => request.parameter("AccessKeyId").unwrap_or_default(),
    }
}

/// The parts of a signature, before verification.
struct SignatureParts {
    access_key: String,
    session: Option<String>,
    date: Option<String>,
    nonce: String,
    signature: String,
    proof: SignedText,
}

impl SignatureParts {
    fn of(request: &ReceivedRequest) -> Result<Self, ApiError> {
        let parts = if request.headers.contains_key("authorization") {
            Self::of_v3(request)
        } else {
            Self::of_v1(request)
        };
        parts.ok_or(api_error::INCOMPLETE_SIGNATURE)
    }

    fn of_v3(request: &ReceivedRequest) -> Option<Self> {
        let authorization = header(request, "authorization")?;
        let fields = authorization.strip_prefix("ACS3-HMAC-SHA256 ")?;
        let signed = field(fields, "SignedHeaders")?;
        let is_signed = |name: &str| signed.split(';').any(|signed| signed == name);
        let session = header(request, "x-acs-security-token");
        if !MUST_BE_SIGNED.iter().all(|name| is_signed(name))
            || session.is_some() && !is_signed("x-acs-security-token")
        {
            return None;
        }
        Some(Self {
            access_key: field(fields, "Credential")?.to_owned(),
            session,
            date: header(request, "x-acs-date"),
            nonce: header(request, "x-acs-signature-nonce")?,
            signature: field(fields, "Signature")?.to_owned(),
            proof: SignedText::V3 {
                canonical_request: canonical_request(request, signed)?,
            },
        })
    }

    fn of_v1(request: &ReceivedRequest) -> Option<Self> {
        let mut parameters = parameters(request);
        let parameter = |name: &str| value(&parameters, name).map(str::to_owned);
        if parameter("SignatureMethod")? != "HMAC-SHA1" || parameter("SignatureVersion")? != "1.0" {
            return None;
        }
        let access_key = parameter("AccessKeyId")?;
        let session = parameter("SecurityToken");
        let date = parameter("Timestamp");
        let nonce = parameter("SignatureNonce")?;
        let signature = parameter("Signature")?;
        parameters.retain(|(name, _)| name != "Signature");
        let query = canonical_query(parameters);
        Some(Self {
            access_key,
            session,
            date,
            nonce,
            signature,
            proof: SignedText::V1 {
                string_to_sign: format!("{}&%2F&{}", request.method, percent(&query)),
            },
        })
    }
}

/// The document requires a signature over the host and every `x-acs-*` header. The simulator
/// requires the headers that describe the call, because an unsigned telemetry header is harmless
/// (inferred).
const MUST_BE_SIGNED: [&str; 6] = [
    "host",
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-version",
];

fn field<'a>(authorization: &'a str, name: &str) -> Option<&'a str> {
    authorization
        .split([',', ' '])
        .find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
}

/// Returns all values of a header, trimmed, sorted and joined with commas (vendor's source).
fn header(request: &ReceivedRequest, name: &str) -> Option<String> {
    let mut values: Vec<_> = request
        .headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
        .collect();
    values.sort();
    (!values.is_empty()).then(|| values.join(","))
}

/// The text that a signature covers.
enum SignedText {
    V3 { canonical_request: String },
    V1 { string_to_sign: String },
}

impl SignedText {
    fn signature(&self, secret: &str) -> String {
        match self {
            Self::V3 { canonical_request } => hmac_sha256_hex(
                secret.as_bytes(),
                string_to_sign(canonical_request).as_bytes(),
            ),
            Self::V1 { string_to_sign } => {
                hmac_sha1_base64(format!("{secret}&").as_bytes(), string_to_sign.as_bytes())
            }
        }
    }

    /// Returns the error for a wrong signature. The vendor's SDKs compare the quoted text with
    /// their own text, to distinguish a wrong secret from a wrong request (vendor's source). The
    /// beginnings of both texts are quoted from user reports.
    fn mismatch(&self) -> ApiError {
        let message = match self {
            Self::V3 { canonical_request } => format!(
                "Specified signature does not match our calculation. server StringToSign is [{}] \
                 server CanonicalRequest is [{canonical_request}]",
                string_to_sign(canonical_request)
            ),
            Self::V1 { string_to_sign } => format!(
                "Specified signature is not matched with our calculation. server string to sign \
                 is:{string_to_sign}"
            ),
        };
        api_error::BAD_SIGNATURE.with_message(message)
    }
}

/// Returns the six parts of the V3 page. The payload hash covers the received body; the value of
/// `x-acs-content-sha256` does not count. Returns `None` if a signed header is missing.
fn canonical_request(request: &ReceivedRequest, signed: &str) -> Option<String> {
    let mut headers = String::new();
    for name in signed.split(';') {
        headers.push_str(name);
        headers.push(':');
        headers.push_str(&header(request, name)?);
        headers.push('\n');
    }
    Some(format!(
        "{}\n{}\n{}\n{headers}\n{signed}\n{}",
        request.method,
        request.path,
        canonical_query(request.pairs().collect()),
        sha256_hex(&request.body)
    ))
}

fn string_to_sign(canonical_request: &str) -> String {
    format!(
        "ACS3-HMAC-SHA256\n{}",
        sha256_hex(canonical_request.as_bytes())
    )
}

/// Builds the query from the decoded pairs, because the query on the wire has blanks as `+` and no
/// order (vendor's source). Pairs are sorted by name in byte order, so that `InstanceId.10` comes
/// before `InstanceId.2`; empty values have a `=`.
fn canonical_query(mut pairs: Vec<(String, String)>) -> String {
    pairs.sort();
    encode_pairs(&pairs)
}

/// Accepts a difference of fifteen minutes in both directions (documented).
fn check_clock(date: Option<&str>, now: i64, switches: &Switches) -> Result<(), ApiError> {
    let date = date.ok_or(api_error::NO_DATE)?;
    let whole = match switches.fractional_seconds {
        true => without_fraction(date),
        false => date.into(),
    };
    let date = read_extended(&whole).ok_or(api_error::BAD_DATE)?;
    if now.abs_diff(date) > MAX_CLOCK_SKEW {
        return Err(api_error::EXPIRED_DATE);
    }
    Ok(())
}

/// Removes a fraction of a second: `08:23:49.5Z` becomes `08:23:49Z`.
fn without_fraction(date: &str) -> Cow<'_, str> {
    let parts = date
        .strip_suffix('Z')
        .and_then(|time| time.rsplit_once('.'));
    match parts {
        Some((whole, fraction))
            if !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            format!("{whole}Z").into()
        }
        _ => date.into(),
    }
}

/// The maximum difference between the clocks, in seconds.
pub(super) const MAX_CLOCK_SKEW: u64 = 15 * 60;

/// Checks the session token and the state of the key. An expired or revoked temporary key returns
/// the error for an expired key, another revoked key the error for a disabled key (inferred).
fn check_key(
    key: &Key,
    session: Option<&str>,
    now: i64,
    switches: &Switches,
) -> Result<(), ApiError> {
    let session_error = match (&key.session, session) {
        (Some(_), None) => Some(api_error::NO_SESSION),
        (_, sent) if !key.matches_session(sent) => Some(api_error::FOREIGN_SESSION),
        (Some(_), _) if key.is_revoked() || key.is_expired(now) => Some(api_error::EXPIRED_SESSION),
        _ => None,
    };
    if let Some(error) = session_error {
        return Err(error.with_status(switches.session_status));
    }
    if key.is_revoked() {
        return Err(api_error::DISABLED_KEY);
    }
    Ok(())
}

#[cfg(test)]
mod clock_tests {
    use super::*;

    #[test]
    fn fractional_seconds_are_accepted_only_with_the_switch() {
        let check = |date: &str, fractional_seconds| {
            let switches = Switches {
                fractional_seconds,
                ..Switches::default()
            };
            check_clock(Some(date), 1_430_123_029, &switches).is_ok()
        };
        for (date, without, with) in [
            ("2015-04-27T08:23:49Z", true, true),
            ("2015-04-27T08:23:49.123456Z", false, true),
            ("2015-04-27T08:23:49.Z", false, false),
            ("2015-04-27T08:23:49.x1Z", false, false),
        ] {
            assert_eq!(check(date, false), without, "{date}");
            assert_eq!(check(date, true), with, "{date}");
        }
    }
}

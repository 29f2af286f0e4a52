//! Verification of `ZC2-HMAC-SHA256` and of bearer tokens, written from the vendor's page
//! (docs.console.zenlayer.com, api-introduction/instruction/sign) and independent of the client's signer.
//!
//! The path in the signed text is always `/`, and neither path nor action is covered. Documented, but
//! for the answer to a bad token and to missing headers, which is inferred.

use lifecycle_core::encode::{hmac_sha256_hex, sha256_hex};

use crate::{cloud_api::AuthError, cloud_state::CloudState, request::ReceivedRequest};

use super::api_error::{self, ApiError};

const METHOD: &str = "ZC2-HMAC-SHA256";

/// A timestamp may be this far from the cloud's clock, in seconds.
const WINDOW: i64 = 5 * 60;

/// Verifies the token, or key, time and signature of a request.
///
/// # Errors
/// The documented error, and whether the key or token causes the error.
pub(super) fn verify(
    cloud: &CloudState,
    request: &ReceivedRequest,
) -> Result<(), AuthError<ApiError>> {
    match Authorization::read(request) {
        None => Err(AuthError::other(api_error::BAD_AUTHORIZATION)),
        Some(Authorization::Token(token)) => check_token(cloud, token),
        Some(Authorization::Signature(parts)) => parts.check(cloud, request),
    }
}

/// The access key id, or the token, that a request claims to come from.
pub(super) fn key_id(request: &ReceivedRequest) -> &str {
    match Authorization::read(request) {
        Some(Authorization::Token(token)) => token,
        Some(Authorization::Signature(parts)) => parts.access_key,
        None => "",
    }
}

enum Authorization<'r> {
    Token(&'r str),
    Signature(SignatureParts<'r>),
}

struct SignatureParts<'r> {
    access_key: &'r str,
    signed_headers: &'r str,
    signature: &'r str,
}

impl<'r> Authorization<'r> {
    /// Reads `Bearer TOKEN`, or
    /// `ZC2-HMAC-SHA256 Credential=ID, SignedHeaders=content-type;host, Signature=HEX`.
    fn read(request: &'r ReceivedRequest) -> Option<Self> {
        let text = request.header("authorization")?;
        if let Some(token) = text.strip_prefix("Bearer ") {
            return Some(Self::Token(token.trim()));
        }
        let mut fields = text.strip_prefix(METHOD)?.split(',').map(str::trim);
        let parts = SignatureParts {
            access_key: fields.next()?.strip_prefix("Credential=")?,
            signed_headers: fields.next()?.strip_prefix("SignedHeaders=")?,
            signature: fields.next()?.strip_prefix("Signature=")?,
        };
        fields.next().is_none().then_some(Self::Signature(parts))
    }
}

fn check_token(cloud: &CloudState, token: &str) -> Result<(), AuthError<ApiError>> {
    match cloud.account.token(token) {
        Some(key) if !key.is_revoked() => Ok(()),
        _ => Err(AuthError::key(api_error::BAD_AUTHORIZATION)),
    }
}

impl SignatureParts<'_> {
    fn check(
        &self,
        cloud: &CloudState,
        request: &ReceivedRequest,
    ) -> Result<(), AuthError<ApiError>> {
        let signs = |wanted| self.signed_headers.split(';').any(|name| name == wanted);
        if !(signs("content-type") && signs("host")) {
            return Err(AuthError::other(api_error::BAD_AUTHORIZATION));
        }
        if request.header("x-zc-signature-method") != Some(METHOD) {
            return Err(AuthError::other(api_error::BAD_AUTHORIZATION));
        }
        let timestamp = request
            .header("x-zc-timestamp")
            .ok_or(AuthError::other(api_error::BAD_AUTHORIZATION))?;
        check_time(cloud, timestamp).map_err(AuthError::other)?;
        let key = cloud
            .account
            .key(self.access_key)
            .filter(|key| !key.is_revoked())
            .ok_or(AuthError::key(api_error::BAD_SIGNATURE))?;
        let is_signed_with = |case: HeaderCase| {
            let text = self.string_to_sign(request, timestamp, case);
            hmac_sha256_hex(key.secret.as_bytes(), text.as_bytes()) == self.signature
        };
        // The page has header values in lower case; every SDK signs them as they are.
        if is_signed_with(HeaderCase::AsSent) || is_signed_with(HeaderCase::LowerCase) {
            return Ok(());
        }
        Err(AuthError::key(api_error::BAD_SIGNATURE))
    }

    fn string_to_sign(
        &self,
        request: &ReceivedRequest,
        timestamp: &str,
        case: HeaderCase,
    ) -> String {
        let mut canonical = format!("{}\n/\n\n", request.method);
        for name in self.signed_headers.split(';') {
            let value = request.header(name).unwrap_or_default().trim();
            let value = match case {
                HeaderCase::AsSent => value.to_owned(),
                HeaderCase::LowerCase => value.to_lowercase(),
            };
            canonical.push_str(&format!("{name}:{value}\n"));
        }
        canonical.push_str(&format!(
            "\n{}\n{}",
            self.signed_headers,
            sha256_hex(&request.body)
        ));
        format!(
            "{METHOD}\n{timestamp}\n{}",
            sha256_hex(canonical.as_bytes())
        )
    }
}

/// How header values go into the signed text.
#[derive(Clone, Copy)]
enum HeaderCase {
    AsSent,
    LowerCase,
}

/// Whole seconds since 1970, near the cloud's clock.
fn check_time(cloud: &CloudState, timestamp: &str) -> Result<(), ApiError> {
    if !timestamp.bytes().all(|b| b.is_ascii_digit()) {
        return Err(api_error::BAD_AUTHORIZATION);
    }
    let time: i64 = timestamp
        .parse()
        .map_err(|_| api_error::BAD_AUTHORIZATION)?;
    if cloud.wall_time().as_second().abs_diff(time) > WINDOW.unsigned_abs() {
        return Err(api_error::STALE_SIGNATURE);
    }
    Ok(())
}

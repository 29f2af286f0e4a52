//! Verification of `ZC2-HMAC-SHA256` and of bearer tokens, written from the vendor's page
//! (docs.console.zenlayer.com, api-introduction/instruction/sign) and independent of the client's signer.
//!
//! The path in the signed text is always `/`, and neither path nor action is covered. Documented, but
//! for the answer to a bad token and to missing headers, which is inferred.

use lifecycle_core::encode::{hmac_sha256_hex, sha256_hex};

use crate::{dialect::Denial, request::Received, site::Site};

use super::refusal::{self, Refusal};

const METHOD: &str = "ZC2-HMAC-SHA256";

/// A timestamp may be this far from the cloud's clock, in seconds.
const WINDOW: i64 = 5 * 60;

pub(super) fn verify(site: &mut Site, request: &Received) -> Result<(), Denial> {
    let verdict = match Claim::read(request) {
        None => Err(Complaint::Form(refusal::BAD_AUTHORIZATION)),
        Some(Claim::Token(token)) => check_token(site, token),
        Some(Claim::Signature(signed)) => signed.check(site, request),
    };
    verdict.map_err(|complaint| match complaint {
        Complaint::Key(refusal) => Denial::key(refusal.answer(site)),
        Complaint::Form(refusal) => Denial::other(refusal.answer(site)),
    })
}

/// The access key id, or the token, that a request claims to come from.
pub(super) fn claimed_key(request: &Received) -> &str {
    match Claim::read(request) {
        Some(Claim::Token(token)) => token,
        Some(Claim::Signature(signed)) => signed.access_key,
        None => "",
    }
}

/// What is wrong with a request that is not let in.
enum Complaint {
    /// Its key or token.
    Key(Refusal),
    /// Something else.
    Form(Refusal),
}

enum Claim<'r> {
    Token(&'r str),
    Signature(Signed<'r>),
}

struct Signed<'r> {
    access_key: &'r str,
    signed_headers: &'r str,
    signature: &'r str,
}

impl<'r> Claim<'r> {
    /// Reads `Bearer TOKEN`, or
    /// `ZC2-HMAC-SHA256 Credential=ID, SignedHeaders=content-type;host, Signature=HEX`.
    fn read(request: &'r Received) -> Option<Self> {
        let text = request.header("authorization")?;
        if let Some(token) = text.strip_prefix("Bearer ") {
            return Some(Self::Token(token.trim()));
        }
        let mut parts = text.strip_prefix(METHOD)?.split(',').map(str::trim);
        let signed = Signed {
            access_key: parts.next()?.strip_prefix("Credential=")?,
            signed_headers: parts.next()?.strip_prefix("SignedHeaders=")?,
            signature: parts.next()?.strip_prefix("Signature=")?,
        };
        parts.next().is_none().then_some(Self::Signature(signed))
    }
}

fn check_token(site: &Site, token: &str) -> Result<(), Complaint> {
    match site.account.token(token) {
        Some(key) if !key.is_revoked() => Ok(()),
        _ => Err(Complaint::Key(refusal::BAD_AUTHORIZATION)),
    }
}

impl Signed<'_> {
    fn check(&self, site: &Site, request: &Received) -> Result<(), Complaint> {
        let signs = |wanted| self.signed_headers.split(';').any(|name| name == wanted);
        if !(signs("content-type") && signs("host")) {
            return Err(Complaint::Form(refusal::BAD_AUTHORIZATION));
        }
        if request.header("x-zc-signature-method") != Some(METHOD) {
            return Err(Complaint::Form(refusal::BAD_AUTHORIZATION));
        }
        let timestamp = request
            .header("x-zc-timestamp")
            .ok_or(Complaint::Form(refusal::BAD_AUTHORIZATION))?;
        check_time(site, timestamp).map_err(Complaint::Form)?;
        let key = site
            .account
            .key(self.access_key)
            .filter(|key| !key.is_revoked())
            .ok_or(Complaint::Key(refusal::BAD_SIGNATURE))?;
        let signs_so = |letters: Letters| {
            let text = self.string_to_sign(request, timestamp, letters);
            hmac_sha256_hex(key.secret.as_bytes(), text.as_bytes()) == self.signature
        };
        // The page has header values in lower case; every SDK signs them as they are.
        if signs_so(Letters::AsSent) || signs_so(Letters::Lower) {
            return Ok(());
        }
        Err(Complaint::Key(refusal::BAD_SIGNATURE))
    }

    fn string_to_sign(&self, request: &Received, timestamp: &str, letters: Letters) -> String {
        let mut canonical = format!("{}\n/\n\n", request.method);
        for name in self.signed_headers.split(';') {
            let value = request.header(name).unwrap_or_default().trim();
            let value = match letters {
                Letters::AsSent => value.to_owned(),
                Letters::Lower => value.to_lowercase(),
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
enum Letters {
    AsSent,
    Lower,
}

/// Whole seconds since 1970, near the cloud's clock.
fn check_time(site: &Site, timestamp: &str) -> Result<(), Refusal> {
    if !timestamp.bytes().all(|b| b.is_ascii_digit()) {
        return Err(refusal::BAD_AUTHORIZATION);
    }
    let time: i64 = timestamp.parse().map_err(|_| refusal::BAD_AUTHORIZATION)?;
    if site.wall().as_second().abs_diff(time) > WINDOW.unsigned_abs() {
        return Err(refusal::STALE_SIGNATURE);
    }
    Ok(())
}

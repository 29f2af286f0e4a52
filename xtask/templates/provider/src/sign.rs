//! The signature, in the order of the vendor's page. A template for a new provider.

use bytes::Bytes;
use http::Request;
use lifecycle_core::{
    Credential, Fault, FaultKind, Secret, SigningContext, UnsignedRequest,
    encode::{hmac_sha256_hex, sha256_hex},
    sensitive_header,
};

use crate::Config;

// Which keys does the cloud accept: key pairs, temporary keys with a session token, bearer tokens?
// What is signed, in which order, and which headers are required?
// Is the path in the signed text the path of the request? Is the host signed, with the port?
// How much clock skew does the cloud accept? Can a nonce be used twice?
// Is the session token of a temporary key signed, and which header has the token?
// Are keys derived, such as one key per day? `encode::hmac_sha256` returns bytes.
// Does the signature cover further headers of an operation (`request.headers`), or values of the configuration?
// Does the vendor publish test vectors, or can the vendor's SDK generate vectors? Put vectors into
// tests/vectors.
pub(crate) fn sign(
    config: &Config,
    request: &UnsignedRequest,
    key: &Credential,
    context: &SigningContext,
) -> Result<Request<Bytes>, Fault> {
    let Credential::Keys {
        id,
        secret,
        session,
    } = key
    else {
        return Err(Fault::new(
            FaultKind::Credential,
            "Example Cloud supports key pairs only",
        ));
    };
    let session = session.as_ref().map(Secret::expose);
    let text = text_to_sign(request, context, session);
    let signature = hmac_sha256_hex(secret.expose().as_bytes(), text.as_bytes());
    let authorization = sensitive_header(format!("EXAMPLE {id}:{signature}"))?;
    let endpoint = config.endpoint();
    let mut signed = Request::builder();
    // The client adds the headers of `request.headers` that this function does not copy.
    if let Some(session) = session {
        signed = signed.header("x-session-token", sensitive_header(session)?);
    }
    signed
        .method(request.method.clone())
        .uri(endpoint.uri(request.target()).map_err(invalid)?)
        .header("x-date", context.extended())
        .header("authorization", authorization)
        .body(request.body.clone())
        .map_err(invalid)
}

fn text_to_sign(
    request: &UnsignedRequest,
    context: &SigningContext,
    session: Option<&str>,
) -> String {
    let (method, target) = (&request.method, request.target());
    let (date, body) = (context.extended(), sha256_hex(&request.body));
    let session = session.unwrap_or_default();
    format!("{method}\n{target}\n{date}\n{session}\n{body}")
}

fn invalid(error: impl std::fmt::Display) -> Fault {
    Fault::new(FaultKind::Invalid, error.to_string())
}

//! The signature, in the order of the vendor's page.

use bytes::Bytes;
use http::Request;
use lifecycle_core::{
    Credential, UnsignedRequest, Endpoint, Fault, FaultKind, SigningContext,
    encode::{hmac_sha256_hex, sha256_hex},
    sensitive_header,
};

// Which kinds of keys does the cloud take: pairs, temporary ones with a session token, bearer tokens?
// What is signed, in which order, and which headers must be there?
// Is the path in the signed text the path that is sent? Is the host part of it, port included?
// How far may the clocks be apart? May a nonce come twice?
// Are there vectors, or can the vendor's SDK be run to make some? Put them below tests/vectors.
pub(crate) fn sign(
    endpoint: &Endpoint,
    draft: &UnsignedRequest,
    key: &Credential,
    at: &SigningContext,
) -> Result<Request<Bytes>, Fault> {
    let Credential::Keys {
        id,
        secret,
        session: None,
    } = key
    else {
        return Err(Fault::new(
            FaultKind::Credential,
            "Example Cloud takes a permanent key pair",
        ));
    };
    let text = text_to_sign(draft, at);
    let signature = hmac_sha256_hex(secret.expose().as_bytes(), text.as_bytes());
    let authorization = sensitive_header(format!("EXAMPLE {id}:{signature}"))?;
    Request::builder()
        .method(draft.method.clone())
        .uri(endpoint.uri(draft.target()).map_err(invalid)?)
        .header("x-date", at.extended())
        .header("authorization", authorization)
        .body(draft.body.clone())
        .map_err(invalid)
}

fn text_to_sign(draft: &UnsignedRequest, at: &SigningContext) -> String {
    let (method, target) = (&draft.method, draft.target());
    let (date, body) = (at.extended(), sha256_hex(&draft.body));
    format!("{method}\n{target}\n{date}\n{body}")
}

fn invalid(error: impl std::fmt::Display) -> Fault {
    Fault::new(FaultKind::Invalid, error.to_string())
}

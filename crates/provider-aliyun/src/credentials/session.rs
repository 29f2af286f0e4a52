//! A temporary key as STS, the metadata service and credentials URIs hand it out, and what their
//! refusals become. Bodies hold secrets here, so nothing of them is quoted.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Method, header};
use lifecycle_core::{
    Credential, Endpoint, Fault, FaultKind, HttpResponse, ResolvedCredential, Secret,
    credential_source::{read_expiry, without_excerpt},
    encode,
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    body::{Record, Text},
    fault,
};

/// How long before its end the vendor's library fetches a new key.
pub(super) const RENEWAL: Duration = Duration::from_secs(15 * 60);

/// The fields of a temporary key.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Session {
    access_key_id: Text,
    access_key_secret: Text,
    security_token: Text,
    expiration: Text,
}

/// What STS answers.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Assumed {
    credentials: Record<Session>,
}

/// What the metadata service and credentials URIs answer.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Told {
    code: Text,
    #[serde(flatten)]
    session: Session,
}

/// The key in an answer of STS.
pub(super) fn assumed(reply: &HttpResponse, found: &str) -> Result<ResolvedCredential, Fault> {
    refusal(reply)?;
    let answer: Assumed = read(reply)?;
    grant(answer.credentials.0, reply, found)
}

/// The key in an answer of the metadata service or of a credentials URI.
pub(super) fn told(reply: &HttpResponse, found: &str) -> Result<ResolvedCredential, Fault> {
    refusal(reply)?;
    let answer: Told = read(reply)?;
    match answer.code.0.as_deref() {
        None | Some("Success") => grant(answer.session, reply, found),
        Some(code) => Err(
            Fault::new(FaultKind::Credential, "there is no key to be had")
                .with_code(code)
                .with_status(reply.status().as_u16()),
        ),
    }
}

/// The fault of an answer that is none.
pub(super) fn refusal(reply: &HttpResponse) -> Result<(), Fault> {
    fault::check(reply).map_err(without_excerpt)
}

/// A fault whose message does not repeat what the request kept secret.
pub(super) fn scrubbed<'a>(fault: Fault, secrets: impl Iterator<Item = &'a Secret>) -> Fault {
    let message = secrets
        .map(Secret::expose)
        .filter(|secret| !secret.is_empty())
        .fold(fault.message().to_owned(), |message, secret| {
            message
                .replace(secret, "[secret]")
                .replace(&*encode::percent(secret), "[secret]")
        });
    fault.with_message(message)
}

/// A fault that says what it is about, behind the service's own words.
pub(super) fn about(fault: Fault, what: &str) -> Fault {
    let message = match fault.message() {
        "" => what.to_owned(),
        message => format!("{message} ({what})"),
    };
    fault.with_message(message)
}

/// A request without a body.
pub(super) fn request(
    method: Method,
    endpoint: &Endpoint,
    target: String,
) -> Result<http::Request<Bytes>, Fault> {
    let mut request = http::Request::new(Bytes::new());
    *request.method_mut() = method;
    // The target is not repeated in the fault: it may hold a token.
    *request.uri_mut() = endpoint.uri(target).map_err(|_| {
        Fault::new(
            FaultKind::Credential,
            format!("{endpoint} cannot be asked for this key: the request gives no URL"),
        )
    })?;
    let host = lifecycle_core::header(endpoint.authority())?;
    request.headers_mut().insert(header::HOST, host);
    Ok(request)
}

fn read<T: DeserializeOwned>(reply: &HttpResponse) -> Result<T, Fault> {
    serde_json::from_slice(reply.body())
        .map_err(|_| unreadable(reply, "the answer with the key is not in the cloud's form"))
}

fn grant(session: Session, reply: &HttpResponse, found: &str) -> Result<ResolvedCredential, Fault> {
    let need = |field: Text, name: &str| {
        let missing = || unreadable(reply, &format!("the answer has no {name}"));
        field.0.ok_or_else(missing)
    };
    let id = need(session.access_key_id, "AccessKeyId")?;
    let secret = need(session.access_key_secret, "AccessKeySecret")?;
    let token = need(session.security_token, "SecurityToken")?;
    let expiration = need(session.expiration, "Expiration")?;
    let expires: SystemTime = read_expiry(&expiration, reply)?;
    let grant = ResolvedCredential::new(Credential::session(id, secret, token), found);
    Ok(grant.with_expiry(expires).with_renewal(RENEWAL))
}

fn unreadable(reply: &HttpResponse, message: &str) -> Fault {
    Fault::new(FaultKind::Unreadable, message)
        .with_status(reply.status().as_u16())
        .with_request_id(fault::request_id(reply))
}

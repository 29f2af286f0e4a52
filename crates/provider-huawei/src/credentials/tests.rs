//! Tests of Huawei's credential sources. This file holds helpers and samples.

mod chain;
mod exchanges;
mod files;
mod metadata;

use std::{
    fmt::Debug,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::Request;
use lifecycle_core::{
    ExchangeStep, FaultKind, ResolvedCredential, ServiceKind, SigningContext,
    credential_source::FileCheck,
};
use provider_testing::{
    ExchangeRun, FakeHost, ScriptedAnswer, SentStep, id_and_session, response, run_exchange,
};

use super::*;

/// Returns a host that checks the mode of each file: a token file is written by another program,
/// all other files hold the user's secrets.
pub(crate) fn fake_host(host_entries: &[(&str, &str)]) -> FakeHost {
    FakeHost::new(host_entries).with_expected_check(|path| match path.ends_with("token") {
        true => FileCheck::Any,
        false => FileCheck::OwnerOnly,
    })
}

pub(crate) fn ctx(host: &FakeHost) -> ProviderContext<'_> {
    ProviderContext::new(host, noon())
}

/// 2025-11-21T12:00:00Z.
fn noon() -> SigningContext {
    SigningContext::from_unix(1_763_726_400, 0)
}

pub(crate) const SDK_FILE: &str = "~/.huaweicloud/credentials";
pub(crate) const CLI_FILE: &str = "~/.hcloud/config.json";

/// Runs a source with one answer per step.
fn resolve(
    source: &dyn CredentialSource,
    host: &FakeHost,
    answers: impl IntoIterator<Item = ScriptedAnswer>,
) -> ExchangeRun<ResolvedCredential> {
    run_exchange(source.begin(&ctx(host)), &ctx(host), answers)
}

fn http(status: u16, body: &str) -> ScriptedAnswer {
    ScriptedAnswer::http(status, body)
}

fn no_response(kind: FaultKind) -> ScriptedAnswer {
    ScriptedAnswer::no_response(kind)
}

/// Returns the request of a step.
pub(crate) fn request_of<T: Debug>(step: ExchangeStep<T>) -> Request<Bytes> {
    match step {
        ExchangeStep::Http(exchange) => exchange.request,
        other => panic!("no request: {other:?}"),
    }
}

/// Runs a source that needs no request.
fn resolve_locally(
    source: &dyn CredentialSource,
    host_entries: &[(&str, &str)],
) -> ExchangeRun<ResolvedCredential> {
    resolve(source, &fake_host(host_entries), [])
}

/// A key in the format of IAM and of the metadata service.
const KEY_RESPONSE: &str = r#"{"credential": {
    "access": "ISSUED0000000000001",
    "secret": "hidden-secret",
    "securitytoken": "hidden-token",
    "expires_at": "2025-11-22T11:50:00.000000Z"
}}"#;

/// The expiry in [`KEY_RESPONSE`].
fn expiry() -> SystemTime {
    let minutes = 24 * 60 - 10;
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_763_726_400 + minutes * 60)
}

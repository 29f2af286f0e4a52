//! Tests of extreme credentials: expiry before 1970, and files whose reading takes long.

mod support;

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use lifecycle_client::{CachedCredentials, CredentialProvider, StepDriver};
use lifecycle_core::{
    Credential, CredentialSource, EmptyHost, ExchangeStep, HostEnvironment, ProviderContext,
    ResolvedCredential, ServiceKind,
    credential_source::{FileCheck, read_time},
};
use support::{ScriptedCloud, ok, seconds};
use tokio::time::Instant;

/// A host with one file, which takes three seconds to read.
#[derive(Debug)]
struct SlowHost;

impl HostEnvironment for SlowHost {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str, _: FileCheck) -> Result<Option<String>, String> {
        std::thread::sleep(Duration::from_secs(3));
        Ok(None)
    }
}

/// Reads a file in the first step, or after a response.
#[derive(Debug)]
struct FromFile {
    after_response: bool,
}

impl CredentialSource for FromFile {
    fn name(&self) -> String {
        "file".to_owned()
    }

    fn requirements(&self) -> String {
        "a file".to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let read = |ctx: &ProviderContext<'_>| match ctx.file("file") {
            Ok(_) => ExchangeStep::NotConfigured("no key".to_owned()),
            Err(fault) => ExchangeStep::Failed(fault),
        };
        if self.after_response {
            let request = http::Request::builder()
                .uri("/get")
                .header("signature", "")
                .body(Bytes::new());
            let request = request.unwrap();
            ExchangeStep::http("Get", ServiceKind::Metadata, request, move |_, ctx| {
                read(ctx)
            })
        } else {
            read(ctx)
        }
    }
}

#[tokio::test]
async fn slow_file_holds_up_neither_the_deadline_nor_other_tasks() {
    for after_response in [false, true] {
        let driver = StepDriver::new(ScriptedCloud::new(|_| ok(""))).machine(SlowHost);
        let credentials = CachedCredentials::new(
            "Toy Cloud",
            vec![Box::new(FromFile { after_response })],
            driver,
        );
        let start = Instant::now();
        let limit = Duration::from_millis(300);
        let result = tokio::time::timeout(limit, credentials.credential()).await;
        assert!(result.is_err(), "the file was read in no time");
        assert!(start.elapsed() < seconds(2), "{:?}", start.elapsed());
    }
}

/// A host with one file, whose permissions take three seconds to read.
#[derive(Debug)]
struct SlowPermissions;

impl HostEnvironment for SlowPermissions {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str, _: FileCheck) -> Result<Option<String>, String> {
        Ok(Some("key".to_owned()))
    }

    fn permission_warning(&self, _: &str) -> Option<String> {
        std::thread::sleep(Duration::from_secs(3));
        None
    }
}

/// Reads a key in a file with secrets.
#[derive(Debug)]
struct SecretFile;

impl CredentialSource for SecretFile {
    fn name(&self) -> String {
        "file".to_owned()
    }

    fn requirements(&self) -> String {
        "a file".to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        match ctx.secret_file("file") {
            Ok(_) => {
                let key = Credential::keys("id", "secret");
                ExchangeStep::Done(ResolvedCredential::new(key, "a file"))
            }
            Err(fault) => ExchangeStep::Failed(fault),
        }
    }
}

#[tokio::test]
async fn slow_check_of_permissions_holds_up_neither_the_deadline_nor_other_tasks() {
    let driver = StepDriver::new(ScriptedCloud::new(|_| ok(""))).machine(SlowPermissions);
    let credentials = CachedCredentials::new("Toy Cloud", vec![Box::new(SecretFile)], driver);
    let start = Instant::now();
    let limit = Duration::from_millis(300);
    let result = tokio::time::timeout(limit, credentials.credential()).await;
    assert!(result.is_err(), "the permissions were read in no time");
    assert!(start.elapsed() < seconds(2), "{:?}", start.elapsed());
}

/// A source with a key that expired at a fixed time.
#[derive(Debug)]
struct Expired(SystemTime);

impl CredentialSource for Expired {
    fn name(&self) -> String {
        "file".to_owned()
    }

    fn requirements(&self) -> String {
        "a file".to_owned()
    }

    fn begin(&self, _: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let key = Credential::session("id", "secret", "token");
        ExchangeStep::Done(ResolvedCredential::new(key, "a file").with_expiry(self.0))
    }
}

#[tokio::test(start_paused = true)]
async fn key_that_expired_before_1970_is_an_error_with_the_time() {
    for (text, expected) in [
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"),
        ("-009999-01-02T01:59:59Z", "-009999-01-02T01:59:59Z"),
    ] {
        let expiry = read_time(text).unwrap();
        let driver = StepDriver::new(ScriptedCloud::new(|_| ok(""))).machine(EmptyHost);
        let credentials =
            CachedCredentials::new("Toy Cloud", vec![Box::new(Expired(expiry))], driver);
        let error = credentials.credential().await.unwrap_err().to_string();
        assert!(error.contains(&format!("expired on {expected}")), "{error}");
    }
    let last = read_time("9999-12-30T21:59:59Z").unwrap();
    let driver = StepDriver::new(ScriptedCloud::new(|_| ok(""))).machine(EmptyHost);
    let credentials = CachedCredentials::new("Toy Cloud", vec![Box::new(Expired(last))], driver);
    assert!(credentials.credential().await.is_ok());
}

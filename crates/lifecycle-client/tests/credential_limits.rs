//! Tests of the limits of searches for keys: expiry before 1970, files whose reading takes long or that other
//! users can read, and the times between searches and between requests.

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use lifecycle_client::{CachedCredentials, Clock, CredentialProvider, StepDriver};
use lifecycle_core::{
    Credential, CredentialSource, EmptyHost, ExchangeStep, Fault, FaultKind, HostEnvironment,
    ProviderContext, ResolvedCredential, ServiceKind,
    credential_source::{FileCheck, read_time},
};
use support::{NOW, ScriptedCloud, ok, seconds};
use tokio::time::{Instant, advance, sleep};

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

/// A host with one file, which other users can read.
#[derive(Debug)]
struct OpenFile;

impl HostEnvironment for OpenFile {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str, _: FileCheck) -> Result<Option<String>, String> {
        Ok(Some("key".to_owned()))
    }

    fn permission_warning(&self, path: &str) -> Option<String> {
        Some(format!("other users can read {path}"))
    }
}

#[tokio::test]
async fn info_of_a_key_has_the_warning_about_its_file() {
    let driver = StepDriver::new(ScriptedCloud::new(|_| ok(""))).machine(OpenFile);
    let credentials = CachedCredentials::new("Toy Cloud", vec![Box::new(SecretFile)], driver);
    assert!(credentials.info().warnings.is_empty(), "no search so far");
    credentials.credential().await.unwrap();
    let info = credentials.info();
    assert_eq!(info.warnings, ["other users can read file"]);
    assert_eq!((&*info.kind, info.keys_found), ("file", 1));
}

/// A clock that follows the time of tokio.
#[derive(Clone, Copy, Debug)]
struct RunningClock(Instant);

impl Clock for RunningClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + seconds(NOW) + self.0.elapsed()
    }
}

/// A source with a key of 100 seconds at the first search, and without a key later.
#[derive(Debug)]
struct OneKey {
    clock: RunningClock,
    searches: Arc<AtomicU32>,
}

impl CredentialSource for OneKey {
    fn name(&self) -> String {
        "toy".to_owned()
    }

    fn requirements(&self) -> String {
        "toy".to_owned()
    }

    fn begin(&self, _: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        match self.searches.fetch_add(1, Ordering::SeqCst) {
            0 => {
                let key = Credential::session("id", "secret", "token");
                let expiry = self.clock.now() + seconds(100);
                ExchangeStep::Done(ResolvedCredential::new(key, "toy").with_expiry(expiry))
            }
            _ => ExchangeStep::Failed(Fault::new(FaultKind::Credential, "no further key")),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn failed_renewal_is_not_repeated_for_five_seconds() {
    let (clock, searches) = (RunningClock(Instant::now()), Arc::default());
    let source = OneKey {
        clock,
        searches: Arc::clone(&searches),
    };
    let driver = StepDriver::new(ScriptedCloud::new(|_| ok("")));
    let driver = driver.clock(clock).machine(EmptyHost);
    let credentials = CachedCredentials::new("Toy Cloud", vec![Box::new(source)], driver);
    let searches_after_a_call = async || {
        credentials.credential().await.unwrap();
        sleep(Duration::from_millis(1)).await;
        searches.load(Ordering::SeqCst)
    };
    assert_eq!(searches_after_a_call().await, 1);
    advance(seconds(60)).await;
    assert_eq!(searches_after_a_call().await, 2, "a renewal is due");
    assert_eq!(searches_after_a_call().await, 2);
    advance(Duration::from_millis(4_997)).await;
    assert_eq!(searches_after_a_call().await, 2);
    assert_eq!(searches_after_a_call().await, 3, "five seconds have passed");
}

/// Asks a service that answers each request with the fault. Returns the times of the requests in seconds.
async fn request_times(fault: Fault, patience: Duration) -> Vec<u64> {
    let cloud = ScriptedCloud::new(|_| ok(""));
    let driver = StepDriver::new(cloud.clone())
        .machine(EmptyHost)
        .patience(patience);
    let result = driver.resolve(move |_| {
        let request = http::Request::builder()
            .uri("/get")
            .header("signature", "")
            .body(Bytes::new());
        let fault = fault.clone();
        ExchangeStep::<()>::http("Get", ServiceKind::Metadata, request.unwrap(), |_, _| {
            ExchangeStep::Failed(fault)
        })
    });
    result.await.unwrap_err();
    cloud.log().iter().map(|sent| sent.at.as_secs()).collect()
}

#[tokio::test(start_paused = true)]
async fn request_to_a_busy_service_is_repeated_if_the_wait_ends_in_time() {
    // A wait is at most 20 seconds, even if the service asks for more.
    let wait = Some(seconds(3600));
    for kind in [FaultKind::Throttled, FaultKind::Unavailable] {
        for (patience, expected) in [
            (seconds(20), &[0][..]),
            (seconds(40), &[0, 20]),
            (Duration::from_millis(40_001), &[0, 20, 40]),
            (seconds(100), &[0, 20, 40, 60, 80]),
        ] {
            let fault = Fault::new(kind, "busy").with_retry_after(wait);
            let times = request_times(fault, patience).await;
            assert_eq!(times, expected, "{kind:?} {patience:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn request_to_a_service_is_repeated_only_after_a_fault_that_can_pass() {
    for (kind, expected) in [
        (FaultKind::Unreachable, 3),
        (FaultKind::NoAnswer, 3),
        (FaultKind::Unreadable, 3),
        (FaultKind::Credential, 1),
        (FaultKind::Permission, 1),
        (FaultKind::Invalid, 1),
        (FaultKind::ClockSkew, 1),
    ] {
        let times = request_times(Fault::new(kind, "no"), seconds(60)).await;
        assert_eq!(times.len(), expected, "{kind:?}");
    }
}

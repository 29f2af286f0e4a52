//! Tests of temporary keys under paused time: found once, shared, renewed before expiry, replaced
//! after a rejection. The keys of the service live for an hour.

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use lifecycle_client::{
    CachedCredentials, Client, Clock, CredentialError, CredentialProvider, StepDriver, Transport,
    TransportError, WaitTimeout,
};
use lifecycle_core::{
    Credential, CredentialSource, EmptyHost, ExchangeStep, ExecutionStatus, Fault, FaultKind,
    HttpResponse, ProviderContext, ResolvedCredential, ServiceKind, credential_source::read_expiry,
};
use support::{CallResult, NOW, ScriptedCloud, Toy, all_in_state, fault, ok, outcomes, seconds};
use tokio::time::{Instant, advance, sleep};

/// A service that returns a new key for each request.
#[derive(Clone, Debug)]
struct Service {
    requests: Arc<AtomicU64>,
    is_down: Arc<AtomicBool>,
    /// The number of one permanent key to return instead of new keys.
    permanent: Option<Arc<AtomicU64>>,
    /// The service returns no keys.
    is_empty: Arc<AtomicBool>,
    /// The service answers with status 503 up to this time.
    is_busy_until: Instant,
    /// The lifetime of the keys.
    lifetime: Duration,
    /// The number of seconds by which the clock of the service is ahead.
    ahead: i64,
    latency: Duration,
    clock: RunningClock,
}

impl Service {
    fn new() -> Self {
        Self {
            requests: Arc::default(),
            is_down: Arc::default(),
            permanent: None,
            is_empty: Arc::default(),
            is_busy_until: Instant::now(),
            lifetime: seconds(3600),
            ahead: 0,
            latency: seconds(1),
            clock: RunningClock(Instant::now()),
        }
    }

    fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }

    fn credentials(&self) -> CachedCredentials {
        let driver = StepDriver::new(self.clone())
            .clock(self.clock)
            .machine(EmptyHost);
        CachedCredentials::new(
            "Toy Cloud",
            vec![Box::new(NotConfigured), Box::new(FromService)],
            driver,
        )
    }
}

#[async_trait]
impl Transport for Service {
    async fn send(&self, request: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        let number = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
        sleep(self.latency).await;
        if self.is_down.load(Ordering::SeqCst) {
            return Err(TransportError::unsent("no connection"));
        }
        let shift = seconds(self.ahead.unsigned_abs());
        let now = match self.ahead {
            0.. => self.clock.now() + shift,
            _ => self.clock.now() - shift,
        };
        let signed = request.headers()["at"].to_str().unwrap().to_owned();
        let signed = SystemTime::UNIX_EPOCH + seconds(signed.parse().unwrap());
        let difference = now
            .duration_since(signed)
            .unwrap_or_else(|early| early.duration());
        let mut headers = http::HeaderMap::new();
        headers.insert("date", httpdate::fmt_http_date(now).parse().unwrap());
        let end = jiff::Timestamp::try_from(now + self.lifetime).unwrap();
        let body = match &self.permanent {
            Some(number) => format!("key{} never", number.load(Ordering::SeqCst)),
            None => format!("key{number} {end}"),
        };
        Ok(provider_testing::http_response(
            match difference > seconds(900) {
                true => 403,
                false if Instant::now() < self.is_busy_until => 503,
                false if self.is_empty.load(Ordering::SeqCst) => 404,
                false => 200,
            },
            headers,
            body,
        ))
    }
}

/// A source without a configuration.
#[derive(Debug)]
struct NotConfigured;

impl CredentialSource for NotConfigured {
    fn name(&self) -> String {
        "environment".to_owned()
    }

    fn requirements(&self) -> String {
        "TOY_KEY".to_owned()
    }

    fn begin(&self, _: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        ExchangeStep::NotConfigured("TOY_KEY is not set".to_owned())
    }
}

/// A source that asks the [`Service`].
#[derive(Debug)]
struct FromService;

impl CredentialSource for FromService {
    fn name(&self) -> String {
        "toy service".to_owned()
    }

    fn requirements(&self) -> String {
        "the toy service".to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let request = http::Request::builder()
            .uri("https://sts.example/key")
            .header("at", ctx.signing_context().unix())
            .body(Bytes::new())
            .unwrap();
        ExchangeStep::http(
            "GetKey",
            ServiceKind::Identity,
            request,
            |result, _| match result {
                Ok(response) if response.status().as_u16() == 404 => {
                    ExchangeStep::NotConfigured("the service has no key".to_owned())
                }
                result => result.and_then(|response| read(&response)).into(),
            },
        )
    }
}

fn read(response: &HttpResponse) -> Result<ResolvedCredential, Fault> {
    if response.status().as_u16() == 403 {
        return Err(Fault::new(FaultKind::ClockSkew, "the clocks differ"));
    }
    if response.status().as_u16() == 503 {
        return Err(Fault::new(FaultKind::Unavailable, "busy").with_code("ServiceBusy"));
    }
    let text = String::from_utf8_lossy(response.body()).into_owned();
    let (key, end) = text.split_once(' ').unwrap();
    let resolved =
        ResolvedCredential::new(Credential::session(key, "s3cret", "session"), "role toy");
    Ok(match end {
        "never" => resolved,
        end => resolved.with_expiry(read_expiry(end, response)?),
    })
}

/// A clock that follows the time of tokio.
#[derive(Clone, Copy, Debug)]
struct RunningClock(Instant);

impl Clock for RunningClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + seconds(NOW) + self.0.elapsed()
    }
}

async fn key_id(credentials: &CachedCredentials) -> String {
    match &*credentials.credential().await.unwrap() {
        Credential::Keys { id, .. } => id.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn one_search_serves_all_concurrent_callers() {
    let service = Service::new();
    let credentials = service.credentials();
    let keys = join_all((0..100).map(|_| key_id(&credentials))).await;
    assert!(keys.iter().all(|key| key == "key1"), "{keys:?}");
    assert_eq!(service.requests(), 1);
    let info = credentials.info();
    assert_eq!((&*info.kind, &*info.source), ("toy service", "role toy"));
    let left = info.expires.unwrap().duration_since(service.clock.now());
    assert!(left.unwrap() <= seconds(3600));
    assert!(!format!("{credentials:?}").contains("s3cret"));
}

#[tokio::test(start_paused = true)]
async fn key_is_renewed_once_before_expiry_without_wait() {
    let service = Service::new();
    let credentials = service.credentials();
    assert_eq!(key_id(&credentials).await, "key1");
    advance(seconds(2600)).await;
    assert_eq!(key_id(&credentials).await, "key1");
    assert_eq!(service.requests(), 1, "too early");
    advance(seconds(150)).await;
    let before = Instant::now();
    let keys = join_all((0..50).map(|_| key_id(&credentials))).await;
    assert!(keys.iter().all(|key| key == "key1"), "{keys:?}");
    assert_eq!(before.elapsed(), Duration::ZERO, "a caller waited");
    sleep(seconds(2)).await;
    assert_eq!(key_id(&credentials).await, "key2");
    assert_eq!(service.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn failed_renewal_keeps_the_old_key_until_expiry() {
    let service = Service::new();
    let credentials = service.credentials();
    key_id(&credentials).await;
    service.is_down.store(true, Ordering::SeqCst);
    advance(seconds(2800)).await;
    let calls = service.requests();
    // Ten calls per second for a minute.
    for _ in 0..600 {
        assert_eq!(key_id(&credentials).await, "key1");
        sleep(Duration::from_millis(100)).await;
    }
    let storm = service.requests() - calls;
    assert!((2..=40).contains(&storm), "{storm} calls in a minute");
    advance(seconds(700)).await;
    assert_eq!(
        key_id(&credentials).await,
        "key1",
        "the key has not expired"
    );
    advance(seconds(60)).await;
    let error = credentials.credential().await.unwrap_err();
    assert_eq!(error.fault().kind(), FaultKind::Unreachable);
    assert_eq!(
        error.to_string(),
        "no key for Toy Cloud: toy service: GetKey at sts.example: no connection"
    );
    service.is_down.store(false, Ordering::SeqCst);
    sleep(seconds(6)).await;
    assert_eq!(&key_id(&credentials).await[..3], "key");
}

#[tokio::test(start_paused = true)]
async fn busy_identity_service_is_asked_again_for_a_minute() {
    for (busy, has_key) in [(30, true), (90, false)] {
        let mut service = Service::new();
        service.is_busy_until = Instant::now() + seconds(busy);
        let credentials = service.credentials();
        let result = credentials.credential().await;
        assert_eq!(result.is_ok(), has_key, "busy for {busy} s: {result:?}");
        let requests = service.requests();
        assert!((5..=16).contains(&requests), "{requests} requests");
        if let Err(error) = result {
            assert_eq!(
                error.to_string(),
                "no key for Toy Cloud: toy service: GetKey at sts.example: HTTP 503: \
                 ServiceBusy: busy"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn deadline_during_a_search_names_the_fault_of_the_search() {
    let mut service = Service::new();
    service.is_busy_until = Instant::now() + seconds(50);
    let credentials = service.credentials();
    let cloud = ScriptedCloud::new(|_| ok("ok"));
    let builder = Client::builder(Toy::default(), credentials.clone(), cloud.clone());
    let client = builder
        .timeouts(lifecycle_client::Timeouts::default().with_request(seconds(10)))
        .build();
    let report = client.start(["i-1"]).await.unwrap();
    assert_eq!(outcomes(&report), ["skipped"]);
    let text = report.instances()[0].to_string();
    assert!(
        text.contains("sts.example: HTTP 503: ServiceBusy"),
        "{text}"
    );
    assert!(cloud.log().is_empty());
    assert!(credentials.search_fault().is_some());
    advance(seconds(50)).await;
    key_id(&credentials).await;
    assert_eq!(credentials.search_fault(), None);
}

#[tokio::test(start_paused = true)]
async fn failed_search_is_shared_by_all_waiting_callers() {
    let service = Service::new();
    service.is_down.store(true, Ordering::SeqCst);
    let credentials = service.credentials();
    let results = join_all((0..100).map(|_| credentials.credential())).await;
    assert!(results.iter().all(Result::is_err));
    assert_eq!(service.requests(), 3, "one search of three attempts");
}

#[tokio::test(start_paused = true)]
async fn cancelled_search_is_repeated_by_the_next_caller() {
    let service = Service::new();
    let credentials = service.credentials();
    let hasty = tokio::time::timeout(Duration::from_millis(10), credentials.credential());
    let (hasty, patient) = tokio::join!(hasty, key_id(&credentials));
    assert!(hasty.is_err());
    assert_eq!(patient, "key2");
}

#[tokio::test(start_paused = true)]
async fn expiry_follows_the_clock_of_the_service() {
    for ahead in [7_200, -7_200] {
        let service = Service {
            ahead,
            ..Service::new()
        };
        let credentials = service.credentials();
        assert_eq!(
            key_id(&credentials).await,
            "key2",
            "signed again with the time of the service"
        );
        let expires = credentials.info().expires.unwrap();
        let left = expires.duration_since(service.clock.now()).unwrap();
        assert!(
            (seconds(3590)..=seconds(3600)).contains(&left),
            "{ahead}: {left:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn error_without_configuration_names_all_sources() {
    let driver = StepDriver::new(Service::new()).machine(EmptyHost);
    let credentials = CachedCredentials::new(
        "Toy Cloud",
        vec![Box::new(NotConfigured), Box::new(NotConfigured)],
        driver,
    );
    assert_eq!(
        credentials.credential().await.unwrap_err().to_string(),
        "no key for Toy Cloud: TOY_KEY is not set; TOY_KEY is not set"
    );
}

#[tokio::test(start_paused = true)]
async fn expired_key_is_an_error() {
    let service = Service {
        lifetime: Duration::ZERO,
        ..Service::new()
    };
    let error = service.credentials().credential().await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("role toy expired"), "{text}");
}

fn client(credentials: &CachedCredentials, cloud: ScriptedCloud) -> Client {
    Client::builder(Toy::default(), credentials.clone(), cloud)
        .seed(1)
        .build()
}

#[tokio::test(start_paused = true)]
async fn key_is_renewed_during_a_long_wait() {
    let service = Service {
        lifetime: seconds(120),
        ..Service::new()
    };
    let started = Instant::now();
    let cloud = ScriptedCloud::new(move |sent| match &*sent.operation {
        "start" => ok("ok"),
        _ if started.elapsed() < seconds(500) => all_in_state(sent, "starting"),
        _ => all_in_state(sent, "running"),
    });
    let credentials = service.credentials();
    let report = client(&credentials, cloud.clone())
        .start(["i-1"])
        .wait(WaitTimeout::minutes(20))
        .await
        .unwrap();
    assert_eq!(outcomes(&report), ["reached"]);
    let mut keys: Vec<String> = cloud.log().into_iter().map(|sent| sent.signature).collect();
    keys.retain(|signature| signature.starts_with("key"));
    keys.dedup_by_key(|signature| signature.split('@').next().map(ToOwned::to_owned));
    assert!(keys.len() >= 5, "{keys:?}");
}

#[tokio::test(start_paused = true)]
async fn rejected_key_is_replaced_once_even_for_a_reboot() {
    let service = Service::new();
    let cloud = ScriptedCloud::new(|sent| match &*sent.operation {
        "reboot" if sent.signature.starts_with("key1@") => fault(FaultKind::Credential),
        "reboot" => ok("ok"),
        _ => all_in_state(sent, "running"),
    });
    let credentials = service.credentials();
    let report = client(&credentials, cloud.clone())
        .reboot(["i-1"])
        .await
        .unwrap();
    assert_eq!(outcomes(&report), ["accepted"]);
    assert_eq!(cloud.calls("reboot").len(), 2);
    assert_eq!(service.requests(), 2);
}

/// A cloud with a latency of a second.
#[derive(Debug)]
struct Distant(ScriptedCloud);

#[async_trait]
impl Transport for Distant {
    async fn send(&self, request: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        let result = self.0.send(request).await;
        sleep(seconds(1)).await;
        result
    }
}

#[tokio::test(start_paused = true)]
async fn all_concurrent_calls_get_the_replacement_of_a_rejected_key() {
    let service = Service::new();
    let cloud = ScriptedCloud::new(|sent| match &*sent.operation {
        "start" if sent.signature.starts_with("key1@") => fault(FaultKind::Credential),
        "start" => ok("ok"),
        _ => all_in_state(sent, "stopped"),
    });
    let client = Client::builder(Toy::default(), service.credentials(), Distant(cloud))
        .seed(1)
        .build();
    // Calls with a confirmed key are concurrent.
    client.observe(["i-0"]).await.unwrap();
    let ids: Vec<String> = (0..40).map(|n| format!("i-{n}")).collect();
    let report = client.start(ids.iter().map(String::as_str)).await.unwrap();
    assert_eq!(outcomes(&report), ["accepted"; 40]);
    assert_eq!(service.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn repeated_rejections_cause_no_storm_of_new_keys() {
    let service = Service::new();
    let cloud = ScriptedCloud::new(|_| -> CallResult { fault(FaultKind::Credential) });
    let credentials = service.credentials();
    let client = client(&credentials, cloud.clone());
    for _ in 0..10 {
        let report = client.start(["i-1"]).await.unwrap();
        assert_eq!(outcomes(&report), ["refused"]);
    }
    assert_eq!(service.requests(), 2);
    assert_eq!(cloud.log().len(), 2, "a rejected key was used twice");
}

#[tokio::test(start_paused = true)]
async fn old_key_serves_all_callers_until_expiry() {
    let service = Service::new();
    let credentials = service.credentials();
    key_id(&credentials).await;
    service.is_down.store(true, Ordering::SeqCst);
    advance(seconds(3593)).await;
    let keys = join_all((0..20).map(|_| key_id(&credentials))).await;
    assert!(keys.iter().all(|key| key == "key1"), "{keys:?}");
}

/// A source with the key of another account.
#[derive(Debug)]
struct OtherAccount;

impl CredentialSource for OtherAccount {
    fn name(&self) -> String {
        "other account".to_owned()
    }

    fn requirements(&self) -> String {
        "the other account".to_owned()
    }

    fn begin(&self, _: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        ExchangeStep::Done(ResolvedCredential::new(
            Credential::keys("other", "s3cret"),
            "other account",
        ))
    }
}

#[tokio::test(start_paused = true)]
async fn key_of_another_account_never_replaces_the_first_key() {
    let service = Service::new();
    let driver = StepDriver::new(service.clone())
        .clock(service.clock)
        .machine(EmptyHost);
    let sources: Vec<Box<dyn CredentialSource>> =
        vec![Box::new(FromService), Box::new(OtherAccount)];
    let credentials = CachedCredentials::new("Toy Cloud", sources, driver);
    assert_eq!(key_id(&credentials).await, "key1");
    service.is_empty.store(true, Ordering::SeqCst);
    advance(seconds(3000)).await;
    for _ in 0..20 {
        assert_eq!(key_id(&credentials).await, "key1");
        sleep(seconds(20)).await;
    }
    credentials.invalidate(&Credential::session("key1", "s3cret", "session"));
    assert_eq!(key_id(&credentials).await, "key1", "the key is still valid");
    advance(seconds(3600)).await;
    let error = credentials.credential().await.unwrap_err();
    assert_eq!(error.fault().kind(), FaultKind::Unreachable);
    assert_eq!(
        error.to_string(),
        "no key for Toy Cloud in the previous source (the service has no key): configure the key there again, or restart the program to search all sources"
    );
}

#[tokio::test(start_paused = true)]
async fn key_replaced_in_its_source_is_found_within_a_minute() {
    let number = Arc::new(AtomicU64::new(1));
    let service = Service {
        permanent: Some(Arc::clone(&number)),
        ..Service::new()
    };
    let cloud = ScriptedCloud::new(|sent| match sent.signature.starts_with("key1@") {
        true => fault(FaultKind::Credential),
        false => ok("ok"),
    });
    let credentials = service.credentials();
    let client = client(&credentials, cloud.clone());
    for _ in 0..100 {
        let report = client.start(["i-1"]).await.unwrap();
        assert_eq!(outcomes(&report), ["refused"]);
        advance(seconds(3)).await;
    }
    assert_eq!(cloud.log().len(), 1, "a rejected key was used again");
    assert!(
        (4..=7).contains(&service.requests()),
        "{}",
        service.requests()
    );
    number.store(2, Ordering::SeqCst);
    advance(seconds(61)).await;
    let report = client.start(["i-1"]).await.unwrap();
    assert_eq!(outcomes(&report), ["accepted"]);
}

#[test]
fn fault_of_a_service_becomes_a_credential_fault() {
    for (kind, expected) in [
        (FaultKind::NotFound, FaultKind::Credential),
        (FaultKind::WrongState, FaultKind::Credential),
        (FaultKind::Invalid, FaultKind::Credential),
        (FaultKind::Throttled, FaultKind::Throttled),
        (FaultKind::NoAnswer, FaultKind::NoAnswer),
    ] {
        let error = CredentialError::from(Fault::new(kind, "no"));
        assert_eq!(error.fault().kind(), expected);
        assert_eq!(
            error.fault().execution_status(),
            ExecutionStatus::NotExecuted
        );
    }
}

#[tokio::test(start_paused = true)]
async fn failed_search_is_not_repeated_for_five_seconds() {
    let service = Service::new();
    service.is_down.store(true, Ordering::SeqCst);
    let credentials = service.credentials();
    credentials.credential().await.unwrap_err();
    assert_eq!(service.requests(), 3);
    advance(Duration::from_millis(4_999)).await;
    credentials.credential().await.unwrap_err();
    assert_eq!(service.requests(), 3);
    advance(Duration::from_millis(1)).await;
    credentials.credential().await.unwrap_err();
    assert_eq!(service.requests(), 6);
    service.is_down.store(false, Ordering::SeqCst);
    advance(seconds(5)).await;
    key_id(&credentials).await;
    let client = client(&credentials, ScriptedCloud::new(|_| ok("ok")));
    for (found, failed) in [
        {
            let info = credentials.info();
            (info.keys_found, info.failed_searches)
        },
        {
            let stats = client.stats();
            (stats.keys_found, stats.failed_key_searches)
        },
    ] {
        assert_eq!((found, failed), (1, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn rejected_key_is_replaced_once_a_minute() {
    let service = Service::new();
    let credentials = service.credentials();
    let key = async || credentials.credential().await.unwrap();
    let first = key().await;
    let other = Credential::keys("other", "s3cret");
    assert!(credentials.invalidate(&other), "the key in use differs");
    assert!(key().await.same_key(&first));
    assert!(credentials.invalidate(&first));
    assert!(credentials.invalidate(&first), "rejected already");
    let replaced = Instant::now();
    let second = key().await;
    assert!(!second.same_key(&first));
    assert!(!credentials.invalidate(&second));
    assert!(key().await.same_key(&second), "still in use");
    advance(seconds(60) - replaced.elapsed() - Duration::from_millis(1)).await;
    assert!(!credentials.invalidate(&second));
    advance(Duration::from_millis(1)).await;
    assert!(credentials.invalidate(&second));
    assert!(!key().await.same_key(&second));
    assert_eq!(service.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn key_is_used_until_the_moment_of_its_expiry() {
    let service = Service::new();
    let credentials = service.credentials();
    key_id(&credentials).await;
    let expires = credentials.info().expires.unwrap();
    service.is_down.store(true, Ordering::SeqCst);
    let left = expires.duration_since(service.clock.now()).unwrap();
    // The search that fails ends before the expiry, and its error stays for five seconds.
    advance(left - seconds(8)).await;
    key_id(&credentials).await;
    let left = expires.duration_since(service.clock.now()).unwrap();
    assert!(left <= seconds(5), "{left:?}");
    advance(left - Duration::from_millis(1)).await;
    assert_eq!(key_id(&credentials).await, "key1");
    advance(Duration::from_millis(1)).await;
    credentials.credential().await.unwrap_err();
}

/// A source that has no key for a reason, or a broken one.
#[derive(Debug)]
struct Without {
    reason: String,
    is_broken: bool,
}

impl CredentialSource for Without {
    fn name(&self) -> String {
        "toy file".to_owned()
    }

    fn requirements(&self) -> String {
        "a file".to_owned()
    }

    fn begin(&self, _: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        match self.is_broken {
            true => ExchangeStep::Failed(Fault::new(FaultKind::Credential, &*self.reason)),
            false => ExchangeStep::NotConfigured(self.reason.clone()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn error_names_the_source_once_and_long_reasons_not_at_all() {
    for (reason, is_broken, expected) in [
        ("is empty", true, "toy file: is empty"),
        ("the toy file is empty", true, "the toy file is empty"),
        (&*"x".repeat(240), false, &*"x".repeat(240)),
        (&*"x".repeat(241), false, "found none in toy file"),
    ] {
        let driver = StepDriver::new(Service::new()).machine(EmptyHost);
        let reason = reason.to_owned();
        let source = Without { reason, is_broken };
        let credentials = CachedCredentials::new("Toy Cloud", vec![Box::new(source)], driver);
        let error = credentials.credential().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("no key for Toy Cloud: {expected}")
        );
        assert_eq!(error.is_not_configured(), !is_broken);
    }
}

//! Keys that end: found once, shared, renewed before their end, replaced when refused. All under
//! paused time, with a service whose keys live for an hour.

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
use support::{Fate, NOW, Scripted, Toy, all, fault, ok, outcomes, seconds};
use tokio::time::{Instant, advance, sleep};

/// A service that gives a new key whenever it is asked.
#[derive(Clone, Debug)]
struct Service {
    asked: Arc<AtomicU64>,
    is_down: Arc<AtomicBool>,
    /// It gives the same key, for ever, until this is another number.
    fixed: Option<Arc<AtomicU64>>,
    /// It has no key any more.
    is_empty: Arc<AtomicBool>,
    /// How long its keys live.
    life: Duration,
    /// By how many seconds its clock is ahead.
    ahead: i64,
    /// How long an answer takes.
    takes: Duration,
    clock: RunningClock,
}

impl Service {
    fn new() -> Self {
        Self {
            asked: Arc::default(),
            is_down: Arc::default(),
            fixed: None,
            is_empty: Arc::default(),
            life: seconds(3600),
            ahead: 0,
            takes: seconds(1),
            clock: RunningClock(Instant::now()),
        }
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    fn chain(&self) -> CachedCredentials {
        let resolver = StepDriver::new(self.clone())
            .clock(self.clock)
            .machine(EmptyHost);
        CachedCredentials::new(
            "Toy Cloud",
            vec![Box::new(Absent), Box::new(Asked)],
            resolver,
        )
    }
}

#[async_trait]
impl Transport for Service {
    async fn send(&self, request: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        sleep(self.takes).await;
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
        let apart = now
            .duration_since(signed)
            .unwrap_or_else(|early| early.duration());
        let mut headers = http::HeaderMap::new();
        headers.insert("date", httpdate::fmt_http_date(now).parse().unwrap());
        let end = jiff::Timestamp::try_from(now + self.life).unwrap();
        let body = match &self.fixed {
            Some(number) => format!("key{} never", number.load(Ordering::SeqCst)),
            None => format!("key{number} {end}"),
        };
        Ok(provider_testing::http_response(
            match apart > seconds(900) {
                true => 403,
                false if self.is_empty.load(Ordering::SeqCst) => 404,
                false => 200,
            },
            headers,
            body,
        ))
    }
}

/// Nothing is set up here.
#[derive(Debug)]
struct Absent;

impl CredentialSource for Absent {
    fn name(&self) -> String {
        "absent".to_owned()
    }

    fn requirements(&self) -> String {
        "TOY_KEY".to_owned()
    }

    fn begin(&self, _: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        ExchangeStep::NotConfigured("TOY_KEY is not set".to_owned())
    }
}

/// Asks the service.
#[derive(Debug)]
struct Asked;

impl CredentialSource for Asked {
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
            |reply, _| match reply {
                Ok(reply) if reply.status().as_u16() == 404 => {
                    ExchangeStep::NotConfigured("the service has no key".to_owned())
                }
                reply => reply.and_then(|reply| read(&reply)).into(),
            },
        )
    }
}

fn read(reply: &HttpResponse) -> Result<ResolvedCredential, Fault> {
    if reply.status().as_u16() == 403 {
        return Err(Fault::new(FaultKind::ClockSkew, "the clocks differ"));
    }
    let text = String::from_utf8_lossy(reply.body()).into_owned();
    let (key, end) = text.split_once(' ').unwrap();
    let grant = ResolvedCredential::new(Credential::session(key, "s3cret", "session"), "role toy");
    Ok(match end {
        "never" => grant,
        end => grant.with_expiry(read_expiry(end, reply)?),
    })
}

/// Runs with tokio's time.
#[derive(Clone, Copy, Debug)]
struct RunningClock(Instant);

impl Clock for RunningClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + seconds(NOW) + self.0.elapsed()
    }
}

async fn id(chain: &CachedCredentials) -> String {
    match &*chain.credential().await.unwrap() {
        Credential::Keys { id, .. } => id.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn one_search_serves_all_concurrent_callers() {
    let service = Service::new();
    let chain = service.chain();
    let keys = join_all((0..100).map(|_| id(&chain))).await;
    assert!(keys.iter().all(|key| key == "key1"), "{keys:?}");
    assert_eq!(service.asked(), 1);
    let info = chain.info();
    assert_eq!((&*info.kind, &*info.source), ("toy service", "role toy"));
    let left = info.expires.unwrap().duration_since(service.clock.now());
    assert!(left.unwrap() <= seconds(3600));
    assert!(!format!("{chain:?}").contains("s3cret"));
}

#[tokio::test(start_paused = true)]
async fn a_key_is_renewed_once_before_its_end_and_nobody_waits_for_it() {
    let service = Service::new();
    let chain = service.chain();
    assert_eq!(id(&chain).await, "key1");
    advance(seconds(2600)).await;
    assert_eq!(id(&chain).await, "key1");
    assert_eq!(service.asked(), 1, "too early");
    advance(seconds(150)).await;
    let before = Instant::now();
    let keys = join_all((0..50).map(|_| id(&chain))).await;
    assert!(keys.iter().all(|key| key == "key1"), "{keys:?}");
    assert_eq!(before.elapsed(), Duration::ZERO, "somebody waited");
    sleep(seconds(2)).await;
    assert_eq!(id(&chain).await, "key2");
    assert_eq!(service.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_keeps_the_old_key_until_its_end() {
    let service = Service::new();
    let chain = service.chain();
    id(&chain).await;
    service.is_down.store(true, Ordering::SeqCst);
    advance(seconds(2800)).await;
    let calls = service.asked();
    // One every tenth of a second, for a minute.
    for _ in 0..600 {
        assert_eq!(id(&chain).await, "key1");
        sleep(Duration::from_millis(100)).await;
    }
    let storm = service.asked() - calls;
    assert!((2..=40).contains(&storm), "{storm} calls in a minute");
    advance(seconds(700)).await;
    assert_eq!(id(&chain).await, "key1", "it has not ended");
    advance(seconds(60)).await;
    let refusal = chain.credential().await.unwrap_err();
    assert_eq!(refusal.fault().kind(), FaultKind::Unreachable);
    assert_eq!(refusal.to_string(), "no key for Toy Cloud: no connection");
    service.is_down.store(false, Ordering::SeqCst);
    sleep(seconds(6)).await;
    assert_eq!(&id(&chain).await[..3], "key");
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_shared_by_all_who_waited_for_it() {
    let service = Service::new();
    service.is_down.store(true, Ordering::SeqCst);
    let chain = service.chain();
    let answers = join_all((0..100).map(|_| chain.credential())).await;
    assert!(answers.iter().all(Result::is_err));
    assert_eq!(service.asked(), 3, "three attempts, once");
}

#[tokio::test(start_paused = true)]
async fn a_search_that_is_given_up_is_taken_over() {
    let service = Service::new();
    let chain = service.chain();
    let hasty = tokio::time::timeout(Duration::from_millis(10), chain.credential());
    let (hasty, patient) = tokio::join!(hasty, id(&chain));
    assert!(hasty.is_err());
    assert_eq!(patient, "key2");
}

#[tokio::test(start_paused = true)]
async fn the_service_s_own_clock_counts() {
    for ahead in [7_200, -7_200] {
        let service = Service {
            ahead,
            ..Service::new()
        };
        let chain = service.chain();
        assert_eq!(id(&chain).await, "key2", "signed again with its time");
        let expires = chain.info().expires.unwrap();
        let left = expires.duration_since(service.clock.now()).unwrap();
        assert!(
            (seconds(3590)..=seconds(3600)).contains(&left),
            "{ahead}: {left:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_set_up_names_all_places() {
    let resolver = StepDriver::new(Service::new()).machine(EmptyHost);
    let chain = CachedCredentials::new(
        "Toy Cloud",
        vec![Box::new(Absent), Box::new(Absent)],
        resolver,
    );
    assert_eq!(
        chain.credential().await.unwrap_err().to_string(),
        "no key for Toy Cloud: TOY_KEY is not set; TOY_KEY is not set"
    );
}

#[tokio::test(start_paused = true)]
async fn a_key_that_has_ended_already_is_none() {
    let service = Service {
        life: Duration::ZERO,
        ..Service::new()
    };
    let text = service.chain().credential().await.unwrap_err().to_string();
    assert!(text.contains("role toy ended"), "{text}");
}

fn client(chain: &CachedCredentials, cloud: Scripted) -> Client {
    Client::builder(Toy::default(), chain.clone(), cloud)
        .seed(1)
        .build()
}

#[tokio::test(start_paused = true)]
async fn a_key_is_renewed_in_the_middle_of_a_long_wait() {
    let service = Service {
        life: seconds(120),
        ..Service::new()
    };
    let started = Instant::now();
    let cloud = Scripted::new(move |sent| match &*sent.operation {
        "start" => ok("ok"),
        _ if started.elapsed() < seconds(500) => all(sent, "starting"),
        _ => all(sent, "running"),
    });
    let chain = service.chain();
    let report = client(&chain, cloud.clone())
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
async fn a_refused_key_is_replaced_once_even_for_a_reboot() {
    let service = Service::new();
    let cloud = Scripted::new(|sent| match &*sent.operation {
        "reboot" if sent.signature.starts_with("key1@") => fault(FaultKind::Credential),
        "reboot" => ok("ok"),
        _ => all(sent, "running"),
    });
    let chain = service.chain();
    let report = client(&chain, cloud.clone()).reboot(["i-1"]).await.unwrap();
    assert_eq!(outcomes(&report), ["accepted"]);
    assert_eq!(cloud.calls("reboot").len(), 2);
    assert_eq!(service.asked(), 2);
}

/// A cloud that takes a while to answer.
#[derive(Debug)]
struct Distant(Scripted);

#[async_trait]
impl Transport for Distant {
    async fn send(&self, request: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        let reply = self.0.send(request).await;
        sleep(seconds(1)).await;
        reply
    }
}

#[tokio::test(start_paused = true)]
async fn all_calls_in_flight_get_the_key_that_replaces_a_refused_one() {
    let service = Service::new();
    let cloud = Scripted::new(|sent| match &*sent.operation {
        "start" if sent.signature.starts_with("key1@") => fault(FaultKind::Credential),
        "start" => ok("ok"),
        _ => all(sent, "stopped"),
    });
    let client = Client::builder(Toy::default(), service.chain(), Distant(cloud))
        .seed(1)
        .build();
    // The key is known to work, so the calls go out side by side.
    client.observe(["i-0"]).await.unwrap();
    let ids: Vec<String> = (0..40).map(|n| format!("i-{n}")).collect();
    let report = client.start(ids.iter().map(String::as_str)).await.unwrap();
    assert_eq!(outcomes(&report), ["accepted"; 40]);
    assert_eq!(service.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn refusals_do_not_make_a_storm_of_new_keys() {
    let service = Service::new();
    let cloud = Scripted::new(|_| -> Fate { fault(FaultKind::Credential) });
    let chain = service.chain();
    let client = client(&chain, cloud.clone());
    for _ in 0..10 {
        let report = client.start(["i-1"]).await.unwrap();
        assert_eq!(outcomes(&report), ["refused"]);
    }
    assert_eq!(service.asked(), 2);
    assert_eq!(cloud.log().len(), 2, "no key is tried twice");
}

#[tokio::test(start_paused = true)]
async fn in_its_last_seconds_the_old_key_is_for_all() {
    let service = Service::new();
    let chain = service.chain();
    id(&chain).await;
    service.is_down.store(true, Ordering::SeqCst);
    advance(seconds(3593)).await;
    let keys = join_all((0..20).map(|_| id(&chain))).await;
    assert!(keys.iter().all(|key| key == "key1"), "{keys:?}");
}

/// Somebody else's key.
#[derive(Debug)]
struct Stranger;

impl CredentialSource for Stranger {
    fn name(&self) -> String {
        "stranger".to_owned()
    }

    fn requirements(&self) -> String {
        "a stranger".to_owned()
    }

    fn begin(&self, _: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        ExchangeStep::Done(ResolvedCredential::new(
            Credential::keys("stranger", "s3cret"),
            "stranger",
        ))
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_becomes_somebody_else_on_the_way() {
    let service = Service::new();
    let resolver = StepDriver::new(service.clone())
        .clock(service.clock)
        .machine(EmptyHost);
    let origins: Vec<Box<dyn CredentialSource>> = vec![Box::new(Asked), Box::new(Stranger)];
    let chain = CachedCredentials::new("Toy Cloud", origins, resolver);
    assert_eq!(id(&chain).await, "key1");
    service.is_empty.store(true, Ordering::SeqCst);
    advance(seconds(3000)).await;
    for _ in 0..20 {
        assert_eq!(id(&chain).await, "key1");
        sleep(seconds(20)).await;
    }
    chain.invalidate(&Credential::session("key1", "s3cret", "session"));
    assert_eq!(id(&chain).await, "key1", "it is still good elsewhere");
    advance(seconds(3600)).await;
    let refusal = chain.credential().await.unwrap_err();
    assert_eq!(refusal.fault().kind(), FaultKind::Unreachable);
    assert_eq!(
        refusal.to_string(),
        "no key for Toy Cloud where it was before (the service has no key): set it up there again, or begin anew to look elsewhere"
    );
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_replaced_where_it_is_kept_is_found_in_time() {
    let number = Arc::new(AtomicU64::new(1));
    let service = Service {
        fixed: Some(Arc::clone(&number)),
        ..Service::new()
    };
    let cloud = Scripted::new(|sent| match sent.signature.starts_with("key1@") {
        true => fault(FaultKind::Credential),
        false => ok("ok"),
    });
    let chain = service.chain();
    let client = client(&chain, cloud.clone());
    for _ in 0..100 {
        let report = client.start(["i-1"]).await.unwrap();
        assert_eq!(outcomes(&report), ["refused"]);
        advance(seconds(3)).await;
    }
    assert_eq!(cloud.log().len(), 1, "a refused key was used again");
    assert!((4..=7).contains(&service.asked()), "{}", service.asked());
    number.store(2, Ordering::SeqCst);
    advance(seconds(61)).await;
    let report = client.start(["i-1"]).await.unwrap();
    assert_eq!(outcomes(&report), ["accepted"]);
}

#[test]
fn what_a_service_says_is_nothing_about_an_instance() {
    for (kind, expected) in [
        (FaultKind::NotFound, FaultKind::Credential),
        (FaultKind::WrongState, FaultKind::Credential),
        (FaultKind::Invalid, FaultKind::Credential),
        (FaultKind::Throttled, FaultKind::Throttled),
        (FaultKind::NoAnswer, FaultKind::NoAnswer),
    ] {
        let missing = CredentialError::from(Fault::new(kind, "no"));
        assert_eq!(missing.fault().kind(), expected);
        assert_eq!(
            missing.fault().execution_status(),
            ExecutionStatus::NotExecuted
        );
    }
}

//! Tests of the promise that no request hangs when code of the caller panics, or when the runtime of
//! another request ends.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use lifecycle_client::{
    Client, ClientLabels, Clock, CredentialError, CredentialProvider, InMemoryRateLimit,
    PermitLease, PermitRequest, RateChange, RateChanged, RateLimitScope, RejectedKey,
    SharedRateError, SharedRateLimit, StatsEvent, StatsObserver, Transport, TransportError,
};
use lifecycle_core::{
    Action, ApiCall, BatchAck, Credential, Fault, HttpResponse, InstanceId, ListPage, ListQuery,
    Observation, PageToken, PollingPolicy, Profile, Provider, Rate, RateLimits, SigningContext,
    UnsignedRequest,
};
use tokio::runtime::{Builder, Runtime};

use crate::{
    scripts::timeline,
    support::{FixedClock, ScriptedCloud, Toy, id, ids, outcomes, seconds},
};

/// The parts of a client that the caller supplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Clock,
    Credentials,
    Observer,
    Provider,
    RateLimit,
    Transport,
}

const PARTS: [Part; 6] = [
    Part::Clock,
    Part::Credentials,
    Part::Observer,
    Part::Provider,
    Part::RateLimit,
    Part::Transport,
];

/// Panics once, at the next use of one part.
#[derive(Clone, Debug)]
struct Bomb {
    part: Part,
    armed: Arc<AtomicBool>,
}

impl Bomb {
    fn in_part(part: Part) -> Self {
        Self {
            part,
            armed: Arc::default(),
        }
    }

    fn arm(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }

    fn is_armed(&self) -> bool {
        self.armed.load(Ordering::SeqCst)
    }

    fn used(&self, part: Part) {
        if self.part == part && self.armed.swap(false, Ordering::SeqCst) {
            panic!("a panic on purpose in {part:?}");
        }
    }

    /// Returns a client whose parts panic on command.
    fn client(&self, cloud: &ScriptedCloud) -> Client {
        let provider: Box<dyn Provider> = Box::new(Fragile(self.clone(), Toy::default()));
        let key = Credential::keys("id", "s3cret");
        let key = Fragile(self.clone(), lifecycle_client::StaticCredential::new(key));
        Client::builder(provider, key, Fragile(self.clone(), cloud.clone()))
            .clock(Fragile(self.clone(), FixedClock))
            .stats_observer(Arc::new(Fragile(self.clone(), ())))
            .shared_rate_limit(Fragile(self.clone(), InMemoryRateLimit::default()), "toy")
            .rate_limits(RateLimits::new(
                Rate::new(100.0, 100),
                Rate::new(100.0, 100),
            ))
            .seed(1)
            .build()
    }
}

/// A part with a [`Bomb`].
#[derive(Debug)]
struct Fragile<T>(Bomb, T);

impl<C: Clock> Clock for Fragile<C> {
    fn now(&self) -> SystemTime {
        self.0.used(Part::Clock);
        self.1.now()
    }
}

#[async_trait]
impl<C: CredentialProvider> CredentialProvider for Fragile<C> {
    async fn credential(&self) -> Result<Arc<Credential>, CredentialError> {
        self.0.used(Part::Credentials);
        self.1.credential().await
    }
}

#[async_trait]
impl<T: Transport> Transport for Fragile<T> {
    async fn send(&self, request: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        self.0.used(Part::Transport);
        self.1.send(request).await
    }
}

impl StatsObserver for Fragile<()> {
    fn on_event(&self, _: &ClientLabels, _: &StatsEvent) {
        self.0.used(Part::Observer);
    }
}

#[async_trait]
impl SharedRateLimit for Fragile<InMemoryRateLimit> {
    async fn join(&self, scope: &RateLimitScope, configured: Rate) -> Result<(), SharedRateError> {
        self.1.join(scope, configured).await
    }

    async fn lease(
        &self,
        scope: &RateLimitScope,
        request: PermitRequest,
    ) -> Result<PermitLease, SharedRateError> {
        self.0.used(Part::RateLimit);
        self.1.lease(scope, request).await
    }

    async fn adapt(
        &self,
        scope: &RateLimitScope,
        change: RateChange,
    ) -> Result<RateChanged, SharedRateError> {
        self.0.used(Part::RateLimit);
        self.1.adapt(scope, change).await
    }

    async fn close(&self, scope: &RateLimitScope, pause: Duration) -> Result<(), SharedRateError> {
        self.0.used(Part::RateLimit);
        self.1.close(scope, pause).await
    }

    async fn give_back(
        &self,
        scope: &RateLimitScope,
        permits: u32,
        cuts: u64,
    ) -> Result<(), SharedRateError> {
        self.0.used(Part::RateLimit);
        self.1.give_back(scope, permits, cuts).await
    }

    async fn reject_key(&self, key: &RejectedKey) -> Result<(), SharedRateError> {
        self.1.reject_key(key).await
    }
}

impl<P: Provider> Provider for Fragile<P> {
    fn profile(&self) -> &Profile {
        self.1.profile()
    }

    fn act(&self, action: &Action, ids: &[InstanceId]) -> Result<ApiCall<BatchAck>, Fault> {
        self.1.act(action, ids)
    }

    fn observe(&self, ids: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
        self.1.observe(ids)
    }

    fn list(
        &self,
        query: &ListQuery,
        page: Option<&PageToken>,
    ) -> Result<ApiCall<ListPage>, Fault> {
        self.1.list(query, page)
    }

    fn sign(
        &self,
        request: &UnsignedRequest,
        key: &Credential,
        context: &SigningContext,
    ) -> Result<http::Request<Bytes>, Fault> {
        self.0.used(Part::Provider);
        self.1.sign(request, key, context)
    }

    fn check(&self, response: &HttpResponse) -> Result<(), Fault> {
        self.1.check(response)
    }

    fn request_id(&self, response: &HttpResponse) -> Option<String> {
        self.1.request_id(response)
    }
}

#[tokio::test(start_paused = true)]
async fn wait_goes_on_after_a_panic_during_a_lookup() {
    for part in PARTS {
        let cloud = timeline(&[(0, "stopped"), (3, "starting"), (20, "running")]);
        let bomb = Bomb::in_part(part);
        let client = bomb.client(&cloud);
        let start = tokio::spawn(client.start(ids(1)).wait(seconds(600)).into_future());
        tokio::time::sleep(seconds(1)).await;
        assert_eq!(cloud.calls("start").len(), 1);
        bomb.arm();
        let report = start.await.unwrap().unwrap();
        assert!(!bomb.is_armed(), "{part:?} has panicked");
        assert_eq!(outcomes(&report), ["reached"], "{part:?}");
        let last = cloud.log().last().unwrap().at;
        assert!(last < seconds(40), "{part:?}: {last:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn lookups_that_always_panic_end_with_the_wait_and_without_a_storm() {
    let cloud = timeline(&[(0, "stopped"), (3, "starting")]);
    let bomb = Bomb::in_part(Part::Transport);
    let client = bomb.client(&cloud);
    let start = tokio::spawn(client.start(ids(1)).wait(seconds(60)).into_future());
    tokio::time::sleep(seconds(1)).await;
    let mut panics = 0;
    while !start.is_finished() {
        bomb.arm();
        tokio::time::sleep(Duration::from_millis(50)).await;
        panics += usize::from(!bomb.is_armed());
    }
    let report = start.await.unwrap().unwrap();
    assert_eq!(outcomes(&report), ["pending"]);
    let row = report.instances()[0].to_string();
    assert!(row.contains("interrupted by a panic"), "{row}");
    assert!((5..40).contains(&panics), "{panics}");
}

#[tokio::test(start_paused = true)]
async fn panic_during_an_action_harms_no_other_request() {
    for part in PARTS {
        let cloud = timeline(&[(0, "stopped"), (3, "starting"), (20, "running")]);
        let bomb = Bomb::in_part(part);
        let client = bomb.client(&cloud);
        let other = tokio::spawn(client.start([id(7)]).wait(seconds(600)).into_future());
        tokio::time::sleep(seconds(1)).await;
        bomb.arm();
        let start = tokio::spawn(client.start(ids(3)).wait(seconds(600)).into_future());
        assert!(start.await.unwrap_err().is_panic(), "{part:?}");
        assert_eq!(outcomes(&other.await.unwrap().unwrap()), ["reached"]);
        let again = client.start(ids(3)).wait(seconds(600)).await.unwrap();
        assert_eq!(outcomes(&again), ["reached"; 3], "{part:?}");
    }
}

/// The times of this test are real: each runtime has a clock of its own.
#[test]
fn wait_goes_on_when_the_runtime_of_the_poller_ends() {
    let runtime = || -> Runtime {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).enable_time().build().unwrap()
    };
    let (first, second) = (runtime(), runtime());
    let slow = Duration::from_millis(40);
    let cloud =
        second.block_on(async { timeline(&[(0, "stopped"), (0, "starting"), (2, "running")]) });
    let transport = Slow(cloud.clone(), slow);
    let key = lifecycle_client::StaticCredential::new(Credential::keys("id", "s3cret"));
    let client = Client::builder(Toy::default(), key, transport)
        .clock(FixedClock)
        .polling(PollingPolicy::new(slow, slow, slow))
        .build();
    // The request on the first runtime starts the poller there.
    let starting = client.start(ids(1)).wait(seconds(600));
    first.spawn(starting.into_future());
    thread::sleep(Duration::from_millis(300));
    let waiting = client.start(ids(1)).wait(seconds(20));
    let waiting = second.spawn(waiting.into_future());
    thread::sleep(Duration::from_millis(300));
    // Half of the time a lookup is under way when the runtime ends.
    first.shutdown_background();
    let report = second.block_on(waiting).unwrap().unwrap();
    assert_eq!(outcomes(&report), ["reached"]);
}

/// A transport that waits before each call.
struct Slow(ScriptedCloud, Duration);

impl fmt::Debug for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slow")
    }
}

#[async_trait]
impl Transport for Slow {
    async fn send(&self, request: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        tokio::time::sleep(self.1).await;
        self.0.send(request).await
    }
}

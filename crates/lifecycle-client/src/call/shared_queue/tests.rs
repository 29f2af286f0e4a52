//! Tests of the shared queue, under tokio's paused clock.

use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use lifecycle_core::{Credential, Fault, FaultKind};

use super::*;
use crate::call::{
    in_memory_rate::InMemoryRateLimit,
    limited_cloud::LimitedCloud,
    shared_rate::{LimitedCalls, PermitLease, RateChanged},
};

const SECOND: Duration = Duration::from_secs(1);

fn scope() -> RateLimitScope {
    RateLimitScope {
        location: "prod@cloud/region".to_owned(),
        calls: LimitedCalls::Reads,
    }
}

/// Returns the queue of one sharer.
fn queue(limit: &TestLimit, rate: Rate, number: u64) -> SharedQueue {
    let keys = Arc::new(SharedKeys::new("cloud"));
    let random = fastrand::Rng::with_seed(number);
    SharedQueue::new(Arc::new(limit.clone()), scope(), rate, keys, random)
}

/// A shared rate limit that counts leases, and fails on demand.
#[derive(Clone, Debug, Default)]
struct TestLimit {
    memory: InMemoryRateLimit,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    leases: AtomicU32,
    /// The number of returned permits.
    given_back: AtomicU32,
    /// The number of calls that return permits.
    returns: AtomicU32,
    /// Every question ends with an error.
    fails: AtomicBool,
    /// No question gets an answer.
    hangs: AtomicBool,
}

impl TestLimit {
    async fn arrive(&self) -> Result<(), SharedRateError> {
        if self.counts.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        match self.counts.fails.load(Ordering::Relaxed) {
            true => Err(SharedRateError::new("the server was killed")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl SharedRateLimit for TestLimit {
    async fn join(&self, scope: &RateLimitScope, configured: Rate) -> Result<(), SharedRateError> {
        self.arrive().await?;
        self.memory.join(scope, configured).await
    }

    async fn lease(
        &self,
        scope: &RateLimitScope,
        request: PermitRequest,
    ) -> Result<PermitLease, SharedRateError> {
        self.arrive().await?;
        self.counts.leases.fetch_add(1, Ordering::Relaxed);
        self.memory.lease(scope, request).await
    }

    async fn adapt(
        &self,
        scope: &RateLimitScope,
        change: RateChange,
    ) -> Result<RateChanged, SharedRateError> {
        self.arrive().await?;
        self.memory.adapt(scope, change).await
    }

    async fn close(&self, scope: &RateLimitScope, pause: Duration) -> Result<(), SharedRateError> {
        self.arrive().await?;
        self.memory.close(scope, pause).await
    }

    async fn give_back(
        &self,
        scope: &RateLimitScope,
        permits: u32,
        cuts: u64,
    ) -> Result<(), SharedRateError> {
        self.arrive().await?;
        self.counts.given_back.fetch_add(permits, Ordering::Relaxed);
        self.counts.returns.fetch_add(1, Ordering::Relaxed);
        self.memory.give_back(scope, permits, cuts).await
    }

    async fn reject_key(&self, key: &RejectedKey) -> Result<(), SharedRateError> {
        self.arrive().await?;
        self.memory.reject_key(key).await
    }
}

/// Acquires `calls` permits one after the other, and returns the time of each in milliseconds since `start`.
async fn acquire_times(queue: &SharedQueue, start: Instant, calls: usize) -> Vec<u128> {
    let mut times = Vec::new();
    for _ in 0..calls {
        queue.acquire().await;
        times.push(start.elapsed().as_millis());
    }
    times
}

/// Spawns tasks that call in an endless loop.
fn spawn_callers(
    queue: SharedQueue,
    cloud: &Arc<Mutex<LimitedCloud>>,
    callers: usize,
    latency: Duration,
) -> Arc<SharedQueue> {
    let queue = Arc::new(queue);
    for _ in 0..callers {
        let (queue, cloud) = (Arc::clone(&queue), Arc::clone(cloud));
        tokio::spawn(async move {
            loop {
                let permit = queue.acquire().await;
                sleep(latency / 2).await;
                let accepted = cloud.lock().unwrap().call();
                sleep(latency / 2).await;
                if accepted {
                    queue.succeeded(&permit);
                } else {
                    queue.throttled(&permit, None);
                }
            }
        });
    }
    queue
}

#[tokio::test(start_paused = true)]
async fn one_sharer_gets_permits_at_the_times_of_a_local_limiter() {
    let queue = queue(&TestLimit::default(), Rate::new(10.0, 5), 1);
    let start = Instant::now();
    let times = acquire_times(&queue, start, 8).await;
    assert_eq!(times, [0, 0, 0, 0, 0, 100, 200, 300]);
    // An idle minute fills the bucket, but not beyond the burst.
    sleep(60 * SECOND).await;
    let times = acquire_times(&queue, Instant::now(), 7).await;
    assert_eq!(times, [0, 0, 0, 0, 0, 100, 200]);
}

#[tokio::test(start_paused = true)]
async fn sharers_together_use_the_limit_and_few_calls_are_rejected() {
    for (sharers, configured) in [
        (1, 20.0),
        (2, 20.0),
        (2, 200.0),
        (3, 20.0),
        (10, 10.0),
        (10, 20.0),
    ] {
        let limit = TestLimit::default();
        let cloud = LimitedCloud::new(20.0);
        let start = Instant::now();
        for number in 0..sharers {
            let queue = queue(&limit, Rate::new(configured, 20), number);
            spawn_callers(queue, &cloud, 10, SECOND / 20);
        }
        sleep(300 * SECOND).await;
        let cloud = cloud.lock().unwrap();
        let goodput = cloud.goodput(start, 300 * SECOND);
        let rejected = cloud.rejected.len() as f64 / cloud.accepted.len() as f64;
        let leases = f64::from(limit.counts.leases.load(Ordering::Relaxed)) / 300.0;
        assert!(goodput >= 18.0, "{sharers} {configured}: {goodput}");
        assert!(rejected <= 0.05, "{sharers} {configured}: {rejected}");
        assert!(
            leases <= 60.0,
            "{sharers} {configured}: {leases} leases a second"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn calls_at_a_high_rate_share_a_lease_and_rare_calls_lease_alone() {
    let limit = TestLimit::default();
    let leases = || limit.counts.leases.swap(0, Ordering::Relaxed);
    let queue = queue(&limit, Rate::new(100.0, 1), 1);
    acquire_times(&queue, Instant::now(), 1_000).await;
    let dense = leases();
    assert!((30..=50).contains(&dense), "{dense}");
    for _ in 0..100 {
        queue.acquire().await;
        sleep(SECOND).await;
    }
    let rare = leases();
    assert!((99..=101).contains(&rare), "{rare}");
}

#[tokio::test(start_paused = true)]
async fn waiting_caller_does_not_ask_before_the_next_token() {
    let limit = TestLimit::default();
    let queue = queue(&limit, Rate::new(0.1, 1), 1);
    let start = Instant::now();
    assert_eq!(acquire_times(&queue, start, 3).await, [0, 10_000, 20_000]);
    let leases = limit.counts.leases.load(Ordering::Relaxed);
    assert!(leases <= 6, "{leases}");
}

#[tokio::test(start_paused = true)]
async fn unused_permits_return_to_the_bucket() {
    let limit = TestLimit::default();
    let queue = Arc::new(queue(&limit, Rate::new(20.0, 1), 1));
    acquire_times(&queue, Instant::now(), 50).await;
    let waiters: Vec<_> = (0..10)
        .map(|_| {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move { queue.acquire().await })
        })
        .collect();
    sleep(SECOND / 10).await;
    for waiter in waiters {
        waiter.abort();
    }
    sleep(2 * SECOND).await;
    let given_back = limit.counts.given_back.load(Ordering::Relaxed);
    assert!((1..=5).contains(&given_back), "{given_back}");
    let start = Instant::now();
    assert_eq!(acquire_times(&queue, start, 3).await, [0, 50, 100]);
}

/// Acquires a permit, and lets a further call wait until it has leased a permit in advance.
async fn waiting_call(queue: &SharedQueue) -> impl Future<Output = SharedPermit> {
    queue.acquire().await;
    let mut waiting = Box::pin(queue.acquire());
    while !lock(&queue.0.state).has_permits() {
        let soon = timeout(Duration::from_millis(20), &mut waiting);
        assert!(soon.await.is_err());
    }
    waiting
}

#[tokio::test(start_paused = true)]
async fn permit_of_the_only_waiting_call_returns_if_the_call_is_dropped() {
    let limit = TestLimit::default();
    let queue = queue(&limit, Rate::new(4.0, 1), 1);
    drop(waiting_call(&queue).await);
    sleep(SECOND).await;
    assert_eq!(limit.counts.given_back.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn call_that_leaves_no_unused_permit_starts_no_report() {
    let queue = queue(&TestLimit::default(), Rate::new(4.0, 1), 1);
    let is_reporting = || lock(&queue.0.state).is_reporting;
    queue.acquire().await;
    assert!(!is_reporting(), "the permit is in use");
    let first = waiting_call(&queue).await;
    let mut second = Box::pin(queue.acquire());
    assert!(timeout(SECOND / 100, &mut second).await.is_err());
    drop(second);
    assert!(!is_reporting(), "the first call still waits for the permit");
    drop(first);
    assert!(is_reporting());
}

#[tokio::test(start_paused = true)]
async fn report_without_unused_permits_returns_none() {
    let limit = TestLimit::default();
    let queue = queue(&limit, Rate::new(10.0, 10), 1);
    let permit = queue.acquire().await;
    queue.throttled(&permit, None);
    sleep(SECOND).await;
    assert_eq!(queue.per_second(), Some(5.0), "the report was sent");
    assert_eq!(limit.counts.returns.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn hint_of_the_cloud_pauses_every_sharer() {
    let limit = TestLimit::default();
    let [one, other] = [1, 2].map(|number| queue(&limit, Rate::new(10.0, 10), number));
    let permit = one.acquire().await;
    other.acquire().await;
    let start = Instant::now();
    one.throttled(&permit, Some(7 * SECOND));
    sleep(SECOND / 10).await;
    let times = acquire_times(&other, start, 2).await;
    assert!(times.iter().all(|time| *time >= 7_000), "{times:?}");
    assert!(times.iter().all(|time| *time <= 8_000), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn rejections_of_permits_from_before_a_cut_do_not_cut_again() {
    let limit = TestLimit::default();
    let queues = [1, 2].map(|number| queue(&limit, Rate::new(10.0, 10), number));
    let mut permits = Vec::new();
    for _ in 0..5 {
        for queue in &queues {
            permits.push((queue, queue.acquire().await));
        }
    }
    for (queue, permit) in &permits {
        queue.throttled(permit, None);
    }
    sleep(SECOND).await;
    let [one, _] = &queues;
    let request = PermitRequest::new(1, 0, Duration::ZERO);
    let lease = limit.memory.lease(&one.0.scope, request).await.unwrap();
    assert_eq!((lease.rate.cuts, lease.rate.rate.per_second), (1, 5.0));
}

#[tokio::test(start_paused = true)]
async fn lost_store_leaves_each_sharer_its_share_until_the_store_returns() {
    for hangs in [false, true] {
        let limit = TestLimit::default();
        let failure = match hangs {
            true => &limit.counts.hangs,
            false => &limit.counts.fails,
        };
        let cloud = LimitedCloud::new(20.0);
        for number in 0..4 {
            spawn_callers(
                queue(&limit, Rate::new(20.0, 20), number),
                &cloud,
                10,
                SECOND / 20,
            );
        }
        sleep(60 * SECOND).await;
        failure.store(true, Ordering::Relaxed);
        sleep(5 * SECOND).await;
        let (lost, rejected) = (Instant::now(), cloud.lock().unwrap().rejected.len());
        sleep(60 * SECOND).await;
        failure.store(false, Ordering::Relaxed);
        sleep(15 * SECOND).await;
        let (found, rejected_alone) = (Instant::now(), cloud.lock().unwrap().rejected.len());
        sleep(60 * SECOND).await;
        let cloud = cloud.lock().unwrap();
        let alone = cloud.goodput(lost, 60 * SECOND);
        assert!((10.0..=21.0).contains(&alone), "{alone}");
        let rejected = (rejected_alone - rejected) as f64 / (75.0 * 20.0);
        assert!(rejected <= 0.05, "{rejected}");
        let together = cloud.goodput(found, 60 * SECOND);
        assert!(together >= 18.0, "{together}");
        let leases = limit.counts.leases.load(Ordering::Relaxed);
        assert!(leases > 100, "{leases}");
    }
}

#[tokio::test(start_paused = true)]
async fn store_that_is_lost_from_the_start_allows_a_tenth_of_the_rate() {
    let limit = TestLimit::default();
    limit.counts.fails.store(true, Ordering::Relaxed);
    let queue = queue(&limit, Rate::new(20.0, 20), 1);
    let start = Instant::now();
    assert_eq!(acquire_times(&queue, start, 3).await, [0, 500, 1_000]);
}

#[tokio::test(start_paused = true)]
async fn rejected_key_reaches_the_other_sharers_also_after_a_failure_of_the_store() {
    let key = Arc::new(Credential::keys("id", "wrong"));
    let fault = Fault::new(FaultKind::Credential, "no").with_code("NotFound");
    for is_lost in [false, true] {
        let limit = TestLimit::default();
        let [one, other] = [1, 2].map(|number| queue(&limit, Rate::new(10.0, 10), number));
        limit.counts.fails.store(is_lost, Ordering::Relaxed);
        one.acquire().await;
        one.reject_key(one.0.keys.record(&key, &fault).unwrap());
        sleep(5 * SECOND).await;
        limit.counts.fails.store(false, Ordering::Relaxed);
        sleep(20 * SECOND).await;
        other.0.keys.check(&key).unwrap();
        other.acquire().await;
        let found = other.0.keys.check(&key).unwrap_err();
        assert_eq!(found.code(), Some("NotFound"));
    }
}

#[tokio::test(start_paused = true)]
async fn rate_of_another_configuration_begins_anew() {
    let limit = TestLimit::default();
    let first = queue(&limit, Rate::new(10.0, 5), 1);
    acquire_times(&first, Instant::now(), 20).await;
    let second = queue(&limit, Rate::new(2.0, 1), 2);
    let start = Instant::now();
    assert_eq!(acquire_times(&second, start, 3).await, [0, 500, 1_000]);
}

fn paused_runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap()
}

#[test]
fn waiting_call_can_be_dropped_outside_of_a_runtime() {
    let limit = TestLimit::default();
    let queue = queue(&limit, Rate::new(4.0, 1), 1);
    let waiting = paused_runtime().block_on(waiting_call(&queue));
    drop(waiting);
    // Another runtime goes on, and the tasks of the first one are replaced.
    paused_runtime().block_on(async {
        queue.acquire().await;
        queue.acquire().await;
    });
}

#[test]
fn queue_returns_to_the_shared_bucket_although_the_runtime_of_the_failure_ended() {
    let limit = TestLimit::default();
    let queue = queue(&limit, Rate::new(10.0, 1), 1);
    limit.counts.fails.store(true, Ordering::Relaxed);
    paused_runtime().block_on(async {
        queue.acquire().await;
    });
    assert!(lock(&queue.0.state).is_alone());
    limit.counts.fails.store(false, Ordering::Relaxed);
    paused_runtime().block_on(async {
        queue.acquire().await;
        sleep(LONGEST_REJOIN_WAIT * 2).await;
    });
    assert!(!lock(&queue.0.state).is_alone());
}

#[test]
fn results_are_reported_although_the_runtime_of_an_earlier_report_ended() {
    let limit = TestLimit::default();
    let queue = queue(&limit, Rate::new(10.0, 10), 1);
    let permit = paused_runtime().block_on(async {
        let permit = queue.acquire().await;
        queue.succeeded(&permit);
        assert!(lock(&queue.0.state).is_reporting);
        permit
    });
    paused_runtime().block_on(async {
        queue.throttled(&permit, None);
        sleep(SECOND).await;
    });
    assert_eq!(queue.per_second(), Some(5.0));
}

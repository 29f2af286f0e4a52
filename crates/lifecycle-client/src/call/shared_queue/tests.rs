//! Tests of the shared queue, under tokio's paused clock.

use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use lifecycle_core::{Credential, Fault, FaultKind};

use super::*;
use crate::call::{
    in_memory_rate::InMemoryRateLimit,
    limited_cloud::LimitedCloud,
    shared_rate::{Lease, LimitedCalls, RateChanged},
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
    given_back: AtomicU32,
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
        request: LeaseRequest,
    ) -> Result<Lease, SharedRateError> {
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

    async fn give_back(&self, scope: &RateLimitScope, permits: u32) -> Result<(), SharedRateError> {
        self.arrive().await?;
        self.counts.given_back.fetch_add(permits, Ordering::Relaxed);
        self.memory.give_back(scope, permits).await
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
        println!("{sharers} {configured}: {goodput} {rejected} {leases}");
        assert!(goodput >= 18.0, "{sharers} {configured}: {goodput}");
        assert!(rejected <= 0.05, "{sharers} {configured}: {rejected}");
        assert!(
            leases <= 60.0,
            "{sharers} {configured}: {leases} leases a second"
        );
    }
}

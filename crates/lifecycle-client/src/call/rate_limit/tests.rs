//! The pace under paused time.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use proptest::prelude::*;

use super::*;

/// Grants so many calls, one after the other, and says when, in milliseconds.
async fn granted(pacer: &RateLimiter, start: Instant, calls: usize) -> Vec<u128> {
    let mut times = Vec::new();
    for _ in 0..calls {
        pacer.acquire().await;
        times.push(start.elapsed().as_millis());
    }
    times
}

#[tokio::test(start_paused = true)]
async fn grants_the_burst_at_once_and_the_rest_at_the_rate() {
    let pacer = RateLimiter::new(Rate::new(10.0, 5));
    let start = Instant::now();
    let times = granted(&pacer, start, 8).await;
    assert_eq!(times, [0, 0, 0, 0, 0, 100, 200, 300]);
    // A pause fills it up again, and not beyond the burst.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let times = granted(&pacer, Instant::now(), 7).await;
    assert_eq!(times, [0, 0, 0, 0, 0, 100, 200]);
}

#[tokio::test(start_paused = true)]
async fn five_hundred_tasks_share_one_rate_in_order() {
    let pacer = Arc::new(RateLimiter::new(Rate::new(100.0, 1)));
    let start = Instant::now();
    let tasks: Vec<_> = (0..500)
        .map(|_| {
            let pacer = Arc::clone(&pacer);
            tokio::spawn(async move {
                pacer.acquire().await;
                start.elapsed().as_millis()
            })
        })
        .collect();
    for (place, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.await.unwrap(), 10 * place as u128);
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_overtakes_who_waits_by_an_older_and_slower_rate() {
    let pacer = Arc::new(RateLimiter::new(Rate::new(1.0, 1)));
    let start = Instant::now();
    let _: Permit = pacer.acquire().await;
    let first = tokio::spawn({
        let pacer = Arc::clone(&pacer);
        async move { granted(&pacer, start, 1).await }
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    lock(pacer.bucket.as_ref().unwrap()).speed.rate = 1_000.0;
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(granted(&pacer, start, 1).await, [1_000]);
    assert_eq!(first.await.unwrap(), [1_000]);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_the_queue_takes_nothing_and_a_dropped_grant_returns_nothing() {
    let pacer = Arc::new(RateLimiter::new(Rate::new(10.0, 1)));
    let start = Instant::now();
    let _: Permit = pacer.acquire().await;
    let waiter = tokio::spawn({
        let pacer = Arc::clone(&pacer);
        async move { pacer.acquire().await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    waiter.abort();
    assert_eq!(granted(&pacer, start, 2).await, [100, 200]);
}

#[tokio::test(start_paused = true)]
async fn a_hint_closes_the_queue_and_the_longest_one_counts() {
    let pacer = RateLimiter::new(Rate::new(10.0, 10));
    let start = Instant::now();
    let grant = pacer.acquire().await;
    pacer.throttled(grant, Some(Duration::from_secs(7)));
    pacer.throttled(grant, Some(Duration::from_secs(3)));
    // Half of ten a second, from the end of the hint.
    assert_eq!(granted(&pacer, start, 2).await, [7_200, 7_400]);
    pacer.throttled(grant, Some(Duration::from_secs(86_400)));
    assert_eq!(granted(&pacer, start, 1).await, [307_600]);
}

#[tokio::test(start_paused = true)]
async fn refusals_of_calls_on_their_way_count_once() {
    let pacer = RateLimiter::new(Rate::new(10.0, 10));
    let start = Instant::now();
    let mut grants = Vec::new();
    for _ in 0..10 {
        grants.push(pacer.acquire().await);
    }
    for grant in grants {
        pacer.throttled(grant, None);
    }
    assert_eq!(granted(&pacer, start, 2).await, [200, 400]);
}

#[test]
fn the_first_refusal_after_calm_takes_a_tenth_and_those_that_follow_halve() {
    let mut speed = AdaptiveRate::new(20.0);
    for _ in 0..CALM_SUCCESSES {
        speed.succeeded(false);
    }
    let rates: Vec<f64> = (0..8)
        .map(|_| {
            speed.cut();
            speed.rate
        })
        .collect();
    assert_eq!(rates, [18.0, 9.0, 4.5, 2.25, 1.125, 0.5625, 0.5, 0.5]);
}

#[test]
fn the_rate_climbs_fast_to_the_wall_slowly_past_it_and_fast_when_it_is_gone() {
    let mut speed = AdaptiveRate::new(100.0);
    speed.rate = 20.0;
    speed.successes_since_cut = CALM_SUCCESSES;
    speed.cut();
    let after = |speed: &mut AdaptiveRate, seconds: u32| {
        for _ in 0..10 * seconds {
            speed.climb(0.1);
        }
        speed.rate
    };
    let rates: Vec<f64> = [1, 3, 4, 2, 1, 1]
        .map(|seconds| (10.0 * after(&mut speed, seconds)).round() / 10.0)
        .into();
    // Beyond the configured rate: five a second.
    assert_eq!(rates, [19.2, 20.0, 22.0, 44.1, 101.0, 106.0]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_queues_learns_nothing() {
    let pacer = RateLimiter::new(Rate::new(10.0, 1));
    for _ in 0..1_000 {
        let grant = pacer.acquire().await;
        pacer.succeeded(grant);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let start = Instant::now();
    assert_eq!(granted(&pacer, start, 3).await, [0, 100, 200]);
}

/// A cloud that takes so many calls a second, and as many at once.
#[derive(Debug)]
struct Cloud {
    limit: f64,
    tokens: f64,
    filled: Instant,
    taken: Vec<Instant>,
    refused: Vec<Instant>,
}

impl Cloud {
    fn new(limit: f64) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self {
            limit,
            tokens: limit,
            filled: Instant::now(),
            taken: Vec::new(),
            refused: Vec::new(),
        }))
    }

    fn call(&mut self) -> bool {
        let now = Instant::now();
        let grown = (now - self.filled).as_secs_f64() * self.limit;
        self.tokens = (self.tokens + grown).min(self.limit.max(1.0));
        self.filled = now;
        let takes = self.tokens >= 1.0;
        if takes {
            self.tokens -= 1.0;
            self.taken.push(now);
        } else {
            self.refused.push(now);
        }
        takes
    }

    /// What it takes in a second, on average over this time.
    fn goodput(&self, from: Instant, span: Duration) -> f64 {
        let within = |at: &&Instant| **at >= from && **at < from + span;
        self.taken.iter().filter(within).count() as f64 / span.as_secs_f64()
    }
}

/// Callers that call again and again.
fn call(pacer: &Arc<RateLimiter>, cloud: &Arc<Mutex<Cloud>>, callers: usize, latency: Duration) {
    for _ in 0..callers {
        let (pacer, cloud) = (Arc::clone(pacer), Arc::clone(cloud));
        tokio::spawn(async move {
            loop {
                let grant = pacer.acquire().await;
                tokio::time::sleep(latency / 2).await;
                let taken = cloud.lock().unwrap().call();
                tokio::time::sleep(latency / 2).await;
                if taken {
                    pacer.succeeded(grant);
                } else {
                    pacer.throttled(grant, None);
                }
            }
        });
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn finds_the_limit_from_below_and_from_above() {
    for configured in [10.0, 20.0, 200.0] {
        let (pacer, cloud) = (
            Arc::new(RateLimiter::new(Rate::new(configured, 20))),
            Cloud::new(20.0),
        );
        call(&pacer, &cloud, 100, SECOND / 20);
        tokio::time::sleep(60 * SECOND).await;
        let settled = Instant::now();
        tokio::time::sleep(300 * SECOND).await;
        let cloud = cloud.lock().unwrap();
        let goodput = cloud.goodput(settled, 300 * SECOND);
        let refused = cloud.refused.len() as f64 / cloud.taken.len() as f64;
        assert!(goodput >= 19.0, "{configured}: {goodput}");
        assert!(refused < 0.03, "{configured}: {refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn is_back_soon_after_a_limit_that_fell_has_returned() {
    let (pacer, cloud) = (
        Arc::new(RateLimiter::new(Rate::new(20.0, 20))),
        Cloud::new(20.0),
    );
    call(&pacer, &cloud, 100, SECOND / 20);
    tokio::time::sleep(60 * SECOND).await;
    let fell = Instant::now();
    cloud.lock().unwrap().limit = 2.0;
    tokio::time::sleep(30 * SECOND).await;
    let refused = |from| {
        let cloud = cloud.lock().unwrap();
        cloud.refused.iter().filter(|at| **at >= from).count()
    };
    assert!(refused(fell) <= 12, "{}", refused(fell));
    cloud.lock().unwrap().limit = 20.0;
    tokio::time::sleep(12 * SECOND).await;
    let goodput = cloud.lock().unwrap().goodput(fell + 41 * SECOND, SECOND);
    assert!(goodput >= 18.0, "{goodput}");
}

#[tokio::test(start_paused = true)]
async fn a_cloud_that_refuses_everything_without_a_hint_is_not_stormed() {
    let pacer = Arc::new(RateLimiter::new(Rate::new(20.0, 20)));
    let calls = Arc::new(AtomicU32::new(0));
    for _ in 0..500 {
        let (pacer, calls) = (Arc::clone(&pacer), Arc::clone(&calls));
        tokio::spawn(async move {
            loop {
                let grant = pacer.acquire().await;
                calls.fetch_add(1, Ordering::Relaxed);
                pacer.throttled(grant, None);
            }
        });
    }
    tokio::time::sleep(60 * SECOND).await;
    // Few while the rate falls, and then one every other second.
    let calls = calls.load(Ordering::Relaxed);
    assert!((20..=35).contains(&calls), "{calls}");
}

proptest! {
    #[test]
    fn tokens_are_never_negative_and_never_beyond_the_burst(
        per_second in 0.0..100.0_f64,
        burst in 0..50_u32,
        steps in prop::collection::vec((0..5_u8, 0..5_000_u64), 1..200),
    ) {
        let start = Instant::now();
        let mut bucket = Bucket::new(Rate::new(per_second, burst), start);
        let mut now = start;
        let mut grant = Permit { at: start, queued: true };
        for (step, millis) in steps {
            now += Duration::from_millis(millis);
            match step {
                0 => bucket.throttled(grant, None, now),
                1 => bucket.throttled(grant, Some(Duration::from_millis(millis)), now),
                2 => bucket.succeeded(grant, now),
                _ => match bucket.take(now) {
                    Ok(()) => grant = Permit { at: now, queued: true },
                    Err(later) => prop_assert!(later > now),
                },
            }
            let most = (bucket.depth * bucket.speed.rate).max(1.0);
            prop_assert!((0.0..=most).contains(&bucket.tokens), "{bucket:?}");
            prop_assert!(bucket.speed.rate >= 0.01, "{bucket:?}");
        }
    }
}

//! Tests of the rate limiter, under tokio's paused clock.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use proptest::prelude::*;

use super::*;
use crate::call::{adaptive_rate::CALM_SUCCESSES, limited_cloud::LimitedCloud as Cloud};

/// Acquires `calls` permits one after the other, and returns the time of each in milliseconds since
/// `start`.
async fn acquire_times(limiter: &RateLimiter, start: Instant, calls: usize) -> Vec<u128> {
    let mut times = Vec::new();
    for _ in 0..calls {
        limiter.acquire().await;
        times.push(start.elapsed().as_millis());
    }
    times
}

#[tokio::test(start_paused = true)]
async fn burst_passes_at_once_and_the_rest_at_the_rate() {
    let limiter = RateLimiter::new(Rate::new(10.0, 5));
    let start = Instant::now();
    let times = acquire_times(&limiter, start, 8).await;
    assert_eq!(times, [0, 0, 0, 0, 0, 100, 200, 300]);
    // An idle minute fills the bucket, but not beyond the burst.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let times = acquire_times(&limiter, Instant::now(), 7).await;
    assert_eq!(times, [0, 0, 0, 0, 0, 100, 200]);
}

#[tokio::test(start_paused = true)]
async fn five_hundred_tasks_share_one_rate_in_order() {
    let limiter = Arc::new(RateLimiter::new(Rate::new(100.0, 1)));
    let start = Instant::now();
    let tasks: Vec<_> = (0..500)
        .map(|_| {
            let limiter = Arc::clone(&limiter);
            tokio::spawn(async move {
                limiter.acquire().await;
                start.elapsed().as_millis()
            })
        })
        .collect();
    for (position, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.await.unwrap(), 10 * position as u128);
    }
}

#[tokio::test(start_paused = true)]
async fn call_waiting_at_a_slower_rate_is_not_overtaken() {
    let limiter = Arc::new(RateLimiter::new(Rate::new(1.0, 1)));
    let start = Instant::now();
    let _: Permit = limiter.acquire().await;
    let first = tokio::spawn({
        let limiter = Arc::clone(&limiter);
        async move { acquire_times(&limiter, start, 1).await }
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    lock(limiter.bucket.as_ref().unwrap()).rate.per_second = 1_000.0;
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(acquire_times(&limiter, start, 1).await, [1_000]);
    assert_eq!(first.await.unwrap(), [1_000]);
}

#[tokio::test(start_paused = true)]
async fn cancelled_wait_takes_no_token_and_unused_permit_returns_no_token() {
    let limiter = Arc::new(RateLimiter::new(Rate::new(10.0, 1)));
    let start = Instant::now();
    let _: Permit = limiter.acquire().await;
    let waiter = tokio::spawn({
        let limiter = Arc::clone(&limiter);
        async move { limiter.acquire().await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    waiter.abort();
    assert_eq!(acquire_times(&limiter, start, 2).await, [100, 200]);
}

#[tokio::test(start_paused = true)]
async fn longest_retry_after_hint_delays_all_calls() {
    let limiter = RateLimiter::new(Rate::new(10.0, 10));
    let start = Instant::now();
    let permit = limiter.acquire().await;
    limiter.throttled(permit, Some(Duration::from_secs(7)));
    limiter.throttled(permit, Some(Duration::from_secs(3)));
    // Five calls per second, from the end of the hint.
    assert_eq!(acquire_times(&limiter, start, 2).await, [7_200, 7_400]);
    // A hint counts for at most five minutes.
    limiter.throttled(permit, Some(Duration::from_secs(86_400)));
    assert_eq!(acquire_times(&limiter, start, 1).await, [307_600]);
}

#[tokio::test(start_paused = true)]
async fn rejections_of_calls_sent_before_a_cut_do_not_cut_again() {
    let limiter = RateLimiter::new(Rate::new(10.0, 10));
    let start = Instant::now();
    let mut permits = Vec::new();
    for _ in 0..10 {
        permits.push(limiter.acquire().await);
    }
    for permit in permits {
        limiter.throttled(permit, None);
    }
    assert_eq!(acquire_times(&limiter, start, 2).await, [200, 400]);
}

#[test]
fn rejection_after_many_successes_cuts_a_tenth_and_later_rejections_cut_half() {
    let mut rate = AdaptiveRate::new(20.0);
    for _ in 0..CALM_SUCCESSES {
        rate.count_success();
    }
    let rates: Vec<f64> = (0..8)
        .map(|_| {
            rate.cut();
            rate.per_second
        })
        .collect();
    assert_eq!(rates, [18.0, 9.0, 4.5, 2.25, 1.125, 0.5625, 0.5, 0.5]);
}

#[test]
fn rate_climbs_fast_to_the_last_rejected_rate_then_slowly_then_fast_again() {
    let mut rate = AdaptiveRate::new(100.0);
    rate.per_second = 20.0;
    rate.successes_since_cut = CALM_SUCCESSES;
    rate.cut();
    let after = |rate: &mut AdaptiveRate, seconds: u32| {
        for _ in 0..10 * seconds {
            rate.climb(0.1);
        }
        rate.per_second
    };
    let rates: Vec<f64> = [1, 3, 3, 1, 1, 1, 1]
        .map(|seconds| (10.0 * after(&mut rate, seconds)).round() / 10.0)
        .into();
    // Fast up to 20 (the rejected rate), slowly beyond 20, fast again, and beyond the configured 100
    // by five per second.
    assert_eq!(rates, [19.2, 20.0, 21.7, 39.7, 102.5, 107.5, 112.5]);
}

#[tokio::test(start_paused = true)]
async fn rate_of_a_client_without_queue_does_not_rise() {
    let limiter = RateLimiter::new(Rate::new(10.0, 1));
    for _ in 0..1_000 {
        let permit = limiter.acquire().await;
        limiter.succeeded(permit);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let start = Instant::now();
    assert_eq!(acquire_times(&limiter, start, 3).await, [0, 100, 200]);
}

/// Spawns tasks that call in an endless loop.
fn spawn_callers(
    limiter: &Arc<RateLimiter>,
    cloud: &Arc<Mutex<Cloud>>,
    callers: usize,
    latency: Duration,
) {
    for _ in 0..callers {
        let (limiter, cloud) = (Arc::clone(limiter), Arc::clone(cloud));
        tokio::spawn(async move {
            loop {
                let permit = limiter.acquire().await;
                tokio::time::sleep(latency / 2).await;
                let accepted = cloud.lock().unwrap().call();
                tokio::time::sleep(latency / 2).await;
                if accepted {
                    limiter.succeeded(permit);
                } else {
                    limiter.throttled(permit, None);
                }
            }
        });
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn rate_settles_at_the_limit_from_below_and_from_above() {
    for configured in [10.0, 20.0, 200.0] {
        let (limiter, cloud) = (
            Arc::new(RateLimiter::new(Rate::new(configured, 20))),
            Cloud::new(20.0),
        );
        spawn_callers(&limiter, &cloud, 100, SECOND / 20);
        tokio::time::sleep(60 * SECOND).await;
        let settled = Instant::now();
        tokio::time::sleep(300 * SECOND).await;
        let cloud = cloud.lock().unwrap();
        let goodput = cloud.goodput(settled, 300 * SECOND);
        let rejected = cloud.rejected.len() as f64 / cloud.accepted.len() as f64;
        assert!(goodput >= 19.0, "{configured}: {goodput}");
        assert!(rejected < 0.03, "{configured}: {rejected}");
    }
}

/// Starts callers at a limit of 20 per second, which falls to 2 per second after a minute.
async fn callers_at_a_fallen_limit(configured: f64) -> Arc<Mutex<Cloud>> {
    let (limiter, cloud) = (
        Arc::new(RateLimiter::new(Rate::new(configured, 20))),
        Cloud::new(20.0),
    );
    spawn_callers(&limiter, &cloud, 100, SECOND / 20);
    tokio::time::sleep(60 * SECOND).await;
    cloud.lock().unwrap().limit = 2.0;
    cloud
}

#[tokio::test(start_paused = true)]
async fn fallen_limit_rejects_few_calls() {
    let cloud = callers_at_a_fallen_limit(20.0).await;
    let before = cloud.lock().unwrap().rejected.len();
    tokio::time::sleep(30 * SECOND).await;
    let rejected = cloud.lock().unwrap().rejected.len() - before;
    assert!(rejected <= 12, "{rejected}");
}

#[tokio::test(start_paused = true)]
async fn rate_recovers_within_ten_seconds_after_the_limit_is_restored() {
    for configured in [10.0, 20.0] {
        for low in [30_000, 31_300, 32_600, 33_900].map(Duration::from_millis) {
            let cloud = callers_at_a_fallen_limit(configured).await;
            tokio::time::sleep(low).await;
            cloud.lock().unwrap().limit = 20.0;
            let restored = Instant::now();
            tokio::time::sleep(15 * SECOND).await;
            let cloud = cloud.lock().unwrap();
            let full = |second: u32| cloud.goodput(restored + second * SECOND, 5 * SECOND) >= 18.0;
            assert!((0..=10).any(full), "{configured} {low:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn cloud_that_rejects_every_call_without_a_hint_gets_few_calls() {
    let limiter = Arc::new(RateLimiter::new(Rate::new(20.0, 20)));
    let calls = Arc::new(AtomicU32::new(0));
    for _ in 0..500 {
        let (limiter, calls) = (Arc::clone(&limiter), Arc::clone(&calls));
        tokio::spawn(async move {
            loop {
                let permit = limiter.acquire().await;
                calls.fetch_add(1, Ordering::Relaxed);
                limiter.throttled(permit, None);
            }
        });
    }
    tokio::time::sleep(60 * SECOND).await;
    // Few calls while the rate falls, and then a call every two seconds.
    let calls = calls.load(Ordering::Relaxed);
    assert!((20..=35).contains(&calls), "{calls}");
}

fn bucket(per_second: f64, burst: u32) -> (Bucket, Instant) {
    let now = Instant::now();
    (Bucket::new(Rate::new(per_second, burst), now), now)
}

#[test]
fn reservation_has_the_tokens_of_the_bucket_and_of_the_time_ahead() {
    let (mut bucket, now) = bucket(10.0, 5);
    assert_eq!(bucket.reserve(2, Duration::ZERO, now), 2);
    // Three tokens are left, and 2.5 arrive in a quarter of a second.
    assert_eq!(bucket.reserve(100, SECOND / 4, now), 5);
    assert_eq!(bucket.tokens, -2.0);
    assert_eq!(bucket.reserve(1, SECOND / 4, now), 0);
    assert_eq!(bucket.reserve(0, SECOND, now), 0);
    let later = now + SECOND / 2;
    assert_eq!(bucket.reserve(9, Duration::ZERO, later), 3);
    // A sum of fractions of a token is a token.
    bucket.tokens = 1.0 - 1e-10;
    assert_eq!(bucket.reserve(9, Duration::ZERO, later), 1);
}

#[test]
fn returned_tokens_fill_the_bucket_up_to_the_burst() {
    let (mut bucket, now) = bucket(10.0, 5);
    assert_eq!(bucket.reserve(5, Duration::ZERO, now), 5);
    bucket.give_back(2, now);
    assert_eq!(bucket.tokens, 2.0);
    bucket.give_back(9, now);
    assert_eq!(bucket.tokens, 5.0);
    bucket.tokens = 0.0;
    bucket.give_back(1, now + SECOND / 5);
    assert_eq!(bucket.tokens, 3.0, "two tokens of the time since");
}

#[test]
fn replaced_rate_counts_from_now_and_a_cut_empties_the_bucket() {
    let (mut bucket, now) = bucket(10.0, 5);
    bucket.tokens = 0.0;
    let now = now + SECOND / 5;
    bucket.set_rate(AdaptiveRate::new(20.0), false, now);
    assert_eq!((bucket.tokens, bucket.rate.per_second), (2.0, 20.0));
    bucket.set_rate(AdaptiveRate::new(5.0), true, now);
    assert_eq!((bucket.tokens, bucket.rate.per_second), (0.0, 5.0));
    bucket.tokens = -3.0;
    bucket.set_rate(AdaptiveRate::new(5.0), true, now);
    assert_eq!(bucket.tokens, -3.0, "reserved tokens stay reserved");
}

#[test]
fn closed_bucket_has_no_tokens_until_the_end_of_the_longest_pause() {
    let (mut bucket, now) = bucket(10.0, 5);
    bucket.tokens = 0.0;
    bucket.close(2 * SECOND, now);
    bucket.close(SECOND, now);
    assert_eq!(bucket.closed_for(now + SECOND / 2), 3 * SECOND / 2);
    assert_eq!(bucket.take(now), Err(now + 2 * SECOND));
    let before = now + 2 * SECOND - Duration::from_millis(1);
    assert_eq!(bucket.reserve(1, SECOND, before), 0);
    let end = now + 2 * SECOND;
    assert_eq!(bucket.closed_for(end), Duration::ZERO);
    assert_eq!(bucket.take(end), Err(end + SECOND / 10), "no token so far");
    assert_eq!(bucket.reserve(9, SECOND / 5, end), 2);
    bucket.close(Duration::from_secs(900), end);
    assert_eq!(bucket.closed_for(end), MAX_HINT);
}

#[test]
fn capped_rate_climbs_back_to_the_configured_rate_and_no_further() {
    let limiter = RateLimiter::capped(Rate::new(10.0, 1));
    let success = |queued| {
        let at = Instant::now() + SECOND;
        limiter.succeeded(Permit {
            at,
            queued,
            waited: Duration::ZERO,
        });
        limiter.per_second().unwrap()
    };
    assert_eq!(success(true), 10.0);
    lock(limiter.bucket.as_ref().unwrap()).rate.cut();
    let cut = limiter.per_second().unwrap();
    assert!(cut < 10.0);
    assert_eq!(success(false), cut, "the call was not queued");
    assert!(success(true) > cut);
    let rates: Vec<f64> = (0..200).map(|_| success(true)).collect();
    assert!(rates.is_sorted());
    assert!(rates.iter().all(|rate| *rate <= 10.0), "{rates:?}");
    assert_eq!(rates.last(), Some(&10.0));
}

#[test]
fn queued_call_raises_the_rate_by_the_time_between_two_calls() {
    let mut by_call = AdaptiveRate::new(20.0);
    by_call.cut();
    let mut by_time = by_call;
    by_call.climb_by_one_call();
    by_time.climb(0.1);
    assert_eq!(by_call, by_time, "ten calls a second");
    assert!(by_call.per_second > 10.0);
}

#[tokio::test(start_paused = true)]
async fn wait_of_a_call_is_the_time_in_the_queue_of_at_least_a_millisecond() {
    let limiter = RateLimiter::new(Rate::new(10.0, 1));
    assert_eq!(limiter.acquire().await.waited(), None);
    let wait = limiter.acquire().await.waited();
    assert_eq!(wait, Some(Duration::from_millis(100)));
    for (micros, expected) in [(999, None), (1_000, Some(Duration::from_millis(1)))] {
        let permit = Permit {
            at: Instant::now(),
            queued: true,
            waited: Duration::from_micros(micros),
        };
        assert_eq!(permit.waited(), expected);
    }
    let unlimited = RateLimiter::new(Rate::new(f64::INFINITY, 1));
    assert_eq!(unlimited.acquire().await.waited(), None);
    assert_eq!(unlimited.per_second(), None);
}

proptest! {
    #[test]
    fn tokens_stay_between_zero_and_the_burst(
        per_second in 0.0..100.0_f64,
        burst in 0..50_u32,
        steps in prop::collection::vec((0..5_u8, 0..5_000_u64), 1..200),
    ) {
        let start = Instant::now();
        let mut bucket = Bucket::new(Rate::new(per_second, burst), start);
        let mut now = start;
        let mut permit = Permit { at: start, queued: true, waited: Duration::ZERO };
        for (step, millis) in steps {
            now += Duration::from_millis(millis);
            match step {
                0 => bucket.throttled(permit, None, now),
                1 => bucket.throttled(permit, Some(Duration::from_millis(millis)), now),
                2 => bucket.succeeded(permit, now),
                _ => match bucket.take(now) {
                    Ok(()) => permit = Permit { at: now, queued: true, waited: Duration::ZERO },
                    Err(later) => prop_assert!(later > now),
                },
            }
            let capacity = (bucket.burst_seconds * bucket.rate.per_second).max(1.0);
            prop_assert!((0.0..=capacity).contains(&bucket.tokens), "{bucket:?}");
            prop_assert!(bucket.rate.per_second >= 0.01, "{bucket:?}");
        }
    }
}

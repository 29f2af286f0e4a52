//! Tests of the exact times of retries, polls and deadlines, under tokio's paused clock. The tests
//! of the rate limiter are in `src/call/rate_limit/tests.rs`.

mod support;

use std::{
    future::IntoFuture,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use lifecycle_client::{
    Client, RetryPolicy, StaticCredential, Timeouts, Transport, TransportError,
};
use lifecycle_core::{Credential, FaultKind, HttpResponse, PowerState};
use support::{
    CallResult, ScriptedCloud, Toy, all_in_state, answer, fault, ids, ok, seconds, server_error,
};
use tokio::time::Instant;

/// Returns the generator of the random fractions of a client with seed 1.
fn fractions() -> impl FnMut() -> f64 {
    let mut random = fastrand::Rng::with_seed(1);
    move || random.f64()
}

/// Returns the first random fraction of a client with seed 1.
fn first_fraction() -> f64 {
    fractions()()
}

/// Returns the times of the calls of one operation.
fn times(cloud: &ScriptedCloud, operation: &str) -> Vec<Duration> {
    let calls = cloud.calls(operation).into_iter();
    calls.map(|sent| sent.at).collect()
}

/// Asserts equal times. Timers round each wait up to a millisecond.
fn assert_times(found: &[Duration], expected: &[Duration]) {
    let near = |(a, b): (&Duration, &Duration)| a.abs_diff(*b) <= Duration::from_millis(5);
    assert!(
        found.len() == expected.len() && found.iter().zip(expected).all(near),
        "{found:?} instead of {expected:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn retry_waits_a_random_part_of_a_doubling_ceiling() {
    let cloud = ScriptedCloud::new(|_| server_error());
    let mut fraction = fractions();
    let mut expected = vec![Duration::ZERO];
    for ceiling in [0.5, 1.0, 2.0, 4.0] {
        let last = *expected.last().unwrap();
        expected.push(last + Duration::from_secs_f64(ceiling * fraction()));
    }
    // No lookup before a retry.
    let timeouts = Timeouts::default().with_settle(Duration::ZERO);
    let client = cloud.client_with(|builder| builder.timeouts(timeouts));
    client.start(ids(1)).await.unwrap();
    assert_times(&times(&cloud, "start"), &expected);
}

#[tokio::test(start_paused = true)]
async fn retry_waits_for_the_retry_after_header_plus_jitter() {
    let cloud = ScriptedCloud::new(|sent| match sent.at {
        at if at < seconds(7) => answer(
            429,
            &[("kind", "throttled"), ("retry-after", "7")],
            "slow down",
        ),
        _ => ok("ok"),
    });
    cloud.client().start(ids(1)).await.unwrap();
    let jitter = Duration::from_secs_f64(0.5 * first_fraction());
    assert_times(
        &times(&cloud, "start"),
        &[Duration::ZERO, seconds(7) + jitter],
    );
}

#[tokio::test(start_paused = true)]
async fn refused_connection_is_retried_after_a_delay() {
    let cloud = ScriptedCloud::new(|_| CallResult::ConnectionRefused);
    let policy = RetryPolicy::default().with_attempts(2);
    let client = cloud.client_with(|builder| builder.retry(policy));
    client.start(ids(1)).await.unwrap();
    let delay = Duration::from_secs_f64(0.5 * first_fraction());
    assert_times(&times(&cloud, "start"), &[Duration::ZERO, delay]);
}

#[tokio::test(start_paused = true)]
async fn lookups_follow_the_polling_policy_with_a_tenth_of_jitter() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" if sent.at > seconds(200) => all_in_state(sent, "running"),
        "observe" => all_in_state(sent, "starting"),
        _ => ok("ok"),
    });
    let report = cloud.client().start(ids(1)).wait(seconds(600)).await;
    assert!(report.unwrap().is_success());
    let lookups = times(&cloud, "observe");
    assert!(
        (1_800..=2_200).contains(&lookups[0].as_millis()),
        "{lookups:?}"
    );
    for pair in lookups.windows(2) {
        let (age, wait) = (pair[0].as_secs_f64(), (pair[1] - pair[0]).as_secs_f64());
        let due = (age / 10.0).clamp(3.0, 15.0);
        assert!((wait / due - 1.0).abs() <= 0.101, "{wait} s after {age} s");
    }
}

#[tokio::test(start_paused = true)]
async fn first_lookup_of_each_action_has_a_random_delay() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "running"),
        _ => ok("ok"),
    });
    let start = cloud.client().start(ids(1)).wait(seconds(60));
    assert!(start.await.unwrap().is_success());
    let delay = seconds(2).mul_f64(0.9 + 0.2 * first_fraction());
    assert_times(&times(&cloud, "observe"), &[delay]);
}

/// Lookups are due every 3 s, and a lookup of one instance takes along what is due within a third of that.
#[tokio::test(start_paused = true)]
async fn lookup_leaves_out_instances_that_are_due_much_later() {
    let cloud = ScriptedCloud::new(|sent| all_in_state(sent, "starting"));
    let client = cloud.client();
    let wait = |n| client.wait([support::id(n)], PowerState::Running);
    let first = wait(0).timeout(seconds(9)).into_future();
    let second = async {
        tokio::time::sleep(Duration::from_millis(1_650)).await;
        wait(1).timeout(seconds(9)).await
    };
    let (first, second) = futures_util::future::join(first, second).await;
    assert!(!first.unwrap().is_success() && !second.unwrap().is_success());
    let looks = cloud.calls("observe");
    let looks: Vec<String> = looks.iter().map(|look| look.ids.join(" ")).collect();
    assert_eq!(looks[..4], ["i-0", "i-1", "i-0", "i-1"], "{looks:?}");
}

#[tokio::test(start_paused = true)]
async fn silent_lookup_ends_after_an_attempt_and_the_longest_interval() {
    let cloud = ScriptedCloud::new(|_| CallResult::NoAnswer);
    let client =
        cloud.client_with(|builder| builder.retry(RetryPolicy::default().with_attempts(9)));
    let wait = client.wait(ids(1), PowerState::Running);
    wait.timeout(seconds(50)).await.unwrap();
    let looks = times(&cloud, "observe");
    // An attempt has 30 s. The second attempt has the rest of 45 s, and the next lookup begins 4.5 s later.
    assert_eq!(looks.len(), 3, "{looks:?}");
    assert!(
        looks[1] >= seconds(30) && looks[1] < seconds(31),
        "{looks:?}"
    );
    assert!(
        looks[2] >= seconds(49) && looks[2] < seconds(50),
        "{looks:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn failed_connection_of_a_lookup_starts_no_search() {
    let cloud = ScriptedCloud::new(|_| CallResult::ConnectionRefused);
    let client = cloud.client_with(|builder| builder.retry(RetryPolicy::never()));
    let statuses = client.observe(ids(4)).await.unwrap();
    for status in statuses {
        assert_eq!(status.result.unwrap_err().kind(), FaultKind::Unreachable);
    }
    assert_eq!(cloud.log().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn wait_ends_exactly_at_the_deadline() {
    let began = tokio::time::Instant::now();
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "starting"),
        _ => ok("ok"),
    });
    let wait = cloud
        .client()
        .start(ids(30))
        .wait(Duration::from_millis(77_777))
        .await;
    wait.unwrap();
    assert_times(&[began.elapsed()], &[Duration::from_millis(77_777)]);
}

#[tokio::test(start_paused = true)]
async fn silent_cloud_ends_attempts_and_request_at_their_limits() {
    let began = tokio::time::Instant::now();
    let cloud = ScriptedCloud::new(|_| CallResult::NoAnswer);
    cloud.client().reboot(ids(1)).await.unwrap();
    // The observation before the reboot takes the whole time: five attempts of 30 s exceed two
    // minutes.
    assert!(began.elapsed() <= seconds(121), "{:?}", began.elapsed());
    let lookups = times(&cloud, "observe");
    for pair in lookups.windows(2) {
        assert!(pair[1] - pair[0] >= seconds(30), "{lookups:?}");
    }
}

// The reboot fails with an unknown result, and no lookup shows a state other than running. The client
// observes the instance for 30 s.
#[tokio::test(start_paused = true)]
async fn reboot_without_evidence_is_uncertain_after_half_a_minute() {
    let began = tokio::time::Instant::now();
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "running"),
        _ => fault(FaultKind::Failed),
    });
    let report = cloud.client().reboot(ids(1)).wait(seconds(600)).await;
    assert_eq!(support::outcomes(&report.unwrap()), ["uncertain"]);
    assert_times(&[began.elapsed()], &[seconds(30)]);
}

/// A cloud with a latency of a second, which counts the calls under way.
#[derive(Debug)]
struct Busy {
    cloud: ScriptedCloud,
    under_way: AtomicUsize,
    most: Arc<AtomicUsize>,
}

#[async_trait]
impl Transport for Busy {
    async fn send(&self, request: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        let under_way = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(under_way, Ordering::Relaxed);
        tokio::time::sleep(seconds(1)).await;
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        self.cloud.send(request).await
    }
}

#[tokio::test(start_paused = true)]
async fn lookups_of_a_wait_are_concurrent_up_to_the_limit() {
    let cloud = ScriptedCloud::new(|sent| all_in_state(sent, "running"));
    let most = Arc::default();
    let busy = Busy {
        cloud: cloud.clone(),
        under_way: AtomicUsize::new(0),
        most: Arc::clone(&most),
    };
    let key = StaticCredential::new(Credential::keys("id", "s3cret"));
    let client = Client::builder(Toy::in_batches_of(1), key, busy)
        .concurrency(2)
        .build();
    // Lookups with a confirmed key are concurrent.
    client.observe(ids(1)).await.unwrap();
    let start = Instant::now();
    let wait = client.wait(ids(5), PowerState::Running);
    assert!(wait.await.unwrap().is_success());
    assert_eq!(most.load(Ordering::Relaxed), 2);
    assert_eq!(start.elapsed().as_secs(), 3, "five lookups, two at a time");
    assert_eq!(cloud.log().len(), 6);
}

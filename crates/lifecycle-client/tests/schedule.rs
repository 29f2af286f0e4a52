//! Exact times under paused time: repeats, looks and deadlines. The pace has its own tests.

mod support;

use std::time::Duration;

use lifecycle_client::{RetryPolicy, Timeouts};
use lifecycle_core::FaultKind;
use support::{Fate, Scripted, all, answer, fault, ids, ok, seconds, server_error};

/// The jitter that a client with seed 1 draws, in order.
fn chances() -> impl FnMut() -> f64 {
    let mut chance = fastrand::Rng::with_seed(1);
    move || chance.f64()
}

fn times(cloud: &Scripted, operation: &str) -> Vec<Duration> {
    let calls = cloud.calls(operation).into_iter();
    calls.map(|sent| sent.at).collect()
}

/// Timers tick in milliseconds, and each wait is rounded up.
fn assert_times(found: &[Duration], expected: &[Duration]) {
    let near = |(a, b): (&Duration, &Duration)| a.abs_diff(*b) <= Duration::from_millis(5);
    assert!(
        found.len() == expected.len() && found.iter().zip(expected).all(near),
        "{found:?}, where {expected:?} was due"
    );
}

#[tokio::test(start_paused = true)]
async fn repeats_wait_a_drawn_share_of_a_doubling_ceiling() {
    let cloud = Scripted::new(|_| server_error());
    let mut chance = chances();
    let mut expected = vec![Duration::ZERO];
    for ceiling in [0.5, 1.0, 2.0, 4.0] {
        let last = *expected.last().unwrap();
        expected.push(last + Duration::from_secs_f64(ceiling * chance()));
    }
    let mut timeouts = Timeouts::default();
    timeouts.settle = Duration::ZERO;
    let client = cloud.client_with(|builder| builder.timeouts(timeouts));
    client.start(ids(1)).await.unwrap();
    assert_times(&times(&cloud, "start"), &expected);
}

#[tokio::test(start_paused = true)]
async fn a_hint_is_waited_for_in_full_and_a_little_more() {
    let cloud = Scripted::new(|sent| match sent.at {
        at if at < seconds(7) => answer(
            429,
            &[("kind", "throttled"), ("retry-after", "7")],
            "slow down",
        ),
        _ => ok("ok"),
    });
    cloud.client().start(ids(1)).await.unwrap();
    let little = Duration::from_secs_f64(0.5 * chances()());
    assert_times(
        &times(&cloud, "start"),
        &[Duration::ZERO, seconds(7) + little],
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_is_tried_again_after_a_delay_and_not_at_once() {
    let cloud = Scripted::new(|_| Fate::Refused);
    let client = cloud.client_with(|builder| {
        let mut policy = RetryPolicy::default();
        policy.attempts = 2;
        builder.retry(policy)
    });
    client.start(ids(1)).await.unwrap();
    let delay = Duration::from_secs_f64(0.5 * chances()());
    assert_times(&times(&cloud, "start"), &[Duration::ZERO, delay]);
}

#[tokio::test(start_paused = true)]
async fn looks_follow_the_cadence_with_a_tenth_of_jitter() {
    let cloud = Scripted::new(|sent| match sent.operation.as_str() {
        "observe" if sent.at > seconds(200) => all(sent, "running"),
        "observe" => all(sent, "starting"),
        _ => ok("ok"),
    });
    let report = cloud.client().start(ids(1)).wait(seconds(600)).await;
    assert!(report.unwrap().is_success());
    let looks = times(&cloud, "observe");
    assert!((1_800..=2_200).contains(&looks[0].as_millis()), "{looks:?}");
    for pair in looks.windows(2) {
        let (age, wait) = (pair[0].as_secs_f64(), (pair[1] - pair[0]).as_secs_f64());
        let due = (age / 10.0).clamp(3.0, 15.0);
        assert!((wait / due - 1.0).abs() <= 0.101, "{wait} s after {age} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_at_its_deadline_and_not_later() {
    let began = tokio::time::Instant::now();
    let cloud = Scripted::new(|sent| match sent.operation.as_str() {
        "observe" => all(sent, "starting"),
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
async fn silence_ends_with_the_request_and_attempts_with_their_own_time() {
    let began = tokio::time::Instant::now();
    let cloud = Scripted::new(|_| Fate::Silence);
    cloud.client().reboot(ids(1)).await.unwrap();
    // The look before takes all of it: five attempts of 30 s do not fit into two minutes.
    assert!(began.elapsed() <= seconds(121), "{:?}", began.elapsed());
    let looks = times(&cloud, "observe");
    for pair in looks.windows(2) {
        assert!(pair[1] - pair[0] >= seconds(30), "{looks:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_settled_in_half_a_minute_is_uncertain() {
    let began = tokio::time::Instant::now();
    let cloud = Scripted::new(|sent| match sent.operation.as_str() {
        "observe" => all(sent, "running"),
        _ => fault(FaultKind::Failed),
    });
    let report = cloud.client().reboot(ids(1)).wait(seconds(600)).await;
    assert_eq!(support::outcomes(&report.unwrap()), ["uncertain"]);
    assert_times(&[began.elapsed()], &[seconds(30)]);
}

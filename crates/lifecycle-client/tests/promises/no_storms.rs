//! Tests of the promise that no storm of calls occurs. Retries are bounded, clones share the
//! budget, the cloud's `Retry-After` takes precedence, and rejected keys stay unused.

use std::{
    future::IntoFuture,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use lifecycle_client::RetryPolicy;
use lifecycle_core::{FaultKind, PowerState, Rate, RateLimits};

use crate::{
    scripts::timeline,
    support::{
        CallResult, ScriptedCloud, all_in_state, answer, fault, id, ids, ok, outcomes,
        quick_timeouts, seconds,
    },
};

#[tokio::test(start_paused = true)]
async fn retry_waits_stay_below_the_ceiling_and_attempts_end() {
    let cloud = ScriptedCloud::new(|_| CallResult::ConnectionRefused);
    let report = cloud.client().start(ids(1)).await.unwrap();
    let row = &report.instances()[0];
    assert_eq!(row.outcome.fault().unwrap().kind(), FaultKind::Unreachable);
    let log = cloud.log();
    assert_eq!(log.len(), 5);
    let policy = RetryPolicy::default();
    for (n, pair) in log.windows(2).enumerate() {
        let wait = pair[1].at - pair[0].at;
        let ceiling = policy.ceiling(n as u32 + 1);
        assert!(wait <= ceiling + Duration::from_millis(2), "{wait:?}");
        assert!(wait > Duration::ZERO);
        assert!(wait < ceiling, "a random part of {ceiling:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_header_overrides_the_computed_wait() {
    let count = AtomicUsize::new(0);
    let cloud = ScriptedCloud::new(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => answer(429, &[("retry-after", "17")], ""),
        _ => ok("ok"),
    });
    cloud.client().start(ids(1)).await.unwrap();
    let at = cloud.log()[1].at;
    assert!(at >= seconds(17) && at <= seconds(18), "{at:?}");
}

#[tokio::test(start_paused = true)]
async fn endless_retry_after_header_ends_the_request_without_panic() {
    let cloud = ScriptedCloud::new(|_| {
        let endless = ("retry-after", "18446744073709551615");
        answer(429, &[("kind", "throttled"), endless], "later")
    });
    let report = cloud.client().start(ids(1)).await.unwrap();
    assert_eq!(outcomes(&report), ["refused"]);
}

#[tokio::test(start_paused = true)]
async fn retry_budget_is_shared_by_clones() {
    let cloud = ScriptedCloud::new(|_| CallResult::ConnectionRefused);
    let mut policy = RetryPolicy::default();
    policy.budget = 6;
    let client = cloud.client_with(|b| b.retry(policy));
    for n in 0..10 {
        client.clone().start([id(n)]).await.unwrap();
    }
    assert_eq!(cloud.log().len(), 10 + 6);
    assert_eq!(client.calls().repeats, 6);
}

#[tokio::test(start_paused = true)]
async fn refused_key_is_used_once() {
    let cloud = ScriptedCloud::new(|_| fault(FaultKind::Credential));
    let client = cloud.client();
    let report = client.start(ids(95)).wait(seconds(60)).await.unwrap();
    assert_eq!(outcomes(&report), ["refused"; 95]);
    let status = client.observe([id(1)]).await.unwrap();
    assert_eq!(
        status[0].result.as_ref().unwrap_err().kind(),
        FaultKind::Credential
    );
    assert_eq!(cloud.log().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn rejected_key_without_another_key_ends_the_call_after_one_attempt() {
    let cloud = ScriptedCloud::new(|_| fault(FaultKind::Credential));
    let report = cloud.client().start(ids(1)).await.unwrap();
    let fault = report.instances()[0].outcome.fault().unwrap();
    assert_eq!((fault.kind(), fault.attempts()), (FaultKind::Credential, 1));
}

#[tokio::test(start_paused = true)]
async fn first_use_of_a_key_is_a_single_call() {
    let cloud = ScriptedCloud::new(|_| CallResult::NoAnswer);
    let client = cloud.client_with(|b| b.timeouts(quick_timeouts()));
    let work = client.start(ids(40)).into_future();
    let _ = tokio::time::timeout(seconds(3), work).await;
    assert_eq!(cloud.log().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_an_answer_about_the_call_itself_confirms_a_key() {
    for (status, kind, body, concurrent) in [
        (200, "", "i-0 running", 4),
        (400, "invalid", "no", 4),
        (403, "permission", "no", 4),
        (429, "throttled", "later", 1),
        (503, "unavailable", "later", 1),
        (407, "", "no", 1),
        (418, "", "no", 1),
    ] {
        let mut starts = 0;
        let cloud = ScriptedCloud::new(move |_| {
            starts += 1;
            match starts {
                1 => answer(status, &[("kind", kind)], body),
                _ => CallResult::NoAnswer,
            }
        });
        let client = cloud.client_with(|builder| builder.retry(RetryPolicy::never()));
        let first = client.observe([id(0)]).await.unwrap();
        assert_eq!(first.len(), 1);
        let work = client.start(ids(40)).into_future();
        let _ = tokio::time::timeout(seconds(3), work).await;
        let starts = cloud.calls("start").len();
        assert_eq!(starts, concurrent, "after {status} {kind} {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn throttled_call_lowers_the_rate_of_its_kind_and_delays_the_next_call() {
    let mut starts = 0;
    let cloud = ScriptedCloud::new(move |sent| {
        starts += u32::from(sent.operation == "start");
        match (sent.operation.as_str(), starts) {
            ("start", 1) => answer(429, &[("retry-after", "17")], "later"),
            ("start", _) => ok("ok"),
            _ => all_in_state(sent, "running"),
        }
    });
    let client = cloud.client_with(|builder| {
        let limits = RateLimits::new(Rate::new(10.0, 10), Rate::new(8.0, 8));
        let builder = builder.rate_limits(limits);
        builder.retry(RetryPolicy::never())
    });
    client.observe([id(0)]).await.unwrap();
    client.start([id(1)]).await.unwrap();
    let stats = client.stats();
    let rates = [stats.reads.per_second, stats.writes.per_second];
    assert_eq!(rates, [Some(10.0), Some(4.0)]);
    client.observe([id(2)]).await.unwrap();
    client.start([id(3)]).await.unwrap();
    let at: Vec<u64> = cloud.log().iter().map(|sent| sent.at.as_secs()).collect();
    assert_eq!(at, [0, 0, 0, 17]);
}

#[tokio::test(start_paused = true)]
async fn concurrent_waits_share_one_poller() {
    let cloud = timeline(&[(0, "stopped"), (30, "running")]);
    let client = cloud.client();
    let wait = |n| client.wait([id(n)], PowerState::Running).into_future();
    client.start(ids(8)).await.unwrap();
    let reports = futures_util::future::join_all((0..8).map(wait)).await;
    assert!(
        reports
            .into_iter()
            .all(|report| report.unwrap().is_success())
    );
    let observations = cloud.calls("observe");
    assert!(
        observations.len() < 20,
        "{} observations",
        observations.len()
    );
    assert!(observations.iter().any(|sent| sent.ids.len() == 8));
}

#[tokio::test(start_paused = true)]
async fn end_of_one_wait_does_not_end_the_lookups_of_another() {
    let cloud = ScriptedCloud::new(|sent| {
        let state = match sent.at < seconds(60) {
            true => "starting",
            false => "running",
        };
        crate::support::all_in_state(sent, state)
    });
    let client = cloud.client();
    let short = client.wait([id(0), id(1)], PowerState::Running);
    let short = short.timeout(seconds(10)).into_future();
    let long = client
        .wait([id(1), id(2)], PowerState::Running)
        .into_future();
    let (short, long) = futures_util::future::join(short, long).await;
    assert_eq!(outcomes(&short.unwrap()), ["pending"; 2]);
    assert_eq!(outcomes(&long.unwrap()), ["reached"; 2]);
    let later = cloud.calls("observe").into_iter();
    let mut later = later.filter(|lookup| lookup.at > seconds(10));
    assert!(later.all(|lookup| lookup.ids == ["i-1", "i-2"]));
}

//! Tests of the promise that no request hangs. Every call and wait has a deadline, and a failed
//! poll is not a failed wait.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use lifecycle_client::{Outcome, Pending, RetryPolicy, Timeouts, WaitTimeout};
use lifecycle_core::{ActionKind, Fault, FaultKind, PollingPolicy, PowerState};

use crate::{
    scripts::{constant_state, timeline, with_job},
    support::{
        CallResult, ScriptedCloud, all_in_state, answer, fault, id, ids, ok, outcomes, seconds,
        server_error,
    },
};

#[tokio::test(start_paused = true)]
async fn start_is_reached_when_the_goal_is_observed() {
    let cloud = timeline(&[(0, "stopped"), (3, "starting"), (20, "running")]);
    let client = cloud.client();
    let report = client
        .start(ids(25))
        .wait(WaitTimeout::minutes(5))
        .await
        .unwrap();
    assert_eq!(outcomes(&report), ["reached"; 25]);
    let last = cloud.log().last().unwrap().at;
    assert!((20..27).contains(&last.as_secs()), "{last:?}");
    assert!(
        cloud
            .calls("observe")
            .iter()
            .all(|sent| sent.ids.len() <= 10)
    );
}

#[tokio::test(start_paused = true)]
async fn deadline_ends_the_wait_and_names_the_last_state() {
    let cloud = timeline(&[(0, "stopped"), (3, "starting")]);
    let start = tokio::time::Instant::now();
    let report = cloud
        .client()
        .start(ids(2))
        .wait(seconds(60))
        .await
        .unwrap();
    assert_eq!(start.elapsed().as_secs(), 60);
    for row in report.instances() {
        assert!(
            matches!(
                row.outcome,
                Outcome::Pending(Pending::Deadline(Some(PowerState::Starting)))
            ),
            "{row}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn stuck_state_ends_the_wait_at_once() {
    let cloud = timeline(&[(0, "stopped"), (3, "failed")]);
    let start = tokio::time::Instant::now();
    let report = cloud
        .client()
        .start(ids(1))
        .wait(seconds(600))
        .await
        .unwrap();
    assert!(start.elapsed() < seconds(15));
    assert!(matches!(
        report.instances()[0].outcome,
        Outcome::Pending(Pending::StuckState(PowerState::Failed))
    ));
}

#[tokio::test(start_paused = true)]
async fn repeated_absence_ends_the_wait_and_one_absence_does_not() {
    let observations = AtomicUsize::new(0);
    let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
        "observe" => match observations.fetch_add(1, Ordering::Relaxed) {
            0 => ok(""),
            1 => all_in_state(sent, "starting"),
            _ => ok(""),
        },
        _ => ok("ok"),
    });
    let report = cloud
        .client()
        .start(ids(1))
        .wait(seconds(600))
        .await
        .unwrap();
    assert!(matches!(
        report.instances()[0].outcome,
        Outcome::Pending(Pending::Vanished)
    ));
    assert_eq!(cloud.calls("observe").len(), 5);
}

#[tokio::test(start_paused = true)]
async fn failed_poll_does_not_end_the_wait() {
    let observations = AtomicUsize::new(0);
    let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
        "observe" => match observations.fetch_add(1, Ordering::Relaxed) % 3 {
            0 => server_error(),
            1 => CallResult::ConnectionBroken,
            _ => all_in_state(sent, "running"),
        },
        _ => ok("ok"),
    });
    let report = cloud
        .client()
        .start(ids(1))
        .wait(seconds(60))
        .await
        .unwrap();
    assert_eq!(outcomes(&report), ["reached"]);
}

#[tokio::test(start_paused = true)]
async fn forbidden_poll_ends_the_wait() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => fault(FaultKind::Permission),
        _ => ok("ok"),
    });
    let report = cloud
        .client()
        .start(ids(1))
        .wait(seconds(600))
        .await
        .unwrap();
    assert!(matches!(
        report.instances()[0].outcome,
        Outcome::Pending(Pending::Unobservable(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn wait_ends_at_the_first_poll_that_the_proxy_or_the_certificate_forbids() {
    let proxy: fn() -> CallResult = || answer(407, &[], "no");
    let certificate: fn() -> CallResult = || answer(400, &[("kind", "certificate")], "no");
    for result in [proxy, certificate] {
        let cloud = ScriptedCloud::new(move |_| result());
        let wait = cloud.client().wait(ids(2), PowerState::Running);
        let report = wait.timeout(seconds(600)).await.unwrap();
        for row in report.instances() {
            assert!(
                matches!(row.outcome, Outcome::Pending(Pending::Unobservable(_))),
                "{row:?}"
            );
        }
        assert_eq!(cloud.log().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn longest_interval_of_lookups_does_not_panic() {
    let polling = PollingPolicy::new(seconds(2), seconds(3), Duration::MAX);
    for cloud in [
        constant_state("ok", "running"),
        with_job(&["running", "ok"], "running"),
    ] {
        let client = cloud.client_with(|builder| builder.polling(polling));
        let report = client.start(ids(1)).wait(seconds(60)).await.unwrap();
        assert_eq!(outcomes(&report), ["reached"]);
    }
}

#[tokio::test(start_paused = true)]
async fn wait_without_action_polls_at_once_and_then_on_schedule() {
    let cloud = ScriptedCloud::new(|sent| all_in_state(sent, "stopped"));
    let client = cloud.client();
    let wait = client.wait(ids(3), PowerState::Running);
    wait.timeout(seconds(14)).await.unwrap();
    let observations: Vec<u64> = cloud.log().iter().map(|sent| sent.at.as_secs()).collect();
    assert_eq!(observations.first(), Some(&0));
    assert!((4..=6).contains(&observations.len()), "{observations:?}");
}

#[tokio::test(start_paused = true)]
async fn wait_for_unknown_instance_ends_at_once() {
    let cloud = ScriptedCloud::new(|_| ok(""));
    let report = cloud
        .client()
        .wait([id(1)], PowerState::Running)
        .await
        .unwrap();
    let fault = report.instances()[0].outcome.fault().unwrap();
    assert_eq!(fault.kind(), FaultKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn unsettled_ambiguity_ends_after_the_settle_timeout() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "stopped"),
        _ => CallResult::ConnectionBroken,
    });
    let client = cloud.client_with(|b| b.retry(RetryPolicy::never()));
    let start = tokio::time::Instant::now();
    let report = client.start(ids(3)).wait(seconds(600)).await.unwrap();
    assert_eq!(outcomes(&report), ["uncertain"; 3]);
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn request_to_silent_cloud_ends_at_its_deadline() {
    let cloud = ScriptedCloud::new(|_| CallResult::NoAnswer);
    let start = tokio::time::Instant::now();
    let report = cloud.client().start(ids(25)).await.unwrap();
    assert!(start.elapsed() <= seconds(121), "{:?}", start.elapsed());
    assert!(
        outcomes(&report)
            .iter()
            .all(|o| ["uncertain", "skipped"].contains(o))
    );
}

/// An action cut off by the deadline would be uncertain, although the cloud answers in time.
#[tokio::test(start_paused = true)]
async fn action_is_skipped_if_too_little_time_is_left_for_its_response() {
    let limit = seconds(20);
    for kind in [ActionKind::Start, ActionKind::Stop, ActionKind::Reboot] {
        let cloud =
            constant_state("ok", "running").with_action_latency(Duration::from_millis(1_500));
        let client = cloud.client_with(|b| b.timeouts(Timeouts::default().with_request(limit)));
        let request = match kind {
            ActionKind::Start => client.start(ids(800)).await,
            ActionKind::Stop => client.stop(ids(800)).await,
            _ => client.reboot(ids(800)).await,
        };
        let report = request.unwrap();
        let mut found = outcomes(&report);
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, ["accepted", "skipped"], "{kind}");
        let last = cloud.calls(kind.as_str()).last().unwrap().at;
        assert!(last < limit - seconds(2), "{kind}: {last:?}");
        assert!(last >= limit - seconds(4), "{kind}: {last:?}");
        let skipped = report
            .instances()
            .iter()
            .find_map(|row| row.outcome.fault());
        assert_eq!(
            skipped.map(Fault::kind),
            Some(FaultKind::Deadline),
            "{kind}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn action_with_a_short_time_limit_is_sent() {
    for limit in [1, 2, 4] {
        let cloud = constant_state("ok", "stopped").with_action_latency(Duration::from_millis(100));
        let report = cloud
            .client()
            .start(ids(1))
            .wait(seconds(limit))
            .await
            .unwrap();
        assert_eq!(cloud.calls("start").len(), 1, "{limit} s");
        assert_eq!(outcomes(&report), ["pending"], "{limit} s");
    }
}

#[tokio::test(start_paused = true)]
async fn missing_job_falls_back_to_polling() {
    let cloud = with_job(&["running", "gone"], "running");
    let report = cloud
        .client()
        .start(ids(2))
        .wait(seconds(300))
        .await
        .unwrap();
    assert_eq!(outcomes(&report), ["reached"; 2]);
    assert_eq!(cloud.calls("job").len(), 2, "the job is not read any more");
}

#[tokio::test(start_paused = true)]
async fn wait_ends_after_one_lookup_if_the_cloud_reports_not_found() {
    let cloud = ScriptedCloud::new(|_| fault(FaultKind::NotFound));
    let client = cloud.client();
    let report = client.wait([id(1)], PowerState::Running).await.unwrap();
    assert_eq!(outcomes(&report), ["refused"]);
    assert_eq!(cloud.log().len(), 1);
    let statuses = client.observe([id(1)]).await.unwrap();
    let fault = statuses[0].result.as_ref().unwrap_err();
    assert!(
        fault.message().starts_with("the cloud does not show it"),
        "{fault}"
    );
}

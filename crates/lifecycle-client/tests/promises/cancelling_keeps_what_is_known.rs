//! Tests of the promise that cancelling keeps what is known: a cancelled request has a true report.

use lifecycle_client::{Error, Event, EventStream, Outcome, Pending, Waves};
use lifecycle_core::{FaultKind, PowerState, Rate, RateLimits};

use crate::{
    scripts::constant_state,
    support::{CallResult, ScriptedCloud, all_in_state, id, ids, ok, outcomes, seconds},
};

/// Reads the events for this time.
async fn read_for(events: &mut EventStream, time: u64) {
    let read = async { while events.next().await.is_some() {} };
    let ended = tokio::time::timeout(seconds(time), read).await;
    assert!(ended.is_err(), "the request ended by itself");
}

#[tokio::test(start_paused = true)]
async fn cancelled_request_reports_each_instance_by_its_progress() {
    // The first batch is accepted, the second one has no answer, and the third one is not sent.
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => ok("i-0 running\ni-1 starting"),
        _ if sent.ids.contains(&"i-10".to_owned()) => CallResult::NoAnswer,
        _ => ok("ok"),
    });
    let client = cloud.client_with(|builder| builder.concurrency(1));
    let mut events = client.start(ids(30)).wait(seconds(600)).events();
    read_for(&mut events, 10).await;
    let report = events.cancel().unwrap();
    let expected = [
        ["reached"; 1].as_slice(),
        &["pending"; 9],
        &["uncertain"; 10],
        &["skipped"; 10],
    ];
    assert_eq!(outcomes(&report), expected.concat());
    let row = &report.instances()[1];
    assert!(
        matches!(
            row.outcome,
            Outcome::Pending(Pending::Cancelled(Some(PowerState::Starting)))
        ),
        "{row}"
    );
    let seen = row.last_seen.as_ref().map(|seen| seen.state);
    assert_eq!(seen, Some(PowerState::Starting));
    for (n, maybe_executed) in [(10, true), (20, false)] {
        let fault = report.outcome(&id(n)).and_then(Outcome::fault).unwrap();
        assert_eq!(fault.kind(), FaultKind::Cancelled);
        assert_eq!(fault.maybe_executed(), maybe_executed, "i-{n}");
    }
    let sent = cloud.log().len();
    tokio::time::sleep(seconds(300)).await;
    assert_eq!(cloud.log().len(), sent, "no further call");
}

#[tokio::test(start_paused = true)]
async fn accepted_instance_stays_accepted_if_the_request_does_not_wait() {
    let cloud = ScriptedCloud::new(|sent| match sent.ids[0].as_str() {
        "i-0" => ok("ok"),
        _ => CallResult::NoAnswer,
    });
    let client = cloud.client_in_batches_of(1);
    let mut events = client.start(ids(2)).events();
    read_for(&mut events, 1).await;
    let report = events.cancel().unwrap();
    assert_eq!(outcomes(&report), ["accepted", "uncertain"]);
}

#[tokio::test(start_paused = true)]
async fn lost_answer_keeps_its_fault() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "running"),
        _ => CallResult::ConnectionBroken,
    });
    let client = cloud.client();
    let mut events = client.reboot(ids(1)).events();
    read_for(&mut events, 10).await;
    let report = events.cancel().unwrap();
    let Some(Outcome::Uncertain(fault)) = report.outcome(&id(0)) else {
        panic!("{report:?}");
    };
    assert_eq!(fault.kind(), FaultKind::NoAnswer);
    assert!(fault.message().contains("the connection broke"), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn call_in_the_queue_of_the_rate_limiter_was_not_sent() {
    let cloud = constant_state("ok", "starting");
    let rate = Rate::new(0.01, 1);
    let client = cloud.client_with(|builder| builder.rate_limits(RateLimits::new(rate, rate)));
    let mut events = client.start(ids(20)).wait(seconds(600)).events();
    read_for(&mut events, 10).await;
    let report = events.cancel().unwrap();
    assert_eq!(cloud.calls("start").len(), 1);
    let expected = [["pending"; 10], ["skipped"; 10]].concat();
    assert_eq!(outcomes(&report), expected);
}

#[tokio::test(start_paused = true)]
async fn later_waves_are_skipped_and_earlier_waves_keep_their_outcome() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => ok("i-0 running\ni-1 running\ni-2 starting"),
        _ => ok("ok"),
    });
    let client = cloud.client();
    let mut events = client.start(ids(6)).waves(Waves::of(2)).events();
    read_for(&mut events, 60).await;
    let report = events.cancel().unwrap();
    assert_eq!(
        outcomes(&report),
        [
            "reached", "reached", "pending", "pending", "skipped", "skipped"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn request_cancelled_before_the_first_event_sends_nothing() {
    let cloud = constant_state("ok", "running");
    let report = cloud.client().start(ids(2)).events().cancel().unwrap();
    assert_eq!(outcomes(&report), ["skipped"; 2]);
    assert_eq!(cloud.log(), []);
}

#[tokio::test(start_paused = true)]
async fn cancelled_wait_is_pending() {
    let cloud = constant_state("ok", "stopped");
    let client = cloud.client();
    let mut events = client.wait(ids(2), PowerState::Running).events();
    read_for(&mut events, 10).await;
    let report = events.cancel().unwrap();
    assert_eq!(outcomes(&report), ["pending"; 2]);
    assert!(report.instances()[0].last_seen.is_some());
}

#[tokio::test(start_paused = true)]
async fn finished_request_keeps_its_report() {
    let cloud = constant_state("ok", "running");
    let client = cloud.client();
    let mut events = client.start(ids(1)).events();
    while let Some(event) = events.next().await {
        if let Event::Finished(result) = event {
            assert_eq!(outcomes(&result.unwrap()), ["accepted"]);
        }
    }
    assert_eq!(outcomes(&events.cancel().unwrap()), ["accepted"]);
}

#[tokio::test(start_paused = true)]
async fn request_that_failed_as_a_whole_has_its_error() {
    let cloud = constant_state("ok", "running");
    let client = cloud.client();
    let error = client.start(ids(2)).max(1).events().cancel().unwrap_err();
    assert!(matches!(error, Error::TooMany { .. }), "{error}");
}

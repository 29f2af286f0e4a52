//! What goes wrong, and whether the cloud had acted.

use lifecycle_core::ResponseExt;
use std::time::Duration;

use lifecycle_client::Transport;
use lifecycle_core::ExecutionStatus;
use lifecycle_sim::{
    Cloud, ErrorBody, FaultRule, FaultTiming, InjectedFault, Operation, Simulator,
};
use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::calls::{builder, ids, power, send, statuses, zenlayer, zenlayer_request};

fn fleet(spec: &str) -> (Simulator, Vec<String>) {
    let simulator = builder().fleet(spec).unwrap().build();
    let ids = ids(&simulator, Cloud::Zenlayer);
    (simulator, ids)
}

fn reboots(simulator: &Simulator) -> u32 {
    simulator.ledger().most_reboots()
}

#[tokio::test(start_paused = true)]
async fn lost_answers_say_nothing_about_the_effect() {
    for (fault, effect, executed) in [
        (InjectedFault::Unreachable, ExecutionStatus::NotExecuted, 0),
        (
            InjectedFault::Reset(FaultTiming::Before),
            ExecutionStatus::Unknown,
            0,
        ),
        (
            InjectedFault::Reset(FaultTiming::After),
            ExecutionStatus::Unknown,
            1,
        ),
        (InjectedFault::Truncated, ExecutionStatus::Unknown, 1),
    ] {
        let (simulator, ids) = fleet("zenlayer/asia-southeast-1=1:running");
        simulator.inject(FaultRule::new(fault.clone()).on(Operation::Reboot));
        let error = power(&simulator, "RebootInstances", &ids)
            .await
            .unwrap_err();
        assert_eq!(
            (error.execution_status(), reboots(&simulator)),
            (effect, executed),
            "{fault:?}"
        );
        // It strikes once.
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(
            power(&simulator, "RebootInstances", &ids).await.unwrap().0,
            200
        );
        assert_eq!(reboots(&simulator), executed + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn silence_lasts() {
    for (when, executed) in [(FaultTiming::Before, 0), (FaultTiming::After, 1)] {
        let (simulator, ids) = fleet("zenlayer/asia-southeast-1=1:running");
        simulator.inject(FaultRule::new(InjectedFault::Silence(when)));
        let call = power(&simulator, "RebootInstances", &ids);
        assert!(timeout(Duration::from_secs(100_000), call).await.is_err());
        assert_eq!(reboots(&simulator), executed, "{when:?}");
        let record = simulator.ledger().calls().pop().unwrap();
        assert_eq!((record.operation, record.status), (Operation::Reboot, None));
    }
}

#[tokio::test(start_paused = true)]
async fn server_errors_come_in_three_forms_before_and_after() {
    for (when, executed) in [(FaultTiming::Before, 0), (FaultTiming::After, 1)] {
        for (body, content_type) in [
            (ErrorBody::Empty, "text/plain"),
            (ErrorBody::Html, "text/html"),
            (ErrorBody::Json, "application/json"),
        ] {
            for status in [500, 502, 503, 504] {
                let (simulator, ids) = fleet("zenlayer/asia-southeast-1=1:running");
                let fault = InjectedFault::ServerError { status, body, when };
                simulator.inject(FaultRule::new(fault));
                let body_json = json!({ "instanceIds": ids });
                let request = zenlayer_request(
                    &simulator,
                    "console.zenlayer.com",
                    "RebootInstances",
                    &body_json,
                );
                let reply = simulator.transport().send(request).await.unwrap();
                assert_eq!(reply.status().as_u16(), status);
                assert_eq!(reply.header("content-type"), Some(content_type));
                assert!(reply.date().is_some());
                assert_eq!(reply.body().is_empty(), body == ErrorBody::Empty);
                assert_eq!(reboots(&simulator), executed);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn spoilt_bodies_follow_an_effect() {
    for fault in [
        InjectedFault::HalfBody,
        InjectedFault::Garbage,
        InjectedFault::EmptyBody,
        InjectedFault::WrongContentType,
    ] {
        let (simulator, ids) = fleet("zenlayer/asia-southeast-1=1:running");
        simulator.inject(FaultRule::new(fault.clone()));
        let body = json!({ "instanceIds": ids });
        let request =
            zenlayer_request(&simulator, "console.zenlayer.com", "RebootInstances", &body);
        let reply = simulator.transport().send(request).await.unwrap();
        assert_eq!(reply.status().as_u16(), 200);
        let readable = serde_json::from_slice::<serde_json::Value>(reply.body()).is_ok();
        assert_eq!(
            readable,
            fault == InjectedFault::WrongContentType,
            "{fault:?}"
        );
        let html = reply.header("content-type") == Some("text/html");
        assert_eq!(html, fault == InjectedFault::WrongContentType);
        assert_eq!(reboots(&simulator), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn throttles_and_shields_keep_calls_from_the_cloud() {
    let (simulator, ids) = fleet("zenlayer/asia-southeast-1=1:running");
    for (hint, header) in [
        (None, None),
        (Some(Duration::from_millis(1_500)), Some("2")),
    ] {
        simulator.inject(FaultRule::new(InjectedFault::Throttled { hint }));
        let body = json!({ "instanceIds": ids });
        let request =
            zenlayer_request(&simulator, "console.zenlayer.com", "RebootInstances", &body);
        let reply = simulator.transport().send(request).await.unwrap();
        assert_eq!(
            (reply.status().as_u16(), reply.header("retry-after")),
            (429, header)
        );
    }
    simulator.inject(FaultRule::new(InjectedFault::Challenged));
    assert_eq!(
        power(&simulator, "RebootInstances", &ids).await.unwrap().0,
        403
    );
    simulator.inject(FaultRule::new(InjectedFault::Blocked));
    assert_eq!(
        power(&simulator, "RebootInstances", &ids).await.unwrap().0,
        451
    );
    assert_eq!(reboots(&simulator), 0);
    assert_eq!(
        simulator.ledger().count(Cloud::Zenlayer, Operation::Reboot),
        4
    );
}

#[tokio::test(start_paused = true)]
async fn slow_answers_act_at_once() {
    let (simulator, ids) = fleet("zenlayer/asia-southeast-1=1:running");
    simulator.inject(FaultRule::new(InjectedFault::Slow(Duration::from_secs(8))));
    let began = Instant::now();
    assert_eq!(
        power(&simulator, "RebootInstances", &ids).await.unwrap().0,
        200
    );
    assert_eq!(began.elapsed(), Duration::from_secs(8));
    let operation = simulator.ledger().power_operations().pop().unwrap();
    assert_eq!(operation.at, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn stale_reads_show_the_past() {
    let (simulator, ids) = fleet("zenlayer/asia-southeast-1=1:stopped");
    tokio::time::advance(Duration::from_secs(10)).await;
    power(&simulator, "StartInstances", &ids).await.unwrap();
    let stale = FaultRule::new(InjectedFault::Stale(Duration::from_secs(5))).always();
    simulator.inject(stale);
    assert_eq!(statuses(&simulator, &ids).await, ["STOPPED"]);
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(statuses(&simulator, &ids).await, ["BOOTING"]);
    tokio::time::advance(Duration::from_secs(29)).await;
    assert_eq!(statuses(&simulator, &ids).await, ["BOOTING"]);
    simulator.clear_faults();
    assert_eq!(statuses(&simulator, &ids).await, ["RUNNING"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_on_its_way_has_no_effect() {
    let simulator = builder()
        .fleet("zenlayer/asia-southeast-1=1:running")
        .unwrap()
        .latency(Duration::from_millis(100))
        .build();
    let ids = ids(&simulator, Cloud::Zenlayer);
    let early = power(&simulator, "RebootInstances", &ids);
    assert!(timeout(Duration::from_millis(49), early).await.is_err());
    assert_eq!(reboots(&simulator), 0);
    let late = power(&simulator, "RebootInstances", &ids);
    assert!(timeout(Duration::from_millis(51), late).await.is_err());
    assert_eq!(reboots(&simulator), 1);
}

#[tokio::test(start_paused = true)]
async fn requests_for_no_cloud_are_told_so() {
    let (simulator, _) = fleet("");
    let request = http::Request::get("https://example.com/nothing");
    let (status, _) = send(&simulator, request.body(Default::default()).unwrap())
        .await
        .unwrap();
    assert_eq!(status, 404);
    assert_eq!(simulator.ledger().total(), 0);
    let (status, _) = zenlayer(&simulator, "DescribeInstances", &json!({}))
        .await
        .unwrap();
    assert_eq!(status, 200);
}

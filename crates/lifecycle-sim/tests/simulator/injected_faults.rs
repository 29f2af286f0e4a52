//! Tests of injected faults before and after the execution of a request.

use lifecycle_core::ResponseExt;
use std::time::Duration;

use lifecycle_client::Transport;
use lifecycle_core::ExecutionStatus;
use lifecycle_sim::{
    Cloud, ErrorBody, FaultRule, FaultTiming, InjectedFault, Operation, Simulator,
};
use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::calls::{
    builder, ids, send, zenlayer, zenlayer_power, zenlayer_request, zenlayer_statuses,
};

fn fleet(spec: &str) -> (Simulator, Vec<String>) {
    let simulator = builder().fleet(spec).unwrap().build();
    let ids = ids(&simulator, Cloud::Zenlayer);
    (simulator, ids)
}

fn reboots(simulator: &Simulator) -> u32 {
    simulator.ledger().most_reboots()
}

#[tokio::test(start_paused = true)]
async fn connection_fault_hides_whether_the_request_was_executed() {
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
        let error = zenlayer_power(&simulator, "RebootInstances", &ids)
            .await
            .unwrap_err();
        assert_eq!(
            (error.execution_status(), reboots(&simulator)),
            (effect, executed),
            "{fault:?}"
        );
        // The rule injects one fault.
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(
            zenlayer_power(&simulator, "RebootInstances", &ids)
                .await
                .unwrap()
                .0,
            200
        );
        assert_eq!(reboots(&simulator), executed + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn silent_call_never_gets_a_response() {
    for (when, executed) in [(FaultTiming::Before, 0), (FaultTiming::After, 1)] {
        let (simulator, ids) = fleet("zenlayer/asia-southeast-1=1:running");
        simulator.inject(FaultRule::new(InjectedFault::Silence(when)));
        let call = zenlayer_power(&simulator, "RebootInstances", &ids);
        assert!(timeout(Duration::from_secs(100_000), call).await.is_err());
        assert_eq!(reboots(&simulator), executed, "{when:?}");
        let record = simulator.ledger().calls().pop().unwrap();
        assert_eq!((record.operation, record.status), (Operation::Reboot, None));
    }
}

#[tokio::test(start_paused = true)]
async fn server_error_has_the_requested_body_and_timing() {
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
async fn request_with_a_damaged_response_was_executed() {
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
async fn throttled_challenged_or_blocked_call_is_not_executed() {
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
        zenlayer_power(&simulator, "RebootInstances", &ids)
            .await
            .unwrap()
            .0,
        403
    );
    simulator.inject(FaultRule::new(InjectedFault::Blocked));
    assert_eq!(
        zenlayer_power(&simulator, "RebootInstances", &ids)
            .await
            .unwrap()
            .0,
        451
    );
    assert_eq!(reboots(&simulator), 0);
    assert_eq!(
        simulator.ledger().count(Cloud::Zenlayer, Operation::Reboot),
        4
    );
}

#[tokio::test(start_paused = true)]
async fn slow_call_is_executed_immediately() {
    let (simulator, ids) = fleet("zenlayer/asia-southeast-1=1:running");
    simulator.inject(FaultRule::new(InjectedFault::Slow(Duration::from_secs(8))));
    let began = Instant::now();
    assert_eq!(
        zenlayer_power(&simulator, "RebootInstances", &ids)
            .await
            .unwrap()
            .0,
        200
    );
    assert_eq!(began.elapsed(), Duration::from_secs(8));
    let operation = simulator.ledger().power_operations().pop().unwrap();
    assert_eq!(operation.at, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn stale_response_shows_an_earlier_state() {
    let (simulator, ids) = fleet("zenlayer/asia-southeast-1=1:stopped");
    tokio::time::advance(Duration::from_secs(10)).await;
    zenlayer_power(&simulator, "StartInstances", &ids)
        .await
        .unwrap();
    let stale = FaultRule::new(InjectedFault::Stale(Duration::from_secs(5))).always();
    simulator.inject(stale);
    assert_eq!(zenlayer_statuses(&simulator, &ids).await, ["STOPPED"]);
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(zenlayer_statuses(&simulator, &ids).await, ["BOOTING"]);
    tokio::time::advance(Duration::from_secs(29)).await;
    assert_eq!(zenlayer_statuses(&simulator, &ids).await, ["BOOTING"]);
    simulator.clear_faults();
    assert_eq!(zenlayer_statuses(&simulator, &ids).await, ["RUNNING"]);
}

#[tokio::test(start_paused = true)]
async fn call_dropped_before_arrival_is_not_executed() {
    let simulator = builder()
        .fleet("zenlayer/asia-southeast-1=1:running")
        .unwrap()
        .latency(Duration::from_millis(100))
        .build();
    let ids = ids(&simulator, Cloud::Zenlayer);
    let early = zenlayer_power(&simulator, "RebootInstances", &ids);
    assert!(timeout(Duration::from_millis(49), early).await.is_err());
    assert_eq!(reboots(&simulator), 0);
    let late = zenlayer_power(&simulator, "RebootInstances", &ids);
    assert!(timeout(Duration::from_millis(51), late).await.is_err());
    assert_eq!(reboots(&simulator), 1);
}

#[tokio::test(start_paused = true)]
async fn request_for_no_cloud_answers_404() {
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

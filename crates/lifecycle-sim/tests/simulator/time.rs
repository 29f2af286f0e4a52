//! Tests of paused time, throttles and repeatable runs.

use lifecycle_core::ResponseExt;
use std::time::Duration;

use lifecycle_client::{Clock, Transport};
use lifecycle_sim::{
    Cloud, FaultRule, FaultTiming, Impairment, InjectedFault, PowerOperation, SimulatedState,
    Simulator, Switches, Throttle, TransitionTimes,
};
use serde_json::{Value, json};
use tokio::time::advance;

use crate::calls::{
    baidu, builder, epoch, ids, zenlayer, zenlayer_power, zenlayer_request, zenlayer_statuses,
};

#[tokio::test(start_paused = true)]
async fn state_follows_paused_time() {
    let simulator = builder()
        .fleet("zenlayer/asia-southeast-1=1:stopped")
        .unwrap()
        .speed(10.0)
        .build();
    let vm = simulator.instances().swap_remove(0);
    let ids = ids(&simulator, Cloud::Zenlayer);
    zenlayer_power(&simulator, "StartInstances", &ids)
        .await
        .unwrap();
    advance(Duration::from_millis(2_999)).await;
    assert_eq!(simulator.state_of(&vm), Some(SimulatedState::Starting));
    advance(Duration::from_millis(1)).await;
    assert_eq!(simulator.state_of(&vm), Some(SimulatedState::Running));
    let passed = simulator.clock().now().duration_since(epoch()).unwrap();
    assert_eq!(passed, Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn accepted_operation_is_not_visible_before_the_lag() {
    let mut transition_times = TransitionTimes::default();
    transition_times.lag = Duration::from_secs(4);
    let simulator = builder()
        .fleet("zenlayer/asia-southeast-1=1:running")
        .unwrap()
        .transition_times(transition_times)
        .build();
    let vm = simulator.instances().swap_remove(0);
    let ids = ids(&simulator, Cloud::Zenlayer);
    zenlayer_power(&simulator, "RebootInstances", &ids)
        .await
        .unwrap();
    assert_eq!(zenlayer_statuses(&simulator, &ids).await, ["RUNNING"]);
    assert_eq!(
        simulator.state_of(&vm),
        Some(SimulatedState::Rebooting),
        "the actual state"
    );
    // The actual state decides about a second call.
    let (status, body) = zenlayer_power(&simulator, "RebootInstances", &ids)
        .await
        .unwrap();
    assert_eq!(
        (status, &body["response"]["instanceIds"]),
        (200, &json!(ids))
    );
    advance(Duration::from_secs(4)).await;
    assert_eq!(zenlayer_statuses(&simulator, &ids).await, ["REBOOT"]);
    assert_eq!(simulator.ledger().most_reboots(), 1);
}

#[tokio::test(start_paused = true)]
async fn throttled_call_answers_429_with_a_hint_by_switch() {
    let simulator = builder()
        .throttle(
            Cloud::Zenlayer,
            Throttle::PerSecond {
                rate: 2.0,
                burst: 3,
            },
        )
        .build();
    let mut zenlayer_statuses = Vec::new();
    for _ in 0..5 {
        let (status, _) = zenlayer(&simulator, "DescribeInstances", &json!({}))
            .await
            .unwrap();
        zenlayer_statuses.push(status);
    }
    assert_eq!(zenlayer_statuses, [200, 200, 200, 429, 429]);
    let request = || {
        zenlayer_request(
            &simulator,
            "console.zenlayer.com",
            "DescribeInstances",
            &json!({}),
        )
    };
    let reply = simulator.transport().send(request()).await.unwrap();
    assert_eq!(reply.header("retry-after"), Some("1"));
    simulator.switches(|switches| switches.throttle_hint = lifecycle_sim::RetryAfterHint::Withheld);
    let reply = simulator.transport().send(request()).await.unwrap();
    assert_eq!(
        (reply.status().as_u16(), reply.header("retry-after")),
        (429, None)
    );
    // The throttle applies to one cloud.
    let (status, _) = baidu(
        &simulator,
        "bcc.bj.baidubce.com",
        "GET",
        "/v2/instance",
        &Value::Null,
    )
    .await
    .unwrap();
    assert_eq!(status, 200);
    advance(Duration::from_millis(500)).await;
    assert_eq!(
        zenlayer(&simulator, "DescribeInstances", &json!({}))
            .await
            .unwrap()
            .0,
        200
    );
    simulator.throttle(Cloud::Zenlayer, None);
    assert_eq!(
        zenlayer(&simulator, "DescribeInstances", &json!({}))
            .await
            .unwrap()
            .0,
        200
    );
}

#[tokio::test(start_paused = true)]
async fn baidu_throttling_error_follows_the_switch() {
    use lifecycle_sim::switches::baidu::Throttling;
    for (form, expected) in [
        (Throttling::TooManyRequests, 429),
        (Throttling::Bare, 429),
        (Throttling::Unavailable, 503),
    ] {
        let simulator = builder().build();
        simulator.switches(|switches| switches.baidu.throttling = form);
        simulator.inject(FaultRule::new(InjectedFault::Throttled { hint: None }));
        let (status, body) = baidu(
            &simulator,
            "bcc.bj.baidubce.com",
            "GET",
            "/v2/instance",
            &Value::Null,
        )
        .await
        .unwrap();
        assert_eq!(
            (status, body.is_null()),
            (expected, form == Throttling::Bare)
        );
    }
}

/// Returns all observations of a run with random switches and faults.
async fn run(seed: u64) -> Vec<String> {
    let simulator = Simulator::builder()
        .seed(seed)
        .epoch(epoch())
        .switches(Switches::random(seed))
        .fleet("zenlayer/asia-southeast-1=5,zenlayer/europe-west-1=5:running,baidu/bj=3")
        .unwrap()
        .build();
    simulator.inject(
        FaultRule::new(InjectedFault::Reset(FaultTiming::After))
            .chance(0.2)
            .always(),
    );
    simulator.inject(
        FaultRule::new(InjectedFault::Unreachable)
            .chance(0.2)
            .always(),
    );
    let ids = ids(&simulator, Cloud::Zenlayer);
    let mut seen = simulator.instances();
    for round in 0..40 {
        let action = [
            "StartInstances",
            "RebootInstances",
            "DescribeInstancesStatus",
            "StopInstances",
        ][round % 4];
        let request = zenlayer_request(
            &simulator,
            "console.zenlayer.com",
            action,
            &json!({"instanceIds": ids}),
        );
        seen.push(format!("{:?}", simulator.transport().send(request).await));
        advance(Duration::from_secs(7)).await;
    }
    seen.extend(
        simulator
            .ledger()
            .power_operations()
            .iter()
            .map(|operation| format!("{operation:?}")),
    );
    seen.extend(
        simulator
            .ledger()
            .calls()
            .iter()
            .map(|call| format!("{call:?}")),
    );
    seen
}

#[tokio::test(start_paused = true)]
async fn run_is_repeatable_with_the_same_seed() {
    let first = run(7).await;
    assert_eq!(first, run(7).await);
    assert_ne!(first, run(8).await);
}

#[tokio::test(start_paused = true)]
async fn external_operation_changes_the_state_and_not_the_ledger() {
    let simulator = builder().fleet("baidu/bj=2:running").unwrap().build();
    let [one, two] = simulator.instances().try_into().unwrap();
    simulator
        .execute_externally(&one, PowerOperation::Stop)
        .unwrap();
    assert_eq!(simulator.state_of(&one), Some(SimulatedState::Stopping));
    assert_eq!(simulator.ledger().executed(&one).unwrap().stops, 0);
    simulator
        .set_impairment(&two, Some(Impairment::Expired))
        .unwrap();
    assert_eq!(simulator.state_of(&two), Some(SimulatedState::Expired));
    simulator.set_impairment(&two, None).unwrap();
    assert_eq!(simulator.state_of(&two), Some(SimulatedState::Running));
    simulator.delete(&two).unwrap();
    assert_eq!(simulator.state_of(&two), None);
    assert_eq!(simulator.instances(), [one]);
    simulator.add("baidu/gz=1:starting").unwrap();
    let made = simulator.instances().swap_remove(1);
    assert_eq!(simulator.state_of(&made), Some(SimulatedState::Starting));
    for bad in ["", "baidu/bj", "aws/x/y", "baidu/su/i-1", "baidu/bj/i-1"] {
        assert!(simulator.delete(bad).unwrap_err().to_string().contains(bad));
    }
}

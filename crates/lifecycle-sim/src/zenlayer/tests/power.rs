//! Start, stop and reboot, and what is refused of them.

use super::*;
use crate::{
    Impairment, SimulatedState,
    testing::{add, at},
    zenlayer::switches::*,
};

#[test]
fn power_states_pass_as_documented() {
    for (starting, word) in [
        (Starting::Booting, "BOOTING"),
        (Starting::Starting, "STARTING"),
    ] {
        let mut cloud = cloud_state(Cloud::Zenlayer);
        cloud.switches.zenlayer.starting = starting;
        let vm = add(
            &mut cloud,
            "asia-southeast-1",
            1,
            SimulatedState::Stopped,
            None,
        );
        let (response, body) = ask(&mut cloud, &ids("StartInstances", &vm));
        assert_eq!(response, 200);
        assert_eq!(body["requestId"], body["response"]["requestId"]);
        assert!(body["requestId"].as_str().unwrap().starts_with('T'));
        assert_eq!(status(&mut cloud, &vm[0]), word);
        at(&mut cloud, 30);
        assert_eq!(status(&mut cloud, &vm[0]), "RUNNING");
        let reboot = json!({"instanceIds": vm, "forceReboot": false});
        assert_eq!(ask(&mut cloud, &call("RebootInstances", &reboot)).0, 200);
        assert_eq!(status(&mut cloud, &vm[0]), "REBOOT");
        at(&mut cloud, 70);
        let stop = json!({"instanceIds": vm, "forceShutdown": false});
        assert_eq!(ask(&mut cloud, &call("StopInstances", &stop)).0, 200);
        assert_eq!(status(&mut cloud, &vm[0]), "STOPPING");
        at(&mut cloud, 90);
        assert_eq!(status(&mut cloud, &vm[0]), "STOPPED");
        let counts = executed(&cloud, &vm[0]);
        assert_eq!(
            (counts.starts, counts.stops, counts.forced_stops),
            (1, 1, 0)
        );
        assert_eq!((counts.reboots, counts.forced_reboots), (1, 0));
    }
}

#[test]
fn a_stop_is_forced_unless_told_otherwise() {
    for (body, forced) in [
        (json!({}), 1),
        (json!({"forceShutdown": null}), 1),
        (json!({"forceShutdown": true}), 1),
        (json!({"forceShutdown": false}), 0),
    ] {
        let mut cloud = cloud_state(Cloud::Zenlayer);
        let vm = add(
            &mut cloud,
            "asia-southeast-1",
            1,
            SimulatedState::Running,
            None,
        );
        let mut body = body;
        body["instanceIds"] = json!(vm);
        assert_eq!(ask(&mut cloud, &call("StopInstances", &body)).0, 200);
        assert_eq!(executed(&cloud, &vm[0]).forced_stops, forced);
    }
    for (plain, forced) in [(PlainReboot::Graceful, 0), (PlainReboot::Forced, 1)] {
        let mut cloud = cloud_state(Cloud::Zenlayer);
        cloud.switches.zenlayer.plain_reboot = plain;
        let vm = add(
            &mut cloud,
            "asia-southeast-1",
            1,
            SimulatedState::Running,
            None,
        );
        ask(&mut cloud, &ids("RebootInstances", &vm));
        assert_eq!(executed(&cloud, &vm[0]).forced_reboots, forced);
    }
}

#[test]
fn every_wrong_state_has_its_answer() {
    let status = (400, "UNSUPPORTED_OPERATION_INSTANCE_STATUS");
    let busy = (400, "OPERATION_DENIED_INSTANCE_IN_OPERATION");
    let not_stopped = (403, "OPERATION_DENIED_INSTANCE_NOT_STOPPED");
    let not_running = (403, "OPERATION_DENIED_INSTANCE_NOT_RUNNING");
    let not_rebootable = (403, "OPERATION_DENIED_INSTANCE_STATUS");
    let recycled = (403, "OPERATION_DENIED_INSTANCE_RECYCLED");
    for (action, state, impairment, newer, older) in [
        (
            "StartInstances",
            SimulatedState::Running,
            None,
            status,
            not_stopped,
        ),
        (
            "StartInstances",
            SimulatedState::Starting,
            None,
            busy,
            not_stopped,
        ),
        (
            "StartInstances",
            SimulatedState::Stopping,
            None,
            busy,
            not_stopped,
        ),
        (
            "StartInstances",
            SimulatedState::Stopped,
            Some(Impairment::Creating),
            busy,
            not_stopped,
        ),
        (
            "StartInstances",
            SimulatedState::Stopped,
            Some(Impairment::Changing),
            busy,
            not_stopped,
        ),
        (
            "StartInstances",
            SimulatedState::Stopped,
            Some(Impairment::Recycled),
            recycled,
            recycled,
        ),
        (
            "StartInstances",
            SimulatedState::Stopped,
            Some(Impairment::Expired),
            status,
            not_stopped,
        ),
        (
            "StartInstances",
            SimulatedState::Stopped,
            Some(Impairment::Locked),
            status,
            status,
        ),
        (
            "StopInstances",
            SimulatedState::Stopped,
            None,
            status,
            not_running,
        ),
        (
            "StopInstances",
            SimulatedState::Stopping,
            None,
            busy,
            not_running,
        ),
        (
            "StopInstances",
            SimulatedState::Rebooting,
            None,
            busy,
            not_running,
        ),
        (
            "StopInstances",
            SimulatedState::Running,
            Some(Impairment::Recycled),
            recycled,
            recycled,
        ),
        (
            "RebootInstances",
            SimulatedState::Stopped,
            None,
            status,
            not_rebootable,
        ),
        (
            "RebootInstances",
            SimulatedState::Rebooting,
            None,
            busy,
            not_rebootable,
        ),
        (
            "RebootInstances",
            SimulatedState::Stopped,
            Some(Impairment::Recycled),
            recycled,
            recycled,
        ),
    ] {
        for (codes, expected) in [(Codes::Newer, newer), (Codes::Older, older)] {
            let mut cloud = cloud_state(Cloud::Zenlayer);
            cloud.switches.zenlayer.batch_failure = BatchFailure::Whole;
            cloud.switches.zenlayer.codes = codes;
            let vm = add(&mut cloud, "asia-southeast-1", 1, state, impairment);
            let response = ask(&mut cloud, &ids(action, &vm));
            assert_eq!(code(&response), expected, "{action} {state} {impairment:?}");
            assert_eq!(executed(&cloud, &vm[0]), ExecutionCounts::default());
        }
    }
    let mut cloud = cloud_state(Cloud::Zenlayer);
    cloud.switches.zenlayer.batch_failure = BatchFailure::Whole;
    cloud.switches.zenlayer.recycled_code = RecycledCode::RecycleResource;
    let bin = add(
        &mut cloud,
        "asia-southeast-1",
        1,
        SimulatedState::Stopped,
        Some(Impairment::Recycled),
    );
    let response = ask(&mut cloud, &ids("StartInstances", &bin));
    assert_eq!(
        code(&response),
        (403, "OPERATION_FAILED_FOR_RECYCLE_RESOURCE")
    );
    let sold_out = add(
        &mut cloud,
        "asia-southeast-1",
        1,
        SimulatedState::Stopped,
        Some(Impairment::NoStock),
    );
    let response = ask(&mut cloud, &ids("StartInstances", &sold_out));
    assert_eq!(code(&response), (503, "SERVICE_TEMPORARY_UNAVAILABLE"));
}

#[test]
fn a_batch_with_a_bad_instance_fails_in_one_of_four_ways() {
    let listed = |cloud: &mut CloudState, request: &ReceivedRequest| {
        let (status, body) = ask(cloud, request);
        (status, body["response"]["instanceIds"].clone())
    };
    for how in [
        BatchFailure::Listed,
        BatchFailure::Whole,
        BatchFailure::WholeForUnknown,
        BatchFailure::WholeInName,
    ] {
        for unknown in [false, true] {
            let mut cloud = cloud_state(Cloud::Zenlayer);
            cloud.switches.zenlayer.batch_failure = how;
            let mut vms = add(
                &mut cloud,
                "asia-southeast-1",
                1,
                SimulatedState::Stopped,
                None,
            );
            vms.push(if unknown {
                "1".to_owned()
            } else {
                add(
                    &mut cloud,
                    "asia-southeast-1",
                    1,
                    SimulatedState::Running,
                    None,
                )
                .swap_remove(0)
            });
            let response = listed(&mut cloud, &ids("StartInstances", &vms));
            let is_list =
                how == BatchFailure::Listed || (how == BatchFailure::WholeForUnknown && !unknown);
            if is_list {
                assert_eq!(response, (200, json!([vms[1]])), "{how:?} {unknown}");
            } else {
                let status = if unknown { 404 } else { 400 };
                assert_eq!(response, (status, Value::Null), "{how:?} {unknown}");
            }
            let operations = is_list || how == BatchFailure::WholeInName;
            assert_eq!(
                executed(&cloud, &vms[0]).starts,
                u32::from(operations),
                "{how:?} {unknown}"
            );
        }
    }
}

#[test]
fn none_failed_has_three_forms() {
    for (form, expected) in [
        (NoneFailed::Empty, Some(json!([]))),
        (NoneFailed::Null, Some(Value::Null)),
        (NoneFailed::Absent, None),
    ] {
        let mut cloud = cloud_state(Cloud::Zenlayer);
        cloud.switches.zenlayer.none_failed = form;
        let vm = add(
            &mut cloud,
            "asia-southeast-1",
            1,
            SimulatedState::Stopped,
            None,
        );
        let (_, body) = ask(&mut cloud, &ids("StartInstances", &vm));
        assert_eq!(
            body["response"].get("instanceIds"),
            expected.as_ref(),
            "{form:?}"
        );
    }
}

#[test]
fn a_reboot_and_a_stop_may_interrupt() {
    let mut cloud = cloud_state(Cloud::Zenlayer);
    cloud.switches.zenlayer.batch_failure = BatchFailure::Whole;
    let vm = add(
        &mut cloud,
        "asia-southeast-1",
        1,
        SimulatedState::Rebooting,
        None,
    );
    let forced = json!({"instanceIds": vm, "forceReboot": true});
    assert_eq!(ask(&mut cloud, &ids("RebootInstances", &vm)).0, 400);
    assert_eq!(ask(&mut cloud, &call("RebootInstances", &forced)).0, 200);
    assert_eq!(executed(&cloud, &vm[0]).forced_reboots, 1);

    let stubborn = add(
        &mut cloud,
        "asia-southeast-1",
        1,
        SimulatedState::Running,
        Some(Impairment::Stubborn),
    );
    let graceful = call(
        "StopInstances",
        &json!({"instanceIds": stubborn, "forceShutdown": false}),
    );
    let forced = call(
        "StopInstances",
        &json!({"instanceIds": stubborn, "forceShutdown": true}),
    );
    assert_eq!(ask(&mut cloud, &graceful).0, 200);
    at(&mut cloud, 100_000);
    assert_eq!(status(&mut cloud, &stubborn[0]), "STOPPING");
    assert_eq!(ask(&mut cloud, &forced).0, 400);
    cloud.switches.zenlayer.stop_from = StopFrom::RunningOrStopping;
    assert_eq!(ask(&mut cloud, &graceful).0, 200);
    assert_eq!(
        executed(&cloud, &stubborn[0]).stops,
        1,
        "it was stopping already"
    );
    assert_eq!(ask(&mut cloud, &forced).0, 200);
    at(&mut cloud, 100_002);
    assert_eq!(status(&mut cloud, &stubborn[0]), "STOPPED");
}

#[test]
fn a_boot_that_fails_leaves_the_instance_stopped() {
    let mut cloud = cloud_state(Cloud::Zenlayer);
    let vm = add(
        &mut cloud,
        "asia-southeast-1",
        1,
        SimulatedState::Stopped,
        Some(Impairment::Broken),
    );
    for start in 1..=2 {
        assert_eq!(ask(&mut cloud, &ids("StartInstances", &vm)).0, 200);
        assert_eq!(status(&mut cloud, &vm[0]), "BOOTING");
        at(&mut cloud, 30 * start);
        assert_eq!(status(&mut cloud, &vm[0]), "STOPPED");
    }
    assert_eq!(executed(&cloud, &vm[0]).starts, 2);
}

#[test]
fn parameters_have_bounds() {
    let mut cloud = cloud_state(Cloud::Zenlayer);
    let many = add(
        &mut cloud,
        "asia-southeast-1",
        101,
        SimulatedState::Stopped,
        None,
    );
    let exceed = (400, "INVALID_PARAMETER_EXCEED_LENGTH");
    for (action, body, expected) in [
        ("StartInstances", json!({"instanceIds": many}), exceed),
        ("DescribeInstances", json!({"instanceIds": many}), exceed),
        ("StartInstances", json!({}), (400, "MISSING_PARAMETER")),
        (
            "StartInstances",
            json!({"instanceIds": []}),
            (400, "INVALID_PARAMETER_LESS_LENGTH"),
        ),
        (
            "StartInstances",
            json!({"instanceIds": "a"}),
            (400, "INVALID_PARAMETER_TYPE"),
        ),
        (
            "StopInstances",
            json!({"instanceIds": ["a"], "forceShutdown": "x"}),
            (400, "INVALID_PARAMETER_TYPE"),
        ),
        (
            "DescribeInstances",
            json!({"pageSize": 1001}),
            (400, "INVALID_PARAMETER_EXCEED_MAXIMUM"),
        ),
        (
            "DescribeInstances",
            json!({"pageSize": 0}),
            (400, "INVALID_PARAMETER_LESS_MINIMUM"),
        ),
        (
            "DescribeInstances",
            json!({"pageSize": -1}),
            (400, "INVALID_PARAMETER_LESS_MINIMUM"),
        ),
        (
            "DescribeInstances",
            json!({"pageNum": 0}),
            (400, "INVALID_PARAMETER_LESS_MINIMUM"),
        ),
        (
            "DescribeInstances",
            json!({"pageNum": i64::MIN}),
            (400, "INVALID_PARAMETER_LESS_MINIMUM"),
        ),
        (
            "DescribeInstances",
            json!({"resourceGroupId": "x"}),
            (404, "OPERATION_FAILED_RESOURCE_GROUP_NOT_FOUND"),
        ),
        (
            "ExplodeInstances",
            json!({}),
            (401, "AUTHFAILURE_UNAUTHORIZED_OPERATION"),
        ),
    ] {
        let response = ask(&mut cloud, &call(action, &body));
        assert_eq!(code(&response), expected, "{action}");
    }
    for (body, expected) in [
        ("", "INVALID_PARAMETER_PATTERN_ERROR"),
        ("{", "INVALID_PARAMETER_PATTERN_ERROR"),
    ] {
        let request = received(
            "POST",
            "/api/v2/zec",
            &[("x-zc-action", "StartInstances")],
            body,
        );
        assert_eq!(code(&ask(&mut cloud, &request)), (400, expected));
    }
    let get = received(
        "GET",
        "/api/v2/zec",
        &[("x-zc-action", "StartInstances")],
        "{}",
    );
    assert_eq!(code(&ask(&mut cloud, &get)).0, 401);

    cloud.switches.zenlayer.no_ids = NoIds::Missing;
    assert_eq!(
        code(&ask(&mut cloud, &ids("StopInstances", &[]))),
        (400, "MISSING_PARAMETER")
    );
    cloud.switches.zenlayer.no_ids = NoIds::Accepted;
    assert_eq!(ask(&mut cloud, &ids("StopInstances", &[])).0, 200);
    let twice = [many[0].clone(), many[0].clone()];
    cloud.switches.zenlayer.duplicates = Duplicates::Refused;
    assert_eq!(
        code(&ask(&mut cloud, &ids("StartInstances", &twice))),
        (400, "INVALID_PARAMETER_VALUE")
    );
    cloud.switches.zenlayer.duplicates = Duplicates::Folded;
    assert_eq!(ask(&mut cloud, &ids("StartInstances", &twice)).0, 200);
    assert_eq!(executed(&cloud, &many[0]).starts, 1);
    assert_eq!(ask(&mut cloud, &ids("StartInstances", &many[1..])).0, 200);
}

#[test]
fn versions() {
    let mut cloud = cloud_state(Cloud::Zenlayer);
    let versioned = |version| {
        let headers = [
            ("x-zc-action", "DescribeInstances"),
            ("x-zc-version", version),
        ];
        received("POST", "/api/v2/zec", &headers, "{}")
    };
    assert_eq!(ask(&mut cloud, &versioned("2025-09-01")).0, 200);
    assert_eq!(ask(&mut cloud, &versioned("2024-04-01")).0, 200);
    assert_eq!(
        code(&ask(&mut cloud, &versioned("1999-01-01"))),
        (400, "INVALID_PARAMETER_VALUE")
    );
    let bare = call("DescribeInstances", &json!({}));
    assert_eq!(ask(&mut cloud, &bare).0, 200);
    cloud.switches.zenlayer.version_header = VersionHeader::Required;
    assert_eq!(code(&ask(&mut cloud, &bare)), (400, "MISSING_PARAMETER"));
}

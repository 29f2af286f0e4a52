//! Tests of the power calls of simulated Zenlayer ZEC.

use super::*;
use crate::{testing::move_clock_to, zenlayer::switches::*};

#[test]
fn power_action_shows_the_documented_states() {
    for (starting, word) in [
        (Starting::Booting, "BOOTING"),
        (Starting::Starting, "STARTING"),
    ] {
        let mut cloud = cloud_state(Cloud::Zenlayer);
        cloud.switches.zenlayer.starting = starting;
        let vm = one_instance(&mut cloud, Stopped, None);
        let (response, body) = respond(&mut cloud, &request_with_ids("StartInstances", &vm));
        assert_eq!(response, 200);
        assert_eq!(body["requestId"], body["response"]["requestId"]);
        assert!(body["requestId"].as_str().unwrap().starts_with('T'));
        assert_eq!(instance_status(&mut cloud, &vm[0]), word);
        move_clock_to(&mut cloud, 30);
        assert_eq!(instance_status(&mut cloud, &vm[0]), "RUNNING");
        let reboot = json!({"instanceIds": vm, "forceReboot": false});
        assert_eq!(
            respond(&mut cloud, &request("RebootInstances", &reboot)).0,
            200
        );
        assert_eq!(instance_status(&mut cloud, &vm[0]), "REBOOT");
        move_clock_to(&mut cloud, 70);
        let stop = json!({"instanceIds": vm, "forceShutdown": false});
        assert_eq!(respond(&mut cloud, &request("StopInstances", &stop)).0, 200);
        assert_eq!(instance_status(&mut cloud, &vm[0]), "STOPPING");
        move_clock_to(&mut cloud, 90);
        assert_eq!(instance_status(&mut cloud, &vm[0]), "STOPPED");
        let counts = executed(&cloud, &vm[0]);
        assert_eq!(
            (counts.starts, counts.stops, counts.forced_stops),
            (1, 1, 0)
        );
        assert_eq!((counts.reboots, counts.forced_reboots), (1, 0));
    }
}

#[test]
fn stop_is_forced_by_default() {
    for (body, forced) in [
        (json!({}), 1),
        (json!({"forceShutdown": null}), 1),
        (json!({"forceShutdown": true}), 1),
        (json!({"forceShutdown": false}), 0),
    ] {
        let mut cloud = cloud_state(Cloud::Zenlayer);
        let vm = one_instance(&mut cloud, Running, None);
        let mut body = body;
        body["instanceIds"] = json!(vm);
        assert_eq!(respond(&mut cloud, &request("StopInstances", &body)).0, 200);
        assert_eq!(executed(&cloud, &vm[0]).forced_stops, forced);
    }
    for (plain, forced) in [(PlainReboot::Graceful, 0), (PlainReboot::Forced, 1)] {
        let mut cloud = cloud_state(Cloud::Zenlayer);
        cloud.switches.zenlayer.plain_reboot = plain;
        let vm = one_instance(&mut cloud, Running, None);
        respond(&mut cloud, &request_with_ids("RebootInstances", &vm));
        assert_eq!(executed(&cloud, &vm[0]).forced_reboots, forced);
    }
}

#[test]
fn action_in_a_wrong_state_has_the_documented_code() {
    let status = (400, "UNSUPPORTED_OPERATION_INSTANCE_STATUS");
    let busy = (400, "OPERATION_DENIED_INSTANCE_IN_OPERATION");
    let not_stopped = (403, "OPERATION_DENIED_INSTANCE_NOT_STOPPED");
    let not_running = (403, "OPERATION_DENIED_INSTANCE_NOT_RUNNING");
    let not_rebootable = (403, "OPERATION_DENIED_INSTANCE_STATUS");
    let recycled = (403, "OPERATION_DENIED_INSTANCE_RECYCLED");
    for (action, state, impairment, newer, older) in [
        ("StartInstances", Running, None, status, not_stopped),
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
            Stopped,
            Some(Impairment::Creating),
            busy,
            not_stopped,
        ),
        (
            "StartInstances",
            Stopped,
            Some(Impairment::Changing),
            busy,
            not_stopped,
        ),
        (
            "StartInstances",
            Stopped,
            Some(Impairment::Recycled),
            recycled,
            recycled,
        ),
        (
            "StartInstances",
            Stopped,
            Some(Impairment::Expired),
            status,
            not_stopped,
        ),
        (
            "StartInstances",
            Stopped,
            Some(Impairment::Locked),
            status,
            status,
        ),
        ("StopInstances", Stopped, None, status, not_running),
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
            Running,
            Some(Impairment::Recycled),
            recycled,
            recycled,
        ),
        ("RebootInstances", Stopped, None, status, not_rebootable),
        (
            "RebootInstances",
            SimulatedState::Rebooting,
            None,
            busy,
            not_rebootable,
        ),
        (
            "RebootInstances",
            Stopped,
            Some(Impairment::Recycled),
            recycled,
            recycled,
        ),
    ] {
        for (codes, expected) in [(StateCodes::Newer, newer), (StateCodes::Older, older)] {
            let mut cloud = cloud_state(Cloud::Zenlayer);
            cloud.switches.zenlayer.batch_failure = BatchFailure::AllFail;
            cloud.switches.zenlayer.state_codes = codes;
            let vm = one_instance(&mut cloud, state, impairment);
            let response = respond(&mut cloud, &request_with_ids(action, &vm));
            assert_eq!(
                status_and_code(&response),
                expected,
                "{action} {state} {impairment:?}"
            );
            assert_eq!(executed(&cloud, &vm[0]), ExecutionCounts::default());
        }
    }
    let mut cloud = cloud_state(Cloud::Zenlayer);
    cloud.switches.zenlayer.batch_failure = BatchFailure::AllFail;
    cloud.switches.zenlayer.recycled_code = RecycledCode::RecycleResource;
    let bin = one_instance(&mut cloud, Stopped, Some(Impairment::Recycled));
    let response = respond(&mut cloud, &request_with_ids("StartInstances", &bin));
    assert_eq!(
        status_and_code(&response),
        (403, "OPERATION_FAILED_FOR_RECYCLE_RESOURCE")
    );
    let sold_out = one_instance(&mut cloud, Stopped, Some(Impairment::NoStock));
    let response = respond(&mut cloud, &request_with_ids("StartInstances", &sold_out));
    assert_eq!(
        status_and_code(&response),
        (503, "SERVICE_TEMPORARY_UNAVAILABLE")
    );
}

#[test]
fn batch_with_a_bad_instance_follows_the_switch() {
    let listed = |cloud: &mut CloudState, request: &ReceivedRequest| {
        let (status, body) = respond(cloud, request);
        (status, body["response"]["instanceIds"].clone())
    };
    for setting in [
        BatchFailure::Listed,
        BatchFailure::AllFail,
        BatchFailure::AllFailForUnknown,
        BatchFailure::ErrorDespiteExecution,
    ] {
        for unknown in [false, true] {
            let mut cloud = cloud_state(Cloud::Zenlayer);
            cloud.switches.zenlayer.batch_failure = setting;
            let mut vms = one_instance(&mut cloud, Stopped, None);
            vms.push(if unknown {
                "1".to_owned()
            } else {
                one_instance(&mut cloud, Running, None).swap_remove(0)
            });
            let response = listed(&mut cloud, &request_with_ids("StartInstances", &vms));
            let is_list = setting == BatchFailure::Listed
                || (setting == BatchFailure::AllFailForUnknown && !unknown);
            if is_list {
                assert_eq!(response, (200, json!([vms[1]])), "{setting:?} {unknown}");
            } else {
                let status = if unknown { 404 } else { 400 };
                assert_eq!(response, (status, Value::Null), "{setting:?} {unknown}");
            }
            let executes = is_list || setting == BatchFailure::ErrorDespiteExecution;
            assert_eq!(
                executed(&cloud, &vms[0]).starts,
                u32::from(executes),
                "{setting:?} {unknown}"
            );
        }
    }
}

#[test]
fn successful_batch_has_the_failed_list_of_the_switch() {
    for (form, expected) in [
        (NoneFailed::Empty, Some(json!([]))),
        (NoneFailed::Null, Some(Value::Null)),
        (NoneFailed::Absent, None),
    ] {
        let mut cloud = cloud_state(Cloud::Zenlayer);
        cloud.switches.zenlayer.none_failed = form;
        let vm = one_instance(&mut cloud, Stopped, None);
        let (_, body) = respond(&mut cloud, &request_with_ids("StartInstances", &vm));
        assert_eq!(
            body["response"].get("instanceIds"),
            expected.as_ref(),
            "{form:?}"
        );
    }
}

#[test]
fn forced_reboot_and_stop_interrupt_an_operation() {
    let mut cloud = cloud_state(Cloud::Zenlayer);
    cloud.switches.zenlayer.batch_failure = BatchFailure::AllFail;
    let vm = one_instance(&mut cloud, SimulatedState::Rebooting, None);
    let forced = json!({"instanceIds": vm, "forceReboot": true});
    assert_eq!(
        respond(&mut cloud, &request_with_ids("RebootInstances", &vm)).0,
        400
    );
    assert_eq!(
        respond(&mut cloud, &request("RebootInstances", &forced)).0,
        200
    );
    assert_eq!(executed(&cloud, &vm[0]).forced_reboots, 1);

    let stubborn = one_instance(&mut cloud, Running, Some(Impairment::Stubborn));
    let graceful = request(
        "StopInstances",
        &json!({"instanceIds": stubborn, "forceShutdown": false}),
    );
    let forced = request(
        "StopInstances",
        &json!({"instanceIds": stubborn, "forceShutdown": true}),
    );
    assert_eq!(respond(&mut cloud, &graceful).0, 200);
    move_clock_to(&mut cloud, 100_000);
    assert_eq!(instance_status(&mut cloud, &stubborn[0]), "STOPPING");
    assert_eq!(respond(&mut cloud, &forced).0, 400);
    cloud.switches.zenlayer.stop_from = StopFrom::RunningOrStopping;
    assert_eq!(respond(&mut cloud, &graceful).0, 200);
    assert_eq!(
        executed(&cloud, &stubborn[0]).stops,
        1,
        "it was stopping already"
    );
    assert_eq!(respond(&mut cloud, &forced).0, 200);
    move_clock_to(&mut cloud, 100_002);
    assert_eq!(instance_status(&mut cloud, &stubborn[0]), "STOPPED");
}

#[test]
fn failed_boot_leaves_the_instance_stopped() {
    let mut cloud = cloud_state(Cloud::Zenlayer);
    let vm = one_instance(&mut cloud, Stopped, Some(Impairment::FailsToBoot));
    for start in 1..=2 {
        assert_eq!(
            respond(&mut cloud, &request_with_ids("StartInstances", &vm)).0,
            200
        );
        assert_eq!(instance_status(&mut cloud, &vm[0]), "BOOTING");
        move_clock_to(&mut cloud, 30 * start);
        assert_eq!(instance_status(&mut cloud, &vm[0]), "STOPPED");
    }
    assert_eq!(executed(&cloud, &vm[0]).starts, 2);
}

#[test]
fn invalid_parameter_is_refused_with_the_documented_code() {
    let mut cloud = cloud_state(Cloud::Zenlayer);
    let many = add(&mut cloud, "asia-southeast-1", 101, Stopped, None);
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
        let response = respond(&mut cloud, &request(action, &body));
        assert_eq!(status_and_code(&response), expected, "{action}");
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
        assert_eq!(
            status_and_code(&respond(&mut cloud, &request)),
            (400, expected)
        );
    }
    let get = received(
        "GET",
        "/api/v2/zec",
        &[("x-zc-action", "StartInstances")],
        "{}",
    );
    assert_eq!(status_and_code(&respond(&mut cloud, &get)).0, 401);

    cloud.switches.zenlayer.no_ids = NoIds::Missing;
    assert_eq!(
        status_and_code(&respond(
            &mut cloud,
            &request_with_ids("StopInstances", &[])
        )),
        (400, "MISSING_PARAMETER")
    );
    cloud.switches.zenlayer.no_ids = NoIds::Accepted;
    assert_eq!(
        respond(&mut cloud, &request_with_ids("StopInstances", &[])).0,
        200
    );
    let twice = [many[0].clone(), many[0].clone()];
    cloud.switches.zenlayer.duplicates = Duplicates::Refused;
    assert_eq!(
        status_and_code(&respond(
            &mut cloud,
            &request_with_ids("StartInstances", &twice)
        )),
        (400, "INVALID_PARAMETER_VALUE")
    );
    cloud.switches.zenlayer.duplicates = Duplicates::CountedOnce;
    assert_eq!(
        respond(&mut cloud, &request_with_ids("StartInstances", &twice)).0,
        200
    );
    assert_eq!(executed(&cloud, &many[0]).starts, 1);
    assert_eq!(
        respond(&mut cloud, &request_with_ids("StartInstances", &many[1..])).0,
        200
    );
}

#[test]
fn unknown_or_missing_version_is_refused() {
    let mut cloud = cloud_state(Cloud::Zenlayer);
    let versioned = |version| {
        let headers = [
            ("x-zc-action", "DescribeInstances"),
            ("x-zc-version", version),
        ];
        received("POST", "/api/v2/zec", &headers, "{}")
    };
    assert_eq!(respond(&mut cloud, &versioned("2025-09-01")).0, 200);
    assert_eq!(respond(&mut cloud, &versioned("2024-04-01")).0, 200);
    assert_eq!(
        status_and_code(&respond(&mut cloud, &versioned("1999-01-01"))),
        (400, "INVALID_PARAMETER_VALUE")
    );
    let bare = request("DescribeInstances", &json!({}));
    assert_eq!(respond(&mut cloud, &bare).0, 200);
    cloud.switches.zenlayer.version_header = VersionHeader::Required;
    assert_eq!(
        status_and_code(&respond(&mut cloud, &bare)),
        (400, "MISSING_PARAMETER")
    );
}

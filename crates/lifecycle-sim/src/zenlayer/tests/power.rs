//! Start, stop and reboot, and what is refused of them.

use super::*;
use crate::{
    State, Trouble,
    testing::{add, at},
    zenlayer::switches::*,
};

#[test]
fn power_states_pass_as_documented() {
    for (starting, word) in [
        (Starting::Booting, "BOOTING"),
        (Starting::Starting, "STARTING"),
    ] {
        let mut site = site(Cloud::Zenlayer);
        site.switches.zenlayer.starting = starting;
        let vm = add(&mut site, "asia-southeast-1", 1, State::Stopped, None);
        let (answer, body) = ask(&mut site, &ids("StartInstances", &vm));
        assert_eq!(answer, 200);
        assert_eq!(body["requestId"], body["response"]["requestId"]);
        assert!(body["requestId"].as_str().unwrap().starts_with('T'));
        assert_eq!(status(&mut site, &vm[0]), word);
        at(&mut site, 30);
        assert_eq!(status(&mut site, &vm[0]), "RUNNING");
        let reboot = json!({"instanceIds": vm, "forceReboot": false});
        assert_eq!(ask(&mut site, &call("RebootInstances", &reboot)).0, 200);
        assert_eq!(status(&mut site, &vm[0]), "REBOOT");
        at(&mut site, 70);
        let stop = json!({"instanceIds": vm, "forceShutdown": false});
        assert_eq!(ask(&mut site, &call("StopInstances", &stop)).0, 200);
        assert_eq!(status(&mut site, &vm[0]), "STOPPING");
        at(&mut site, 90);
        assert_eq!(status(&mut site, &vm[0]), "STOPPED");
        let counts = executed(&site, &vm[0]);
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
        let mut site = site(Cloud::Zenlayer);
        let vm = add(&mut site, "asia-southeast-1", 1, State::Running, None);
        let mut body = body;
        body["instanceIds"] = json!(vm);
        assert_eq!(ask(&mut site, &call("StopInstances", &body)).0, 200);
        assert_eq!(executed(&site, &vm[0]).forced_stops, forced);
    }
    for (plain, forced) in [(PlainReboot::Graceful, 0), (PlainReboot::Forced, 1)] {
        let mut site = site(Cloud::Zenlayer);
        site.switches.zenlayer.plain_reboot = plain;
        let vm = add(&mut site, "asia-southeast-1", 1, State::Running, None);
        ask(&mut site, &ids("RebootInstances", &vm));
        assert_eq!(executed(&site, &vm[0]).forced_reboots, forced);
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
    for (action, state, trouble, newer, older) in [
        ("StartInstances", State::Running, None, status, not_stopped),
        ("StartInstances", State::Starting, None, busy, not_stopped),
        ("StartInstances", State::Stopping, None, busy, not_stopped),
        (
            "StartInstances",
            State::Stopped,
            Some(Trouble::Creating),
            busy,
            not_stopped,
        ),
        (
            "StartInstances",
            State::Stopped,
            Some(Trouble::Changing),
            busy,
            not_stopped,
        ),
        (
            "StartInstances",
            State::Stopped,
            Some(Trouble::Recycled),
            recycled,
            recycled,
        ),
        (
            "StartInstances",
            State::Stopped,
            Some(Trouble::Expired),
            status,
            not_stopped,
        ),
        (
            "StartInstances",
            State::Stopped,
            Some(Trouble::Locked),
            status,
            status,
        ),
        ("StopInstances", State::Stopped, None, status, not_running),
        ("StopInstances", State::Stopping, None, busy, not_running),
        ("StopInstances", State::Rebooting, None, busy, not_running),
        (
            "StopInstances",
            State::Running,
            Some(Trouble::Recycled),
            recycled,
            recycled,
        ),
        (
            "RebootInstances",
            State::Stopped,
            None,
            status,
            not_rebootable,
        ),
        (
            "RebootInstances",
            State::Rebooting,
            None,
            busy,
            not_rebootable,
        ),
        (
            "RebootInstances",
            State::Stopped,
            Some(Trouble::Recycled),
            recycled,
            recycled,
        ),
    ] {
        for (codes, expected) in [(Codes::Newer, newer), (Codes::Older, older)] {
            let mut site = site(Cloud::Zenlayer);
            site.switches.zenlayer.batch_failure = BatchFailure::Whole;
            site.switches.zenlayer.codes = codes;
            let vm = add(&mut site, "asia-southeast-1", 1, state, trouble);
            let answer = ask(&mut site, &ids(action, &vm));
            assert_eq!(code(&answer), expected, "{action} {state} {trouble:?}");
            assert_eq!(executed(&site, &vm[0]), Executed::default());
        }
    }
    let mut site = site(Cloud::Zenlayer);
    site.switches.zenlayer.batch_failure = BatchFailure::Whole;
    site.switches.zenlayer.recycled_code = RecycledCode::RecycleResource;
    let bin = add(
        &mut site,
        "asia-southeast-1",
        1,
        State::Stopped,
        Some(Trouble::Recycled),
    );
    let answer = ask(&mut site, &ids("StartInstances", &bin));
    assert_eq!(
        code(&answer),
        (403, "OPERATION_FAILED_FOR_RECYCLE_RESOURCE")
    );
    let sold_out = add(
        &mut site,
        "asia-southeast-1",
        1,
        State::Stopped,
        Some(Trouble::NoStock),
    );
    let answer = ask(&mut site, &ids("StartInstances", &sold_out));
    assert_eq!(code(&answer), (503, "SERVICE_TEMPORARY_UNAVAILABLE"));
}

#[test]
fn a_batch_with_a_bad_instance_fails_in_one_of_four_ways() {
    let listed = |site: &mut Site, request: &Received| {
        let (status, body) = ask(site, request);
        (status, body["response"]["instanceIds"].clone())
    };
    for how in [
        BatchFailure::Listed,
        BatchFailure::Whole,
        BatchFailure::WholeForUnknown,
        BatchFailure::WholeInName,
    ] {
        for unknown in [false, true] {
            let mut site = site(Cloud::Zenlayer);
            site.switches.zenlayer.batch_failure = how;
            let mut vms = add(&mut site, "asia-southeast-1", 1, State::Stopped, None);
            vms.push(if unknown {
                "1".to_owned()
            } else {
                add(&mut site, "asia-southeast-1", 1, State::Running, None).swap_remove(0)
            });
            let answer = listed(&mut site, &ids("StartInstances", &vms));
            let is_list =
                how == BatchFailure::Listed || (how == BatchFailure::WholeForUnknown && !unknown);
            if is_list {
                assert_eq!(answer, (200, json!([vms[1]])), "{how:?} {unknown}");
            } else {
                let status = if unknown { 404 } else { 400 };
                assert_eq!(answer, (status, Value::Null), "{how:?} {unknown}");
            }
            let acts = is_list || how == BatchFailure::WholeInName;
            assert_eq!(
                executed(&site, &vms[0]).starts,
                u32::from(acts),
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
        let mut site = site(Cloud::Zenlayer);
        site.switches.zenlayer.none_failed = form;
        let vm = add(&mut site, "asia-southeast-1", 1, State::Stopped, None);
        let (_, body) = ask(&mut site, &ids("StartInstances", &vm));
        assert_eq!(
            body["response"].get("instanceIds"),
            expected.as_ref(),
            "{form:?}"
        );
    }
}

#[test]
fn a_reboot_and_a_stop_may_interrupt() {
    let mut site = site(Cloud::Zenlayer);
    site.switches.zenlayer.batch_failure = BatchFailure::Whole;
    let vm = add(&mut site, "asia-southeast-1", 1, State::Rebooting, None);
    let forced = json!({"instanceIds": vm, "forceReboot": true});
    assert_eq!(ask(&mut site, &ids("RebootInstances", &vm)).0, 400);
    assert_eq!(ask(&mut site, &call("RebootInstances", &forced)).0, 200);
    assert_eq!(executed(&site, &vm[0]).forced_reboots, 1);

    let stubborn = add(
        &mut site,
        "asia-southeast-1",
        1,
        State::Running,
        Some(Trouble::Stubborn),
    );
    let graceful = call(
        "StopInstances",
        &json!({"instanceIds": stubborn, "forceShutdown": false}),
    );
    let forced = call(
        "StopInstances",
        &json!({"instanceIds": stubborn, "forceShutdown": true}),
    );
    assert_eq!(ask(&mut site, &graceful).0, 200);
    at(&mut site, 100_000);
    assert_eq!(status(&mut site, &stubborn[0]), "STOPPING");
    assert_eq!(ask(&mut site, &forced).0, 400);
    site.switches.zenlayer.stop_from = StopFrom::RunningOrStopping;
    assert_eq!(ask(&mut site, &graceful).0, 200);
    assert_eq!(
        executed(&site, &stubborn[0]).stops,
        1,
        "it was stopping already"
    );
    assert_eq!(ask(&mut site, &forced).0, 200);
    at(&mut site, 100_002);
    assert_eq!(status(&mut site, &stubborn[0]), "STOPPED");
}

#[test]
fn a_boot_that_fails_leaves_the_instance_stopped() {
    let mut site = site(Cloud::Zenlayer);
    let vm = add(
        &mut site,
        "asia-southeast-1",
        1,
        State::Stopped,
        Some(Trouble::Broken),
    );
    for start in 1..=2 {
        assert_eq!(ask(&mut site, &ids("StartInstances", &vm)).0, 200);
        assert_eq!(status(&mut site, &vm[0]), "BOOTING");
        at(&mut site, 30 * start);
        assert_eq!(status(&mut site, &vm[0]), "STOPPED");
    }
    assert_eq!(executed(&site, &vm[0]).starts, 2);
}

#[test]
fn parameters_have_bounds() {
    let mut site = site(Cloud::Zenlayer);
    let many = add(&mut site, "asia-southeast-1", 101, State::Stopped, None);
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
        let answer = ask(&mut site, &call(action, &body));
        assert_eq!(code(&answer), expected, "{action}");
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
        assert_eq!(code(&ask(&mut site, &request)), (400, expected));
    }
    let get = received(
        "GET",
        "/api/v2/zec",
        &[("x-zc-action", "StartInstances")],
        "{}",
    );
    assert_eq!(code(&ask(&mut site, &get)).0, 401);

    site.switches.zenlayer.no_ids = NoIds::Missing;
    assert_eq!(
        code(&ask(&mut site, &ids("StopInstances", &[]))),
        (400, "MISSING_PARAMETER")
    );
    site.switches.zenlayer.no_ids = NoIds::Accepted;
    assert_eq!(ask(&mut site, &ids("StopInstances", &[])).0, 200);
    let twice = [many[0].clone(), many[0].clone()];
    site.switches.zenlayer.duplicates = Duplicates::Refused;
    assert_eq!(
        code(&ask(&mut site, &ids("StartInstances", &twice))),
        (400, "INVALID_PARAMETER_VALUE")
    );
    site.switches.zenlayer.duplicates = Duplicates::Folded;
    assert_eq!(ask(&mut site, &ids("StartInstances", &twice)).0, 200);
    assert_eq!(executed(&site, &many[0]).starts, 1);
    assert_eq!(ask(&mut site, &ids("StartInstances", &many[1..])).0, 200);
}

#[test]
fn versions() {
    let mut site = site(Cloud::Zenlayer);
    let versioned = |version| {
        let headers = [
            ("x-zc-action", "DescribeInstances"),
            ("x-zc-version", version),
        ];
        received("POST", "/api/v2/zec", &headers, "{}")
    };
    assert_eq!(ask(&mut site, &versioned("2025-09-01")).0, 200);
    assert_eq!(ask(&mut site, &versioned("2024-04-01")).0, 200);
    assert_eq!(
        code(&ask(&mut site, &versioned("1999-01-01"))),
        (400, "INVALID_PARAMETER_VALUE")
    );
    let bare = call("DescribeInstances", &json!({}));
    assert_eq!(ask(&mut site, &bare).0, 200);
    site.switches.zenlayer.version_header = VersionHeader::Required;
    assert_eq!(code(&ask(&mut site, &bare)), (400, "MISSING_PARAMETER"));
}

//! Tests of the power calls of simulated Baidu BCC.

use super::*;
use crate::{
    baidu::switches::*,
    testing::{executed, move_clock_to},
};

#[test]
fn power_action_shows_the_documented_states() {
    let mut cloud = cloud_state(Cloud::Baidu);
    let ids = one_instance(&mut cloud, Stopped, None);
    let one = |action: &str, body: Value| put(&format!("/v2/instance/{}?{action}", ids[0]), &body);

    assert_eq!(
        respond(&mut cloud, &one("start", Value::Null)),
        (200, Value::Null)
    );
    assert_eq!(instance_status(&mut cloud, &ids[0]), "Starting");
    move_clock_to(&mut cloud, 30);
    assert_eq!(instance_status(&mut cloud, &ids[0]), "Running");
    // The Python SDK sends the equals sign.
    assert_eq!(
        respond(&mut cloud, &one("reboot=", json!({"forceStop": false}))).0,
        200
    );
    assert_eq!(instance_status(&mut cloud, &ids[0]), "Starting");
    move_clock_to(&mut cloud, 70);
    assert_eq!(
        respond(&mut cloud, &one("stop", json!({"forceStop": true}))).0,
        200
    );
    assert_eq!(instance_status(&mut cloud, &ids[0]), "Stopping");
    move_clock_to(&mut cloud, 72);
    assert_eq!(instance_status(&mut cloud, &ids[0]), "Stopped");

    let index = cloud.find(RegionScope::AllRegions, &ids[0]).unwrap();
    let executed = cloud.instance(index).executed;
    assert_eq!(
        (executed.starts, executed.stops, executed.forced_stops),
        (1, 1, 1)
    );
    assert_eq!((executed.reboots, executed.forced_reboots), (1, 0));
}

#[test]
fn reboot_shows_two_states_by_switch() {
    let mut cloud = cloud_state(Cloud::Baidu);
    cloud.switches.baidu.reboot_path = RebootPath::StoppingThenStarting;
    let ids = one_instance(&mut cloud, Running, None);
    respond(&mut cloud, &batch("reboot", &ids));
    assert_eq!(instance_status(&mut cloud, &ids[0]), "Stopping");
    move_clock_to(&mut cloud, 20);
    assert_eq!(instance_status(&mut cloud, &ids[0]), "Starting");
    move_clock_to(&mut cloud, 40);
    assert_eq!(instance_status(&mut cloud, &ids[0]), "Running");
}

#[test]
fn action_in_a_wrong_state_has_the_documented_code() {
    let start = "Instance.StartInstanceOperationForbidden";
    let stop = "Instance.StopInstanceOperationForbidden";
    let reboot = "Instance.RebootInstanceOperationForbidden";
    for (action, state, impairment, expected) in [
        ("start", Running, None, (409, start)),
        ("start", SimulatedState::Starting, None, (409, start)),
        ("start", SimulatedState::Stopping, None, (409, start)),
        ("start", SimulatedState::Rebooting, None, (409, start)),
        (
            "start",
            Stopped,
            Some(Impairment::Creating),
            (409, "Instance.StartInstanceWhenCreating"),
        ),
        (
            "start",
            Stopped,
            Some(Impairment::Expired),
            (409, "Instance.StartExpiredInstance"),
        ),
        ("start", Stopped, Some(Impairment::Recycled), (409, start)),
        ("start", Stopped, Some(Impairment::BrokenDisk), (409, start)),
        ("start", Stopped, Some(Impairment::Changing), (409, start)),
        (
            "start",
            Stopped,
            Some(Impairment::Locked),
            (403, "OperationDenied"),
        ),
        (
            "start",
            Stopped,
            Some(Impairment::Arrears),
            (403, "OperationDenied"),
        ),
        (
            "start",
            Stopped,
            Some(Impairment::NoStock),
            (403, "OperationDenied"),
        ),
        ("stop", Stopped, None, (409, stop)),
        ("stop", SimulatedState::Stopping, None, (409, stop)),
        ("stop", Running, Some(Impairment::Expired), (409, stop)),
        (
            "stop",
            Running,
            Some(Impairment::Locked),
            (403, "OperationDenied"),
        ),
        ("reboot", Stopped, None, (409, reboot)),
        ("reboot", SimulatedState::Rebooting, None, (409, reboot)),
    ] {
        let mut cloud = cloud_state(Cloud::Baidu);
        let ids = one_instance(&mut cloud, state, impairment);
        let single = put(&format!("/v2/instance/{}?{action}", ids[0]), &Value::Null);
        for request in [single, batch(action, &ids)] {
            let response = respond(&mut cloud, &request);
            assert_eq!(
                status_and_code(&response),
                expected,
                "{action} {state} {impairment:?}"
            );
            assert!(response.1["requestId"].is_string() && response.1["message"].is_string());
        }
        let index = cloud.find(RegionScope::AllRegions, &ids[0]).unwrap();
        assert_eq!(
            cloud.instance(index).executed,
            crate::ExecutionCounts::default()
        );
    }
}

#[test]
fn batch_with_a_bad_instance_follows_the_switch() {
    for (setting, response, moved) in [
        (BatchFailure::AllFail, 409, Stopped),
        (BatchFailure::Partial, 200, SimulatedState::Starting),
        (
            BatchFailure::ErrorDespiteExecution,
            409,
            SimulatedState::Starting,
        ),
    ] {
        let mut cloud = cloud_state(Cloud::Baidu);
        cloud.switches.baidu.batch_failure = setting;
        let mut ids = add(&mut cloud, "bj", 2, Stopped, None);
        ids.extend(one_instance(&mut cloud, Running, None));
        let (status, body) = respond(&mut cloud, &batch("start", &ids));
        assert_eq!(status, response, "{setting:?}");
        if setting == BatchFailure::Partial {
            assert_eq!(body["failedInstanceIdList"], json!([ids[2]]));
        }
        for id in &ids[..2] {
            let index = cloud.find(RegionScope::AllRegions, id).unwrap();
            assert_eq!(cloud.actual(index).state, moved, "{setting:?}");
        }
    }
}

#[test]
fn unknown_id_follows_the_switches() {
    let ghost = vec!["i-missing1".to_owned(), "i-missing2".to_owned()];
    for (setting, expected) in [
        (UnknownId::NoSuchObject, (404, "NoSuchObject")),
        (UnknownId::NoSuchObject400, (400, "NoSuchObject")),
        (UnknownId::InstanceNotExist, (404, "InstanceNotExist")),
    ] {
        let mut cloud = cloud_state(Cloud::Baidu);
        cloud.switches.baidu.unknown_id = setting;
        let detail = received("GET", "/v2/instance/i-missing1", &[], "");
        let start = put("/v2/instance/i-missing1?start", &Value::Null);
        for request in [detail, start, batch("stop", &ghost)] {
            assert_eq!(status_and_code(&respond(&mut cloud, &request)), expected);
        }
    }
    let mut cloud = cloud_state(Cloud::Baidu);
    let known = one_instance(&mut cloud, Running, None);
    let ids = json!({"instanceIds": [ghost[0], known[0]]}).to_string();
    let list = received("POST", "/v2/instance/listByInstanceId", &[], &ids);
    let (status, body) = respond(&mut cloud, &list);
    assert_eq!(status, 200);
    assert_eq!(body["instances"].as_array().unwrap().len(), 1);
    cloud.switches.baidu.unknown_in_list = UnknownInList::Refused;
    assert_eq!(
        status_and_code(&respond(&mut cloud, &list)),
        (404, "NoSuchObject")
    );
    cloud.switches.baidu.batch_failure = BatchFailure::Partial;
    let both = vec![ghost[0].clone(), known[0].clone()];
    let (status, body) = respond(&mut cloud, &batch("stop", &both));
    assert_eq!(
        (status, &body["failedInstanceIdList"]),
        (200, &json!([ghost[0]]))
    );
}

#[test]
fn empty_too_long_or_duplicate_id_list_follows_the_switches() {
    let mut cloud = cloud_state(Cloud::Baidu);
    let ids = add(&mut cloud, "bj", 101, Stopped, None);
    assert_eq!(
        status_and_code(&respond(&mut cloud, &batch("start", &ids))),
        (400, "InappropriateJSON")
    );
    cloud.switches.baidu.too_many_ids = TooManyIds::BadRequest;
    assert_eq!(
        status_and_code(&respond(&mut cloud, &batch("start", &ids))),
        (400, "BadRequest")
    );
    let list = json!({ "instanceIds": ids }).to_string();
    let list = received("POST", "/v2/instance/listByInstanceId", &[], &list);
    assert_eq!(
        status_and_code(&respond(&mut cloud, &list)),
        (400, "BadRequest")
    );
    assert_eq!(respond(&mut cloud, &batch("start", &ids[..100])).0, 200);

    assert_eq!(
        status_and_code(&respond(&mut cloud, &batch("start", &[]))),
        (400, "BadRequest")
    );
    cloud.switches.baidu.no_ids = NoIds::Accepted;
    assert_eq!(respond(&mut cloud, &batch("start", &[])).0, 200);

    let twice = vec![ids[100].clone(), ids[100].clone()];
    cloud.switches.baidu.duplicates = Duplicates::Refused;
    assert_eq!(
        status_and_code(&respond(&mut cloud, &batch("start", &twice))),
        (400, "BadRequest")
    );
    cloud.switches.baidu.duplicates = Duplicates::CountedOnce;
    assert_eq!(respond(&mut cloud, &batch("start", &twice)).0, 200);
    let index = cloud.find(RegionScope::AllRegions, &ids[100]).unwrap();
    assert_eq!(cloud.instance(index).executed.starts, 1);
}

#[test]
fn invalid_request_is_refused_with_the_documented_code() {
    let mut cloud = cloud_state(Cloud::Baidu);
    let ids = one_instance(&mut cloud, Running, None);
    for (request, expected) in [
        (
            received("PUT", "/v2/instance/batchAction?stop", &[], "{"),
            (400, "MalformedJSON"),
        ),
        (
            received("PUT", "/v2/instance/batchAction?stop", &[], "[]x"),
            (400, "MalformedJSON"),
        ),
        (
            put(
                "/v2/instance/batchAction?stop",
                &json!({"instanceIds": "i-1"}),
            ),
            (400, "InappropriateJSON"),
        ),
        (
            put("/v2/instance/batchAction?stop", &Value::Null),
            (400, "InappropriateJSON"),
        ),
        (
            put(
                &format!("/v2/instance/{}?stop", ids[0]),
                &json!({"forceStop": "yes"}),
            ),
            (400, "InappropriateJSON"),
        ),
        (
            put(&format!("/v2/instance/{}?explode", ids[0]), &Value::Null),
            (400, "InvalidURI"),
        ),
        (
            received("DELETE", "/v2/instance", &[], ""),
            (400, "InvalidURI"),
        ),
        (
            received("GET", "/v9/instance", &[], ""),
            (404, "InvalidVersion"),
        ),
        (
            received("GET", "/v2/instance?maxKeys=0", &[], ""),
            (400, "BadRequest"),
        ),
        (
            received("GET", "/v2/instance?marker=i-nowhere", &[], ""),
            (400, "BadRequest"),
        ),
    ] {
        assert_eq!(
            status_and_code(&respond(&mut cloud, &request)),
            expected,
            "{} {}",
            request.path,
            request.query
        );
    }
}

#[test]
fn stop_without_charge_follows_the_switch() {
    let mut cloud = cloud_state(Cloud::Baidu);
    let ids = one_instance(&mut cloud, Running, None);
    let stop = put(
        "/v2/instance/batchAction?stop",
        &json!({"instanceIds": ids, "stopWithNoCharge": true}),
    );
    for (setting, expected) in [
        (NoCharge::Prepaid, "Bcc.PrePayCannotStopWithNoCharge"),
        (NoCharge::LocalDisk, "Bcc.Rocv1CannotStopWithNoCharge"),
        (NoCharge::Unsupported, "Bcc.InstanceTypeNotSupportException"),
    ] {
        cloud.switches.baidu.no_charge = setting;
        assert_eq!(
            status_and_code(&respond(&mut cloud, &stop)),
            (403, expected)
        );
    }
    cloud.switches.baidu.no_charge = NoCharge::Possible;
    assert_eq!(respond(&mut cloud, &stop).0, 200);
    let counts = executed(&cloud, &ids[0]);
    assert_eq!((counts.stops, counts.released_stops), (1, 1));
}

#[test]
fn successful_power_call_has_a_body_by_switch() {
    let mut cloud = cloud_state(Cloud::Baidu);
    cloud.switches.baidu.power_body = PowerBody::Object;
    let ids = one_instance(&mut cloud, Running, None);
    let (status, body) = respond(&mut cloud, &batch("reboot", &ids));
    assert_eq!((status, &body["failedInstanceIdList"]), (200, &json!([])));
    assert!(body["requestId"].is_string());
}

#[test]
fn repeated_client_token_prevents_a_second_execution_if_honoured() {
    for (setting, reboots, reuse) in [
        (ClientToken::Ignored, 2, 200),
        (ClientToken::Honoured, 1, 403),
    ] {
        let mut cloud = cloud_state(Cloud::Baidu);
        cloud.switches.baidu.client_token = setting;
        let ids = add(&mut cloud, "bj", 2, Running, None);
        let target = "/v2/instance/batchAction?clientToken=t&reboot";
        let first = put(target, &json!({"instanceIds": [ids[0]]}));
        let second = put(target, &json!({"instanceIds": [ids[1]]}));
        assert_eq!(respond(&mut cloud, &first).0, 200);
        move_clock_to(&mut cloud, 60);
        assert_eq!(respond(&mut cloud, &first).0, 200);
        let index = cloud.find(RegionScope::AllRegions, &ids[0]).unwrap();
        assert_eq!(cloud.instance(index).executed.reboots, reboots);
        let response = respond(&mut cloud, &second);
        assert_eq!(response.0, reuse);
        if setting == ClientToken::Honoured {
            assert_eq!(status_and_code(&response).1, "IdempotentParameterMismatch");
        }
    }
}

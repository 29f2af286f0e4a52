//! Start, stop and reboot, and what is refused of them.

use super::*;
use crate::{
    State, Trouble,
    baidu::switches::*,
    testing::{add, at},
};

#[test]
fn power_states_pass_as_documented() {
    let mut site = site(Cloud::Baidu);
    let ids = add(&mut site, "bj", 1, State::Stopped, None);
    let one = |verb: &str, body: Value| put(&format!("/v2/instance/{}?{verb}", ids[0]), &body);

    assert_eq!(
        ask(&mut site, &one("start", Value::Null)),
        (200, Value::Null)
    );
    assert_eq!(status(&mut site, &ids[0]), "Starting");
    at(&mut site, 30);
    assert_eq!(status(&mut site, &ids[0]), "Running");
    // With an equals sign, as the Python SDK sends it.
    assert_eq!(
        ask(&mut site, &one("reboot=", json!({"forceStop": false}))).0,
        200
    );
    assert_eq!(status(&mut site, &ids[0]), "Starting");
    at(&mut site, 70);
    assert_eq!(
        ask(&mut site, &one("stop", json!({"forceStop": true}))).0,
        200
    );
    assert_eq!(status(&mut site, &ids[0]), "Stopping");
    at(&mut site, 72);
    assert_eq!(status(&mut site, &ids[0]), "Stopped");

    let index = site.find(Scope::Everywhere, &ids[0]).unwrap();
    let executed = site.instance(index).executed;
    assert_eq!(
        (executed.starts, executed.stops, executed.forced_stops),
        (1, 1, 1)
    );
    assert_eq!((executed.reboots, executed.forced_reboots), (1, 0));
}

#[test]
fn a_reboot_may_show_two_states() {
    let mut site = site(Cloud::Baidu);
    site.switches.baidu.reboot_path = RebootPath::StoppingThenStarting;
    let ids = add(&mut site, "bj", 1, State::Running, None);
    ask(&mut site, &batch("reboot", &ids));
    assert_eq!(status(&mut site, &ids[0]), "Stopping");
    at(&mut site, 20);
    assert_eq!(status(&mut site, &ids[0]), "Starting");
    at(&mut site, 40);
    assert_eq!(status(&mut site, &ids[0]), "Running");
}

#[test]
fn every_wrong_state_has_its_answer() {
    let start = "Instance.StartInstanceOperationForbidden";
    let stop = "Instance.StopInstanceOperationForbidden";
    let reboot = "Instance.RebootInstanceOperationForbidden";
    for (verb, state, trouble, expected) in [
        ("start", State::Running, None, (409, start)),
        ("start", State::Starting, None, (409, start)),
        ("start", State::Stopping, None, (409, start)),
        ("start", State::Rebooting, None, (409, start)),
        (
            "start",
            State::Stopped,
            Some(Trouble::Creating),
            (409, "Instance.StartInstanceWhenCreating"),
        ),
        (
            "start",
            State::Stopped,
            Some(Trouble::Expired),
            (409, "Instance.StartExpiredInstance"),
        ),
        (
            "start",
            State::Stopped,
            Some(Trouble::Recycled),
            (409, start),
        ),
        ("start", State::Stopped, Some(Trouble::Failed), (409, start)),
        (
            "start",
            State::Stopped,
            Some(Trouble::Changing),
            (409, start),
        ),
        (
            "start",
            State::Stopped,
            Some(Trouble::Locked),
            (403, "OperationDenied"),
        ),
        (
            "start",
            State::Stopped,
            Some(Trouble::Arrears),
            (403, "OperationDenied"),
        ),
        (
            "start",
            State::Stopped,
            Some(Trouble::NoStock),
            (403, "OperationDenied"),
        ),
        ("stop", State::Stopped, None, (409, stop)),
        ("stop", State::Stopping, None, (409, stop)),
        ("stop", State::Running, Some(Trouble::Expired), (409, stop)),
        (
            "stop",
            State::Running,
            Some(Trouble::Locked),
            (403, "OperationDenied"),
        ),
        ("reboot", State::Stopped, None, (409, reboot)),
        ("reboot", State::Rebooting, None, (409, reboot)),
    ] {
        let mut site = site(Cloud::Baidu);
        let ids = add(&mut site, "bj", 1, state, trouble);
        let single = put(&format!("/v2/instance/{}?{verb}", ids[0]), &Value::Null);
        for request in [single, batch(verb, &ids)] {
            let answer = ask(&mut site, &request);
            assert_eq!(code(&answer), expected, "{verb} {state} {trouble:?}");
            assert!(answer.1["requestId"].is_string() && answer.1["message"].is_string());
        }
        let index = site.find(Scope::Everywhere, &ids[0]).unwrap();
        assert_eq!(site.instance(index).executed, crate::Executed::default());
    }
}

#[test]
fn a_batch_with_a_bad_instance_fails_in_one_of_three_ways() {
    for (how, answer, moved) in [
        (BatchFailure::Whole, 409, State::Stopped),
        (BatchFailure::Partial, 200, State::Starting),
        (BatchFailure::WholeInName, 409, State::Starting),
    ] {
        let mut site = site(Cloud::Baidu);
        site.switches.baidu.batch_failure = how;
        let mut ids = add(&mut site, "bj", 2, State::Stopped, None);
        ids.extend(add(&mut site, "bj", 1, State::Running, None));
        let (status, body) = ask(&mut site, &batch("start", &ids));
        assert_eq!(status, answer, "{how:?}");
        if how == BatchFailure::Partial {
            assert_eq!(body["failedInstanceIdList"], json!([ids[2]]));
        }
        for id in &ids[..2] {
            let index = site.find(Scope::Everywhere, id).unwrap();
            assert_eq!(site.truth(index).state, moved, "{how:?}");
        }
    }
}

#[test]
fn unknown_ids() {
    let ghost = vec!["i-missing1".to_owned(), "i-missing2".to_owned()];
    for (how, expected) in [
        (UnknownId::NoSuchObject, (404, "NoSuchObject")),
        (UnknownId::NoSuchObject400, (400, "NoSuchObject")),
        (UnknownId::InstanceNotExist, (404, "InstanceNotExist")),
    ] {
        let mut site = site(Cloud::Baidu);
        site.switches.baidu.unknown_id = how;
        let detail = received("GET", "/v2/instance/i-missing1", &[], "");
        let start = put("/v2/instance/i-missing1?start", &Value::Null);
        for request in [detail, start, batch("stop", &ghost)] {
            assert_eq!(code(&ask(&mut site, &request)), expected);
        }
    }
    let mut site = site(Cloud::Baidu);
    let known = add(&mut site, "bj", 1, State::Running, None);
    let ids = json!({"instanceIds": [ghost[0], known[0]]}).to_string();
    let list = received("POST", "/v2/instance/listByInstanceId", &[], &ids);
    let (status, body) = ask(&mut site, &list);
    assert_eq!(status, 200);
    assert_eq!(body["instances"].as_array().unwrap().len(), 1);
    site.switches.baidu.unknown_in_list = UnknownInList::Refused;
    assert_eq!(code(&ask(&mut site, &list)), (404, "NoSuchObject"));
    site.switches.baidu.batch_failure = BatchFailure::Partial;
    let both = vec![ghost[0].clone(), known[0].clone()];
    let (status, body) = ask(&mut site, &batch("stop", &both));
    assert_eq!(
        (status, &body["failedInstanceIdList"]),
        (200, &json!([ghost[0]]))
    );
}

#[test]
fn lists_of_ids_have_bounds() {
    let mut site = site(Cloud::Baidu);
    let ids = add(&mut site, "bj", 101, State::Stopped, None);
    assert_eq!(
        code(&ask(&mut site, &batch("start", &ids))),
        (400, "InappropriateJSON")
    );
    site.switches.baidu.too_many = BadList::BadRequest;
    assert_eq!(
        code(&ask(&mut site, &batch("start", &ids))),
        (400, "BadRequest")
    );
    let list = json!({ "instanceIds": ids }).to_string();
    let list = received("POST", "/v2/instance/listByInstanceId", &[], &list);
    assert_eq!(code(&ask(&mut site, &list)), (400, "BadRequest"));
    assert_eq!(ask(&mut site, &batch("start", &ids[..100])).0, 200);

    assert_eq!(
        code(&ask(&mut site, &batch("start", &[]))),
        (400, "BadRequest")
    );
    site.switches.baidu.no_ids = NoIds::Accepted;
    assert_eq!(ask(&mut site, &batch("start", &[])).0, 200);

    let twice = vec![ids[100].clone(), ids[100].clone()];
    site.switches.baidu.duplicates = Duplicates::Refused;
    assert_eq!(
        code(&ask(&mut site, &batch("start", &twice))),
        (400, "BadRequest")
    );
    site.switches.baidu.duplicates = Duplicates::Folded;
    assert_eq!(ask(&mut site, &batch("start", &twice)).0, 200);
    let index = site.find(Scope::Everywhere, &ids[100]).unwrap();
    assert_eq!(site.instance(index).executed.starts, 1);
}

#[test]
fn requests_that_make_no_sense() {
    let mut site = site(Cloud::Baidu);
    let ids = add(&mut site, "bj", 1, State::Running, None);
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
            code(&ask(&mut site, &request)),
            expected,
            "{} {}",
            request.path,
            request.query
        );
    }
}

#[test]
fn free_stops() {
    let mut site = site(Cloud::Baidu);
    let ids = add(&mut site, "bj", 1, State::Running, None);
    let stop = put(
        "/v2/instance/batchAction?stop",
        &json!({"instanceIds": ids, "stopWithNoCharge": true}),
    );
    for (how, expected) in [
        (NoCharge::Prepaid, "Bcc.PrePayCannotStopWithNoCharge"),
        (NoCharge::LocalDisk, "Bcc.Rocv1CannotStopWithNoCharge"),
        (NoCharge::Unsupported, "Bcc.InstanceTypeNotSupportException"),
    ] {
        site.switches.baidu.no_charge = how;
        assert_eq!(code(&ask(&mut site, &stop)), (403, expected));
    }
    site.switches.baidu.no_charge = NoCharge::Possible;
    assert_eq!(ask(&mut site, &stop).0, 200);
}

#[test]
fn good_answers_may_have_a_body() {
    let mut site = site(Cloud::Baidu);
    site.switches.baidu.power_body = PowerBody::Object;
    let ids = add(&mut site, "bj", 1, State::Running, None);
    let (status, body) = ask(&mut site, &batch("reboot", &ids));
    assert_eq!((status, &body["failedInstanceIdList"]), (200, &json!([])));
    assert!(body["requestId"].is_string());
}

#[test]
fn client_tokens_count_when_they_are_honoured() {
    for (how, reboots, reuse) in [
        (ClientToken::Ignored, 2, 200),
        (ClientToken::Honoured, 1, 403),
    ] {
        let mut site = site(Cloud::Baidu);
        site.switches.baidu.client_token = how;
        let ids = add(&mut site, "bj", 2, State::Running, None);
        let target = "/v2/instance/batchAction?clientToken=t&reboot";
        let first = put(target, &json!({"instanceIds": [ids[0]]}));
        let second = put(target, &json!({"instanceIds": [ids[1]]}));
        assert_eq!(ask(&mut site, &first).0, 200);
        at(&mut site, 60);
        assert_eq!(ask(&mut site, &first).0, 200);
        let index = site.find(Scope::Everywhere, &ids[0]).unwrap();
        assert_eq!(site.instance(index).executed.reboots, reboots);
        let answer = ask(&mut site, &second);
        assert_eq!(answer.0, reuse);
        if how == ClientToken::Honoured {
            assert_eq!(code(&answer).1, "IdempotentParameterMismatch");
        }
    }
}

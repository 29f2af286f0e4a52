//! Baidu's signature check against the vendor's own signer, and its answers.

use serde_json::{Value, json};

use super::{auth, switches::*};
use crate::{
    Cloud, State, Trouble,
    account::Key,
    dialect::{Dialect, Operation, Reason},
    request::Received,
    site::{Scope, Site},
    testing::{add, at, forgeries, perform, received, site, site_at},
    time::read_extended,
};

const SIGNING: &str = include_str!("../../tests/vectors/baidu/signing.json");
const QUIRKS: &str = include_str!("../../tests/vectors/baidu/signing_quirks.json");
const REQUESTS: &str = include_str!("../../tests/vectors/baidu/requests.json");

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn site_knowing(vector: &Value, timestamp: &str) -> Site {
    let key = Key::pair(
        text(vector, "access_key").to_owned(),
        text(vector, "secret_key").to_owned(),
        vector["session_token"].as_str().map(str::to_owned),
    );
    let unix = read_extended(timestamp).unwrap();
    site_at(Cloud::Baidu, unix.unsigned_abs(), key)
}

fn request_of(vector: &Value, target: &str, authorization: &str) -> Received {
    let headers: Vec<(&str, &str)> = vector["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
        .filter(|(name, _)| !name.eq_ignore_ascii_case("authorization"))
        .chain([("authorization", authorization)])
        .collect();
    received(
        text(vector, "method"),
        target,
        &headers,
        text(vector, "body"),
    )
}

fn refused(site: &mut Site, request: &Received) -> Option<(Reason, u16, Value)> {
    let denial = auth::verify(site, request).err()?;
    let body: Value = serde_json::from_slice(denial.response.body()).unwrap();
    Some((
        denial.reason,
        denial.response.status().as_u16(),
        body["code"].clone(),
    ))
}

#[test]
fn every_vector_of_the_vendors_signer_is_accepted_and_every_forgery_refused() {
    let vectors: Vec<Value> = serde_json::from_str(SIGNING).unwrap();
    assert_eq!(vectors.len(), 27);
    let mut forged = 0;
    for vector in &vectors {
        let mut site = site_knowing(vector, text(vector, "timestamp"));
        let target = text(vector, "python_sdk_request_target");
        let expected = &vector["expected"];
        for authorization in ["authorization", "authorization_explicit_headers"] {
            let Some(authorization) = expected[authorization].as_str() else {
                continue;
            };
            let request = request_of(vector, target, authorization);
            let refusal = refused(&mut site, &request);
            assert!(refusal.is_none(), "{}: {refusal:?}", text(vector, "name"));

            let lines = text(expected, "canonical_headers").split('\n');
            let signed: Vec<_> = lines.filter_map(|line| line.split(':').next()).collect();
            for (what, forgery) in forgeries(&request, &signed) {
                // The algorithm does not cover the body but by its length.
                if what == "body" {
                    continue;
                }
                let refusal = refused(&mut site, &forgery);
                assert!(refusal.is_some(), "{}: {what}", text(vector, "name"));
                forged += 1;
            }
        }
    }
    assert!(forged > 500, "{forged}");
}

/// Other SDKs send pairs in any order, and keys without a value bare.
#[test]
fn the_order_and_form_of_query_pairs_on_the_wire_do_not_count() {
    use lifecycle_core::encode::percent;
    let vectors: Vec<Value> = serde_json::from_str(SIGNING).unwrap();
    for vector in &vectors {
        let pairs = vector["query"].as_array().unwrap();
        let written = pairs.iter().rev().map(|pair| match pair[1].as_str() {
            None | Some("") => percent(pair[0].as_str().unwrap()).into_owned(),
            Some(value) => format!("{}={}", percent(pair[0].as_str().unwrap()), percent(value)),
        });
        let query: Vec<String> = written.collect();
        let path = text(&vector["expected"], "canonical_uri");
        let target = format!("{path}?{}", query.join("&"));
        let request = request_of(vector, &target, text(&vector["expected"], "authorization"));
        let mut site = site_knowing(vector, text(vector, "timestamp"));
        let refusal = refused(&mut site, &request);
        assert!(refusal.is_none(), "{}: {refusal:?}", text(vector, "name"));
    }
}

#[test]
fn a_signature_lives_as_long_as_it_says() {
    let vectors: Vec<Value> = serde_json::from_str(SIGNING).unwrap();
    let vector = vectors.iter().find(|v| v["name"] == "expiry_60").unwrap();
    let target = text(vector, "python_sdk_request_target");
    let request = request_of(vector, target, text(&vector["expected"], "authorization"));
    for (now, accepted) in [
        ("2025-10-20T08:01:00Z", true),
        ("2025-10-20T08:01:01Z", false),
    ] {
        let refusal = refused(&mut site_knowing(vector, now), &request);
        assert_eq!(refusal.is_none(), accepted, "{now}");
    }
}

#[test]
fn every_captured_request_is_accepted_and_every_forgery_refused() {
    let requests: Vec<Value> = serde_json::from_str(REQUESTS).unwrap();
    assert_eq!(requests.len(), 26);
    let mut forged = 0;
    for captured in &requests {
        let headers = captured["headers"].as_array().unwrap();
        let header = |name: &str| {
            let pair = headers
                .iter()
                .find(|pair| pair[0].as_str().unwrap().eq_ignore_ascii_case(name));
            pair.unwrap()[1].as_str().unwrap()
        };
        let mut vector = captured.clone();
        vector["access_key"] = "FAKEAKwire0000000000000000000001".into();
        vector["secret_key"] = "FAKESKwire000000000000000000000f".into();
        let mut site = site_knowing(&vector, header("x-bce-date"));
        let target = match (text(captured, "path"), text(captured, "raw_query")) {
            (path, "") => path.to_owned(),
            (path, query) => format!("{path}?{query}"),
        };
        let request = request_of(&vector, &target, header("authorization"));
        assert_eq!(
            refused(&mut site, &request),
            None,
            "{}",
            text(captured, "op")
        );

        for (what, forgery) in forgeries(&request, &["host", "x-bce-date", "content-length"]) {
            // The algorithm does not cover the body but by its length.
            if what == "body" {
                continue;
            }
            let refusal = refused(&mut site, &forgery);
            let bad = Some((Reason::Key, 400, json!("SignatureDoesNotMatch")));
            assert_eq!(refusal, bad, "{}: {what}", text(captured, "op"));
            forged += 1;
        }
        vector["secret_key"] = "FAKESKwire000000000000000000000e".into();
        let mut other = site_knowing(&vector, header("x-bce-date"));
        assert!(refused(&mut other, &request).is_some());
    }
    assert!(forged > 300, "{forged}");
}

#[test]
fn signers_that_stray_from_the_page_are_refused() {
    let quirks: Vec<Value> = serde_json::from_str(QUIRKS).unwrap();
    for (name, accepted) in [
        ("explicit_list_omits_x_bce_date", false),
        ("explicit_list_names_absent_header", true),
        ("explicit_list_order_is_kept", true),
        ("authorization_query_param_is_signed", false),
    ] {
        let vector = quirks.iter().find(|q| q["name"] == name).unwrap();
        let mut site = site_knowing(vector, text(vector, "timestamp"));
        let query: Vec<String> = vector["query"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| {
                format!(
                    "{}={}",
                    pair[0].as_str().unwrap(),
                    pair[1].as_str().unwrap_or("")
                )
            })
            .collect();
        let target = format!("{}?{}", text(vector, "path"), query.join("&"));
        let request = request_of(
            vector,
            &target,
            text(&vector["python_sdk_output"], "authorization"),
        );
        assert_eq!(refused(&mut site, &request).is_none(), accepted, "{name}");
    }
}

/// The first vector with a date header: made at 2015-08-11T04:17:29Z, good for 1800 s.
fn sample() -> (Value, Received) {
    let vectors: Vec<Value> = serde_json::from_str(SIGNING).unwrap();
    let vector = vectors[2].clone();
    let target = text(&vector, "python_sdk_request_target").to_owned();
    let authorization = text(&vector["expected"], "authorization").to_owned();
    let request = request_of(&vector, &target, &authorization);
    (vector, request)
}

#[test]
fn a_request_ages() {
    let (vector, request) = sample();
    for (now, accepted) in [
        ("2015-08-11T04:47:29Z", true),
        ("2015-08-11T04:47:30Z", false),
        ("2015-08-11T03:47:29Z", true),
        ("2015-08-11T03:47:28Z", false),
    ] {
        for checked in [CheckedTime::Prefix, CheckedTime::Header, CheckedTime::Both] {
            let mut site = site_knowing(&vector, now);
            site.switches.baidu.checked_time = checked;
            let expected = (!accepted).then(|| (Reason::Other, 400, json!("RequestExpired")));
            assert_eq!(refused(&mut site, &request), expected, "{now} {checked:?}");
        }
    }
    let mut site = site_knowing(&vector, "2015-08-11T04:17:29Z");
    site.skew = 1_801;
    assert!(
        refused(&mut site, &request).is_some(),
        "the cloud's clock counts"
    );
}

#[test]
fn which_date_is_checked_is_a_switch() {
    let (vector, mut request) = sample();
    // The header is signed, so this request is refused in any case: by its age, or by its signature.
    request
        .headers
        .insert("x-bce-date", "2015-08-11T09:00:00Z".parse().unwrap());
    for (checked, code) in [
        (CheckedTime::Prefix, "SignatureDoesNotMatch"),
        (CheckedTime::Header, "RequestExpired"),
        (CheckedTime::Both, "RequestExpired"),
    ] {
        let mut site = site_knowing(&vector, "2015-08-11T04:17:29Z");
        site.switches.baidu.checked_time = checked;
        assert_eq!(refused(&mut site, &request).unwrap().2, code);
    }
}

#[test]
fn keys_that_are_not_good() {
    let (vector, request) = sample();
    let now = "2015-08-11T04:17:29Z";

    let mut stranger = vector.clone();
    stranger["access_key"] = "another".into();
    let unknown = Some((Reason::Key, 403, json!("InvalidAccessKeyId")));
    assert_eq!(
        refused(&mut site_knowing(&stranger, now), &request),
        unknown
    );

    let mut revoking = site_knowing(&vector, now);
    revoking.account.revoke_after(0);
    assert_eq!(refused(&mut revoking, &request), unknown);

    let mut temporary = vector;
    temporary["session_token"] = "token".into();
    assert_eq!(
        refused(&mut site_knowing(&temporary, now), &request),
        unknown
    );
}

#[test]
fn headers_that_cannot_be_read() {
    let (vector, request) = sample();
    let good = request.header("authorization").unwrap().to_owned();
    for (authorization, code) in [
        (None, "AccessDenied"),
        (Some(""), "InvalidHTTPAuthHeader"),
        (Some("Bearer x"), "InvalidHTTPAuthHeader"),
        (Some("bce-auth-v1/a/b"), "InvalidHTTPAuthHeader"),
        (
            Some("bce-auth-v1/a/2015-08-11T04:17:29Z/-1/host/s"),
            "InvalidHTTPAuthHeader",
        ),
        (
            Some("bce-auth-v1/a/yesterday/1800/host/s"),
            "InvalidHTTPAuthHeader",
        ),
        (Some(&format!("{good}/x")), "InvalidHTTPAuthHeader"),
        (
            Some("bce-auth-v1/a/2015-08-11T04:17:29Z/1800/x-bce-date/s"),
            "InvalidHTTPAuthHeader",
        ),
    ] {
        let mut request = request.clone();
        match authorization {
            None => request.headers.remove("authorization"),
            Some(text) => request
                .headers
                .insert("authorization", text.parse().unwrap()),
        };
        let mut site = site_knowing(&vector, "2015-08-11T04:17:29Z");
        let (reason, _, found) = refused(&mut site, &request).unwrap();
        assert_eq!(
            (reason, found),
            (Reason::Other, json!(code)),
            "{authorization:?}"
        );
    }
}

fn put(target: &str, body: &Value) -> Received {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    received("PUT", target, &[], &body)
}

fn batch(verb: &str, ids: &[String]) -> Received {
    put(
        &format!("/v2/instance/batchAction?{verb}"),
        &json!({ "instanceIds": ids }),
    )
}

fn ask(site: &mut Site, request: &Received) -> (u16, Value) {
    perform(site, request, Scope::Everywhere)
}

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["code"].as_str().unwrap_or_default())
}

fn status(site: &mut Site, id: &str) -> String {
    let (_, body) = ask(
        site,
        &received("GET", &format!("/v2/instance/{id}"), &[], ""),
    );
    body["instance"]["status"].as_str().unwrap().to_owned()
}

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

fn listed(site: &mut Site, query: &str, scope: Scope) -> (Vec<String>, Value) {
    let (status, body) = perform(
        site,
        &received("GET", &format!("/v2/instance{query}"), &[], ""),
        scope,
    );
    assert_eq!(status, 200, "{body}");
    let ids = body["instances"].as_array().unwrap();
    let ids = ids.iter().map(|i| i["id"].as_str().unwrap().to_owned());
    (ids.collect(), body)
}

#[test]
fn lists_have_pages() {
    let mut site = site(Cloud::Baidu);
    let mut all = add(&mut site, "bj", 5, State::Running, None);
    let other = add(&mut site, "gz", 2, State::Stopped, None);
    all.extend(add(&mut site, "bj", 2, State::Running, None));
    let region = site.scope("bj");

    let mut seen = Vec::new();
    let mut query = "?maxKeys=3".to_owned();
    loop {
        let (ids, body) = listed(&mut site, &query, region);
        seen.extend(ids);
        let Some(next) = body["nextMarker"].as_str() else {
            assert_eq!(body["isTruncated"], false);
            break;
        };
        assert_eq!(body["isTruncated"], true);
        query = format!("?maxKeys=3&marker={next}");
    }
    assert_eq!(seen, all);

    let (everything, body) = listed(&mut site, "", Scope::Everywhere);
    assert_eq!(everything.len(), 9);
    assert_eq!(body["maxKeys"], 1000);
    assert_eq!(
        listed(&mut site, "?status=Stopped,Expired", Scope::Everywhere).0,
        other
    );
    let wanted = format!("?instanceIds={},{}", all[1], other[0]);
    assert_eq!(listed(&mut site, &wanted, region).0, [all[1].clone()]);
    let nowhere = site.scope("su");
    assert_eq!(listed(&mut site, "", nowhere).0, Vec::<String>::new());

    // A full last page is the last page.
    let (ids, body) = listed(&mut site, "?maxKeys=7", region);
    assert_eq!((ids.len(), &body["isTruncated"]), (7, &json!(false)));
    // Deleted instances are gone from lists and totals.
    let index = site.find(region, &all[6]).unwrap();
    site.delete(index);
    assert_eq!(listed(&mut site, "", region).0, all[..6]);
}

#[test]
fn every_state_has_a_word_and_the_card_count_is_a_text() {
    for (state, trouble, word) in [
        (State::Starting, None, "Starting"),
        (State::Stopping, None, "Stopping"),
        (State::Rebooting, None, "Starting"),
        (State::Stopped, Some(Trouble::Creating), "Starting"),
        (State::Stopped, Some(Trouble::Changing), "Scaling"),
        (State::Stopped, Some(Trouble::Expired), "Expired"),
        (State::Stopped, Some(Trouble::Failed), "Error"),
        (State::Stopped, Some(Trouble::Recycled), "Recycled"),
        (State::Running, Some(Trouble::Locked), "Running"),
    ] {
        let mut site = site(Cloud::Baidu);
        let ids = add(&mut site, "bj", 1, state, trouble);
        assert_eq!(status(&mut site, &ids[0]), word);
        let (_, body) = listed(&mut site, "", Scope::Everywhere);
        assert_eq!(body["instances"][0]["cardCount"], "0");
    }
}

#[test]
fn requests_are_told_apart_before_anyone_looks_at_the_key() {
    let ids = vec!["i-1".to_owned(), "i-2".to_owned()];
    for (request, operation, name, count) in [
        (
            batch("start", &ids),
            Operation::Start,
            "BatchStartInstance",
            2,
        ),
        (
            put("/v2/instance/i-1?stop", &Value::Null),
            Operation::Stop,
            "StopInstance",
            1,
        ),
        (
            batch("reboot", &ids),
            Operation::Reboot,
            "BatchRebootInstance",
            2,
        ),
        (
            received("GET", "/v2/instance/i-1", &[], ""),
            Operation::Observe,
            "GetInstance",
            1,
        ),
        (
            received("GET", "/v2/instance", &[], ""),
            Operation::List,
            "ListInstances",
            0,
        ),
        (
            received(
                "POST",
                "/v2/instance/listByInstanceId",
                &[],
                r#"{"instanceIds":["i-1"]}"#,
            ),
            Operation::Observe,
            "ListInstanceByInstanceIds",
            1,
        ),
        (
            received("PATCH", "/v2/instance", &[], ""),
            Operation::Other,
            "unknown",
            0,
        ),
    ] {
        assert!(super::Baidu.claims(&request));
        let intent = super::Baidu.intent(&request);
        assert_eq!(
            (intent.operation, intent.name, intent.ids),
            (operation, name, count)
        );
    }
    assert_eq!(super::Baidu.region_of("bcc.bj.baidubce.com"), Some("bj"));
    assert_eq!(super::Baidu.region_of("bcc.baidubce.com"), None);
    assert_eq!(super::Baidu.region_of("127.0.0.1"), None);
}

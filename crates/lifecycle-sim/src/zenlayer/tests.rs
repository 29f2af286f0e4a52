//! Zenlayer's signature check against the vendor's own signer, and its answers.

use serde_json::{Value, json};

use super::{Zenlayer, auth, switches::*};
use crate::{
    Cloud, Executed, State, Trouble,
    account::Key,
    dialect::{Dialect, Operation, Reason},
    request::Received,
    site::{Scope, Site},
    testing::{add, at, forgeries, perform, read, received, site, site_at},
};

const SIGNING: &str = include_str!("../../tests/vectors/zenlayer/signing.json");
const REQUESTS: &str = include_str!("../../tests/vectors/zenlayer/requests.json");

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn site_knowing(vector: &Value, now: u64) -> Site {
    let key = match vector["access_key_id"].as_str() {
        Some(id) => Key::pair(
            id.to_owned(),
            text(vector, "access_key_password").to_owned(),
            None,
        ),
        None => Key::token("FAKE-access-token".to_owned()),
    };
    site_at(Cloud::Zenlayer, now, key)
}

fn request_of(vector: &Value, authorization: &str) -> Received {
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
        text(vector, "path"),
        &headers,
        text(vector, "body"),
    )
}

fn refused(site: &mut Site, request: &Received) -> Option<(Reason, u16, Value)> {
    let denial = auth::verify(site, request).err()?;
    let (status, body) = read(&denial.response);
    Some((denial.reason, status, body["code"].clone()))
}

fn vectors() -> Vec<(Value, u64, String)> {
    let vectors: Vec<Value> = serde_json::from_str(SIGNING).unwrap();
    assert_eq!(vectors.len(), 24);
    vectors
        .into_iter()
        .map(|vector| {
            let time = vector["timestamp"].as_u64().unwrap();
            let authorization = text(&vector["expected"], "authorization").to_owned();
            (vector, time, authorization)
        })
        .collect()
}

fn captured() -> Vec<(Value, u64, String)> {
    let requests: Vec<Value> = serde_json::from_str(REQUESTS).unwrap();
    assert_eq!(requests.len(), 18);
    requests
        .into_iter()
        .map(|request| {
            let headers = request["headers"].as_array().unwrap();
            let authorization = headers.iter().find(|pair| pair[0] == "Authorization");
            let authorization = authorization.unwrap()[1].as_str().unwrap().to_owned();
            (request, 1_700_000_000, authorization)
        })
        .collect()
}

#[test]
fn what_the_vendors_signer_made_is_accepted_and_every_forgery_refused() {
    let mut forged = 0;
    for (vector, time, authorization) in vectors().into_iter().chain(captured()) {
        let name = text(&vector, "name");
        let mut site = site_knowing(&vector, time);
        let request = request_of(&vector, &authorization);
        assert_eq!(refused(&mut site, &request), None, "{name}");
        if authorization.starts_with("Bearer") {
            continue;
        }
        for (what, forgery) in forgeries(&request, &["host", "content-type", "x-zc-timestamp"]) {
            // The algorithm covers neither path nor query.
            if what == "path" || what.starts_with("query") {
                continue;
            }
            let (reason, status, code) = refused(&mut site, &forgery).expect(&what);
            let expected = match what.as_str() {
                "x-zc-timestamp" => (Reason::Other, 401, "AUTHFAILURE_SIGNATURE_EXPIRED"),
                _ => (Reason::Key, 401, "AUTHFAILURE_SIGNATURE_FAILURE"),
            };
            assert_eq!(
                (reason, status, code.as_str().unwrap()),
                expected,
                "{name}: {what}"
            );
            forged += 1;
        }
        let mut later = request.clone();
        let next = (time + 1).to_string().parse().unwrap();
        later.headers.insert("x-zc-timestamp", next);
        assert!(
            refused(&mut site, &later).is_some(),
            "the timestamp is signed"
        );
        let mut stranger = vector.clone();
        stranger["access_key_password"] = "another".into();
        assert!(refused(&mut site_knowing(&stranger, time), &request).is_some());
    }
    assert_eq!(forged, (24 + 17) * 5);
}

#[test]
fn a_request_ages_after_five_minutes() {
    let (vector, time, authorization) = vectors().swap_remove(0);
    let request = request_of(&vector, &authorization);
    for (now, accepted) in [
        (time + 300, true),
        (time + 301, false),
        (time - 300, true),
        (time - 301, false),
    ] {
        let expired = (Reason::Other, 401, json!("AUTHFAILURE_SIGNATURE_EXPIRED"));
        let refusal = refused(&mut site_knowing(&vector, now), &request);
        assert_eq!(refusal, (!accepted).then_some(expired));
    }
}

#[test]
fn further_headers_and_lower_case_values_may_be_signed() {
    use lifecycle_core::encode::{hmac_sha256_hex, sha256_hex};
    let body = "{}";
    for value in ["Application/JSON", "application/json"] {
        let canonical = format!(
            "POST\n/\n\ncontent-type:{value}\nhost:console.zenlayer.com\nx-zc-action:StartInstances\n\ncontent-type;host;x-zc-action\n{}",
            sha256_hex(body.as_bytes())
        );
        let to_sign = format!(
            "ZC2-HMAC-SHA256\n1700000000\n{}",
            sha256_hex(canonical.as_bytes())
        );
        let signature = hmac_sha256_hex(b"secret", to_sign.as_bytes());
        let authorization = format!(
            "ZC2-HMAC-SHA256 Credential=id,SignedHeaders=content-type;host;x-zc-action,Signature={signature}"
        );
        let headers = |action| {
            [
                ("host", "console.zenlayer.com"),
                ("content-type", "Application/JSON"),
                ("x-zc-action", action),
                ("x-zc-timestamp", "1700000000"),
                ("x-zc-signature-method", "ZC2-HMAC-SHA256"),
                ("authorization", authorization.as_str()),
            ]
        };
        let key = Key::pair("id".into(), "secret".into(), None);
        let mut site = site_at(Cloud::Zenlayer, 1_700_000_000, key);
        // The page has values in lower case, the SDKs as they are: `startinstances` or not.
        let good = received("POST", "/api/v2/zec", &headers("StartInstances"), body);
        let lower_only = value == "application/json";
        assert_eq!(refused(&mut site, &good).is_some(), lower_only);
        let forged = received("POST", "/api/v2/zec", &headers("StopInstances"), body);
        assert!(refused(&mut site, &forged).is_some());
    }
}

#[test]
fn headers_and_keys_that_are_not_good() {
    let (vector, time, good) = vectors().swap_remove(0);
    let malformed = (
        Reason::Other,
        401,
        json!("AUTHFAILURE_INVALID_AUTHORIZATION"),
    );
    for authorization in [
        "",
        "Basic x",
        "ZC2-HMAC-SHA256 Credential=a",
        "ZC2-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=b",
        &format!("{good}, More=1"),
    ] {
        let request = request_of(&vector, authorization);
        let refusal = refused(&mut site_knowing(&vector, time), &request);
        assert_eq!(refusal, Some(malformed.clone()), "{authorization:?}");
    }
    for missing in ["x-zc-timestamp", "x-zc-signature-method", "authorization"] {
        let mut request = request_of(&vector, &good);
        request.headers.remove(missing);
        let refusal = refused(&mut site_knowing(&vector, time), &request);
        assert_eq!(refusal, Some(malformed.clone()), "{missing}");
    }
    let bad_key = Some((Reason::Key, 401, json!("AUTHFAILURE_SIGNATURE_FAILURE")));
    let request = request_of(&vector, &good);
    let mut revoking = site_knowing(&vector, time);
    revoking.account.revoke_after(0);
    assert_eq!(refused(&mut revoking, &request), bad_key);
    let mut stranger = vector.clone();
    stranger["access_key_id"] = "another".into();
    assert_eq!(
        refused(&mut site_knowing(&stranger, time), &request),
        bad_key
    );

    let bearer = request_of(&vector, "Bearer nothing");
    let bad_token = Some((Reason::Key, 401, json!("AUTHFAILURE_INVALID_AUTHORIZATION")));
    assert_eq!(
        refused(&mut site_knowing(&vector, time), &bearer),
        bad_token
    );
}

fn call(action: &str, body: &Value) -> Received {
    received(
        "POST",
        "/api/v2/zec",
        &[("x-zc-action", action)],
        &body.to_string(),
    )
}

fn ids(action: &str, ids: &[String]) -> Received {
    call(action, &json!({ "instanceIds": ids }))
}

fn ask(site: &mut Site, request: &Received) -> (u16, Value) {
    perform(site, request, Scope::Everywhere)
}

fn code(answer: &(u16, Value)) -> (u16, &str) {
    assert!(
        answer.1.get("response").is_none(),
        "errors are flat: {}",
        answer.1
    );
    (answer.0, answer.1["code"].as_str().unwrap_or_default())
}

fn status(site: &mut Site, id: &str) -> String {
    let (_, body) = ask(
        site,
        &call("DescribeInstancesStatus", &json!({"instanceIds": [id]})),
    );
    body["response"]["dataSet"][0]["instanceStatus"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn executed(site: &Site, id: &str) -> Executed {
    site.instance(site.find(Scope::Everywhere, id).unwrap())
        .executed
}

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

fn described(site: &mut Site, action: &str, body: &Value) -> (Vec<String>, u64) {
    let (status, answer) = ask(site, &call(action, body));
    assert_eq!(status, 200, "{answer}");
    let answer = &answer["response"];
    let rows = answer["dataSet"].as_array().unwrap();
    let rows = rows
        .iter()
        .map(|row| row["instanceId"].as_str().unwrap().to_owned());
    (rows.collect(), answer["totalCount"].as_u64().unwrap())
}

#[test]
fn describes_have_pages() {
    let mut site = site(Cloud::Zenlayer);
    let mut all = add(&mut site, "asia-southeast-1", 30, State::Running, None);
    all.extend(add(&mut site, "europe-west-1", 3, State::Stopped, None));
    for action in ["DescribeInstancesStatus", "DescribeInstances"] {
        assert_eq!(
            described(&mut site, action, &json!({})),
            (all[..20].to_vec(), 33)
        );
        let second = json!({"pageSize": 30, "pageNum": 2});
        assert_eq!(
            described(&mut site, action, &second),
            (all[30..].to_vec(), 33)
        );
        let third = json!({"pageSize": 30, "pageNum": 3});
        assert_eq!(described(&mut site, action, &third), (vec![], 33));

        let named = json!({ "instanceIds": all[..25] });
        assert_eq!(
            described(&mut site, action, &named),
            (all[..20].to_vec(), 25)
        );
        let rest = json!({ "instanceIds": all[..25], "pageNum": 2 });
        assert_eq!(
            described(&mut site, action, &rest),
            (all[20..25].to_vec(), 25)
        );
        site.switches.zenlayer.ids_page = IdsPage::All;
        assert_eq!(
            described(&mut site, action, &named),
            (all[..25].to_vec(), 25)
        );
        site.switches.zenlayer.ids_page = IdsPage::Default;

        site.switches.zenlayer.order = Order::Reversed;
        let backwards = [all[1].clone(), all[0].clone()].to_vec();
        assert_eq!(
            described(&mut site, action, &json!({"pageSize": 2})),
            (backwards, 33)
        );
        site.switches.zenlayer.order = Order::Made;

        let one_unknown = json!({"instanceIds": ["1", all[4]]});
        assert_eq!(
            described(&mut site, action, &one_unknown),
            (vec![all[4].clone()], 1)
        );
    }
    let second = json!({"status": "STOPPED", "pageSize": 2, "pageNum": 2});
    let found = described(&mut site, "DescribeInstances", &second);
    assert_eq!(found, (vec![all[32].clone()], 3));
    let filters = json!({"status": "STOPPED", "zoneId": "europe-west-1a", "name": "000031"});
    let found = described(&mut site, "DescribeInstances", &filters);
    assert_eq!(found, (vec![all[31].clone()], 1));

    site.switches.zenlayer.unknown_in_describe = UnknownInDescribe::Refused;
    for (how, expected) in [
        (UnknownId::InstanceNotFound, "INVALID_INSTANCE_NOT_FOUND"),
        (
            UnknownId::ResourceNotFound,
            "OPERATION_FAILED_RESOURCE_NOT_FOUND",
        ),
    ] {
        site.switches.zenlayer.unknown_id = how;
        let answer = ask(&mut site, &ids("DescribeInstances", &["1".to_owned()]));
        assert_eq!(code(&answer), (404, expected));
    }
}

#[test]
fn every_state_has_a_word_in_both_describes() {
    for (state, trouble, word) in [
        (State::Stopped, Some(Trouble::Creating), "DEPLOYING"),
        (State::Stopped, Some(Trouble::Changing), "RESIZING"),
        (State::Stopped, Some(Trouble::Expired), "STOPPED"),
        (State::Stopped, Some(Trouble::Failed), "CREATE_FAILED"),
        (State::Stopped, Some(Trouble::Recycled), "RECYCLE"),
        (State::Running, Some(Trouble::Locked), "RUNNING"),
    ] {
        let mut site = site(Cloud::Zenlayer);
        let vm = add(&mut site, "asia-southeast-1", 1, state, trouble);
        assert_eq!(status(&mut site, &vm[0]), word);
        let (_, body) = ask(&mut site, &ids("DescribeInstances", &vm));
        assert_eq!(body["response"]["dataSet"][0]["status"], word);
    }
    let mut site = site(Cloud::Zenlayer);
    site.switches.zenlayer.recycled = Recycled::Recycled;
    let vm = add(
        &mut site,
        "asia-southeast-1",
        1,
        State::Stopped,
        Some(Trouble::Recycled),
    );
    assert_eq!(status(&mut site, &vm[0]), "RECYCLED");
}

#[test]
fn requests_are_told_apart_before_anyone_looks_at_the_key() {
    let two = ["1".to_owned(), "2".to_owned()];
    for (request, operation, name, count) in [
        (
            ids("StartInstances", &two),
            Operation::Start,
            "StartInstances",
            2,
        ),
        (
            ids("StopInstances", &two),
            Operation::Stop,
            "StopInstances",
            2,
        ),
        (
            ids("RebootInstances", &two),
            Operation::Reboot,
            "RebootInstances",
            2,
        ),
        (
            ids("DescribeInstancesStatus", &two),
            Operation::Observe,
            "DescribeInstancesStatus",
            2,
        ),
        (
            call("DescribeInstances", &json!({})),
            Operation::List,
            "DescribeInstances",
            0,
        ),
        (call("Explode", &json!({})), Operation::Other, "unknown", 0),
    ] {
        assert!(Zenlayer.claims(&request));
        let intent = Zenlayer.intent(&request);
        assert_eq!(
            (intent.operation, intent.name, intent.ids),
            (operation, name, count)
        );
    }
}

//! Requests against recorded ones, answers against what they mean.

use std::collections::BTreeSet;

use bytes::Bytes;
use lifecycle_core::{
    Credential, Endpoint, ExecutionStatus, LocalDisk, Provider, RebootOptions, SigningContext,
    StartOptions, StopBilling, StopMode, StopOptions,
};
use provider_testing::http_response;
use serde_json::Value;

use super::*;
use crate::{Baidu, Config, sign::tests::verify};

// Requests.

/// What we ask for where Baidu's Python SDK recorded `op`; `None` where we ask in another way.
fn our_draft(op: &str) -> Option<UnsignedRequest> {
    let one = &ids(&["i-YufwpQAe"])[..];
    let two = &ids(&["i-YufwpQAe", "i-IyWRtII7"])[..];
    Some(match op {
        "start"
        | "start_with_security_token_configured"
        | "start_endpoint_https"
        | "start_endpoint_bare_host" => act_draft(start(), one),
        "batch_start" => act_draft(start(), two),
        "stop" => act_draft(stop(StopMode::Graceful, StopBilling::Keep), one),
        "stop_force" => act_draft(stop(StopMode::Forced, StopBilling::Keep), one),
        "stop_no_charge" => act_draft(stop(StopMode::Graceful, StopBilling::Release), one),
        "batch_stop" => act_draft(stop(StopMode::Graceful, StopBilling::Keep), two),
        "batch_stop_force" => act_draft(stop(StopMode::Forced, StopBilling::Keep), two),
        "batch_stop_force_no_charge" => {
            act_draft(stop(StopMode::Forced, StopBilling::Release), two)
        }
        "reboot" => act_draft(reboot(StopMode::Graceful), one),
        "reboot_force" => act_draft(reboot(StopMode::Forced), one),
        "batch_reboot" => act_draft(reboot(StopMode::Graceful), two),
        "batch_reboot_force" => act_draft(reboot(StopMode::Forced), two),
        "get_instance" => observe(one).unwrap().request,
        "list_instance_by_instance_ids" => observe(two).unwrap().request,
        "list_instances" => list(None).request,
        "list_instances_page" => list(Some(&PageToken::new("i-IyWRtII7"))).request,
        // A batch of one, filters that we do not use, and an id that InstanceId refuses.
        "batch_start_auto_token"
        | "get_instance_contains_failed"
        | "get_instance_with_deploy_set"
        | "list_instances_by_ids"
        | "list_instance_no_charge"
        | "describe_regions"
        | "get_instance_id_not_encoded" => return None,
        _ => panic!("{op} has no line in this table"),
    })
}

#[test]
fn requests_mean_what_the_vendors_sdk_means() {
    let wire = wire();
    let secret = wire["secret_key"].as_str().unwrap();
    let key = Credential::keys(wire["access_key"].as_str().unwrap(), secret);
    let mut compared = 0;
    for recorded in wire["requests"].as_array().unwrap() {
        let op = recorded["op"].as_str().unwrap();
        let theirs = recorded_request(recorded);
        assert_eq!(verify(&theirs, secret), Ok(()), "{op} as recorded");
        let Some(draft) = our_draft(op) else { continue };
        compared += 1;

        let ours = provider(theirs.headers()["host"].to_str().unwrap())
            .sign(&draft, &key, &SigningContext::from_unix(1_760_947_200, 0))
            .unwrap();
        assert_eq!(verify(&ours, secret), Ok(()), "{op}");
        assert_eq!(ours.method(), theirs.method(), "{op}");
        assert_eq!(ours.uri().path(), theirs.uri().path(), "{op}");
        assert_eq!(query(&ours), query(&theirs), "{op}");
        assert_eq!(said(&ours), said(&theirs), "{op}");
    }
    assert_eq!(compared, 19);
}

/// The query but for what does not change its meaning: the token of a repeat, which Baidu's
/// documents do not know for these calls, and the size of a page.
fn query(request: &http::Request<Bytes>) -> Vec<&str> {
    let query = request.uri().query().unwrap_or_default();
    let mut pairs: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.starts_with("clientToken=") && !pair.starts_with("maxKeys="))
        .map(|pair| pair.trim_end_matches('='))
        .filter(|pair| !pair.is_empty())
        .collect();
    pairs.sort_unstable();
    pairs
}

/// The body but for flags that say what goes without saying.
fn said(request: &http::Request<Bytes>) -> Value {
    if request.body().is_empty() {
        return Value::Null;
    }
    let mut body: Value = serde_json::from_slice(request.body()).unwrap();
    body.as_object_mut()
        .unwrap()
        .retain(|_, value| *value != false);
    body
}

fn recorded_request(recorded: &Value) -> http::Request<Bytes> {
    let text = |field: &str| recorded[field].as_str().unwrap();
    let mut request = http::Request::builder().method(text("method")).uri(format!(
        "{}?{}",
        text("path"),
        text("raw_query")
    ));
    for header in recorded["headers"].as_array().unwrap() {
        request = request.header(header[0].as_str().unwrap(), header[1].as_str().unwrap());
    }
    request.body(text("body").to_owned().into()).unwrap()
}

#[test]
fn flags_are_never_left_to_the_cloud() {
    let one = &ids(&["i-1"])[..];
    let two = &ids(&["i-1", "i-2"])[..];
    for (action, ids, query, expected) in [
        (start(), one, "start", ""),
        (start(), two, "start", r#"{"instanceIds":["i-1","i-2"]}"#),
        (
            stop(StopMode::Graceful, StopBilling::Keep),
            one,
            "stop",
            r#"{"forceStop":false,"stopWithNoCharge":false}"#,
        ),
        (
            stop(StopMode::Forced, StopBilling::Release),
            two,
            "stop",
            r#"{"instanceIds":["i-1","i-2"],"forceStop":true,"stopWithNoCharge":true}"#,
        ),
        (
            reboot(StopMode::Graceful),
            one,
            "reboot",
            r#"{"forceStop":false}"#,
        ),
        (
            reboot(StopMode::Forced),
            two,
            "reboot",
            r#"{"instanceIds":["i-1","i-2"],"forceStop":true}"#,
        ),
    ] {
        let draft = act_draft(action, ids);
        assert_eq!(draft.query, query, "bare, without an equals sign");
        assert_eq!(draft.body, expected);
    }
}

#[test]
fn reads_ask_for_whole_pages() {
    let two = ids(&["i-1", "i-2"]);
    assert_eq!(observe(&two).unwrap().request.query, "maxKeys=100");
    assert_eq!(observe(&two[..1]).unwrap().request.query, "");
    assert_eq!(list(None).request.query, "maxKeys=1000");
    assert_eq!(
        list(Some(&PageToken::new("a b/&"))).request.query,
        "marker=a%20b%2F%26&maxKeys=1000"
    );
}

#[test]
fn a_hundred_instances_fit_into_one_call_and_no_more() {
    let many: Vec<InstanceId> = (0..101)
        .map(|n| InstanceId::new(&format!("i-{n}")).unwrap())
        .collect();
    for action in [
        start(),
        stop(StopMode::Graceful, StopBilling::Keep),
        reboot(StopMode::Graceful),
    ] {
        assert_eq!(PROFILE.batch_limits.of(action.kind()), 100);
        assert!(act(&action, &many[..100]).is_ok());
        for ids in [&many[..], &[]] {
            assert_eq!(act(&action, ids).unwrap_err().kind(), FaultKind::Invalid);
        }
    }
    assert!(observe(&many[..100]).is_ok());
    assert!(observe(&many).is_err());
    assert!(observe(&[]).is_err());
}

#[test]
fn an_option_that_baidu_lacks_is_refused() {
    let mut options = StartOptions::default();
    options.local_disk = LocalDisk::Initialize;
    let fault = act(&Action::Start(options), &ids(&["i-1"])).unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Unsupported);
    assert!(
        PROFILE
            .supports(&stop(StopMode::Forced, StopBilling::Release))
            .is_ok()
    );
    assert!(PROFILE.supports(&reboot(StopMode::Forced)).is_ok());
}

// Answers.

/// What an answer means.
#[derive(Debug)]
enum Meaning {
    All,
    Except(&'static [&'static str]),
    One(PowerState, &'static str),
    Rows(&'static [(&'static str, PowerState)], Option<&'static str>),
    Refusal(FaultKind, ExecutionStatus),
}

fn meaning(name: &str) -> Meaning {
    use FaultKind::*;
    use Meaning::*;
    use PowerState::{Running, Starting, Stopped, Stopping};
    match name {
        "power_ok_empty" | "power_ok_with_ids_failed_none" => All,
        "power_ok_partly_failed" => Except(&["i-IyWRtII7"]),
        "get_instance_running" => One(Running, "Running"),
        "get_instance_starting" => One(Starting, "Starting"),
        "get_instance_stopping" => One(Stopping, "Stopping"),
        "get_instance_stopped" => One(Stopped, "Stopped"),
        "list_last_page" => Rows(&[("i-JmwRSUbR", Running)], None),
        "list_first_page_of_two" => Rows(&[("i-IyWRtII7", Stopped)], Some("i-xktdeMSf")),
        "list_empty" => Rows(&[], None),
        "start_not_stopped" | "stop_not_running" | "reboot_not_running" => {
            Refusal(WrongState, ExecutionStatus::NotExecuted)
        }
        "start_creating" => Refusal(Busy, ExecutionStatus::NotExecuted),
        "start_expired" => Refusal(Billing, ExecutionStatus::NotExecuted),
        "stop_no_charge_prepaid" | "stop_no_charge_local_disk" | "stop_no_charge_type" => {
            Refusal(Unsupported, ExecutionStatus::NotExecuted)
        }
        "common_access_denied" | "common_opt_in_required" | "qualify_not_pass" => {
            Refusal(Permission, ExecutionStatus::NotExecuted)
        }
        "common_invalid_ak" | "common_invalid_auth_header" | "common_signature_mismatch" => {
            Refusal(Credential, ExecutionStatus::NotExecuted)
        }
        "common_inappropriate_json"
        | "common_invalid_http_request"
        | "common_invalid_uri"
        | "common_malformed_json"
        | "common_invalid_version"
        | "common_precondition_failed"
        | "common_idempotent_mismatch" => Refusal(Invalid, ExecutionStatus::NotExecuted),
        "common_request_expired" => Refusal(ClockSkew, ExecutionStatus::NotExecuted),
        "no_such_object" | "no_such_object_400" => Refusal(NotFound, ExecutionStatus::NotExecuted),
        "common_internal_error" | "server_error_empty_body" | "gateway_html" => {
            Refusal(Unavailable, ExecutionStatus::Unknown)
        }
        _ => panic!("{name} has no line in this table"),
    }
}

#[test]
fn answers_mean_what_the_documents_say() {
    for response in wire()["responses"].as_array().unwrap() {
        let name = response["name"].as_str().unwrap();
        let reply = recorded_reply(response);
        let checked = crate::fault::check(&reply);
        let refusal = match meaning(name) {
            Meaning::Refusal(kind, effect) => Some((kind, effect)),
            _ => None,
        };
        assert_eq!(
            checked
                .as_ref()
                .err()
                .map(|f| (f.kind(), f.execution_status())),
            refusal,
            "{name}"
        );
        match meaning(name) {
            Meaning::All => {
                assert!(matches!(read_power(&reply), Ok(BatchAck::All)), "{name}");
            }
            Meaning::Except(expected) => match read_power(&reply) {
                Ok(BatchAck::Except(failed)) => {
                    let ids: Vec<&str> = failed.iter().map(|(id, _)| id.as_str()).collect();
                    assert_eq!(ids, expected, "{name}");
                    for (_, fault) in failed {
                        assert_eq!(fault.kind(), FaultKind::Failed);
                        assert_eq!(fault.execution_status(), ExecutionStatus::Unknown);
                        assert_eq!(fault.request_id(), reply.header("x-bce-request-id"));
                    }
                }
                other => panic!("{name}: {other:?}"),
            },
            Meaning::One(state, raw) => {
                let seen = read_one(&reply).unwrap().remove(0);
                assert_eq!(seen.instance.as_str(), "i-JmwRSUbR", "{name}");
                assert_eq!((seen.state, seen.raw.as_str()), (state, raw), "{name}");
                assert_eq!(seen.name.as_deref(), Some("instance-4nbckz0b"), "{name}");
            }
            Meaning::Rows(expected, next) => {
                let page = read_page(&reply).unwrap();
                assert_eq!(rows(&page.observations), expected, "{name}");
                assert_eq!(page.next.as_ref().map(PageToken::as_str), next, "{name}");
                let many = read_many(&reply);
                match next {
                    None => assert_eq!(many.unwrap(), page.observations, "{name}"),
                    Some(_) => assert_eq!(many.unwrap_err().kind(), FaultKind::Unreadable),
                }
            }
            Meaning::Refusal(..) => {
                let fault = checked.unwrap_err();
                assert_eq!(fault.code(), response["error_code"].as_str(), "{name}");
                assert_eq!(fault.request_id(), reply.header("x-bce-request-id"));
                assert_eq!(fault.status(), Some(reply.status().as_u16()), "{name}");
            }
        }
    }
}

#[test]
fn every_status_has_its_state_and_new_ones_keep_their_word() {
    for (status, state) in [
        ("Starting", PowerState::Starting),
        ("Running", PowerState::Running),
        ("Stopping", PowerState::Stopping),
        ("Stopped", PowerState::Stopped),
        ("Expired", PowerState::Expired),
        ("Recycled", PowerState::Recycled),
        ("Deleted", PowerState::Deleted),
        ("Error", PowerState::Failed),
        ("Scaling", PowerState::Changing),
        ("SnapshotProcessing", PowerState::Changing),
        ("ImageProcessing", PowerState::Changing),
        ("ChangeVpc", PowerState::Changing),
        ("ChangeSubnet", PowerState::Changing),
        ("Recharging", PowerState::Changing),
        ("BillingChanging", PowerState::Changing),
        ("VolumeResizing", PowerState::Changing),
        ("AttachingPort", PowerState::Changing),
        ("DetachingPort", PowerState::Changing),
        ("Moving", PowerState::Changing),
        ("Dreaming", PowerState::Unknown),
        ("running", PowerState::Unknown),
    ] {
        let body = format!(r#"{{"instance":{{"id":"i-1","status":"{status}"}}}}"#);
        let seen = read_one(&reply(&body)).unwrap().remove(0);
        assert_eq!((seen.state, seen.raw.as_str()), (state, status));
    }
}

#[test]
fn an_odd_row_costs_itself_at_most() {
    let reply = reply(
        r#"{"isTruncated": "no", "nextMarker": 5, "instances": [
            {"id": "i-1", "status": null, "name": 7},
            {"id": "i-2"},
            {"id": "i-3", "status": {"is": "Running"}, "name": ""},
            {"id": "../i-4", "status": "Running"},
            {"id": null, "status": "Running"},
            {"status": "Running"},
            null, 7, "i-5", [],
            {"id": "i-6", "status": "Deleted"}
        ]}"#,
    );
    let page = read_page(&reply).unwrap();
    assert_eq!(
        rows(&page.observations),
        [
            ("i-1", PowerState::Unknown),
            ("i-2", PowerState::Unknown),
            ("i-3", PowerState::Unknown),
            ("i-6", PowerState::Deleted),
        ]
    );
    assert!(page.observations.iter().all(|seen| seen.name.is_none()));
    assert_eq!(page.next, None);
}

#[test]
fn the_last_page_is_known_by_its_flag_or_its_marker() {
    for (body, next) in [
        (r#"{"isTruncated":true,"nextMarker":"m"}"#, Some("m")),
        (r#"{"isTruncated":false,"nextMarker":"m"}"#, None),
        (r#"{"isTruncated":true,"nextMarker":""}"#, None),
        (r#"{"isTruncated":true}"#, None),
        (r#"{"isTruncated":false,"instances":null}"#, None),
        (r#"{"instances":[],"nextMarker":"m"}"#, Some("m")),
    ] {
        let page = read_page(&reply(body)).unwrap();
        assert_eq!(page.next.as_ref().map(PageToken::as_str), next, "{body}");
    }
}

#[test]
fn an_answer_to_something_else_is_not_read_as_success() {
    for body in [
        "null",
        "7",
        "\"ok\"",
        "<html>",
        r#"{"failedInstanceIdList":"i-1"}"#,
        r#"{"failedInstanceIdList":[7]}"#,
        r#"{"failedInstanceIdList":["../i-1"]}"#,
    ] {
        let fault = read_power(&reply(body)).expect_err(body);
        assert_eq!(fault.kind(), FaultKind::Unreadable, "{body}");
        assert_eq!(fault.execution_status(), ExecutionStatus::Unknown, "{body}");
    }
    for body in ["", "{}", "[]", r#"{"instance":null}"#, r#"{"instances":7}"#] {
        let reply = reply(body);
        assert!(read_one(&reply).is_err(), "{body}");
        assert!(read_many(&reply).is_err(), "{body}");
        assert!(read_page(&reply).is_err(), "{body}");
    }
    for body in ["", " \r\n", "{}", r#"{"failedInstanceIdList":null}"#] {
        assert!(matches!(read_power(&reply(body)), Ok(BatchAck::All)));
    }
}

// Damage.

#[test]
fn damaged_answers_neither_panic_nor_invent_anything() {
    for response in wire()["responses"].as_array().unwrap() {
        let whole = recorded_reply(response);
        let text = response["body"].as_str().unwrap();
        let mut bodies: Vec<Bytes> = (0..text.len())
            .map(|end| whole.body().slice(..end))
            .collect();
        if let Ok(value) = serde_json::from_str(text) {
            bodies.extend(variants(&value).iter().map(|v| v.to_string().into()));
        }
        for body in bodies {
            for status in BTreeSet::from([200, whole.status().as_u16()]) {
                read_everything(&http_response(
                    status,
                    whole.headers().clone(),
                    body.clone(),
                ));
            }
        }
    }
}

/// Feeds an answer to all that reads answers; an id that comes out has to be in the body.
fn read_everything(reply: &HttpResponse) {
    _ = crate::fault::request_id(reply);
    let text = String::from_utf8_lossy(reply.body()).into_owned();
    let known = |id: &InstanceId| assert!(text.contains(id.as_str()), "{id} is not in {text}");
    if let Err(fault) = crate::fault::check(reply) {
        fault.instances().iter().for_each(known);
    }
    match read_power(reply) {
        Ok(BatchAck::Except(failed)) => failed.iter().for_each(|(id, _)| known(id)),
        Ok(BatchAck::All) => assert!(
            text.is_empty() || serde_json::from_str::<Value>(&text).is_ok(),
            "half an answer was read as success: {text}"
        ),
        Ok(other) => panic!("{other:?}"),
        Err(_) => (),
    }
    for seen in [
        read_one(reply),
        read_many(reply),
        read_page(reply).map(|page| page.observations),
    ]
    .into_iter()
    .flatten()
    .flatten()
    {
        known(&seen.instance);
    }
}

/// The value with each of its parts replaced, in turn, by something of every type.
fn variants(value: &Value) -> Vec<Value> {
    let mut variants: Vec<Value> = [
        Value::Null,
        true.into(),
        7.into(),
        (-1.5e300).into(),
        "x".into(),
        Value::Array(vec![Value::Null]),
        Value::Object(serde_json::Map::new()),
    ]
    .into();
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                variants.extend(variants_of(field, |changed| {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), changed);
                    fields.into()
                }));
                let mut without = fields.clone();
                without.remove(name);
                variants.push(without.into());
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                variants.extend(variants_of(item, |changed| {
                    let mut items = items.clone();
                    items[index] = changed;
                    items.into()
                }));
            }
        }
        _ => (),
    }
    variants
}

fn variants_of(part: &Value, put_back: impl Fn(Value) -> Value) -> Vec<Value> {
    variants(part).into_iter().map(put_back).collect()
}

// Shared.

fn wire() -> Value {
    serde_json::from_str(include_str!("../../tests/vectors/wire.json")).unwrap()
}

fn recorded_reply(response: &Value) -> HttpResponse {
    let headers = response["headers"].as_array().unwrap().iter();
    http_response(
        response["http_status"]
            .as_u64()
            .unwrap()
            .try_into()
            .unwrap(),
        headers
            .map(|header| {
                let text = |at: usize| header[at].as_str().unwrap();
                let name: http::HeaderName = text(0).parse().unwrap();
                (name, text(1).parse().unwrap())
            })
            .collect(),
        response["body"].as_str().unwrap().to_owned(),
    )
}

fn reply(body: &str) -> HttpResponse {
    http_response(200, http::HeaderMap::new(), body.to_owned())
}

fn rows(observations: &[Observation]) -> Vec<(&str, PowerState)> {
    observations
        .iter()
        .map(|seen| (seen.instance.as_str(), seen.state))
        .collect()
}

fn provider(host: &str) -> Baidu {
    let endpoint = Endpoint::parse(host).unwrap();
    Baidu::new(Config::new("bj").unwrap().with_endpoint(endpoint))
}

fn act_draft(action: Action, ids: &[InstanceId]) -> UnsignedRequest {
    act(&action, ids).unwrap().request
}

fn ids(texts: &[&str]) -> Vec<InstanceId> {
    texts
        .iter()
        .map(|id| InstanceId::new(id).unwrap())
        .collect()
}

fn start() -> Action {
    Action::Start(StartOptions::default())
}

fn stop(mode: StopMode, billing: StopBilling) -> Action {
    let mut options = StopOptions::default();
    options.mode = mode;
    options.billing = billing;
    Action::Stop(options)
}

fn reboot(mode: StopMode) -> Action {
    let mut options = RebootOptions::default();
    options.mode = mode;
    Action::Reboot(options)
}

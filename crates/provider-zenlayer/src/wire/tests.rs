//! Requests against recorded ones, answers against what they mean.

use std::collections::BTreeSet;

use bytes::Bytes;
use lifecycle_core::{
    Credential, Endpoint, ExecutionStatus, LocalDisk, Provider, RebootOptions, SigningContext,
    StartOptions, StopBilling, StopMode, StopOptions,
};
use provider_testing::http_response;

use super::*;
use crate::{Zenlayer, sign::tests::verify};

// Requests.

/// What we ask for where Zenlayer's Python SDK recorded `name`; `None` where we ask in another way.
fn our_draft(name: &str) -> Option<UnsignedRequest> {
    let one = &ids(&["instanceId1"])[..];
    let two = &ids(&["instanceId1", "instanceId2"])[..];
    Some(match name {
        "start" => act_draft(start(), two),
        "start_bearer_token" | "start_keep_alive" => act_draft(start(), one),
        // Without its flag a stop is forced.
        "stop_default" => act_draft(stop(StopMode::Forced), one),
        "stop_graceful" => act_draft(stop(StopMode::Graceful), one),
        "stop_forced" => act_draft(stop(StopMode::Forced), two),
        "reboot" => act_draft(reboot(StopMode::Graceful), one),
        "reboot_forced" => act_draft(reboot(StopMode::Forced), one),
        "describe_status_ids" => observe(&Config::new(), two).unwrap().request,
        // Filters and pages that we do not use, and an older version of the API.
        "describe_status_all"
        | "describe_status_page"
        | "describe_instances_ids"
        | "describe_instances_filters"
        | "start_2024_04_01"
        | "stop_2024_04_01"
        | "reboot_2024_04_01"
        | "describe_status_2024_04_01"
        | "describe_instances_2024_04_01" => return None,
        _ => panic!("{name} has no line in this table"),
    })
}

#[test]
fn requests_mean_what_the_vendors_sdk_means() {
    let mut compared = 0;
    for recorded in wire()["requests"].as_array().unwrap() {
        let name = recorded["name"].as_str().unwrap();
        let theirs = recorded_request(recorded);
        let (key, secret) = match recorded["access_key_password"].as_str() {
            Some(secret) => {
                assert_eq!(verify(&theirs, secret), Ok(()), "{name} as recorded");
                let id = recorded["access_key_id"].as_str().unwrap();
                (Credential::keys(id, secret), Some(secret))
            }
            None => (Credential::token("FAKE-access-token"), None),
        };
        let Some(draft) = our_draft(name) else {
            continue;
        };
        compared += 1;

        let endpoint = Endpoint::parse(recorded["host"].as_str().unwrap()).unwrap();
        let ours = Zenlayer::new(Config::new().with_endpoint(endpoint))
            .sign(&draft, &key, &SigningContext::from_unix(1_700_000_000, 0))
            .unwrap();
        assert_eq!(ours.method(), theirs.method(), "{name}");
        assert_eq!(ours.uri().path(), theirs.uri().path(), "{name}");
        assert_eq!(headers(&ours), headers(&theirs), "{name}");
        assert_eq!(said(&ours), said(&theirs), "{name}");
        match secret {
            Some(secret) => assert_eq!(verify(&ours, secret), Ok(()), "{name}"),
            None => assert_eq!(
                ours.headers()["authorization"],
                theirs.headers()["authorization"]
            ),
        }
    }
    assert_eq!(compared, 9);
}

/// The headers that say something to the API, but for the signature.
fn headers(request: &http::Request<Bytes>) -> Vec<(&str, &str)> {
    let mut headers: Vec<(&str, &str)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .filter(|(name, _)| name.starts_with("x-zc-") || *name == "content-type")
        .filter(|(name, _)| !name.starts_with("x-zc-sdk-"))
        .collect();
    headers.sort_unstable();
    headers
}

/// The body with what goes without saying said, and without the size of a page.
fn said(request: &http::Request<Bytes>) -> Value {
    let mut body: Value = serde_json::from_slice(request.body()).unwrap();
    let fields = body.as_object_mut().unwrap();
    fields.remove("pageSize");
    match request.headers()["x-zc-action"].to_str().unwrap() {
        "StopInstances" => {
            fields.entry("forceShutdown").or_insert(true.into());
        }
        "RebootInstances" => {
            fields.entry("forceReboot").or_insert(false.into());
        }
        _ => (),
    }
    body
}

fn recorded_request(recorded: &Value) -> http::Request<Bytes> {
    let text = |field: &str| recorded[field].as_str().unwrap();
    let mut request = http::Request::builder()
        .method(text("method"))
        .uri(text("path"));
    for header in recorded["headers"].as_array().unwrap() {
        request = request.header(header[0].as_str().unwrap(), header[1].as_str().unwrap());
    }
    request.body(text("body").to_owned().into()).unwrap()
}

#[test]
fn flags_are_never_left_to_the_cloud() {
    let two = &ids(&["1", "2"])[..];
    for (action, operation, expected) in [
        (start(), "StartInstances", r#"{"instanceIds":["1","2"]}"#),
        (
            stop(StopMode::Graceful),
            "StopInstances",
            r#"{"instanceIds":["1","2"],"forceShutdown":false}"#,
        ),
        (
            stop(StopMode::Forced),
            "StopInstances",
            r#"{"instanceIds":["1","2"],"forceShutdown":true}"#,
        ),
        (
            reboot(StopMode::Graceful),
            "RebootInstances",
            r#"{"instanceIds":["1","2"],"forceReboot":false}"#,
        ),
        (
            reboot(StopMode::Forced),
            "RebootInstances",
            r#"{"instanceIds":["1","2"],"forceReboot":true}"#,
        ),
    ] {
        let draft = act_draft(action, two);
        assert_eq!(draft.operation, operation);
        assert_eq!(draft.target(), "/api/v2/zec");
        assert_eq!(draft.body, expected);
    }
}

#[test]
fn reads_ask_for_whole_pages_of_one_group_or_all() {
    let two = &ids(&["1", "2"])[..];
    let all = Config::new();
    let group = Config::new().with_resource_group("a \"group\"");
    let token = PageToken::new("2");
    for (draft, operation, expected) in [
        (
            observe(&all, two).unwrap().request,
            "DescribeInstancesStatus",
            r#"{"instanceIds":["1","2"],"pageSize":100}"#,
        ),
        (
            observe(&group, two).unwrap().request,
            "DescribeInstancesStatus",
            r#"{"instanceIds":["1","2"],"pageSize":100,"resourceGroupId":"a \"group\""}"#,
        ),
        (
            list(&all, None).unwrap().request,
            "DescribeInstances",
            r#"{"pageSize":1000,"pageNum":1}"#,
        ),
        (
            list(&group, Some(&token)).unwrap().request,
            "DescribeInstances",
            r#"{"pageSize":1000,"pageNum":2,"resourceGroupId":"a \"group\""}"#,
        ),
    ] {
        assert_eq!(draft.operation, operation);
        assert_eq!(draft.body, expected);
    }
}

#[test]
fn a_hundred_instances_fit_into_one_call_and_no_more() {
    let many: Vec<InstanceId> = (0..101)
        .map(|n| InstanceId::new(&n.to_string()).unwrap())
        .collect();
    for action in [
        start(),
        stop(StopMode::Graceful),
        reboot(StopMode::Graceful),
    ] {
        assert_eq!(PROFILE.batch_limits.of(action.kind()), 100);
        assert!(act(&action, &many[..100]).is_ok());
        for ids in [&many[..], &[]] {
            assert_eq!(act(&action, ids).unwrap_err().kind(), FaultKind::Invalid);
        }
    }
    assert!(observe(&Config::new(), &many[..100]).is_ok());
    assert!(observe(&Config::new(), &many).is_err());
    assert!(observe(&Config::new(), &[]).is_err(), "no ids mean all");
}

#[test]
fn options_that_zenlayer_lacks_are_refused() {
    let mut local_disk = StartOptions::default();
    local_disk.local_disk = LocalDisk::Initialize;
    let mut billing = StopOptions::default();
    billing.billing = StopBilling::Release;
    for action in [Action::Start(local_disk), Action::Stop(billing)] {
        let fault = act(&action, &ids(&["1"])).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Unsupported);
    }
    assert!(PROFILE.supports(&stop(StopMode::Forced)).is_ok());
    assert!(PROFILE.supports(&reboot(StopMode::Forced)).is_ok());
}

// Answers.

/// What an answer means.
#[derive(Debug)]
enum Meaning {
    All,
    Except(&'static [&'static str]),
    Statuses(&'static [(&'static str, PowerState, &'static str)]),
    Instances(&'static [(&'static str, PowerState, &'static str)]),
    Refusal(FaultKind, ExecutionStatus),
}

fn meaning(name: &str) -> Meaning {
    use FaultKind::*;
    use Meaning::*;
    use PowerState::{Running, Starting, Stopped};
    match name {
        "power_op_ok_none_failed" | "power_op_ok_field_absent" | "power_op_ok_field_null" => All,
        "power_op_partial_failure" => Except(&["instanceId2"]),
        "describe_status_ok" => Statuses(&[
            ("instanceId1", Running, "RUNNING"),
            ("instanceId2", Stopped, "STOPPED"),
            ("instanceId3", Starting, "BOOTING"),
        ]),
        "describe_status_none_found" => Statuses(&[]),
        "describe_instances_ok" => Instances(&[("instanceId1", Running, "RUNNING")]),
        "error_operation_denied_instance_in_operation" => {
            Refusal(Busy, ExecutionStatus::NotExecuted)
        }
        "error_unsupported_operation_instance_status"
        | "error_operation_denied_instance_recycled"
        | "error_operation_denied_instance_not_stopped"
        | "error_operation_denied_instance_not_running"
        | "error_operation_failed_for_recycle_resource" => {
            Refusal(WrongState, ExecutionStatus::NotExecuted)
        }
        "error_invalid_instance_not_found" | "error_operation_failed_resource_not_found" => {
            Refusal(NotFound, ExecutionStatus::NotExecuted)
        }
        "error_request_limit_exceeded" | "error_request_limit_exceeded_retry_after" => {
            Refusal(Throttled, ExecutionStatus::NotExecuted)
        }
        "error_authfailure_invalid_authorization" | "error_authfailure_signature_failure" => {
            Refusal(FaultKind::Credential, ExecutionStatus::NotExecuted)
        }
        "error_authfailure_unauthorized_operation" => {
            Refusal(Permission, ExecutionStatus::NotExecuted)
        }
        "error_authfailure_signature_expired" => Refusal(ClockSkew, ExecutionStatus::NotExecuted),
        "error_missing_parameter"
        | "error_invalid_parameter_type"
        | "error_invalid_parameter_exceed_maximum"
        | "error_invalid_parameter_less_minimum"
        | "error_invalid_parameter_exceed_length"
        | "error_invalid_parameter_less_length"
        | "error_invalid_parameter_pattern_error"
        | "error_invalid_parameter_date_format_error"
        | "error_invalid_parameter_value"
        | "error_operation_failed_resource_group_not_found" => {
            Refusal(Invalid, ExecutionStatus::NotExecuted)
        }
        "error_internal_server_error"
        | "error_service_temporary_unavailable"
        | "error_request_timed_out"
        | "edge_bad_gateway_html" => Refusal(Unavailable, ExecutionStatus::Unknown),
        "edge_security_challenge" | "edge_blocked" => {
            Refusal(Permission, ExecutionStatus::NotExecuted)
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
        let body: Value = serde_json::from_slice(reply.body()).unwrap_or_default();
        let request_id = crate::fault::request_id(&reply);
        assert_eq!(request_id.as_deref(), body["requestId"].as_str(), "{name}");
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
                        assert_eq!(fault.request_id(), body["requestId"].as_str());
                    }
                }
                other => panic!("{name}: {other:?}"),
            },
            Meaning::Statuses(expected) => {
                let seen = read_statuses(&reply).unwrap();
                assert_eq!(rows(&seen), expected, "{name}");
                assert!(seen.iter().all(|seen| seen.name.is_none()));
            }
            Meaning::Instances(expected) => {
                let page = read_page(&reply, 1).unwrap();
                assert_eq!(rows(&page.observations), expected, "{name}");
                let names = page.observations.iter().map(|seen| seen.name.as_deref());
                assert!(names.eq([Some("instance")]), "{name}");
                assert_eq!(page.next, None, "{name}");
            }
            Meaning::Refusal(..) => {
                let fault = checked.unwrap_err();
                assert_eq!(fault.code(), body["code"].as_str(), "{name}");
                assert_eq!(fault.request_id(), body["requestId"].as_str(), "{name}");
                assert_eq!(fault.status(), Some(reply.status().as_u16()), "{name}");
                assert_eq!(fault.retry_after(), reply.retry_after(), "{name}");
            }
        }
    }
}

#[test]
fn every_status_has_its_state_and_new_ones_keep_their_word() {
    for (status, state) in [
        ("PENDING", PowerState::Creating),
        ("DEPLOYING", PowerState::Creating),
        ("REBUILDING", PowerState::Changing),
        ("REBOOT", PowerState::Rebooting),
        ("RUNNING", PowerState::Running),
        ("STOPPED", PowerState::Stopped),
        ("BOOTING", PowerState::Starting),
        ("STARTING", PowerState::Starting),
        ("RELEASING", PowerState::Deleted),
        ("STOPPING", PowerState::Stopping),
        ("RECYCLE", PowerState::Recycled),
        ("RECYCLED", PowerState::Recycled),
        ("RECYCLING", PowerState::Recycled),
        ("CREATE_FAILED", PowerState::Failed),
        ("REINSTALL_FAILED", PowerState::Failed),
        ("IMAGING", PowerState::Changing),
        ("RESIZING", PowerState::Changing),
        ("DREAMING", PowerState::Unknown),
        ("running", PowerState::Unknown),
    ] {
        for field in ["status", "instanceStatus"] {
            let body = format!(
                r#"{{"response":{{"dataSet":[{{"instanceId":"1","{field}":"{status}"}}]}}}}"#
            );
            let seen = read_statuses(&reply(&body)).unwrap();
            assert_eq!(rows(&seen), [("1", state, status)]);
        }
    }
}

#[test]
fn an_odd_row_costs_itself_at_most() {
    let reply = reply(
        r#"{"response": {"totalCount": "many", "dataSet": [
            {"instanceId": "1", "status": null, "instanceName": 7},
            {"instanceId": "2"},
            {"instanceId": "3", "instanceStatus": {"is": "RUNNING"}, "instanceName": ""},
            {"instanceId": "../4", "status": "RUNNING"},
            {"instanceId": null, "status": "RUNNING"},
            {"status": "RUNNING"},
            null, 7, "5", [],
            {"instanceId": "6", "status": "STOPPED"}
        ]}}"#,
    );
    let page = read_page(&reply, 1).unwrap();
    assert_eq!(
        rows(&page.observations),
        [
            ("1", PowerState::Unknown, ""),
            ("2", PowerState::Unknown, ""),
            ("3", PowerState::Unknown, ""),
            ("6", PowerState::Stopped, "STOPPED"),
        ]
    );
    assert!(page.observations.iter().all(|seen| seen.name.is_none()));
    assert_eq!(page.next, None);
}

#[test]
fn both_forms_of_the_envelope_are_read() {
    let fields = r#""requestId":"T","totalCount":1,"dataSet":[{"instanceId":"1"}]"#;
    for body in [
        format!("{{{fields}}}"),
        format!(r#"{{"requestId":"T","response":{{{fields}}}}}"#),
    ] {
        assert_eq!(read_statuses(&reply(&body)).unwrap().len(), 1, "{body}");
    }
    let top_level = reply(r#"{"requestId":"T","instanceIds":["1"]}"#);
    assert!(matches!(read_power(&top_level), Ok(BatchAck::Except(_))));
}

#[test]
fn a_list_goes_on_until_the_total_or_a_page_that_is_not_full() {
    let page = |number, rows: usize, total: &str| {
        let rows = vec![r#"{"instanceId":"1"}"#; rows].join(",");
        let body = format!(r#"{{"response":{{{total}"dataSet":[{rows}]}}}}"#);
        let page = read_page(&reply(&body), number).unwrap();
        page.next.map(|token| token.as_str().to_owned())
    };
    let two = Some("2".to_owned());
    assert_eq!(page(1, 1000, r#""totalCount":1001,"#), two);
    assert_eq!(page(2, 1, r#""totalCount":1001,"#), None);
    assert_eq!(page(1, 1000, r#""totalCount":1000,"#), None);
    assert_eq!(page(1, 999, r#""totalCount":1000,"#), two, "one is missing");
    assert_eq!(page(2, 0, r#""totalCount":5000,"#), None, "nothing comes");
    assert_eq!(page(1, 1000, r#""totalCount":0,"#), two);
    assert_eq!(page(1, 1000, ""), two);
    assert_eq!(page(2, 999, ""), None);
    assert_eq!(page(1, 0, ""), None);
}

#[test]
fn a_page_knows_its_number() {
    let full = vec![r#"{"instanceId":"1"}"#; 1000].join(",");
    let full = reply(&format!(r#"{{"response":{{"dataSet":[{full}]}}}}"#));
    let mut token = None;
    for number in 2..=9 {
        let call = list(&Config::new(), token.as_ref()).unwrap();
        token = call.read(&full).unwrap().next;
        assert_eq!(token, Some(PageToken::new(number.to_string())));
    }
    for token in ["0", "", "two", "-1"] {
        assert!(list(&Config::new(), Some(&PageToken::new(token))).is_err());
    }
}

#[test]
fn an_answer_to_something_else_is_not_read_as_success() {
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "<html>",
        r#"{"requestId":"T"}"#,
        r#"{"response":null}"#,
        r#"{"response":"ok"}"#,
        r#"{"response":{"instanceIds":"1"}}"#,
        r#"{"response":{"instanceIds":[7]}}"#,
        r#"{"response":{"instanceIds":["../1"]}}"#,
    ] {
        let fault = read_power(&reply(body)).expect_err(body);
        assert_eq!(fault.kind(), FaultKind::Unreadable, "{body}");
        assert_eq!(fault.execution_status(), ExecutionStatus::Unknown, "{body}");
    }
    for body in [
        "",
        "{}",
        "[]",
        r#"{"response":{}}"#,
        r#"{"response":{"totalCount":1}}"#,
        r#"{"response":{"totalCount":1,"dataSet":null}}"#,
        r#"{"response":{"totalCount":0,"dataSet":7}}"#,
    ] {
        assert!(read_statuses(&reply(body)).is_err(), "{body}");
        assert!(read_page(&reply(body), 1).is_err(), "{body}");
    }
    let none = reply(r#"{"response":{"totalCount":0,"dataSet":null}}"#);
    assert_eq!(read_statuses(&none), Ok(vec![]));
    let cut_short = reply(r#"{"response":{"totalCount":2,"dataSet":[{"instanceId":"1"}]}}"#);
    assert!(read_statuses(&cut_short).is_err());
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
    _ = crate::fault::check(reply);
    let text = String::from_utf8_lossy(reply.body()).into_owned();
    let known = |id: &InstanceId| assert!(text.contains(id.as_str()), "{id} is not in {text}");
    match read_power(reply) {
        Ok(BatchAck::Except(failed)) => failed.iter().for_each(|(id, _)| known(id)),
        Ok(BatchAck::All) => {
            let body: Value = serde_json::from_str(&text).unwrap();
            let is_answer = body["response"].is_object() || body.get("instanceIds").is_some();
            assert!(is_answer, "read as success: {text}");
        }
        Ok(other) => panic!("{other:?}"),
        Err(_) => (),
    }
    for seen in [
        read_statuses(reply),
        read_page(reply, 1).map(|page| page.observations),
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
        response["status"].as_u64().unwrap().try_into().unwrap(),
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

fn rows(observations: &[Observation]) -> Vec<(&str, PowerState, &str)> {
    observations
        .iter()
        .map(|seen| (seen.instance.as_str(), seen.state, seen.raw.as_str()))
        .collect()
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

fn stop(mode: StopMode) -> Action {
    let mut options = StopOptions::default();
    options.mode = mode;
    Action::Stop(options)
}

fn reboot(mode: StopMode) -> Action {
    let mut options = RebootOptions::default();
    options.mode = mode;
    Action::Reboot(options)
}

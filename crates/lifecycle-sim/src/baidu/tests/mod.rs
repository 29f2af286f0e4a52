//! Tests of the simulated Baidu API: shared helpers, and the classification of requests.

mod auth;
mod filters;
mod power;
mod read;

use serde_json::{Value, json};

use crate::{
    Cloud, Impairment, Operation,
    SimulatedState::{self, Running, Stopped},
    cloud_api::CloudApi,
    cloud_state::{CloudState, RegionScope},
    request::ReceivedRequest,
    testing::{add, cloud_state, handle, received},
};

/// Adds one instance, and returns a list of its id, as [`batch`] takes it.
pub(super) fn one_instance(
    cloud: &mut CloudState,
    state: SimulatedState,
    impairment: Option<Impairment>,
) -> Vec<String> {
    add(cloud, "bj", 1, state, impairment)
}

/// Creates a request without authentication.
pub(super) fn put(target: &str, body: &Value) -> ReceivedRequest {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    received("PUT", target, &[], &body)
}

/// Creates a batch call without authentication.
pub(super) fn batch(action: &str, ids: &[String]) -> ReceivedRequest {
    put(
        &format!("/v2/instance/batchAction?{action}"),
        &json!({ "instanceIds": ids }),
    )
}

/// Handles a request without authentication.
pub(super) fn respond(cloud: &mut CloudState, request: &ReceivedRequest) -> (u16, Value) {
    handle(cloud, request, RegionScope::AllRegions)
}

/// Returns `(status, code)` of an error.
pub(super) fn status_and_code(response: &(u16, Value)) -> (u16, &str) {
    (response.0, response.1["code"].as_str().unwrap_or_default())
}

/// Returns the status of one instance.
pub(super) fn instance_status(cloud: &mut CloudState, id: &str) -> String {
    let (_, body) = respond(
        cloud,
        &received("GET", &format!("/v2/instance/{id}"), &[], ""),
    );
    body["instance"]["status"].as_str().unwrap().to_owned()
}

#[test]
fn unsigned_request_is_classified() {
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
        assert!(super::Baidu.serves(&request));
        let call = super::Baidu.classify(&request);
        assert_eq!(
            (call.operation, call.name, call.id_count),
            (operation, name, count)
        );
    }
    assert_eq!(super::Baidu.region_of("bcc.bj.baidubce.com"), Some("bj"));
    assert_eq!(super::Baidu.region_of("bcc.baidubce.com"), None);
    assert_eq!(super::Baidu.region_of("127.0.0.1"), None);
}

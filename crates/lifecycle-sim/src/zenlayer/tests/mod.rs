//! Tests of the simulated Zenlayer API: shared helpers, and the classification of requests.

mod auth;
mod filters;
mod power;
mod read;

use serde_json::{Value, json};

use super::Zenlayer;
use crate::{
    Cloud, ExecutionCounts, Impairment, Operation,
    SimulatedState::{self, Running, Stopped},
    cloud_api::CloudApi,
    cloud_state::{CloudState, RegionScope},
    request::ReceivedRequest,
    testing::{add, cloud_state, executed, handle, received},
};

/// Adds one instance, and returns a list of its id, as [`request_with_ids`] takes it.
pub(super) fn one_instance(
    cloud: &mut CloudState,
    state: SimulatedState,
    impairment: Option<Impairment>,
) -> Vec<String> {
    add(cloud, "asia-southeast-1", 1, state, impairment)
}

/// Creates a request without authentication.
pub(super) fn request(action: &str, body: &Value) -> ReceivedRequest {
    received(
        "POST",
        "/api/v2/zec",
        &[("x-zc-action", action)],
        &body.to_string(),
    )
}

/// Creates a request for instances, without authentication.
pub(super) fn request_with_ids(action: &str, ids: &[String]) -> ReceivedRequest {
    request(action, &json!({ "instanceIds": ids }))
}

/// Handles a request without authentication.
pub(super) fn respond(cloud: &mut CloudState, request: &ReceivedRequest) -> (u16, Value) {
    handle(cloud, request, RegionScope::AllRegions)
}

/// Returns `(status, code)` of an error.
pub(super) fn status_and_code(response: &(u16, Value)) -> (u16, &str) {
    assert!(
        response.1.get("response").is_none(),
        "an error has no `response` envelope: {}",
        response.1
    );
    (response.0, response.1["code"].as_str().unwrap_or_default())
}

/// Returns the status of one instance.
pub(super) fn instance_status(cloud: &mut CloudState, id: &str) -> String {
    let (_, body) = respond(
        cloud,
        &request("DescribeInstancesStatus", &json!({"instanceIds": [id]})),
    );
    body["response"]["dataSet"][0]["instanceStatus"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn unsigned_request_is_classified() {
    let two = ["1".to_owned(), "2".to_owned()];
    for (request, operation, name, count) in [
        (
            request_with_ids("StartInstances", &two),
            Operation::Start,
            "StartInstances",
            2,
        ),
        (
            request_with_ids("StopInstances", &two),
            Operation::Stop,
            "StopInstances",
            2,
        ),
        (
            request_with_ids("RebootInstances", &two),
            Operation::Reboot,
            "RebootInstances",
            2,
        ),
        (
            request_with_ids("DescribeInstancesStatus", &two),
            Operation::Observe,
            "DescribeInstancesStatus",
            2,
        ),
        (
            request("DescribeInstances", &json!({})),
            Operation::List,
            "DescribeInstances",
            0,
        ),
        (
            request("NoSuchAction", &json!({})),
            Operation::Other,
            "unknown",
            0,
        ),
    ] {
        assert!(Zenlayer.serves(&request));
        let call = Zenlayer.classify(&request);
        assert_eq!(
            (call.operation, call.name, call.id_count),
            (operation, name, count)
        );
    }
}

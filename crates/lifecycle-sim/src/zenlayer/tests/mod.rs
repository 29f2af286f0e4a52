//! What the tests of this module share, and how requests are told apart.

mod auth;
mod power;
mod read;

use serde_json::{Value, json};

use super::Zenlayer;
use crate::{
    Cloud, ExecutionCounts, Operation,
    cloud_api::CloudApi,
    cloud_state::{CloudState, RegionScope},
    request::ReceivedRequest,
    testing::{cloud_state, executed, handle, received},
};

pub(super) fn call(action: &str, body: &Value) -> ReceivedRequest {
    received(
        "POST",
        "/api/v2/zec",
        &[("x-zc-action", action)],
        &body.to_string(),
    )
}

pub(super) fn ids(action: &str, ids: &[String]) -> ReceivedRequest {
    call(action, &json!({ "instanceIds": ids }))
}

pub(super) fn ask(cloud: &mut CloudState, request: &ReceivedRequest) -> (u16, Value) {
    handle(cloud, request, RegionScope::AllRegions)
}

pub(super) fn code(response: &(u16, Value)) -> (u16, &str) {
    assert!(
        response.1.get("response").is_none(),
        "errors are flat: {}",
        response.1
    );
    (response.0, response.1["code"].as_str().unwrap_or_default())
}

pub(super) fn status(cloud: &mut CloudState, id: &str) -> String {
    let (_, body) = ask(
        cloud,
        &call("DescribeInstancesStatus", &json!({"instanceIds": [id]})),
    );
    body["response"]["dataSet"][0]["instanceStatus"]
        .as_str()
        .unwrap()
        .to_owned()
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
        assert!(Zenlayer.serves(&request));
        let intent = Zenlayer.classify(&request);
        assert_eq!(
            (intent.operation, intent.name, intent.ids),
            (operation, name, count)
        );
    }
}

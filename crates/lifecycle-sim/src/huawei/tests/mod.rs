//! Tests of the simulated Huawei API. This file holds the shared helpers.

mod auth;
mod filters;
mod iam;
mod jobs;
mod metadata;
mod power;
mod random_switches;
mod servers;
mod shapes;

use serde_json::{Value, json};

use super::Huawei;
use crate::{
    Cloud, ExecutionCounts, Impairment,
    SimulatedState::{self, Running, Stopped},
    cloud_api::CloudApi,
    cloud_state::{CloudState, RegionScope},
    request::ReceivedRequest,
    response::Response,
    testing::{self, NO_CODE, executed, read, received},
};

/// Signatures of the vendor's SDK.
pub(super) const SIGNING: &str = include_str!("../../../tests/vectors/huawei/signing.json");
/// Recorded requests and example responses.
pub(super) const WIRE: &str = include_str!("../../../tests/vectors/huawei/wire.json");

/// The region of all instances.
pub(super) const REGION: &str = "cn-north-4";
/// The project of the test cloud.
pub(super) const PROJECT: &str = "00000000000000000000000000000000";

/// Creates a simulated cloud without instances.
pub(super) fn cloud_state() -> CloudState {
    testing::cloud_state(Cloud::Huawei)
}

/// Creates one server and returns the id.
pub(super) fn add(
    cloud: &mut CloudState,
    state: SimulatedState,
    impairment: impl Into<Option<Impairment>>,
) -> String {
    testing::add(cloud, REGION, 1, state, impairment.into()).remove(0)
}

/// Handles a request without authentication.
pub(super) fn respond(cloud: &mut CloudState, request: &ReceivedRequest) -> Response {
    Huawei.handle(cloud, request, RegionScope::AllRegions)
}

/// Returns status and JSON body of the response to `GET /v1/{project_id}/...`.
pub(super) fn get(cloud: &mut CloudState, rest: &str) -> (u16, Value) {
    let target = format!("/v1/{PROJECT}/{rest}");
    let request = received("GET", &target, &[("host", "ecs.example")], "");
    read(&respond(cloud, &request))
}

/// Creates a power call with this body.
pub(super) fn power_request(body: &str) -> ReceivedRequest {
    let target = format!("/v1/{PROJECT}/cloudservers/action");
    received("POST", &target, &[("host", "ecs.example")], body)
}

/// Handles a power call with this body.
pub(super) fn post(cloud: &mut CloudState, body: &Value) -> (u16, Value) {
    read(&respond(cloud, &power_request(&body.to_string())))
}

pub(super) fn start(cloud: &mut CloudState, ids: &[&str]) -> (u16, Value) {
    post(cloud, &json!({"os-start": {"servers": servers(ids)}}))
}

pub(super) fn stop(cloud: &mut CloudState, ids: &[&str], kind: &str) -> (u16, Value) {
    post(
        cloud,
        &json!({"os-stop": {"servers": servers(ids), "type": kind}}),
    )
}

pub(super) fn reboot(cloud: &mut CloudState, ids: &[&str], kind: &str) -> (u16, Value) {
    post(
        cloud,
        &json!({"reboot": {"servers": servers(ids), "type": kind}}),
    )
}

/// Returns the list of servers in the body of a power call.
pub(super) fn servers(ids: &[&str]) -> Vec<Value> {
    ids.iter().map(|id| json!({"id": id})).collect()
}

/// Returns the job id of an accepted power call.
pub(super) fn job_id(response: &(u16, Value)) -> String {
    let id = response.1["job_id"].as_str();
    id.unwrap_or_else(|| panic!("not accepted: {response:?}"))
        .to_owned()
}

/// Returns the description of a job.
pub(super) fn job(cloud: &mut CloudState, id: &str) -> Value {
    let (status, body) = get(cloud, &format!("jobs/{id}"));
    assert_eq!(status, 200, "{body}");
    body
}

/// Returns `(status, code)` of an error in the service's format.
pub(super) fn status_and_code(response: &(u16, Value)) -> (u16, &str) {
    let code = response.1["error"]["code"].as_str();
    (response.0, code.unwrap_or(NO_CODE))
}

/// Returns the description of a server.
pub(super) fn show(cloud: &mut CloudState, id: &str) -> Value {
    let (status, body) = get(cloud, &format!("cloudservers/{id}"));
    assert_eq!(status, 200, "{body}");
    body["server"].clone()
}

/// Returns `(status, vm_state, task_state)` of the query for one server.
pub(super) fn shown_status(cloud: &mut CloudState, id: &str) -> (String, String, Option<String>) {
    let server = show(cloud, id);
    let word = |name: &str| server[name].as_str().map(str::to_owned);
    (
        word("status").unwrap(),
        word("OS-EXT-STS:vm_state").unwrap(),
        word("OS-EXT-STS:task_state"),
    )
}

//! Tests of the simulated Alibaba API. This file holds the shared helpers.

mod auth;
mod describe;
mod filters;
mod metadata;
mod power;
mod random_switches;
mod regions;
mod shapes;
mod sts;

use lifecycle_core::encode::percent;
use serde_json::Value;

use super::Aliyun;
use crate::{
    Cloud, Impairment,
    SimulatedState::{self, Running, Stopped},
    cloud_api::CloudApi,
    cloud_state::{CloudState, RegionScope},
    request::ReceivedRequest,
    response::Response,
    testing::{self, NO_CODE, executed, read, received},
};

/// Signatures of the vendor's SDK.
pub(super) const SIGNING: &str = include_str!("../../../tests/vectors/aliyun/signing.json");
/// Recorded requests and example responses.
pub(super) const WIRE: &str = include_str!("../../../tests/vectors/aliyun/wire.json");

/// The region of all instances.
pub(super) const REGION: &str = "cn-hangzhou";

/// Creates a simulated cloud without instances.
pub(super) fn cloud_state() -> CloudState {
    testing::cloud_state(Cloud::Aliyun)
}

/// Creates one instance and returns the id.
pub(super) fn add(
    cloud: &mut CloudState,
    state: SimulatedState,
    impairment: impl Into<Option<Impairment>>,
) -> String {
    testing::add(cloud, REGION, 1, state, impairment.into()).remove(0)
}

/// Creates a request without authentication.
pub(super) fn request(action: &str, parameters: &[(&str, &str)]) -> ReceivedRequest {
    let query: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", percent(value)))
        .collect();
    received(
        "POST",
        &format!("/?{}", query.join("&")),
        &[
            ("host", "ecs-cn-hangzhou.aliyuncs.com"),
            ("accept", "application/json"),
            ("x-acs-action", action),
            ("x-acs-version", "2014-05-26"),
        ],
        "",
    )
}

/// Returns status and JSON body of the response.
pub(super) fn call(
    cloud: &mut CloudState,
    action: &str,
    parameters: &[(&str, &str)],
) -> (u16, Value) {
    read(&respond(cloud, &request(action, parameters)))
}

/// Handles a request without authentication.
pub(super) fn respond(cloud: &mut CloudState, request: &ReceivedRequest) -> Response {
    Aliyun.handle(cloud, request, RegionScope::AllRegions)
}

/// Handles a batch call in the region of all instances.
pub(super) fn batch(
    cloud: &mut CloudState,
    action: &str,
    ids: &[&str],
    more: &[(&str, &str)],
) -> (u16, Value) {
    let members: Vec<_> = (1..)
        .map(|number| format!("InstanceId.{number}"))
        .take(ids.len())
        .collect();
    let mut parameters = vec![("RegionId", REGION)];
    parameters.extend(members.iter().map(String::as_str).zip(ids.iter().copied()));
    parameters.extend(more);
    call(cloud, action, &parameters)
}

/// Returns `(status, Code)` of an error.
pub(super) fn status_and_code(response: &(u16, Value)) -> (u16, &str) {
    (response.0, response.1["Code"].as_str().unwrap_or(NO_CODE))
}

/// Returns the status of one instance, as `DescribeInstances` shows it.
pub(super) fn instance_status(cloud: &mut CloudState, id: &str) -> String {
    record(cloud, id)["Status"].as_str().unwrap().to_owned()
}

/// Returns the record of one instance in the response of `DescribeInstances`.
pub(super) fn record(cloud: &mut CloudState, id: &str) -> Value {
    let ids = format!("[\"{id}\"]");
    let (status, body) = call(
        cloud,
        "DescribeInstances",
        &[("RegionId", REGION), ("InstanceIds", &ids)],
    );
    assert_eq!(status, 200, "{body}");
    body["Instances"]["Instance"][0].clone()
}

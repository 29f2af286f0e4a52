//! What the tests of this module share.

mod auth;
mod chance;
mod describe;
mod metadata;
mod power;
mod shapes;
mod sts;

use lifecycle_core::encode::percent;
use serde_json::Value;

use super::Aliyun;
use crate::{
    Cloud, Trouble,
    dialect::Dialect,
    instance::State,
    request::Received,
    response::Response,
    site::{Scope, Site},
    testing::{self, read, received},
};

pub(super) const SIGNING: &str = include_str!("../../../tests/vectors/aliyun/signing.json");
pub(super) const WIRE: &str = include_str!("../../../tests/vectors/aliyun/wire.json");

pub(super) const REGION: &str = "cn-hangzhou";

pub(super) fn site() -> Site {
    testing::site(Cloud::Aliyun)
}

/// Makes one instance and gives its id.
pub(super) fn add(site: &mut Site, state: State, trouble: impl Into<Option<Trouble>>) -> String {
    testing::add(site, REGION, 1, state, trouble.into()).remove(0)
}

/// A request that is past the signature.
pub(super) fn request(action: &str, parameters: &[(&str, &str)]) -> Received {
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

/// Status and JSON body of the answer.
pub(super) fn call(site: &mut Site, action: &str, parameters: &[(&str, &str)]) -> (u16, Value) {
    read(&answer(site, &request(action, parameters)))
}

pub(super) fn answer(site: &mut Site, request: &Received) -> Response {
    Aliyun.perform(site, request, Scope::Everywhere)
}

/// A batch call in the region that all instances live in.
pub(super) fn batch(
    site: &mut Site,
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
    call(site, action, &parameters)
}

/// `(status, Code)` of a refusal.
pub(super) fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["Code"].as_str().unwrap_or("no code"))
}

/// The status of one instance, as `DescribeInstances` shows it.
pub(super) fn status(site: &mut Site, id: &str) -> String {
    record(site, id)["Status"].as_str().unwrap().to_owned()
}

pub(super) fn record(site: &mut Site, id: &str) -> Value {
    let ids = format!("[\"{id}\"]");
    let (status, body) = call(
        site,
        "DescribeInstances",
        &[("RegionId", REGION), ("InstanceIds", &ids)],
    );
    assert_eq!(status, 200, "{body}");
    body["Instances"]["Instance"][0].clone()
}

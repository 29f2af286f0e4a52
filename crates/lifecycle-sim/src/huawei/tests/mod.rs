//! What the tests of this module share.

mod auth;
mod chance;
mod iam;
mod jobs;
mod metadata;
mod power;
mod servers;
mod shapes;

use serde_json::{Value, json};

use super::Huawei;
use crate::{
    Cloud, Executed, Trouble,
    dialect::Dialect,
    instance::State,
    request::Received,
    response::Response,
    site::{Scope, Site},
    testing::{self, read, received},
};

pub(super) const SIGNING: &str = include_str!("../../../tests/vectors/huawei/signing.json");
pub(super) const WIRE: &str = include_str!("../../../tests/vectors/huawei/wire.json");

pub(super) const REGION: &str = "cn-north-4";
/// The project of the site that tests share.
pub(super) const PROJECT: &str = "00000000000000000000000000000000";

pub(super) fn site() -> Site {
    testing::site(Cloud::Huawei)
}

/// Makes one server and gives its id.
pub(super) fn add(site: &mut Site, state: State, trouble: impl Into<Option<Trouble>>) -> String {
    testing::add(site, REGION, 1, state, trouble.into()).remove(0)
}

pub(super) fn answer(site: &mut Site, request: &Received) -> Response {
    Huawei.perform(site, request, Scope::Everywhere)
}

/// Status and JSON body of the answer to `GET /v1/{project_id}/...`.
pub(super) fn get(site: &mut Site, rest: &str) -> (u16, Value) {
    let target = format!("/v1/{PROJECT}/{rest}");
    let request = received("GET", &target, &[("host", "ecs.example")], "");
    read(&answer(site, &request))
}

/// A power call with this body.
pub(super) fn order(body: &str) -> Received {
    let target = format!("/v1/{PROJECT}/cloudservers/action");
    received("POST", &target, &[("host", "ecs.example")], body)
}

pub(super) fn post(site: &mut Site, body: &Value) -> (u16, Value) {
    read(&answer(site, &order(&body.to_string())))
}

pub(super) fn start(site: &mut Site, ids: &[&str]) -> (u16, Value) {
    post(site, &json!({"os-start": {"servers": servers(ids)}}))
}

pub(super) fn stop(site: &mut Site, ids: &[&str], kind: &str) -> (u16, Value) {
    post(
        site,
        &json!({"os-stop": {"servers": servers(ids), "type": kind}}),
    )
}

pub(super) fn reboot(site: &mut Site, ids: &[&str], kind: &str) -> (u16, Value) {
    post(
        site,
        &json!({"reboot": {"servers": servers(ids), "type": kind}}),
    )
}

pub(super) fn servers(ids: &[&str]) -> Vec<Value> {
    ids.iter().map(|id| json!({"id": id})).collect()
}

/// The id of the job that a power call was accepted as.
pub(super) fn job_id(answer: &(u16, Value)) -> String {
    let id = answer.1["job_id"].as_str();
    id.unwrap_or_else(|| panic!("not accepted: {answer:?}"))
        .to_owned()
}

pub(super) fn job(site: &mut Site, id: &str) -> Value {
    let (status, body) = get(site, &format!("jobs/{id}"));
    assert_eq!(status, 200, "{body}");
    body
}

/// `(status, code)` of a refusal by the service.
pub(super) fn code(answer: &(u16, Value)) -> (u16, &str) {
    let code = answer.1["error"]["code"].as_str();
    (answer.0, code.unwrap_or("no code"))
}

pub(super) fn show(site: &mut Site, id: &str) -> Value {
    let (status, body) = get(site, &format!("cloudservers/{id}"));
    assert_eq!(status, 200, "{body}");
    body["server"].clone()
}

/// `(status, vm_state, task_state)` as shown.
pub(super) fn standing(site: &mut Site, id: &str) -> (String, String, Option<String>) {
    let server = show(site, id);
    let word = |name: &str| server[name].as_str().map(str::to_owned);
    (
        word("status").unwrap(),
        word("OS-EXT-STS:vm_state").unwrap(),
        word("OS-EXT-STS:task_state"),
    )
}

pub(super) fn executed(site: &Site, id: &str) -> Executed {
    site.instance(site.find(Scope::Everywhere, id).unwrap())
        .executed
}

//! What the tests of this module share, and how requests are told apart.

mod auth;
mod power;
mod read;

use serde_json::{Value, json};

use super::Zenlayer;
use crate::{
    Cloud, Executed,
    dialect::{Dialect, Operation},
    request::Received,
    site::{Scope, Site},
    testing::{perform, received, site},
};

pub(super) fn call(action: &str, body: &Value) -> Received {
    received(
        "POST",
        "/api/v2/zec",
        &[("x-zc-action", action)],
        &body.to_string(),
    )
}

pub(super) fn ids(action: &str, ids: &[String]) -> Received {
    call(action, &json!({ "instanceIds": ids }))
}

pub(super) fn ask(site: &mut Site, request: &Received) -> (u16, Value) {
    perform(site, request, Scope::Everywhere)
}

pub(super) fn code(answer: &(u16, Value)) -> (u16, &str) {
    assert!(
        answer.1.get("response").is_none(),
        "errors are flat: {}",
        answer.1
    );
    (answer.0, answer.1["code"].as_str().unwrap_or_default())
}

pub(super) fn status(site: &mut Site, id: &str) -> String {
    let (_, body) = ask(
        site,
        &call("DescribeInstancesStatus", &json!({"instanceIds": [id]})),
    );
    body["response"]["dataSet"][0]["instanceStatus"]
        .as_str()
        .unwrap()
        .to_owned()
}

pub(super) fn executed(site: &Site, id: &str) -> Executed {
    site.instance(site.find(Scope::Everywhere, id).unwrap())
        .executed
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

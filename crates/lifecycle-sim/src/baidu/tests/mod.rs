//! What the tests of this module share, and how requests are told apart.

mod auth;
mod power;
mod read;

use serde_json::{Value, json};

use crate::{
    Cloud,
    dialect::{Dialect, Operation},
    request::Received,
    site::{Scope, Site},
    testing::{perform, received, site},
};

pub(super) fn put(target: &str, body: &Value) -> Received {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    received("PUT", target, &[], &body)
}

pub(super) fn batch(verb: &str, ids: &[String]) -> Received {
    put(
        &format!("/v2/instance/batchAction?{verb}"),
        &json!({ "instanceIds": ids }),
    )
}

pub(super) fn ask(site: &mut Site, request: &Received) -> (u16, Value) {
    perform(site, request, Scope::Everywhere)
}

pub(super) fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["code"].as_str().unwrap_or_default())
}

pub(super) fn status(site: &mut Site, id: &str) -> String {
    let (_, body) = ask(
        site,
        &received("GET", &format!("/v2/instance/{id}"), &[], ""),
    );
    body["instance"]["status"].as_str().unwrap().to_owned()
}

#[test]
fn requests_are_told_apart_before_anyone_looks_at_the_key() {
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
        assert!(super::Baidu.claims(&request));
        let intent = super::Baidu.intent(&request);
        assert_eq!(
            (intent.operation, intent.name, intent.ids),
            (operation, name, count)
        );
    }
    assert_eq!(super::Baidu.region_of("bcc.bj.baidubce.com"), Some("bj"));
    assert_eq!(super::Baidu.region_of("bcc.baidubce.com"), None);
    assert_eq!(super::Baidu.region_of("127.0.0.1"), None);
}

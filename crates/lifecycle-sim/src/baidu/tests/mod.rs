//! What the tests of this module share, and how requests are told apart.

mod auth;
mod power;
mod read;

use serde_json::{Value, json};

use crate::{
    Cloud, Operation,
    cloud_api::CloudApi,
    cloud_state::{CloudState, RegionScope},
    request::ReceivedRequest,
    testing::{cloud_state, handle, received},
};

pub(super) fn put(target: &str, body: &Value) -> ReceivedRequest {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    received("PUT", target, &[], &body)
}

pub(super) fn batch(action: &str, ids: &[String]) -> ReceivedRequest {
    put(
        &format!("/v2/instance/batchAction?{action}"),
        &json!({ "instanceIds": ids }),
    )
}

pub(super) fn ask(cloud: &mut CloudState, request: &ReceivedRequest) -> (u16, Value) {
    handle(cloud, request, RegionScope::AllRegions)
}

pub(super) fn code(response: &(u16, Value)) -> (u16, &str) {
    (response.0, response.1["code"].as_str().unwrap_or_default())
}

pub(super) fn status(cloud: &mut CloudState, id: &str) -> String {
    let (_, body) = ask(
        cloud,
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
        assert!(super::Baidu.serves(&request));
        let intent = super::Baidu.classify(&request);
        assert_eq!(
            (intent.operation, intent.name, intent.ids),
            (operation, name, count)
        );
    }
    assert_eq!(super::Baidu.region_of("bcc.bj.baidubce.com"), Some("bj"));
    assert_eq!(super::Baidu.region_of("bcc.baidubce.com"), None);
    assert_eq!(super::Baidu.region_of("127.0.0.1"), None);
}

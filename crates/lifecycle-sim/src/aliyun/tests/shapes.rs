//! Tests that the simulated Alibaba answers in the format of the real one: the responses are compared
//! with examples from the documentation, the SDKs and users.

use std::{collections::BTreeSet, time::Duration};

use serde::Deserialize;

use super::*;
use crate::{
    aliyun::switches::{Throttling, ThrottlingHint},
    testing::{move_clock_to, shape},
};

#[derive(Deserialize)]
struct Examples {
    responses: Vec<Example>,
}

#[derive(Deserialize)]
struct Example {
    name: String,
    status: u16,
    content_type: String,
    body: String,
}

/// Returns an example response by name.
fn example(name: &str) -> Example {
    let examples: Examples = serde_json::from_str(WIRE).unwrap();
    examples
        .responses
        .into_iter()
        .find(|example| example.name == name)
        .unwrap_or_else(|| panic!("no example is called {name}"))
}

/// Checks that a response has the status, the content type, the keys and the types of an example.
fn assert_same_shape(response: &Response, name: &str) {
    let example = example(name);
    assert_eq!(response.status().as_u16(), example.status, "{name}");
    assert_eq!(
        response.headers()["content-type"],
        example.content_type,
        "{name}"
    );
    assert!(
        response.headers().contains_key("x-acs-request-id"),
        "{name}"
    );
    let body = std::str::from_utf8(response.body()).unwrap();
    if example.content_type.contains("json") {
        let (simulated, documented): (Value, Value) = (
            serde_json::from_str(body).unwrap(),
            serde_json::from_str(&example.body).unwrap(),
        );
        assert_eq!(shape(&simulated), shape(&documented), "{name}");
    } else {
        assert_eq!(elements(body), elements(&example.body), "{name}: {body}");
    }
}

/// Checks that an error has the shape, the code, the message and the host of an example.
fn assert_same_error(response: &Response, name: &str) {
    assert_same_shape(response, name);
    let example: Value = serde_json::from_str(&example(name).body).unwrap();
    let (_, simulated) = read(response);
    for field in ["Code", "Message", "HostId"] {
        assert_eq!(simulated[field], example[field], "{name}");
    }
}

/// Returns the path of every element of an XML document.
fn elements(text: &str) -> BTreeSet<String> {
    let mut path = Vec::new();
    let mut seen = BTreeSet::new();
    let body = text
        .strip_prefix(r#"<?xml version="1.0" encoding="UTF-8"?>"#)
        .expect("a document begins with its declaration");
    for tag in body.split('<').skip(1) {
        let name = tag.split('>').next().unwrap();
        match name.strip_prefix('/') {
            Some(closed) => assert_eq!(path.pop(), Some(closed), "{text}"),
            None => {
                path.push(name);
                seen.insert(path.join("/"));
            }
        }
    }
    assert!(path.is_empty(), "{text}");
    seen
}

/// Creates a request whose response is XML.
fn xml_request(action: &str, parameters: &[(&str, &str)]) -> ReceivedRequest {
    let mut parameters = parameters.to_vec();
    parameters.push(("Format", "XML"));
    request(action, &parameters)
}

#[test]
fn successful_single_call_matches_the_example() {
    let mut cloud = cloud_state();
    for action in ["StartInstance", "RebootInstance", "StopInstance"] {
        for (format, suffix) in [("JSON", "json"), ("XML", "xml")] {
            let state = if action == "StartInstance" {
                Stopped
            } else {
                Running
            };
            let id = add(&mut cloud, state, None);
            let request = request(action, &[("InstanceId", &id), ("Format", format)]);
            let response = respond(&mut cloud, &request);
            assert_same_shape(&response, &format!("{action}-ok-{suffix}"));
        }
    }
}

#[test]
fn successful_batch_call_matches_the_example() {
    let mut cloud = cloud_state();
    let each = ("BatchOptimization", "SuccessFirst");
    let region = ("RegionId", REGION);
    for (action, name, state, members) in [
        ("StartInstances", "StartInstances-ok-json", Stopped, 2),
        ("StopInstances", "StopInstances-ok-json", Running, 2),
        ("RebootInstances", "RebootInstances-ok-json", Running, 2),
        ("StartInstances", "StartInstances-mixed-json", Stopped, 1),
        ("StopInstances", "StopInstances-mixed-json", Running, 1),
    ] {
        let ids = testing::add(&mut cloud, REGION, members, state, None);
        let second = ids.get(1).map_or("i-TestID", String::as_str);
        let request = request(
            action,
            &[
                region,
                each,
                ("InstanceId.1", &ids[0]),
                ("InstanceId.2", second),
            ],
        );
        assert_same_shape(&respond(&mut cloud, &request), name);
    }
    let id = add(&mut cloud, Stopped, None);
    let mixed = xml_request(
        "StartInstances",
        &[
            region,
            each,
            ("InstanceId.1", &id),
            ("InstanceId.2", "i-TestID"),
        ],
    );
    assert_same_shape(&respond(&mut cloud, &mixed), "StartInstances-mixed-xml");
}

#[test]
fn successful_describe_call_matches_the_example() {
    let mut cloud = cloud_state();
    let statuses = "DescribeInstanceStatus";
    let instances = "DescribeInstances";
    check_describe(
        &mut cloud,
        instances,
        &[("InstanceIds", "[]")],
        "DescribeInstances-empty-json",
    );
    check_describe(
        &mut cloud,
        statuses,
        &[],
        "DescribeInstanceStatus-empty-json",
    );
    add(&mut cloud, Running, None);
    check_describe(&mut cloud, statuses, &[], "DescribeInstanceStatus-json");
    check_describe(&mut cloud, statuses, &[], "DescribeInstanceStatus-xml");
    let ten = [("MaxResults", "10")];
    check_describe(
        &mut cloud,
        instances,
        &ten,
        "DescribeInstances-last-page-json",
    );
    testing::add(&mut cloud, REGION, 10, Stopped, Some(Impairment::Locked));
    check_describe(
        &mut cloud,
        instances,
        &ten,
        "DescribeInstances-first-page-json",
    );
}

/// Checks the response to a describe call in the region of all instances.
fn check_describe(cloud: &mut CloudState, action: &str, more: &[(&str, &str)], name: &str) {
    let mut parameters = vec![("RegionId", REGION)];
    parameters.extend(more);
    let request = if name.ends_with("xml") {
        xml_request(action, &parameters)
    } else {
        request(action, &parameters)
    };
    assert_same_shape(&respond(cloud, &request), name);
}

#[test]
fn xml_record_has_all_documented_elements() {
    let mut cloud = cloud_state();
    add(&mut cloud, Running, None);
    let request = xml_request("DescribeInstances", &[("RegionId", REGION)]);
    let response = respond(&mut cloud, &request);
    let simulated = elements(std::str::from_utf8(response.body()).unwrap());
    // The documented example is a subset of the fields.
    let documented = elements(&example("DescribeInstances-xml").body);
    let missing: Vec<_> = documented.difference(&simulated).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn error_matches_the_documented_example() {
    let mut cloud = cloud_state();
    let mut check_error =
        |action: &str, state: SimulatedState, impairment: Option<Impairment>, name: &str| {
            let id = add(&mut cloud, state, impairment);
            let request = request(action, &[("InstanceId", &id)]);
            assert_same_error(&respond(&mut cloud, &request), name);
        };
    let start = "StartInstance";
    check_error(start, Running, None, "bad-status-json");
    check_error(start, Stopped, Some(Impairment::Locked), "locked-json");
    check_error(start, Stopped, Some(Impairment::BrokenDisk), "disk-json");
    check_error(
        start,
        Stopped,
        Some(Impairment::Creating),
        "not-ready-403-json",
    );
    check_error(start, Stopped, Some(Impairment::Arrears), "balance-json");
    check_error(start, Stopped, Some(Impairment::Expired), "expired-json");
    check_error(
        "StopInstance",
        Running,
        Some(Impairment::Arrears),
        "arrears-json",
    );
    check_error(start, Stopped, Some(Impairment::NoStock), "no-stock-json");
    check_error(start, Stopped, Some(Impairment::Changing), "conflict-json");

    let mut check_error = |action: &str, parameters: &[(&str, &str)], name: &str| {
        assert_same_error(&respond(&mut cloud, &request(action, parameters)), name);
    };
    check_error(start, &[], "missing-instance-id-json");
    check_error(start, &[("InstanceId", "i-1")], "not-found-json");
    check_error("DescribeInstances", &[("RegionId", "cn-x")], "region-json");
    let bad = [("RegionId", REGION), ("InstanceIds", "i-1")];
    check_error("DescribeInstances", &bad, "bad-instance-ids-json");
    check_error("Dance", &[], "unknown-action-json");
    let id = add(&mut cloud, Stopped, None);
    let dry = request(start, &[("InstanceId", &id), ("DryRun", "true")]);
    assert_same_error(&respond(&mut cloud, &dry), "dry-run-single-json");
}

#[test]
fn xml_error_has_the_elements_of_the_example() {
    let mut cloud = cloud_state();
    let mut check_error =
        |state: Option<(SimulatedState, Option<Impairment>)>, id: &str, name: &str| {
            let id = state.map_or(id.to_owned(), |(state, impairment)| {
                add(&mut cloud, state, impairment)
            });
            let request = xml_request("StartInstance", &[("InstanceId", &id)]);
            assert_same_shape(&respond(&mut cloud, &request), name);
        };
    check_error(None, "", "missing-instance-id-xml");
    check_error(None, "i-1", "not-found-xml");
    check_error(Some((Running, None)), "", "bad-status-xml");
    check_error(Some((Stopped, Some(Impairment::Locked))), "", "locked-xml");
}

#[test]
fn xml_text_is_escaped() {
    let mut cloud = cloud_state();
    let request = xml_request(
        "StartInstances",
        &[
            ("RegionId", REGION),
            ("InstanceId.1", "<&>"),
            ("BatchOptimization", "SuccessFirst"),
        ],
    );
    let response = respond(&mut cloud, &request);
    let text = std::str::from_utf8(response.body()).unwrap();
    assert!(
        text.contains("<InstanceId>&lt;&amp;&gt;</InstanceId>"),
        "{text}"
    );
}

#[test]
fn response_format_follows_parameter_then_header_then_switch() {
    let mut cloud = cloud_state();
    let mut kind = |accept: Option<&str>, format: &str, xml_by_default: bool| {
        cloud.switches.aliyun.xml_by_default = xml_by_default;
        let mut request = request("StartInstance", &[("Format", format)]);
        request.headers.remove("accept");
        if let Some(accept) = accept {
            request.headers.insert("accept", accept.parse().unwrap());
        }
        let response = respond(&mut cloud, &request);
        let kind = response.headers()["content-type"].to_str().unwrap();
        if kind.contains("xml") { "xml" } else { "json" }
    };
    assert_eq!(kind(Some("application/json"), "XML", false), "xml");
    assert_eq!(kind(Some("application/json"), "", true), "json");
    assert_eq!(kind(Some("application/xml"), "", false), "xml");
    assert_eq!(kind(Some("*/*"), "", true), "xml");
    assert_eq!(kind(None, "", false), "json");
    assert_eq!(kind(None, "json", true), "json");
}

#[test]
fn throttling_error_follows_the_switches() {
    let mut cloud = cloud_state();
    for (form, status, expected) in [
        (Throttling::User400, 400, "Throttling.User"),
        (Throttling::User429, 429, "Throttling.User"),
        (Throttling::Api429, 429, "Throttling.Api"),
        (Throttling::Plain400, 400, "Throttling"),
        (Throttling::Plain403, 403, "Throttling"),
    ] {
        cloud.switches.aliyun.throttling = form;
        let response = Aliyun.throttled(&mut cloud, None);
        assert!(!response.headers().contains_key("x-acs-retry-after"));
        assert_eq!(status_and_code(&read(&response)), (status, expected));
    }
    let wait = Some(Duration::from_micros(1_199_001));
    cloud.switches.aliyun.throttling = Throttling::User400;
    let response = Aliyun.throttled(&mut cloud, wait);
    assert_same_shape(&response, "throttling-user-retry-after-json");
    assert_eq!(response.headers()["x-acs-retry-after"], "1200");
    cloud.switches.aliyun.throttling_hint = ThrottlingHint::RateLimit;
    let response = Aliyun.throttled(&mut cloud, wait);
    assert!(!response.headers().contains_key("x-acs-retry-after"));
    let limits = response.headers()["x-ratelimit-user-api"].to_str().unwrap();
    assert!(
        limits.split(',').any(|pair| pair == "TimeLeft:1200"),
        "{limits}"
    );
    assert!(response.headers().contains_key("x-ratelimit-user"));

    cloud.switches.aliyun.throttling = Throttling::Plain400;
    let (_, simulated) = read(&Aliyun.throttled(&mut cloud, None));
    let documented: Value = serde_json::from_str(&example("throttling-json").body).unwrap();
    assert_eq!(simulated["Message"], documented["Message"]);
}

#[test]
fn server_error_matches_the_example() {
    let mut cloud = cloud_state();
    for (status, name) in [(500, "internal-json"), (503, "unavailable-json")] {
        let response = Aliyun.server_error(&mut cloud, status);
        assert_same_shape(&response, name);
        let example: Value = serde_json::from_str(&example(name).body).unwrap();
        assert_eq!(read(&response).1["Code"], example["Code"]);
    }
}

#[test]
fn instance_id_has_the_format_of_the_vendor() {
    let mut cloud = cloud_state();
    let id = add(&mut cloud, Running, None);
    assert!(id.starts_with("i-bp1"), "{id}");
    assert_eq!(id.len(), "i-bp67acfmxazb4p****".len());
}

#[test]
fn each_response_has_another_request_id() {
    let mut cloud = cloud_state();
    move_clock_to(&mut cloud, 1);
    let (_, one) = call(&mut cloud, "StartInstance", &[]);
    let (_, two) = call(&mut cloud, "StartInstance", &[]);
    assert_ne!(one["RequestId"], two["RequestId"]);
}

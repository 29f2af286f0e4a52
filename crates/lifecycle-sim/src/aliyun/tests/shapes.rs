//! Answers look like those that the documents, the SDKs and users show.

use std::{collections::BTreeSet, time::Duration};

use serde::Deserialize;

use super::*;
use crate::{
    aliyun::switches::{Throttling, ThrottlingHint},
    testing::{at, shape},
};

#[derive(Deserialize)]
struct Wire {
    responses: Vec<Shown>,
}

#[derive(Deserialize)]
struct Shown {
    name: String,
    status: u16,
    content_type: String,
    body: String,
}

fn shown(name: &str) -> Shown {
    let wire: Wire = serde_json::from_str(WIRE).unwrap();
    wire.responses
        .into_iter()
        .find(|shown| shown.name == name)
        .unwrap_or_else(|| panic!("no answer is called {name}"))
}

/// The same keys and types, status and content type.
fn assert_alike(response: &Response, name: &str) {
    let shown = shown(name);
    assert_eq!(response.status().as_u16(), shown.status, "{name}");
    assert_eq!(
        response.headers()["content-type"],
        shown.content_type,
        "{name}"
    );
    assert!(
        response.headers().contains_key("x-acs-request-id"),
        "{name}"
    );
    let body = std::str::from_utf8(response.body()).unwrap();
    if shown.content_type.contains("json") {
        let (own, theirs): (Value, Value) = (
            serde_json::from_str(body).unwrap(),
            serde_json::from_str(&shown.body).unwrap(),
        );
        assert_eq!(shape(&own), shape(&theirs), "{name}");
    } else {
        assert_eq!(elements(body), elements(&shown.body), "{name}: {body}");
    }
}

/// The same answer, word by word, but for the request id.
fn assert_equal(response: &Response, name: &str) {
    assert_alike(response, name);
    let shown: Value = serde_json::from_str(&shown(name).body).unwrap();
    let (_, own) = read(response);
    for field in ["Code", "Message", "HostId"] {
        assert_eq!(own[field], shown[field], "{name}");
    }
}

/// The names on the way to every element of an XML document.
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

fn in_xml(action: &str, parameters: &[(&str, &str)]) -> ReceivedRequest {
    let mut parameters = parameters.to_vec();
    parameters.push(("Format", "XML"));
    request(action, &parameters)
}

#[test]
fn successes_of_single_calls() {
    let mut cloud = cloud_state();
    for action in ["StartInstance", "RebootInstance", "StopInstance"] {
        for (format, suffix) in [("JSON", "json"), ("XML", "xml")] {
            let state = if action == "StartInstance" {
                SimulatedState::Stopped
            } else {
                SimulatedState::Running
            };
            let id = add(&mut cloud, state, None);
            let request = request(action, &[("InstanceId", &id), ("Format", format)]);
            let response = respond(&mut cloud, &request);
            assert_alike(&response, &format!("{action}-ok-{suffix}"));
        }
    }
}

#[test]
fn successes_of_batches() {
    let mut cloud = cloud_state();
    let each = ("BatchOptimization", "SuccessFirst");
    let region = ("RegionId", REGION);
    for (action, name, state, members) in [
        (
            "StartInstances",
            "StartInstances-ok-json",
            SimulatedState::Stopped,
            2,
        ),
        (
            "StopInstances",
            "StopInstances-ok-json",
            SimulatedState::Running,
            2,
        ),
        (
            "RebootInstances",
            "RebootInstances-ok-json",
            SimulatedState::Running,
            2,
        ),
        (
            "StartInstances",
            "StartInstances-mixed-json",
            SimulatedState::Stopped,
            1,
        ),
        (
            "StopInstances",
            "StopInstances-mixed-json",
            SimulatedState::Running,
            1,
        ),
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
        assert_alike(&respond(&mut cloud, &request), name);
    }
    let id = add(&mut cloud, SimulatedState::Stopped, None);
    let mixed = in_xml(
        "StartInstances",
        &[
            region,
            each,
            ("InstanceId.1", &id),
            ("InstanceId.2", "i-TestID"),
        ],
    );
    assert_alike(&respond(&mut cloud, &mixed), "StartInstances-mixed-xml");
}

#[test]
fn successes_of_looking() {
    let mut cloud = cloud_state();
    let statuses = "DescribeInstanceStatus";
    let instances = "DescribeInstances";
    look(
        &mut cloud,
        instances,
        &[("InstanceIds", "[]")],
        "DescribeInstances-empty-json",
    );
    look(
        &mut cloud,
        statuses,
        &[],
        "DescribeInstanceStatus-empty-json",
    );
    add(&mut cloud, SimulatedState::Running, None);
    look(&mut cloud, statuses, &[], "DescribeInstanceStatus-json");
    look(&mut cloud, statuses, &[], "DescribeInstanceStatus-xml");
    let ten = [("MaxResults", "10")];
    look(
        &mut cloud,
        instances,
        &ten,
        "DescribeInstances-last-page-json",
    );
    testing::add(
        &mut cloud,
        REGION,
        10,
        SimulatedState::Stopped,
        Some(Impairment::Locked),
    );
    look(
        &mut cloud,
        instances,
        &ten,
        "DescribeInstances-first-page-json",
    );
}

fn look(cloud: &mut CloudState, action: &str, more: &[(&str, &str)], name: &str) {
    let mut parameters = vec![("RegionId", REGION)];
    parameters.extend(more);
    let params = if name.ends_with("xml") {
        in_xml(action, &parameters)
    } else {
        request(action, &parameters)
    };
    assert_alike(&respond(cloud, &params), name);
}

#[test]
fn an_xml_record_has_what_the_documents_show() {
    let mut cloud = cloud_state();
    add(&mut cloud, SimulatedState::Running, None);
    let params = in_xml("DescribeInstances", &[("RegionId", REGION)]);
    let response = respond(&mut cloud, &params);
    let own = elements(std::str::from_utf8(response.body()).unwrap());
    // The documented example is a cut of the fields.
    let theirs = elements(&shown("DescribeInstances-xml").body);
    let missing: Vec<_> = theirs.difference(&own).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn refusals_are_the_documented_ones() {
    let mut cloud = cloud_state();
    let mut refuse =
        |action: &str, state: SimulatedState, impairment: Option<Impairment>, name: &str| {
            let id = add(&mut cloud, state, impairment);
            let request = request(action, &[("InstanceId", &id)]);
            assert_equal(&respond(&mut cloud, &request), name);
        };
    let start = "StartInstance";
    refuse(start, SimulatedState::Running, None, "bad-status-json");
    refuse(
        start,
        SimulatedState::Stopped,
        Some(Impairment::Locked),
        "locked-json",
    );
    refuse(
        start,
        SimulatedState::Stopped,
        Some(Impairment::Failed),
        "disk-json",
    );
    refuse(
        start,
        SimulatedState::Stopped,
        Some(Impairment::Creating),
        "not-ready-403-json",
    );
    refuse(
        start,
        SimulatedState::Stopped,
        Some(Impairment::Arrears),
        "balance-json",
    );
    refuse(
        start,
        SimulatedState::Stopped,
        Some(Impairment::Expired),
        "expired-json",
    );
    refuse(
        "StopInstance",
        SimulatedState::Running,
        Some(Impairment::Arrears),
        "arrears-json",
    );
    refuse(
        start,
        SimulatedState::Stopped,
        Some(Impairment::NoStock),
        "no-stock-json",
    );
    refuse(
        start,
        SimulatedState::Stopped,
        Some(Impairment::Changing),
        "conflict-json",
    );

    let mut refuse = |action: &str, parameters: &[(&str, &str)], name: &str| {
        assert_equal(&respond(&mut cloud, &request(action, parameters)), name);
    };
    refuse(start, &[], "missing-instance-id-json");
    refuse(start, &[("InstanceId", "i-1")], "not-found-json");
    refuse("DescribeInstances", &[("RegionId", "cn-x")], "region-json");
    let bad = [("RegionId", REGION), ("InstanceIds", "i-1")];
    refuse("DescribeInstances", &bad, "bad-instance-ids-json");
    refuse("Dance", &[], "unknown-action-json");
    let id = add(&mut cloud, SimulatedState::Stopped, None);
    let dry = request(start, &[("InstanceId", &id), ("DryRun", "true")]);
    assert_equal(&respond(&mut cloud, &dry), "dry-run-single-json");
}

#[test]
fn refusals_in_xml_have_no_link() {
    let mut cloud = cloud_state();
    let mut refuse = |state: Option<(SimulatedState, Option<Impairment>)>, id: &str, name: &str| {
        let id = state.map_or(id.to_owned(), |(state, impairment)| {
            add(&mut cloud, state, impairment)
        });
        let params = in_xml("StartInstance", &[("InstanceId", &id)]);
        assert_alike(&respond(&mut cloud, &params), name);
    };
    refuse(None, "", "missing-instance-id-xml");
    refuse(None, "i-1", "not-found-xml");
    refuse(Some((SimulatedState::Running, None)), "", "bad-status-xml");
    refuse(
        Some((SimulatedState::Stopped, Some(Impairment::Locked))),
        "",
        "locked-xml",
    );
}

#[test]
fn xml_is_escaped() {
    let mut cloud = cloud_state();
    let params = in_xml(
        "StartInstances",
        &[
            ("RegionId", REGION),
            ("InstanceId.1", "<&>"),
            ("BatchOptimization", "SuccessFirst"),
        ],
    );
    let response = respond(&mut cloud, &params);
    let text = std::str::from_utf8(response.body()).unwrap();
    assert!(
        text.contains("<InstanceId>&lt;&amp;&gt;</InstanceId>"),
        "{text}"
    );
}

#[test]
fn the_format_is_the_parameter_then_the_header_then_the_switch() {
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
fn throttling_comes_in_several_forms() {
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
        assert_eq!(code(&read(&response)), (status, expected));
    }
    let wait = Some(Duration::from_micros(1_199_001));
    cloud.switches.aliyun.throttling = Throttling::User400;
    let response = Aliyun.throttled(&mut cloud, wait);
    assert_alike(&response, "throttling-user-retry-after-json");
    assert_eq!(response.headers()["x-acs-retry-after"], "1200");
    cloud.switches.aliyun.throttling_hint = ThrottlingHint::RateLimit;
    let response = Aliyun.throttled(&mut cloud, wait);
    assert!(!response.headers().contains_key("x-acs-retry-after"));
    let told = response.headers()["x-ratelimit-user-api"].to_str().unwrap();
    assert!(
        told.split(',').any(|pair| pair == "TimeLeft:1200"),
        "{told}"
    );
    assert!(response.headers().contains_key("x-ratelimit-user"));

    cloud.switches.aliyun.throttling = Throttling::Plain400;
    let (_, own) = read(&Aliyun.throttled(&mut cloud, None));
    let theirs: Value = serde_json::from_str(&shown("throttling-json").body).unwrap();
    assert_eq!(own["Message"], theirs["Message"]);
}

#[test]
fn the_cloud_has_trouble_of_its_own() {
    let mut cloud = cloud_state();
    for (status, name) in [(500, "internal-json"), (503, "unavailable-json")] {
        let response = Aliyun.server_error(&mut cloud, status);
        assert_alike(&response, name);
        let shown: Value = serde_json::from_str(&shown(name).body).unwrap();
        assert_eq!(read(&response).1["Code"], shown["Code"]);
    }
}

#[test]
fn ids_look_like_the_vendors() {
    let mut cloud = cloud_state();
    let id = add(&mut cloud, SimulatedState::Running, None);
    assert!(id.starts_with("i-bp1"), "{id}");
    assert_eq!(id.len(), "i-bp67acfmxazb4p****".len());
    at(&mut cloud, 1);
    let (_, one) = call(&mut cloud, "StartInstance", &[]);
    let (_, two) = call(&mut cloud, "StartInstance", &[]);
    assert_ne!(one["RequestId"], two["RequestId"]);
}

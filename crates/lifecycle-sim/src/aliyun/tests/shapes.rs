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
fn assert_alike(answer: &Response, name: &str) {
    let shown = shown(name);
    assert_eq!(answer.status().as_u16(), shown.status, "{name}");
    assert_eq!(
        answer.headers()["content-type"],
        shown.content_type,
        "{name}"
    );
    assert!(answer.headers().contains_key("x-acs-request-id"), "{name}");
    let body = std::str::from_utf8(answer.body()).unwrap();
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
fn assert_equal(answer: &Response, name: &str) {
    assert_alike(answer, name);
    let shown: Value = serde_json::from_str(&shown(name).body).unwrap();
    let (_, own) = read(answer);
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

fn in_xml(action: &str, parameters: &[(&str, &str)]) -> Received {
    let mut parameters = parameters.to_vec();
    parameters.push(("Format", "XML"));
    request(action, &parameters)
}

#[test]
fn successes_of_single_calls() {
    let mut site = site();
    for action in ["StartInstance", "RebootInstance", "StopInstance"] {
        for (format, suffix) in [("JSON", "json"), ("XML", "xml")] {
            let state = if action == "StartInstance" {
                State::Stopped
            } else {
                State::Running
            };
            let id = add(&mut site, state, None);
            let request = request(action, &[("InstanceId", &id), ("Format", format)]);
            let answer = answer(&mut site, &request);
            assert_alike(&answer, &format!("{action}-ok-{suffix}"));
        }
    }
}

#[test]
fn successes_of_batches() {
    let mut site = site();
    let each = ("BatchOptimization", "SuccessFirst");
    let region = ("RegionId", REGION);
    for (action, name, state, members) in [
        (
            "StartInstances",
            "StartInstances-ok-json",
            State::Stopped,
            2,
        ),
        ("StopInstances", "StopInstances-ok-json", State::Running, 2),
        (
            "RebootInstances",
            "RebootInstances-ok-json",
            State::Running,
            2,
        ),
        (
            "StartInstances",
            "StartInstances-mixed-json",
            State::Stopped,
            1,
        ),
        (
            "StopInstances",
            "StopInstances-mixed-json",
            State::Running,
            1,
        ),
    ] {
        let ids = testing::add(&mut site, REGION, members, state, None);
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
        assert_alike(&answer(&mut site, &request), name);
    }
    let id = add(&mut site, State::Stopped, None);
    let mixed = in_xml(
        "StartInstances",
        &[
            region,
            each,
            ("InstanceId.1", &id),
            ("InstanceId.2", "i-TestID"),
        ],
    );
    assert_alike(&answer(&mut site, &mixed), "StartInstances-mixed-xml");
}

#[test]
fn successes_of_looking() {
    let mut site = site();
    let statuses = "DescribeInstanceStatus";
    let instances = "DescribeInstances";
    look(
        &mut site,
        instances,
        &[("InstanceIds", "[]")],
        "DescribeInstances-empty-json",
    );
    look(
        &mut site,
        statuses,
        &[],
        "DescribeInstanceStatus-empty-json",
    );
    add(&mut site, State::Running, None);
    look(&mut site, statuses, &[], "DescribeInstanceStatus-json");
    look(&mut site, statuses, &[], "DescribeInstanceStatus-xml");
    let ten = [("MaxResults", "10")];
    look(
        &mut site,
        instances,
        &ten,
        "DescribeInstances-last-page-json",
    );
    testing::add(&mut site, REGION, 10, State::Stopped, Some(Trouble::Locked));
    look(
        &mut site,
        instances,
        &ten,
        "DescribeInstances-first-page-json",
    );
}

fn look(site: &mut Site, action: &str, more: &[(&str, &str)], name: &str) {
    let mut parameters = vec![("RegionId", REGION)];
    parameters.extend(more);
    let asked = if name.ends_with("xml") {
        in_xml(action, &parameters)
    } else {
        request(action, &parameters)
    };
    assert_alike(&answer(site, &asked), name);
}

#[test]
fn an_xml_record_has_what_the_documents_show() {
    let mut site = site();
    add(&mut site, State::Running, None);
    let asked = in_xml("DescribeInstances", &[("RegionId", REGION)]);
    let answer = answer(&mut site, &asked);
    let own = elements(std::str::from_utf8(answer.body()).unwrap());
    // The documented example is a cut of the fields.
    let theirs = elements(&shown("DescribeInstances-xml").body);
    let missing: Vec<_> = theirs.difference(&own).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn refusals_are_the_documented_ones() {
    let mut site = site();
    let mut refuse = |action: &str, state: State, trouble: Option<Trouble>, name: &str| {
        let id = add(&mut site, state, trouble);
        let request = request(action, &[("InstanceId", &id)]);
        assert_equal(&answer(&mut site, &request), name);
    };
    let start = "StartInstance";
    refuse(start, State::Running, None, "bad-status-json");
    refuse(start, State::Stopped, Some(Trouble::Locked), "locked-json");
    refuse(start, State::Stopped, Some(Trouble::Failed), "disk-json");
    refuse(
        start,
        State::Stopped,
        Some(Trouble::Creating),
        "not-ready-403-json",
    );
    refuse(
        start,
        State::Stopped,
        Some(Trouble::Arrears),
        "balance-json",
    );
    refuse(
        start,
        State::Stopped,
        Some(Trouble::Expired),
        "expired-json",
    );
    refuse(
        "StopInstance",
        State::Running,
        Some(Trouble::Arrears),
        "arrears-json",
    );
    refuse(
        start,
        State::Stopped,
        Some(Trouble::NoStock),
        "no-stock-json",
    );
    refuse(
        start,
        State::Stopped,
        Some(Trouble::Changing),
        "conflict-json",
    );

    let mut refuse = |action: &str, parameters: &[(&str, &str)], name: &str| {
        assert_equal(&answer(&mut site, &request(action, parameters)), name);
    };
    refuse(start, &[], "missing-instance-id-json");
    refuse(start, &[("InstanceId", "i-1")], "not-found-json");
    refuse("DescribeInstances", &[("RegionId", "cn-x")], "region-json");
    let bad = [("RegionId", REGION), ("InstanceIds", "i-1")];
    refuse("DescribeInstances", &bad, "bad-instance-ids-json");
    refuse("Dance", &[], "unknown-action-json");
    let id = add(&mut site, State::Stopped, None);
    let dry = request(start, &[("InstanceId", &id), ("DryRun", "true")]);
    assert_equal(&answer(&mut site, &dry), "dry-run-single-json");
}

#[test]
fn refusals_in_xml_have_no_link() {
    let mut site = site();
    let mut refuse = |state: Option<(State, Option<Trouble>)>, id: &str, name: &str| {
        let id = state.map_or(id.to_owned(), |(state, trouble)| {
            add(&mut site, state, trouble)
        });
        let asked = in_xml("StartInstance", &[("InstanceId", &id)]);
        assert_alike(&answer(&mut site, &asked), name);
    };
    refuse(None, "", "missing-instance-id-xml");
    refuse(None, "i-1", "not-found-xml");
    refuse(Some((State::Running, None)), "", "bad-status-xml");
    refuse(
        Some((State::Stopped, Some(Trouble::Locked))),
        "",
        "locked-xml",
    );
}

#[test]
fn xml_is_escaped() {
    let mut site = site();
    let asked = in_xml(
        "StartInstances",
        &[
            ("RegionId", REGION),
            ("InstanceId.1", "<&>"),
            ("BatchOptimization", "SuccessFirst"),
        ],
    );
    let answer = answer(&mut site, &asked);
    let text = std::str::from_utf8(answer.body()).unwrap();
    assert!(
        text.contains("<InstanceId>&lt;&amp;&gt;</InstanceId>"),
        "{text}"
    );
}

#[test]
fn the_format_is_the_parameter_then_the_header_then_the_switch() {
    let mut site = site();
    let mut kind = |accept: Option<&str>, format: &str, xml_by_default: bool| {
        site.switches.aliyun.xml_by_default = xml_by_default;
        let mut request = request("StartInstance", &[("Format", format)]);
        request.headers.remove("accept");
        if let Some(accept) = accept {
            request.headers.insert("accept", accept.parse().unwrap());
        }
        let answer = answer(&mut site, &request);
        let kind = answer.headers()["content-type"].to_str().unwrap();
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
    let mut site = site();
    for (form, status, expected) in [
        (Throttling::User400, 400, "Throttling.User"),
        (Throttling::User429, 429, "Throttling.User"),
        (Throttling::Api429, 429, "Throttling.Api"),
        (Throttling::Plain400, 400, "Throttling"),
        (Throttling::Plain403, 403, "Throttling"),
    ] {
        site.switches.aliyun.throttling = form;
        let answer = Aliyun.throttled(&mut site, None);
        assert!(!answer.headers().contains_key("x-acs-retry-after"));
        assert_eq!(code(&read(&answer)), (status, expected));
    }
    let wait = Some(Duration::from_micros(1_199_001));
    site.switches.aliyun.throttling = Throttling::User400;
    let answer = Aliyun.throttled(&mut site, wait);
    assert_alike(&answer, "throttling-user-retry-after-json");
    assert_eq!(answer.headers()["x-acs-retry-after"], "1200");
    site.switches.aliyun.throttling_hint = ThrottlingHint::RateLimit;
    let answer = Aliyun.throttled(&mut site, wait);
    assert!(!answer.headers().contains_key("x-acs-retry-after"));
    let told = answer.headers()["x-ratelimit-user-api"].to_str().unwrap();
    assert!(
        told.split(',').any(|pair| pair == "TimeLeft:1200"),
        "{told}"
    );
    assert!(answer.headers().contains_key("x-ratelimit-user"));

    site.switches.aliyun.throttling = Throttling::Plain400;
    let (_, own) = read(&Aliyun.throttled(&mut site, None));
    let theirs: Value = serde_json::from_str(&shown("throttling-json").body).unwrap();
    assert_eq!(own["Message"], theirs["Message"]);
}

#[test]
fn the_cloud_has_trouble_of_its_own() {
    let mut site = site();
    for (status, name) in [(500, "internal-json"), (503, "unavailable-json")] {
        let answer = Aliyun.failure(&mut site, status);
        assert_alike(&answer, name);
        let shown: Value = serde_json::from_str(&shown(name).body).unwrap();
        assert_eq!(read(&answer).1["Code"], shown["Code"]);
    }
}

#[test]
fn ids_look_like_the_vendors() {
    let mut site = site();
    let id = add(&mut site, State::Running, None);
    assert!(id.starts_with("i-bp1"), "{id}");
    assert_eq!(id.len(), "i-bp67acfmxazb4p****".len());
    at(&mut site, 1);
    let (_, one) = call(&mut site, "StartInstance", &[]);
    let (_, two) = call(&mut site, "StartInstance", &[]);
    assert_ne!(one["RequestId"], two["RequestId"]);
}

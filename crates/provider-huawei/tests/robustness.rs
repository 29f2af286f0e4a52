//! Answers that are cut off, or have a value of the wrong type: nothing panics, and what is odd
//! costs no more than itself.

mod support;

use bytes::Bytes;
use lifecycle_core::{FaultKind, HttpResponse, Provider};
use provider_testing::{http_response, with_body};
use serde_json::{Value, json};

use support::{CALLS, fault, meaning, provider, reply, wire};

/// Every recorded answer.
fn answers() -> Vec<HttpResponse> {
    [wire("responses"), wire("sdk_error_parsing")]
        .concat()
        .iter()
        .map(reply)
        .collect()
}

/// With the status that it has, and as a success of these calls.
fn read_as(answer: &HttpResponse, calls: &[&str]) {
    let mut success = answer.clone();
    *success.status_mut() = http::StatusCode::OK;
    for call in calls {
        assert!(!meaning(call, &success).is_empty());
    }
    if answer.status() != 200 {
        assert!(!meaning("batch-reboot", answer).is_empty());
        provider().request_id(answer);
    }
}

#[test]
fn answers_may_end_anywhere() {
    let mut cuts = 0;
    for answer in answers() {
        for end in 0..answer.body().len() {
            // No reader gets past the end of a text that is no JSON: one stands for all.
            read_as(&with_body(&answer, answer.body().slice(..end)), &["list"]);
            cuts += 1;
        }
    }
    assert!(cuts > 10_000, "{cuts}");
}

#[test]
fn values_may_be_of_any_type() {
    let mut changes = 0;
    for answer in answers() {
        let Ok(body) = serde_json::from_slice::<Value>(answer.body()) else {
            continue;
        };
        for changed in changes_of(&body) {
            let every_reader = ["batch-reboot", "show-job", "show-server", "list"];
            read_as(&with_body(&answer, changed.to_string()), &every_reader);
            changes += 1;
        }
    }
    assert!(changes > 1_000, "{changes}");
}

/// The same document with one value replaced, for every value in it.
fn changes_of(body: &Value) -> Vec<Value> {
    let mut pointers = vec![String::new()];
    find_pointers(body, "", &mut pointers);
    let others = [
        Value::Null,
        json!(-1.5e9),
        json!("other"),
        json!([[1]]),
        json!({"a": {"b": null}}),
    ];
    let change = |pointer: &String, other: &Value| {
        let mut changed = body.clone();
        *changed.pointer_mut(pointer).unwrap() = other.clone();
        changed
    };
    pointers
        .iter()
        .flat_map(|pointer| others.iter().map(move |other| change(pointer, other)))
        .collect()
}

fn find_pointers(value: &Value, at: &str, pointers: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(k, v)| (k.clone(), v)).collect(),
        Value::Array(rows) => rows
            .iter()
            .enumerate()
            .map(|(i, v)| (i.to_string(), v))
            .collect(),
        _ => return,
    };
    for (name, child) in children {
        let pointer = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        find_pointers(child, &pointer, pointers);
        pointers.push(pointer);
    }
}

#[test]
fn an_odd_row_costs_no_other_row() {
    let entries = wire("responses");
    let list = entries
        .iter()
        .find(|entry| entry["name"] == "list-two")
        .unwrap();
    let mut changes = 0;
    for row in changes_of(&list["body"]["servers"][0]) {
        let mut body = list["body"].clone();
        body["servers"][0] = row.clone();
        let read = meaning("list", &with_body(&reply(list), body.to_string()));
        assert!(
            read.contains("726fb98f web-2 stopped (SHUTOFF)"),
            "{row}: {read}"
        );
        let has_its_id = row["id"] == list["body"]["servers"][0]["id"];
        assert_eq!(read.contains("616fb98f"), has_its_id, "{row}: {read}");
        changes += 1;
    }
    assert!(changes > 100, "{changes}");
}

#[test]
fn an_odd_part_costs_no_other_part() {
    let entries = wire("responses");
    let job = entries
        .iter()
        .find(|entry| entry["name"] == "job-fail-partial")
        .unwrap();
    for part in changes_of(&job["body"]["entities"]["sub_jobs"][0]) {
        let mut body = job["body"].clone();
        body["entities"]["sub_jobs"][0] = part.clone();
        let read = meaning("show-job", &with_body(&reply(job), body.to_string()));
        assert!(
            read.contains("726fb98f wrong-state Ecs.0100"),
            "{part}: {read}"
        );
        assert!(read.starts_with("failed Common.0021"), "{part}: {read}");
    }
}

#[test]
fn bodies_that_are_no_json_are_unreadable() {
    let nested = "[".repeat(100_000);
    let job = r#"{"status":"RUNNING","entities":{"sub_jobs":["#;
    for body in [
        &b""[..],
        b" ",
        b"<html>",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"5",
        b"{}",
        b"{\"job_id\": \"a/b\"}",
        b"{\"server\": [1]}",
        b"{\"servers\": {}}",
        nested.as_bytes(),
        job.repeat(20_000).as_bytes(),
    ] {
        let answer = http_response(200, http::HeaderMap::new(), Bytes::copy_from_slice(body));
        for call in CALLS {
            let fault = fault(call, &answer).unwrap();
            assert_eq!(fault.kind(), FaultKind::Unreadable, "{call}: {fault}");
            assert!(fault.message().len() < 600, "{call}: {fault}");
        }
    }
}

/// Deeper than any stack: whoever reads the inside of a job by calling themselves falls over.
#[test]
fn jobs_may_be_nested_to_any_depth() {
    let depth = 100_000;
    let body =
        r#"{"status":"RUNNING","entities":{"sub_jobs":["#.repeat(depth) + &"]}}".repeat(depth);
    let answer = http_response(200, http::HeaderMap::new(), body);
    assert_eq!(meaning("show-job", &answer), "running");
}

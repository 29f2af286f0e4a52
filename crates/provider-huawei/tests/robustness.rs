//! Tests of Huawei responses that are truncated or have a value of the wrong type: no panic, and the loss
//! of one row at most.

mod support;

use lifecycle_core::{FaultKind, HttpResponse, Provider};
use provider_testing::{
    http_response, json_mutations, recorded_response, response, truncated, with_body,
};
use serde_json::Value;

use support::{CALLS, describe, fault, list_recordings, provider, recordings};

/// Returns every recorded response.
fn responses() -> Vec<HttpResponse> {
    [
        recordings("responses"),
        recordings("sdk_error_parsing"),
        list_recordings("responses"),
    ]
    .concat()
    .iter()
    .map(recorded_response)
    .collect()
}

/// Reads a response with its own status, and with status 200 as the response to these calls.
fn read_as(response: &HttpResponse, calls: &[&str]) {
    let mut success = response.clone();
    *success.status_mut() = http::StatusCode::OK;
    for call in calls {
        assert!(!describe(call, &success).is_empty());
    }
    if response.status() != 200 {
        assert!(!describe("batch-reboot", response).is_empty());
        provider().request_id(response);
    }
}

#[test]
fn truncated_response_causes_no_panic() {
    let mut cuts = 0;
    for response in responses() {
        for cut in truncated(&response) {
            // Every reader stops at invalid JSON, so one reader is enough.
            read_as(&cut, &["list"]);
            cuts += 1;
        }
    }
    assert!(cuts > 10_000, "{cuts}");
}

#[test]
fn value_of_another_type_causes_no_panic() {
    let mut changes = 0;
    for response in responses() {
        let Ok(body) = serde_json::from_slice::<Value>(response.body()) else {
            continue;
        };
        for mutation in json_mutations(&body) {
            let every_reader = ["batch-reboot", "show-job", "show-server", "list"];
            let mutant = with_body(&response, mutation.document.to_string());
            read_as(&mutant, &every_reader);
            changes += 1;
        }
    }
    assert!(changes > 1_000, "{changes}");
}

#[test]
fn odd_row_does_not_affect_other_rows() {
    let entries = recordings("responses");
    let list = entries
        .iter()
        .find(|entry| entry["name"] == "list-two")
        .unwrap();
    let mut changes = 0;
    for mutation in json_mutations(&list["body"]["servers"][0]) {
        let row = mutation.document;
        let mut body = list["body"].clone();
        body["servers"][0] = row.clone();
        let read = describe(
            "list",
            &with_body(&recorded_response(list), body.to_string()),
        );
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
fn odd_part_of_a_job_does_not_affect_other_parts() {
    let entries = recordings("responses");
    let job = entries
        .iter()
        .find(|entry| entry["name"] == "job-fail-partial")
        .unwrap();
    for mutation in json_mutations(&job["body"]["entities"]["sub_jobs"][0]) {
        let part = mutation.document;
        let mut body = job["body"].clone();
        body["entities"]["sub_jobs"][0] = part.clone();
        let read = describe(
            "show-job",
            &with_body(&recorded_response(job), body.to_string()),
        );
        assert!(
            read.contains("726fb98f wrong-state Ecs.0100"),
            "{part}: {read}"
        );
        assert!(read.starts_with("failed Common.0021"), "{part}: {read}");
    }
}

#[test]
fn body_without_the_expected_json_is_unreadable() {
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
        let response = http_response(200, http::HeaderMap::new(), body.to_vec());
        for call in CALLS {
            let fault = fault(call, &response)
                .unwrap_or_else(|| panic!("{call} {}", response.body().escape_ascii()));
            assert_eq!(fault.kind(), FaultKind::Unreadable, "{call}: {fault}");
            assert!(fault.message().len() < 600, "{call}: {fault}");
        }
    }
}

/// A recursive reader would overflow the stack.
#[test]
fn deeply_nested_job_causes_no_stack_overflow() {
    let depth = 100_000;
    let body =
        r#"{"status":"RUNNING","entities":{"sub_jobs":["#.repeat(depth) + &"]}}".repeat(depth);
    let response = response(200, &body);
    assert_eq!(describe("show-job", &response), "running");
}

//! Tests of responses and their meaning (Baidu).

use lifecycle_core::ExecutionStatus;
use provider_testing::{numbered_ids, recorded_response, start};

use super::*;

/// The meaning of a recorded response.
#[derive(Debug)]
enum Meaning {
    Accepted,
    AcceptedExcept(&'static [&'static str]),
    Instance(PowerState, &'static str),
    Page(&'static [(&'static str, PowerState)], Option<&'static str>),
    Error(FaultKind, ExecutionStatus),
}

fn meaning_of(name: &str) -> Meaning {
    use ExecutionStatus::{NotExecuted, Unknown};
    use FaultKind::*;
    use Meaning::*;
    use PowerState::{Running, Starting, Stopped, Stopping};
    match name {
        "power_ok_empty" | "power_ok_with_ids_failed_none" => Accepted,
        "power_ok_partly_failed" => AcceptedExcept(&["i-IyWRtII7"]),
        "get_instance_running" => Instance(Running, "Running"),
        "get_instance_starting" => Instance(Starting, "Starting"),
        "get_instance_stopping" => Instance(Stopping, "Stopping"),
        "get_instance_stopped" => Instance(Stopped, "Stopped"),
        "list_last_page" => Page(&[("i-JmwRSUbR", Running)], None),
        "list_first_page_of_two" => Page(&[("i-IyWRtII7", Stopped)], Some("i-xktdeMSf")),
        "list_empty" => Page(&[], None),
        "start_not_stopped" | "stop_not_running" | "reboot_not_running" => {
            Error(WrongState, NotExecuted)
        }
        "start_creating" => Error(Busy, NotExecuted),
        "start_expired" => Error(Billing, NotExecuted),
        "stop_no_charge_prepaid" | "stop_no_charge_local_disk" | "stop_no_charge_type" => {
            Error(Unsupported, NotExecuted)
        }
        "common_access_denied" | "common_opt_in_required" | "qualify_not_pass" => {
            Error(Permission, NotExecuted)
        }
        "common_invalid_ak" | "common_invalid_auth_header" | "common_signature_mismatch" => {
            Error(Credential, NotExecuted)
        }
        "common_invalid_http_request" | "common_invalid_uri" | "common_invalid_version" => {
            Error(Unsupported, NotExecuted)
        }
        "common_inappropriate_json"
        | "common_malformed_json"
        | "common_precondition_failed"
        | "common_idempotent_mismatch" => Error(Invalid, NotExecuted),
        "common_request_expired" => Error(ClockSkew, NotExecuted),
        "no_such_object" | "no_such_object_400" => Error(NotFound, NotExecuted),
        "common_internal_error" | "server_error_empty_body" | "gateway_html" => {
            Error(Unavailable, Unknown)
        }
        _ => panic!("{name} has no line in this table"),
    }
}

#[test]
fn recorded_responses_have_the_documented_meaning() {
    for entry in recorded("responses") {
        let name = entry["name"].as_str().unwrap();
        let response = recorded_response(&entry);
        let checked = crate::fault::check(&response);
        if !matches!(meaning_of(name), Meaning::Error(..)) {
            assert_eq!(checked, Ok(()), "{name}");
        }
        match meaning_of(name) {
            Meaning::Accepted => {
                assert!(matches!(read_power(&response), Ok(BatchAck::All)), "{name}");
            }
            Meaning::AcceptedExcept(expected) => match read_power(&response) {
                Ok(BatchAck::Except(failed)) => {
                    let ids: Vec<&str> = failed.iter().map(|(id, _)| id.as_str()).collect();
                    assert_eq!(ids, expected, "{name}");
                    for (_, fault) in failed {
                        assert_eq!(fault.kind(), FaultKind::Failed);
                        assert_eq!(fault.execution_status(), ExecutionStatus::Unknown);
                        assert_eq!(fault.request_id(), response.header("x-bce-request-id"));
                    }
                }
                other => panic!("{name}: {other:?}"),
            },
            Meaning::Instance(state, raw) => {
                let row = read_one(&response, NO_DETAILS).unwrap().remove(0);
                assert_eq!(row.instance.as_str(), "i-JmwRSUbR", "{name}");
                assert_eq!((row.state, row.raw.as_str()), (state, raw), "{name}");
                assert_eq!(row.name.as_deref(), Some("instance-4nbckz0b"), "{name}");
            }
            Meaning::Page(expected, next) => {
                let page = read_page(&response, NO_DETAILS).unwrap();
                assert_eq!(states(&page.observations), expected, "{name}");
                assert_eq!(page.next.token().map(PageToken::as_str), next, "{name}");
                let many = read_many(&response, NO_DETAILS);
                match next {
                    None => assert_eq!(many.unwrap(), page.observations, "{name}"),
                    Some(_) => assert_eq!(many.unwrap_err().kind(), FaultKind::Unreadable),
                }
            }
            Meaning::Error(kind, status) => {
                let fault = checked.unwrap_err();
                assert_eq!(
                    (fault.kind(), fault.execution_status()),
                    (kind, status),
                    "{name}"
                );
                assert_eq!(fault.code(), entry["error_code"].as_str(), "{name}");
                assert_eq!(fault.request_id(), response.header("x-bce-request-id"));
                assert_eq!(fault.status(), Some(response.status().as_u16()), "{name}");
            }
        }
    }
}

fn states(observations: &[Observation]) -> Vec<(&str, PowerState)> {
    observations
        .iter()
        .map(|row| (row.instance.as_str(), row.state))
        .collect()
}

#[test]
fn documented_status_has_a_state_and_other_status_is_unknown() {
    for (status, state) in [
        ("Starting", PowerState::Starting),
        ("Running", PowerState::Running),
        ("Stopping", PowerState::Stopping),
        ("Stopped", PowerState::Stopped),
        ("Expired", PowerState::Expired),
        ("Recycled", PowerState::Recycled),
        ("Deleted", PowerState::Deleted),
        ("Error", PowerState::Failed),
        ("Scaling", PowerState::Changing),
        ("SnapshotProcessing", PowerState::Changing),
        ("ImageProcessing", PowerState::Changing),
        ("ChangeVpc", PowerState::Changing),
        ("ChangeSubnet", PowerState::Changing),
        ("Recharging", PowerState::Changing),
        ("BillingChanging", PowerState::Changing),
        ("VolumeResizing", PowerState::Changing),
        ("AttachingPort", PowerState::Changing),
        ("DetachingPort", PowerState::Changing),
        ("Moving", PowerState::Changing),
        ("Dreaming", PowerState::Unknown),
        ("running", PowerState::Unknown),
    ] {
        let body = format!(r#"{{"instance":{{"id":"i-1","status":"{status}"}}}}"#);
        let row = read_one(&ok(&body), NO_DETAILS).unwrap().remove(0);
        assert_eq!((row.state, row.raw.as_str()), (state, status));
    }
}

#[test]
fn odd_row_does_not_spoil_the_other_rows() {
    let response = ok(r#"{"isTruncated": "no", "nextMarker": 5, "instances": [
            {"id": "i-1", "status": null, "name": 7},
            {"id": "i-2"},
            {"id": "i-3", "status": {"is": "Running"}, "name": ""},
            {"id": "../i-4", "status": "Running"},
            {"id": null, "status": "Running"},
            {"status": "Running"},
            {"id": 7, "status": "Running"},
            null, 7, "i-5", [],
            {"id": "i-6", "status": "Deleted"}
        ]}"#);
    let page = read_page(&response, NO_DETAILS).unwrap();
    assert_eq!(
        states(&page.observations),
        [
            ("i-1", PowerState::Unknown),
            ("i-2", PowerState::Unknown),
            ("i-3", PowerState::Unknown),
            ("7", PowerState::Running),
            ("i-6", PowerState::Deleted),
        ]
    );
    assert_eq!(page.unidentified, 7, "a row is dropped");
    assert!(page.observations.iter().all(|row| row.name.is_none()));
    assert_eq!(page.next, NextPage::Named(PageToken::new("5")));
}

#[test]
fn last_page_is_not_truncated_or_has_no_marker() {
    let named = |marker: &str| NextPage::Named(PageToken::new(marker));
    for (body, next) in [
        (r#"{"isTruncated":true,"nextMarker":"m"}"#, named("m")),
        (r#"{"isTruncated":true,"nextMarker":7}"#, named("7")),
        (r#"{"isTruncated":"TRUE","nextMarker":"m"}"#, named("m")),
        (r#"{"isTruncated":1,"nextMarker":"m"}"#, named("m")),
        (r#"{"isTruncated":false,"nextMarker":"m"}"#, NextPage::End),
        (r#"{"isTruncated":"false","nextMarker":"m"}"#, NextPage::End),
        (r#"{"isTruncated":true,"nextMarker":""}"#, NextPage::Unnamed),
        (r#"{"isTruncated":true}"#, NextPage::Unnamed),
        (r#"{"isTruncated":"true"}"#, NextPage::Unnamed),
        (r#"{"isTruncated":false,"instances":null}"#, NextPage::End),
        (r#"{"instances":[]}"#, NextPage::End),
        (r#"{"instances":[],"isTruncated":null}"#, NextPage::End),
        (r#"{"instances":[],"nextMarker":"m"}"#, named("m")),
    ] {
        let page = read_page(&ok(body), NO_DETAILS).unwrap();
        assert_eq!(page.next, next, "{body}");
        let lookup = read_many(&ok(body), NO_DETAILS);
        assert_eq!(lookup.is_ok(), next == NextPage::End, "{body}");
    }
    for odd in [
        r#"{"isTruncated":1,"instances":[]}"#,
        r#"{"isTruncated":"no","instances":[]}"#,
    ] {
        let fault = read_page(&ok(odd), NO_DETAILS).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Unreadable, "{odd}");
    }
}

#[test]
fn response_of_another_format_is_not_read_as_success() {
    for body in [
        "null",
        "7",
        "\"ok\"",
        "<html>",
        r#"{"failedInstanceIdList":"i-1"}"#,
        r#"{"failedInstanceIdList":[null]}"#,
        r#"{"failedInstanceIdList":["../i-1"]}"#,
        // An object of another sender.
        r#"{"a":1}"#,
        r#"{"RequestId":"r"}"#,
        r#"{"status":"ok"}"#,
    ] {
        let fault = read_power(&ok(body)).expect_err(body);
        assert_eq!(fault.kind(), FaultKind::Unreadable, "{body}");
        assert_eq!(fault.execution_status(), ExecutionStatus::Unknown, "{body}");
    }
    for body in ["", "{}", "[]", r#"{"instance":null}"#, r#"{"instances":7}"#] {
        let response = ok(body);
        assert!(read_one(&response, NO_DETAILS).is_err(), "{body}");
        assert!(read_many(&response, NO_DETAILS).is_err(), "{body}");
        assert!(read_page(&response, NO_DETAILS).is_err(), "{body}");
    }
    for body in [
        "",
        " \r\n",
        "{}",
        r#"{"requestId":"r"}"#,
        r#"{"failedInstanceIdList":null}"#,
    ] {
        assert!(matches!(read_power(&ok(body)), Ok(BatchAck::All)));
    }
}

#[test]
fn empty_response_to_a_batch_lists_no_instance() {
    for body in ["", " \r\n", "{}", " { }"] {
        let ack = read_batch_power(&ok(body));
        assert!(matches!(ack, Ok(BatchAck::Unlisted)), "{ack:?}");
    }
    let listed = read_batch_power(&ok(r#"{"failedInstanceIdList":[]}"#));
    assert!(matches!(listed, Ok(BatchAck::All)));
}

#[test]
fn empty_response_is_a_success_of_one_instance_and_lists_none_of_several() {
    let read = |count| {
        let ids = numbered_ids("i-", count);
        let call = act(&start(), &ids, &PROFILE).unwrap();
        call.read(&ok("")).unwrap()
    };
    assert!(matches!(read(1), BatchAck::All));
    assert!(matches!(read(2), BatchAck::Unlisted));
}

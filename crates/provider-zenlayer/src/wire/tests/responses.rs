//! Tests of reading Zenlayer's responses: example responses, statuses, pages, and malformed bodies.

use lifecycle_core::ExecutionStatus;
use provider_testing::recorded_response;

use super::*;

/// The meaning of an example response in `tests/vectors`.
#[derive(Debug)]
enum Meaning {
    Accepted,
    AcceptedExcept(&'static [&'static str]),
    Statuses(&'static [(&'static str, PowerState, &'static str)]),
    Instances(&'static [(&'static str, PowerState, &'static str)]),
    Error(FaultKind, ExecutionStatus),
}

fn meaning_of(name: &str) -> Meaning {
    use ExecutionStatus::{NotExecuted, Unknown};
    use FaultKind::*;
    use Meaning::*;
    use PowerState::{Running, Starting, Stopped};
    match name {
        "power_op_ok_none_failed" | "power_op_ok_field_absent" | "power_op_ok_field_null" => {
            Accepted
        }
        "power_op_partial_failure" => AcceptedExcept(&["instanceId2"]),
        "describe_status_ok" => Statuses(&[
            ("instanceId1", Running, "RUNNING"),
            ("instanceId2", Stopped, "STOPPED"),
            ("instanceId3", Starting, "BOOTING"),
        ]),
        "describe_status_none_found" => Statuses(&[]),
        "describe_instances_ok" => Instances(&[("instanceId1", Running, "RUNNING")]),
        "error_operation_denied_instance_in_operation" => Error(Busy, NotExecuted),
        "error_unsupported_operation_instance_status"
        | "error_operation_denied_instance_recycled"
        | "error_operation_denied_instance_not_stopped"
        | "error_operation_denied_instance_not_running"
        | "error_operation_failed_for_recycle_resource" => Error(WrongState, NotExecuted),
        "error_invalid_instance_not_found" | "error_operation_failed_resource_not_found" => {
            Error(NotFound, NotExecuted)
        }
        "error_request_limit_exceeded" | "error_request_limit_exceeded_retry_after" => {
            Error(Throttled, NotExecuted)
        }
        "error_authfailure_invalid_authorization" | "error_authfailure_signature_failure" => {
            Error(Credential, NotExecuted)
        }
        "error_authfailure_unauthorized_operation" => Error(Permission, NotExecuted),
        "error_authfailure_signature_expired" => Error(ClockSkew, NotExecuted),
        "error_missing_parameter"
        | "error_invalid_parameter_type"
        | "error_invalid_parameter_exceed_maximum"
        | "error_invalid_parameter_less_minimum"
        | "error_invalid_parameter_exceed_length"
        | "error_invalid_parameter_less_length"
        | "error_invalid_parameter_pattern_error"
        | "error_invalid_parameter_date_format_error"
        | "error_invalid_parameter_value"
        | "error_operation_failed_resource_group_not_found" => Error(Invalid, NotExecuted),
        "error_internal_server_error"
        | "error_service_temporary_unavailable"
        | "error_request_timed_out"
        | "edge_bad_gateway_html" => Error(Unavailable, Unknown),
        "edge_security_challenge" | "edge_blocked" => Error(Permission, NotExecuted),
        _ => panic!("{name} has no line in this table"),
    }
}

#[test]
fn example_responses_have_the_documented_meaning() {
    for entry in recorded("responses") {
        let name = entry["name"].as_str().unwrap();
        let response = recorded_response(&entry);
        let checked = crate::fault::check(&response);
        if !matches!(meaning_of(name), Meaning::Error(..)) {
            assert_eq!(checked, Ok(()), "{name}");
        }
        let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        let request_id = crate::fault::request_id(&response);
        assert_eq!(request_id.as_deref(), body["requestId"].as_str(), "{name}");
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
                        assert_eq!(fault.request_id(), body["requestId"].as_str());
                    }
                }
                other => panic!("{name}: {other:?}"),
            },
            Meaning::Statuses(expected) => {
                let rows = read_lookup(&response, NO_DETAILS).unwrap();
                assert_eq!(states(&rows), expected, "{name}");
                assert!(rows.iter().all(|row| row.name.is_none()));
            }
            Meaning::Instances(expected) => {
                let page = read_page(&response, false, 1).unwrap();
                assert_eq!(states(&page.observations), expected, "{name}");
                let names = page.observations.iter().map(|row| row.name.as_deref());
                assert!(names.eq([Some("instance")]), "{name}");
                assert_eq!(page.total, Some(1), "{name}");
            }
            Meaning::Error(kind, status) => {
                let fault = checked.unwrap_err();
                assert_eq!(
                    (fault.kind(), fault.execution_status()),
                    (kind, status),
                    "{name}"
                );
                assert_eq!(fault.code(), body["code"].as_str(), "{name}");
                assert_eq!(fault.request_id(), body["requestId"].as_str(), "{name}");
                assert_eq!(fault.status(), Some(response.status().as_u16()), "{name}");
                assert_eq!(fault.retry_after(), response.retry_after(), "{name}");
            }
        }
    }
}

fn states(observations: &[Observation]) -> Vec<(&str, PowerState, &str)> {
    observations
        .iter()
        .map(|row| (row.instance.as_str(), row.state, row.raw.as_str()))
        .collect()
}

#[test]
fn documented_status_has_a_state_and_other_status_is_unknown() {
    for (status, state) in [
        ("PENDING", PowerState::Creating),
        ("DEPLOYING", PowerState::Creating),
        ("REBUILDING", PowerState::Changing),
        ("REBOOT", PowerState::Rebooting),
        ("RUNNING", PowerState::Running),
        ("STOPPED", PowerState::Stopped),
        ("BOOTING", PowerState::Starting),
        ("STARTING", PowerState::Starting),
        ("RELEASING", PowerState::Deleted),
        ("STOPPING", PowerState::Stopping),
        ("RECYCLE", PowerState::Recycled),
        ("RECYCLED", PowerState::Recycled),
        ("RECYCLING", PowerState::Recycled),
        ("CREATE_FAILED", PowerState::Failed),
        ("REINSTALL_FAILED", PowerState::Failed),
        ("IMAGING", PowerState::Changing),
        ("RESIZING", PowerState::Changing),
        ("DREAMING", PowerState::Unknown),
        ("running", PowerState::Unknown),
    ] {
        for field in ["status", "instanceStatus"] {
            let body = format!(
                r#"{{"response":{{"dataSet":[{{"instanceId":"1","{field}":"{status}"}}]}}}}"#
            );
            let rows = read_lookup(&ok(&body), NO_DETAILS).unwrap();
            assert_eq!(states(&rows), [("1", state, status)]);
        }
    }
}

#[test]
fn malformed_row_does_not_prevent_the_reading_of_other_rows() {
    let response = ok(r#"{"response": {"totalCount": "many", "dataSet": [
            {"instanceId": "1", "status": null, "instanceName": 7},
            {"instanceId": "2"},
            {"instanceId": "3", "instanceStatus": {"is": "RUNNING"}, "instanceName": ""},
            {"instanceId": "../4", "status": "RUNNING"},
            {"instanceId": null, "status": "RUNNING"},
            {"status": "RUNNING"},
            {"instanceId": 1358249734217893376, "status": "RUNNING"},
            null, 7, "5", [],
            {"instanceId": "6", "status": "STOPPED"}
        ]}}"#);
    let page = read_page(&response, false, 1).unwrap();
    assert_eq!(
        states(&page.observations),
        [
            ("1", PowerState::Unknown, ""),
            ("2", PowerState::Unknown, ""),
            ("3", PowerState::Unknown, ""),
            ("1358249734217893376", PowerState::Running, "RUNNING"),
            ("6", PowerState::Stopped, "STOPPED"),
        ]
    );
    assert_eq!(page.unidentified, 7, "rows without a valid id are dropped");
    assert!(page.observations.iter().all(|row| row.name.is_none()));
    assert_eq!(page.total, None);
    // In the lookup of one instance, a row without an id may be that instance.
    assert_eq!(read_lookup(&response, NO_DETAILS).unwrap().len(), 5);
    assert!(read_single_lookup(&response, NO_DETAILS).is_err());
}

/// A row without an id can be the row of the only requested instance, but not of one of several instances.
#[test]
fn lookup_of_one_instance_requires_the_id_in_the_row() {
    let known = ok(
        r#"{"response":{"totalCount":1,"dataSet":[{"instanceId":"1","instanceStatus":"STOPPED"}]}}"#,
    );
    let unidentified =
        ok(r#"{"response":{"totalCount":1,"dataSet":[{"instanceStatus":"STOPPED"}]}}"#);
    let config = Config::new();
    for lookup in [observe, describe] {
        for count in [1, 2] {
            let ids = provider_testing::numbered_ids("", count);
            let call = lookup(&config, &ids).unwrap();
            let rows = call.read(&known).unwrap();
            assert_eq!(states(&rows), [("1", PowerState::Stopped, "STOPPED")]);
            match (count, call.read(&unidentified)) {
                (1, Err(fault)) => assert_eq!(fault.kind(), FaultKind::Unreadable),
                (2, Ok(rows)) => assert_eq!(rows, []),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn fields_are_read_inside_response_and_at_the_top_level() {
    let fields = r#""requestId":"T","totalCount":1,"dataSet":[{"instanceId":"1"}]"#;
    for body in [
        format!("{{{fields}}}"),
        format!(r#"{{"requestId":"T","response":{{{fields}}}}}"#),
    ] {
        assert_eq!(
            read_lookup(&ok(&body), NO_DETAILS).unwrap().len(),
            1,
            "{body}"
        );
    }
    let top_level = ok(r#"{"requestId":"T","instanceIds":["1"]}"#);
    assert!(matches!(read_power(&top_level), Ok(BatchAck::Except(_))));
    for body in [
        r#"{"requestId":"T","response":{}}"#,
        r#"{"response":{"requestId":"T"}}"#,
    ] {
        assert!(matches!(read_power(&ok(body)), Ok(BatchAck::All)), "{body}");
    }
}

#[test]
fn page_reports_its_total_and_the_number_of_the_next_page() {
    let page = |number, rows: usize, total: &str| {
        let rows = vec![r#"{"instanceId":"1"}"#; rows].join(",");
        let body = format!(r#"{{"response":{{{total}"dataSet":[{rows}]}}}}"#);
        let page = read_page(&ok(&body), false, number).unwrap();
        // The token is a page number.
        assert!(page.numbered);
        (page.next, page.total)
    };
    let token = |number: &str| PageToken::new(number);
    let total = r#""totalCount":1001,"#;
    assert_eq!(
        page(1, 1000, total),
        (NextPage::Expected(token("2")), Some(1001))
    );
    assert_eq!(
        page(2, 999, total),
        (NextPage::Possible(token("3")), Some(1001))
    );
    assert_eq!(page(2, 0, total), (NextPage::End, Some(1001)));
    assert_eq!(page(1, 1000, ""), (NextPage::Expected(token("2")), None));
    assert_eq!(page(1, 0, ""), (NextPage::End, None));
}

#[test]
fn page_token_is_the_number_of_the_page() {
    let full = vec![r#"{"instanceId":"1"}"#; 1000].join(",");
    let full = ok(&format!(r#"{{"response":{{"dataSet":[{full}]}}}}"#));
    let mut token = None;
    for number in 2..=9 {
        let call = list(&Config::new(), &ListQuery::default(), token.as_ref()).unwrap();
        token = call.read(&full).unwrap().next.token().cloned();
        assert_eq!(token, Some(PageToken::new(number.to_string())));
    }
    for token in ["0", "", "two", "-1"] {
        assert!(
            list(
                &Config::new(),
                &ListQuery::default(),
                Some(&PageToken::new(token))
            )
            .is_err()
        );
    }
}

#[test]
fn response_of_another_format_is_not_read_as_success() {
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "<html>",
        r#"{"requestId":"T"}"#,
        r#"{"response":null}"#,
        r#"{"response":"ok"}"#,
        r#"{"response":[[]]}"#,
        r#"{"requestId":"T","response":{"instanceIds":"1"}}"#,
        r#"{"requestId":"T","response":{"instanceIds":[null]}}"#,
        r#"{"requestId":"T","response":{"instanceIds":["../1"]}}"#,
        // Another sender does not know the request id.
        r#"{"response":{}}"#,
        r#"{"response":{"a":1}}"#,
        r#"{"requestId":"","response":{"instanceIds":[]}}"#,
        r#"{"instanceIds":[]}"#,
        r#"[{"requestId":"T","instanceIds":[]}]"#,
    ] {
        let fault = read_power(&ok(body)).expect_err(body);
        assert_eq!(fault.kind(), FaultKind::Unreadable, "{body}");
        assert_eq!(fault.execution_status(), ExecutionStatus::Unknown, "{body}");
    }
    for body in [
        "",
        "{}",
        "[]",
        r#"{"response":[0,[]]}"#,
        r#"{"response":{}}"#,
        r#"{"response":{"totalCount":1}}"#,
        r#"{"response":{"totalCount":1,"dataSet":null}}"#,
        r#"{"response":{"totalCount":0,"dataSet":7}}"#,
        r#"[{"totalCount":0,"dataSet":[]}]"#,
    ] {
        assert!(read_lookup(&ok(body), NO_DETAILS).is_err(), "{body}");
        assert!(read_page(&ok(body), false, 1).is_err(), "{body}");
    }
    let empty = ok(r#"{"response":{"totalCount":0,"dataSet":null}}"#);
    assert_eq!(read_lookup(&empty, NO_DETAILS), Ok(vec![]));
    let incomplete = ok(r#"{"response":{"totalCount":2,"dataSet":[{"instanceId":"1"}]}}"#);
    assert!(read_lookup(&incomplete, NO_DETAILS).is_err());
}

//! Errors that no recorded answer has.

use std::time::Duration;

use lifecycle_core::ExecutionStatus;
use provider_testing::http_response;

use super::*;

#[test]
fn codes_count_before_the_status() {
    for (status, code, kind, effect) in [
        (
            400,
            "NoSuchObject",
            FaultKind::NotFound,
            ExecutionStatus::NotExecuted,
        ),
        (
            400,
            "InstanceNotExist",
            FaultKind::NotFound,
            ExecutionStatus::NotExecuted,
        ),
        (
            404,
            "InvalidVersion",
            FaultKind::Invalid,
            ExecutionStatus::NotExecuted,
        ),
        (
            403,
            "OperationDenied",
            FaultKind::Busy,
            ExecutionStatus::NotExecuted,
        ),
        (
            500,
            "ServiceInternalError",
            FaultKind::Unavailable,
            ExecutionStatus::Unknown,
        ),
        (
            403,
            "RequestTimeTooSkewed",
            FaultKind::ClockSkew,
            ExecutionStatus::NotExecuted,
        ),
        (
            403,
            "IamSignatureInvalid",
            FaultKind::Credential,
            ExecutionStatus::NotExecuted,
        ),
        // Under a good status it is an error all the same.
        (
            200,
            "AccessDenied",
            FaultKind::Permission,
            ExecutionStatus::NotExecuted,
        ),
    ] {
        let fault = fault(status, &format!(r#"{{"code":"{code}"}}"#));
        assert_eq!(
            (fault.kind(), fault.execution_status()),
            (kind, effect),
            "{code}"
        );
        assert_eq!(fault.code(), Some(code));
        assert_eq!(fault.retry_after(), Some(Duration::from_secs(3)));
    }
}

#[test]
fn a_new_code_is_judged_by_its_status_and_kept() {
    for (status, kind, effect) in [
        (400, FaultKind::Invalid, ExecutionStatus::NotExecuted),
        (404, FaultKind::NotFound, ExecutionStatus::NotExecuted),
        (409, FaultKind::WrongState, ExecutionStatus::NotExecuted),
        (429, FaultKind::Throttled, ExecutionStatus::NotExecuted),
        (503, FaultKind::Unavailable, ExecutionStatus::Unknown),
        (418, FaultKind::Unknown, ExecutionStatus::Unknown),
        (200, FaultKind::Unknown, ExecutionStatus::Unknown),
    ] {
        let fault = fault(status, r#"{"code":"Brand.New","message":"m"}"#);
        assert_eq!(
            (fault.kind(), fault.execution_status()),
            (kind, effect),
            "{status}"
        );
        assert_eq!((fault.code(), fault.message()), (Some("Brand.New"), "m"));
    }
}

#[test]
fn errors_that_are_not_in_baidus_form_keep_their_status() {
    for body in [
        "",
        "<html>",
        "null",
        r#"{"code":null}"#,
        r#"{"code":5,"message":"m"}"#,
        r#"{"code":""}"#,
    ] {
        let fault = fault(429, body);
        assert_eq!(fault.kind(), FaultKind::Throttled, "{body}");
        assert_eq!((fault.status(), fault.code()), (Some(429), None), "{body}");
        assert_eq!(fault.retry_after(), Some(Duration::from_secs(3)), "{body}");
    }
}

#[test]
fn unknown_instances_are_read_from_the_message() {
    for (message, expected) in [
        (
            "instanceId i-aaaa,i-bbbb does not exist.",
            &["i-aaaa", "i-bbbb"][..],
        ),
        ("[i-JmwRSUbR, i-1_2-3].", &["i-JmwRSUbR", "i-1_2-3"]),
        (
            "The specified object is not found or resource do not exist.",
            &[],
        ),
        ("vpc-i-1 i- si-2 é-i", &[]),
        ("", &[]),
    ] {
        let body = format!(r#"{{"code":"NoSuchObject","message":"{message}"}}"#);
        let named = fault(404, &body).instances().to_vec();
        let named: Vec<&str> = named.iter().map(InstanceId::as_str).collect();
        assert_eq!(named, expected, "{message}");
    }
    let other = fault(404, r#"{"code":"Other","message":"i-aaaa"}"#);
    assert!(
        other.instances().is_empty(),
        "only one code names instances"
    );
}

#[test]
fn the_header_names_the_request_and_the_body_stands_in() {
    let body = r#"{"code":"AccessDenied","requestId":"from-body"}"#;
    assert_eq!(fault(403, body).request_id(), Some("from-body"));
    let mut with_header = reply(403, body);
    with_header
        .headers_mut()
        .insert("x-bce-request-id", "from-header".parse().unwrap());
    assert_eq!(request_id(&with_header).as_deref(), Some("from-header"));
    assert_eq!(request_id(&reply(200, "")), None);
}

fn fault(status: u16, body: &str) -> Fault {
    check(&reply(status, body)).unwrap_err()
}

fn reply(status: u16, body: &str) -> HttpResponse {
    let mut headers = http::HeaderMap::new();
    headers.insert("retry-after", "3".parse().unwrap());
    http_response(status, headers, body.to_owned())
}

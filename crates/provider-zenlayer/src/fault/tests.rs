//! Errors that no recorded answer has.

use std::time::Duration;

use lifecycle_core::ExecutionStatus;
use provider_testing::http_response;

use super::*;

#[test]
fn codes_count_before_the_status() {
    for (status, code, kind, effect) in [
        // The same situation, as older and newer backends answer it.
        (
            400,
            "OPERATION_DENIED_INSTANCE_RECYCLED",
            FaultKind::WrongState,
            ExecutionStatus::NotExecuted,
        ),
        (
            403,
            "UNSUPPORTED_OPERATION_INSTANCE_STATUS",
            FaultKind::WrongState,
            ExecutionStatus::NotExecuted,
        ),
        (
            403,
            "OPERATION_DENIED_INSTANCE_STATUS",
            FaultKind::WrongState,
            ExecutionStatus::NotExecuted,
        ),
        // Under a good status it is an error all the same.
        (
            200,
            "REQUEST_LIMIT_EXCEEDED",
            FaultKind::Throttled,
            ExecutionStatus::NotExecuted,
        ),
        (
            400,
            "REQUEST_TIMED_OUT",
            FaultKind::Unavailable,
            ExecutionStatus::Unknown,
        ),
        // Families.
        (
            400,
            "AUTHFAILURE_BRAND_NEW",
            FaultKind::Credential,
            ExecutionStatus::NotExecuted,
        ),
        (
            500,
            "MISSING_PARAMETER_BRAND_NEW",
            FaultKind::Invalid,
            ExecutionStatus::NotExecuted,
        ),
        (
            500,
            "INVALID_PARAMETER_BRAND_NEW",
            FaultKind::Invalid,
            ExecutionStatus::NotExecuted,
        ),
        (
            400,
            "OPERATION_DENIED_INSTANCE_BRAND_NEW",
            FaultKind::WrongState,
            ExecutionStatus::NotExecuted,
        ),
        (
            400,
            "UNSUPPORTED_OPERATION_BRAND_NEW",
            FaultKind::Unsupported,
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
        (429, FaultKind::Throttled, ExecutionStatus::NotExecuted),
        (503, FaultKind::Unavailable, ExecutionStatus::Unknown),
        (418, FaultKind::Unknown, ExecutionStatus::Unknown),
        (200, FaultKind::Unknown, ExecutionStatus::Unknown),
    ] {
        let fault = fault(status, r#"{"code":"BRAND_NEW","message":"m"}"#);
        assert_eq!(
            (fault.kind(), fault.execution_status()),
            (kind, effect),
            "{status}"
        );
        assert_eq!((fault.code(), fault.message()), (Some("BRAND_NEW"), "m"));
    }
}

#[test]
fn errors_that_are_not_in_zenlayers_form_keep_their_status() {
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
fn a_challenge_is_one_on_its_status_only() {
    let challenged = |status| {
        let mut reply = reply(status, r#"{"code":"REQUEST_LIMIT_EXCEEDED"}"#);
        let headers = reply.headers_mut();
        headers.insert("cf-mitigated", "Challenge".parse().unwrap());
        check(&reply).unwrap_err()
    };
    assert_eq!(challenged(403).kind(), FaultKind::Permission);
    assert!(challenged(403).message().contains("cf-mitigated"));
    assert_eq!(challenged(429).kind(), FaultKind::Throttled);
    assert!(fault(451, "").message().contains("HTTP 451"));
}

#[test]
fn the_body_names_the_request() {
    for (body, expected) in [
        (r#"{"requestId":"T1","code":"X"}"#, Some("T1")),
        (
            r#"{"requestId":"T2","response":{"requestId":"T2"}}"#,
            Some("T2"),
        ),
        (r#"{"requestId":7}"#, None),
        ("", None),
    ] {
        assert_eq!(request_id(&reply(400, body)).as_deref(), expected);
        assert_eq!(fault(400, body).request_id(), expected);
    }
}

fn fault(status: u16, body: &str) -> Fault {
    check(&reply(status, body)).unwrap_err()
}

fn reply(status: u16, body: &str) -> HttpResponse {
    let mut headers = http::HeaderMap::new();
    headers.insert("retry-after", "3".parse().unwrap());
    http_response(status, headers, body.to_owned())
}

//! Tests of error responses that are not among the recorded responses (Baidu).

use std::time::Duration;

use lifecycle_core::{
    ExecutionStatus::{NotExecuted, Unknown},
    Provider,
};
use provider_testing::http_response;

use super::*;
use crate::{Baidu, Config};

#[test]
fn code_takes_precedence_over_the_status() {
    for (status, code, kind, executed) in [
        (400, "NoSuchObject", FaultKind::NotFound, NotExecuted),
        (400, "InstanceNotExist", FaultKind::NotFound, NotExecuted),
        (404, "ResourceNotfound", FaultKind::NotFound, NotExecuted),
        (
            403,
            "Forbidden.InstanceNotFound",
            FaultKind::NotFound,
            NotExecuted,
        ),
        (
            400,
            "InvalidInstanceStatus",
            FaultKind::WrongState,
            NotExecuted,
        ),
        (400, "OperationException", FaultKind::Busy, NotExecuted),
        (404, "InvalidVersion", FaultKind::Unsupported, NotExecuted),
        (403, "OperationDenied", FaultKind::Busy, NotExecuted),
        (500, "ServiceInternalError", FaultKind::Unavailable, Unknown),
        (
            403,
            "RequestTimeTooSkewed",
            FaultKind::ClockSkew,
            NotExecuted,
        ),
        (
            403,
            "IamSignatureInvalid",
            FaultKind::Credential,
            NotExecuted,
        ),
        // A code is an error with a successful status too.
        (200, "AccessDenied", FaultKind::Permission, NotExecuted),
        (200, "QualifyNotPass", FaultKind::Permission, NotExecuted),
        (200, "BadRequest", FaultKind::Invalid, NotExecuted),
        (200, "InternalError", FaultKind::Unavailable, Unknown),
        (200, "ServiceInternalError", FaultKind::Unavailable, Unknown),
    ] {
        let fault = fault(status, &format!(r#"{{"code":"{code}"}}"#));
        assert_eq!(
            (fault.kind(), fault.execution_status()),
            (kind, executed),
            "{code}"
        );
        assert_eq!(fault.code(), Some(code));
        assert_eq!(fault.retry_after(), Some(Duration::from_secs(3)));
    }
}

#[test]
fn unknown_code_has_the_kind_of_the_status_only_in_a_response_of_baidu() {
    for (status, kind, executed, foreign_kind) in [
        (400, FaultKind::Invalid, NotExecuted, FaultKind::Unreadable),
        (404, FaultKind::NotFound, NotExecuted, FaultKind::Unreadable),
        (
            405,
            FaultKind::Unsupported,
            NotExecuted,
            FaultKind::Unsupported,
        ),
        (
            409,
            FaultKind::WrongState,
            NotExecuted,
            FaultKind::Unreadable,
        ),
        (429, FaultKind::Throttled, NotExecuted, FaultKind::Throttled),
        (503, FaultKind::Unavailable, Unknown, FaultKind::Unavailable),
        (418, FaultKind::Unknown, NotExecuted, FaultKind::Unreadable),
        (200, FaultKind::Unknown, Unknown, FaultKind::Unreadable),
    ] {
        // A proxy does not know the request id.
        let foreign = fault(status, r#"{"code":"Brand.New","message":"m"}"#);
        assert_eq!(foreign.kind(), foreign_kind, "{status}");
        assert_eq!(
            (foreign.code(), foreign.message()),
            (Some("Brand.New"), "m")
        );
        let own = r#"{"requestId":"r","code":"Brand.New","message":"m"}"#;
        let fault = fault(status, own);
        assert_eq!(
            (fault.kind(), fault.execution_status()),
            (kind, executed),
            "{status}"
        );
        assert_eq!((fault.code(), fault.message()), (Some("Brand.New"), "m"));
    }
}

#[test]
fn code_of_an_internal_problem_does_not_prove_a_rejection() {
    for code in ["Bcc.InternalException", "Bcc.InternalError", "TimedOut"] {
        for status in [400, 403, 404, 409, 418] {
            let fault = fault(status, &format!(r#"{{"requestId":"r","code":"{code}"}}"#));
            assert_eq!(
                (fault.kind(), fault.execution_status()),
                (FaultKind::Unavailable, Unknown),
                "{status} {code}"
            );
        }
    }
}

#[test]
fn code_is_a_text_or_a_number() {
    for status in [200, 500] {
        let fault = fault(status, r#"{"requestId":"r","code":500,"message":"m"}"#);
        assert_eq!((fault.code(), fault.message()), (Some("500"), "m"));
        assert_eq!(fault.execution_status(), Unknown, "{status}");
    }
}

#[test]
fn error_without_a_code_has_the_kind_of_the_status() {
    for body in [
        "",
        "<html>",
        "null",
        r#"{"code":null}"#,
        r#"{"code":[5],"message":"m"}"#,
        r#"{"code":""}"#,
    ] {
        let fault = fault(429, body);
        assert_eq!(fault.kind(), FaultKind::Throttled, "{body}");
        assert_eq!((fault.status(), fault.code()), (Some(429), None), "{body}");
        assert_eq!(fault.retry_after(), Some(Duration::from_secs(3)), "{body}");
        // The host has no such call.
        assert_eq!(fault_kind(405, body), FaultKind::Unsupported, "{body}");
    }
}

#[test]
fn successful_response_without_a_code_is_no_error() {
    for body in [
        "",
        r#"{"code":null}"#,
        r#"{"code":""}"#,
        r#"{"instances":[{"code":"x"}]}"#,
    ] {
        assert_eq!(check(&response(200, body)), Ok(()), "{body}");
    }
}

#[test]
fn unknown_instances_are_named_in_the_message() {
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
        let instances = fault(404, &body).instances().to_vec();
        let instances: Vec<&str> = instances.iter().map(InstanceId::as_str).collect();
        assert_eq!(instances, expected, "{message}");
    }
    let other = fault(404, r#"{"code":"Other","message":"i-aaaa"}"#);
    assert!(
        other.instances().is_empty(),
        "only NoSuchObject names instances"
    );
}

#[test]
fn request_id_in_the_header_takes_precedence_over_the_body() {
    let body = r#"{"code":"AccessDenied","requestId":"from-body"}"#;
    assert_eq!(fault(403, body).request_id(), Some("from-body"));
    let mut with_header = response(403, body);
    with_header
        .headers_mut()
        .insert("x-bce-request-id", "from-header".parse().unwrap());
    assert_eq!(request_id(&with_header).as_deref(), Some("from-header"));
    assert_eq!(request_id(&response(200, "")), None);
}

#[test]
fn provider_reports_the_fault_and_the_request_id_of_a_response() {
    let baidu = Baidu::new(Config::new("bj").unwrap());
    let denied = response(403, r#"{"code":"AccessDenied","requestId":"from-body"}"#);
    let fault = baidu.check(&denied).unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Permission);
    assert_eq!(baidu.request_id(&denied).as_deref(), Some("from-body"));
    assert_eq!(baidu.check(&response(200, "{}")), Ok(()));
}

fn fault_kind(status: u16, body: &str) -> FaultKind {
    fault(status, body).kind()
}

fn fault(status: u16, body: &str) -> Fault {
    check(&response(status, body)).unwrap_err()
}

fn response(status: u16, body: &str) -> HttpResponse {
    let mut headers = http::HeaderMap::new();
    headers.insert("retry-after", "3".parse().unwrap());
    http_response(status, headers, body.to_owned())
}

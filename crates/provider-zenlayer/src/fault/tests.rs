//! Tests of error responses that are not among the recorded responses (Zenlayer).

use std::time::Duration;

use lifecycle_core::ExecutionStatus::{NotExecuted, Unknown};
use provider_testing::http_response;

use super::*;

#[test]
fn code_takes_precedence_over_the_status() {
    for (status, code, kind, executed) in [
        // The codes of older and newer backends for the same situation.
        (
            400,
            "OPERATION_DENIED_INSTANCE_RECYCLED",
            FaultKind::WrongState,
            NotExecuted,
        ),
        (
            403,
            "UNSUPPORTED_OPERATION_INSTANCE_STATUS",
            FaultKind::WrongState,
            NotExecuted,
        ),
        (
            403,
            "OPERATION_DENIED_INSTANCE_STATUS",
            FaultKind::WrongState,
            NotExecuted,
        ),
        // A code is an error with a successful status too.
        (
            200,
            "REQUEST_LIMIT_EXCEEDED",
            FaultKind::Throttled,
            NotExecuted,
        ),
        (400, "REQUEST_TIMED_OUT", FaultKind::Unavailable, Unknown),
        (
            400,
            "INVALID_OPERATION_TIMEOUT",
            FaultKind::Unavailable,
            Unknown,
        ),
        (
            400,
            "OPERATION_DENIED_INSTANCE_CREATING",
            FaultKind::Busy,
            NotExecuted,
        ),
        (
            400,
            "OPERATION_DENIED_INSTANCE_QUOTA_EXCEED",
            FaultKind::Quota,
            NotExecuted,
        ),
        // Families of codes.
        (
            400,
            "AUTHFAILURE_BRAND_NEW",
            FaultKind::Credential,
            NotExecuted,
        ),
        (
            500,
            "MISSING_PARAMETER_BRAND_NEW",
            FaultKind::Invalid,
            NotExecuted,
        ),
        (
            500,
            "INVALID_PARAMETER_BRAND_NEW",
            FaultKind::Invalid,
            NotExecuted,
        ),
        (
            400,
            "OPERATION_DENIED_INSTANCE_BRAND_NEW",
            FaultKind::WrongState,
            NotExecuted,
        ),
        (
            400,
            "UNSUPPORTED_OPERATION_BRAND_NEW",
            FaultKind::Unsupported,
            NotExecuted,
        ),
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

/// The status of a code is not documented for every code, so each code is tried with several.
#[test]
fn known_code_has_the_same_kind_with_every_status() {
    for (kind, codes) in [
        (
            FaultKind::Busy,
            "OPERATION_DENIED_INSTANCE_IN_OPERATION OPERATION_DENIED_INSTANCE_CREATING \
             OPERATION_DENIED_INSTANCE_STATUS_INSTALLING",
        ),
        (
            FaultKind::Unsupported,
            "OPERATION_DENIED_INSTANCE_SUBSCRIPTION",
        ),
        (FaultKind::Quota, "OPERATION_DENIED_INSTANCE_QUOTA_EXCEED"),
        (
            FaultKind::WrongState,
            "UNSUPPORTED_OPERATION_INSTANCE_STATE_STARTING INVALID_INSTANCE_RECYCLED \
             UNSUPPORTED_OPERATION_INSTANCE_STATUS OPERATION_DENIED_INSTANCE_NOT_STOPPED \
             OPERATION_DENIED_INSTANCE_NOT_RUNNING OPERATION_DENIED_INSTANCE_STATUS \
             OPERATION_DENIED_INSTANCE_RECYCLED OPERATION_FAILED_FOR_RECYCLE_RESOURCE",
        ),
        (
            FaultKind::NotFound,
            "INVALID_INSTANCE_NOT_FOUND OPERATION_FAILED_RESOURCE_NOT_FOUND",
        ),
        (
            FaultKind::Credential,
            "AUTHFAILURE_INVALID_AUTHORIZATION AUTHFAILURE_SIGNATURE_FAILURE",
        ),
        (FaultKind::ClockSkew, "AUTHFAILURE_SIGNATURE_EXPIRED"),
        (FaultKind::Permission, "AUTHFAILURE_UNAUTHORIZED_OPERATION"),
        (
            FaultKind::Invalid,
            "OPERATION_FAILED_RESOURCE_GROUP_NOT_FOUND MISSING_PARAMETER \
             INVALID_PARAMETER_TYPE INVALID_PARAMETER_VALUE",
        ),
        (FaultKind::Throttled, "REQUEST_LIMIT_EXCEEDED"),
        (
            FaultKind::Unavailable,
            "INTERNAL_SERVER_ERROR SERVICE_TEMPORARY_UNAVAILABLE REQUEST_TIMED_OUT \
             INVALID_OPERATION_TIMEOUT",
        ),
    ] {
        for code in codes.split_whitespace() {
            for status in [200, 400, 401, 403, 404, 429, 503] {
                let fault = fault(status, &format!(r#"{{"code":"{code}"}}"#));
                assert_eq!(fault.kind(), kind, "{code} {status}");
                assert_eq!(fault.status(), Some(status));
            }
        }
    }
}

/// A field or a text of a row can be `code` too.
#[test]
fn successful_response_with_the_text_code_is_not_a_fault() {
    for body in [
        r#"{"requestId":"T","code":"","response":{}}"#,
        r#"{"requestId":"T","code":null,"response":{}}"#,
        r#"{"requestId":"T","response":{"dataSet":[{"instanceName":"code","code":"X"}]}}"#,
    ] {
        assert_eq!(check(&response(200, body)), Ok(()), "{body}");
    }
}

#[test]
fn unknown_code_has_the_kind_of_the_status_only_in_a_response_of_zenlayer() {
    for (status, kind, executed, foreign_kind) in [
        (400, FaultKind::Invalid, NotExecuted, FaultKind::Unreadable),
        (404, FaultKind::NotFound, NotExecuted, FaultKind::Unreadable),
        (429, FaultKind::Throttled, NotExecuted, FaultKind::Throttled),
        (503, FaultKind::Unavailable, Unknown, FaultKind::Unavailable),
        (418, FaultKind::Unknown, NotExecuted, FaultKind::Unreadable),
        (200, FaultKind::Unknown, Unknown, FaultKind::Unreadable),
    ] {
        // A proxy does not know the request id.
        let foreign = fault(status, r#"{"code":"BRAND_NEW","message":"m"}"#);
        assert_eq!(foreign.kind(), foreign_kind, "{status}");
        assert_eq!(
            (foreign.code(), foreign.message()),
            (Some("BRAND_NEW"), "m")
        );
        let own = r#"{"requestId":"T","code":"BRAND_NEW","message":"m"}"#;
        let fault = fault(status, own);
        assert_eq!(
            (fault.kind(), fault.execution_status()),
            (kind, executed),
            "{status}"
        );
        assert_eq!((fault.code(), fault.message()), (Some("BRAND_NEW"), "m"));
    }
}

#[test]
fn code_of_an_internal_problem_does_not_prove_a_rejection() {
    for code in ["INTERNAL_ERROR", "ZEC_SERVICE_UNAVAILABLE"] {
        for status in [400, 403, 404, 409, 418] {
            let fault = fault(status, &format!(r#"{{"requestId":"T","code":"{code}"}}"#));
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
    let body = r#"{"requestId":"T","code":500,"message":"m","response":{}}"#;
    for status in [200, 500] {
        let fault = fault(status, body);
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
    }
}

#[test]
fn challenge_header_is_read_with_status_403_only() {
    let challenged = |status| {
        let mut response = response(status, r#"{"code":"REQUEST_LIMIT_EXCEEDED"}"#);
        let headers = response.headers_mut();
        headers.insert("cf-mitigated", "Challenge".parse().unwrap());
        check(&response).unwrap_err()
    };
    assert_eq!(challenged(403).kind(), FaultKind::Permission);
    assert!(challenged(403).message().contains("cf-mitigated"));
    assert_eq!(challenged(429).kind(), FaultKind::Throttled);
    assert!(fault(451, "").message().contains("HTTP 451"));
}

#[test]
fn request_id_is_read_from_the_body() {
    for (body, expected) in [
        (r#"{"requestId":"T1","code":"X"}"#, Some("T1")),
        (
            r#"{"requestId":"T2","response":{"requestId":"T2"}}"#,
            Some("T2"),
        ),
        (
            r#"{"code":{"requestId":"no"},"requestId":"T3"}"#,
            Some("T3"),
        ),
        // The end was cut off.
        (r#"{"requestId":"T4","response":{"inst"#, Some("T4")),
        (r#"{"requestId":"T5"#, None),
        (r#"{"requestId":7}"#, None),
        (r#"{"requestId":""}"#, None),
        (r#"[{"requestId":"T6"}]"#, None),
        ("", None),
    ] {
        assert_eq!(request_id(&response(400, body)).as_deref(), expected);
        assert_eq!(fault(400, body).request_id(), expected);
    }
}

fn fault(status: u16, body: &str) -> Fault {
    check(&response(status, body)).unwrap_err()
}

fn response(status: u16, body: &str) -> HttpResponse {
    let mut headers = http::HeaderMap::new();
    headers.insert("retry-after", "3".parse().unwrap());
    http_response(status, headers, body.to_owned())
}

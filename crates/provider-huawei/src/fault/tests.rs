//! Tests of error codes, error formats, and texts that a fault must not show (Huawei).

use std::time::Duration;

use provider_testing::response;
use serde_json::json;

use super::*;

fn fault(status: u16, body: &(impl ToString + ?Sized)) -> Fault {
    check(&response(status, body)).unwrap_err()
}

fn ecs_fault(status: u16, code: &str) -> Fault {
    fault(status, &json!({"error": {"code": code, "message": "m"}}))
}

fn gateway_fault(status: u16, code: &str, message: &str) -> Fault {
    let body = json!({"error_code": code, "error_msg": message, "request_id": "r"});
    fault(status, &body)
}

#[test]
fn code_of_ecs_selects_the_kind() {
    for (status, kind, codes) in [
        (
            400,
            FaultKind::Invalid,
            "Ecs.0000 Ecs.0005 Common.0002 Common.0011",
        ),
        (400, FaultKind::WrongState, "Ecs.0100"),
        (404, FaultKind::NotFound, "Ecs.0114 Ecs.0614"),
        (400, FaultKind::Quota, "Ecs.0118 Ecs.0001 Ecs.0021 Ecs.0022"),
        (501, FaultKind::Busy, "Ecs.0603"),
        (400, FaultKind::Busy, "Ecs.0073"),
        (400, FaultKind::Locked, "Ecs.0030 Ecs.0605"),
        (
            400,
            FaultKind::Capacity,
            "Ecs.0018 Ecs.0319 Ecs.0019 Ecs.0044 Ecs.0703",
        ),
        (
            403,
            FaultKind::Billing,
            "Ecs.0003 Ecs.0066 Ecs.0067 Ecs.0068 Ecs.0069 Ecs.0070 Ecs.0071 Ecs.7000",
        ),
        (
            400,
            FaultKind::Permission,
            "Ecs.0004 Ecs.0023 Ecs.0049 Ecs.0707 Common.0018",
        ),
        (403, FaultKind::Permission, "Ecs.0110 Pdp.0001"),
        (401, FaultKind::Credential, "Common.0013"),
        (202, FaultKind::Throttled, "Common.0024"),
        (503, FaultKind::Throttled, "Common.1503"),
        (429, FaultKind::Throttled, "Common.1503"),
        (
            400,
            FaultKind::Failed,
            "Ecs.0226 Ecs.0227 Ecs.0611 Common.0020 Common.0021 Common.0999",
        ),
        (
            400,
            FaultKind::Unavailable,
            "Ecs.0002 Ecs.0106 Ecs.0208 Ecs.0301 Ecs.0307 Ecs.0323 Common.0026 Ecs.1000 Ecs.1001 Ecs.1002 Ecs.1100 Ecs.1200 Ecs.1201 Ecs.1300 Common.0022 Common.0025",
        ),
        (500, FaultKind::Unavailable, "Common.0001 Ecs.0615"),
    ] {
        for code in codes.split(' ') {
            // The error of a job has no HTTP status.
            assert_eq!(kind_of_code(code, "m"), Some(kind), "{code}");
            let fault = ecs_fault(status, code);
            assert_eq!((fault.kind(), fault.code()), (kind, Some(code)));
            assert_eq!(fault.status(), Some(status));
            assert_eq!(fault.execution_status(), kind.execution_status(), "{code}");
        }
    }
}

#[test]
fn code_of_the_gateway_selects_the_kind() {
    for (status, kind, numbers) in [
        (404, FaultKind::WrongEndpoint, "0101"),
        (404, FaultKind::Unavailable, "0103"),
        (400, FaultKind::Invalid, "0201"),
        (413, FaultKind::Invalid, "0201"),
        (414, FaultKind::Invalid, "0201"),
        (494, FaultKind::Invalid, "0201"),
        (502, FaultKind::Unavailable, "0201"),
        (504, FaultKind::Unavailable, "0201"),
        (401, FaultKind::Credential, "0301 0305 0307"),
        (
            403,
            FaultKind::Permission,
            "0302 0306 0310 0401 0402 0404 0801 0802",
        ),
        (429, FaultKind::Throttled, "0308"),
        (500, FaultKind::Unavailable, "0601 0605 0606 0608"),
        (503, FaultKind::Unavailable, "0613"),
        (502, FaultKind::Unavailable, "0610"),
    ] {
        for number in numbers.split(' ') {
            for prefix in ["APIGW", "APIG"] {
                let code = format!("{prefix}.{number}");
                let listed = (number != "0201").then_some(kind);
                assert_eq!(kind_of_code(&code, "m"), listed, "{code}");
                let fault = gateway_fault(status, &code, "m");
                assert_eq!(fault.kind(), kind, "{status} {number}");
                let is_not_forwarded = matches!(number, "0103" | "0610" | "0613");
                let execution_status = if is_not_forwarded {
                    ExecutionStatus::NotExecuted
                } else {
                    kind.execution_status()
                };
                assert_eq!(
                    fault.execution_status(),
                    execution_status,
                    "{status} {number}"
                );
                assert_eq!(fault.request_id(), Some("r"));
            }
        }
    }
}

/// `APIGW.0301` has four meanings, and only the message of a clock error is recognizable.
#[test]
fn message_distinguishes_a_wrong_clock_from_a_wrong_key() {
    for (message, kind) in [
        (
            "Incorrect IAM authentication information: calc aksk signature fail:signature expired, signature time:20211217T064303Z,server time:20211217T065804Z",
            FaultKind::ClockSkew,
        ),
        (
            "Incorrect IAM authentication information: verify aksk signature fail",
            FaultKind::Credential,
        ),
        (
            "Incorrect IAM authentication information: Get secretKey failed,ak:FAKE,err:ak not exist",
            FaultKind::Credential,
        ),
        (
            "Incorrect IAM authentication information: AK access failed to reach the limit, forbidden",
            FaultKind::Credential,
        ),
        (
            "Incorrect IAM authentication information: decrypt token fail",
            FaultKind::Credential,
        ),
    ] {
        let fault = gateway_fault(401, "APIGW.0301", message);
        assert_eq!(fault.kind(), kind, "{message}");
        assert_eq!(fault.message(), message);
    }
}

/// ECS returns 400 for nearly every error, so 400 says nothing about an unknown code.
#[test]
fn unknown_code_has_the_kind_of_the_http_status() {
    for (status, code, kind) in [
        (400, "Ecs.9999", FaultKind::Unknown),
        (400, "New.0001", FaultKind::Unknown),
        // Next to the codes 0301 to 0323.
        (400, "Ecs.0300", FaultKind::Unknown),
        (400, "Ecs.0324", FaultKind::Unknown),
        (400, "Ecs.03011", FaultKind::Unknown),
        (400, "APIGW.9999", FaultKind::Invalid),
        (409, "APIGW.9999", FaultKind::WrongState),
        (401, "Ecs.9999", FaultKind::Credential),
        (403, "Ecs.9999", FaultKind::Permission),
        (404, "Ecs.9999", FaultKind::NotFound),
        (408, "Ecs.9999", FaultKind::Unavailable),
        (409, "Ecs.9999", FaultKind::Unknown),
        (422, "Ecs.9999", FaultKind::Unknown),
        (429, "Ecs.9999", FaultKind::Throttled),
        (500, "Ecs.9999", FaultKind::Unavailable),
        (302, "Ecs.9999", FaultKind::Unknown),
    ] {
        let fault = ecs_fault(status, code);
        assert_eq!((fault.kind(), fault.code()), (kind, Some(code)), "{status}");
    }
}

#[test]
fn unknown_code_is_a_plain_rejection_only_in_a_response_of_huawei() {
    let is_rejected = |fault: Fault| !fault.maybe_executed();
    assert!(is_rejected(ecs_fault(400, "Ecs.9999")));
    assert!(is_rejected(ecs_fault(400, "New.0001")));
    assert!(is_rejected(ecs_fault(409, "Ecs.9999")));
    assert!(is_rejected(ecs_fault(422, "New.0001")));
    assert!(!is_rejected(ecs_fault(408, "Ecs.9999")));
    // The disks and the key are checked before the action.
    for checked in ["Ecs.0101", "Ecs.0102", "Ecs.0105", "Ecs.0119"] {
        assert!(is_rejected(ecs_fault(400, checked)), "{checked}");
    }
    for inexact in ["Ecs.1000", "Ecs.0611", "Ecs.0307", "Ecs.0226"] {
        assert!(!is_rejected(ecs_fault(400, inexact)), "{inexact}");
    }
    assert!(!is_rejected(ecs_fault(302, "Ecs.9999")));
    // Words of a proxy, and a code of Huawei in a form that has a request id only.
    for foreign in [
        "BLOCKED",
        "Rule.blocked",
        "rule-7.0001",
        "Rule.7.1",
        "Rule.",
        ".0001",
    ] {
        assert!(!is_rejected(ecs_fault(400, foreign)), "{foreign}");
    }
    assert!(is_rejected(gateway_fault(400, "BLOCKED", "m")));
    let internal = json!({"error": {"code": "Ecs.9999", "message": "Internal error."}});
    assert!(!is_rejected(fault(400, &internal)));
    // A failed job has run.
    assert!(from_job(Some("Ecs.9999"), "m").maybe_executed());
    assert!(from_job(Some("Ecs.0101"), "m").maybe_executed());
}

#[test]
fn code_of_an_internal_problem_does_not_prove_a_rejection() {
    for status in [400, 403, 404, 409] {
        let fault = gateway_fault(status, "INTERNAL_ERROR", "m");
        assert_eq!(fault.kind(), FaultKind::Unavailable, "{status}");
        assert!(fault.maybe_executed(), "{status}");
    }
}

/// A proxy knows neither the form of the codes nor a request id.
#[test]
fn code_of_another_sender_does_not_blame_instance_or_key() {
    for (status, kind) in [
        (400, FaultKind::Unreadable),
        (401, FaultKind::Unreadable),
        (403, FaultKind::Unreadable),
        (404, FaultKind::Unreadable),
        (409, FaultKind::Unreadable),
        (429, FaultKind::Throttled),
        (502, FaultKind::Unavailable),
    ] {
        let foreign = ecs_fault(status, "NoRoute");
        assert_eq!((foreign.kind(), foreign.code()), (kind, Some("NoRoute")));
    }
    let own = gateway_fault(404, "NoRoute", "m");
    assert_eq!(own.kind(), FaultKind::NotFound);
}

#[test]
fn error_is_found_in_every_format() {
    for (body, code, message) in [
        (
            json!({"error": {"code": "c", "message": "m"}}),
            Some("c"),
            "m",
        ),
        (json!({"error_code": "c", "error_msg": "m"}), Some("c"), "m"),
        (json!({"errorCode": "c", "errorMsg": "m"}), Some("c"), "m"),
        (json!({"code": "c", "message": "m"}), Some("c"), "m"),
        (
            json!({"conflictingRequest": {"code": 409, "message": "m"}}),
            Some("409"),
            "m",
        ),
        // Several errors: the outer object and the field names of the gateway take precedence.
        (
            json!({"code": "x", "message": "y", "error_code": "c", "error_msg": "m"}),
            Some("c"),
            "m",
        ),
        (
            json!({"code": "c", "message": "m", "error": {"code": "x", "message": "y"}}),
            Some("c"),
            "m",
        ),
        (
            json!({"a": {"code": "x", "message": "y"}, "error": {"code": "c", "message": "m"}}),
            Some("c"),
            "m",
        ),
        // A code or a message alone.
        (
            json!({"error": {"code": "c", "message": null}}),
            Some("c"),
            "",
        ),
        (json!({"error": {"code": null, "message": "m"}}), None, "m"),
        (json!({"message": "m"}), None, "m"),
        (json!({"code": "", "message": "m"}), None, "m"),
        (
            json!({"code": "x", "error": {"code": "c", "message": "m"}}),
            Some("c"),
            "m",
        ),
    ] {
        let fault = fault(418, &body);
        assert_eq!((fault.code(), fault.message()), (code, message), "{body}");
        assert_eq!(fault.status(), Some(418));
    }
}

#[test]
fn body_without_an_error_format_has_the_kind_of_the_status() {
    for body in [
        "",
        "<html>Bad Gateway</html>",
        "{}",
        "[]",
        "5",
        "{\"error\": \"e\"}",
    ] {
        let fault = fault(502, body);
        assert_eq!(
            (fault.kind(), fault.code()),
            (FaultKind::Unavailable, None),
            "{body}"
        );
        assert_eq!(fault.execution_status(), ExecutionStatus::Unknown);
    }
}

/// Uses the maximum depth of the JSON parser. An exponential search would never finish.
#[test]
fn deeply_nested_error_is_searched_in_linear_time() {
    let depth = 120;
    let body = "{\"error\":".repeat(depth) + "5" + &"}".repeat(depth);
    assert!(serde_json::from_str::<Value>(&body).is_ok());
    assert_eq!(fault(502, &body).code(), None);
}

#[test]
fn successful_response_is_not_a_fault() {
    for (status, body) in [
        (
            200,
            json!({"status": "FAIL", "error_code": "Ecs.0226", "code": "c", "message": "m"}),
        ),
        (202, json!({"job_id": "ff80"})),
        (202, json!({"job_id": "ff80", "message": "delayed"})),
        (204, json!("")),
    ] {
        assert!(check(&response(status, &body)).is_ok(), "{body}");
    }
    assert!(check(&response(204, "")).is_ok());
}

#[test]
fn message_without_a_code_does_not_blame_instance_or_key() {
    for (status, kind) in [
        (401, FaultKind::Unreadable),
        (404, FaultKind::Unreadable),
        (429, FaultKind::Throttled),
        (502, FaultKind::Unavailable),
    ] {
        let fault = fault(status, &json!({"message": "of some proxy"}));
        assert_eq!((fault.kind(), fault.message()), (kind, "of some proxy"));
    }
}

#[test]
fn quoted_inner_error_refines_the_kind() {
    let quoting = |code: &str, inner: &str| {
        let message = format!("call failed  error message ={inner} at host");
        fault(400, &json!({"error": {"code": code, "message": message}}))
    };
    let nova =
        |name: &str, code: u16| format!("{{\"{name}\": {{\"message\": \"m\", \"code\": {code}}}}}");
    for (outer, inner, kind) in [
        ("Ecs.0307", nova("itemNotFound", 404), FaultKind::NotFound),
        ("Ecs.1000", nova("itemNotFound", 404), FaultKind::NotFound),
        (
            "Ecs.1001",
            nova("conflictingRequest", 409),
            FaultKind::WrongState,
        ),
        // Request and key of the caller are not at fault.
        ("Ecs.1000", nova("badRequest", 400), FaultKind::Failed),
        ("Ecs.1000", nova("unauthorized", 401), FaultKind::Failed),
        ("Ecs.1000", nova("forbidden", 403), FaultKind::Failed),
    ] {
        let fault = quoting(outer, &inner);
        assert_eq!((fault.kind(), fault.code()), (kind, Some(outer)), "{inner}");
        assert_eq!(
            fault.execution_status(),
            ExecutionStatus::Unknown,
            "{inner}"
        );
    }
    for (outer, inner, kind) in [
        // The outer code is specific enough.
        ("Ecs.0605", nova("itemNotFound", 404), FaultKind::Locked),
        // The message has no JSON document.
        ("Ecs.1000", "{oops".to_owned(), FaultKind::Unavailable),
        ("Ecs.1000", "{}".to_owned(), FaultKind::Unavailable),
        ("Ecs.0307", "nothing".to_owned(), FaultKind::Unavailable),
        ("Ecs.9999", "nothing".to_owned(), FaultKind::Unknown),
    ] {
        let fault = quoting(outer, &inner);
        assert_eq!((fault.kind(), fault.code()), (kind, Some(outer)), "{inner}");
    }
}

#[test]
fn fault_of_a_batch_has_the_errors_of_its_parts() {
    let failed = |details: serde_json::Value, rows: serde_json::Value| {
        let error = json!({"code": "Ecs.0611", "message": "Batch failed.", "details": details});
        fault(400, &json!({"error": error, "internalError": rows}))
    };
    let row = |id: &str, code: &str| json!({"id": id, "error_code": code, "error_message": "m"});
    let detail = |code: &str| json!({"code": code, "message": "m"});

    let same = failed(json!([detail("Ecs.0100"), detail("Ecs.0100")]), json!(null));
    assert_eq!(same.kind(), FaultKind::WrongState);
    assert_eq!(same.message(), "Batch failed. (Ecs.0100 m Ecs.0100 m)");

    let mixed = failed(
        json!([]),
        json!([row("a", "Ecs.0100"), row("b", "Ecs.0605")]),
    );
    assert_eq!(mixed.kind(), FaultKind::Failed);
    assert_eq!(mixed.instances().len(), 2);

    let odd = failed(
        json!([5, null, {"code": null}]),
        json!([row("a/b", "Ecs.0100"), {"id": 5}]),
    );
    assert_eq!(odd.kind(), FaultKind::WrongState);
    assert_eq!(odd.instances(), []);

    let many: Vec<_> = (0..1000).map(|_| row("a", "Ecs.0100")).collect();
    let many = failed(json!(null), json!(many));
    assert_eq!(many.instances().len(), 1000);
    assert!(many.message().len() < 100, "{many}");

    for fault in [same, mixed, odd, many] {
        assert_eq!(
            fault.execution_status(),
            ExecutionStatus::Unknown,
            "{fault}"
        );
        assert_eq!(fault.code(), Some("Ecs.0611"));
    }
}

/// The gateway echoes a request with a wrong signature.
#[test]
fn fault_does_not_show_headers_of_the_echoed_request() {
    let echo = "POST|/v1/p/cloudservers/action/||content-type:hidden-1|host:hidden-2|x-project-id:hidden-3|x-sdk-date:hidden-4|x-security-token:hidden-5||content-type;host|hidden-6";
    let reason = "Incorrect IAM authentication information: verify aksk signature fail";
    for message in [
        format!("{reason}, canonicalRequest:{echo}"),
        format!("{reason}, CanonicalRequest: {echo}"),
        format!("{reason}: canonical request {}", echo.replace('|', "\n")),
        format!("{reason} X-Security-Token: hidden-5"),
        format!("{reason}, Authorization: hidden-7"),
        format!("{reason}, x-auth-token=hidden-8"),
        format!("{reason}\nPOST\n/v1/p\n\ncontent-type:hidden-1\nhost:hidden-2"),
        format!("{reason}\nGET\n/v1/p\n\nhost:hidden-2\nx-project-id:hidden-3"),
    ] {
        for fault in [
            gateway_fault(401, "APIGW.0301", &message),
            fault(
                401,
                &json!({"error": {"code": "Ecs.0611", "message": "m", "details": [{"code": "c", "message": message}]}}),
            ),
            fault(401, &json!({ "message": message })),
            fault(502, &message),
            missing_field(&response(200, &message), "job_id"),
            read::<u8>(&response(200, &message)).unwrap_err(),
            from_job(Some("Ecs.0226"), &message),
        ] {
            let shown = format!("{fault} {fault:?}");
            assert!(!shown.contains("hidden"), "{shown}");
            assert!(shown.contains("aksk signature fail"), "{shown}");
        }
    }
    let bare = gateway_fault(401, "APIGW.0301", &format!("{reason} {echo}"));
    assert_eq!(bare.message(), format!("{reason} POST"));
}

#[test]
fn request_id_comes_from_the_header_or_the_body() {
    let mut rejection = response(401, &json!({"request_id": "of the body"}));
    assert_eq!(request_id(&rejection).as_deref(), Some("of the body"));
    rejection
        .headers_mut()
        .insert("X-Request-Id", "of the header".parse().unwrap());
    assert_eq!(request_id(&rejection).as_deref(), Some("of the header"));
    assert_eq!(fault_of(&rejection).request_id(), Some("of the header"));
    for body in ["", "<html>", "{\"request_id\": 5}", "[]"] {
        assert_eq!(request_id(&response(502, body)), None);
    }
    assert_eq!(fault(502, "<html>").request_id(), None);
}

#[test]
fn retry_after_header_is_passed_on() {
    for body in ["", "{\"error_code\": \"APIGW.0308\", \"error_msg\": \"m\"}"] {
        let mut rejection = response(429, body);
        rejection
            .headers_mut()
            .insert("retry-after", "7".parse().unwrap());
        let fault = fault_of(&rejection);
        assert_eq!(fault.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(fault.kind(), FaultKind::Throttled);
    }
}

fn fault_of(response: &HttpResponse) -> Fault {
    check(response).unwrap_err()
}

//! Tests of the parts of a fault, of its texts, and of the meaning of statuses and codes.

use super::*;

#[test]
fn displayed_fault_shows_each_part_and_no_part_in_absurd_length() {
    let long = |letter: &str| letter.repeat(10_000);
    let fault = Fault::new(FaultKind::Unknown, long("m"))
        .with_code(long("ü"))
        .with_status(400)
        .with_request_id(Some(long("r")));
    let text = fault.to_string();
    assert!(
        text.starts_with("üüü") && text.contains("ü…: mmm"),
        "{text}"
    );
    assert!(
        text.contains("m… (HTTP 400, request rrr") && text.ends_with("r…)"),
        "{text}"
    );
    assert!(text.chars().count() < 2_000, "{text}");
    let fault = Fault::new(FaultKind::Unknown, "no").with_code("Code");
    assert_eq!(fault.to_string(), "Code: no");
}

#[test]
fn unknown_code_is_a_plain_rejection_unless_the_cloud_reports_an_internal_problem() {
    let maybe_executed = |status: Option<u16>, code: &str, message: &str| {
        let mut fault = Fault::new(FaultKind::Unknown, message).with_code(code);
        if let Some(status) = status {
            fault = fault.with_status(status);
        }
        fault.with_plain_rejection().maybe_executed()
    };
    assert!(!maybe_executed(Some(403), "Account.New", "pay first"));
    assert!(!maybe_executed(Some(400), "Ecs.9999", ""));
    assert!(!maybe_executed(None, "Account.New", "pay first"));
    for (status, code, message) in [
        (Some(408), "New", ""),
        (Some(200), "New", ""),
        (Some(500), "New", ""),
        (Some(403), "Mayi.InternalError", ""),
        (Some(400), "Bcc.InternalException", ""),
        (Some(403), "NodeControllerUnavailable", ""),
        (Some(400), "Ecs.9999", "Internal server error."),
        (Some(400), "Ecs.9999", "The operation timed out."),
        (None, "New", "Please try again later."),
    ] {
        assert!(maybe_executed(status, code, message), "{code} {message}");
    }
    let known = Fault::new(FaultKind::Unavailable, "").with_code("X");
    assert!(
        known
            .with_status(400)
            .with_plain_rejection()
            .maybe_executed()
    );
    let proxy = Fault::new(FaultKind::Unknown, "no").with_status(403);
    assert!(proxy.with_plain_rejection().maybe_executed());
}

#[test]
fn unlisted_code_of_an_internal_problem_takes_precedence_over_the_status() {
    for (code, status, kind) in [
        ("INTERNAL_ERROR", 400, FaultKind::Unavailable),
        ("Bcc.InternalException", 400, FaultKind::Unavailable),
        ("SERVICE_TEMPORARY_UNAVAILABLE", 403, FaultKind::Unavailable),
        ("Operation.TimedOut", 409, FaultKind::Unavailable),
        ("VolumeNotFoundException", 404, FaultKind::NotFound),
        ("New", 400, FaultKind::Invalid),
        ("New", 503, FaultKind::Unavailable),
    ] {
        assert_eq!(FaultKind::from_unlisted_code(code, status), kind, "{code}");
    }
}

#[test]
fn status_without_a_known_code_suggests_a_kind() {
    for (kind, statuses) in [
        (
            FaultKind::Invalid,
            &[400, 405, 406, 411, 413, 414, 415, 422][..],
        ),
        (FaultKind::Credential, &[401]),
        (FaultKind::Billing, &[402]),
        (FaultKind::Permission, &[403, 451]),
        (FaultKind::NotFound, &[404, 410]),
        (FaultKind::Proxy, &[407]),
        (FaultKind::WrongState, &[409]),
        (FaultKind::Locked, &[423]),
        (FaultKind::Throttled, &[429]),
        (FaultKind::Unavailable, &[408, 500, 502, 503, 504, 599]),
        (FaultKind::Unknown, &[200, 302, 399, 412, 418, 499, 600]),
    ] {
        for status in statuses {
            assert_eq!(FaultKind::from_status(*status), kind, "{status}");
        }
    }
}

#[test]
fn fault_keeps_all_parts_of_a_response() {
    let id = InstanceId::new("i-1").unwrap();
    let wait = Duration::from_secs(7);
    let fault = Fault::new(FaultKind::Unknown, "first")
        .with_kind(FaultKind::Busy)
        .with_message("busy now")
        .with_status(409)
        .with_code("Conflict")
        .with_request_id(Some("r-1"))
        .with_retry_after(Some(wait))
        .with_attempts(3)
        .with_instances(vec![id.clone()]);
    assert_eq!(fault.kind(), FaultKind::Busy);
    assert_eq!(
        (fault.message(), fault.code()),
        ("busy now", Some("Conflict"))
    );
    assert_eq!(
        (fault.status(), fault.request_id()),
        (Some(409), Some("r-1"))
    );
    assert_eq!((fault.retry_after(), fault.attempts()), (Some(wait), 3));
    assert_eq!(fault.instances(), [id]);

    let plain = Fault::new(FaultKind::Busy, "busy now");
    assert_eq!((plain.status(), plain.code()), (None, None));
    assert_eq!((plain.request_id(), plain.retry_after()), (None, None));
    assert_eq!((plain.attempts(), plain.instances()), (1, &[][..]));
}

#[test]
fn execution_status_of_the_response_takes_precedence_over_the_kind() {
    let not_executed = Fault::new(FaultKind::Busy, "");
    assert!(!not_executed.maybe_executed());
    let unknown = not_executed.with_execution_status(ExecutionStatus::Unknown);
    assert!(unknown.maybe_executed());
    let unknown = Fault::new(FaultKind::NoAnswer, "");
    assert!(unknown.maybe_executed());
    let not_executed = unknown.with_execution_status(ExecutionStatus::NotExecuted);
    assert!(!not_executed.maybe_executed());
}

#[test]
fn description_has_message_status_and_attempts_once() {
    for (message, status, attempts, expected) in [
        ("Try later. ", None, 1, "Try later"),
        ("Try later", Some(503), 0, "Try later (HTTP 503)"),
        (
            "Try later",
            Some(503),
            3,
            "Try later (HTTP 503), after 3 attempts",
        ),
        (
            "HTTP 503 from STS",
            Some(503),
            2,
            "HTTP 503 from STS, after 2 attempts",
        ),
        (
            "HTTP 503 from STS",
            Some(500),
            1,
            "HTTP 503 from STS (HTTP 500)",
        ),
        ("", Some(409), 1, "busy (HTTP 409)"),
        ("", None, 1, "busy"),
    ] {
        let mut fault = Fault::new(FaultKind::Busy, message)
            .with_code("Conflict")
            .with_request_id(Some("r-1"))
            .with_attempts(attempts);
        if let Some(status) = status {
            fault = fault.with_status(status);
        }
        assert_eq!(fault.description(), expected);
    }
}

#[test]
fn displayed_fault_has_only_the_parts_that_exist() {
    let fault = || Fault::new(FaultKind::Busy, "wait");
    for (fault, expected) in [
        (fault(), "wait"),
        (fault().with_attempts(2), "wait, after 2 attempts"),
        (fault().with_status(409), "wait (HTTP 409)"),
        (fault().with_request_id(Some("r-1")), "wait (request r-1)"),
        (fault().with_code("wait"), "wait"),
        (fault().with_message(""), "busy"),
        (fault().with_message("").with_code("Conflict"), "Conflict"),
    ] {
        assert_eq!(fault.to_string(), expected);
    }
}

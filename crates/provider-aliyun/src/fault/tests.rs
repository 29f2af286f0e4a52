//! Tests of the faults of Alibaba's error codes, HTTP statuses and retry hints.

use lifecycle_core::Provider;
use provider_testing::http_response;

use super::*;
use crate::{Aliyun, Config};

fn response(status: u16, headers: &[(&'static str, &str)], body: &'static str) -> HttpResponse {
    http_response(
        status,
        headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect(),
        body,
    )
}

#[test]
fn code_selects_the_kind() {
    for (code, kind) in [
        ("MissingParameter", FaultKind::Invalid),
        ("MissingParameter.RegionId", FaultKind::Invalid),
        ("MissingAction", FaultKind::Invalid),
        ("MissingSecurityToken", FaultKind::Credential),
        ("InvalidParameter.TooManyInstanceIds", FaultKind::Invalid),
        (
            "InvalidParameter.KMSKeyId.KMSUnauthorized",
            FaultKind::Permission,
        ),
        ("InvalidParameter.KMSKeyId.NotFound", FaultKind::Failed),
        ("InvalidRegionId.NotFound", FaultKind::WrongEndpoint),
        ("InvalidAction.NotFound", FaultKind::Invalid),
        ("IncorrectInstanceStatus", FaultKind::WrongState),
        ("IncorrectInstanceStatus.Initializing", FaultKind::Busy),
        ("IncorrectInstanceStatus.Other", FaultKind::WrongState),
        ("LastTokenProcessing", FaultKind::Busy),
        ("DiskInArrears", FaultKind::Billing),
        ("QuotaExceed.ElasticQuota", FaultKind::Quota),
        ("LackResource", FaultKind::Capacity),
        ("OperationDenied.ResourceControl", FaultKind::Capacity),
        ("Invalid.PrivatePoolOptions.Id", FaultKind::Capacity),
        ("Account.Arrearage", FaultKind::Billing),
        ("InvalidAccountStatus.NotEnoughBalance", FaultKind::Billing),
        ("InvalidInstance.UnPaidOrder", FaultKind::Billing),
        ("InsufficientBalance.AgentCredit", FaultKind::Billing),
        ("Mayi.InternalError", FaultKind::Unavailable),
        ("NodeControllerUnavailable", FaultKind::Unavailable),
        ("Forbbiden.NotAdminUser", FaultKind::Permission),
        ("Forbedden.NotSupportRAM", FaultKind::Permission),
        ("AccountForbidden.Anything", FaultKind::Permission),
        ("Invalid.InstanceId", FaultKind::NotFound),
        ("InvalidInstanceId.NotFound", FaultKind::NotFound),
        ("InvalidInstanceIds.NotFound", FaultKind::NotFound),
        ("InvalidInstanceId.NotSupport", FaultKind::Unsupported),
        ("ChargeTypeViolation", FaultKind::Unsupported),
        ("Abs.InvalidInstanceIds.MalFormed", FaultKind::Invalid),
        ("InvalidStatus.NotFound", FaultKind::Invalid),
        ("OperationDenied", FaultKind::Unknown),
        ("Forbidden.RAM", FaultKind::Permission),
        ("Forbidden", FaultKind::Permission),
        ("Forbidden.AccessKeyDisabled", FaultKind::Credential),
        ("InvalidAccessKeyId.Inactive", FaultKind::Credential),
        ("InvalidSecurityToken.Expired", FaultKind::Credential),
        ("IncompleteSignature", FaultKind::Credential),
        ("NoPermission", FaultKind::Permission),
        ("AuthenticationFail.NoPermission", FaultKind::Permission),
        (
            "AuthenticationFail.OIDCToken.Expired",
            FaultKind::Credential,
        ),
        ("EntityNotExist.Role", FaultKind::Invalid),
        ("InvalidTimeStamp.Expired", FaultKind::ClockSkew),
        ("IllegalTimestamp", FaultKind::ClockSkew),
        ("Throttling", FaultKind::Throttled),
        ("Throttling.User.Flow", FaultKind::Throttled),
        ("Rejected.Throttling", FaultKind::Throttled),
        (
            "ServiceUnavailable.RegionMaintaining",
            FaultKind::Unavailable,
        ),
        ("UnknownError", FaultKind::Unavailable),
        ("SomethingNew", FaultKind::Unknown),
    ] {
        assert_eq!(from_row(code, None).kind(), kind, "{code}");
    }
}

#[test]
fn fault_has_the_execution_status_of_the_code() {
    for (code, status) in [
        ("DiskError", ExecutionStatus::NotExecuted),
        ("DryRunOperation", ExecutionStatus::NotExecuted),
        ("DRYRUN.SUCCESS", ExecutionStatus::NotExecuted),
        ("IncorrectInstanceStatus", ExecutionStatus::NotExecuted),
        ("Throttling.Api", ExecutionStatus::NotExecuted),
        ("InvalidTimeStamp.Expired", ExecutionStatus::NotExecuted),
        ("SignatureNonceUsed", ExecutionStatus::Unknown),
        ("InternalError", ExecutionStatus::Unknown),
        ("ServiceUnavailable", ExecutionStatus::Unknown),
        ("Mayi.InternalError", ExecutionStatus::Unknown),
        ("NodeControllerUnavailable", ExecutionStatus::Unknown),
        ("Something.InternalErrorOfToday", ExecutionStatus::Unknown),
        ("SomethingNew", ExecutionStatus::NotExecuted),
    ] {
        assert_eq!(from_row(code, None).execution_status(), status, "{code}");
    }
}

#[test]
fn unknown_code_is_a_plain_rejection_only_in_a_response_of_ecs() {
    let own = r#"{"RequestId":"D6F4","HostId":"h","Code":"SomethingNew","Message":"no"}"#;
    let foreign = r#"{"code":"blocked","message":"by a proxy"}"#;
    let internal = r#"{"RequestId":"D6F4","Code":"Mayi.InternalError","Message":"no"}"#;
    for (status, body, execution) in [
        (400, own, ExecutionStatus::NotExecuted),
        (403, own, ExecutionStatus::NotExecuted),
        (404, own, ExecutionStatus::NotExecuted),
        (408, own, ExecutionStatus::Unknown),
        (500, own, ExecutionStatus::Unknown),
        (403, foreign, ExecutionStatus::Unknown),
        (403, internal, ExecutionStatus::Unknown),
    ] {
        let fault = check(&response(status, &[], body)).unwrap_err();
        assert_eq!(fault.execution_status(), execution, "{status} {body}");
    }
    let header = [("x-acs-request-id", "D6F4")];
    let fault = check(&response(403, &header, foreign)).unwrap_err();
    assert!(!fault.maybe_executed());
    assert_eq!(
        (fault.kind(), fault.code()),
        (FaultKind::Unknown, Some("blocked"))
    );
}

#[test]
fn code_takes_precedence_over_the_http_status() {
    for (status, body, kind) in [
        (500, r#"{"Code":"InstanceNotReady"}"#, FaultKind::Busy),
        (403, r#"{"Code":"Throttling"}"#, FaultKind::Throttled),
        (429, r#"{"Code":"SomethingNew"}"#, FaultKind::Throttled),
        (503, r#"{"Code":"SomethingNew"}"#, FaultKind::Unavailable),
        (403, r#"{"Code":"SomethingNew"}"#, FaultKind::Unknown),
        (
            404,
            r#"{"code":"InvalidInstanceId.NotFound"}"#,
            FaultKind::NotFound,
        ),
        (404, r#"{"Code":null}"#, FaultKind::Unreadable),
        (404, "", FaultKind::Unreadable),
        (
            401,
            "<html><body>log in</body></html>",
            FaultKind::Unreadable,
        ),
        (302, "", FaultKind::Unreadable),
        (502, "<html><body>502</body></html>", FaultKind::Unavailable),
        (429, "slow down", FaultKind::Throttled),
    ] {
        let fault = check(&response(status, &[], body)).unwrap_err();
        assert_eq!(fault.kind(), kind, "{status} {body}");
        assert_eq!(fault.status(), Some(status));
    }
    assert!(check(&response(204, &[], "")).is_ok());
}

#[test]
fn code_is_a_text_or_a_number_in_either_spelling() {
    for (body, code) in [
        (r#"{"Code":"New"}"#, Some("New")),
        (r#"{"code":"New"}"#, Some("New")),
        (r#"{"Code":"","code":"New"}"#, Some("New")),
        (r#"{"Code":1234}"#, Some("1234")),
        (r#"{"Code":""}"#, None),
        (r#"{"Code":true}"#, None),
    ] {
        let fault = check(&response(400, &[], body)).unwrap_err();
        assert_eq!(fault.code(), code, "{body}");
    }
}

#[test]
fn retry_after_is_the_longest_hint() {
    let throttled = r#"{"Code":"Throttling"}"#;
    let unavailable = r#"{"Code":"InternalError"}"#;
    for (headers, body, expected) in [
        (&[] as &[_], throttled, None),
        (&[("x-acs-retry-after", "1200")], throttled, Some(1200)),
        (&[("x-acs-retry-after", "1200")], unavailable, Some(1200)),
        (&[("x-acs-retry-after", "0")], throttled, None),
        (&[("x-acs-retry-after", "soon")], throttled, None),
        (&[("retry-after", "3")], throttled, Some(3000)),
        (
            &[
                ("x-ratelimit-user-api", "Limit:1,Remain:0,TimeLeft:800"),
                ("x-ratelimit-user", "Limit:9,Remain:0, TimeLeft: 2500"),
            ],
            throttled,
            Some(2500),
        ),
        (&[("x-ratelimit-user", "TimeLeft:2500")], unavailable, None),
        (&[("x-ratelimit-user", "TimeLeft:,:")], throttled, None),
    ] {
        let fault = check(&response(400, headers, body)).unwrap_err();
        let expected = expected.map(Duration::from_millis);
        assert_eq!(fault.retry_after(), expected, "{headers:?}");
    }
}

#[test]
fn request_id_comes_from_the_header_or_the_body() {
    let body = r#"{"RequestId":"body"}"#;
    let header = response(200, &[("x-acs-request-id", "header")], body);
    assert_eq!(request_id(&header).as_deref(), Some("header"));
    assert_eq!(
        request_id(&response(200, &[], body)).as_deref(),
        Some("body")
    );
    let empty = response(200, &[("x-acs-request-id", "")], body);
    assert_eq!(request_id(&empty).as_deref(), Some("body"));
    let xml = "<StopInstanceResponse><RequestId>body</RequestId></StopInstanceResponse>";
    assert_eq!(
        request_id(&response(200, &[], xml)).as_deref(),
        Some("body")
    );
    assert_eq!(request_id(&response(502, &[], "<html>")), None);
}

#[test]
fn message_does_not_repeat_the_string_to_sign() {
    for message in [
        "No match. server StringToSign is [ACS3-HMAC-SHA256\nabc] server CanonicalRequest is [t]",
        "No match. server string to sign is:POST&%2F&t",
    ] {
        let fault = from_row("SignatureDoesNotMatch", Some(message.to_owned()));
        assert_eq!(fault.message(), "No match.");
    }
}

#[test]
fn provider_reports_the_fault_and_the_request_id_of_a_response() {
    let aliyun = Aliyun::new(Config::new("cn-beijing").unwrap());
    let denied = response(403, &[], r#"{"RequestId":"D6F4","Code":"Forbidden.RAM"}"#);
    let fault = aliyun.check(&denied).unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Permission);
    assert_eq!(aliyun.request_id(&denied).as_deref(), Some("D6F4"));
    assert_eq!(aliyun.check(&response(200, &[], "{}")), Ok(()));
}

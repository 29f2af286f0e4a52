//! What Alibaba's error codes mean.
//!
//! The code decides, not the HTTP status: the same code comes with 400, 403, 404 or 500, and 403
//! stands for a wrong state as well as for a missing permission.

use std::time::Duration;

use lifecycle_core::{Effect, Fault, FaultKind, Reply};
use serde::Deserialize;
use serde_json::Value;

use crate::body::{self, Text};

/// Is this answer a refusal or a failure? A good status with an error code in its body is found
/// when the body is read.
pub(crate) fn check(reply: &Reply) -> Result<(), Fault> {
    if reply.is_success() {
        return Ok(());
    }
    let body: Value = body::read(reply).unwrap_or_default();
    let fault = match field(&body, ["Code", "code"]) {
        None => reply
            .bare_fault()
            .with_kind(by_status(reply.status, FaultKind::Unreadable)),
        Some(code) => match refusal(&code, field(&body, ["Message", "message"])) {
            fault if fault.kind() == FaultKind::Unknown => {
                fault.with_kind(by_status(reply.status, FaultKind::Unknown))
            }
            fault => fault,
        },
    };
    let wait = retry_after(reply, fault.kind());
    Err(fault
        .with_status(reply.status)
        .with_request_id(request_id(reply))
        .with_retry_after(wait))
}

/// The gateway's header, or else what the body says.
pub(crate) fn request_id(reply: &Reply) -> Option<String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Body {
        #[serde(rename = "RequestId")]
        upper: Text,
        #[serde(rename = "requestId")]
        lower: Text,
    }
    match reply.header("x-acs-request-id") {
        Some(id) => Some(id.to_owned()),
        None => {
            let body: Body = body::read(reply).ok()?;
            body.upper.0.or(body.lower.0)
        }
    }
}

/// The fault that a code stands for, be it of a whole answer or of one row of a batch.
pub(crate) fn refusal(code: &str, message: Option<String>) -> Fault {
    let kind = kind(code).unwrap_or(FaultKind::Unknown);
    let fault = Fault::new(kind, without_signed_text(message.unwrap_or_default())).with_code(code);
    match kind {
        // Disks and their keys are looked at before anything is done.
        FaultKind::Failed => fault.with_effect(Effect::None),
        _ => fault,
    }
}

/// The meaning of a code; `None` for one that this library does not know.
fn kind(code: &str) -> Option<FaultKind> {
    Some(match code {
        // The pages of StartInstance(s), StopInstance(s) and RebootInstance(s), as of December
        // 2025, and what older ones had besides:
        // https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-startinstance
        "InvalidInstanceId.NotFound" | "InvalidInstanceIds.NotFound" => FaultKind::NotFound,
        "IncorrectInstanceStatus" => FaultKind::WrongState,
        "InstanceNotReady"
        | "IncorrectInstanceStatus.Initializing"
        | "OperationDenied.HostRepairing"
        | "InvalidOperation.Conflict" => FaultKind::Busy,
        "InstanceLockedForSecurity" => FaultKind::Locked,
        "InsufficientBalance"
        | "InstanceExpired"
        | "InstanceExpiredOrInArrears"
        | "DiskInArrears" => FaultKind::Billing,
        "OperationDenied.NoStock"
        | "OperationDenied.SpotPriceLowerThanPublicPrice"
        | "LackResource"
        | "InvalidDedicatedHost.NotEnoughResource"
        | "InvalidCapacityReservationId.NotFound"
        | "Invalid.PrivatePoolOptions.NoStock" => FaultKind::Capacity,
        "InvalidInstanceId.NotSupport"
        | "InstanceType.ParameterMismatch"
        | "OperationDenied.SystemInstanceNotSupport"
        | "HibernationConfigured.InstanceOperationForbidden"
        | "HibernationConfigured.NotEnabled" => FaultKind::Unsupported,
        "InvalidParameter.KMSKeyId.KMSUnauthorized"
        | "InvalidParameter.KMSKeyId.CMKUnauthorized" => FaultKind::Permission,
        "DiskError"
        | "InvalidInstance.NotFoundSystemDisk"
        | "InvalidParameter.KMSKeyId.NotFound"
        | "InvalidParameter.KMSKeyId.CMKNotEnabled"
        | "InvalidParameter.Encrypted.KmsNotEnable"
        | "InvalidOperation.KMSKeyIdNotFound"
        | "InvalidOperation.KMSServiceNotOpen" => FaultKind::Failed,
        "Abs.InvalidInstanceIds.MalFormed" => FaultKind::Invalid,

        // A dry run that passed: nothing was carried out. This library asks for none, so somebody
        // has changed the request.
        "DryRunOperation" | "DRYRUN.SUCCESS" => FaultKind::Invalid,

        // Codes of all ECS operations:
        // https://www.alibabacloud.com/help/en/ecs/developer-reference/common-error-codes
        "OperationConflict" | "Operation.Conflict" | "LastTokenProcessing" => FaultKind::Busy,
        "ChargeTypeViolation" => FaultKind::Unsupported,
        "InternalError" | "UnknownError" | "LimitedOperation.ServiceUnavailable" => {
            FaultKind::Unavailable
        }
        "RealNameAuthenticationError" => FaultKind::Permission,
        "InvalidStatus.NotFound"
        | "InvalidLockReason.NotFound"
        | "InvalidApi.NotFound"
        | "InvalidProduct.NotFound"
        | "InvalidProtocol.NeedSsl"
        | "UnsupportedHTTPMethod" => FaultKind::Invalid,

        // The gateway:
        // https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
        "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "Forbidden.AccessKeyDisabled"
        | "MissingSecurityToken" => FaultKind::Credential,
        "IllegalTimestamp" => FaultKind::ClockSkew,
        // No two requests of this library share a nonce, so something on the way has sent one
        // twice, and the first copy may have been carried out. A new signature gets through.
        "SignatureNonceUsed" => FaultKind::Unavailable,
        "Rejected.Throttling" => FaultKind::Throttled,

        _ => return kind_of_family(code),
    })
}

/// The meaning of a code by how it begins; the families grow.
fn kind_of_family(code: &str) -> Option<FaultKind> {
    const FAMILIES: &[(&str, FaultKind)] = &[
        ("Throttling", FaultKind::Throttled),
        ("ServiceUnavailable", FaultKind::Unavailable),
        ("InvalidTimeStamp.", FaultKind::ClockSkew),
        ("InvalidAccessKeyId.", FaultKind::Credential),
        ("InvalidSecurityToken.", FaultKind::Credential),
        ("Forbidden", FaultKind::Permission),
        ("QuotaExceed", FaultKind::Quota),
        ("IncorrectInstanceStatus.", FaultKind::WrongState),
        ("Missing", FaultKind::Invalid),
        ("InvalidParameter", FaultKind::Invalid),
        ("InvalidRegionId", FaultKind::Invalid),
        ("InvalidAction", FaultKind::Invalid),
    ];
    let mut families = FAMILIES.iter();
    let (_, kind) = families.find(|(beginning, _)| code.starts_with(beginning))?;
    Some(*kind)
}

/// What a status says on its own. Statuses that would speak of the instance or the key do not
/// count without a code: a proxy or a wrong host can answer them too.
fn by_status(status: u16, otherwise: FaultKind) -> FaultKind {
    match FaultKind::from_status(status) {
        kind @ (FaultKind::Throttled | FaultKind::Unavailable) => kind,
        _ => otherwise,
    }
}

/// How long the cloud asks to wait: the longest of its hints. Which of them ECS really sends is
/// not documented; the vendor's SDKs read the first two.
fn retry_after(reply: &Reply, kind: FaultKind) -> Option<Duration> {
    let asked = reply
        .header("x-acs-retry-after")
        .and_then(|milliseconds| milliseconds.trim().parse().ok())
        .map(Duration::from_millis);
    // These come with good answers too, and only count when the limit was hit.
    let windows = ["x-ratelimit-user-api", "x-ratelimit-user"]
        .into_iter()
        .filter(|_| kind == FaultKind::Throttled)
        .filter_map(|name| time_left(reply.header(name)?));
    let hints = windows.chain(asked).chain(reply.retry_after());
    hints.filter(|wait| !wait.is_zero()).max()
}

/// Reads `TimeLeft` out of `Limit:1,Remain:0,TimeLeft:1200`, in milliseconds.
fn time_left(header: &str) -> Option<Duration> {
    let mut pairs = header.split(',').filter_map(|pair| pair.split_once(':'));
    let (_, milliseconds) = pairs.find(|(key, _)| key.trim() == "TimeLeft")?;
    milliseconds.trim().parse().ok().map(Duration::from_millis)
}

/// A message without the text that the cloud has signed in vain: it holds the session token.
fn without_signed_text(mut message: String) -> String {
    if let Some(start) = message.to_ascii_lowercase().find(" server string") {
        message.truncate(start);
    }
    message
}

/// A text of an error's body, under the first of its names that has one.
fn field(body: &Value, names: [&str; 2]) -> Option<String> {
    names.iter().find_map(|name| match body.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, headers: &[(&'static str, &str)], body: &'static str) -> Reply {
        Reply {
            status,
            headers: headers
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect(),
            body: body.into(),
        }
    }

    #[test]
    fn codes_have_meanings() {
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
            ("InvalidRegionId.NotFound", FaultKind::Invalid),
            ("InvalidAction.NotFound", FaultKind::Invalid),
            ("IncorrectInstanceStatus", FaultKind::WrongState),
            ("IncorrectInstanceStatus.Initializing", FaultKind::Busy),
            ("IncorrectInstanceStatus.Other", FaultKind::WrongState),
            ("LastTokenProcessing", FaultKind::Busy),
            ("DiskInArrears", FaultKind::Billing),
            ("QuotaExceed.ElasticQuota", FaultKind::Quota),
            ("LackResource", FaultKind::Capacity),
            ("Forbidden.RAM", FaultKind::Permission),
            ("Forbidden", FaultKind::Permission),
            ("Forbidden.AccessKeyDisabled", FaultKind::Credential),
            ("InvalidAccessKeyId.Inactive", FaultKind::Credential),
            ("InvalidSecurityToken.Expired", FaultKind::Credential),
            ("IncompleteSignature", FaultKind::Credential),
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
            assert_eq!(refusal(code, None).kind(), kind, "{code}");
        }
    }

    #[test]
    fn faults_say_whether_the_cloud_may_have_acted() {
        for (code, effect) in [
            ("DiskError", Effect::None),
            ("DryRunOperation", Effect::None),
            ("DRYRUN.SUCCESS", Effect::None),
            ("IncorrectInstanceStatus", Effect::None),
            ("Throttling.Api", Effect::None),
            ("InvalidTimeStamp.Expired", Effect::None),
            ("SignatureNonceUsed", Effect::Possible),
            ("InternalError", Effect::Possible),
            ("ServiceUnavailable", Effect::Possible),
            ("SomethingNew", Effect::Possible),
        ] {
            assert_eq!(refusal(code, None).effect(), effect, "{code}");
        }
    }

    #[test]
    fn the_code_counts_before_the_status() {
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
            let fault = check(&reply(status, &[], body)).unwrap_err();
            assert_eq!(fault.kind(), kind, "{status} {body}");
            assert_eq!(fault.status(), Some(status));
        }
        assert!(check(&reply(204, &[], "")).is_ok());
    }

    #[test]
    fn the_longest_hint_counts() {
        let throttled = r#"{"Code":"Throttling"}"#;
        let missing = r#"{"Code":"InternalError"}"#;
        for (headers, body, expected) in [
            (&[] as &[_], throttled, None),
            (&[("x-acs-retry-after", "1200")], throttled, Some(1200)),
            (&[("x-acs-retry-after", "1200")], missing, Some(1200)),
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
            (&[("x-ratelimit-user", "TimeLeft:2500")], missing, None),
            (&[("x-ratelimit-user", "TimeLeft:,:")], throttled, None),
        ] {
            let fault = check(&reply(400, headers, body)).unwrap_err();
            let expected = expected.map(Duration::from_millis);
            assert_eq!(fault.retry_after(), expected, "{headers:?}");
        }
    }

    #[test]
    fn request_ids_come_from_the_header_or_the_body() {
        let body = r#"{"RequestId":"body"}"#;
        let header = reply(200, &[("x-acs-request-id", "header")], body);
        assert_eq!(request_id(&header).as_deref(), Some("header"));
        assert_eq!(request_id(&reply(200, &[], body)).as_deref(), Some("body"));
        let xml = "<StopInstanceResponse><RequestId>body</RequestId></StopInstanceResponse>";
        assert_eq!(request_id(&reply(200, &[], xml)).as_deref(), Some("body"));
        assert_eq!(request_id(&reply(502, &[], "<html>")), None);
    }

    #[test]
    fn the_signed_text_is_not_repeated() {
        for message in [
            "No match. server StringToSign is [ACS3-HMAC-SHA256\nabc] server CanonicalRequest is [t]",
            "No match. server string to sign is:POST&%2F&t",
        ] {
            let fault = refusal("SignatureDoesNotMatch", Some(message.to_owned()));
            assert_eq!(fault.message(), "No match.");
        }
    }
}

//! What Alibaba's error codes mean.
//!
//! The code decides, not the HTTP status: the same code comes with 400, 403, 404 or 500, and 403
//! stands for a wrong state as well as for a missing permission.

use std::time::Duration;

use lifecycle_core::{ExecutionStatus, Fault, FaultKind, HttpResponse, ResponseExt};
use serde::Deserialize;
use serde_json::Value;

use crate::body::{self, Text};

/// Is this answer a refusal or a failure? A good status with an error code in its body is found
/// when the body is read.
pub(crate) fn check(reply: &HttpResponse) -> Result<(), Fault> {
    if reply.status().is_success() {
        return Ok(());
    }
    let body: Value = body::read(reply).unwrap_or_default();
    Err(match field(&body, ["Code", "code"]) {
        Some(code) => of_answer(reply, &code, field(&body, ["Message", "message"])),
        None => uncoded(reply),
    })
}

/// The fault of a whole answer that carries a code.
pub(crate) fn of_answer(reply: &HttpResponse, code: &str, message: Option<String>) -> Fault {
    let kind = kind(code).unwrap_or_else(|| by_status(reply.status().as_u16(), FaultKind::Unknown));
    complete(coded(kind, code, message), reply)
}

/// The fault of one row of a batch.
pub(crate) fn of_row(code: &str, message: Option<String>) -> Fault {
    coded(kind(code).unwrap_or(FaultKind::Unknown), code, message)
}

/// The fault of a failing answer without a code, as from a proxy or a wrong host.
fn uncoded(reply: &HttpResponse) -> Fault {
    let kind = by_status(reply.status().as_u16(), FaultKind::Unreadable);
    complete(reply.fault_from_status().with_kind(kind), reply)
}

fn complete(fault: Fault, reply: &HttpResponse) -> Fault {
    let wait = retry_after(reply, fault.kind());
    fault
        .with_status(reply.status().as_u16())
        .with_request_id(request_id(reply))
        .with_retry_after(wait)
}

/// The gateway's header, or else what the body says.
pub(crate) fn request_id(reply: &HttpResponse) -> Option<String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Body {
        #[serde(rename = "RequestId")]
        upper: Text,
        #[serde(rename = "requestId")]
        lower: Text,
    }
    match reply.header("x-acs-request-id") {
        Some(id) if !id.is_empty() => Some(id.to_owned()),
        _ => {
            let body: Body = body::read(reply).ok()?;
            body.upper.0.or(body.lower.0)
        }
    }
}

fn coded(kind: FaultKind, code: &str, message: Option<String>) -> Fault {
    let fault = Fault::new(kind, without_signed_text(message.unwrap_or_default())).with_code(code);
    match kind {
        // Disks and their keys are looked at before anything is done.
        FaultKind::Failed => fault.with_execution_status(ExecutionStatus::NotExecuted),
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
        // https://api.alibabacloud.com/document/Ecs/2014-05-26/errorCode
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

        // STS:
        // https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole
        "NoPermission" | "AuthenticationFail.NoPermission" => FaultKind::Permission,

        _ => return kind_of_family(code),
    })
}

/// The meaning of a code by how it begins; the families grow.
fn kind_of_family(code: &str) -> Option<FaultKind> {
    const FAMILIES: &[(&str, FaultKind)] = &[
        ("Throttling", FaultKind::Throttled),
        ("ServiceUnavailable", FaultKind::Unavailable),
        ("InvalidTimeStamp", FaultKind::ClockSkew),
        ("InvalidAccessKeyId", FaultKind::Credential),
        ("InvalidSecurityToken", FaultKind::Credential),
        ("AuthenticationFail", FaultKind::Credential),
        ("EntityNotExist", FaultKind::Invalid),
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

/// What a status says on its own. Statuses that would speak of an instance, a key or a permission
/// do not count: ECS gives 403 and 404 to very different codes, and proxies answer them too.
fn by_status(status: u16, otherwise: FaultKind) -> FaultKind {
    match FaultKind::from_status(status) {
        kind @ (FaultKind::Throttled | FaultKind::Unavailable) => kind,
        _ => otherwise,
    }
}

/// How long the cloud asks to wait: the longest of its hints. Which of them ECS really sends is
/// not documented; the vendor's SDKs read the first two.
fn retry_after(reply: &HttpResponse, kind: FaultKind) -> Option<Duration> {
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
mod tests;

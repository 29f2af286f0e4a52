//! Converts Alibaba's error responses into faults: the meaning of error codes.
//!
//! The code decides, not the HTTP status: the same code comes with 400, 403, 404 or 500, and 403
//! can mean a wrong state or a missing permission.

use std::time::Duration;

use lifecycle_core::{ExecutionStatus, Fault, FaultKind, HttpResponse, LenientText, ResponseExt};
use serde::Deserialize;
use serde_json::Value;

use crate::body;

/// Returns the fault of a response with an error status. An error code in the body of a 2xx
/// response is found later, when the body is read.
pub(crate) fn check(response: &HttpResponse) -> Result<(), Fault> {
    if response.status().is_success() {
        return Ok(());
    }
    let body: Value = body::read(response).unwrap_or_default();
    Err(match text_field(&body, ["Code", "code"]) {
        Some(code) => from_response(response, &code, text_field(&body, ["Message", "message"])),
        None => without_code(response),
    })
}

/// Returns the fault of a response with an error code.
pub(crate) fn from_response(response: &HttpResponse, code: &str, message: Option<String>) -> Fault {
    let status = response.status().as_u16();
    let kind = kind_of_code(code).unwrap_or_else(|| kind_of_status(status, FaultKind::Unknown));
    let fault = with_response_details(new_fault(kind, code, message), response);
    // Another sender than ECS does not know the request id.
    match fault.request_id() {
        Some(_) => fault.with_plain_rejection(),
        None => fault,
    }
}

/// Returns the fault of one row of a batch response.
pub(crate) fn from_row(code: &str, message: Option<String>) -> Fault {
    let kind = kind_of_code(code).unwrap_or(FaultKind::Unknown);
    new_fault(kind, code, message).with_plain_rejection()
}

/// Returns the fault of an error response without a code, as from a proxy or a wrong host.
fn without_code(response: &HttpResponse) -> Fault {
    let kind = kind_of_status(response.status().as_u16(), FaultKind::Unreadable);
    with_response_details(response.fault_from_status().with_kind(kind), response)
}

fn with_response_details(fault: Fault, response: &HttpResponse) -> Fault {
    let wait = retry_after(response, fault.kind());
    fault
        .with_status(response.status().as_u16())
        .with_request_id(request_id(response))
        .with_retry_after(wait)
}

/// Returns the request id of the gateway's header, else of the body.
pub(crate) fn request_id(response: &HttpResponse) -> Option<String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Body {
        #[serde(rename = "RequestId")]
        upper: LenientText,
        #[serde(rename = "requestId")]
        lower: LenientText,
    }
    match response.header("x-acs-request-id") {
        Some(id) if !id.is_empty() => Some(id.to_owned()),
        _ => {
            let body: Body = body::read(response).ok()?;
            body.upper.0.or(body.lower.0)
        }
    }
}

fn new_fault(kind: FaultKind, code: &str, message: Option<String>) -> Fault {
    let fault =
        Fault::new(kind, without_string_to_sign(message.unwrap_or_default())).with_code(code);
    match kind {
        // ECS checks disks and their encryption keys before the action.
        FaultKind::Failed => fault.with_execution_status(ExecutionStatus::NotExecuted),
        _ => fault,
    }
}

/// Returns the kind of a code; `None` for an unknown code.
fn kind_of_code(code: &str) -> Option<FaultKind> {
    Some(match code {
        // The pages of StartInstance(s), StopInstance(s) and RebootInstance(s) of December 2025,
        // and codes of older versions of these pages:
        // https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-startinstance
        "InvalidInstanceId.NotFound" | "InvalidInstanceIds.NotFound" | "Invalid.InstanceId" => {
            FaultKind::NotFound
        }
        "IncorrectInstanceStatus" => FaultKind::WrongState,
        "InstanceNotReady"
        | "IncorrectInstanceStatus.Initializing"
        | "OperationDenied.HostRepairing"
        | "InvalidOperation.Conflict" => FaultKind::Busy,
        "InstanceLockedForSecurity" => FaultKind::Locked,
        "InsufficientBalance"
        | "InstanceExpired"
        | "InstanceExpiredOrInArrears"
        | "DiskInArrears"
        | "Account.Arrearage"
        | "InvalidAccountStatus"
        | "InvalidAccountStatus.NotEnoughBalance"
        | "InvalidAccountStatus.PayAmountLimitExceeded"
        | "InvalidInstance.UnPaidOrder"
        | "InvalidPayMethod"
        | "InsufficientBalance.AgentCredit" => FaultKind::Billing,
        "OperationDenied.NoStock"
        | "OperationDenied.SpotPriceLowerThanPublicPrice"
        | "LackResource"
        | "InvalidDedicatedHost.NotEnoughResource"
        | "InvalidCapacityReservationId.NotFound"
        | "Invalid.PrivatePoolOptions.NoStock"
        | "Invalid.PrivatePoolOptions.status"
        | "Invalid.PrivatePoolOptions.Id"
        | "Invalid.PrivatePoolOptions.MatchCriteria"
        | "OperationDenied.ResourceControl"
        | "OperationDenied.PaygNotAvailable"
        | "Zone.NotOnSale"
        | "Zone.NotOpen"
        | "InstanceType.Offline" => FaultKind::Capacity,
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

        // A successful dry run: nothing was executed. This crate never requests a dry run, so the
        // request was changed on the way.
        "DryRunOperation" | "DRYRUN.SUCCESS" => FaultKind::Invalid,

        // Codes of all ECS operations:
        // https://api.alibabacloud.com/document/Ecs/2014-05-26/errorCode
        "OperationConflict" | "Operation.Conflict" | "LastTokenProcessing" => FaultKind::Busy,
        "ChargeTypeViolation" => FaultKind::Unsupported,
        // The last two come with 403 as well, and the cloud may have executed the request.
        "InternalError"
        | "UnknownError"
        | "LimitedOperation.ServiceUnavailable"
        | "NodeControllerUnavailable"
        | "Mayi.InternalError" => FaultKind::Unavailable,
        // The vendor spells `Forbbiden` and `Forbedden` in this way.
        "RealNameAuthenticationError"
        | "Forbbiden"
        | "Forbbiden.NotAdminUser"
        | "Forbedden.NotSupportRAM"
        | "SecurityRisk.3DVerification"
        | "UserNotInTheWhiteList"
        | "InvalidAliUid" => FaultKind::Permission,
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
        // Every request of this crate has its own nonce, so a proxy has sent the request twice, and
        // ECS may have executed the first copy. A request with a new signature is accepted.
        "SignatureNonceUsed" => FaultKind::Unavailable,
        "Rejected.Throttling" => FaultKind::Throttled,

        // STS:
        // https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole
        "NoPermission" | "AuthenticationFail.NoPermission" => FaultKind::Permission,

        _ => return kind_of_family(code),
    })
}

/// Returns the kind of a family of codes, identified by prefix. Alibaba adds codes to the families.
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
        ("AccountForbidden", FaultKind::Permission),
        ("QuotaExceed", FaultKind::Quota),
        ("IncorrectInstanceStatus.", FaultKind::WrongState),
        ("Missing", FaultKind::Invalid),
        ("InvalidParameter", FaultKind::Invalid),
        ("InvalidRegionId", FaultKind::WrongEndpoint),
        ("InvalidAction", FaultKind::Invalid),
    ];
    let mut families = FAMILIES.iter();
    let (_, kind) = families.find(|(prefix, _)| code.starts_with(prefix))?;
    Some(*kind)
}

/// Returns the kind of a status that is meaningful without a code: throttling and unavailability.
/// Any other status is ambiguous, because ECS uses 403 and 404 for very different codes and proxies
/// send both.
fn kind_of_status(status: u16, otherwise: FaultKind) -> FaultKind {
    match FaultKind::from_status(status) {
        kind @ (FaultKind::Throttled | FaultKind::Unavailable) => kind,
        _ => otherwise,
    }
}

/// Returns the longest of the retry hints. The hints that ECS really sends are undocumented; the
/// vendor's SDKs read the first two kinds.
fn retry_after(response: &HttpResponse, kind: FaultKind) -> Option<Duration> {
    let retry_after = response
        .header("x-acs-retry-after")
        .and_then(|milliseconds| milliseconds.trim().parse().ok())
        .map(Duration::from_millis);
    // Successful responses have these headers too; the headers matter only after throttling.
    let windows = ["x-ratelimit-user-api", "x-ratelimit-user"]
        .into_iter()
        .filter(|_| kind == FaultKind::Throttled)
        .filter_map(|name| time_left(response.header(name)?));
    let hints = windows.chain(retry_after).chain(response.retry_after());
    hints.filter(|wait| !wait.is_zero()).max()
}

/// Parses `TimeLeft`, in milliseconds, from `Limit:1,Remain:0,TimeLeft:1200`.
fn time_left(header: &str) -> Option<Duration> {
    let mut pairs = header.split(',').filter_map(|pair| pair.split_once(':'));
    let (_, milliseconds) = pairs.find(|(key, _)| key.trim() == "TimeLeft")?;
    milliseconds.trim().parse().ok().map(Duration::from_millis)
}

/// Removes the string to sign that ECS quotes in a message, because the string holds the session
/// token.
fn without_string_to_sign(mut message: String) -> String {
    if let Some(start) = message.to_ascii_lowercase().find(" server string") {
        message.truncate(start);
    }
    message
}

/// Returns the text under the first of these names that has a text.
fn text_field(body: &Value, names: [&str; 2]) -> Option<String> {
    names.iter().find_map(|name| match body.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

#[cfg(test)]
mod tests;

//! What Zenlayer's error codes mean.

use lifecycle_core::{Fault, FaultKind, HttpResponse, LenientField, ResponseExt};
use serde::Deserialize;

/// Is this answer a refusal or a failure? An error code counts on any HTTP status.
pub(crate) fn check(reply: &HttpResponse) -> Result<(), Fault> {
    if let Some(fault) = stopped_on_the_way(reply) {
        return Err(fault);
    }
    let error = ErrorBody::read(reply);
    let fault = match error.code.0.filter(|code| !code.is_empty()) {
        Some(code) => coded(reply, code, error.message.0.unwrap_or_default()),
        None if reply.status().is_success() => return Ok(()),
        None => reply.fault_from_status(),
    };
    Err(fault.with_request_id(error.request_id.0))
}

/// Zenlayer puts it into the body of every answer, good or bad:
/// <https://docs.console.zenlayer.com/api-reference/api-introduction/instruction/response>
pub(crate) fn request_id(reply: &HttpResponse) -> Option<String> {
    ErrorBody::read(reply).request_id.0
}

/// Answers that do not come from the API but from the network in front of it. Nothing was carried
/// out, and no repeat helps until somebody has looked. Zenlayer's SDKs tell them by the same signs.
fn stopped_on_the_way(reply: &HttpResponse) -> Option<Fault> {
    let challenged = reply
        .header("cf-mitigated")
        .is_some_and(|value| value.eq_ignore_ascii_case("challenge"));
    let message = match reply.status().as_u16() {
        403 if challenged => {
            "the network in front of the API asks for proof of a human (cf-mitigated: challenge); \
             the request did not reach the API"
        }
        451 => {
            "a security policy in front of the API blocks the request (HTTP 451); it did not reach \
             the API"
        }
        _ => return None,
    };
    Some(Fault::new(FaultKind::Permission, message).with_status(reply.status().as_u16()))
}

/// A fault with a code of Zenlayer's.
fn coded(reply: &HttpResponse, code: String, message: String) -> Fault {
    let kind = kind(&code).unwrap_or(FaultKind::from_status(reply.status().as_u16()));
    Fault::new(kind, message)
        .with_status(reply.status().as_u16())
        .with_code(code)
        .with_retry_after(reply.retry_after())
}

/// The meaning of a code; `None` leaves it to the HTTP status. The same situation has come with
/// different statuses over the years, so known codes count alone.
fn kind(code: &str) -> Option<FaultKind> {
    Some(match code {
        // The power actions: https://docs.console.zenlayer.com/api-reference/compute/zec/instance
        "OPERATION_DENIED_INSTANCE_IN_OPERATION" => FaultKind::Busy,
        "UNSUPPORTED_OPERATION_INSTANCE_STATUS"
        | "OPERATION_DENIED_INSTANCE_NOT_STOPPED"
        | "OPERATION_DENIED_INSTANCE_NOT_RUNNING"
        | "OPERATION_DENIED_INSTANCE_STATUS"
        | "OPERATION_DENIED_INSTANCE_RECYCLED"
        | "OPERATION_FAILED_FOR_RECYCLE_RESOURCE" => FaultKind::WrongState,
        "INVALID_INSTANCE_NOT_FOUND" | "OPERATION_FAILED_RESOURCE_NOT_FOUND" => FaultKind::NotFound,

        // Codes of all APIs, by the vendor's draft of March 2023 (wolfgangdemo/demo on GitHub,
        // api-introduction/instruction/commonerrorcode.md). The throttling code is newer; Zenlayer's
        // SDKs have it.
        "AUTHFAILURE_INVALID_AUTHORIZATION" | "AUTHFAILURE_SIGNATURE_FAILURE" => {
            FaultKind::Credential
        }
        "AUTHFAILURE_SIGNATURE_EXPIRED" => FaultKind::ClockSkew,
        // Also said of an action that does not exist.
        "AUTHFAILURE_UNAUTHORIZED_OPERATION" => FaultKind::Permission,
        // The group comes from the configuration, so no instance is at fault.
        "OPERATION_FAILED_RESOURCE_GROUP_NOT_FOUND" => FaultKind::Invalid,
        "REQUEST_LIMIT_EXCEEDED" => FaultKind::Throttled,
        // None of these says whether the operation had begun.
        "INTERNAL_SERVER_ERROR" | "SERVICE_TEMPORARY_UNAVAILABLE" | "REQUEST_TIMED_OUT" => {
            FaultKind::Unavailable
        }

        // Families, for codes that were added since.
        _ if code.starts_with("AUTHFAILURE_") => FaultKind::Credential,
        _ if code.starts_with("MISSING_PARAMETER") => FaultKind::Invalid,
        _ if code.starts_with("INVALID_PARAMETER") => FaultKind::Invalid,
        _ if code.starts_with("OPERATION_DENIED_INSTANCE_") => FaultKind::WrongState,
        _ if code.starts_with("UNSUPPORTED_OPERATION_") => FaultKind::Unsupported,
        _ => return None,
    })
}

/// The body of an error:
/// <https://docs.console.zenlayer.com/api-reference/api-introduction/instruction/response>
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ErrorBody {
    code: LenientField<String>,
    message: LenientField<String>,
    request_id: LenientField<String>,
}

impl ErrorBody {
    /// What an answer has of it; nothing when its body is something else.
    fn read(reply: &HttpResponse) -> Self {
        serde_json::from_slice(reply.body()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;

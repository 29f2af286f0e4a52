//! Converts Zenlayer's error responses into faults: the meaning of error codes.

use std::fmt;

use lifecycle_core::{Fault, FaultKind, HttpResponse, LenientField, LenientText, ResponseExt};
use serde::{
    Deserialize, Deserializer as _,
    de::{IgnoredAny, MapAccess, Visitor},
};

/// Checks a response for an error. An error code is an error with any HTTP status.
pub(crate) fn check(response: &HttpResponse) -> Result<(), Fault> {
    if let Some(fault) = blocked_before_api(response) {
        return Err(fault);
    }
    if response.status().is_success() && !response.contains("\"code\"") {
        // Most responses end here, without another parse of a large page.
        return Ok(());
    }
    let error = ErrorBody::read(response);
    match error.code.0.as_ref().and_then(|code| code.0.clone()) {
        Some(code) => Err(from_code(response, code, error)),
        None if response.status().is_success() => Ok(()),
        None => Err(response
            .fault_from_status()
            .with_request_id(request_id(response))),
    }
}

/// Returns the request id, which every response body has:
/// <https://docs.console.zenlayer.com/api-reference/api-introduction/instruction/response>
///
/// Reads no further than the id, which is the first field of most bodies. So a body that was cut off has an
/// id as well.
pub(crate) fn request_id(response: &HttpResponse) -> Option<String> {
    let mut id = LenientField::default();
    let mut body = serde_json::Deserializer::from_slice(response.body());
    // The error says no more than that the reader stopped before the end.
    let _ = body.deserialize_map(UntilRequestId(&mut id));
    id.0.filter(|id| !id.is_empty())
}

/// Reads the fields of a body until the request id.
struct UntilRequestId<'a>(&'a mut LenientField<String>);

impl<'de> Visitor<'de> for UntilRequestId<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(name) = fields.next_key::<String>()? {
            if name == "requestId" {
                *self.0 = fields.next_value()?;
                break;
            }
            fields.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// Returns the fault of a response of the network in front of the API. The API did not receive the
/// request, and a retry does not help. The SDKs of Zenlayer check the same header and status.
fn blocked_before_api(response: &HttpResponse) -> Option<Fault> {
    let challenged = response
        .header("cf-mitigated")
        .is_some_and(|value| value.eq_ignore_ascii_case("challenge"));
    let message = match response.status().as_u16() {
        403 if challenged => {
            "the network in front of the API requires a browser challenge (cf-mitigated: challenge); \
             the request did not reach the API"
        }
        451 => {
            "a security policy in front of the API blocks the request (HTTP 451); the request did \
             not reach the API"
        }
        _ => return None,
    };
    Some(Fault::new(FaultKind::Permission, message).with_status(response.status().as_u16()))
}

/// Returns the fault of an error code.
///
/// Another sender than Zenlayer, such as a proxy, does not know the request id: status 404 of a proxy with
/// a code of its own does not mean an unknown instance.
fn from_code(response: &HttpResponse, code: String, error: ErrorBody) -> Fault {
    let status = response.status().as_u16();
    let request_id = request_id(response);
    let kind = kind(&code).unwrap_or_else(|| match request_id {
        Some(_) => FaultKind::from_unlisted_code(&code, status),
        None => response.fault_from_status().kind(),
    });
    let fault = Fault::new(kind, error.message.0.unwrap_or_default())
        .with_status(status)
        .with_code(code)
        .with_retry_after(response.retry_after());
    match request_id {
        Some(_) => fault.with_plain_rejection().with_request_id(request_id),
        None => fault,
    }
}

/// Returns the kind of a code; `None` if the HTTP status decides. The status of a code has changed over
/// the years, so the status does not matter for a known code.
fn kind(code: &str) -> Option<FaultKind> {
    Some(match code {
        // The power actions: https://docs.console.zenlayer.com/api-reference/compute/zec/instance
        "OPERATION_DENIED_INSTANCE_IN_OPERATION" => FaultKind::Busy,
        // Pages of sibling products.
        "OPERATION_DENIED_INSTANCE_CREATING" | "OPERATION_DENIED_INSTANCE_STATUS_INSTALLING" => {
            FaultKind::Busy
        }
        "OPERATION_DENIED_INSTANCE_SUBSCRIPTION" => FaultKind::Unsupported,
        "OPERATION_DENIED_INSTANCE_QUOTA_EXCEED" => FaultKind::Quota,
        "UNSUPPORTED_OPERATION_INSTANCE_STATE_STARTING" | "INVALID_INSTANCE_RECYCLED" => {
            FaultKind::WrongState
        }
        "UNSUPPORTED_OPERATION_INSTANCE_STATUS"
        | "OPERATION_DENIED_INSTANCE_NOT_STOPPED"
        | "OPERATION_DENIED_INSTANCE_NOT_RUNNING"
        | "OPERATION_DENIED_INSTANCE_STATUS"
        | "OPERATION_DENIED_INSTANCE_RECYCLED"
        | "OPERATION_FAILED_FOR_RECYCLE_RESOURCE" => FaultKind::WrongState,
        "INVALID_INSTANCE_NOT_FOUND" | "OPERATION_FAILED_RESOURCE_NOT_FOUND" => FaultKind::NotFound,

        // Codes of all APIs, from a draft of the vendor of March 2023 (wolfgangdemo/demo on GitHub,
        // api-introduction/instruction/commonerrorcode.md). The throttling code is newer, from the
        // SDKs of Zenlayer.
        "AUTHFAILURE_SIGNATURE_EXPIRED" => FaultKind::ClockSkew,
        // Also the code for an unknown action.
        "AUTHFAILURE_UNAUTHORIZED_OPERATION" => FaultKind::Permission,
        // The group is a setting, so no instance is the cause.
        "OPERATION_FAILED_RESOURCE_GROUP_NOT_FOUND" => FaultKind::Invalid,
        "REQUEST_LIMIT_EXCEEDED" => FaultKind::Throttled,
        // The cloud may have executed the operation.
        // The last code is from the Terraform provider of Zenlayer, which repeats the call.
        "INTERNAL_SERVER_ERROR"
        | "SERVICE_TEMPORARY_UNAVAILABLE"
        | "REQUEST_TIMED_OUT"
        | "INVALID_OPERATION_TIMEOUT" => FaultKind::Unavailable,

        // Families of codes, for newer codes. The draft has INVALID_AUTHORIZATION and SIGNATURE_FAILURE in the
        // first family.
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
    /// A text or a number.
    code: LenientField<LenientText>,
    message: LenientField<String>,
}

impl ErrorBody {
    /// Reads the fields of an error; a body in another format has no fields.
    fn read(response: &HttpResponse) -> Self {
        serde_json::from_slice(response.body()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;

//! Converts Baidu's error responses into faults: the meaning of error codes.

use http::StatusCode;
use lifecycle_core::{
    Fault, FaultKind, HttpResponse, InstanceId, LenientField, LenientText, ResponseExt,
};
use serde::Deserialize;

/// Checks a response for an error. An error code is an error with any HTTP status.
pub(crate) fn check(response: &HttpResponse) -> Result<(), Fault> {
    if response.status().is_success() && !response.contains("\"code\"") {
        // Most responses end here, without a second parse of a large page.
        return Ok(());
    }
    let error = ErrorBody::read(response);
    let fault = match error.code.0.and_then(|code| code.0) {
        Some(code) => from_code(response, code, error.message.0.unwrap_or_default()),
        None if response.status().is_success() => return Ok(()),
        None if response.status() == StatusCode::METHOD_NOT_ALLOWED => response
            .fault_from_status()
            .with_kind(FaultKind::Unsupported),
        None => response.fault_from_status(),
    };
    Err(fault.with_request_id(request_id(response)))
}

/// The header with the request id.
pub(crate) const REQUEST_ID: &str = "x-bce-request-id";

/// Returns the header with the request id, or the id in the body of an error if a proxy dropped the
/// header. <https://cloud.baidu.com/doc/BCC/s/Mjwvyo6bm>
pub(crate) fn request_id(response: &HttpResponse) -> Option<String> {
    match response.header(REQUEST_ID) {
        Some(id) => Some(id.to_owned()),
        None => ErrorBody::read(response).request_id.0,
    }
}

/// Returns the fault of an error code.
fn from_code(response: &HttpResponse, code: String, message: String) -> Fault {
    let instances = match code.as_str() {
        "NoSuchObject" => ids_in(&message),
        _ => Vec::new(),
    };
    let kind = kind(&code).unwrap_or_else(|| kind_of_unlisted(response, &code));
    let fault = Fault::new(kind, message)
        .with_status(response.status().as_u16())
        .with_code(code)
        .with_retry_after(response.retry_after())
        .with_instances(instances);
    match request_id(response) {
        Some(_) => fault.with_plain_rejection(),
        None => fault,
    }
}

/// Returns the kind of a code that [`kind`] does not list. Another sender than Baidu, such as a proxy, does
/// not know the request id: status 404 of a proxy does not mean an unknown instance.
fn kind_of_unlisted(response: &HttpResponse, code: &str) -> FaultKind {
    match request_id(response) {
        // The host has no such call.
        _ if response.status() == StatusCode::METHOD_NOT_ALLOWED => FaultKind::Unsupported,
        Some(_) => FaultKind::from_unlisted_code(code, response.status().as_u16()),
        None => response.fault_from_status().kind(),
    }
}

/// Returns the kind of a code; `None` if the HTTP status decides.
fn kind(code: &str) -> Option<FaultKind> {
    Some(match code {
        // Start: https://cloud.baidu.com/doc/BCC/s/Mjwvyobl0
        // Stop: https://cloud.baidu.com/doc/BCC/s/Tjwvyobwq
        // Reboot: https://cloud.baidu.com/doc/BCC/s/vjwvyoa62
        "Instance.StartInstanceOperationForbidden"
        | "Instance.StopInstanceOperationForbidden"
        | "Instance.RebootInstanceOperationForbidden" => FaultKind::WrongState,
        "Instance.StartInstanceWhenCreating" => FaultKind::Busy,
        "Instance.StartExpiredInstance" => FaultKind::Billing,

        // A stop without charge: https://cloud.baidu.com/doc/BCC/s/Tjwvyobwq
        // The last code is also the code for an instance that is already stopped without charge.
        "Bcc.PrePayCannotStopWithNoCharge"
        | "Bcc.Rocv1CannotStopWithNoCharge"
        | "Bcc.InstanceTypeNotSupportException" => FaultKind::Unsupported,

        // Codes of all APIs: https://cloud.baidu.com/doc/Reference/s/Bjz3uz3qj
        "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidHTTPAuthHeader" => {
            FaultKind::Credential
        }
        "AccessDenied" | "OptInRequired" => FaultKind::Permission,
        "RequestExpired" => FaultKind::ClockSkew,
        // Baidu does not know the call.
        "InvalidHTTPRequest" | "InvalidURI" | "InvalidVersion" => FaultKind::Unsupported,
        "InappropriateJSON"
        | "MalformedJSON"
        | "PreconditionFailed"
        | "IdempotentParameterMismatch" => FaultKind::Invalid,
        "InternalError" => FaultKind::Unavailable,

        // The account has no real-name verification: https://cloud.baidu.com/doc/BCC/s/ojwvynrqn
        "QualifyNotPass" => FaultKind::Permission,

        // Documented for other calls of BCC, or in the code of the Terraform provider of Baidu, which
        // retries after OperationDenied.
        "NoSuchObject"
        | "NotFound"
        | "InstanceNotFound"
        | "InstanceNotExist"
        | "ResourceNotFound"
        | "ResourceNotfound"
        | "ResourceNotFoundException"
        | "ResourceNotExist"
        | "InvalidInstanceId.NotFound"
        | "Forbidden.InstanceNotFound" => FaultKind::NotFound,
        "InvalidInstanceStatus" => FaultKind::WrongState,
        "OperationException" | "Instance.ReleaseWhileCreating" => FaultKind::Busy,
        "BadRequest" => FaultKind::Invalid,
        "ServiceInternalError" => FaultKind::Unavailable,
        "OperationDenied" => FaultKind::Busy,

        // Codes of other products: a signed header is missing, and a wrong clock.
        "IamSignatureInvalid" => FaultKind::Credential,
        "RequestTimeTooSkewed" => FaultKind::ClockSkew,

        _ => return None,
    })
}

/// Returns the instance ids in a message such as `instanceId i-aaaa,i-bbbb does not exist.` No other
/// part of the response names the unknown instances of a batch.
fn ids_in(message: &str) -> Vec<InstanceId> {
    message
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
        .filter(|word| word.len() > 2 && word.starts_with("i-"))
        .filter_map(|word| InstanceId::new(word).ok())
        .collect()
}

/// The body of an error: <https://cloud.baidu.com/doc/BCC/s/Ojwvyo6nc>
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ErrorBody {
    /// A text or a number.
    code: LenientField<LenientText>,
    message: LenientField<String>,
    request_id: LenientField<String>,
}

impl ErrorBody {
    /// Reads the fields of an error; a body in another format has no fields.
    fn read(response: &HttpResponse) -> Self {
        let mut body: Self = serde_json::from_slice(response.body()).unwrap_or_default();
        body.request_id.0 = body.request_id.0.filter(|id| !id.is_empty());
        body
    }
}

#[cfg(test)]
mod tests;

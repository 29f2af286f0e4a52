//! What Baidu's error codes mean.

use lifecycle_core::{Fault, FaultKind, HttpResponse, InstanceId, LenientField, ResponseExt};
use serde::Deserialize;

/// Is this answer a refusal or a failure? An error code counts on any HTTP status.
pub(crate) fn check(reply: &HttpResponse) -> Result<(), Fault> {
    if reply.status().is_success() && !reply.may_contain("\"code\"") {
        // Nearly every answer: a whole page need not be read twice for that.
        return Ok(());
    }
    let error = ErrorBody::read(reply);
    let fault = match error.code.0.filter(|code| !code.is_empty()) {
        Some(code) => coded(reply, code, error.message.0.unwrap_or_default()),
        None if reply.status().is_success() => return Ok(()),
        None => reply.fault_from_status(),
    };
    Err(fault.with_request_id(request_id(reply)))
}

/// The header that every answer of Baidu has; the body of an error has a second id, which serves
/// where a proxy has dropped the header. <https://cloud.baidu.com/doc/BCC/s/Mjwvyo6bm>
pub(crate) fn request_id(reply: &HttpResponse) -> Option<String> {
    match reply.header("x-bce-request-id") {
        Some(id) => Some(id.to_owned()),
        None => ErrorBody::read(reply).request_id.0,
    }
}

/// A fault with a code of Baidu's.
fn coded(reply: &HttpResponse, code: String, message: String) -> Fault {
    let named = match code.as_str() {
        "NoSuchObject" => ids_in(&message),
        _ => Vec::new(),
    };
    let kind = kind(&code).unwrap_or(FaultKind::from_status(reply.status().as_u16()));
    Fault::new(kind, message)
        .with_status(reply.status().as_u16())
        .with_code(code)
        .with_retry_after(reply.retry_after())
        .with_instances(named)
}

/// The meaning of a code; `None` leaves it to the HTTP status.
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

        // A stop that ends billing: https://cloud.baidu.com/doc/BCC/s/Tjwvyobwq
        // The last one also says that the instance is already stopped without charge.
        "Bcc.PrePayCannotStopWithNoCharge"
        | "Bcc.Rocv1CannotStopWithNoCharge"
        | "Bcc.InstanceTypeNotSupportException" => FaultKind::Unsupported,

        // Codes of all APIs: https://cloud.baidu.com/doc/Reference/s/Bjz3uz3qj
        "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidHTTPAuthHeader" => {
            FaultKind::Credential
        }
        "AccessDenied" | "OptInRequired" => FaultKind::Permission,
        "RequestExpired" => FaultKind::ClockSkew,
        "InappropriateJSON"
        | "InvalidHTTPRequest"
        | "InvalidURI"
        | "InvalidVersion"
        | "MalformedJSON"
        | "PreconditionFailed"
        | "IdempotentParameterMismatch" => FaultKind::Invalid,
        "InternalError" => FaultKind::Unavailable,

        // The account has no real-name verification: https://cloud.baidu.com/doc/BCC/s/ojwvynrqn
        "QualifyNotPass" => FaultKind::Permission,

        // Documented for other calls of BCC, or known to Baidu's own Terraform provider, which
        // tries again after OperationDenied.
        "NoSuchObject" | "NotFound" | "InstanceNotFound" | "InstanceNotExist"
        | "ResourceNotFound" => FaultKind::NotFound,
        "BadRequest" => FaultKind::Invalid,
        "ServiceInternalError" => FaultKind::Unavailable,
        "OperationDenied" => FaultKind::Busy,

        // Seen at other products: a signed header that did not arrive, and a wrong clock.
        "IamSignatureInvalid" => FaultKind::Credential,
        "RequestTimeTooSkewed" => FaultKind::ClockSkew,

        _ => return None,
    })
}

/// The instance ids in a message such as `instanceId i-aaaa,i-bbbb does not exist.` The message is
/// the only place where Baidu says which ones of a batch it does not know.
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

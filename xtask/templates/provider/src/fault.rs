//! What the cloud's error codes mean.

use lifecycle_core::{Fault, FaultKind, HttpResponse, ResponseExt};
use serde::Deserialize;

// Is a refusal known by its status, by its body, or by both? Can a good status carry an error?
// Which forms of errors are there: of the service, of a gateway, of a proxy?
pub(crate) fn check(reply: &HttpResponse) -> Result<(), Fault> {
    if reply.status().is_success() {
        return Ok(());
    }
    Err(match reply.json::<ErrorBody>() {
        Ok(error) => coded(reply, error.code, error.message),
        Err(_) => reply.fault_from_status(),
    }
    .with_request_id(request_id(reply)))
}

// Under which id does the vendor's support find a request?
pub(crate) fn request_id(reply: &HttpResponse) -> Option<String> {
    reply.header("x-request-id").map(str::to_owned)
}

#[derive(Deserialize)]
struct ErrorBody {
    code: String,
    message: String,
}

// In which form does the cloud say how long to wait? `retry_after` reads the standard header.
pub(crate) fn coded(reply: &HttpResponse, code: String, message: String) -> Fault {
    let kind = kind(&code).unwrap_or(FaultKind::from_status(reply.status().as_u16()));
    Fault::new(kind, message)
        .with_status(reply.status().as_u16())
        .with_code(code)
        .with_retry_after(reply.retry_after())
}

// What does each code mean for the caller? Name the vendor's page above each group.
// Which codes say that the cloud has done nothing, and which leave it open?
fn kind(code: &str) -> Option<FaultKind> {
    Some(match code {
        "NoSuchInstance" => FaultKind::NotFound,
        "WrongState" => FaultKind::WrongState,
        "Busy" => FaultKind::Busy,
        "BadSignature" => FaultKind::Credential,
        "Expired" => FaultKind::ClockSkew,
        "TooFast" => FaultKind::Throttled,
        _ => return None,
    })
}

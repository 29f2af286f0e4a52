//! Converts error responses of the cloud into faults: the meaning of error codes. A template for a
//! new provider.

use lifecycle_core::{Fault, FaultKind, HttpResponse, ResponseExt};
use serde::Deserialize;

// Does the status, the body, or both show an error? Can a response with a good status carry an error?
// With HTTP 200, does the body have a code field, a list of errors, or an empty result? Then read the body here first:
// an error that `check` does not find becomes a success.
// Which forms of errors exist: of the service, of a gateway, of a proxy?
pub(crate) fn check(response: &HttpResponse) -> Result<(), Fault> {
    if response.status().is_success() {
        return Ok(());
    }
    Err(match response.json::<ErrorBody>() {
        Ok(error) => coded(response, error.code, error.message),
        Err(_) => response.fault_from_status(),
    }
    .with_request_id(request_id(response)))
}

// Which ID does the vendor's support need to find a request?
pub(crate) fn request_id(response: &HttpResponse) -> Option<String> {
    response.header("x-request-id").map(str::to_owned)
}

#[derive(Deserialize)]
struct ErrorBody {
    code: String,
    message: String,
}

// How does the cloud say how long to wait? `retry_after` reads the standard header.
pub(crate) fn coded(response: &HttpResponse, code: String, message: String) -> Fault {
    let kind = kind(&code).unwrap_or(FaultKind::from_status(response.status().as_u16()));
    Fault::new(kind, message)
        .with_status(response.status().as_u16())
        .with_code(code)
        .with_request_id(request_id(response))
        .with_retry_after(response.retry_after())
}

// What does each code mean for the caller? Name the vendor's page above each group.
// Which codes prove that the cloud executed nothing, and which codes leave this open?
fn kind(code: &str) -> Option<FaultKind> {
    Some(match code {
        "NoSuchInstance" => FaultKind::NotFound,
        "WrongState" => FaultKind::WrongState,
        "Busy" => FaultKind::Busy,
        "Locked" => FaultKind::Locked,
        "Arrears" => FaultKind::Billing,
        "NoCapacity" => FaultKind::Capacity,
        "BadSignature" => FaultKind::Credential,
        "Expired" => FaultKind::ClockSkew,
        "TooFast" => FaultKind::Throttled,
        _ => return None,
    })
}

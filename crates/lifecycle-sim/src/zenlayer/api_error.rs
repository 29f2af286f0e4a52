//! What Zenlayer answers when it refuses a call.

use serde::Serialize;

use crate::{
    cloud_state::CloudState,
    response::{self, Response},
};

/// A refusal in Zenlayer's flat form: `{"requestId", "code", "message"}`.
///
/// Form, statuses and codes are documented (docs.console.zenlayer.com, response and common error code
/// pages, pages of the power actions); the texts are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ApiError {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: &'static str,
}

const fn error(status: u16, code: &'static str, message: &'static str) -> ApiError {
    ApiError {
        status,
        code,
        message,
    }
}

// Authentication. 401 stands for missing permissions and unknown actions, too.
pub(super) const BAD_AUTHORIZATION: ApiError = error(
    401,
    "AUTHFAILURE_INVALID_AUTHORIZATION",
    "The Authorization header is malformed.",
);
pub(super) const BAD_SIGNATURE: ApiError = error(
    401,
    "AUTHFAILURE_SIGNATURE_FAILURE",
    "The signature does not match.",
);
pub(super) const STALE_SIGNATURE: ApiError = error(
    401,
    "AUTHFAILURE_SIGNATURE_EXPIRED",
    "The timestamp is more than five minutes off.",
);
pub(super) const NO_SUCH_ACTION: ApiError = error(
    401,
    "AUTHFAILURE_UNAUTHORIZED_OPERATION",
    "Not authorized, or no such action.",
);

// Parameters.
pub(super) const MISSING: ApiError =
    error(400, "MISSING_PARAMETER", "A required parameter is missing.");
pub(super) const WRONG_TYPE: ApiError = error(
    400,
    "INVALID_PARAMETER_TYPE",
    "A parameter has a wrong type.",
);
pub(super) const TOO_LARGE: ApiError = error(
    400,
    "INVALID_PARAMETER_EXCEED_MAXIMUM",
    "A parameter is too large.",
);
pub(super) const TOO_SMALL: ApiError = error(
    400,
    "INVALID_PARAMETER_LESS_MINIMUM",
    "A parameter is too small.",
);
pub(super) const TOO_MANY: ApiError = error(
    400,
    "INVALID_PARAMETER_EXCEED_LENGTH",
    "A parameter has too many values.",
);
pub(super) const TOO_FEW: ApiError = error(
    400,
    "INVALID_PARAMETER_LESS_LENGTH",
    "A parameter has too few values.",
);
pub(super) const BAD_VALUE: ApiError = error(
    400,
    "INVALID_PARAMETER_VALUE",
    "A parameter has a value that is not allowed.",
);
/// That a body which is no JSON is answered so is inferred.
pub(super) const BAD_FORMAT: ApiError = error(
    400,
    "INVALID_PARAMETER_PATTERN_ERROR",
    "A parameter has a wrong format.",
);
pub(super) const NO_SUCH_GROUP: ApiError = error(
    404,
    "OPERATION_FAILED_RESOURCE_GROUP_NOT_FOUND",
    "The resource group does not exist.",
);

// Power actions.
pub(super) const BUSY: ApiError = error(
    400,
    "OPERATION_DENIED_INSTANCE_IN_OPERATION",
    "The instance is performing another operation.",
);
pub(super) const WRONG_STATUS: ApiError = error(
    400,
    "UNSUPPORTED_OPERATION_INSTANCE_STATUS",
    "The operation is not supported in the current status of the instance.",
);
pub(super) const NOT_STOPPED: ApiError = error(
    403,
    "OPERATION_DENIED_INSTANCE_NOT_STOPPED",
    "The instance is not powered off.",
);
pub(super) const NOT_RUNNING: ApiError = error(
    403,
    "OPERATION_DENIED_INSTANCE_NOT_RUNNING",
    "The instance is not powered on.",
);
/// Documented for the reboot of a sibling product.
pub(super) const NOT_REBOOTABLE: ApiError = error(
    403,
    "OPERATION_DENIED_INSTANCE_STATUS",
    "The status of the instance does not allow the operation.",
);
pub(super) const RECYCLED: ApiError = error(
    403,
    "OPERATION_DENIED_INSTANCE_RECYCLED",
    "The instance is in the recycle bin.",
);
pub(super) const RECYCLED_RESOURCE: ApiError = error(
    403,
    "OPERATION_FAILED_FOR_RECYCLE_RESOURCE",
    "The resource is being recycled.",
);
pub(super) const NO_SUCH_INSTANCE: ApiError = error(
    404,
    "INVALID_INSTANCE_NOT_FOUND",
    "The instance does not exist.",
);
pub(super) const NO_SUCH_RESOURCE: ApiError = error(
    404,
    "OPERATION_FAILED_RESOURCE_NOT_FOUND",
    "The resource does not exist.",
);

// Of the service itself.
pub(super) const TOO_FAST: ApiError = error(429, "REQUEST_LIMIT_EXCEEDED", "Too many requests.");
pub(super) const UNAVAILABLE: ApiError = error(
    503,
    "SERVICE_TEMPORARY_UNAVAILABLE",
    "The service is temporarily unavailable.",
);
const INTERNAL: ApiError = error(500, "INTERNAL_SERVER_ERROR", "Internal error.");
const TIMED_OUT: ApiError = error(503, "REQUEST_TIMED_OUT", "The request timed out.");

/// The refusal for a failing service.
pub(super) fn of_status(status: u16) -> ApiError {
    let usual = match status {
        503 => UNAVAILABLE,
        504 => TIMED_OUT,
        _ => INTERNAL,
    };
    ApiError { status, ..usual }
}

impl ApiError {
    pub(super) fn response(&self, cloud: &mut CloudState) -> Response {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Envelope<'a> {
            request_id: &'a str,
            code: &'a str,
            message: &'a str,
        }
        let body = Envelope {
            request_id: &request_id(cloud),
            code: self.code,
            message: self.message,
        };
        response::json(self.status, &body)
    }
}

/// A good answer: nested, with the request id in both places.
pub(super) fn success(request_id: &str, fields: &impl Serialize) -> Response {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Envelope<'a, T> {
        request_id: &'a str,
        response: Inner<'a, T>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Inner<'a, T> {
        request_id: &'a str,
        #[serde(flatten)]
        fields: &'a T,
    }
    let body = Envelope {
        request_id,
        response: Inner { request_id, fields },
    };
    response::json(200, &body)
}

/// `T` and an upper-case UUID, as in the documents' examples.
pub(super) fn request_id(cloud: &mut CloudState) -> String {
    format!("T{}", cloud.uuid().to_uppercase())
}

//! The errors of the simulated Zenlayer ZEC API, as data.

use serde::Serialize;

use crate::{
    cloud_state::CloudState,
    response::{self, Response},
};

/// An error in Zenlayer's flat format: `{"requestId", "code", "message"}`.
///
/// Format, statuses and codes are documented (docs.console.zenlayer.com, response and common error
/// code pages, pages of the power actions); the texts are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ApiError {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: &'static str,
}

const fn api_error(status: u16, code: &'static str, message: &'static str) -> ApiError {
    ApiError {
        status,
        code,
        message,
    }
}

// Errors of authentication. Missing permissions and unknown actions have the status 401, too.
pub(super) const BAD_AUTHORIZATION: ApiError = api_error(
    401,
    "AUTHFAILURE_INVALID_AUTHORIZATION",
    "The Authorization header is malformed.",
);
pub(super) const BAD_SIGNATURE: ApiError = api_error(
    401,
    "AUTHFAILURE_SIGNATURE_FAILURE",
    "The signature does not match.",
);
pub(super) const STALE_SIGNATURE: ApiError = api_error(
    401,
    "AUTHFAILURE_SIGNATURE_EXPIRED",
    "The timestamp is more than five minutes off.",
);
pub(super) const NO_SUCH_ACTION: ApiError = api_error(
    401,
    "AUTHFAILURE_UNAUTHORIZED_OPERATION",
    "Not authorized, or no such action.",
);

// Errors of parameters.
pub(super) const MISSING: ApiError =
    api_error(400, "MISSING_PARAMETER", "A required parameter is missing.");
pub(super) const WRONG_TYPE: ApiError = api_error(
    400,
    "INVALID_PARAMETER_TYPE",
    "A parameter has a wrong type.",
);
pub(super) const TOO_LARGE: ApiError = api_error(
    400,
    "INVALID_PARAMETER_EXCEED_MAXIMUM",
    "A parameter is too large.",
);
pub(super) const TOO_SMALL: ApiError = api_error(
    400,
    "INVALID_PARAMETER_LESS_MINIMUM",
    "A parameter is too small.",
);
pub(super) const TOO_MANY: ApiError = api_error(
    400,
    "INVALID_PARAMETER_EXCEED_LENGTH",
    "A parameter has too many values.",
);
pub(super) const TOO_FEW: ApiError = api_error(
    400,
    "INVALID_PARAMETER_LESS_LENGTH",
    "A parameter has too few values.",
);
pub(super) const BAD_VALUE: ApiError = api_error(
    400,
    "INVALID_PARAMETER_VALUE",
    "A parameter has a value that is not allowed.",
);
/// The error for a body that is not JSON is inferred.
pub(super) const BAD_FORMAT: ApiError = api_error(
    400,
    "INVALID_PARAMETER_PATTERN_ERROR",
    "A parameter has a wrong format.",
);
pub(super) const UNSUPPORTED_FILTER: ApiError = api_error(
    400,
    "INVALID_PARAMETER",
    "The simulator does not support the filters imageId, ipv6Address and instanceTypeSeries.",
);
/// The documented filters of the status call are ids and resource group.
pub(super) const NO_STATUS_FILTER: ApiError = api_error(
    400,
    "INVALID_PARAMETER",
    "DescribeInstancesStatus has no filters other than instanceIds and resourceGroupId.",
);
pub(super) const NO_SUCH_GROUP: ApiError = api_error(
    404,
    "OPERATION_FAILED_RESOURCE_GROUP_NOT_FOUND",
    "The resource group does not exist.",
);

// Errors of power actions.
pub(super) const BUSY: ApiError = api_error(
    400,
    "OPERATION_DENIED_INSTANCE_IN_OPERATION",
    "The instance is performing another operation.",
);
pub(super) const WRONG_STATUS: ApiError = api_error(
    400,
    "UNSUPPORTED_OPERATION_INSTANCE_STATUS",
    "The operation is not supported in the current status of the instance.",
);
pub(super) const NOT_STOPPED: ApiError = api_error(
    403,
    "OPERATION_DENIED_INSTANCE_NOT_STOPPED",
    "The instance is not powered off.",
);
pub(super) const NOT_RUNNING: ApiError = api_error(
    403,
    "OPERATION_DENIED_INSTANCE_NOT_RUNNING",
    "The instance is not powered on.",
);
/// The code is documented for the reboot of a sibling product.
pub(super) const NOT_REBOOTABLE: ApiError = api_error(
    403,
    "OPERATION_DENIED_INSTANCE_STATUS",
    "The status of the instance does not allow the operation.",
);
pub(super) const RECYCLED: ApiError = api_error(
    403,
    "OPERATION_DENIED_INSTANCE_RECYCLED",
    "The instance is in the recycle bin.",
);
pub(super) const RECYCLED_RESOURCE: ApiError = api_error(
    403,
    "OPERATION_FAILED_FOR_RECYCLE_RESOURCE",
    "The resource is being recycled.",
);
pub(super) const NO_SUCH_INSTANCE: ApiError = api_error(
    404,
    "INVALID_INSTANCE_NOT_FOUND",
    "The instance does not exist.",
);
pub(super) const NO_SUCH_RESOURCE: ApiError = api_error(
    404,
    "OPERATION_FAILED_RESOURCE_NOT_FOUND",
    "The resource does not exist.",
);

// Errors of the service.
pub(super) const TOO_FAST: ApiError =
    api_error(429, "REQUEST_LIMIT_EXCEEDED", "Too many requests.");
pub(super) const UNAVAILABLE: ApiError = api_error(
    503,
    "SERVICE_TEMPORARY_UNAVAILABLE",
    "The service is temporarily unavailable.",
);
const INTERNAL: ApiError = api_error(500, "INTERNAL_SERVER_ERROR", "Internal error.");
const TIMED_OUT: ApiError = api_error(503, "REQUEST_TIMED_OUT", "The request timed out.");

/// Returns the error for a failure of the cloud with this status.
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

/// Returns a successful response: nested, with the request id in both places.
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

/// Returns `T` and an upper-case UUID, as in the documents' examples.
pub(super) fn request_id(cloud: &mut CloudState) -> String {
    format!("T{}", cloud.uuid().to_uppercase())
}

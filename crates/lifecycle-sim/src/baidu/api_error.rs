//! The errors of the simulated Baidu BCC API, as data.

use std::borrow::Cow;

use serde::Serialize;

use crate::{
    cloud_state::CloudState,
    response::{self, Response},
};

use super::switches::{ExpiredKey, NoStock, TooManyIds, UnknownId, UnknownRole};

/// An error in Baidu's format: `{"requestId", "code", "message"}`.
///
/// Documented: cloud.baidu.com/doc/BCC/s/Ojwvyo6nc (format), doc/Reference/s/Bjz3uz3qj (codes of
/// all calls), doc/BCC/s/Zkyb0d4cj and the neighbouring pages (codes of power calls).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ApiError {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: Cow<'static, str>,
}

const fn api_error(status: u16, code: &'static str, message: &'static str) -> ApiError {
    ApiError {
        status,
        code,
        message: Cow::Borrowed(message),
    }
}

// Errors of power calls. Documented.
pub(super) const NOT_STOPPED: ApiError = api_error(
    409,
    "Instance.StartInstanceOperationForbidden",
    "Instance not stopped when starting.",
);
pub(super) const CREATING: ApiError = api_error(
    409,
    "Instance.StartInstanceWhenCreating",
    "Instance creating when starting.",
);
pub(super) const EXPIRED: ApiError = api_error(
    409,
    "Instance.StartExpiredInstance",
    "Instance expired when starting.",
);
pub(super) const NOT_RUNNING_AT_STOP: ApiError = api_error(
    409,
    "Instance.StopInstanceOperationForbidden",
    "Instance not running when shutting down",
);
pub(super) const NOT_RUNNING_AT_REBOOT: ApiError = api_error(
    409,
    "Instance.RebootInstanceOperationForbidden",
    "Instance not running when rebooting.",
);
pub(super) const FREE_STOP_OF_PREPAID: ApiError = api_error(
    403,
    "Bcc.PrePayCannotStopWithNoCharge",
    "pre pay instance can not stop with no charge.",
);
pub(super) const FREE_STOP_WITH_LOCAL_DISK: ApiError = api_error(
    403,
    "Bcc.Rocv1CannotStopWithNoCharge",
    "Shutdown no charge feature is not available for instances with local disk.",
);
pub(super) const FREE_STOP_OF_TYPE: ApiError = api_error(
    403,
    "Bcc.InstanceTypeNotSupportException",
    "Shutdown no charge feature is not available for this type of instance.",
);

// Errors of all calls. Documented.
pub(super) const ACCESS_DENIED: ApiError = api_error(403, "AccessDenied", "Access denied.");
pub(super) const UNKNOWN_KEY: ApiError = api_error(
    403,
    "InvalidAccessKeyId",
    "The Access Key ID you provided does not exist in our records.",
);
pub(super) const BAD_SIGNATURE: ApiError = api_error(
    400,
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your Secret Access Key and signing method. Consult the service documentation for details.",
);
pub(super) const BAD_AUTHORIZATION: ApiError = api_error(
    400,
    "InvalidHTTPAuthHeader",
    "The HTTP authorization header is invalid. Consult the service documentation for details.",
);
pub(super) const BAD_URI: ApiError =
    api_error(400, "InvalidURI", "Could not parse the specified URI.");
pub(super) const BAD_VERSION: ApiError = api_error(
    404,
    "InvalidVersion",
    "The API version specified was invalid.",
);
pub(super) const MALFORMED_JSON: ApiError = api_error(
    400,
    "MalformedJSON",
    "The JSON you provided was not well-formed.",
);
pub(super) const INAPPROPRIATE_JSON: ApiError = api_error(
    400,
    "InappropriateJSON",
    "The JSON you provided was well-formed and valid, but not appropriate for this operation.",
);
pub(super) const TOKEN_REUSED: ApiError = api_error(
    403,
    "IdempotentParameterMismatch",
    "The request uses the same client token as a previous, but non-identical request.",
);

// Documented for other calls, inferred here.
pub(super) const BAD_REQUEST: ApiError = api_error(400, "BadRequest", "Bad request parameters.");
pub(super) const LOCKED: ApiError = api_error(
    403,
    "OperationDenied",
    "The operation is denied for this instance.",
);

pub(super) fn expired_request(timestamp: &str) -> ApiError {
    ApiError {
        status: 400,
        code: "RequestExpired",
        message: format!("Request has expired. Timestamp date is {timestamp}.").into(),
    }
}

/// Returns the error for unknown ids. Not documented: a switch decides.
pub(super) fn unknown_ids(cloud: &CloudState, ids: &[&str]) -> ApiError {
    const NOT_FOUND: &str = "The specified object is not found or resource do not exist.";
    match cloud.switches.baidu.unknown_id {
        UnknownId::NoSuchObject => api_error(404, "NoSuchObject", NOT_FOUND),
        UnknownId::NoSuchObject400 => ApiError {
            status: 400,
            code: "NoSuchObject",
            message: format!("instanceId {} does not exist.", ids.join(",")).into(),
        },
        UnknownId::InstanceNotExist => api_error(404, "InstanceNotExist", NOT_FOUND),
    }
}

/// Returns the error for a list with too many or no ids. Not documented: a switch decides.
pub(super) fn bad_list(cloud: &CloudState) -> ApiError {
    match cloud.switches.baidu.too_many_ids {
        TooManyIds::InappropriateJson => INAPPROPRIATE_JSON,
        TooManyIds::BadRequest => BAD_REQUEST,
    }
}

/// Returns the error for an expired temporary key. Not documented: a switch decides.
pub(super) fn expired_key(cloud: &CloudState) -> ApiError {
    match cloud.switches.baidu.expired_key {
        ExpiredKey::InvalidAccessKeyId => UNKNOWN_KEY,
        ExpiredKey::AccessDenied => ACCESS_DENIED,
    }
}

/// Returns the error for an unknown role. Not documented: a switch decides.
pub(super) fn unknown_role(cloud: &CloudState) -> ApiError {
    match cloud.switches.baidu.unknown_role {
        UnknownRole::AccessDenied => ACCESS_DENIED,
        UnknownRole::NoSuchObject => {
            api_error(404, "NoSuchObject", "The specified role is not found.")
        }
    }
}

/// Returns the error for missing capacity. Not documented: a switch decides.
pub(super) fn no_stock(cloud: &CloudState) -> ApiError {
    match cloud.switches.baidu.no_stock {
        NoStock::OperationDenied => LOCKED,
        NoStock::InternalError => api_error(500, "ServiceInternalError", "Service internal error."),
    }
}

impl ApiError {
    pub(super) fn response(&self, cloud: &mut CloudState) -> Response {
        #[derive(Serialize)]
        struct Envelope<'a> {
            #[serde(rename = "requestId")]
            request_id: &'a str,
            code: &'a str,
            message: &'a str,
        }
        let request_id = cloud.uuid();
        let body = Envelope {
            request_id: &request_id,
            code: self.code,
            message: &self.message,
        };
        with_common_headers(response::json(self.status, &body), &request_id)
    }
}

/// Returns a successful response with this body.
pub(super) fn success(request_id: &str, body: &impl Serialize) -> Response {
    with_common_headers(response::json(200, body), request_id)
}

/// Adds the headers of all Baidu responses. Documented: cloud.baidu.com/doc/BCC/s/Mjwvyo6bm.
pub(super) fn with_common_headers(mut response: Response, request_id: &str) -> Response {
    response = response::with_header(response, "content-type", "application/json;charset=UTF-8");
    response = response::with_header(response, "server", "BWS");
    response::with_header(response, "x-bce-request-id", request_id)
}

/// Returns the error for a documented filter without simulation.
pub(super) fn unsupported_filter(name: &str) -> ApiError {
    ApiError {
        message: Cow::Owned(format!("the simulator does not support the filter {name}")),
        ..BAD_REQUEST
    }
}

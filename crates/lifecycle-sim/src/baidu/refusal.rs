//! What Baidu answers when it refuses a call.

use std::borrow::Cow;

use serde::Serialize;

use crate::{
    response::{self, Response},
    site::Site,
};

use super::switches::{BadList, EndedKey, NoStock, UnknownId, UnknownRole};

/// A refusal in Baidu's form: `{"requestId", "code", "message"}`.
///
/// Documented: cloud.baidu.com/doc/BCC/s/Ojwvyo6nc (form), doc/Reference/s/Bjz3uz3qj (codes of all
/// calls), doc/BCC/s/Zkyb0d4cj and its siblings (codes of power calls).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: Cow<'static, str>,
}

const fn refusal(status: u16, code: &'static str, message: &'static str) -> Refusal {
    Refusal {
        status,
        code,
        message: Cow::Borrowed(message),
    }
}

// Power calls. Documented.
pub(super) const NOT_STOPPED: Refusal = refusal(
    409,
    "Instance.StartInstanceOperationForbidden",
    "Instance not stopped when starting.",
);
pub(super) const CREATING: Refusal = refusal(
    409,
    "Instance.StartInstanceWhenCreating",
    "Instance creating when starting.",
);
pub(super) const EXPIRED: Refusal = refusal(
    409,
    "Instance.StartExpiredInstance",
    "Instance expired when starting.",
);
pub(super) const NOT_RUNNING_AT_STOP: Refusal = refusal(
    409,
    "Instance.StopInstanceOperationForbidden",
    "Instance not running when shutting down",
);
pub(super) const NOT_RUNNING_AT_REBOOT: Refusal = refusal(
    409,
    "Instance.RebootInstanceOperationForbidden",
    "Instance not running when rebooting.",
);
pub(super) const FREE_STOP_OF_PREPAID: Refusal = refusal(
    403,
    "Bcc.PrePayCannotStopWithNoCharge",
    "pre pay instance can not stop with no charge.",
);
pub(super) const FREE_STOP_WITH_LOCAL_DISK: Refusal = refusal(
    403,
    "Bcc.Rocv1CannotStopWithNoCharge",
    "Shutdown no charge feature is not available for instances with local disk.",
);
pub(super) const FREE_STOP_OF_TYPE: Refusal = refusal(
    403,
    "Bcc.InstanceTypeNotSupportException",
    "Shutdown no charge feature is not available for this type of instance.",
);

// All calls. Documented.
pub(super) const ACCESS_DENIED: Refusal = refusal(403, "AccessDenied", "Access denied.");
pub(super) const UNKNOWN_KEY: Refusal = refusal(
    403,
    "InvalidAccessKeyId",
    "The Access Key ID you provided does not exist in our records.",
);
pub(super) const BAD_SIGNATURE: Refusal = refusal(
    400,
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your Secret Access Key and signing method. Consult the service documentation for details.",
);
pub(super) const BAD_AUTHORIZATION: Refusal = refusal(
    400,
    "InvalidHTTPAuthHeader",
    "The HTTP authorization header is invalid. Consult the service documentation for details.",
);
pub(super) const BAD_URI: Refusal =
    refusal(400, "InvalidURI", "Could not parse the specified URI.");
pub(super) const BAD_VERSION: Refusal = refusal(
    404,
    "InvalidVersion",
    "The API version specified was invalid.",
);
pub(super) const MALFORMED_JSON: Refusal = refusal(
    400,
    "MalformedJSON",
    "The JSON you provided was not well-formed.",
);
pub(super) const INAPPROPRIATE_JSON: Refusal = refusal(
    400,
    "InappropriateJSON",
    "The JSON you provided was well-formed and valid, but not appropriate for this operation.",
);
pub(super) const TOKEN_REUSED: Refusal = refusal(
    403,
    "IdempotentParameterMismatch",
    "The request uses the same client token as a previous, but non-identical request.",
);

// Documented for other calls, inferred here.
pub(super) const BAD_REQUEST: Refusal = refusal(400, "BadRequest", "Bad request parameters.");
pub(super) const LOCKED: Refusal = refusal(
    403,
    "OperationDenied",
    "The operation is denied for this instance.",
);

pub(super) fn expired_request(timestamp: &str) -> Refusal {
    Refusal {
        status: 400,
        code: "RequestExpired",
        message: format!("Request has expired. Timestamp date is {timestamp}.").into(),
    }
}

/// Not documented: a switch decides.
pub(super) fn unknown_ids(site: &Site, ids: &[&str]) -> Refusal {
    const NOT_FOUND: &str = "The specified object is not found or resource do not exist.";
    match site.switches.baidu.unknown_id {
        UnknownId::NoSuchObject => refusal(404, "NoSuchObject", NOT_FOUND),
        UnknownId::NoSuchObject400 => Refusal {
            status: 400,
            code: "NoSuchObject",
            message: format!("instanceId {} does not exist.", ids.join(",")).into(),
        },
        UnknownId::InstanceNotExist => refusal(404, "InstanceNotExist", NOT_FOUND),
    }
}

/// Not documented: a switch decides.
pub(super) fn bad_list(site: &Site) -> Refusal {
    match site.switches.baidu.too_many {
        BadList::InappropriateJson => INAPPROPRIATE_JSON,
        BadList::BadRequest => BAD_REQUEST,
    }
}

/// Not documented: a switch decides.
pub(super) fn ended_key(site: &Site) -> Refusal {
    match site.switches.baidu.ended_key {
        EndedKey::InvalidAccessKeyId => UNKNOWN_KEY,
        EndedKey::AccessDenied => ACCESS_DENIED,
    }
}

/// Not documented: a switch decides.
pub(super) fn unknown_role(site: &Site) -> Refusal {
    match site.switches.baidu.unknown_role {
        UnknownRole::AccessDenied => ACCESS_DENIED,
        UnknownRole::NoSuchObject => {
            refusal(404, "NoSuchObject", "The specified role is not found.")
        }
    }
}

/// Not documented: a switch decides.
pub(super) fn no_stock(site: &Site) -> Refusal {
    match site.switches.baidu.no_stock {
        NoStock::OperationDenied => LOCKED,
        NoStock::InternalError => refusal(500, "ServiceInternalError", "Service internal error."),
    }
}

impl Refusal {
    pub(super) fn answer(&self, site: &mut Site) -> Response {
        #[derive(Serialize)]
        struct Envelope<'a> {
            #[serde(rename = "requestId")]
            request_id: &'a str,
            code: &'a str,
            message: &'a str,
        }
        let request_id = site.uuid();
        let body = Envelope {
            request_id: &request_id,
            code: self.code,
            message: &self.message,
        };
        signed_off(response::json(self.status, &body), &request_id)
    }
}

/// A good answer with this body.
pub(super) fn granted(request_id: &str, body: &impl Serialize) -> Response {
    signed_off(response::json(200, body), request_id)
}

/// The headers that each of Baidu's answers has. Documented: cloud.baidu.com/doc/BCC/s/Mjwvyo6bm.
pub(super) fn signed_off(mut answer: Response, request_id: &str) -> Response {
    answer = response::with_header(answer, "content-type", "application/json;charset=UTF-8");
    answer = response::with_header(answer, "server", "BWS");
    response::with_header(answer, "x-bce-request-id", request_id)
}

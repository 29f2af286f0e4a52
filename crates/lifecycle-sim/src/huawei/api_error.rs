//! The errors of the simulated Huawei ECS API and of Huawei's gateway, as data.
//!
//! Codes, statuses and texts are documented (appendix "error codes", and the gateway's list), or
//! quoted from real responses in public issues. The vendor warns that one code has many texts. The
//! relation between impairments and codes is inferred from the meaning of the codes.

use std::{borrow::Cow, time::Duration};

use serde::Serialize;

use super::switches::{
    ExpiredKey, IdentityError, ShowNotFound, Switches, Throttling, WrongProject,
};
use crate::{
    cloud_state::CloudState,
    response::{self, Response},
};

/// An error of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApiError {
    pub(super) status: u16,
    form: ErrorFormat,
    pub(super) code: &'static str,
    pub(super) message: Cow<'static, str>,
    /// Codes and texts of several causes.
    details: Vec<(&'static str, String)>,
    retry_after: Option<Duration>,
}

/// The format of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ErrorFormat {
    /// `{"error":{"code","message"}}`
    Service,
    /// `{"error_code","error_msg","request_id"}`
    Gateway,
    /// `{"itemNotFound":{"code":404,"message"}}`: the code is a number.
    OpenStack,
    /// `{"error":{"code":401,"message","title"}}`: the code is a number.
    Keystone,
}

impl ApiError {
    const fn new(
        status: u16,
        form: ErrorFormat,
        code: &'static str,
        message: &'static str,
    ) -> Self {
        Self {
            status,
            form,
            code,
            message: Cow::Borrowed(message),
            details: Vec::new(),
            retry_after: None,
        }
    }

    const fn service(status: u16, code: &'static str, message: &'static str) -> Self {
        Self::new(status, ErrorFormat::Service, code, message)
    }

    const fn gateway(status: u16, code: &'static str, message: &'static str) -> Self {
        Self::new(status, ErrorFormat::Gateway, code, message)
    }

    fn with_message(mut self, message: String) -> Self {
        self.message = Cow::Owned(message);
        self
    }

    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Returns the response.
    pub(super) fn response(&self, cloud: &mut CloudState) -> Response {
        let request_id = cloud.uuid().replace('-', "");
        let response = match self.form {
            ErrorFormat::Service => response::json(self.status, &self.service_body()),
            ErrorFormat::Gateway => response::json(
                self.status,
                &GatewayBody {
                    error_code: self.code,
                    error_msg: &self.message,
                    request_id: &request_id,
                },
            ),
            ErrorFormat::OpenStack => response::json(
                self.status,
                &OpenStackBody {
                    item_not_found: OpenStackError {
                        code: self.status,
                        message: &self.message,
                    },
                },
            ),
            ErrorFormat::Keystone => response::json(
                self.status,
                &KeystoneBody {
                    error: KeystoneError {
                        code: self.status,
                        message: &self.message,
                        title: if self.status == 401 {
                            "Unauthorized"
                        } else {
                            "Bad Request"
                        },
                    },
                },
            ),
        };
        let response = response::with_header(response, "x-request-id", &request_id);
        match self.retry_after {
            Some(wait) => response::with_retry_after(response, wait),
            None => response,
        }
    }

    fn service_body(&self) -> ServiceBody<'_> {
        let details: Vec<_> = self
            .details
            .iter()
            .map(|(code, message)| Detail { code, message })
            .collect();
        ServiceBody {
            error: ServiceError {
                code: self.code,
                message: &self.message,
                details: (!details.is_empty()).then_some(details),
            },
        }
    }
}

#[derive(Serialize)]
struct ServiceBody<'a> {
    error: ServiceError<'a>,
}

#[derive(Serialize)]
struct ServiceError<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Vec<Detail<'a>>>,
}

#[derive(Serialize)]
struct Detail<'a> {
    code: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct GatewayBody<'a> {
    error_code: &'a str,
    error_msg: &'a str,
    request_id: &'a str,
}

#[derive(Serialize)]
struct OpenStackBody<'a> {
    #[serde(rename = "itemNotFound")]
    item_not_found: OpenStackError<'a>,
}

#[derive(Serialize)]
struct OpenStackError<'a> {
    code: u16,
    message: &'a str,
}

#[derive(Serialize)]
struct KeystoneBody<'a> {
    error: KeystoneError<'a>,
}

#[derive(Serialize)]
struct KeystoneError<'a> {
    code: u16,
    message: &'a str,
    title: &'static str,
}

/// Returns the error for an invalid key or signature, with the cause.
pub(super) fn incorrect_authentication(cause: &str) -> ApiError {
    ApiError::gateway(401, "APIGW.0301", "")
        .with_message(format!("Incorrect IAM authentication information: {cause}"))
}

/// Returns the error for an expired temporary key. Unknown: a switch decides.
pub(super) fn expired_key(access_key: &str, switches: &Switches) -> ApiError {
    match switches.expired_key {
        ExpiredKey::LikeWrongSignature => incorrect_authentication(&format!(
            "Get secretKey failed,ak:{access_key},err:the security token has expired"
        )),
        ExpiredKey::LikeExpiredToken => STALE_TOKEN,
    }
}

pub(super) fn wrong_password(switches: &Switches) -> ApiError {
    login_failed("The username or password is wrong.", switches)
}

pub(super) fn foreign_id_token(switches: &Switches) -> ApiError {
    login_failed("The ID token is not valid.", switches)
}

pub(super) fn wrong_scope(switches: &Switches) -> ApiError {
    login_failed("The project of the scope does not exist.", switches)
}

pub(super) fn no_agency(switches: &Switches) -> ApiError {
    login_failed("The agency does not exist or may not be assumed.", switches)
}

/// Returns an error of IAM. A switch selects the format; the texts are inferred.
fn login_failed(text: &'static str, switches: &Switches) -> ApiError {
    match switches.identity_error {
        IdentityError::Keystone => ApiError::new(401, ErrorFormat::Keystone, "401", text),
        IdentityError::WithoutErrorObject => ApiError::gateway(401, "IAM.0011", text),
    }
}

/// The error for a body that IAM cannot parse.
pub(super) const BAD_LOGIN: ApiError = ApiError::new(
    400,
    ErrorFormat::Keystone,
    "400",
    "The request body is invalid.",
);

/// Returns the error for a batch in which some servers do not allow the action. The documents show
/// the format of `details`; the name of the server in the text is inferred.
pub(super) fn batch_failed(causes: Vec<(&str, &ApiError)>) -> ApiError {
    ApiError {
        details: causes
            .into_iter()
            .map(|(id, cause)| (cause.code, format!("{} ({id})", cause.message)))
            .collect(),
        ..ApiError::service(400, "Ecs.0611", "Batch operation failed.")
    }
}

/// Returns the error for a project in the path that is not the project of the key.
pub(super) fn wrong_project(switches: &Switches) -> ApiError {
    const TEXT: &str = "The project ID in the URL does not match that in the token.";
    match switches.wrong_project {
        WrongProject::Ecs0023 => ApiError::service(400, "Ecs.0023", TEXT),
        WrongProject::Common0018 => ApiError::service(400, "Common.0018", TEXT),
    }
}

/// Returns the error of the query for an unknown server.
pub(super) fn show_not_found(id: &str, switches: &Switches) -> ApiError {
    match switches.show_not_found {
        ShowNotFound::Ecs0114 => NO_SERVER,
        ShowNotFound::Ecs0614 => NO_SERVER_0614,
        ShowNotFound::ItemNotFound => ApiError::new(404, ErrorFormat::OpenStack, "", "")
            .with_message(format!("Instance {id} could not be found.")),
    }
}

/// Returns the error for too many calls. Whether the response names a time to wait is unknown; if
/// so, the simulator uses the standard HTTP header.
pub(super) fn throttled(switches: &Switches, hint: Option<Duration>) -> ApiError {
    const FLOW: &str = "Api flow control Error because of too many requests.";
    let error = match switches.throttling {
        Throttling::Gateway429 => ApiError::gateway(
            429,
            "APIGW.0308",
            "The throttling threshold has been reached: policy user over ratelimit,limit:200,time:1 minute",
        ),
        Throttling::Service503 => ApiError::service(503, "Common.1503", FLOW),
        Throttling::Service429 => ApiError::service(429, "Common.1503", FLOW),
        Throttling::FlowLimit202 => {
            ApiError::service(202, "Common.0024", "exceeds flow over limit")
        }
    };
    ApiError {
        retry_after: hint,
        ..error
    }
}

/// Returns the error for a failure of the cloud with this status.
pub(super) fn server_error(status: u16) -> ApiError {
    match status {
        502 => ApiError::gateway(502, "APIGW.0201", "Backend unavailable."),
        504 => ApiError::gateway(504, "APIGW.0201", "Backend timeout."),
        // The code is not one of the codes that tell how far the request went.
        503 => ApiError::gateway(503, "APIGW.0601", "Internal server error."),
        _ => ApiError::service(
            status,
            "Common.0001",
            "A system exception occurred. Try again later or contact customer service.",
        ),
    }
}

/// The error for a path or method without an API.
pub(super) const NO_API: ApiError = ApiError::gateway(
    404,
    "APIGW.0101",
    "The API does not exist or has not been published in the environment",
);
/// The error for an expired or revoked token.
pub(super) const STALE_TOKEN: ApiError =
    ApiError::gateway(401, "APIGW.0307", "The token must be updated");
/// The error for a call in a region without access.
pub(super) const FORBIDDEN_REGION: ApiError = ApiError::gateway(
    403,
    "APIGW.0802",
    "The IAM user is forbidden in the currently selected region",
);

/// The error for a token without a project.
pub(super) const NO_SCOPE: ApiError = ApiError::gateway(
    403,
    "APIGW.0302",
    "The IAM user is not allowed to access the API: the token has no project scope",
);
pub(super) const NO_SERVER: ApiError =
    ApiError::service(404, "Ecs.0114", "The ECS does not exist.");
/// The error for an unknown server, with the second documented code.
pub(super) const NO_SERVER_0614: ApiError =
    ApiError::service(404, "Ecs.0614", "The ECS does not exist.");
pub(super) const BAD_PARAMETER: ApiError = ApiError::service(
    400,
    "Ecs.0005",
    "Invalid parameter values. Contact customer service.",
);
pub(super) const EMPTY_BODY: ApiError =
    ApiError::service(400, "Common.0002", "The request body cannot be empty.");
pub(super) const TOO_MANY: ApiError = ApiError::service(
    400,
    "Ecs.0118",
    "The number of ECSs exceeds the maximum allowed limit.",
);
pub(super) const WRONG_STATE: ApiError = ApiError::service(
    400,
    "Ecs.0100",
    "The ECS status does not meet requirements. Make the ECS in the required status and try again.",
);
/// The error for a server with an operation in progress. Retryable, although the status is 501: the
/// documents advise to wait a minute.
pub(super) const BUSY: ApiError = ApiError::service(
    501,
    "Ecs.0603",
    "The commands are being executed. Try again later.",
);
pub(super) const LOCKED: ApiError = ApiError::service(400, "Ecs.0605", "ECS locked.");
pub(super) const FROZEN: ApiError = ApiError::service(400, "Ecs.0030", "The ECS is frozen.");
pub(super) const RESTRICTED: ApiError = ApiError::service(
    403,
    "Ecs.0003",
    "The account is restricted: its balance is insufficient, or it is frozen.",
);
pub(super) const NO_CAPACITY: ApiError = ApiError::service(
    400,
    "Ecs.0319",
    "The resources are insufficient to start the ECS.",
);
/// The error for an unknown or deleted job.
pub(super) const NO_JOB: ApiError =
    ApiError::service(400, "Common.0011", "Failed to query system tasks.");

/// Returns the error for a documented filter without simulation.
pub(super) fn unsupported_filter(name: &str) -> ApiError {
    BAD_PARAMETER.with_message(format!("the simulator does not support the filter {name}"))
}

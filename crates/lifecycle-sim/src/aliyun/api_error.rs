//! The errors of the simulated Alibaba ECS API, as data.
//!
//! Codes, statuses and texts are the vendor's: the API reference of 2018 and 2021 for the lifecycle
//! codes, the error lists of the gateway for the others. Clients read the code, because one code
//! comes with several statuses and texts change. The relation between impairments and codes is
//! inferred from the meaning of the codes.

use std::{borrow::Cow, time::Duration};

use super::switches::{MissingParameter, Switches, Throttling, ThrottlingHint};

/// An error of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApiError {
    pub(super) status: u16,
    pub(super) code: Cow<'static, str>,
    pub(super) message: Cow<'static, str>,
    /// The additional headers of the response.
    pub(super) headers: Vec<(&'static str, String)>,
}

impl ApiError {
    const fn new(status: u16, code: &'static str, message: &'static str) -> Self {
        Self {
            status,
            code: Cow::Borrowed(code),
            message: Cow::Borrowed(message),
            headers: Vec::new(),
        }
    }

    pub(super) fn with_message(mut self, message: String) -> Self {
        self.message = Cow::Owned(message);
        self
    }

    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
}

/// Returns the error for a missing mandatory parameter.
pub(super) fn missing(name: &str, family: MissingParameter) -> ApiError {
    let code = match family {
        MissingParameter::Plain => Cow::Borrowed("MissingParameter"),
        MissingParameter::Dotted => Cow::Owned(format!("MissingParameter.{name}")),
        MissingParameter::Gateway => Cow::Owned(format!("Missing{name}")),
    };
    ApiError {
        status: 400,
        code,
        message: Cow::Owned(format!(
            "The input parameter {name} that is mandatory for processing this request is not \
             supplied."
        )),
        headers: Vec::new(),
    }
}

/// Returns the error for a parameter with an invalid value. The text is from a user's report, code
/// and status from the table of common errors.
pub(super) fn invalid(name: &str) -> ApiError {
    ApiError::new(400, "InvalidParameter", "")
        .with_message(format!("The specified parameter \"{name}\" is not valid."))
}

/// Returns the error for a documented filter without simulation.
pub(super) fn unsupported_filter(name: &str) -> ApiError {
    ApiError::new(400, "InvalidParameter", "")
        .with_message(format!("the simulator does not support the filter {name}"))
}

/// Returns the error for a malformed parameter of the Security Token Service (documented).
pub(super) fn malformed(name: &str) -> ApiError {
    ApiError {
        code: Cow::Owned(format!("InvalidParameter.{name}")),
        ..ApiError::new(400, "", "")
    }
    .with_message(format!("The parameter {name} is wrongly formed."))
}

/// Returns the error for an invalid session length; `longest` is the maximum of the role in
/// seconds. The text for an hour is documented.
pub(super) fn bad_duration(longest: u64) -> ApiError {
    ApiError::new(400, "InvalidParameter.DurationSeconds", "").with_message(format!(
        "The Min/Max value of DurationSeconds is 15min/{}hr.",
        longest / 3600
    ))
}

/// Returns the error for an unknown role. The text is quoted from a real response.
pub(super) fn no_role(name: &str) -> ApiError {
    ApiError::new(404, "EntityNotExist.Role", "")
        .with_message(format!("The role not exists: {name}."))
}

/// Returns the error for an instance that the cloud still creates.
pub(super) fn not_ready(switches: &Switches) -> ApiError {
    ApiError::new(
        403,
        "InstanceNotReady",
        "The specified instance is not ready for use.",
    )
    .with_status(switches.not_ready_status)
}

/// Returns the error for too many calls.
pub(super) fn throttled(switches: &Switches, hint: Option<Duration>) -> ApiError {
    const PLAIN: &str = "Request was denied due to request throttling.";
    const USER: &str = "Request was denied due to user flow control.";
    const API: &str = "Request was denied due to api flow control.";
    let mut error = match switches.throttling {
        Throttling::Plain400 => ApiError::new(400, "Throttling", PLAIN),
        Throttling::Plain403 => ApiError::new(403, "Throttling", PLAIN),
        Throttling::User400 => ApiError::new(400, "Throttling.User", USER),
        Throttling::User429 => ApiError::new(429, "Throttling.User", USER),
        Throttling::Api429 => ApiError::new(429, "Throttling.Api", API),
    };
    let Some(wait) = hint.map(whole_millis) else {
        return error;
    };
    match switches.throttling_hint {
        ThrottlingHint::RetryAfter => {
            error.headers.push(("x-acs-retry-after", wait.to_string()));
        }
        ThrottlingHint::RateLimit => {
            // The Go SDK uses the larger of the two values.
            let limits = format!("Limit:100,Remaining:0,TimeLeft:{wait}");
            error.headers.push(("x-ratelimit-user-api", limits));
            error
                .headers
                .push(("x-ratelimit-user", "TimeLeft:0".to_owned()));
        }
    }
    error
}

/// Converts to milliseconds, rounded up, so that a client that waits for this time is not too
/// early.
fn whole_millis(wait: Duration) -> u128 {
    wait.as_nanos().div_ceil(1_000_000)
}

/// Returns the error for a failure of the cloud with this status.
pub(super) fn server_error(status: u16) -> ApiError {
    match status {
        503 => ApiError::new(
            503,
            "ServiceUnavailable",
            "The request has failed due to a temporary failure of the server.",
        ),
        _ => ApiError::new(
            status,
            "InternalError",
            "The request processing has failed due to some unknown error, exception or failure.",
        ),
    }
}

macro_rules! api_errors {
    ($($(#[$doc:meta])* $name:ident = $status:literal $code:literal $message:literal;)*) => {
        $($(#[$doc])* pub(super) const $name: ApiError = ApiError::new($status, $code, $message);)*
    };
}

// Errors of power actions.
api_errors! {
    NO_INSTANCE = 404 "InvalidInstanceId.NotFound" "The specified InstanceId does not exist.";
    WRONG_STATUS = 403 "IncorrectInstanceStatus"
        "The current status of the resource does not support this operation.";
    LOCKED = 403 "InstanceLockedForSecurity"
        "The specified operation is denied as your instance is locked for security reasons.";
    DISK_ERROR = 403 "DiskError" "IncorrectDiskStatus.";
    NO_BALANCE = 403 "InsufficientBalance" "Your account does not have enough balance.";
    EXPIRED = 403 "InstanceExpired" "The prePaid instance has been expired.";
    EXPIRED_OR_IN_ARREARS = 403 "InstanceExpiredOrInArrears"
        "The specified operation is denied as your prepay instance is expired (prepay mode) or in arrears (afterpay mode).";
    NO_STOCK = 403 "OperationDenied.NoStock"
        "The requested resource is sold out in the specified zone; try other types of resources or other regions and zones.";
    STOP_CHARGING_UNFIT = 403 "InvalidInstanceId.NotSupport"
        "Pre pay instance does not support this operation.";
    CONFLICT = 409 "OperationConflict"
        "Request was denied due to conflict with a previous request.";
    /// The result of a dry run of a single call or of `DescribeInstances` is an error.
    DRY_RUN = 400 "DryRunOperation" "Request validation has been passed with DryRun flag set.";
    /// The result of a dry run of a batch call; a switch selects the form.
    BATCH_DRY_RUN = 400 "DRYRUN.SUCCESS" "Request validation has been passed with DryRun flag set.";
    NO_REGION = 404 "InvalidRegionId.NotFound" "The specified RegionId does not exist.";
    FORBIDDEN = 403 "Forbidden.RAM" "User not authorized to operate on the specified resource.";
    NO_STATUS = 404 "InvalidStatus.NotFound" "The specified Status does not exist.";
    NO_LOCK_REASON = 404 "InvalidLockReason.NotFound" "The specified LockReason does not exist.";
}

// Errors of the Security Token Service.
api_errors! {
    /// The caller is not authorised, or the role does not trust the caller: one code for both.
    NO_ROLE_PERMISSION = 403 "NoPermission"
        "You are not authorized to do this action. You should be authorized by RAM.";
    BAD_POLICY = 400 "InvalidParameter.PolicyGrammar"
        "The parameter Policy has not passed grammar check.";
    NO_ID_TOKEN = 401 "AuthenticationFail.OIDCToken.Invalid" "The OIDCToken can not empty.";
    FOREIGN_ID_TOKEN = 401 "AuthenticationFail.OIDCToken.InvalidSignature"
        "OIDC token validate failed: invalid signature.";
    NO_ID_PROVIDER = 401 "AuthenticationFail.NoPermission" "No such OIDC Provider registered.";
}

// Errors of the gateway.
api_errors! {
    NO_API = 404 "InvalidApi.NotFound"
        "Specified api is not found, please check your url and method.";
    BAD_METHOD = 400 "UnsupportedHTTPMethod" "This http method is not supported.";
    INCOMPLETE_SIGNATURE = 400 "IncompleteSignature"
        "The request signature does not conform to Aliyun standards.";
    BAD_SIGNATURE = 400 "SignatureDoesNotMatch" "";
    NO_KEY = 404 "InvalidAccessKeyId.NotFound" "Specified access key is not found.";
    DISABLED_KEY = 400 "InvalidAccessKeyId.Inactive" "Specified access key is disabled.";
    NO_DATE = 400 "IllegalTimestamp"
        "The input parameter Timestamp that is mandatory for processing this request is not supplied.";
    BAD_DATE = 400 "InvalidTimeStamp.Format"
        "Specified time stamp or date value is not well formatted.";
    EXPIRED_DATE = 400 "InvalidTimeStamp.Expired" "Specified time stamp or date value is expired.";
    NONCE_USED = 400 "SignatureNonceUsed" "Specified signature nonce was used already.";
    NO_SESSION = 400 "MissingSecurityToken" "A temporary key needs its security token.";
    EXPIRED_SESSION = 400 "InvalidSecurityToken.Expired" "Specified SecurityToken is expired.";
    FOREIGN_SESSION = 400 "InvalidSecurityToken.MismatchWithAccessKey"
        "Specified SecurityToken mismatch with the AccessKey.";
}

//! Why a cloud did not do what it was asked.

use std::{fmt, time::Duration};

use crate::InstanceId;

/// A refusal or failure that a cloud reported, in one shape for all clouds.
///
/// Small: a pointer. Made by providers; whether to repeat is decided elsewhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Fault(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: FaultKind,
    execution: Option<ExecutionStatus>,
    status: Option<u16>,
    code: Option<String>,
    message: String,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    instances: Vec<InstanceId>,
}

impl Fault {
    /// A fault of this kind. `message` is the cloud's own text, or a lower-case fragment.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            execution: None,
            status: None,
            code: None,
            message: message.into(),
            request_id: None,
            retry_after: None,
            instances: Vec::new(),
        }))
    }

    /// What it means for the caller.
    pub fn kind(&self) -> FaultKind {
        self.0.kind
    }

    /// Returns whether the cloud executed the request, as far as the response shows it.
    pub fn execution_status(&self) -> ExecutionStatus {
        self.0.execution.unwrap_or(self.0.kind.execution_status())
    }

    /// Returns whether the cloud may have executed the request despite this fault.
    pub fn maybe_executed(&self) -> bool {
        self.execution_status() != ExecutionStatus::NotExecuted
    }

    /// The HTTP status of the answer.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The cloud's own code, such as `IncorrectInstanceStatus`.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The cloud's own message. It may change at any time: never branch on it.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The id under which the cloud's support finds the request.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How long the cloud asked to wait before the next try.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The instances that the answer itself names as its cause; often none.
    pub fn instances(&self) -> &[InstanceId] {
        &self.0.instances
    }

    /// With another kind.
    #[must_use]
    pub fn with_kind(mut self, kind: FaultKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Replaces the execution status that the kind implies.
    #[must_use]
    pub fn with_execution_status(mut self, execution: ExecutionStatus) -> Self {
        self.0.execution = Some(execution);
        self
    }

    /// With the HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// With the cloud's code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// With another message.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// With the request id, unless there is none.
    #[must_use]
    pub fn with_request_id(mut self, id: Option<impl Into<String>>) -> Self {
        self.0.request_id = id.map(Into::into);
        self
    }

    /// With the wait that the cloud asked for, unless there is none.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    /// With the instances that the answer names as its cause.
    #[must_use]
    pub fn with_instances(mut self, ids: Vec<InstanceId>) -> Self {
        self.0.instances = ids;
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code(), self.message()) {
            (Some(code), "") => f.write_str(code)?,
            (Some(code), message) => write!(f, "{code}: {message}")?,
            (None, "") => write!(f, "{}", self.kind())?,
            (None, message) => f.write_str(message)?,
        }
        match (self.status(), self.request_id()) {
            (Some(status), Some(id)) => write!(f, " (HTTP {status}, request {id})"),
            (Some(status), None) => write!(f, " (HTTP {status})"),
            (None, Some(id)) => write!(f, " (request {id})"),
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault")
            .field("kind", &self.kind())
            .field("execution_status", &self.execution_status())
            .field("status", &self.status())
            .field("code", &self.code())
            .field("message", &self.message())
            .field("request_id", &self.request_id())
            .field("retry_after", &self.retry_after())
            .field("instances", &self.instances())
            .finish()
    }
}

impl std::error::Error for Fault {}

/// Whether the cloud may have carried out a request that it did not acknowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExecutionStatus {
    /// The request was rejected before execution: nothing happened.
    NotExecuted,
    /// The response does not show whether the request was executed.
    Unknown,
}

/// The meaning of a fault, cut by what the caller does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// The request itself is wrong. Correct it.
    Invalid,
    /// The cloud, or this instance, cannot honour an option. Ask without it.
    Unsupported,
    /// No such instance in this region of this account. Check id, region and account.
    NotFound,
    /// The state of the instance does not allow the action. Look at the state.
    WrongState,
    /// Another operation is under way on the instance. Try again when it is over.
    Busy,
    /// The cloud or the owner has locked the instance. Have the lock lifted.
    Locked,
    /// The bill stands in the way: balance, arrears, expired term. Pay or renew.
    Billing,
    /// The cloud has no machine to spare right now. Try later or elsewhere.
    Capacity,
    /// A limit of the account is reached. Raise it or use less.
    Quota,
    /// The key is good but may not do this. Grant the permission.
    Permission,
    /// The key itself was refused. Nothing will work with it until it is corrected.
    Credential,
    /// The clocks of caller and cloud are too far apart. Correct the clock.
    ClockSkew,
    /// Too many calls. Wait and send fewer.
    Throttled,
    /// The cloud has trouble of its own. Try again later.
    Unavailable,
    /// The cloud took the action on and failed at it. Look at the instance.
    Failed,
    /// The answer could not be understood.
    Unreadable,
    /// There was no connection, and nothing was sent. Check network, endpoint and proxy.
    Unreachable,
    /// The request went out, and no whole answer came back. Look at the instance.
    NoAnswer,
    /// The caller's own deadline passed before the call could be made. Allow more time.
    Deadline,
    /// Failures of other instances ended the request before this one's turn. Look at these first.
    Halted,
    /// The caller cancelled the request. Repeat the request if the action is still needed.
    Cancelled,
    /// A code that this library does not know.
    Unknown,
}

impl FaultKind {
    /// All kinds, in the order of the documentation.
    pub const ALL: &[Self] = &[
        Self::Invalid,
        Self::Unsupported,
        Self::NotFound,
        Self::WrongState,
        Self::Busy,
        Self::Locked,
        Self::Billing,
        Self::Capacity,
        Self::Quota,
        Self::Permission,
        Self::Credential,
        Self::ClockSkew,
        Self::Throttled,
        Self::Unavailable,
        Self::Failed,
        Self::Unreadable,
        Self::Unreachable,
        Self::NoAnswer,
        Self::Deadline,
        Self::Halted,
        Self::Cancelled,
        Self::Unknown,
    ];

    /// The kind that an HTTP status suggests when the cloud's code says nothing.
    pub fn from_status(status: u16) -> Self {
        match status {
            400 | 405 | 406 | 411 | 413 | 414 | 415 | 422 => Self::Invalid,
            401 => Self::Credential,
            402 => Self::Billing,
            403 | 451 => Self::Permission,
            404 | 410 => Self::NotFound,
            409 => Self::WrongState,
            423 => Self::Locked,
            429 => Self::Throttled,
            408 | 500..=599 => Self::Unavailable,
            _ => Self::Unknown,
        }
    }

    /// Whether the cloud may have acted on a request that failed this way, unless the fault itself
    /// says otherwise.
    pub fn execution_status(self) -> ExecutionStatus {
        match self {
            Self::Invalid
            | Self::Unsupported
            | Self::NotFound
            | Self::WrongState
            | Self::Busy
            | Self::Locked
            | Self::Billing
            | Self::Capacity
            | Self::Quota
            | Self::Permission
            | Self::Credential
            | Self::ClockSkew
            | Self::Throttled
            | Self::Unreachable
            | Self::Deadline
            | Self::Halted
            | Self::Cancelled => ExecutionStatus::NotExecuted,
            Self::Unavailable
            | Self::Failed
            | Self::Unreadable
            | Self::NoAnswer
            | Self::Unknown => ExecutionStatus::Unknown,
        }
    }

    /// Can one instance of a batch be the cause, so that the others would go through without it?
    pub fn is_per_instance(self) -> bool {
        matches!(
            self,
            Self::Unsupported
                | Self::NotFound
                | Self::WrongState
                | Self::Busy
                | Self::Locked
                | Self::Billing
                | Self::Capacity
                | Self::Failed
        )
    }

    /// The name of the kind, in lower case with hyphens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid-request",
            Self::Unsupported => "unsupported",
            Self::NotFound => "not-found",
            Self::WrongState => "wrong-state",
            Self::Busy => "busy",
            Self::Locked => "locked",
            Self::Billing => "billing",
            Self::Capacity => "capacity",
            Self::Quota => "quota",
            Self::Permission => "permission",
            Self::Credential => "credential",
            Self::ClockSkew => "clock-skew",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
            Self::Unreadable => "unreadable",
            Self::Unreachable => "unreachable",
            Self::NoAnswer => "no-answer",
            Self::Deadline => "deadline",
            Self::Halted => "halted",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }

    /// What a person does next, as a sentence fragment.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Invalid => "correct the request",
            Self::Unsupported => "ask without that option",
            Self::NotFound => "check the id, the region and the account",
            Self::WrongState => "look at its state, and try again from a state that allows it",
            Self::Busy => "try again when the other operation is over",
            Self::Locked => "have the lock lifted at the cloud's console",
            Self::Billing => "settle the bill or renew the term",
            Self::Capacity => "try later, or another zone or type",
            Self::Quota => "have the quota raised",
            Self::Permission => "grant the key this permission",
            Self::Credential => "check the access key, the secret key and the session token",
            Self::ClockSkew => "correct this machine's clock",
            Self::Throttled => "wait, and send fewer calls",
            Self::Unavailable => "try again later",
            Self::Failed => "look at the instance in the cloud's console",
            Self::Unreachable => "check the network, the endpoint and the proxy",
            Self::NoAnswer => "look at the instance before you ask again",
            Self::Deadline => "allow more time",
            Self::Halted => "look at the failures before it, then ask for the rest again",
            Self::Cancelled => "repeat the request if the action is still needed",
            Self::Unreadable => "look at the instance; a proxy may have answered for the cloud",
            Self::Unknown => "look the code up in the cloud's documentation",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

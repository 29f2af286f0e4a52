//! `Fault`: a rejection or a failure of a call, in one format for all clouds.

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
    time::Duration,
};

use crate::InstanceId;

/// A rejection or failure that a cloud reported, in one form for all clouds.
///
/// Providers make faults; the client decides about retries. A fault has the size of a pointer.
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
    attempts: u32,
    instances: Vec<InstanceId>,
}

impl Fault {
    /// Returns a fault of this kind. `message` is the text of the cloud, or a lower-case fragment.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            execution: None,
            status: None,
            code: None,
            message: message.into(),
            request_id: None,
            retry_after: None,
            attempts: 1,
            instances: Vec::new(),
        }))
    }

    /// Returns the meaning for the caller.
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

    /// Returns the HTTP status of the response; `None` without a response.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Returns the error code of the cloud, such as `IncorrectInstanceStatus`.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Returns the message of the cloud. A cloud may change its messages at any time, so code must
    /// not depend on a message.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the request id, by which the support of the cloud finds the request.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns the wait before the next attempt that the cloud requested.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the number of attempts at the call; 1 without a repeat.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns the instances that the response names as the cause; often none.
    pub fn instances(&self) -> &[InstanceId] {
        &self.0.instances
    }

    /// Replaces the kind.
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

    /// Marks a fault of kind [`FaultKind::Unknown`] as not executed if the cloud plainly rejected
    /// the request: the status is 4xx, or the fault belongs to one row of a response, and neither
    /// code nor message reports a problem inside of the cloud.
    ///
    /// Only for responses in the error format of the cloud. A proxy rejects requests with the same
    /// statuses, possibly after the cloud has executed the request.
    #[must_use]
    pub fn with_plain_rejection(self) -> Self {
        let is_plain = self.kind() == FaultKind::Unknown
            && self.code().is_some()
            && self
                .status()
                .is_none_or(|status| (400..500).contains(&status) && status != 408)
            && !reports_internal_problem(self.code().unwrap_or_default())
            && !reports_internal_problem(self.message());
        match is_plain {
            true => self.with_execution_status(ExecutionStatus::NotExecuted),
            false => self,
        }
    }

    /// Sets the HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Sets the error code of the cloud.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// Replaces the message.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// Sets the request id.
    #[must_use]
    pub fn with_request_id(mut self, id: Option<impl Into<String>>) -> Self {
        self.0.request_id = id.map(Into::into);
        self
    }

    /// Sets the wait before the next attempt.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    /// Sets the number of attempts at the call.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Returns the message with HTTP status and number of attempts, without code and request id: for
    /// an output with fields for these two.
    pub fn description(&self) -> String {
        let message = self.message().trim_end_matches(['.', ' ']);
        let mut text = match message {
            "" => self.kind().to_string(),
            message => message.to_owned(),
        };
        if let Some(status) = self.unmentioned_status() {
            let _ = write!(text, " (HTTP {status})");
        }
        text + &self.attempts_text()
    }

    /// Returns the HTTP status. The message of a credential exchange has the status already.
    fn unmentioned_status(&self) -> Option<u16> {
        let is_new = |status: &u16| !self.message().contains(&format!("HTTP {status}"));
        self.status().filter(is_new)
    }

    fn attempts_text(&self) -> String {
        match self.attempts() {
            0 | 1 => String::new(),
            attempts => format!(", after {attempts} attempts"),
        }
    }

    /// Sets the instances that the response names as the cause.
    #[must_use]
    pub fn with_instances(mut self, instances: Vec<InstanceId>) -> Self {
        self.0.instances = instances;
        self
    }
}

/// Returns whether a code or a message reports a problem inside of the cloud, after which the cloud
/// may have executed the request.
fn reports_internal_problem(text: &str) -> bool {
    has_word(text, &INTERNAL_PROBLEMS) || has_word(text, &["tryagainlater", "exception"])
}

/// Words for a problem inside of the cloud, in lower case and without separators. Not `exception`: clouds
/// use the word in plain rejections too, as in `ResourceNotFoundException`.
const INTERNAL_PROBLEMS: [&str; 8] = [
    "internalerror",
    "internalexception",
    "internalserver",
    "internalservice",
    "unavailable",
    "unknownerror",
    "timeout",
    "timedout",
];

fn has_word(text: &str, words: &[&str]) -> bool {
    let letters = text.chars().filter(char::is_ascii_alphanumeric);
    let text: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    words.iter().any(|word| text.contains(word))
}

/// Displays code, message, status and request id. Cuts parts of absurd length, so that each part is
/// visible.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST_ID: usize = 128;
        const LONGEST_MESSAGE: usize = 1_500;
        let code = self.code().map(|code| shortened(code, LONGEST_ID));
        let message = shortened(self.message(), LONGEST_MESSAGE);
        match (code, &*message) {
            (Some(code), "") => f.write_str(&code)?,
            (Some(code), message) if !message.contains(&*code) => write!(f, "{code}: {message}")?,
            (None, "") => write!(f, "{}", self.kind())?,
            (_, message) => f.write_str(message)?,
        }
        let request_id = self.request_id().map(|id| shortened(id, LONGEST_ID));
        match (self.unmentioned_status(), request_id) {
            (Some(status), Some(id)) => write!(f, " (HTTP {status}, request {id})")?,
            (Some(status), None) => write!(f, " (HTTP {status})")?,
            (None, Some(id)) => write!(f, " (request {id})")?,
            (None, None) => {}
        }
        f.write_str(&self.attempts_text())
    }
}

/// Returns at most `limit` characters, with an ellipsis in place of the rest.
fn shortened(text: &str, limit: usize) -> Cow<'_, str> {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
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
            .field("attempts", &self.attempts())
            .field("instances", &self.instances())
            .finish()
    }
}

impl std::error::Error for Fault {}

/// The execution of a request that the cloud did not acknowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExecutionStatus {
    /// The cloud rejected the request before execution: nothing happened.
    NotExecuted,
    /// The cloud may have executed the request.
    Unknown,
}

/// The meaning of a fault. Two kinds differ in the next step of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// The request is invalid. Correct the request.
    Invalid,
    /// The cloud or the instance does not support an option. Send the request without the option.
    Unsupported,
    /// The endpoint does not serve the region or the API. Check the region name and the endpoint.
    WrongEndpoint,
    /// The account has no such instance in the region. Check id, region and account.
    NotFound,
    /// The state of the instance does not allow the action. Check the state.
    WrongState,
    /// Another operation runs on the instance. Try again after the operation.
    Busy,
    /// The cloud or the owner has locked the instance. Remove the lock.
    Locked,
    /// A billing problem: balance, arrears (欠费), expired term. Pay or renew.
    Billing,
    /// The cloud has no capacity. Try later, or in another zone.
    Capacity,
    /// A quota of the account is used up. Increase the quota.
    Quota,
    /// The key is valid and has no permission. Grant the permission.
    Permission,
    /// The cloud rejected the key. Correct the key before any further request.
    Credential,
    /// The clocks of caller and cloud differ too much. Correct the clock.
    ClockSkew,
    /// The caller sent too many requests. Wait, and send fewer requests.
    Throttled,
    /// The cloud has a temporary problem. Try again later.
    Unavailable,
    /// The cloud accepted the action, and the action failed. Check the instance.
    Failed,
    /// The response cannot be read.
    Unreadable,
    /// No connection was established, and nothing was sent. Check network, endpoint and proxy.
    Unreachable,
    /// The certificate of the server is not trusted, and nothing was sent. Check the clock and the
    /// trusted certificates of the caller.
    Certificate,
    /// The proxy rejected the caller, and nothing was sent. Correct the user name and the password of
    /// the proxy.
    Proxy,
    /// The request was sent, and no complete response arrived. Check the instance.
    NoAnswer,
    /// The deadline of the caller passed before the request was sent. Increase the time limit.
    Deadline,
    /// Failures of other instances ended the request before this instance was sent. Check the
    /// failures first.
    Halted,
    /// A tag or a rule of the caller protects the instance from stops and reboots. Nothing was sent.
    Protected,
    /// The recorder of the caller did not record the call, so nothing was sent. Correct the problem of the
    /// recorder, such as a full disk.
    NotRecorded,
    /// The caller cancelled the request. Send the request again if the action is still needed.
    Cancelled,
    /// The code is unknown to this library.
    Unknown,
}

impl FaultKind {
    /// All kinds, in the order of the documentation.
    pub const ALL: &[Self] = &[
        Self::Invalid,
        Self::Unsupported,
        Self::WrongEndpoint,
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
        Self::Certificate,
        Self::Proxy,
        Self::NoAnswer,
        Self::Deadline,
        Self::Halted,
        Self::Protected,
        Self::NotRecorded,
        Self::Cancelled,
        Self::Unknown,
    ];

    /// Returns the kind that an HTTP status suggests, for a response without a known code.
    pub fn from_status(status: u16) -> Self {
        match status {
            400 | 405 | 406 | 411 | 413 | 414 | 415 | 422 => Self::Invalid,
            401 => Self::Credential,
            402 => Self::Billing,
            403 | 451 => Self::Permission,
            404 | 410 => Self::NotFound,
            407 => Self::Proxy,
            409 => Self::WrongState,
            423 => Self::Locked,
            429 => Self::Throttled,
            408 | 500..=599 => Self::Unavailable,
            _ => Self::Unknown,
        }
    }

    /// Returns the kind of a code of the cloud that a provider does not list: [`Unavailable`](Self::Unavailable)
    /// for a code that names a problem inside of the cloud, such as 400 `INTERNAL_ERROR`, because the cloud
    /// may have executed the request; otherwise the kind of the HTTP status.
    ///
    /// ```
    /// use lifecycle_core::FaultKind;
    ///
    /// assert_eq!(FaultKind::from_unlisted_code("INTERNAL_ERROR", 400), FaultKind::Unavailable);
    /// assert_eq!(FaultKind::from_unlisted_code("NEW_LIMIT", 400), FaultKind::Invalid);
    /// ```
    pub fn from_unlisted_code(code: &str, status: u16) -> Self {
        match has_word(code, &INTERNAL_PROBLEMS) {
            true => Self::Unavailable,
            false => Self::from_status(status),
        }
    }

    /// Returns whether the cloud executed a request with this kind of fault. The status of a fault
    /// ([`Fault::execution_status`]) takes precedence.
    pub fn execution_status(self) -> ExecutionStatus {
        match self {
            Self::Invalid
            | Self::Unsupported
            | Self::WrongEndpoint
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
            | Self::Certificate
            | Self::Proxy
            | Self::Deadline
            | Self::Halted
            | Self::Protected
            | Self::NotRecorded
            | Self::Cancelled => ExecutionStatus::NotExecuted,
            Self::Unavailable
            | Self::Failed
            | Self::Unreadable
            | Self::NoAnswer
            | Self::Unknown => ExecutionStatus::Unknown,
        }
    }

    /// Returns whether one instance can be the cause for the whole batch, so that a batch without
    /// the instance would be accepted.
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

    /// Returns the name of the kind, in lower case with hyphens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid-request",
            Self::Unsupported => "unsupported",
            Self::WrongEndpoint => "wrong-endpoint",
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
            Self::Certificate => "certificate",
            Self::Proxy => "proxy",
            Self::NoAnswer => "no-answer",
            Self::Deadline => "deadline",
            Self::Halted => "halted",
            Self::Protected => "protected",
            Self::NotRecorded => "not-recorded",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }

    /// Returns the next step for an operator, as a lower-case fragment.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Invalid => "correct the request",
            Self::Unsupported => "send the request without that option",
            Self::WrongEndpoint => "check the region name and the endpoint",
            Self::NotFound => "check the id, the region and the account",
            Self::WrongState => {
                "check the state of the instance, and try again from a state that allows the action"
            }
            Self::Busy => "try again after the other operation",
            Self::Locked => "remove the lock in the console of the cloud",
            Self::Billing => "pay the bill or renew the term",
            Self::Capacity => "try later, or use another zone or instance type",
            Self::Quota => "request a higher quota",
            Self::Permission => "grant this permission to the key",
            Self::Credential => "check the access key, the secret key and the session token",
            Self::ClockSkew => "correct the clock of this machine",
            Self::Throttled => "wait, and send fewer requests",
            Self::Unavailable => "try again later",
            Self::Failed => "check the instance in the console of the cloud",
            Self::Unreachable => "check the network, the endpoint and the proxy",
            Self::Certificate => {
                "check the clock of this machine, and add the certificate authority of your network \
                 with --ca-certificates or ca_certificates"
            }
            Self::Proxy => "check the user name and the password of the proxy",
            Self::NoAnswer => "check the instance before you send the request again",
            Self::Deadline => "increase the time limit",
            Self::Halted => {
                "check the earlier failures, then send the request for the remaining instances"
            }
            Self::Protected => "include protected instances in the request if they are meant",
            Self::NotRecorded => "correct the problem of the journal, then send the request again",
            Self::Cancelled => "send the request again if the action is still needed",
            Self::Unreadable => {
                "check the instance; a proxy may have sent this response instead of the cloud"
            }
            Self::Unknown => "look for the code in the documentation of the cloud",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;

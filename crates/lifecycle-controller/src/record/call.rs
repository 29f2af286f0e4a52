//! The records of operations: requests, calls, answers and outcomes.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use lifecycle_facade::lifecycle_core::{Action, Idempotency};
use serde::{Deserialize, Serialize};

/// The id of an operation: one request, however many processes carry the request out.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(pub String);

impl OperationId {
    /// Returns a new id. Ids made later sort later.
    pub fn new() -> Self {
        Self(uuid::Uuid::now_v7().to_string())
    }
}

impl Default for OperationId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A request, before the first call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Request {
    /// The id of the operation.
    pub operation: OperationId,
    /// The time.
    pub at: Timestamp,
    /// The person or program that made the request, such as `ops@bastion`.
    pub by: String,
    /// The reason: a command, a schedule, a hold.
    pub why: String,
    /// The action with all its options.
    pub action: ActionRecord,
    /// The options besides the action.
    pub options: RequestOptionsRecord,
    /// The waves; `None` sends all instances at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waves: Option<WavesRecord>,
    /// The selection in words, if the request selected its instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected_by: Option<String>,
    /// The rows of the instances that the request leaves alone, such as protected instances. The report begins
    /// with these rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_alone: Vec<RowRecord>,
    /// All instances, in the order of the request.
    pub instances: Vec<String>,
}

/// A power action with all its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ActionRecord {
    /// A start.
    Start {
        /// The local disks are initialized, and lose their data.
        initialize_local_disk: bool,
    },
    /// A stop.
    Stop {
        /// The power is cut without a shutdown.
        forced: bool,
        /// The compute resources are released and not billed.
        release: bool,
    },
    /// A reboot.
    Reboot {
        /// The power is cut without a shutdown.
        forced: bool,
    },
}

impl ActionRecord {
    /// Returns the name of the action: `start`, `stop` or `reboot`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start { .. } => "start",
            Self::Stop { .. } => "stop",
            Self::Reboot { .. } => "reboot",
        }
    }

    /// Returns true if the action may be sent again when its first execution is not known. Never true for a
    /// reboot.
    pub fn is_repeatable(self) -> bool {
        matches!(Action::from(self).idempotency(), Idempotency::Idempotent(_))
    }
}

/// The options of a request besides the action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RequestOptionsRecord {
    /// The time limit of the wait for the goal; `None` ends with the acceptance.
    #[serde(
        rename = "wait_ms",
        default,
        with = "millis",
        skip_serializing_if = "Option::is_none"
    )]
    pub wait: Option<Duration>,
    /// An instance already at the goal is refused.
    #[serde(default)]
    pub strict: bool,
    /// An instance in a transition is sent when the transition has ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub when_idle: bool,
    /// The time after which a graceful stop is followed by a forced one.
    #[serde(
        rename = "force_after_ms",
        default,
        with = "millis",
        skip_serializing_if = "Option::is_none"
    )]
    pub force_after: Option<Duration>,
}

/// The waves of a request. One of `instances` and `percent` is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WavesRecord {
    /// The number of instances in a wave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instances: Option<usize>,
    /// The share of the request in a wave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// The number of failures that ends the request. 1 beside a percentage, for programs without percentages.
    pub stop_after: usize,
    /// The share of the request whose failure ends the request, instead of the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_after_percent: Option<u8>,
    /// The pause between two waves.
    #[serde(
        rename = "pause_ms",
        default,
        with = "millis",
        skip_serializing_if = "Option::is_none"
    )]
    pub pause: Option<Duration>,
}

/// A call that acts, before the call is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Intent {
    /// The id of the operation.
    pub operation: OperationId,
    /// The number of the call in the operation, counted from 1.
    pub call: u64,
    /// The time.
    pub at: Timestamp,
    /// The action of this call: a forced stop can follow a graceful one.
    pub action: ActionRecord,
    /// The instances were part of a rejected call, and lookups proved that the cloud executed nothing, or
    /// the action may be repeated.
    #[serde(default, skip_serializing_if = "is_false")]
    pub resent: bool,
    /// The instances of the call.
    pub instances: Vec<IntentInstance>,
}

impl Intent {
    /// Returns the intent of a call.
    pub fn new(
        operation: OperationId,
        call: u64,
        at: Timestamp,
        action: ActionRecord,
        instances: Vec<IntentInstance>,
    ) -> Self {
        Self {
            operation,
            call,
            at,
            action,
            resent: false,
            instances,
        }
    }
}

impl IntentInstance {
    /// Returns an instance of a call.
    pub fn new(instance: impl Into<String>, before: Option<ObservationRecord>) -> Self {
        Self {
            instance: instance.into(),
            before,
        }
    }
}

impl Answer {
    /// Returns the result of a call.
    pub fn new(
        operation: OperationId,
        call: u64,
        at: Timestamp,
        answers: Vec<InstanceAnswer>,
    ) -> Self {
        Self {
            operation,
            call,
            at,
            answers,
        }
    }
}

impl InstanceAnswer {
    /// Returns the answer for an instance.
    pub fn new(instance: impl Into<String>, answer: AnswerRecord) -> Self {
        Self {
            instance: instance.into(),
            answer,
        }
    }
}

impl Outcomes {
    /// Returns final outcomes.
    pub fn new(operation: OperationId, at: Timestamp, rows: Vec<RowRecord>) -> Self {
        Self {
            operation,
            at,
            rows,
        }
    }
}

/// An instance of a call, and the state seen before the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IntentInstance {
    /// The name.
    pub instance: String,
    /// The instance as seen before the call, if the request looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<ObservationRecord>,
}

/// An observation of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ObservationRecord {
    /// The state.
    pub state: String,
    /// The cloud's own word for the state.
    pub raw: String,
    /// The name in the console.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The start time, as the cloud writes the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// The lock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// The billing while stopped; `None` if the cloud does not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_billing: Option<String>,
}

/// The result of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Answer {
    /// The id of the operation.
    pub operation: OperationId,
    /// The number of the call.
    pub call: u64,
    /// The time.
    pub at: Timestamp,
    /// The answer for each instance of the call.
    pub answers: Vec<InstanceAnswer>,
}

/// The answer for one instance of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InstanceAnswer {
    /// The name.
    pub instance: String,
    /// The answer.
    #[serde(flatten)]
    pub answer: AnswerRecord,
}

/// The answer of the cloud to a call, for one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AnswerRecord {
    /// The cloud accepted the action.
    Accepted {
        /// The cloud's id of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
        /// The job of the cloud that carries the action out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        job: Option<String>,
    },
    /// The cloud refused this instance, and executed nothing for the instance.
    Refused {
        /// The reason.
        fault: FaultRecord,
    },
    /// The cloud rejected the call as a whole. The cloud may have executed a part of the call.
    Rejected {
        /// The reason.
        fault: FaultRecord,
    },
    /// The answer was lost or cannot be read: the cloud may have executed the action.
    Unclear {
        /// The reason.
        fault: FaultRecord,
    },
    /// The call was not sent.
    NotSent {
        /// The reason.
        fault: FaultRecord,
    },
}

impl AnswerRecord {
    /// Returns the name of the answer, in lower case with hyphens.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Refused { .. } => "refused",
            Self::Rejected { .. } => "rejected",
            Self::Unclear { .. } => "unclear",
            Self::NotSent { .. } => "not-sent",
        }
    }

    /// Returns the fault; `None` for an accepted action.
    pub fn fault(&self) -> Option<&FaultRecord> {
        match self {
            Self::Accepted { .. } => None,
            Self::Refused { fault }
            | Self::Rejected { fault }
            | Self::Unclear { fault }
            | Self::NotSent { fault } => Some(fault),
        }
    }
}

/// A fault of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FaultRecord {
    /// The kind, see [`FaultKind`](lifecycle_facade::FaultKind).
    pub kind: String,
    /// The message.
    pub message: String,
    /// The cloud may have executed the call.
    pub maybe_executed: bool,
    /// The code of the cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The cloud's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The number of attempts at the call.
    pub attempts: u32,
}

/// Final outcomes of instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Outcomes {
    /// The id of the operation.
    pub operation: OperationId,
    /// The time.
    pub at: Timestamp,
    /// One row for each instance.
    pub rows: Vec<RowRecord>,
}

/// The final outcome of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RowRecord {
    /// The name.
    pub instance: String,
    /// The outcome.
    #[serde(flatten)]
    pub outcome: OutcomeRecord,
    /// The last observation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<ObservationRecord>,
    /// The cloud's id of the request that carried the action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The billing of a stopped instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing: Option<String>,
}

/// An outcome, with the same names as in the output of the command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OutcomeRecord {
    /// The goal was observed after the action.
    Reached {
        /// The kind of the evidence: `seen`, `left-and-returned`, `start-time-changed` or `job`.
        evidence: String,
        /// The job, for the evidence `job`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        job: Option<String>,
    },
    /// The cloud accepted the action, and the request did not wait.
    Accepted,
    /// The instance was already at the goal, or changing to the goal.
    Unchanged,
    /// The action was not executed.
    Refused {
        /// The reason.
        fault: FaultRecord,
    },
    /// The cloud may or may not have executed the action.
    Uncertain {
        /// The reason.
        fault: FaultRecord,
    },
    /// The cloud accepted the action, and the goal was not observed.
    Pending {
        /// The reason, see [`Pending`](lifecycle_facade::Pending).
        reason: String,
        /// The state observed last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<String>,
        /// The age of that state.
        #[serde(
            rename = "age_ms",
            default,
            with = "millis",
            skip_serializing_if = "Option::is_none"
        )]
        age: Option<Duration>,
        /// The fault behind the reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fault: Option<FaultRecord>,
    },
    /// The action was not sent.
    Skipped {
        /// The reason.
        fault: FaultRecord,
    },
}

impl OutcomeRecord {
    /// Returns the name of the outcome, in lower case.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Reached { .. } => "reached",
            Self::Accepted => "accepted",
            Self::Unchanged => "unchanged",
            Self::Refused { .. } => "refused",
            Self::Uncertain { .. } => "uncertain",
            Self::Pending { .. } => "pending",
            Self::Skipped { .. } => "skipped",
        }
    }

    /// Returns the fault behind the outcome.
    pub fn fault(&self) -> Option<&FaultRecord> {
        match self {
            Self::Refused { fault } | Self::Uncertain { fault } | Self::Skipped { fault } => {
                Some(fault)
            }
            Self::Pending { fault, .. } => fault.as_ref(),
            Self::Reached { .. } | Self::Accepted | Self::Unchanged => None,
        }
    }
}

/// The end of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct End {
    /// The id of the operation.
    pub operation: OperationId,
    /// The time.
    pub at: Timestamp,
}

/// Reads and writes an optional duration as whole milliseconds.
mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "the signature that serde requires")]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let millis = value.map(|value| u64::try_from(value.as_millis()).unwrap_or(u64::MAX));
        millis.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let millis: Option<u64> = Option::deserialize(deserializer)?;
        Ok(millis.map(Duration::from_millis))
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

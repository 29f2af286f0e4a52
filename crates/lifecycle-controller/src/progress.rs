//! `Operation`: one request of a journal, and the progress of its instances.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::record::call::{
    ActionRecord, AnswerRecord, ObservationRecord, OperationId, Request, RowRecord,
};

/// The last action on an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LastAction {
    /// The id of the operation.
    pub operation: OperationId,
    /// The action.
    pub action: ActionRecord,
    /// The time at which the intent was recorded.
    pub at: Timestamp,
    /// The name of the outcome; `None` without an outcome.
    pub outcome: Option<String>,
}

/// One request, and the progress of its instances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Operation {
    /// The request.
    pub request: Request,
    /// The progress of each instance that was sent or has an outcome.
    pub instances: HashMap<String, InstanceProgress>,
    /// The number of the last call.
    pub calls: u64,
    /// The request ended: every instance has an outcome.
    pub ended: bool,
}

impl Operation {
    pub(crate) fn new(request: Request) -> Self {
        Self {
            request,
            instances: HashMap::new(),
            calls: 0,
            ended: false,
        }
    }

    /// Returns the progress of an instance.
    pub fn progress(&self, instance: &str) -> &InstanceProgress {
        const NOT_SENT: &InstanceProgress = &InstanceProgress::NOT_SENT;
        self.instances.get(instance).unwrap_or(NOT_SENT)
    }

    /// Returns the number of instances with an outcome.
    pub fn settled(&self) -> usize {
        let instances = self.request.instances.iter();
        let is_settled = |name: &&String| self.progress(name).outcome.is_some();
        instances.filter(is_settled).count()
    }

    /// Returns whether every instance has an outcome.
    pub fn is_finished(&self) -> bool {
        self.ended || self.settled() == self.request.instances.len()
    }

    pub(crate) fn progress_mut(&mut self, instance: &str) -> &mut InstanceProgress {
        self.instances
            .entry(instance.to_owned())
            .or_insert(InstanceProgress::NOT_SENT)
    }
}

/// The progress of one instance of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InstanceProgress {
    /// The last call for the instance.
    pub phase: SendPhase,
    /// The instance as seen before the first call.
    pub before: Option<ObservationRecord>,
    /// The final outcome.
    pub outcome: Option<RowRecord>,
}

impl InstanceProgress {
    const NOT_SENT: Self = Self {
        phase: SendPhase::NotSent,
        before: None,
        outcome: None,
    };
}

/// The progress of the last call for an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SendPhase {
    /// No call was recorded.
    NotSent,
    /// A call was recorded, and its answer was not: the cloud may have executed the call.
    Sent,
    /// The answer was recorded.
    Answered(AnswerRecord),
}

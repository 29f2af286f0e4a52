//! `Recorder`: records the calls of power requests before the calls are sent, and their results.
//!
//! A program with a durable recorder survives the end of its process: the record shows which calls may have
//! been executed, and [`ResumePoint`](crate::ResumePoint) continues the request.

use std::{error, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use lifecycle_core::{
    Action, BatchAck, ExecutionStatus, Fault, FaultKind, InstanceId, JobId, Observation,
};
use tokio::time::timeout;

use super::{
    options::PowerRequestOptions,
    report::{InstanceReport, Outcome},
    waves::Waves,
};
use crate::call::context::{CallError, CallOutput};

/// Receives the beginning of each power request, and returns the recorder of the calls of the request.
///
/// `I` names an instance: [`InstanceId`] for the requests of a [`Client`](crate::Client), a reference with
/// account, cloud and region for the requests of a fleet. Set a recorder with
/// [`PowerRequest::recorder`](crate::PowerRequest::recorder). Each function has a time limit of 30 seconds, after
/// which the client drops the future.
#[async_trait]
pub trait Recorder<I = InstanceId>: fmt::Debug + Send + Sync + 'static {
    /// Records a request before the first call. All instances of the request are known.
    ///
    /// # Errors
    /// After an error nothing is sent: every instance is [`Skipped`](crate::Outcome::Skipped) with a fault of
    /// the kind [`FaultKind::NotRecorded`].
    async fn begin(
        &self,
        request: RecordedRequest<I>,
    ) -> Result<Arc<dyn CallRecorder<I>>, RecordError>;
}

/// Records the calls of one power request, and the outcomes of the instances.
#[async_trait]
pub trait CallRecorder<I = InstanceId>: fmt::Debug + Send + Sync + 'static {
    /// Records a call that acts, and returns the number of the call. The client sends the call after this
    /// function has returned, so the record must be durable by then.
    ///
    /// Retries of an action that may be repeated are the same call. Each half of a rejected batch and each
    /// forced stop is a call of its own.
    ///
    /// # Errors
    /// After an error the call is not sent.
    async fn intend(&self, call: RecordedCall<I>) -> Result<u64, RecordError>;

    /// Records the result of a call: one answer for each instance of the call.
    async fn answered(&self, call: u64, answers: Vec<(I, CallAnswer)>);

    /// Records final outcomes. Instances that were skipped because of this recorder are not among them.
    async fn settled(&self, rows: Vec<InstanceReport<I>>);

    /// Ends the request, after the last [`settled`](Self::settled). `is_complete` is false if an instance was
    /// skipped because of this recorder: then a resume continues the request.
    ///
    /// A recorder records the end of a complete request only together with all outcomes, also with those of a
    /// `settled` that failed or was dropped at its time limit. An end without an outcome would hide the instance from a resume.
    async fn finished(&self, is_complete: bool);
}

/// A power request, before the first call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordedRequest<I = InstanceId> {
    /// All instances, in the order of the request.
    pub instances: Arc<[I]>,
    /// The action with its options.
    pub action: Action,
    /// The options besides the action.
    pub options: PowerRequestOptions,
    /// The waves; `None` sends all instances at once.
    pub waves: Option<Waves>,
    /// The selection in words, if the request selected its instances.
    pub selected_by: Option<String>,
    /// The rows of the instances that the selection leaves alone.
    pub left_alone: Vec<InstanceReport<I>>,
}

/// A call that acts, before the call is sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordedCall<I = InstanceId> {
    /// The action of the call. Differs from the action of the request for a forced stop that follows a
    /// graceful one.
    pub action: Action,
    /// The instances were part of an earlier call that was rejected or has no answer. A call that may not be
    /// repeated is sent again only after lookups proved that the cloud executed nothing.
    pub resent: bool,
    /// The instances, and each one as seen before the request, if the request looked. A reboot always looks:
    /// the start time before is the evidence of the reboot.
    pub instances: Vec<(I, Option<Observation>)>,
}

/// The answer of the cloud to a call, for one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallAnswer {
    /// The cloud accepted the action.
    Accepted {
        /// The cloud's id of the request.
        request_id: Option<String>,
        /// The job of the cloud that carries the action out.
        job: Option<JobId>,
    },
    /// The cloud refused this instance, and executed nothing for the instance.
    Refused(Fault),
    /// The cloud rejected the call as a whole, for a reason that one of the instances may have caused. The
    /// cloud may have executed a part of the call.
    Rejected(Fault),
    /// The answer was lost or cannot be read: the cloud may have executed the action.
    Unclear(Fault),
    /// The call was not sent.
    NotSent(Fault),
}

/// The failure of a [`Recorder`].
#[derive(Debug)]
pub struct RecordError(Box<dyn error::Error + Send + Sync>);

impl RecordError {
    /// Returns the failure for a reason.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::RecordError;
    ///
    /// let error = RecordError::new("the disk is full");
    /// assert_eq!(error.to_string(), "the disk is full");
    /// ```
    pub fn new(reason: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self(reason.into())
    }

    /// Returns the fault of the instances that were not sent.
    pub(crate) fn fault(&self) -> Fault {
        let message = format!("the call was not recorded, so nothing was sent: {self}");
        Fault::new(FaultKind::NotRecorded, message)
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl error::Error for RecordError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source()
    }
}

/// Returns the name that an instance of a client has in the request.
pub(crate) type Name<I> = Arc<dyn Fn(InstanceId) -> I + Send + Sync>;

/// The recorder of the part of a request that one client carries out. Names instances by their ids.
#[async_trait]
pub(crate) trait ShareRecorder: Send + Sync {
    async fn intend(&self, call: RecordedCall) -> Result<u64, RecordError>;
    async fn answered(&self, call: u64, answers: Vec<(InstanceId, CallAnswer)>);
}

/// Translates the ids of one client into the names of the request.
pub(crate) struct NamedRecorder<I> {
    pub(crate) recorder: Arc<dyn CallRecorder<I>>,
    pub(crate) name: Name<I>,
}

#[async_trait]
impl<I: Send + 'static> ShareRecorder for NamedRecorder<I> {
    async fn intend(&self, call: RecordedCall) -> Result<u64, RecordError> {
        let instances = call.instances.into_iter();
        let named = RecordedCall {
            action: call.action,
            resent: call.resent,
            instances: instances
                .map(|(id, seen)| ((self.name)(id), seen))
                .collect(),
        };
        record_in_time(self.recorder.intend(named)).await
    }

    async fn answered(&self, call: u64, answers: Vec<(InstanceId, CallAnswer)>) {
        let answers = answers.into_iter();
        let named = answers.map(|(id, answer)| ((self.name)(id), answer));
        let answered = self.recorder.answered(call, named.collect());
        // A resume looks at instances without a recorded answer.
        let _ = timeout(RECORD_TIME_LIMIT, answered).await;
    }
}

/// The time limit of one record. A store on a dead network drive never answers.
pub(crate) const RECORD_TIME_LIMIT: Duration = Duration::from_secs(30);

/// Waits for a record that must be durable before the next call.
pub(crate) async fn record_in_time<T>(
    record: impl Future<Output = Result<T, RecordError>>,
) -> Result<T, RecordError> {
    match timeout(RECORD_TIME_LIMIT, record).await {
        Ok(result) => result,
        Err(_) => {
            let limit = RECORD_TIME_LIMIT.as_secs();
            Err(RecordError::new(format!("no end within {limit} s")))
        }
    }
}

/// Returns the answer for each instance of a call.
pub(crate) fn answers(
    ids: &[InstanceId],
    result: &Result<CallOutput<BatchAck>, CallError>,
) -> Vec<(InstanceId, CallAnswer)> {
    let all = |answer: CallAnswer| ids.iter().map(|id| (id.clone(), answer.clone())).collect();
    let output = match result {
        Ok(output) => output,
        Err(error) => return all(failure(ids, error)),
    };
    let accepted = |job: Option<&JobId>| CallAnswer::Accepted {
        request_id: output.request_id.as_deref().map(Into::into),
        job: job.cloned(),
    };
    let refused = |fault: &Fault| match output.execution {
        ExecutionStatus::NotExecuted if !fault.maybe_executed() => {
            CallAnswer::Refused(fault.clone())
        }
        // An earlier attempt may be the reason for the refusal of this one.
        _ => CallAnswer::Unclear(fault.clone()),
    };
    let unnamed = || CallAnswer::Unclear(Fault::new(FaultKind::Unreadable, "unreadable response"));
    let answer = |id: &InstanceId| match &output.value {
        BatchAck::All | BatchAck::Unlisted => accepted(None),
        BatchAck::Job(job) => accepted(Some(job)),
        BatchAck::Except(rows) => match rows.iter().find(|(row, _)| row == id) {
            Some((_, fault)) => refused(fault),
            None => accepted(None),
        },
        BatchAck::Each {
            accepted: named,
            refused: rows,
        } => match rows.iter().find(|(row, _)| row == id) {
            Some((_, fault)) => refused(fault),
            None if named.contains(id) => accepted(None),
            None => unnamed(),
        },
        _ => unnamed(),
    };
    ids.iter().map(|id| (id.clone(), answer(id))).collect()
}

fn failure(ids: &[InstanceId], error: &CallError) -> CallAnswer {
    let fault = error.fault.clone();
    match error.execution {
        ExecutionStatus::NotExecuted if !error.sent => CallAnswer::NotSent(fault),
        ExecutionStatus::NotExecuted if ids.len() > 1 && fault.kind().is_per_instance() => {
            CallAnswer::Rejected(fault)
        }
        ExecutionStatus::NotExecuted => CallAnswer::Refused(fault),
        _ => CallAnswer::Unclear(fault),
    }
}

/// Returns whether the recorder receives the outcome. An instance that the recorder itself kept from being
/// sent stays open in the record.
pub(crate) fn is_recorded<I>(row: &InstanceReport<I>) -> bool {
    !matches!(&row.outcome, Outcome::Skipped(fault) if fault.kind() == FaultKind::NotRecorded)
}

#[cfg(test)]
mod tests;

//! Resume: the request that continues an operation after the end of its process.
//!
//! The decision for each instance is pure: see [`resume_step`].

use std::{convert::Infallible, str::FromStr, sync::Arc};

use lifecycle_facade::{
    Clock, Fault, FaultKind, InstanceReport, Outcome, PowerRequest, Report, ResumePoint, Target,
    Waves,
    lifecycle_core::{Action, JobId},
};

use crate::{
    record::{AnswerRecord, FaultRecord, OutcomeRecord, RowRecord},
    recorder::StoreRecorder,
    state::{InstanceProgress, Operation, SendPhase},
    store::Store,
};

/// The extent of a resumed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResumeMode {
    /// Sends the instances that were never sent, and repeats calls that may be repeated.
    Finish,
    /// Sends nothing: looks at instances with an open call, and records the outcomes. Instances that were
    /// never sent are skipped. A controller decides anew after that.
    Settle,
    /// Sends nothing: looks at instances with an open call, and records nothing.
    ReportOnly,
}

/// The next step for an instance of an operation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ResumeStep {
    /// Report the recorded outcome.
    Report(Box<RowRecord>),
    /// Report an outcome that follows from the recorded answer, and record the outcome.
    Settle(OutcomeRecord),
    /// Send the instance: no call was sent, or the cloud executed nothing.
    Send,
    /// Wait for the goal of an accepted action.
    Wait {
        /// The cloud's id of the request that carried the action.
        request_id: Option<String>,
        /// The job of the cloud.
        job: Option<String>,
    },
    /// Look at the instance: the cloud may have executed the action.
    Look {
        /// The reason why no answer is known.
        fault: FaultRecord,
        /// Send the action again if the instance has not moved.
        resend: bool,
    },
}

/// Decides about one instance of an operation.
pub fn resume_step(
    operation: &Operation,
    progress: &InstanceProgress,
    mode: ResumeMode,
) -> ResumeStep {
    if let Some(row) = &progress.outcome {
        return ResumeStep::Report(Box::new(row.clone()));
    }
    let repeatable = operation.request.action.is_repeatable();
    let may_send = mode == ResumeMode::Finish;
    let look = |fault: &FaultRecord| ResumeStep::Look {
        fault: FaultRecord {
            maybe_executed: true,
            ..fault.clone()
        },
        resend: may_send && repeatable,
    };
    match &progress.phase {
        SendPhase::NotSent | SendPhase::Answered(AnswerRecord::NotSent { .. }) => match may_send {
            true => ResumeStep::Send,
            false => ResumeStep::Settle(OutcomeRecord::Skipped {
                fault: (&Fault::new(FaultKind::Cancelled, "the request ended before the call"))
                    .into(),
            }),
        },
        SendPhase::Sent => look(&lost_answer()),
        SendPhase::Answered(answer) => match answer {
            AnswerRecord::Accepted { request_id, job } => ResumeStep::Wait {
                request_id: request_id.clone(),
                job: job.clone(),
            },
            // The cloud refuses again, and the state says why.
            AnswerRecord::Refused { .. } if may_send && repeatable => ResumeStep::Send,
            AnswerRecord::Refused { fault } => ResumeStep::Settle(OutcomeRecord::Refused {
                fault: fault.clone(),
            }),
            AnswerRecord::Rejected { fault }
            | AnswerRecord::Unclear { fault }
            | AnswerRecord::NotSent { fault } => look(fault),
        },
    }
}

fn lost_answer() -> FaultRecord {
    let message = "the process ended after the call was recorded and before its answer";
    (&Fault::new(FaultKind::NoAnswer, message)).into()
}

/// A request that continues an operation. Await `request` for the rows of the instances; the whole report
/// begins with `left_alone`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResumedRequest<T: Target> {
    /// The request. Records its calls in the same store, except with [`ResumeMode::ReportOnly`].
    pub request: PowerRequest<Action, T>,
    /// The instances of the request, in its order.
    pub instances: Vec<T::Instance>,
    /// The rows of the instances that the request leaves alone.
    pub left_alone: Vec<InstanceReport<T::Instance>>,
}

impl<T: Target> ResumedRequest<T> {
    /// Carries the request out, and returns the whole report.
    ///
    /// # Errors
    /// The error of a request that failed as a whole.
    pub async fn report(self) -> Result<Report<T::Instance>, T::Error> {
        let report = self.request.await?;
        Ok(self.left_alone.into_iter().chain(report).collect())
    }
}

/// The reason why an operation cannot be resumed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// The name of an instance does not fit the target.
    #[error("the journal has an instance that this program cannot read: {0}")]
    Instance(String),
}

/// Returns the request that continues `operation` at `target`. The instances, options and waves are those of
/// the recorded request; each time limit begins again.
///
/// An instance with an outcome is reported and not read. An instance with an open call is looked at. A start or
/// a stop is sent again where [`Action::idempotency`] allows; a reboot never.
///
/// # Errors
/// [`ResumeError`] if a name is not the name of an instance of the target.
pub fn resume_request<T>(
    target: T,
    operation: &Operation,
    mode: ResumeMode,
    store: Arc<dyn Store>,
    clock: impl Clock,
) -> Result<ResumedRequest<T>, ResumeError>
where
    T: Target<Error: From<Infallible>, Instance: FromStr>,
{
    let recorded = &operation.request;
    let mut instances = Vec::new();
    let mut points = Vec::new();
    let mut settled = Vec::new();
    for name in &recorded.instances {
        let instance: T::Instance = parse(name)?;
        let (_, id) = T::split(&instance);
        let progress = operation.progress(name);
        let before = || {
            let before = progress.before.as_ref();
            before.map(|before| before.observation(id.clone()))
        };
        let point = match resume_step(operation, progress, mode) {
            ResumeStep::Send => None,
            ResumeStep::Report(row) => Some(ResumePoint::Settled(Box::new(
                row.report(instance.clone(), id.clone()),
            ))),
            ResumeStep::Settle(outcome) => {
                let row = InstanceReport::new(instance.clone(), Outcome::from(&outcome));
                settled.push(RowRecord::from(&row));
                Some(ResumePoint::Settled(Box::new(row)))
            }
            ResumeStep::Wait { request_id, job } => Some(ResumePoint::Accepted {
                before: before(),
                request_id,
                job: job.as_deref().and_then(JobId::new),
            }),
            ResumeStep::Look { fault, resend } => Some(ResumePoint::Unclear {
                before: before(),
                fault: (&fault).into(),
                resend,
            }),
        };
        points.extend(point.map(|point| (instance.clone(), point)));
        instances.push(instance);
    }
    let left_alone = recorded.left_alone.iter().map(|row| {
        let instance: T::Instance = parse(&row.instance)?;
        let (_, id) = T::split(&instance);
        Ok(row.report(instance, id))
    });
    let left_alone = left_alone.collect::<Result<_, ResumeError>>()?;
    let mut request = PowerRequest::new(target, instances.clone(), Action::from(recorded.action))
        .request_options(recorded.options.into())
        .resume(points);
    if let Some(waves) = recorded.waves {
        request = request.waves(Waves::from(waves));
    }
    if mode != ResumeMode::ReportOnly {
        let recorder =
            StoreRecorder::continuing(store, recorded.operation.clone(), operation.calls, settled);
        request = request.recorder(Arc::new(recorder.clock(clock)));
    }
    Ok(ResumedRequest {
        request,
        instances,
        left_alone,
    })
}

fn parse<I: FromStr>(name: &str) -> Result<I, ResumeError> {
    name.parse()
        .map_err(|_| ResumeError::Instance(name.to_owned()))
}

#[cfg(test)]
mod tests;

//! What is known of one instance of a request, and what it proves.

use lifecycle_core::{
    ActionKind, ExecutionStatus, Fault, InstanceId, JobId, Observation, PowerState, StoppedBilling,
};

use crate::power::report::{Evidence, InstanceReport, Outcome, Pending};

/// One instance of one request.
#[derive(Debug)]
pub(crate) struct TrackedInstance {
    pub(crate) id: InstanceId,
    pub(crate) phase: Phase,
    /// As it was before the action was sent, where that was looked up.
    pub(crate) before: Option<Observation>,
    pub(crate) last: Option<Observation>,
    /// It was seen up, so that being seen down later means that it left.
    pub(crate) seen_running: bool,
    /// It was seen leaving after the action was sent.
    pub(crate) seen_leaving: bool,
    /// Since it is in doubt, it was seen as it was before.
    pub(crate) unchanged_since_sent: bool,
    /// Looks in a row that did not show it.
    pub(crate) absent: u8,
    pub(crate) job: Option<JobId>,
    /// Its job says that it is done.
    pub(crate) job_succeeded: bool,
    pub(crate) request_id: Option<String>,
    /// Its grace is over: a forced stop followed the graceful one.
    pub(crate) forced: bool,
    /// What has gone wrong since the cloud took the action on, while there is still hope.
    pub(crate) pending_reason: Option<Pending>,
}

impl TrackedInstance {
    pub(crate) fn new(id: InstanceId, phase: Phase) -> Self {
        Self {
            id,
            phase,
            before: None,
            last: None,
            seen_running: false,
            seen_leaving: false,
            unchanged_since_sent: false,
            absent: 0,
            job: None,
            job_succeeded: false,
            request_id: None,
            forced: false,
            pending_reason: None,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.phase, Phase::Closed(_))
    }

    /// What proves that the instance was rebooted since the request, if anything does. Being seen
    /// running proves nothing.
    pub(crate) fn reboot_evidence(&mut self, now: &Observation) -> Option<Evidence> {
        // One that was not up before the request would be seen rebooting or starting, and with a
        // new start time, without it.
        self.seen_leaving |= self.seen_running
            && matches!(
                now.state,
                PowerState::Rebooting
                    | PowerState::Stopping
                    | PowerState::Stopped
                    | PowerState::Starting
            );
        self.seen_running |= is_up(now);
        let started = |seen: &Observation| seen.started_at.clone();
        let before = self.before.as_ref().filter(|before| is_up(before));
        let before = before.and_then(started);
        if before.is_some() && started(now).is_some_and(|at| Some(at) != before) {
            return Some(Evidence::StartTimeChanged);
        }
        if let Some(job) = &self.job {
            return Some(Evidence::Job(job.clone()));
        }
        self.seen_leaving.then_some(Evidence::LeftAndReturned)
    }
}

pub(crate) fn is_up(seen: &Observation) -> bool {
    seen.state == PowerState::Running
}

/// How far it is.
#[derive(Debug)]
pub(crate) enum Phase {
    /// No answer to the action yet.
    Unsent,
    /// The cloud took it on.
    Accepted,
    /// Only looking can tell whether the cloud took it on.
    Unclear(Fault, Ambiguity),
    Closed(Outcome),
}

/// Why it is unclear, and so what it is when looking does not settle it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ambiguity {
    /// The answer was lost: uncertain.
    AnswerLost,
    /// The cloud refused because of a state that it does not show; its view may lag behind:
    /// refused.
    StateContradictsRejection,
    /// The cloud refused a batch, and may have carried out a part of it all the same: refused
    /// where it is seen as it was until the end, and uncertain otherwise.
    MaybePartlyExecuted,
}

impl Ambiguity {
    pub(crate) fn about(refusal: &Fault) -> Self {
        match refusal.execution_status() {
            ExecutionStatus::NotExecuted => Self::StateContradictsRejection,
            _ => Self::MaybePartlyExecuted,
        }
    }

    pub(crate) fn outcome(self, fault: Fault, unchanged_since_sent: bool) -> Outcome {
        match self {
            Self::MaybePartlyExecuted if unchanged_since_sent => Outcome::Refused(fault),
            Self::AnswerLost | Self::MaybePartlyExecuted => Outcome::Uncertain(fault),
            Self::StateContradictsRejection => Outcome::Refused(fault),
        }
    }
}

/// What is reported of an instance with this outcome.
pub(crate) fn instance_report(
    verb: Option<ActionKind>,
    instance: InstanceId,
    outcome: Outcome,
    last_seen: Option<Observation>,
    request_id: Option<String>,
) -> InstanceReport {
    let billing = || match &last_seen {
        Some(seen) if seen.state == PowerState::Stopped => seen.stopped_billing,
        _ => StoppedBilling::Unknown,
    };
    InstanceReport {
        billing: (verb == Some(ActionKind::Stop)).then(billing),
        instance,
        outcome,
        last_seen,
        request_id,
    }
}

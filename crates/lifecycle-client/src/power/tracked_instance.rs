//! An instance of a power request: the phase, and the evidence so far.

use std::time::Duration;

use lifecycle_core::{
    ActionKind, Fault, InstanceId, JobId, Observation, PowerState, StoppedBilling,
};
use tokio::time::Instant;

use super::{
    contact::Contact,
    report::{Evidence, InstanceReport, Outcome, Pending},
};

/// An instance of a power request.
#[derive(Debug)]
pub(crate) struct TrackedInstance {
    pub(crate) id: InstanceId,
    pub(crate) phase: Phase,
    /// The time of the last call with the action, perhaps without an answer so far.
    pub(crate) sent_at: Option<Instant>,
    /// The instance before the action was sent, where triage looked at it.
    pub(crate) before: Option<Observation>,
    /// The instance as it was seen last.
    pub(crate) last: Option<Observation>,
    pub(crate) run_history: RunHistory,
    /// Successful lookups in a row that did not return the instance.
    pub(crate) not_found_in_a_row: u8,
    pub(crate) job: JobEvidence,
    /// The cloud's id of the request that carried the action.
    pub(crate) request_id: Option<String>,
    /// The event of acceptance was emitted for the last action.
    pub(crate) acceptance_emitted: bool,
    /// A forced stop followed the graceful one.
    pub(crate) forced: bool,
    /// What has gone wrong since the cloud accepted the action; the goal can still be reached.
    pub(crate) setback: Option<Pending>,
    pub(crate) contact: Contact,
}

impl TrackedInstance {
    pub(crate) fn new(id: InstanceId, phase: Phase) -> Self {
        Self {
            id,
            phase,
            sent_at: None,
            before: None,
            last: None,
            run_history: RunHistory::NotSeenRunning,
            not_found_in_a_row: 0,
            job: JobEvidence::None,
            request_id: None,
            acceptance_emitted: false,
            forced: false,
            setback: None,
            contact: Contact::new(Instant::now()),
        }
    }

    /// Returns whether the instance has no outcome yet.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.phase, Phase::Closed(_))
    }

    /// Returns the state in which the instance was seen last.
    pub(crate) fn last_state(&self) -> Option<PowerState> {
        self.last.as_ref().map(|last| last.state)
    }

    /// Records an observation made before the action was sent.
    pub(crate) fn record_before(&mut self, seen: Observation) {
        self.run_history.record(seen.state);
        self.last = Some(seen.clone());
        self.before = Some(seen);
    }

    /// Records what a lookup after the action returned.
    pub(crate) fn record_observed(&mut self, seen: &Observation, goal: PowerState) {
        self.not_found_in_a_row = 0;
        self.run_history.record(seen.state);
        if seen.state != goal {
            self.job.weaken();
        }
        if let Phase::Ambiguous(ambiguity) = &mut self.phase {
            ambiguity.unchanged_since_sent = is_ready(seen.state, goal);
        }
    }

    /// Returns whether the instance was seen leaving the running state.
    pub(crate) fn has_left(&self) -> bool {
        self.run_history == RunHistory::SeenLeaving
    }

    /// Returns the evidence of a reboot since the request. The state `running`
    /// alone proves nothing.
    pub(crate) fn reboot_evidence(&self, now: &Observation) -> Option<Evidence> {
        let before = self.before.as_ref().filter(|before| is_running(before));
        let started_before = before.and_then(|before| before.started_at.as_ref());
        let started_now = now.started_at.as_ref();
        if started_before.is_some() && started_now.is_some_and(|now| Some(now) != started_before) {
            return Some(Evidence::StartTimeChanged);
        }
        match self.job.id() {
            Some(job) => Some(Evidence::Job(job.clone())),
            None => self.has_left().then_some(Evidence::LeftAndReturned),
        }
    }

    /// Returns whether a view of the running state can be older than the action. Views of some clouds
    /// are late, and not every late view is later than the last.
    pub(crate) fn may_precede_action(&self) -> bool {
        let age = self.sent_at.map(|sent_at| sent_at.elapsed());
        age.is_some_and(|age| age < LATEST_VIEW)
    }
}

/// The highest delay of a view. No cloud documents a delay; reports speak of seconds.
const LATEST_VIEW: Duration = Duration::from_secs(15);

fn is_running(seen: &Observation) -> bool {
    seen.state == PowerState::Running
}

/// The progress of an instance through a power request.
#[derive(Debug)]
pub(crate) enum Phase {
    /// The cloud has not answered for the action yet.
    NotSent,
    /// The cloud accepted the action.
    Accepted,
    /// Only lookups can show whether the cloud executed the action.
    Ambiguous(Ambiguity),
    /// The outcome is final.
    Closed(Outcome),
}

/// An action with an unknown execution status.
#[derive(Clone, Debug)]
pub(crate) struct Ambiguity {
    pub(crate) fault: Fault,
    pub(crate) reason: AmbiguityReason,
    /// The last lookup since then showed the instance ready for the action, so the action had no effect.
    pub(crate) unchanged_since_sent: bool,
}

impl Ambiguity {
    pub(crate) fn new(fault: Fault, reason: AmbiguityReason) -> Self {
        Self {
            fault,
            reason,
            unchanged_since_sent: false,
        }
    }

    /// Returns the outcome when lookups did not settle the question in time.
    pub(crate) fn outcome(&self) -> Outcome {
        match self.reason {
            AmbiguityReason::MaybePartlyExecuted if self.unchanged_since_sent => {
                Outcome::Refused(self.fault.clone())
            }
            reason => reason.outcome(&self.fault),
        }
    }
}

/// The reason for which an action is ambiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AmbiguityReason {
    /// The answer was lost.
    AnswerLost,
    /// The cloud rejected the action because of a state, and lookups show another state: the view may
    /// lag.
    StateContradictsRejection,
    /// The cloud rejected a batch, and may have executed a part of the batch.
    MaybePartlyExecuted,
}

impl AmbiguityReason {
    pub(crate) fn of_rejection(rejection: &Fault) -> Self {
        match rejection.maybe_executed() {
            true => Self::MaybePartlyExecuted,
            false => Self::StateContradictsRejection,
        }
    }

    /// Returns the outcome when nothing is known beyond the fault.
    pub(crate) fn outcome(self, fault: &Fault) -> Outcome {
        match self {
            Self::AnswerLost | Self::MaybePartlyExecuted => Outcome::Uncertain(fault.clone()),
            Self::StateContradictsRejection => Outcome::Refused(fault.clone()),
        }
    }
}

/// The states in which an instance was seen, as far as they prove a reboot. An instance that was
/// not running before would show a boot, and a new start time, without any reboot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunHistory {
    NotSeenRunning,
    SeenRunning,
    /// Seen on the way down, or down, after it was seen running.
    SeenLeaving,
}

impl RunHistory {
    fn record(&mut self, state: PowerState) {
        *self = match (*self, state) {
            (Self::NotSeenRunning, PowerState::Running) => Self::SeenRunning,
            (
                Self::SeenRunning,
                PowerState::Rebooting
                | PowerState::Stopping
                | PowerState::Stopped
                | PowerState::Starting,
            ) => Self::SeenLeaving,
            (history, _) => history,
        };
    }
}

/// Returns whether the action leads from `state` to `goal`.
pub(crate) fn is_ready(state: PowerState, goal: PowerState) -> bool {
    match goal {
        PowerState::Running => state == PowerState::Stopped,
        PowerState::Stopped => state == PowerState::Running,
        _ => false,
    }
}

/// The evidence of the cloud's job about an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JobEvidence {
    None,
    /// The whole job succeeded: the instance left its state, which does not show its return.
    BatchSucceeded(JobId),
    /// The part of the job for this instance succeeded.
    Succeeded(JobId),
}

impl JobEvidence {
    pub(crate) fn id(&self) -> Option<&JobId> {
        match self {
            Self::None => None,
            Self::BatchSucceeded(job) | Self::Succeeded(job) => Some(job),
        }
    }

    pub(crate) fn succeeded(&self) -> Option<&JobId> {
        match self {
            Self::Succeeded(job) => Some(job),
            _ => None,
        }
    }

    /// Takes a success back to what a later lookup leaves of it.
    fn weaken(&mut self) {
        if let Self::Succeeded(job) = self {
            *self = Self::BatchSucceeded(job.clone());
        }
    }
}

/// Returns the row of an instance with this outcome.
pub(crate) fn instance_report(
    kind: Option<ActionKind>,
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
        billing: (kind == Some(ActionKind::Stop)).then(billing),
        instance,
        outcome,
        last_seen,
        request_id,
    }
}

//! An instance of a power request: the phase, and the evidence so far.

use std::sync::Arc;

use lifecycle_core::{ActionKind, InstanceId, JobId, Observation, PowerState};
use tokio::time::Instant;

use super::{
    ambiguity::Ambiguity,
    contact::Contact,
    ready_views::ReadyViews,
    refusal::Refusal,
    report::{Evidence, InstanceReport, Outcome, Pending},
    view_delay::LATEST_VIEW,
};

/// An instance of a power request. What a simple start or stop does not have is on the heap: a request can have a
/// million instances.
#[derive(Debug)]
pub(crate) struct TrackedInstance {
    pub(crate) id: InstanceId,
    pub(crate) phase: Phase,
    /// The time of the last call with the action, perhaps without an answer so far.
    pub(crate) sent_at: Option<Instant>,
    /// The instance before the action was sent, where triage looked at it.
    pub(crate) before: Option<Box<Observation>>,
    /// The instance as it was seen last.
    pub(crate) last: Option<Observation>,
    pub(crate) run_history: RunHistory,
    /// Successful lookups in a row that did not return the instance.
    pub(crate) not_found_in_a_row: u8,
    pub(crate) job: JobEvidence,
    /// The cloud's id of the request that carried the action.
    pub(crate) request_id: Option<Arc<str>>,
    /// The event of acceptance was emitted for the last action.
    pub(crate) acceptance_emitted: bool,
    /// A forced stop followed the graceful one.
    pub(crate) forced: bool,
    /// An earlier call with the instance may have been executed, and the action was sent again: a batch that was rejected as
    /// a whole, or a call of an earlier process.
    pub(crate) maybe_executed_before: bool,
    /// The views since the first call.
    pub(crate) ready_views: ReadyViews,
    /// The state in the look after the first rejected batch with the instance.
    pub(crate) state_after_rejection: Option<PowerState>,
    /// The last refusal of an action that is sent again.
    pub(crate) refused_before: Option<Box<Refusal>>,
    /// What has gone wrong since the cloud accepted the action; the goal can still be reached.
    pub(crate) setback: Option<Box<Pending>>,
    pub(crate) contact: Contact,
}

impl TrackedInstance {
    pub(crate) fn new(id: InstanceId, phase: Phase, now: Instant) -> Self {
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
            maybe_executed_before: false,
            ready_views: ReadyViews::default(),
            state_after_rejection: None,
            refused_before: None,
            setback: None,
            contact: Contact::new(now),
        }
    }

    /// Returns whether the instance has no outcome yet.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.phase, Phase::Closed(_))
    }

    /// Returns whether a forced stop follows, and the answer to the forced stop is not known.
    pub(crate) fn awaits_forced_stop(&self) -> bool {
        self.forced && self.setback.is_none()
    }

    /// Returns the state in which the instance was seen last.
    pub(crate) fn last_state(&self) -> Option<PowerState> {
        self.last.as_ref().map(|last| last.state)
    }

    /// Records an observation made before the action was sent.
    pub(crate) fn record_before(&mut self, seen: Observation) {
        self.record_state(seen.state);
        self.last = Some(seen.clone());
        self.before = Some(seen.into());
    }

    /// Returns whether the action waits for the end of a transition.
    pub(crate) fn awaits_idle(&self) -> bool {
        matches!(self.phase, Phase::AwaitsIdle(_))
    }

    /// Waits for the end of a transition. The states until then are no evidence of a reboot.
    pub(crate) fn await_idle(&mut self, in_transition: bool) {
        if self.last_state() != Some(PowerState::Running) {
            self.run_history = RunHistory::NotSeenRunning;
        }
        if let Phase::NotSent = self.phase {
            self.phase = Phase::AwaitsIdle(None);
        }
        let waiting = match &mut self.phase {
            Phase::AwaitsIdle(refusal) => refusal.as_deref_mut(),
            _ => None,
        };
        let refused = self.refused_before.as_deref_mut();
        for refusal in waiting.into_iter().chain(refused) {
            refusal.explained |= in_transition;
        }
    }

    /// Forgets everything about a refused call: the next call decides.
    pub(crate) fn forget_call(&mut self, mut refusal: Refusal) {
        if let Some(before) = self
            .refused_before
            .take()
            .filter(|before| !before.explained)
        {
            refusal.since = before.since;
        }
        let refusal = Box::new(refusal);
        self.refused_before = Some(refusal.clone());
        self.phase = Phase::AwaitsIdle(Some(refusal));
        self.sent_at = None;
        self.before = None;
        self.run_history = RunHistory::NotSeenRunning;
        self.job = JobEvidence::None;
        self.request_id = None;
        self.setback = None;
    }

    /// Records what a lookup after the action returned.
    pub(crate) fn record_observed(&mut self, seen: &Observation, goal: PowerState) {
        self.not_found_in_a_row = 0;
        self.record_state(seen.state);
        if seen.state != goal {
            self.job.weaken();
        }
        let is_late_enough = !self.may_precede_action();
        if let Phase::Ambiguous(ambiguity) = &mut self.phase {
            ambiguity.unchanged_since_sent = is_late_enough && is_ready(seen.state, goal);
        }
    }

    /// Adds a state to the evidence of a reboot.
    fn record_state(&mut self, state: PowerState) {
        self.run_history = match (self.run_history, state) {
            (RunHistory::NotSeenRunning, PowerState::Running) => {
                RunHistory::SeenRunning(Instant::now())
            }
            (
                RunHistory::SeenRunning(since),
                PowerState::Rebooting
                | PowerState::Stopping
                | PowerState::Stopped
                | PowerState::Starting,
            ) if self.proves_leaving(since) => RunHistory::SeenLeaving,
            (history, _) => history,
        };
    }

    /// Returns whether a view of now, in another state than running, proves that the instance left the
    /// running state after the action. The instance was first seen running at `seen_running`.
    ///
    /// A late view can show a boot or a reboot from before the action, or a boot that ended after the
    /// action. The proof is a view that is later than both, or the acceptance of the action for an
    /// instance that was running.
    fn proves_leaving(&self, seen_running: Instant) -> bool {
        let ran_before = self.before.as_deref().is_some_and(is_running);
        let accepted = matches!(self.phase, Phase::Accepted);
        let is_later = seen_running.elapsed() >= LATEST_VIEW && !self.may_precede_action();
        is_later || ran_before && accepted
    }

    /// Returns whether the instance was seen leaving the running state.
    pub(crate) fn has_left(&self) -> bool {
        self.run_history == RunHistory::SeenLeaving
    }

    /// Returns the evidence of a reboot since the request. The state `running`
    /// alone proves nothing.
    pub(crate) fn reboot_evidence(&self, now: &Observation) -> Option<Evidence> {
        let before = self.before.as_deref().filter(|before| is_running(before));
        let started_before = before.and_then(|before| before.started_at.as_ref());
        let started_now = now.started_at.as_ref().filter(|_| is_running(now));
        if started_before.is_some() && started_now.is_some_and(|now| Some(now) != started_before) {
            return Some(Evidence::StartTimeChanged);
        }
        match self.job.id() {
            Some(job) => Some(Evidence::Job(job.clone())),
            None => self.has_left().then_some(Evidence::LeftAndReturned),
        }
    }

    /// Returns whether a view of now can be older than the action. Views of some clouds are late, and
    /// not every late view is later than the last.
    pub(crate) fn may_precede_action(&self) -> bool {
        let age = self.sent_at.map(|sent_at| sent_at.elapsed());
        age.is_some_and(|age| age < LATEST_VIEW)
    }
}

fn is_running(seen: &Observation) -> bool {
    seen.state == PowerState::Running
}

/// The progress of an instance through a power request.
#[derive(Debug)]
pub(crate) enum Phase {
    /// The cloud has not answered for the action yet.
    NotSent,
    /// The action is sent when the instance is idle. The cloud may have refused the action before.
    AwaitsIdle(Option<Box<Refusal>>),
    /// The cloud accepted the action.
    Accepted,
    /// Only lookups can show whether the cloud executed the action.
    Ambiguous(Ambiguity),
    /// The outcome is final.
    Closed(Outcome),
}

/// The states in which an instance was seen, as far as they prove a reboot. An instance that was
/// not running before would show a boot, and a new start time, without any reboot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunHistory {
    NotSeenRunning,
    /// Seen running, for the first time at this time.
    SeenRunning(Instant),
    /// Seen on the way down, or down, after the action and after the instance was seen running.
    SeenLeaving,
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
    BatchSucceeded(Box<JobId>),
    /// The part of the job for this instance succeeded.
    Succeeded(Box<JobId>),
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
    request_id: Option<Arc<str>>,
) -> InstanceReport {
    let row = InstanceReport {
        last_seen,
        request_id,
        ..InstanceReport::new(instance, outcome)
    };
    row.priced_after(kind)
}

#[cfg(test)]
mod tests;

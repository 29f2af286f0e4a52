//! An instance of a power request: the phase, and the evidence so far.

use lifecycle_core::{ActionKind, InstanceId, JobId, Observation, PowerState};
use tokio::time::Instant;

use super::{
    ambiguity::Ambiguity,
    contact::Contact,
    refusal::Refusal,
    report::{Evidence, InstanceReport, Outcome, Pending},
    view_delay::LATEST_VIEW,
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
    /// An earlier call with the instance may have been executed, and the action was sent again: a batch that was rejected as
    /// a whole, or a call of an earlier process.
    pub(crate) maybe_executed_before: bool,
    /// The last refusal of an action that is sent again.
    pub(crate) refused_before: Option<Refusal>,
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
            maybe_executed_before: false,
            refused_before: None,
            setback: None,
            contact: Contact::new(Instant::now()),
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
        self.before = Some(seen);
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
            Phase::AwaitsIdle(refusal) => refusal.as_mut(),
            _ => None,
        };
        for refusal in waiting.into_iter().chain(&mut self.refused_before) {
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
        let ran_before = self.before.as_ref().is_some_and(is_running);
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
        let before = self.before.as_ref().filter(|before| is_running(before));
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
    AwaitsIdle(Option<Refusal>),
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
    let row = InstanceReport {
        last_seen,
        request_id,
        ..InstanceReport::new(instance, outcome)
    };
    row.priced_after(kind)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lifecycle_core::{Fault, FaultKind};
    use tokio::time::advance;

    use super::*;
    use crate::power::ambiguity::AmbiguityReason;
    use lifecycle_core::StoppedBilling;

    use PowerState::{Changing, Failed, Rebooting, Running, Starting, Stopped, Stopping, Unknown};

    fn id() -> InstanceId {
        InstanceId::new("i-1").unwrap()
    }

    fn seen(state: PowerState) -> Observation {
        Observation::new(id(), state, "raw")
    }

    fn started(state: PowerState, at: &str) -> Observation {
        seen(state).with_started_at(Some(at.to_owned()))
    }

    fn tracked() -> TrackedInstance {
        TrackedInstance::new(id(), Phase::Accepted)
    }

    fn job() -> JobId {
        JobId::new("job-1").unwrap()
    }

    fn ambiguous() -> Ambiguity {
        let fault = Fault::new(FaultKind::NoAnswer, "no answer");
        Ambiguity::new(fault, AmbiguityReason::MaybePartlyExecuted)
    }

    /// Views of an instance: the state, and the number of seconds after the action.
    type Views = &'static [(u64, PowerState)];

    /// Returns whether these views prove that the instance left the running state. The phase is that of
    /// the instance during all views.
    async fn has_left(phase: Phase, before: Option<PowerState>, views: Views) -> bool {
        let mut tracked = tracked();
        if let Some(before) = before {
            tracked.record_before(seen(before));
        }
        tracked.phase = phase;
        let sent_at = Instant::now();
        tracked.sent_at = Some(sent_at);
        for (second, state) in views {
            advance(Duration::from_secs(*second) - sent_at.elapsed()).await;
            tracked.record_observed(&seen(*state), Running);
        }
        tracked.has_left()
    }

    #[tokio::test(start_paused = true)]
    async fn instance_leaves_the_running_state_only_in_a_view_that_proves_it() {
        for state in [Rebooting, Stopping, Stopped, Starting] {
            let views = |seconds: [u64; 2]| -> Views {
                Box::leak(Box::new([(seconds[0], Running), (seconds[1], state)]))
            };
            // The state before, the seconds of a running view and of another view; left, for an accepted
            // and for an ambiguous action.
            for (before, seconds, accepted, ambiguous) in [
                (Some(Running), [1, 2], true, false),
                (Some(Running), [1, 14], true, false),
                (Some(Running), [1, 15], true, true),
                (Some(Starting), [1, 2], false, false),
                (Some(Starting), [1, 15], false, false),
                (Some(Starting), [1, 16], true, true),
                (Some(Starting), [9, 23], false, false),
                (Some(Starting), [9, 24], true, true),
                (Some(Stopped), [1, 2], false, false),
                (None, [1, 2], false, false),
                (None, [1, 16], true, true),
            ] {
                let row = format!("{before:?}, then running and {state} at {seconds:?}");
                let found = has_left(Phase::Accepted, before, views(seconds)).await;
                assert_eq!(found, accepted, "accepted, {row}");
                let found = has_left(Phase::Ambiguous(self::ambiguous()), before, views(seconds));
                assert_eq!(found.await, ambiguous, "ambiguous, {row}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn order_of_views_decides_about_leaving_the_running_state() {
        let rows: [(Option<PowerState>, Views, bool); 7] = [
            (Some(Running), &[(20, Rebooting), (21, Running)], true),
            (
                Some(Running),
                &[(20, Changing), (21, Failed), (22, Unknown)],
                false,
            ),
            (Some(Running), &[], false),
            // Never seen running: a boot.
            (None, &[(20, Rebooting), (40, Stopped)], false),
            (Some(Starting), &[(20, Starting), (40, Running)], false),
            // A late view of the boot after a view of the end of the boot.
            (
                Some(Starting),
                &[(20, Running), (22, Starting), (34, Starting), (36, Running)],
                false,
            ),
            (
                Some(Starting),
                &[(20, Running), (22, Starting), (36, Rebooting)],
                true,
            ),
        ];
        for (before, views, expected) in rows {
            for phase in [Phase::Accepted, Phase::Ambiguous(ambiguous())] {
                let row = format!("{before:?}, {views:?}, {phase:?}");
                assert_eq!(has_left(phase, before, views).await, expected, "{row}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn view_that_can_precede_a_later_send_is_no_proof() {
        let mut tracked = tracked();
        tracked.record_before(seen(Running));
        tracked.phase = Phase::Ambiguous(ambiguous());
        advance(Duration::from_secs(60)).await;
        tracked.sent_at = Some(Instant::now());
        advance(Duration::from_secs(14)).await;
        tracked.record_observed(&seen(Rebooting), Running);
        assert!(!tracked.has_left());
        advance(Duration::from_secs(1)).await;
        tracked.record_observed(&seen(Rebooting), Running);
        assert!(tracked.has_left());
    }

    #[test]
    fn observation_before_the_action_is_the_last_one_too() {
        let mut tracked = tracked();
        assert_eq!(tracked.last_state(), None);
        tracked.record_before(seen(Running));
        assert_eq!(tracked.last_state(), Some(Running));
        assert_eq!(tracked.before, Some(seen(Running)));
    }

    #[test]
    fn lookup_resets_the_number_of_lookups_without_the_instance() {
        let mut tracked = tracked();
        tracked.not_found_in_a_row = 2;
        tracked.record_observed(&seen(Running), Running);
        assert_eq!(tracked.not_found_in_a_row, 0);
    }

    #[test]
    fn success_of_a_job_is_weakened_by_another_state_than_the_goal() {
        let mut tracked = tracked();
        tracked.job = JobEvidence::Succeeded(job());
        tracked.record_observed(&seen(Running), Running);
        assert_eq!(tracked.job, JobEvidence::Succeeded(job()));
        assert_eq!(tracked.job.succeeded(), Some(&job()));

        tracked.record_observed(&seen(Rebooting), Running);
        assert_eq!(tracked.job, JobEvidence::BatchSucceeded(job()));
        assert_eq!(tracked.job.succeeded(), None);
        assert_eq!(tracked.job.id(), Some(&job()));
        assert_eq!(JobEvidence::None.id(), None);
    }

    #[test]
    fn last_lookup_decides_about_an_ambiguous_action_that_had_no_effect() {
        let mut tracked = tracked();
        tracked.phase = Phase::Ambiguous(ambiguous());
        let mut outcome_after = |state| {
            tracked.record_observed(&seen(state), Stopped);
            match &tracked.phase {
                Phase::Ambiguous(ambiguity) => ambiguity.outcome(),
                other => panic!("{other:?}"),
            }
        };
        assert!(matches!(outcome_after(Running), Outcome::Refused(_)));
        assert!(matches!(outcome_after(Stopping), Outcome::Uncertain(_)));
        assert!(matches!(outcome_after(Running), Outcome::Refused(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn view_that_can_precede_the_action_does_not_prove_that_nothing_was_executed() {
        let mut tracked = tracked();
        tracked.phase = Phase::Ambiguous(ambiguous());
        tracked.sent_at = Some(Instant::now());
        for (seconds, expected) in [(3, "uncertain"), (20, "refused")] {
            advance(Duration::from_secs(seconds)).await;
            tracked.record_observed(&seen(Running), Stopped);
            let Phase::Ambiguous(ambiguity) = &tracked.phase else {
                panic!("{:?}", tracked.phase);
            };
            assert_eq!(ambiguity.outcome().as_str(), expected, "after {seconds} s");
        }
    }

    #[test]
    fn lost_answer_stays_uncertain_although_the_instance_did_not_change() {
        let mut ambiguity = ambiguous();
        ambiguity.reason = AmbiguityReason::AnswerLost;
        ambiguity.unchanged_since_sent = true;
        assert!(matches!(ambiguity.outcome(), Outcome::Uncertain(_)));
    }

    #[test]
    fn changed_start_time_proves_a_reboot_of_an_instance_that_was_running() {
        let evidence = |before: Option<Observation>, now: &Observation| {
            let mut tracked = tracked();
            tracked.before = before;
            tracked.reboot_evidence(now)
        };
        let later = started(Running, "later");
        let changed = Some(Evidence::StartTimeChanged);
        assert_eq!(evidence(Some(started(Running, "first")), &later), changed);
        assert_eq!(evidence(Some(started(Running, "later")), &later), None);
        assert_eq!(evidence(Some(started(Stopped, "first")), &later), None);
        assert_eq!(evidence(Some(seen(Running)), &later), None);
        // A late view of an earlier boot has the start time of that boot.
        let booting = started(Starting, "later");
        assert_eq!(evidence(Some(started(Running, "first")), &booting), None);
        assert_eq!(
            evidence(Some(started(Running, "first")), &seen(Running)),
            None
        );
        assert_eq!(evidence(None, &later), None);
    }

    #[test]
    fn job_is_better_evidence_of_a_reboot_than_the_states() {
        let mut tracked = tracked();
        assert_eq!(tracked.reboot_evidence(&seen(Running)), None);
        tracked.run_history = RunHistory::SeenLeaving;
        let evidence = tracked.reboot_evidence(&seen(Running));
        assert_eq!(evidence, Some(Evidence::LeftAndReturned));
        tracked.job = JobEvidence::BatchSucceeded(job());
        let evidence = tracked.reboot_evidence(&seen(Running));
        assert_eq!(evidence, Some(Evidence::Job(job())));
    }

    #[tokio::test(start_paused = true)]
    async fn view_can_precede_the_action_for_fifteen_seconds() {
        let mut tracked = tracked();
        assert!(!tracked.may_precede_action(), "the action was not sent");
        tracked.sent_at = Some(Instant::now());
        advance(Duration::from_millis(14_999)).await;
        assert!(tracked.may_precede_action());
        advance(Duration::from_millis(1)).await;
        assert!(!tracked.may_precede_action());
    }

    #[test]
    fn instance_is_ready_for_an_action_in_the_opposite_state_only() {
        for state in PowerState::ALL {
            assert_eq!(is_ready(*state, Running), *state == Stopped, "{state}");
            assert_eq!(is_ready(*state, Stopped), *state == Running, "{state}");
            assert!(!is_ready(*state, Rebooting), "{state}");
        }
    }

    #[test]
    fn report_of_a_stop_has_the_billing_of_a_stopped_instance_only() {
        let billing = |kind, state| {
            let seen = seen(state).with_stopped_billing(StoppedBilling::NotBilled);
            instance_report(kind, id(), Outcome::Unchanged, Some(seen), None).billing
        };
        let stop = Some(ActionKind::Stop);
        assert_eq!(billing(stop, Stopped), Some(StoppedBilling::NotBilled));
        assert_eq!(billing(stop, Stopping), Some(StoppedBilling::Unknown));
        assert_eq!(billing(Some(ActionKind::Start), Stopped), None);
        assert_eq!(billing(None, Stopped), None);
        let unseen = instance_report(stop, id(), Outcome::Unchanged, None, None);
        assert_eq!(unseen.billing, Some(StoppedBilling::Unknown));
    }
}

//! `idle_step`: the rule that decides when an instance of a request that waits for idle instances is sent.

use std::time::Duration;

use lifecycle_core::{ActionKind, Fault, PowerState};

use super::{
    decide::DecideOptions,
    refusal::{Refusal, names_the_state},
    tracked_instance::{Phase, RunHistory, TrackedInstance},
    view_delay::LATEST_VIEW,
};
use crate::observe::lookup::{ObserveResult, fails_for_good};

/// The consequence of a look at an instance before the action.
pub(crate) enum IdleStep {
    /// Look again later.
    Wait,
    /// The instance is idle, or the cloud has to decide.
    Send,
    /// The refusal of the cloud and the state of the instance agree.
    Settle(Fault),
    /// No later look can show the state, so nothing is known beyond the refusal of the cloud.
    Unobservable(Fault),
}

/// Decides about an instance of a request that waits for idle instances. `age` is the age of the request.
///
/// A view can be late. A view that ends the request for the instance counts only if the view is later than
/// the last change that the client knows of.
pub(crate) fn idle_step(
    tracked: &TrackedInstance,
    result: Option<&ObserveResult>,
    options: &DecideOptions,
    age: Duration,
) -> IdleStep {
    let waiting = match &tracked.phase {
        Phase::AwaitsIdle(refusal) => Some(refusal.as_deref()),
        _ => None,
    };
    let refusal = waiting.flatten();
    let state = match (result, refusal) {
        (Some(ObserveResult::Found(seen)), _) => seen.state,
        (Some(ObserveResult::Failed(fault)), refusal) if fails_for_good(fault.kind()) => {
            return refusal.map_or(IdleStep::Send, |refusal| {
                IdleStep::Unobservable(refusal.fault.clone())
            });
        }
        (Some(ObserveResult::Failed(_)), _) => return IdleStep::Wait,
        (Some(ObserveResult::NotFound) | None, _) => return IdleStep::Send,
    };
    let is_view_early = age < LATEST_VIEW;
    if options.awaits_end_of(state) {
        return IdleStep::Wait;
    }
    if options.kind == Some(ActionKind::Reboot) {
        // A late view of an earlier boot must not be taken for this reboot.
        let is_back = match tracked.run_history {
            RunHistory::SeenRunning(since) => since.elapsed() >= LATEST_VIEW,
            _ => false,
        };
        return match state {
            PowerState::Running if waiting.is_some() && !is_back => IdleStep::Wait,
            PowerState::Stopped if is_view_early => IdleStep::Wait,
            _ => IdleStep::Send,
        };
    }
    let is_open = |refusal: &Refusal| !refusal.explained && !names_the_state(refusal.fault.kind());
    if !options.leads_to_goal(state) && refusal.is_none_or(|refusal| !is_open(refusal)) {
        return IdleStep::Send;
    }
    match refusal {
        Some(refusal) if refusal.at.elapsed() < LATEST_VIEW => IdleStep::Wait,
        Some(refusal) => IdleStep::Settle(refusal.fault.clone()),
        None if options.strict && is_view_early => IdleStep::Wait,
        None => IdleStep::Send,
    }
}

#[cfg(test)]
mod tests {
    use lifecycle_core::{FaultKind, InstanceId, Observation};
    use tokio::time::Instant;

    use super::*;

    use ActionKind::{Reboot, Start, Stop};
    use PowerState::{Changing, Creating, Failed, Rebooting, Running, Starting, Stopped, Stopping};

    fn when_idle(kind: ActionKind) -> DecideOptions {
        DecideOptions {
            kind: Some(kind),
            goal: kind.goal(),
            waits: true,
            strict: false,
            forces: false,
            when_idle: true,
            idempotent: kind != Reboot,
        }
    }

    fn id() -> InstanceId {
        InstanceId::new("i-1").unwrap()
    }

    fn found(state: PowerState) -> Option<ObserveResult> {
        let seen = Observation::new(id(), state, state.as_str());
        Some(ObserveResult::Found(seen))
    }

    fn failed(kind: FaultKind) -> Option<ObserveResult> {
        Some(ObserveResult::Failed(Fault::new(kind, "no")))
    }

    fn in_phase(phase: Phase) -> TrackedInstance {
        TrackedInstance::new(id(), phase, Instant::now())
    }

    /// Returns an instance that the cloud refused `millis` milliseconds ago.
    fn refused(kind: FaultKind, millis: u64, explained: bool) -> TrackedInstance {
        let mut refusal = Refusal::now(Fault::new(kind, "no"));
        refusal.at -= Duration::from_millis(millis);
        refusal.explained = explained;
        in_phase(Phase::AwaitsIdle(Some(refusal.into())))
    }

    /// Returns an instance that waits, and that was first seen running `millis` milliseconds ago.
    fn back_since(millis: u64) -> TrackedInstance {
        let since = Instant::now() - Duration::from_millis(millis);
        TrackedInstance {
            run_history: RunHistory::SeenRunning(since),
            ..in_phase(Phase::AwaitsIdle(None))
        }
    }

    fn step(
        options: &DecideOptions,
        tracked: &TrackedInstance,
        result: Option<&ObserveResult>,
        age: u64,
    ) -> &'static str {
        match idle_step(tracked, result, options, Duration::from_millis(age)) {
            IdleStep::Wait => "wait",
            IdleStep::Send => "send",
            IdleStep::Settle(_) => "settle",
            IdleStep::Unobservable(_) => "unobservable",
        }
    }

    #[test]
    fn instance_is_sent_at_once_unless_a_transition_does_not_lead_to_the_goal() {
        for (kind, state, expected) in [
            (Stop, Running, "send"),
            (Stop, Stopped, "send"),
            (Stop, Stopping, "send"),
            (Stop, Failed, "send"),
            (Stop, Starting, "wait"),
            (Stop, Creating, "wait"),
            (Stop, Rebooting, "wait"),
            (Stop, Changing, "wait"),
            (Start, Stopping, "wait"),
            (Start, Starting, "send"),
            (Start, Rebooting, "send"),
            (Reboot, Running, "send"),
            (Reboot, Failed, "send"),
            (Reboot, Starting, "wait"),
            (Reboot, Rebooting, "wait"),
        ] {
            let fresh = in_phase(Phase::NotSent);
            let found = found(state);
            let step = step(&when_idle(kind), &fresh, found.as_ref(), 0);
            assert_eq!(step, expected, "{kind} of an instance that is {state}");
        }
    }

    #[test]
    fn failed_look_is_repeated_unless_no_look_can_succeed() {
        use FaultKind::{NoAnswer, Permission, WrongState};
        let fresh = || in_phase(Phase::NotSent);
        for (tracked, result, expected) in [
            (fresh(), failed(NoAnswer), "wait"),
            (refused(WrongState, 60_000, false), failed(NoAnswer), "wait"),
            (fresh(), failed(Permission), "send"),
            (
                refused(WrongState, 0, false),
                failed(Permission),
                "unobservable",
            ),
            (fresh(), Some(ObserveResult::NotFound), "send"),
            (fresh(), None, "send"),
        ] {
            let step = step(&when_idle(Stop), &tracked, result.as_ref(), 0);
            assert_eq!(step, expected, "{result:?} about {tracked:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn refusal_stands_when_the_state_agrees_for_fifteen_seconds() {
        use FaultKind::{Busy, Failed, WrongState};
        for (tracked, state, expected) in [
            (refused(WrongState, 14_999, false), Stopped, "wait"),
            (refused(WrongState, 15_000, false), Stopped, "settle"),
            (refused(WrongState, 15_001, true), Stopped, "settle"),
            // The state allows the action, and the refusal was about the state.
            (refused(WrongState, 0, false), Running, "send"),
            (refused(Busy, 60_000, true), Running, "send"),
            // The cloud gave no reason, and only a transition would explain the refusal.
            (refused(Failed, 14_999, false), Running, "wait"),
            (refused(Failed, 15_000, false), Running, "settle"),
            (refused(Failed, 0, true), Running, "send"),
            (refused(Failed, 60_000, false), Starting, "wait"),
        ] {
            let found = found(state);
            let step = step(&when_idle(Stop), &tracked, found.as_ref(), 60_000);
            assert_eq!(step, expected, "{state} of {tracked:?}");
        }
    }

    #[test]
    fn early_view_at_the_goal_does_not_end_a_strict_request() {
        let strict = DecideOptions {
            strict: true,
            ..when_idle(Stop)
        };
        for (options, state, age, expected) in [
            (strict, Stopped, 14_999, "wait"),
            (strict, Stopped, 15_000, "send"),
            (strict, Running, 0, "send"),
            (when_idle(Stop), Stopped, 0, "send"),
            (when_idle(Reboot), Stopped, 14_999, "wait"),
            (when_idle(Reboot), Stopped, 15_000, "send"),
        ] {
            let fresh = in_phase(Phase::NotSent);
            let step = step(&options, &fresh, found(state).as_ref(), age);
            assert_eq!(step, expected, "{options:?}, {state} after {age} ms");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn reboot_after_a_boot_waits_until_no_late_view_can_show_the_boot() {
        for (tracked, expected) in [
            (in_phase(Phase::AwaitsIdle(None)), "wait"),
            (back_since(0), "wait"),
            (back_since(14_999), "wait"),
            (back_since(15_000), "send"),
            (
                TrackedInstance {
                    phase: Phase::NotSent,
                    ..back_since(0)
                },
                "send",
            ),
        ] {
            let step = step(&when_idle(Reboot), &tracked, found(Running).as_ref(), 0);
            assert_eq!(step, expected, "{tracked:?}");
        }
    }
}

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
        Phase::AwaitsIdle(refusal) => Some(refusal.as_ref()),
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

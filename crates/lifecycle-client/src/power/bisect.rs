//! Bisects a rejected batch, to find the instances that caused the rejection.

use std::time::Duration;

use lifecycle_core::{
    Action, ActionKind, ExecutionStatus, Fault, FaultKind, Idempotency, InstanceId, Observation,
    PowerState,
};
use tokio::time::{Instant, sleep_until};

use super::{
    batch::{ActionBatch, halves},
    rejection::{poll_ambiguous, poll_vanished, reject, reject_after_observe, state_may_explain},
    runner::RequestRunner,
};
use crate::instant::after;
use crate::observe::lookup::{ObserveResult, not_shown};

/// Returns the batches to send instead of `batch`, which the cloud rejected as a whole.
pub(crate) async fn bisect(
    runner: &RequestRunner<'_>,
    action: &Action,
    batch: ActionBatch,
    fault: &Fault,
) -> Vec<ActionBatch> {
    if !is_idempotent(action) {
        return halve_if_unmoved(runner, batch.ids, fault).await;
    }
    let kind = action.kind();
    let (named, rest): (Vec<_>, Vec<_>) = batch
        .ids
        .iter()
        .cloned()
        .partition(|id| fault.instances().contains(id));
    if !named.is_empty() && !rest.is_empty() {
        let named = named.into_iter().map(|id| (id, fault.clone()));
        reject(runner, kind, named.collect()).await;
        return vec![ActionBatch {
            observed: batch.observed,
            ..ActionBatch::rest(rest)
        }];
    }
    if batch.observed {
        return halves(batch.ids);
    }
    let waits_for_views = runner.stale_view_time(&batch);
    let late_until = after(Instant::now(), waits_for_views).min(runner.send_by());
    let total = batch.ids.len();
    let mut rest = batch.ids;
    loop {
        rest = unexplained(runner, kind, rest, fault).await;
        let is_next_sent = rest.is_empty() || (rest.len() < total && !batch.resent);
        let again = after(Instant::now(), runner.polling_pause());
        if is_next_sent || again >= late_until {
            break;
        }
        sleep_until(again).await;
    }
    match rest.len() {
        0 => Vec::new(),
        all if all == total => halves(rest),
        _ => vec![ActionBatch {
            // No later look explains more.
            observed: batch.resent && !waits_for_views.is_zero(),
            ..ActionBatch::rest(rest)
        }],
    }
}

/// Looks at the instances of a rejected batch, and records those whose state explains the rejection.
/// Returns the other instances.
async fn unexplained(
    runner: &RequestRunner<'_>,
    kind: ActionKind,
    ids: Vec<InstanceId>,
    fault: &Fault,
) -> Vec<InstanceId> {
    let results = runner.observe_once(&ids).await;
    // The cloud may have executed a part of the batch.
    let unclear = fault
        .clone()
        .with_execution_status(ExecutionStatus::Unknown);
    let mut rest = Vec::new();
    for id in ids {
        match results.get(&id) {
            Some(ObserveResult::Found(seen)) if explains(kind, seen, fault.kind()) => {
                reject_after_observe(runner, &id, &unclear, Some(seen));
            }
            Some(ObserveResult::NotFound) if poll_vanished(runner, &id, &unclear) => {}
            Some(ObserveResult::NotFound) => {
                let fault = not_shown().with_request_id(fault.request_id());
                runner.tracker().rejected(&id, &fault);
            }
            result => {
                if let Some(ObserveResult::Found(seen)) = result {
                    runner.tracker().seen_after_rejection(seen);
                }
                rest.push(id);
            }
        }
    }
    runner.notify();
    rest
}

/// Returns the halves of a rejected batch of reboots, if no instance has moved. Otherwise the batch
/// is polled: the cloud may have rebooted a part of the batch despite the rejection.
async fn halve_if_unmoved(
    runner: &RequestRunner<'_>,
    ids: Vec<InstanceId>,
    fault: &Fault,
) -> Vec<ActionBatch> {
    if stayed_unmoved(runner, &ids).await {
        return match fault.kind() {
            // The cloud does not know the call for several instances.
            FaultKind::Unsupported => ids
                .into_iter()
                .map(|id| ActionBatch::observed_rest(vec![id]))
                .collect(),
            _ => halves(ids),
        };
    }
    poll_ambiguous(runner, &ids, fault);
    Vec::new()
}

/// The longest time between two views of an instance in which no reboot can pass unseen. No cloud
/// documents the shortest reboot; an instance needs longer than this time to shut down and boot.
const LONGEST_UNSEEN: Duration = Duration::from_secs(8);

/// Watches the instances of a rejected batch of reboots, and returns whether lookups prove that no
/// instance has moved since the batch was sent.
///
/// The proof is a complete series of lookups until the end of the settle time. Each lookup shows
/// every instance as before, and no gap between lookups is longer than [`LONGEST_UNSEEN`]. A lookup
/// that failed, or waited too long in the rate limiter, breaks the proof, and so does a time limit
/// before the end of the settle time.
async fn stayed_unmoved(runner: &RequestRunner<'_>, ids: &[InstanceId]) -> bool {
    let until = after(Instant::now(), runner.settle);
    let Some(mut unmoved_at) = runner.tracker().sent_at(ids) else {
        return false;
    };
    if until > runner.deadline {
        return false;
    }
    let pause = runner.polling_pause().min(LONGEST_UNSEEN / 2);
    loop {
        sleep_until(until.min(after(Instant::now(), pause))).await;
        let asked_at = Instant::now();
        let results = runner.observe_once(ids).await;
        let unmoved = |id: &InstanceId| match results.get(id) {
            Some(ObserveResult::Found(seen)) => runner.tracker().back_in_initial_state(seen),
            // An instance that existed may have moved before it vanished.
            Some(ObserveResult::NotFound) => !runner.tracker().existed(id),
            _ => false,
        };
        if unmoved_at.elapsed() > LONGEST_UNSEEN || !ids.iter().all(unmoved) {
            return false;
        }
        if asked_at >= until {
            return true;
        }
        unmoved_at = asked_at;
    }
}

/// Returns true if a repetition of `action` does no harm.
pub(crate) fn is_idempotent(action: &Action) -> bool {
    matches!(action.idempotency(), Idempotency::Idempotent(_))
}

/// Returns true if an instance in this state can be the reason for the rejection of the batch.
fn explains(action: ActionKind, seen: &Observation, fault: FaultKind) -> bool {
    let (ready, goal) = match action {
        ActionKind::Start => (PowerState::Stopped, PowerState::Running),
        _ => (PowerState::Running, PowerState::Stopped),
    };
    match seen.state {
        state if state == goal => true,
        PowerState::Unknown => false,
        state if state == ready => seen.lock.is_some() && fault == FaultKind::Locked,
        _ => state_may_explain(fault),
    }
}

/// Returns the highest number of action calls for one batch: enough to find eight unfit instances.
pub(crate) fn call_budget(batch: usize) -> usize {
    const MAX_UNFIT: usize = 8;
    let depth = batch.max(1).ilog2() as usize + 1;
    2 + 2 * MAX_UNFIT * depth
}

#[cfg(test)]
mod tests {
    use lifecycle_core::{Lock, RebootOptions, StartOptions, StopOptions};

    use super::*;

    use ActionKind::{Start, Stop};
    use PowerState::{Failed, Running, Starting, Stopped, Stopping, Unknown};

    #[test]
    fn budget_of_a_batch_finds_eight_unfit_instances() {
        for (batch, calls) in [
            (0, 18),
            (1, 18),
            (2, 34),
            (3, 34),
            (4, 50),
            (10, 66),
            (100, 114),
        ] {
            assert_eq!(call_budget(batch), calls, "a batch of {batch}");
        }
    }

    #[test]
    fn only_a_reboot_may_not_be_repeated() {
        assert!(is_idempotent(&StartOptions::default().into()));
        assert!(is_idempotent(&StopOptions::default().into()));
        assert!(!is_idempotent(&RebootOptions::default().into()));
    }

    #[test]
    fn state_explains_a_rejected_batch_if_the_state_does_not_allow_the_action() {
        use FaultKind::{Busy, Capacity, Locked, WrongState};
        for (kind, state, is_locked, fault, expected) in [
            // At the goal.
            (Start, Running, false, Capacity, true),
            (Stop, Stopped, false, Capacity, true),
            // Ready for the action: only a lock can be the reason.
            (Start, Stopped, false, WrongState, false),
            (Start, Stopped, true, Locked, true),
            (Start, Stopped, true, WrongState, false),
            (Start, Stopped, false, Locked, false),
            (Stop, Running, false, WrongState, false),
            (Stop, Running, true, Locked, true),
            // In a transition, or broken.
            (Start, Stopping, false, WrongState, true),
            (Start, Stopping, false, Capacity, false),
            (Stop, Starting, false, Busy, true),
            (Stop, Failed, false, WrongState, true),
            (Stop, Failed, false, Locked, false),
            (Start, Unknown, false, WrongState, false),
        ] {
            let id = InstanceId::new("i-1").unwrap();
            let mut seen = Observation::new(id, state, state.as_str());
            seen.lock = is_locked.then_some(Lock::Financial);
            let found = explains(kind, &seen, fault);
            assert_eq!(found, expected, "{kind}, {state}, {is_locked}, {fault}");
        }
    }
}

//! Rejections of single instances: final rejections, and rejections that an observation must
//! explain first.

use lifecycle_core::{ActionKind, ExecutionStatus, Fault, FaultKind, InstanceId, Observation};

use super::runner::RequestRunner;
use crate::observe::lookup::{ObserveResult, not_shown};

/// Records that the cloud rejected these instances one by one. A rejection that can mean "already in
/// the requested state" is decided by a lookup.
pub(crate) async fn reject(
    runner: &RequestRunner<'_>,
    kind: ActionKind,
    rejected: Vec<(InstanceId, Fault)>,
) {
    if kind == ActionKind::Reboot {
        return reject_reboots(runner, rejected).await;
    }
    let (open, certain): (Vec<_>, Vec<_>) = rejected.into_iter().partition(|(id, fault)| {
        state_may_explain(fault.kind())
            || fault.maybe_executed()
            || runner.tracker().is_maybe_executed_before(id)
    });
    {
        let mut tracker = runner.tracker();
        for (id, fault) in certain {
            tracker.rejected(&id, &fault);
        }
    }
    if !open.is_empty() {
        let ids: Vec<InstanceId> = open.iter().map(|(id, _)| id.clone()).collect();
        let results = runner.observe_once(&ids).await;
        for (id, fault) in open {
            match results.get(&id) {
                Some(ObserveResult::Found(seen)) => {
                    reject_after_observe(runner, &id, &fault, Some(seen));
                }
                Some(ObserveResult::NotFound) if poll_vanished(runner, &id, &fault) => {}
                // The lookup gives the reason that the cloud left out.
                Some(ObserveResult::NotFound) if fault.code().is_none() => {
                    let fault = not_shown().with_request_id(fault.request_id());
                    runner.tracker().rejected(&id, &fault);
                }
                Some(ObserveResult::NotFound) => runner.tracker().rejected(&id, &fault),
                _ => reject_after_observe(runner, &id, &fault, None),
            }
        }
    }
    runner.notify();
}

/// Records rejected reboots. A state proves nothing about a reboot: an existing instance whose
/// reboot may have begun is polled.
async fn reject_reboots(runner: &RequestRunner<'_>, rejected: Vec<(InstanceId, Fault)>) {
    let (open, certain): (Vec<_>, Vec<_>) = rejected
        .into_iter()
        .partition(|(_, fault)| fault.maybe_executed());
    for (id, fault) in certain {
        runner.tracker().rejected(&id, &fault);
    }
    let ids: Vec<InstanceId> = open.iter().map(|(id, _)| id.clone()).collect();
    let results = runner.observe_once(&ids).await;
    for (id, fault) in open {
        match results.get(&id) {
            Some(ObserveResult::NotFound) if poll_vanished(runner, &id, &fault) => {}
            Some(ObserveResult::NotFound) => {
                let fault = not_shown().with_request_id(fault.request_id());
                runner.tracker().rejected(&id, &fault);
            }
            _ => {
                let settle_by = runner.settle_by();
                runner.tracker().answer_lost(&id, &fault, settle_by);
                runner.subscription.add([id]);
            }
        }
    }
    runner.notify();
}

/// Records that only polling can tell whether the action was executed, and polls.
pub(crate) fn poll_ambiguous(runner: &RequestRunner<'_>, ids: &[InstanceId], fault: &Fault) {
    {
        let mut tracker = runner.tracker();
        for id in ids {
            tracker.answer_lost(id, fault, runner.settle_by());
        }
    }
    runner.start_force_timer(ids);
    runner.subscription.add(ids.iter().cloned());
    runner.notify();
}

/// Polls an instance that existed before a call and that the lookup after the call does not show, if the call
/// may have been executed. Returns `false` for any other instance.
pub(crate) fn poll_vanished(runner: &RequestRunner<'_>, id: &InstanceId, fault: &Fault) -> bool {
    let is_doubtful = {
        let tracker = runner.tracker();
        let maybe_executed = fault.maybe_executed() || tracker.is_maybe_executed_before(id);
        // The graceful stop before a forced stop was accepted, and decides.
        let is_forced = tracker.is_forced(std::slice::from_ref(id));
        maybe_executed && tracker.existed(id) && !is_forced
    };
    if is_doubtful {
        let message = format!(
            "{}; a lookup after the call does not show the instance",
            fault.message()
        );
        let fault = fault.clone().with_message(message);
        let fault = fault.with_execution_status(ExecutionStatus::Unknown);
        poll_ambiguous(runner, std::slice::from_ref(id), &fault);
    }
    is_doubtful
}

/// Records a rejection and the lookup that followed, and polls the instance where that is needed.
pub(crate) fn reject_after_observe(
    runner: &RequestRunner<'_>,
    id: &InstanceId,
    fault: &Fault,
    seen: Option<&Observation>,
) {
    let settle_by = runner.settle_by();
    let needs_polling = runner
        .tracker()
        .rejected_after_observe(id, fault, seen, settle_by);
    if needs_polling {
        runner.start_force_timer(std::slice::from_ref(id));
        runner.subscription.add([id.clone()]);
    }
}

/// Returns whether the state of an instance can explain a rejection of this kind. Clouds reject a
/// start of a running instance with codes that fit other cases as well.
pub(crate) fn state_may_explain(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::WrongState | FaultKind::Busy | FaultKind::Failed | FaultKind::Unknown
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_can_explain_only_rejections_that_leave_the_reason_open() {
        use FaultKind::{Busy, Failed, Unknown, WrongState};
        for kind in FaultKind::ALL {
            let expected = [WrongState, Busy, Failed, Unknown].contains(kind);
            assert_eq!(state_may_explain(*kind), expected, "{kind}");
        }
    }
}

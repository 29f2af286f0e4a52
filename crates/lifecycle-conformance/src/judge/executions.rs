//! Conformance: checks the power operations that the simulator executed: none without a request, and
//! no repeated reboot.

use lifecycle_facade::{ActionKind, InstanceId, LocalDisk, StopMode, lifecycle_core::Action};
use lifecycle_sim::PowerOperation;

use super::{
    ground_truth::{GroundTruth, kind_of},
    violation::Violations,
};
use crate::scenario::Request;

/// Checks all executed power operations of a run.
pub(super) fn check(truth: &GroundTruth<'_>, violations: &mut Violations) {
    for (name, operations) in truth.operations() {
        // The simulator names an instance `cloud/region/id`.
        let id = name.rsplit('/').next().unwrap_or_default();
        let Ok(id) = InstanceId::new(id) else {
            continue;
        };
        let requests: Vec<&Request> = truth.requests_for(&id).collect();
        for (operation, _) in operations {
            if !requests.iter().any(|request| permits(request, *operation)) {
                violations.add(
                    "only requested actions are executed",
                    format!("{operation:?} was executed on {name}"),
                );
            }
        }
        for kind in [ActionKind::Start, ActionKind::Reboot] {
            let is_for_one_execution = |request: &&&Request| {
                request.action.kind() == kind && must_not_be_repeated(&request.action)
            };
            let requested = requests.iter().filter(is_for_one_execution).count();
            let executed = operations
                .iter()
                .filter(|(operation, _)| kind_of(*operation) == kind)
                .count();
            if executed > requested
                && (kind == ActionKind::Reboot || requested == requests.len() && requested > 0)
            {
                violations.add(
                    "at most one execution",
                    format!("{name}: {kind} was requested {requested} times and executed {executed} times"),
                );
            }
        }
    }
}

/// Returns `true` if the request allows the operation.
fn permits(request: &Request, operation: PowerOperation) -> bool {
    let mode = match request.action {
        Action::Stop(stop) => stop.mode,
        Action::Reboot(reboot) => reboot.mode,
        _ => StopMode::Graceful,
    };
    let forced = matches!(
        operation,
        PowerOperation::ForcedStop | PowerOperation::ForcedReboot
    );
    let may_be_forced = mode.is_forced() || request.force_after.is_some();
    let mode_fits = if forced {
        may_be_forced
    } else {
        !mode.is_forced()
    };
    request.action.kind() == kind_of(operation) && mode_fits
}

/// Returns `true` if a second execution does harm.
fn must_not_be_repeated(action: &Action) -> bool {
    match action {
        Action::Start(start) => start.local_disk == LocalDisk::Initialize,
        Action::Reboot(_) => true,
        _ => false,
    }
}

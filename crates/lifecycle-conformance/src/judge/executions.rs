//! Conformance: checks the power operations that the simulator executed: none without a request, and
//! no repeated reboot.

use std::time::Duration;

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
            let of_kind = |request: &&&Request| request.action.kind() == kind;
            let may_be_repeated = requests
                .iter()
                .filter(of_kind)
                .any(|request| !must_not_be_repeated(&request.action));
            let executed: Vec<Duration> = operations
                .iter()
                .filter(|(operation, _)| kind_of(*operation) == kind)
                .map(|(_, at)| *at)
                .collect();
            if may_be_repeated || executed.is_empty() {
                continue;
            }
            // Each execution belongs to a request of its own, which began before.
            let executors = truth.possible_executors(&id, kind);
            let without_request = (0..)
                .zip(&executed)
                .any(|(number, at)| executors.get(number).is_none_or(|started| started > at));
            if without_request {
                violations.add(
                    "at most one execution",
                    format!(
                        "{name}: {kind} was executed {} times, and {} requests can have done that",
                        executed.len(),
                        executors.len()
                    ),
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

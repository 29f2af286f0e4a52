//! Conformance: checks the API calls that the client made in a run. Each call belongs to a request of
//! the user, no call uses a refused key, and the number of calls is as low as possible or bounded.
//!
//! An unfit instance (unknown, locked, in the wrong state) makes the cloud refuse the whole batch.
//! The client bisects such a batch until the unfit instance is alone. This search determines the
//! upper bound of the number of calls.

use std::time::Duration;

use lifecycle_facade::ActionKind;
use lifecycle_sim::{CallRecord, InjectedFault, Operation};

use crate::scenario::{ClientKey, Request};

use super::{
    ground_truth::{GroundTruth, MAX_ISOLATED},
    violation::Violations,
};

/// Checks all calls of a run.
pub(super) fn check(truth: &GroundTruth<'_>, violations: &mut Violations) {
    check_that_calls_belong_to_requests(truth, violations);
    check_use_of_refused_keys(truth, violations);
    check_fewest_calls(truth, violations);
    check_upper_bound(truth, violations);
}

/// Tokio's timers round up to the next millisecond, and a call passes up to three timers.
const ROUNDING: Duration = Duration::from_millis(3);

/// Checks that each call belongs to a running request, and each action to a request for the action.
/// A request whose future was dropped is not running.
fn check_that_calls_belong_to_requests(truth: &GroundTruth<'_>, violations: &mut Violations) {
    for call in &truth.calls {
        let pairs = truth.run.requests.iter().zip(&truth.scenario.requests);
        let belongs_to_request = pairs
            .filter(|(run, _)| {
                // A request that ends in an error is invalid, and the client sends nothing.
                !matches!(run.result, Some(Err(_)))
                    && call.at >= run.started
                    && call.at <= run.ended + ROUNDING
            })
            .any(|(_, request)| {
                !call.operation.is_action() || call.operation == operation(request.action.kind())
            });
        let belongs_to_list = call.operation == Operation::List
            && truth
                .run
                .lists
                .iter()
                .any(|list| call.at >= list.started && call.at <= list.ended + ROUNDING);
        if !belongs_to_request && !belongs_to_list {
            violations.add(
                "every call belongs to a request",
                format!("{} at {:?}", call.name, call.at),
            );
        }
    }
}

/// Checks that no call uses a key after the client received the refusal of the key.
fn check_use_of_refused_keys(truth: &GroundTruth<'_>, violations: &mut Violations) {
    let one_way = truth.scenario.faults.latency / 2;
    let first_refusal = truth
        .calls
        .iter()
        .filter_map(|call| {
            let received_at = refusal_received_at(call, one_way)?;
            is_received(truth, call, received_at).then_some(received_at)
        })
        .min();
    let Some(refusal_known_at) = first_refusal else {
        return;
    };
    let rotates = matches!(truth.scenario.faults.key, ClientKey::Rotated { .. });
    // `call.at` is the arrival at the cloud, which is later than the sending by `one_way`.
    let late = truth
        .calls
        .iter()
        .filter(|call| call.at > refusal_known_at + one_way + ROUNDING)
        // After a rotation, the client goes on with the second key.
        .filter(|call| !rotates || call.credential_refused)
        .count();
    if late > 0 {
        violations.add(
            "no call with a refused key",
            format!("{late} calls after the client received the refusal"),
        );
    }
}

/// Returns the time at which the client receives a refusal of its key, unless the refusal is lost or
/// damaged.
fn refusal_received_at(call: &CallRecord, one_way: Duration) -> Option<Duration> {
    let delay = match &call.fault {
        None | Some(InjectedFault::Stale(_)) => Duration::ZERO,
        Some(InjectedFault::Slow(wait)) => *wait,
        Some(_) => return None,
    };
    // After the attempt's time limit, the client does not read the response.
    let received = call.credential_refused && delay + 2 * one_way < ATTEMPT_TIMEOUT;
    received.then(|| call.at + delay + one_way)
}

/// Returns true if every request that can have made `call` is still running at `at`. The client does
/// not receive the response to a call of a dropped request.
fn is_received(truth: &GroundTruth<'_>, call: &CallRecord, at: Duration) -> bool {
    let mut callers = truth
        .run
        .requests
        .iter()
        .filter(|run| run.started <= call.at && call.at <= run.ended)
        .peekable();
    callers.peek().is_some() && callers.all(|run| at <= run.ended)
}

/// The time limit of one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// Checks that the client makes as few calls as the batch limit permits. Applies to a single request
/// that succeeds, in a run without faults, forced stops and unfit instances.
fn check_fewest_calls(truth: &GroundTruth<'_>, violations: &mut Violations) {
    let [run] = &*truth.run.requests else {
        return;
    };
    let Some(Ok(report)) = &run.result else {
        return;
    };
    let calls = action_calls(truth);
    let (instances, limit) = count_and_batch_limit(truth);
    let Some(request) = truth.scenario.requests.first() else {
        return;
    };
    let fewest: usize = request
        .waves
        .unwrap_or_default()
        .ranges(instances)
        .map(|wave| wave.len().div_ceil(limit))
        .sum();
    if truth.scenario.is_undisturbed()
        && request.force_after.is_none()
        && report.is_success()
        && truth.unfit_count == 0
        && calls != fewest as u64
    {
        violations.add(
            "fewest calls",
            format!("{calls} action calls instead of {fewest}"),
        );
    }
}

/// Checks the upper bound of action calls: waves · (2·(batches + separate) + 2·isolated·depth), as much
/// for forced stops, and the retries that the client counts. A request that waits for idle instances adds
/// looks · unfit. `depth` is the number of bisections down to one instance. The client isolates at most
/// [`MAX_ISOLATED`] unfit instances of a batch. Forced stops are due in other and smaller batches, so that
/// more instances can be isolated there; a search makes at most two calls for each instance of its batch. A
/// request that looks at the instances first sends an instance that is not plainly ready in a separate call.
fn check_upper_bound(truth: &GroundTruth<'_>, violations: &mut Violations) {
    let [_] = &*truth.run.requests else { return };
    let (instances, limit) = count_and_batch_limit(truth);
    let batches = instances.div_ceil(limit);
    let isolated = truth.unfit_count.min(MAX_ISOLATED * batches);
    let depth = instances.min(limit).max(1).ilog2() as usize + 1;
    let separate = match truth.scenario.requests.first() {
        Some(request) if looks_first(request) => truth.unfit_at_start,
        _ => 0,
    };
    let search = 2 * isolated * depth;
    let forced_search = search.max(2 * (truth.unfit_count * depth).min(instances));
    let calls_of_a_wave = |request: &Request| match request.force_after {
        Some(_) => 4 * (batches + separate) + search + forced_search,
        None => 2 * (batches + separate) + search,
    };
    // Each wave has at most the instances of the whole request.
    let calls_of_waves = truth.scenario.requests.first().map_or(0, |request| {
        let waves = request.waves.unwrap_or_default();
        calls_of_a_wave(request) * waves.ranges(instances).count().max(1)
    });
    let looks = truth.scenario.requests.first().map_or(0, |request| {
        let every = truth.client().profile().polling.every;
        let limit = request
            .deadline(instances)
            .unwrap_or(Request::LIMIT_WITHOUT_WAIT);
        usize::from(request.when_idle) * (limit.as_secs() / every.as_secs().max(1)) as usize
    });
    // A request that waits for idle instances can send a refused instance again after each look.
    let max_calls = calls_of_waves + looks * truth.unfit_count;
    // The client signs again if the cloud refuses the time of the signature, or the key.
    let refused = truth.calls.iter().filter(|call| call.credential_refused);
    let signed_again = u64::from(truth.scenario.faults.skew != 0) * 2 + refused.count() as u64;
    let max = max_calls as u64 + truth.client().calls().repeats + signed_again;
    let calls = action_calls(truth);
    if calls > max {
        violations.add(
            "bounded number of calls",
            format!("{calls} action calls instead of at most {max}"),
        );
    }
}

/// Returns true if the client looks at the instances before the action.
fn looks_first(request: &Request) -> bool {
    request.action.kind() == ActionKind::Reboot || request.strict || request.when_idle
}

/// Counts the calls of start, stop and reboot.
fn action_calls(truth: &GroundTruth<'_>) -> u64 {
    let actions = truth.calls.iter().filter(|call| call.operation.is_action());
    actions.count() as u64
}

/// Returns the number of distinct ids in the first request, and the batch limit of the action.
fn count_and_batch_limit(truth: &GroundTruth<'_>) -> (usize, usize) {
    let action = truth
        .scenario
        .requests
        .first()
        .map(|request| request.action);
    let limit = action.map_or(1, |action| truth.client().profile().batch_limit(&action));
    (truth.ids_of_first_request().count(), limit)
}

fn operation(kind: ActionKind) -> Operation {
    match kind {
        ActionKind::Start => Operation::Start,
        ActionKind::Stop => Operation::Stop,
        _ => Operation::Reboot,
    }
}

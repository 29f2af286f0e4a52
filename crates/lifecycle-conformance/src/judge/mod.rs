//! The judge of the conformance tests: compares a finished run of a scenario with the promises of the
//! client.

mod calls;
mod events;
mod executions;
mod ground_truth;
mod lists;
mod outcomes;
mod violation;

use std::{collections::HashSet, time::Duration};

use lifecycle_facade::Error;

use crate::{
    scenario::{Request, Scenario},
    scenario_run::{RequestRun, ScenarioRun},
};
use ground_truth::GroundTruth;
pub use violation::Violation;
use violation::Violations;

/// Returns every broken promise of a run.
pub(crate) fn judge(scenario: &Scenario, run: &ScenarioRun) -> Vec<Violation> {
    let truth = GroundTruth::new(scenario, run);
    let mut violations = Violations::default();
    for (run, request) in run.requests.iter().zip(&scenario.requests) {
        check_deadline(run, request, &mut violations);
        check_refusal_of_the_request(&truth, run, request, &mut violations);
        outcomes::check(&truth, run, request, &mut violations);
        events::check(run, &mut violations);
    }
    executions::check(&truth, &mut violations);
    lists::check(&truth, &mut violations);
    calls::check(&truth, &mut violations);
    violations.0
}

/// The tolerance for deadlines. Tokio's timers round up to the next millisecond, and several timers
/// can follow each other.
const TOLERANCE: Duration = Duration::from_millis(20);

/// Checks that a request ends by the deadline.
fn check_deadline(run: &RequestRun, request: &Request, violations: &mut Violations) {
    let took = run.ended.saturating_sub(run.started);
    // A wave is a share of the distinct instances.
    let distinct: HashSet<_> = run.ids.iter().collect();
    let deadline = request
        .deadline(distinct.len())
        .unwrap_or(Request::LIMIT_WITHOUT_WAIT);
    if took > deadline + TOLERANCE {
        violations.add(
            "requests end by their deadline",
            format!("{took:?} with a deadline of {deadline:?}"),
        );
    }
}

/// Checks that the client refuses a whole request if, and only if, the cloud does not support an
/// option.
fn check_refusal_of_the_request(
    truth: &GroundTruth<'_>,
    run: &RequestRun,
    request: &Request,
    violations: &mut Violations,
) {
    let profile = truth.run.stage.client.profile();
    let supported = profile.supports(&request.action).is_ok();
    let wait_timeout = request.wait_timeout.unwrap_or(Duration::MAX);
    let forces_too_late = request
        .force_after
        .is_some_and(|after| after >= wait_timeout);
    match &run.result {
        Some(Err(Error::NeverForced { .. })) if forces_too_late => {}
        Some(Err(Error::Unsupported(_))) if !supported => {}
        Some(Err(error)) => violations.add("supported requests get a report", error.to_string()),
        Some(Ok(_)) if !supported => violations.add(
            "unsupported options are refused",
            format!("{:?} was accepted", request.action),
        ),
        Some(Ok(_)) | None => {}
    }
}

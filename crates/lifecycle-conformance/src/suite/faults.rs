//! Cases of the conformance suite with faults between client and cloud.

use lifecycle_facade::{ActionKind, FaultKind, Outcome, PowerState};
use tokio::time::Instant;

use super::{
    Access, CallFault, Case, CaseError, CaseResult, ClientSetup, CloudUnderTest, Condition,
    FaultTarget,
    case::ensure,
    power::{LONG, at_most_one_reboot, only_outcome, plain, ready_condition, request},
    reads::{observed, one_instance},
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (fault, name) in ACTION_FAULTS {
        for kind in [ActionKind::Start, ActionKind::Stop, ActionKind::Reboot] {
            cases.push(Case::new(
                format!("{kind}: {name}"),
                Access::Power,
                move |s| Box::pin(action_fault(s, kind, fault)),
            ));
        }
    }
    for kind in [ActionKind::Start, ActionKind::Stop, ActionKind::Reboot] {
        cases.push(Case::new(
            format!("{kind}: the time of a retry hint"),
            Access::Power,
            move |s| Box::pin(retry_hint(s, kind)),
        ));
    }
    for (fault, name) in OBSERVE_FAULTS {
        cases.push(Case::new(
            format!("observing: {name}"),
            Access::Read,
            move |s| Box::pin(observe_fault(s, fault)),
        ));
        cases.push(Case::new(
            format!("a wait: {name}"),
            Access::Power,
            move |s| Box::pin(wait_fault(s, fault)),
        ));
    }
    cases.push(Case::new("throttled permanently", Access::Power, |s| {
        Box::pin(throttled_permanently(s))
    }));
    cases.push(Case::new(
        "observing an undocumented state",
        Access::Read,
        |s| Box::pin(unknown_state(s)),
    ));
    cases.push(Case::new(
        "a wait that observes an undocumented state",
        Access::Power,
        |s| Box::pin(wait_for_unknown_state(s)),
    ));
    cases
}

const ACTION_FAULTS: [(CallFault, &str); 9] = [
    (CallFault::ThrottledWithHint, "throttled with a hint"),
    (CallFault::ThrottledWithoutHint, "throttled without a hint"),
    (CallFault::NoConnection, "no connection"),
    (CallFault::LostRequest, "request lost"),
    (CallFault::LostAnswer, "executed, answer lost"),
    (CallFault::GarbledAnswer, "executed, answer garbled"),
    (CallFault::HalfAnswer, "executed, answer cut in half"),
    (CallFault::ServerError, "proxy error"),
    (CallFault::InternalError, "executed, internal error"),
];

const OBSERVE_FAULTS: [(CallFault, &str); 4] = [
    (CallFault::GarbledAnswer, "answer garbled"),
    (CallFault::HalfAnswer, "answer cut in half"),
    (CallFault::EmptyAnswer, "empty answer"),
    (CallFault::LostAnswer, "answer lost"),
];

/// Sends one action with a fault in the first call.
async fn action_fault(
    cloud: &dyn CloudUnderTest,
    kind: ActionKind,
    fault: CallFault,
) -> CaseResult {
    let client = cloud.client(ClientSetup::Valid).await?;
    cloud.inject(fault, FaultTarget::Actions)?;
    let id = one_instance(cloud, ready_condition(kind)).await?;
    let report = request(&client, plain(kind), [id.clone()], Some(LONG)).await?;
    at_most_one_reboot(cloud, &id)?;
    let outcome = only_outcome(&report, &id)?;
    let executed = cloud.executions(&id).map(|counts| match kind {
        ActionKind::Stop => counts.stops,
        ActionKind::Reboot => counts.reboots,
        _ => counts.starts,
    });
    matches_executions(outcome, executed, cloud.actual_state(&id), kind)?;
    // The client can repeat an idempotent action, and a call without an effect.
    if is_safe_to_repeat(kind, fault) {
        ensure(outcome.is_success(), || {
            format!("unexpected outcome: {outcome}")
        })?;
    }
    Ok(())
}

/// Checks that the action is accepted, and not sent again before the time of the retry hint. A request
/// that waits takes longer than the hint in any case.
async fn retry_hint(cloud: &dyn CloudUnderTest, kind: ActionKind) -> CaseResult {
    let client = cloud.client(ClientSetup::Valid).await?;
    cloud.inject(CallFault::ThrottledWithHint, FaultTarget::Actions)?;
    let id = one_instance(cloud, ready_condition(kind)).await?;
    let begin = Instant::now();
    let report = request(&client, plain(kind), [id.clone()], None).await?;
    let waited = begin.elapsed();
    let outcome = only_outcome(&report, &id)?;
    ensure(outcome.is_success(), || {
        format!("unexpected outcome: {outcome}")
    })?;
    ensure(waited >= CallFault::HINT, || {
        format!("the request ended after {waited:?}, before the retry hint")
    })
}

fn matches_executions(
    outcome: &Outcome,
    executed: Option<u32>,
    actual: Option<PowerState>,
    kind: ActionKind,
) -> CaseResult {
    let at_goal = actual.is_none_or(|state| state == kind.goal());
    let right = match outcome {
        Outcome::Reached(_) => executed != Some(0) && at_goal,
        Outcome::Unchanged => at_goal,
        Outcome::Refused(_) | Outcome::Skipped(_) => executed.is_none_or(|executed| executed == 0),
        Outcome::Pending(_) => executed != Some(0),
        Outcome::Uncertain(_) => true,
        // `Accepted` is no outcome of a request with a wait.
        _ => false,
    };
    ensure(right, || {
        format!("executed {executed:?} times, now {actual:?}, but the outcome is: {outcome}")
    })
}

fn is_safe_to_repeat(kind: ActionKind, fault: CallFault) -> bool {
    let never_arrived = matches!(
        fault,
        CallFault::ThrottledWithHint | CallFault::ThrottledWithoutHint | CallFault::NoConnection
    );
    never_arrived || kind != ActionKind::Reboot
}

async fn observe_fault(cloud: &dyn CloudUnderTest, fault: CallFault) -> CaseResult {
    let client = cloud.client(ClientSetup::Valid).await?;
    cloud.inject(fault, FaultTarget::Observations)?;
    let id = one_instance(cloud, Condition::Running).await?;
    let statuses = client.observe([&id]).await?;
    match statuses.into_iter().next().map(|row| row.result) {
        Some(Ok(seen)) => ensure(seen.state == PowerState::Running, || {
            format!("a running instance was observed as {}", seen.state)
        }),
        Some(Err(fault)) => ensure(
            matches!(
                fault.kind(),
                FaultKind::Unreadable | FaultKind::NoAnswer | FaultKind::Unavailable
            ),
            || format!("unexpected fault: {fault}"),
        ),
        None => Err(CaseError::Failed(format!("no row for {id}"))),
    }
}

/// Checks that a wait continues after a failed observation.
async fn wait_fault(cloud: &dyn CloudUnderTest, fault: CallFault) -> CaseResult {
    let client = cloud.client(ClientSetup::Valid).await?;
    cloud.inject(fault, FaultTarget::Observations)?;
    let id = one_instance(cloud, Condition::Stopped).await?;
    let report = request(&client, plain(ActionKind::Start), [id.clone()], Some(LONG)).await?;
    let outcome = only_outcome(&report, &id)?;
    ensure(matches!(outcome, Outcome::Reached(_)), || {
        format!("unexpected outcome: {outcome}")
    })
}

async fn throttled_permanently(cloud: &dyn CloudUnderTest) -> CaseResult {
    let client = cloud.client(ClientSetup::Valid).await?;
    cloud.inject(CallFault::ThrottledForEver, FaultTarget::Actions)?;
    let id = one_instance(cloud, Condition::Stopped).await?;
    let report = request(&client, plain(ActionKind::Start), [id.clone()], None).await?;
    let outcome = only_outcome(&report, &id)?;
    let right = matches!(
        outcome,
        Outcome::Refused(fault) | Outcome::Skipped(fault) if fault.kind() == FaultKind::Throttled
    );
    ensure(right, || format!("not refused as throttled: {outcome}"))?;
    let starts = cloud.executions(&id).map_or(0, |counts| counts.starts);
    ensure(starts == 0, || "the instance was started".to_owned())
}

async fn unknown_state(cloud: &dyn CloudUnderTest) -> CaseResult {
    let client = cloud.client(ClientSetup::Valid).await?;
    cloud.inject(CallFault::UnknownState, FaultTarget::Observations)?;
    let id = one_instance(cloud, Condition::Running).await?;
    let seen = observed(&client, &id).await?;
    ensure(seen.state == PowerState::Unknown, || {
        format!("the undocumented state was read as {}", seen.state)
    })?;
    let is_kept = seen.raw.to_lowercase().contains(CallFault::STATE_WORD);
    ensure(is_kept, || {
        format!(
            "the undocumented state is {:?} in the terms of the cloud",
            seen.raw
        )
    })
}

/// Checks that the client never reports an undocumented state as the requested state, except after a
/// successful job.
async fn wait_for_unknown_state(cloud: &dyn CloudUnderTest) -> CaseResult {
    let client = cloud.client(ClientSetup::Valid).await?;
    cloud.inject(CallFault::UnknownState, FaultTarget::Observations)?;
    let id = one_instance(cloud, Condition::Stopped).await?;
    let report = request(&client, plain(ActionKind::Start), [id.clone()], Some(LONG)).await?;
    let outcome = only_outcome(&report, &id)?;
    let right = matches!(
        outcome,
        Outcome::Pending(_) | Outcome::Reached(lifecycle_facade::Evidence::Job(_))
    );
    ensure(right, || format!("unexpected outcome: {outcome}"))
}

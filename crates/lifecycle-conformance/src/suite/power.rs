//! Cases of the conformance suite with power actions and without faults.

use std::time::Duration;

use lifecycle_facade::{
    ActionKind, Client, Error, FaultKind, InstanceId, LocalDisk, Outcome, Pending, PowerState,
    Report, StopBilling, WaitTimeout, lifecycle_core::Action,
};
use tokio::time::Instant;

use super::{
    Access, Case, CaseError, CaseResult, ClientSetup, CloudUnderTest, Condition,
    case::ensure,
    reads::{observed_state, one_instance},
};

/// Returns the cases of every action with every option from every regular state.
pub(super) fn from_every_state() -> Vec<Case> {
    let states = [
        Condition::Stopped,
        Condition::Running,
        Condition::Starting,
        Condition::Stopping,
        Condition::Rebooting,
    ];
    Action::all_variants()
        .flat_map(|action| states.map(|state| action_case(action, state)))
        .collect()
}

/// Returns the cases of every action on an impaired instance.
pub(super) fn on_impaired_instances() -> Vec<Case> {
    let common = [
        Condition::Creating,
        Condition::Changing,
        Condition::Expired,
        Condition::Recycled,
        Condition::Failed,
        Condition::Locked,
        Condition::Unpaid,
    ];
    let mut cases: Vec<Case> = [ActionKind::Start, ActionKind::Stop, ActionKind::Reboot]
        .into_iter()
        .flat_map(|kind| common.map(|condition| action_case(plain(kind), condition)))
        .collect();
    cases.push(action_case(plain(ActionKind::Start), Condition::OutOfStock));
    cases.push(action_case(
        plain(ActionKind::Start),
        Condition::FailsToBoot,
    ));
    for kind in [ActionKind::Start, ActionKind::Stop, ActionKind::Reboot] {
        cases.push(Case::new(
            format!("{kind} of an unknown id"),
            Access::PowerOnUnknownIds,
            move |s| Box::pin(unknown_id(s, kind)),
        ));
    }
    for (kind, condition) in [
        (ActionKind::Start, Condition::Running),
        (ActionKind::Stop, Condition::Stopped),
    ] {
        cases.push(Case::new(
            format!("strict {kind} of an instance that is already {condition}"),
            Access::Power,
            move |s| Box::pin(strict(s, kind, condition)),
        ));
    }
    cases
}

/// Returns the cases of full batches, of one instance more, and of batches that fail in part.
pub(super) fn in_batches() -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in [ActionKind::Start, ActionKind::Stop, ActionKind::Reboot] {
        for (beyond, name) in [(0, "a full batch"), (1, "one more than a full batch")] {
            cases.push(Case::new(
                format!("{kind} of {name}"),
                Access::Power,
                move |s| Box::pin(full_batch(s, kind, beyond)),
            ));
        }
    }
    for condition in [
        Condition::Locked,
        Condition::Expired,
        Condition::Changing,
        Condition::Running,
    ] {
        cases.push(Case::new(
            format!("start of a batch of which one is {condition}"),
            Access::Power,
            move |s| Box::pin(partial_failure(s, ActionKind::Start, Some(condition))),
        ));
    }
    cases.push(Case::new(
        "reboot of a batch of which one is stopped",
        Access::Power,
        |s| {
            Box::pin(partial_failure(
                s,
                ActionKind::Reboot,
                Some(Condition::Stopped),
            ))
        },
    ));
    for kind in [ActionKind::Start, ActionKind::Stop, ActionKind::Reboot] {
        cases.push(Case::new(
            format!("{kind} of a batch of which one is unknown"),
            Access::PowerOnUnknownIds,
            move |s| Box::pin(partial_failure(s, kind, None)),
        ));
    }
    cases
}

/// Returns the cases of waits that reach the time limit.
pub(super) fn past_the_deadline() -> Vec<Case> {
    vec![
        Case::new("a start that exceeds the time limit", Access::Power, |s| {
            Box::pin(exceeds_time_limit(
                s,
                ActionKind::Start,
                Condition::Stopped,
                TOO_SHORT,
            ))
        }),
        Case::new("a stop that never completes", Access::Power, |s| {
            Box::pin(exceeds_time_limit(
                s,
                ActionKind::Stop,
                Condition::IgnoresStop,
                Duration::from_secs(300),
            ))
        }),
    ]
}

/// A time limit below the shortest boot.
const TOO_SHORT: Duration = Duration::from_secs(2);

fn action_case(action: Action, condition: Condition) -> Case {
    Case::new(
        format!("{action}: {condition}"),
        Access::Power,
        move |cloud| Box::pin(single_action(cloud, action, condition)),
    )
}

async fn single_action(
    cloud: &dyn CloudUnderTest,
    action: Action,
    condition: Condition,
) -> CaseResult {
    let client = cloud.client(ClientSetup::Valid).await?;
    if let Err(fault) = client.profile().supports(&action) {
        return unsupported_option(&client, action, fault.message()).await;
    }
    let id = one_instance(cloud, condition).await?;
    let report = request(&client, action, [id.clone()], Some(LONG)).await?;
    let outcome = only_outcome(&report, &id)?;
    let after = actual_or_observed_state(cloud, &client, &id, condition).await?;
    matches_state(action, outcome, after)?;
    executed_as_requested(cloud, action, condition, &id, outcome)?;
    matches_expectation(action.kind(), condition, outcome)
}

/// Checks that the client refuses an unsupported option without a call.
async fn unsupported_option(client: &Client, action: Action, reason: &str) -> CaseResult {
    let id = InstanceId::new("any").map_err(Error::from)?;
    match request(client, action, [id], None).await {
        Err(Error::Unsupported(_)) if client.calls().total() == 0 => {
            Err(CaseError::NotApplicable(reason.to_owned()))
        }
        other => Err(CaseError::Failed(format!(
            "an unsupported option returns {other:?} after {} calls",
            client.calls().total()
        ))),
    }
}

/// A wait longer than every transition that completes.
pub(super) const LONG: Duration = Duration::from_secs(600);

/// Sends `action`, and waits for the result if there is a wait timeout.
pub(super) async fn request(
    client: &Client,
    action: Action,
    ids: impl IntoIterator<Item = InstanceId>,
    timeout: Option<Duration>,
) -> Result<Report, Error> {
    let timeout = timeout.map(WaitTimeout::from);
    macro_rules! send {
        ($request:expr) => {
            match timeout {
                Some(timeout) => $request.wait(timeout).await,
                None => $request.await,
            }
        };
    }
    match action {
        Action::Start(options) => send!(client.start(ids).options(options)),
        Action::Stop(options) => send!(client.stop(ids).options(options)),
        Action::Reboot(options) => send!(client.reboot(ids).options(options)),
        // `Action` has no further variants today.
        _ => Ok(Report::default()),
    }
}

/// Returns the action with default options.
pub(super) fn plain(kind: ActionKind) -> Action {
    match kind {
        ActionKind::Stop => Action::Stop(Default::default()),
        ActionKind::Reboot => Action::Reboot(Default::default()),
        _ => Action::Start(Default::default()),
    }
}

/// Returns the outcome of the single requested instance.
pub(super) fn only_outcome<'r>(
    report: &'r Report,
    id: &InstanceId,
) -> Result<&'r Outcome, CaseError> {
    match report.instances() {
        [row] if row.instance == *id => Ok(&row.outcome),
        rows => Err(CaseError::Failed(format!(
            "{} rows for one instance",
            rows.len()
        ))),
    }
}

/// Returns the actual state of the instance, or the observed state if the cloud cannot show the
/// condition.
async fn actual_or_observed_state(
    cloud: &dyn CloudUnderTest,
    client: &Client,
    id: &InstanceId,
    condition: Condition,
) -> Result<PowerState, CaseError> {
    match cloud.actual_state(id) {
        Some(actual) if !may_be_hidden(condition) => Ok(actual),
        _ => observed_state(client, id).await,
    }
}

/// Reports whether some clouds show the power state instead of `condition`.
fn may_be_hidden(condition: Condition) -> bool {
    matches!(
        condition,
        Condition::Creating
            | Condition::Changing
            | Condition::Expired
            | Condition::Recycled
            | Condition::Failed
            | Condition::FailsToBoot
    )
}

/// Checks that the outcome agrees with the state. Without faults no outcome is uncertain, except for a
/// reboot that the cloud reports as failed without a reason: the reboot can have begun.
fn matches_state(action: Action, outcome: &Outcome, after: PowerState) -> CaseResult {
    let goal = action.kind().goal();
    let right = match outcome {
        Outcome::Reached(_) => after == goal,
        Outcome::Unchanged => after == goal || Some(after) == transition_to(goal),
        Outcome::Pending(Pending::Unconfirmed) => true,
        Outcome::Pending(_) => after != goal || action.kind() == ActionKind::Reboot,
        Outcome::Refused(_) | Outcome::Skipped(_) => true,
        Outcome::Uncertain(fault) => {
            action.kind() == ActionKind::Reboot && fault.kind() == FaultKind::Failed
        }
        // `Accepted` is no outcome of a request with a wait.
        _ => false,
    };
    ensure(right, || {
        format!("the instance is {after}, but the outcome is: {outcome}")
    })
}

fn transition_to(goal: PowerState) -> Option<PowerState> {
    match goal {
        PowerState::Running => Some(PowerState::Starting),
        PowerState::Stopped => Some(PowerState::Stopping),
        _ => None,
    }
}

/// Checks that the cloud executed the requested action in the requested mode, in agreement with the
/// outcome.
fn executed_as_requested(
    cloud: &dyn CloudUnderTest,
    action: Action,
    condition: Condition,
    id: &InstanceId,
    outcome: &Outcome,
) -> CaseResult {
    let Some(counts) = cloud.executions(id) else {
        return Ok(());
    };
    let (requested, others) = match action.kind() {
        ActionKind::Stop => (counts.stops, counts.starts + counts.reboots),
        ActionKind::Reboot => (counts.reboots, counts.starts + counts.stops),
        _ => (counts.starts, counts.stops + counts.reboots),
    };
    ensure(others == 0, || {
        format!("another action was executed: {counts:?}")
    })?;
    let forced = match action {
        Action::Stop(stop) => stop.mode.is_forced(),
        Action::Reboot(reboot) => reboot.mode.is_forced(),
        _ => false,
    };
    ensure(counts.forced == if forced { requested } else { 0 }, || {
        format!("executed in the wrong mode: {counts:?}")
    })?;
    let releases = matches!(action, Action::Stop(stop) if stop.billing == StopBilling::Release);
    ensure(
        counts.released == if releases { requested } else { 0 },
        || format!("executed with the wrong billing: {counts:?}"),
    )?;
    let initialises =
        matches!(action, Action::Start(start) if start.local_disk == LocalDisk::Initialize);
    ensure(
        counts.initialised == if initialises { requested } else { 0 },
        || format!("executed with the wrong treatment of local disks: {counts:?}"),
    )?;
    let possible = match outcome {
        Outcome::Reached(_) if condition == ready_condition(action.kind()) => 1..=1,
        Outcome::Reached(_) if action.kind() == ActionKind::Reboot => 1..=1,
        // A cloud can accept an action without an execution.
        Outcome::Reached(_) | Outcome::Pending(_) => 0..=1,
        _ => 0..=0,
    };
    ensure(possible.contains(&requested), || {
        format!("executed {requested} times, but the outcome is: {outcome}")
    })
}

/// Checks the outcome of conditions on which all clouds agree.
fn matches_expectation(kind: ActionKind, condition: Condition, outcome: &Outcome) -> CaseResult {
    let right = match (kind, condition) {
        (ActionKind::Start, Condition::Stopped)
        | (ActionKind::Stop | ActionKind::Reboot, Condition::Running) => {
            matches!(outcome, Outcome::Reached(_))
        }
        (ActionKind::Start, Condition::Running | Condition::Starting)
        | (ActionKind::Stop, Condition::Stopped | Condition::Stopping) => outcome.is_success(),
        // Not every cloud gives the reason.
        (ActionKind::Start, Condition::Locked | Condition::Unpaid | Condition::OutOfStock) => {
            matches!(outcome, Outcome::Refused(_))
        }
        (ActionKind::Start | ActionKind::Reboot, condition) if may_be_hidden(condition) => {
            !outcome.is_success()
        }
        _ => true,
    };
    ensure(right, || format!("unexpected outcome: {outcome}"))
}

async fn unknown_id(cloud: &dyn CloudUnderTest, kind: ActionKind) -> CaseResult {
    let client = cloud.client(ClientSetup::Valid).await?;
    let id = cloud.unknown_id()?;
    let report = request(&client, plain(kind), [id.clone()], Some(LONG)).await?;
    // Some clouds report the instance as failed without a reason.
    is_refused(
        only_outcome(&report, &id)?,
        &[FaultKind::NotFound, FaultKind::Failed],
    )
}

async fn strict(cloud: &dyn CloudUnderTest, kind: ActionKind, condition: Condition) -> CaseResult {
    let client = cloud.client(ClientSetup::Valid).await?;
    let id = one_instance(cloud, condition).await?;
    let before = client.calls().actions;
    let report = match kind {
        ActionKind::Stop => client.stop([&id]).strict().await?,
        _ => client.start([&id]).strict().await?,
    };
    is_refused(only_outcome(&report, &id)?, &[FaultKind::WrongState])?;
    ensure(client.calls().actions == before, || {
        "an action was sent".to_owned()
    })
}

fn is_refused(outcome: &Outcome, kinds: &[FaultKind]) -> CaseResult {
    let right = matches!(outcome, Outcome::Refused(fault) if kinds.contains(&fault.kind()));
    ensure(right, || format!("not refused as {kinds:?}: {outcome}"))
}

/// Returns the condition in which the action has an effect.
pub(super) fn ready_condition(kind: ActionKind) -> Condition {
    match kind {
        ActionKind::Stop | ActionKind::Reboot => Condition::Running,
        _ => Condition::Stopped,
    }
}

async fn full_batch(cloud: &dyn CloudUnderTest, kind: ActionKind, beyond: usize) -> CaseResult {
    let client = cloud.client(ClientSetup::Valid).await?;
    let action = plain(kind);
    let count = client.profile().batch_limit(&action) + beyond;
    let ids = cloud.instances(count, ready_condition(kind)).await?;
    let before = client.calls().actions;
    let report = request(&client, action, ids.iter().cloned(), None).await?;
    ensure(in_order(&report, &ids), || {
        format!("the rows differ from the {count} requested instances")
    })?;
    if let Some(row) = report.failures().next() {
        return Err(CaseError::Failed(row.to_string()));
    }
    let (calls, fewest) = (client.calls().actions - before, 1 + beyond as u64);
    ensure(calls == fewest, || {
        format!("{calls} calls for {count} instances, where {fewest} are enough")
    })?;
    for id in &ids {
        if let Some(counts) = cloud.executions(id) {
            let all = counts.starts + counts.stops + counts.reboots;
            ensure(all == 1, || format!("{id}: {counts:?}"))?;
        }
    }
    Ok(())
}

fn in_order(report: &Report, ids: &[InstanceId]) -> bool {
    let rows = report.instances();
    rows.len() == ids.len() && rows.iter().zip(ids).all(|(row, id)| row.instance == *id)
}

/// Sends a batch of ready instances and one instance in condition `unfit`, or one unknown id.
async fn partial_failure(
    cloud: &dyn CloudUnderTest,
    kind: ActionKind,
    unfit: Option<Condition>,
) -> CaseResult {
    let client = cloud.client(ClientSetup::Valid).await?;
    let mut ids = cloud.instances(6, ready_condition(kind)).await?;
    let unfit_id = match unfit {
        Some(condition) => one_instance(cloud, condition).await?,
        None => cloud.unknown_id()?,
    };
    ids.insert(3, unfit_id.clone());
    let report = request(&client, plain(kind), ids.iter().cloned(), Some(LONG)).await?;
    ensure(in_order(&report, &ids), || {
        "the rows differ from the requested instances".to_owned()
    })?;
    for row in report.instances() {
        let right = if row.instance == unfit_id {
            match unfit {
                Some(Condition::Running) => row.outcome.is_success(),
                // Some clouds execute a reboot of a stopped instance as a start.
                Some(Condition::Stopped) => {
                    matches!(row.outcome, Outcome::Refused(_) | Outcome::Reached(_))
                }
                _ => matches!(row.outcome, Outcome::Refused(_)),
            }
        } else {
            matches!(row.outcome, Outcome::Reached(_))
        };
        ensure(right, || row.to_string())?;
    }
    ids.iter().try_for_each(|id| at_most_one_reboot(cloud, id))
}

/// Checks the promise that no instance is rebooted twice.
pub(super) fn at_most_one_reboot(cloud: &dyn CloudUnderTest, id: &InstanceId) -> CaseResult {
    let reboots = cloud.executions(id).map_or(0, |counts| counts.reboots);
    ensure(reboots <= 1, || {
        format!("{id} was rebooted {reboots} times")
    })
}

async fn exceeds_time_limit(
    cloud: &dyn CloudUnderTest,
    kind: ActionKind,
    condition: Condition,
    timeout: Duration,
) -> CaseResult {
    let client = cloud.client(ClientSetup::Valid).await?;
    let id = one_instance(cloud, condition).await?;
    let begin = Instant::now();
    let report = request(&client, plain(kind), [id.clone()], Some(timeout)).await?;
    let took = begin.elapsed();
    let outcome = only_outcome(&report, &id)?;
    let right = matches!(outcome, Outcome::Pending(Pending::Deadline(_)));
    ensure(right, || format!("not pending: {outcome}"))?;
    ensure(took <= timeout + TOLERANCE, || {
        format!("a wait of at most {timeout:?} took {took:?}")
    })
}

/// The tolerance for the end of a wait after the time limit.
const TOLERANCE: Duration = Duration::from_secs(1);

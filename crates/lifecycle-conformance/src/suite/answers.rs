//! Cases of the conformance suite about the facts that an answer carries besides the state: the
//! cloud's word for the state, the name, the request id, and the reason of a refusal.

use lifecycle_facade::{ActionKind, FaultKind, InstanceId, InstanceReport, Observation, Outcome};

use super::{
    Access, Case, CaseError, CaseResult, ClientSetup, CloudUnderTest, Condition, InstanceFacts,
    case::ensure,
    power::{LONG, plain, ready_condition, request},
    reads::{observed, one_instance},
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new("the cloud's word for the state", Access::Read, |s| {
            Box::pin(state_word(s))
        }),
        Case::new("the name of an instance", Access::Read, |s| {
            Box::pin(name(s))
        }),
    ];
    for kind in [ActionKind::Start, ActionKind::Stop, ActionKind::Reboot] {
        cases.push(Case::new(
            format!("the request id of an accepted {kind}"),
            Access::Power,
            move |s| Box::pin(request_id_of_acceptance(s, kind)),
        ));
    }
    cases.push(Case::new(
        "the request id of a refusal",
        Access::PowerOnUnknownIds,
        |s| Box::pin(request_id_of_refusal(s)),
    ));
    for (kind, condition, expected) in REASONS {
        cases.push(Case::new(
            format!("the reason of a refused {kind}: {condition}"),
            Access::Power,
            move |s| Box::pin(reason(s, kind, condition, expected)),
        ));
    }
    cases
}

/// The refused actions, and the kinds of faults that fit.
const REASONS: [(ActionKind, Condition, &[FaultKind]); 7] = [
    (ActionKind::Start, Condition::Stopping, STATE),
    (ActionKind::Stop, Condition::Starting, STATE),
    (ActionKind::Start, Condition::Changing, STATE),
    (ActionKind::Start, Condition::Locked, &[FaultKind::Locked]),
    (ActionKind::Start, Condition::Unpaid, PAYMENT),
    (ActionKind::Start, Condition::Expired, PAYMENT),
    (
        ActionKind::Start,
        Condition::OutOfStock,
        &[FaultKind::Capacity],
    ),
];

/// Some clouds have one error for every unfit state.
const STATE: &[FaultKind] = &[FaultKind::WrongState, FaultKind::Busy];

/// Some clouds lock an instance in arrears.
const PAYMENT: &[FaultKind] = &[FaultKind::Billing, FaultKind::Locked];

/// Checks that an observation and a list show the state in the terms of the cloud.
async fn state_word(cloud: &dyn CloudUnderTest) -> CaseResult {
    let client = cloud.client(ClientSetup::Valid).await?;
    for condition in [Condition::Stopped, Condition::Running] {
        let id = one_instance(cloud, condition).await?;
        shows_word(cloud, &observed(&client, &id).await?)?;
        let rows = client.list().await?;
        shows_word(cloud, listed(&rows, &id)?)?;
    }
    Ok(())
}

fn shows_word(cloud: &dyn CloudUnderTest, row: &Observation) -> CaseResult {
    let is_right = match cloud.state_word(&row.instance) {
        Some(word) => row.raw.contains(&word),
        None => !row.raw.is_empty(),
    };
    ensure(is_right, || {
        let state = row.state;
        format!("{state} in the terms of the cloud is {:?}", row.raw)
    })
}

fn listed<'r>(rows: &'r [Observation], id: &InstanceId) -> Result<&'r Observation, CaseError> {
    let mut rows = rows.iter();
    rows.find(|row| row.instance == *id)
        .ok_or_else(|| CaseError::Failed(format!("{id} is not listed")))
}

/// Checks that a list and an observation with details show the name of an instance.
async fn name(cloud: &dyn CloudUnderTest) -> CaseResult {
    const NAME: &str = "db-primary";
    let client = cloud.client(ClientSetup::Valid).await?;
    let facts = InstanceFacts::named(NAME);
    let id = cloud.described_instance(Condition::Stopped, &facts).await?;
    let rows = client.list().await?;
    let statuses = client.observe([&id]).details().await?;
    let observed = statuses.into_iter().next();
    let observed = observed.and_then(|status| status.result.ok()?.name);
    for (shown, way) in [
        (listed(&rows, &id)?.name.as_deref(), "listed"),
        (observed.as_deref(), "observed"),
    ] {
        ensure(shown == Some(NAME), || {
            format!("{NAME} is {way} under the name {shown:?}")
        })?;
    }
    Ok(())
}

async fn request_id_of_acceptance(cloud: &dyn CloudUnderTest, kind: ActionKind) -> CaseResult {
    cloud.check_request_ids()?;
    let client = cloud.client(ClientSetup::Valid).await?;
    let id = one_instance(cloud, ready_condition(kind)).await?;
    let report = request(&client, plain(kind), [id.clone()], None).await?;
    let row = only_row(report.instances())?;
    ensure(row.outcome.is_success(), || row.to_string())?;
    is_sent(cloud, row.request_id.as_deref(), row)
}

async fn request_id_of_refusal(cloud: &dyn CloudUnderTest) -> CaseResult {
    cloud.check_request_ids()?;
    let client = cloud.client(ClientSetup::Valid).await?;
    let id = cloud.unknown_id()?;
    let report = request(&client, plain(ActionKind::Reboot), [id], None).await?;
    let row = only_row(report.instances())?;
    let fault = row.outcome.fault();
    is_sent(cloud, fault.and_then(|fault| fault.request_id()), row)
}

fn only_row(rows: &[InstanceReport]) -> Result<&InstanceReport, CaseError> {
    match rows {
        [row] => Ok(row),
        rows => Err(CaseError::Failed(format!(
            "{} rows for one instance",
            rows.len()
        ))),
    }
}

/// Checks that the cloud sent this request id.
fn is_sent(
    cloud: &dyn CloudUnderTest,
    request_id: Option<&str>,
    row: &InstanceReport,
) -> CaseResult {
    let is_right =
        request_id.is_some_and(|id| !id.is_empty() && cloud.sent_request_id(id).unwrap_or(true));
    ensure(is_right, || {
        format!("the request id is {request_id:?} in the report {row}")
    })
}

/// Checks that a refusal has the reason of the cloud.
async fn reason(
    cloud: &dyn CloudUnderTest,
    kind: ActionKind,
    condition: Condition,
    expected: &[FaultKind],
) -> CaseResult {
    cloud.check_reason(kind, condition)?;
    let client = cloud.client(ClientSetup::Valid).await?;
    let id = one_instance(cloud, condition).await?;
    let report = request(&client, plain(kind), [id], Some(LONG)).await?;
    let row = only_row(report.instances())?;
    let is_right =
        matches!(&row.outcome, Outcome::Refused(fault) if expected.contains(&fault.kind()));
    ensure(is_right, || format!("not refused as {expected:?}: {row}"))
}

//! Cases of the conformance suite without power actions.

use std::collections::HashSet;

use lifecycle_facade::{Client, FaultKind, InstanceId, Observation, PowerState};

use super::{
    Access, Case, CaseError, CaseResult, ClientSetup, CloudUnderTest, Condition, case::ensure,
};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("observing one instance", Access::Read, |s| {
            Box::pin(observe(s))
        }),
        Case::new("listing finds the instance", Access::Read, |s| {
            Box::pin(list(s))
        }),
        Case::new("observing an unknown id", Access::Read, |s| {
            Box::pin(observe_unknown(s))
        }),
        Case::new("an unknown id among known ones", Access::Read, |s| {
            Box::pin(unknown_among_known(s))
        }),
        Case::new("observing a full batch", Access::Read, |s| {
            Box::pin(many(s, 0))
        }),
        Case::new("observing one more than a full batch", Access::Read, |s| {
            Box::pin(many(s, 1))
        }),
        Case::new("listing more than one page", Access::Read, |s| {
            Box::pin(pages(s))
        }),
    ]
}

async fn observe(cloud: &dyn CloudUnderTest) -> CaseResult {
    let client = cloud.client(ClientSetup::Valid).await?;
    let id = one_instance(cloud, Condition::Any).await?;
    let seen = observed_state(&client, &id).await?;
    if let Some(actual) = cloud.actual_state(&id) {
        ensure(seen == actual, || {
            format!("observed as {seen}, but is {actual}")
        })?;
    }
    ensure(seen != PowerState::Unknown, || {
        "the provider does not know the state".to_owned()
    })
}

async fn list(cloud: &dyn CloudUnderTest) -> CaseResult {
    let client = cloud.client(ClientSetup::Valid).await?;
    let id = one_instance(cloud, Condition::Any).await?;
    let rows = client.list().await?;
    ensure(
        rows.iter().filter(|row| row.instance == id).count() == 1,
        || {
            format!(
                "{id} is not exactly once among {} listed instances",
                rows.len()
            )
        },
    )
}

async fn observe_unknown(cloud: &dyn CloudUnderTest) -> CaseResult {
    let client = cloud.client(ClientSetup::Valid).await?;
    let id = cloud.unknown_id()?;
    is_not_found(&client, std::slice::from_ref(&id), &id).await
}

async fn unknown_among_known(cloud: &dyn CloudUnderTest) -> CaseResult {
    let client = cloud.client(ClientSetup::Valid).await?;
    let unknown = cloud.unknown_id()?;
    let known = one_instance(cloud, Condition::Any).await?;
    let ids = [known.clone(), unknown.clone()];
    is_not_found(&client, &ids, &unknown).await?;
    let statuses = client.observe(&ids).await?;
    ensure(
        statuses.first().is_some_and(|row| row.result.is_ok()),
        || "the known instance was not read".to_owned(),
    )
}

async fn is_not_found(client: &Client, ids: &[InstanceId], unknown: &InstanceId) -> CaseResult {
    let statuses = client.observe(ids).await?;
    ensure(statuses.len() == ids.len(), || {
        format!("{} rows for {} ids", statuses.len(), ids.len())
    })?;
    match statuses.into_iter().find(|row| row.instance == *unknown) {
        None => Err(CaseError::Failed(format!("no row for {unknown}"))),
        Some(row) => match row.result {
            Err(fault) if fault.kind() == FaultKind::NotFound => Ok(()),
            other => Err(CaseError::Failed(format!("{unknown} returns {other:?}"))),
        },
    }
}

async fn many(cloud: &dyn CloudUnderTest, beyond: usize) -> CaseResult {
    let client = cloud.client(ClientSetup::Valid).await?;
    let count = client.profile().batch_limits.observe.max(1) + beyond;
    let ids = cloud.instances(count, Condition::Any).await?;
    let before = client.calls().observations;
    let statuses = client.observe(&ids).await?;
    let right = statuses.len() == count && statuses.iter().all(|row| row.result.is_ok());
    ensure(right, || format!("not all of {count} were read"))?;
    let (calls, fewest) = (client.calls().observations - before, 1 + beyond as u64);
    ensure(calls == fewest, || {
        format!("{calls} calls for {count}, where {fewest} are enough")
    })
}

/// A number of instances above two pages of every known cloud.
const TWO_PAGES: usize = 2_100;

async fn pages(cloud: &dyn CloudUnderTest) -> CaseResult {
    let client = cloud.client(ClientSetup::Valid).await?;
    let ids = cloud.instances(TWO_PAGES, Condition::Any).await?;
    let rows = client.list().await?;
    let listed: HashSet<&InstanceId> = rows.iter().map(|row| &row.instance).collect();
    ensure(listed.len() == rows.len(), || {
        "an instance is listed twice".to_owned()
    })?;
    let missing = ids.iter().filter(|id| !listed.contains(id)).count();
    ensure(missing == 0, || {
        format!("{missing} instances are not listed")
    })?;
    if client.calls().pages < 2 {
        return Err(CaseError::NotApplicable(format!(
            "the cloud puts {TWO_PAGES} instances on one page"
        )));
    }
    Ok(())
}

/// Returns one instance in `condition`.
pub(super) async fn one_instance(
    cloud: &dyn CloudUnderTest,
    condition: Condition,
) -> Result<InstanceId, CaseError> {
    let ids = cloud.instances(1, condition).await?;
    ids.into_iter()
        .next()
        .ok_or_else(|| CaseError::Failed("the cloud under test returned no instance".to_owned()))
}

/// Observes the state of `id`.
pub(super) async fn observed_state(
    client: &Client,
    id: &InstanceId,
) -> Result<PowerState, CaseError> {
    Ok(observed(client, id).await?.state)
}

/// Observes `id`.
pub(super) async fn observed(client: &Client, id: &InstanceId) -> Result<Observation, CaseError> {
    let statuses = client.observe([id]).await?;
    match statuses.into_iter().next().map(|row| row.result) {
        Some(Ok(seen)) => Ok(seen),
        Some(Err(fault)) => Err(CaseError::Failed(format!("{id} cannot be read: {fault}"))),
        None => Err(CaseError::Failed(format!("no row for {id}"))),
    }
}

//! Cases that only read.

use std::collections::HashSet;

use lifecycle_facade::{Client, FaultKind, InstanceId, PowerState};

use super::{Case, Condition, Needs, Ran, Setting, Stop, Subject, case::ensure};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("observing one instance", Needs::Looks, |s| {
            Box::pin(observes(s))
        }),
        Case::new("listing finds the instance", Needs::Looks, |s| {
            Box::pin(lists(s))
        }),
        Case::new("observing an unknown id", Needs::Looks, |s| {
            Box::pin(unknown(s))
        }),
        Case::new("an unknown id among known ones", Needs::Looks, |s| {
            Box::pin(unknown_among_known(s))
        }),
        Case::new("observing as many as one call takes", Needs::Looks, |s| {
            Box::pin(many(s, 0))
        }),
        Case::new("observing one more than that", Needs::Looks, |s| {
            Box::pin(many(s, 1))
        }),
        Case::new("listing more than one page", Needs::Looks, |s| {
            Box::pin(pages(s))
        }),
    ]
}

async fn observes(subject: &dyn Subject) -> Ran {
    let client = subject.client(Setting::Usual).await?;
    let id = one(subject, Condition::Any).await?;
    let seen = state(&client, &id).await?;
    if let Some(truth) = subject.truth(&id) {
        ensure(seen == truth, || format!("it shows {seen} and is {truth}"))?;
    }
    ensure(seen != PowerState::Unknown, || {
        "it shows a state that the provider does not know".to_owned()
    })
}

async fn lists(subject: &dyn Subject) -> Ran {
    let client = subject.client(Setting::Usual).await?;
    let id = one(subject, Condition::Any).await?;
    let rows = client.list().await?;
    ensure(
        rows.iter().filter(|row| row.instance == id).count() == 1,
        || format!("{id} is not in the list of {} exactly once", rows.len()),
    )
}

async fn unknown(subject: &dyn Subject) -> Ran {
    let client = subject.client(Setting::Usual).await?;
    let id = subject.strange_id()?;
    is_not_found(&client, std::slice::from_ref(&id), &id).await
}

async fn unknown_among_known(subject: &dyn Subject) -> Ran {
    let client = subject.client(Setting::Usual).await?;
    let strange = subject.strange_id()?;
    let known = one(subject, Condition::Any).await?;
    let asked = [known.clone(), strange.clone()];
    is_not_found(&client, &asked, &strange).await?;
    let statuses = client.observe(&asked).await?;
    ensure(
        statuses.first().is_some_and(|row| row.result.is_ok()),
        || "the known instance was not read".to_owned(),
    )
}

async fn is_not_found(client: &Client, asked: &[InstanceId], strange: &InstanceId) -> Ran {
    let statuses = client.observe(asked).await?;
    ensure(statuses.len() == asked.len(), || {
        format!("{} rows for {} ids", statuses.len(), asked.len())
    })?;
    match statuses.into_iter().find(|row| row.instance == *strange) {
        None => Err(Stop::Wrong(format!("no row for {strange}"))),
        Some(row) => match row.result {
            Err(fault) if fault.kind() == FaultKind::NotFound => Ok(()),
            other => Err(Stop::Wrong(format!("{strange} gives {other:?}"))),
        },
    }
}

async fn many(subject: &dyn Subject, beyond: usize) -> Ran {
    let client = subject.client(Setting::Usual).await?;
    let count = client.profile().batch_limits.observe.max(1) + beyond;
    let ids = subject.instances(count, Condition::Any).await?;
    let before = client.calls().observations;
    let statuses = client.observe(&ids).await?;
    let right = statuses.len() == count && statuses.iter().all(|row| row.result.is_ok());
    ensure(right, || format!("not all of {count} were read"))?;
    let (calls, fewest) = (client.calls().observations - before, 1 + beyond as u64);
    ensure(calls == fewest, || {
        format!("{calls} calls for {count}, where {fewest} would do")
    })
}

/// More instances than any of the known clouds puts on two pages.
const TWO_PAGES: usize = 2_100;

async fn pages(subject: &dyn Subject) -> Ran {
    let client = subject.client(Setting::Usual).await?;
    let ids = subject.instances(TWO_PAGES, Condition::Any).await?;
    let rows = client.list().await?;
    let listed: HashSet<&InstanceId> = rows.iter().map(|row| &row.instance).collect();
    ensure(listed.len() == rows.len(), || {
        "an instance is listed twice".to_owned()
    })?;
    let missing = ids.iter().filter(|id| !listed.contains(id)).count();
    ensure(missing == 0, || format!("{missing} are not listed"))?;
    if client.calls().pages < 2 {
        return Err(Stop::Missing(format!(
            "the cloud puts {TWO_PAGES} instances on one page"
        )));
    }
    Ok(())
}

/// One instance in this condition.
pub(super) async fn one(subject: &dyn Subject, condition: Condition) -> Result<InstanceId, Stop> {
    let ids = subject.instances(1, condition).await?;
    ids.into_iter()
        .next()
        .ok_or_else(|| Stop::Wrong("the subject gave no instance".to_owned()))
}

/// The state that one look shows.
pub(super) async fn state(client: &Client, id: &InstanceId) -> Result<PowerState, Stop> {
    let statuses = client.observe([id]).await?;
    match statuses.into_iter().next().map(|row| row.result) {
        Some(Ok(seen)) => Ok(seen.state),
        Some(Err(fault)) => Err(Stop::Wrong(format!("{id} cannot be read: {fault}"))),
        None => Err(Stop::Wrong(format!("no row for {id}"))),
    }
}

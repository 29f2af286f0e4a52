//! Cases of the conformance suite with a wrong key or a wrong clock.

use lifecycle_facade::{ActionKind, FaultKind};

use super::{
    Access, Case, CaseResult, ClientSetup, CloudUnderTest, Condition,
    case::ensure,
    power::{LONG, only_outcome, plain, request},
    reads::{observed_state, one_instance},
};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("a temporary key", Access::Power, |s| {
            Box::pin(temporary_key(s))
        }),
        Case::new("a wrong key", Access::Power, |s| Box::pin(wrong_key(s))),
        Case::new("a wrong key is used once", Access::Power, |s| {
            Box::pin(wrong_key_used_once(s))
        }),
        Case::new("expired signatures", Access::Power, |s| {
            Box::pin(expired_signatures(s))
        }),
        Case::new("a clock an hour ahead", Access::Power, |s| {
            Box::pin(skewed_clock(s, 3600))
        }),
        Case::new("a clock an hour behind", Access::Power, |s| {
            Box::pin(skewed_clock(s, -3600))
        }),
    ]
}

/// Checks that a read and an action are signed with the whole temporary key.
async fn temporary_key(cloud: &dyn CloudUnderTest) -> CaseResult {
    let client = cloud.client(ClientSetup::TemporaryKey).await?;
    let id = one_instance(cloud, Condition::Stopped).await?;
    observed_state(&client, &id).await?;
    let report = request(&client, plain(ActionKind::Start), [id.clone()], Some(LONG)).await?;
    let outcome = only_outcome(&report, &id)?;
    ensure(outcome.is_success(), || {
        format!("unexpected outcome: {outcome}")
    })
}

async fn wrong_key(cloud: &dyn CloudUnderTest) -> CaseResult {
    expect_rejection(cloud, ClientSetup::WrongKey, &[FaultKind::Credential]).await
}

/// Checks that the cloud rejects signatures that stay a day old although the client learns the
/// cloud's time.
async fn expired_signatures(cloud: &dyn CloudUnderTest) -> CaseResult {
    let kinds: &[FaultKind] = match cloud.check_clock_error() {
        Ok(()) => &[FaultKind::ClockSkew],
        Err(_) => &[FaultKind::ClockSkew, FaultKind::Credential],
    };
    expect_rejection(cloud, ClientSetup::ExpiredSignatures, kinds).await
}

/// Checks that a start fails with one of `kinds`, and that the cloud executes nothing.
async fn expect_rejection(
    cloud: &dyn CloudUnderTest,
    setup: ClientSetup,
    kinds: &[FaultKind],
) -> CaseResult {
    let client = cloud.client(setup).await?;
    let id = one_instance(cloud, Condition::Stopped).await?;
    let report = request(&client, plain(ActionKind::Start), [id.clone()], Some(LONG)).await?;
    let outcome = only_outcome(&report, &id)?;
    let kind = outcome.fault().map(lifecycle_facade::Fault::kind);
    let is_expected = !outcome.is_success() && kind.is_some_and(|kind| kinds.contains(&kind));
    ensure(is_expected, || format!("unexpected outcome: {outcome}"))?;
    // A real account has no counts of executions.
    let starts = cloud.executions(&id).map_or(0, |counts| counts.starts);
    ensure(starts == 0, || "the instance was started".to_owned())
}

/// Checks that the client does not use a refused key again: some clouds lock a key after a few
/// refusals.
async fn wrong_key_used_once(cloud: &dyn CloudUnderTest) -> CaseResult {
    let client = cloud.client(ClientSetup::WrongKey).await?;
    let id = one_instance(cloud, Condition::Stopped).await?;
    request(&client, plain(ActionKind::Start), [id.clone()], None).await?;
    let calls = client.calls().total();
    ensure(calls == 1, || format!("{calls} calls with a refused key"))?;
    request(&client, plain(ActionKind::Start), [id], None).await?;
    let further = client.calls().total() - calls;
    ensure(further == 0, || {
        format!("{further} further calls with a refused key")
    })
}

/// Checks that the client learns the clock difference from the cloud's answers.
async fn skewed_clock(cloud: &dyn CloudUnderTest, seconds: i64) -> CaseResult {
    let client = cloud.client(ClientSetup::ClockSkew(seconds)).await?;
    let id = one_instance(cloud, Condition::Stopped).await?;
    observed_state(&client, &id).await?;
    let report = request(&client, plain(ActionKind::Start), [id.clone()], Some(LONG)).await?;
    let outcome = only_outcome(&report, &id)?;
    ensure(outcome.is_success(), || {
        format!("unexpected outcome: {outcome}")
    })
}

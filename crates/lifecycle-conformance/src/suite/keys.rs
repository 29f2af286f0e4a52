//! Cases with a key or a clock that is wrong.

use lifecycle_facade::{ActionKind, FaultKind};

use super::{
    Case, Condition, Needs, Ran, Setting, Subject,
    case::ensure,
    looks::{one, state},
    power::{LONG, only_outcome, plain, request},
};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("a wrong key", Needs::Power, |s| Box::pin(wrong_key(s))),
        Case::new("a wrong key is not tried again", Needs::Power, |s| {
            Box::pin(not_tried_again(s))
        }),
        Case::new("expired signatures", Needs::Power, |s| Box::pin(expired(s))),
        Case::new("a clock an hour ahead", Needs::Power, |s| {
            Box::pin(clock_off(s, 3600))
        }),
        Case::new("a clock an hour behind", Needs::Power, |s| {
            Box::pin(clock_off(s, -3600))
        }),
    ]
}

async fn wrong_key(subject: &dyn Subject) -> Ran {
    is_turned_away(subject, Setting::WrongKey, &[FaultKind::Credential]).await
}

/// Every signature is a day old, and no answer of the cloud can change that.
async fn expired(subject: &dyn Subject) -> Ran {
    let kinds = [FaultKind::ClockSkew, FaultKind::Credential];
    is_turned_away(subject, Setting::StaleSignatures, &kinds).await
}

async fn is_turned_away(subject: &dyn Subject, setting: Setting, kinds: &[FaultKind]) -> Ran {
    let client = subject.client(setting).await?;
    let id = one(subject, Condition::Stopped).await?;
    let report = request(&client, plain(ActionKind::Start), [id.clone()], Some(LONG)).await?;
    let outcome = only_outcome(&report, &id)?;
    let kind = outcome.fault().map(lifecycle_facade::Fault::kind);
    let right = !outcome.is_success() && kind.is_some_and(|kind| kinds.contains(&kind));
    ensure(right, || format!("unexpected: {outcome}"))?;
    let done = subject.deeds(&id).map_or(0, |deeds| deeds.starts);
    ensure(done == 0, || "it was started all the same".to_owned())
}

/// Some clouds lock a key that is refused a few times.
async fn not_tried_again(subject: &dyn Subject) -> Ran {
    let client = subject.client(Setting::WrongKey).await?;
    let id = one(subject, Condition::Stopped).await?;
    request(&client, plain(ActionKind::Start), [id.clone()], None).await?;
    let calls = client.calls().total();
    ensure(calls == 1, || format!("{calls} calls with a refused key"))?;
    request(&client, plain(ActionKind::Start), [id], None).await?;
    let further = client.calls().total() - calls;
    ensure(further == 0, || {
        format!("{further} further calls with a refused key")
    })
}

/// The client learns the difference from the cloud's answer.
async fn clock_off(subject: &dyn Subject, seconds: i64) -> Ran {
    let client = subject.client(Setting::ClockOff(seconds)).await?;
    let id = one(subject, Condition::Stopped).await?;
    state(&client, &id).await?;
    let report = request(&client, plain(ActionKind::Start), [id.clone()], Some(LONG)).await?;
    let outcome = only_outcome(&report, &id)?;
    ensure(outcome.is_success(), || format!("unexpected: {outcome}"))
}

//! Cases in which something goes wrong between the client and the cloud.

use lifecycle_facade::{ActionKind, FaultKind, Outcome, PowerState};
use tokio::time::Instant;

use super::{
    Case, Condition, Disturbance, Needs, Ran, Setting, Stop, Subject, Target,
    case::ensure,
    looks::{one, state},
    power::{LONG, at_most_one_reboot, fit_for, only_outcome, plain, request},
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (disturbance, what) in STRUCK {
        for verb in [ActionKind::Start, ActionKind::Stop, ActionKind::Reboot] {
            cases.push(Case::new(
                format!("{verb}: {what}"),
                Needs::Power,
                move |s| Box::pin(struck(s, verb, disturbance)),
            ));
        }
    }
    for (disturbance, what) in UNREAD {
        cases.push(Case::new(
            format!("observing: {what}"),
            Needs::Looks,
            move |s| Box::pin(look_struck(s, disturbance)),
        ));
        cases.push(Case::new(
            format!("a wait: {what}"),
            Needs::Power,
            move |s| Box::pin(wait_struck(s, disturbance)),
        ));
    }
    cases.push(Case::new("throttled for ever", Needs::Power, |s| {
        Box::pin(throttled_for_ever(s))
    }));
    cases.push(Case::new(
        "observing a state that nobody knows",
        Needs::Looks,
        |s| Box::pin(unknown_state(s)),
    ));
    cases.push(Case::new(
        "a wait that sees a state that nobody knows",
        Needs::Power,
        |s| Box::pin(wait_for_unknown_state(s)),
    ));
    cases
}

const STRUCK: [(Disturbance, &str); 8] = [
    (Disturbance::ThrottledWithHint, "throttled with a hint"),
    (
        Disturbance::ThrottledWithoutHint,
        "throttled without a hint",
    ),
    (Disturbance::NoConnection, "no connection"),
    (Disturbance::LostRequest, "lost before it arrives"),
    (Disturbance::LostAnswer, "carried out, the answer lost"),
    (
        Disturbance::GarbledAnswer,
        "carried out, the answer garbled",
    ),
    (Disturbance::HalfAnswer, "carried out, half an answer"),
    (Disturbance::ServerError, "a proxy fails"),
];

const UNREAD: [(Disturbance, &str); 4] = [
    (Disturbance::GarbledAnswer, "an answer is garbled"),
    (Disturbance::HalfAnswer, "half an answer"),
    (Disturbance::EmptyAnswer, "an empty answer"),
    (Disturbance::LostAnswer, "an answer is lost"),
];

/// One action whose first call is struck.
async fn struck(subject: &dyn Subject, verb: ActionKind, disturbance: Disturbance) -> Ran {
    let client = subject.client(Setting::Usual).await?;
    subject.disturb(disturbance, Target::Actions)?;
    let id = one(subject, fit_for(verb)).await?;
    let begin = Instant::now();
    let report = request(&client, plain(verb), [id.clone()], Some(LONG)).await?;
    if disturbance == Disturbance::ThrottledWithHint {
        let waited = begin.elapsed();
        ensure(waited >= Disturbance::HINT, || {
            format!("the hint was not heeded: all was over after {waited:?}")
        })?;
    }
    at_most_one_reboot(subject, &id)?;
    let outcome = only_outcome(&report, &id)?;
    let done = subject.deeds(&id).map(|deeds| match verb {
        ActionKind::Stop => deeds.stops,
        ActionKind::Reboot => deeds.reboots,
        _ => deeds.starts,
    });
    truthful(outcome, done, subject.truth(&id), verb)?;
    // Where the cloud provably did nothing, or a repeat does no harm, all ends well.
    if repeats_safely(verb, disturbance) {
        ensure(outcome.is_success(), || format!("unexpected: {outcome}"))?;
    }
    Ok(())
}

fn truthful(
    outcome: &Outcome,
    done: Option<u32>,
    truth: Option<PowerState>,
    verb: ActionKind,
) -> Ran {
    let at_goal = truth.is_none_or(|truth| truth == verb.goal());
    let right = match outcome {
        Outcome::Reached(_) => done != Some(0) && at_goal,
        Outcome::Unchanged => at_goal,
        Outcome::Refused(_) | Outcome::Skipped(_) => done.is_none_or(|done| done == 0),
        Outcome::Pending(_) => done != Some(0),
        Outcome::Uncertain(_) => true,
        // Accepted does not answer a request that waits.
        _ => false,
    };
    ensure(right, || {
        format!("carried out {done:?} times, now {truth:?}, and the outcome is: {outcome}")
    })
}

fn repeats_safely(verb: ActionKind, disturbance: Disturbance) -> bool {
    let never_arrived = matches!(
        disturbance,
        Disturbance::ThrottledWithHint
            | Disturbance::ThrottledWithoutHint
            | Disturbance::NoConnection
    );
    never_arrived || verb != ActionKind::Reboot
}

async fn look_struck(subject: &dyn Subject, disturbance: Disturbance) -> Ran {
    let client = subject.client(Setting::Usual).await?;
    subject.disturb(disturbance, Target::Looks)?;
    let id = one(subject, Condition::Running).await?;
    let statuses = client.observe([&id]).await?;
    match statuses.into_iter().next().map(|row| row.result) {
        Some(Ok(seen)) => ensure(seen.state == PowerState::Running, || {
            format!("it is running and shows {}", seen.state)
        }),
        Some(Err(fault)) => ensure(
            matches!(
                fault.kind(),
                FaultKind::Unreadable | FaultKind::NoAnswer | FaultKind::Unavailable
            ),
            || format!("the fault says something else: {fault}"),
        ),
        None => Err(Stop::Wrong(format!("no row for {id}"))),
    }
}

/// A failed look is not a failed wait.
async fn wait_struck(subject: &dyn Subject, disturbance: Disturbance) -> Ran {
    let client = subject.client(Setting::Usual).await?;
    subject.disturb(disturbance, Target::Looks)?;
    let id = one(subject, Condition::Stopped).await?;
    let report = request(&client, plain(ActionKind::Start), [id.clone()], Some(LONG)).await?;
    let outcome = only_outcome(&report, &id)?;
    ensure(matches!(outcome, Outcome::Reached(_)), || {
        format!("unexpected: {outcome}")
    })
}

async fn throttled_for_ever(subject: &dyn Subject) -> Ran {
    let client = subject.client(Setting::Usual).await?;
    subject.disturb(Disturbance::ThrottledForEver, Target::Actions)?;
    let id = one(subject, Condition::Stopped).await?;
    let report = request(&client, plain(ActionKind::Start), [id.clone()], None).await?;
    let outcome = only_outcome(&report, &id)?;
    let right = matches!(
        outcome,
        Outcome::Refused(fault) | Outcome::Skipped(fault) if fault.kind() == FaultKind::Throttled
    );
    ensure(right, || format!("not refused as throttled: {outcome}"))?;
    let done = subject.deeds(&id).map_or(0, |deeds| deeds.starts);
    ensure(done == 0, || "it was started all the same".to_owned())
}

async fn unknown_state(subject: &dyn Subject) -> Ran {
    let client = subject.client(Setting::Usual).await?;
    subject.disturb(Disturbance::UnknownState, Target::Looks)?;
    let id = one(subject, Condition::Running).await?;
    let seen = state(&client, &id).await?;
    ensure(seen == PowerState::Unknown, || {
        format!("the unknown word was read as {seen}")
    })
}

/// What cannot be read as the goal is never reported as reached, unless a job says so.
async fn wait_for_unknown_state(subject: &dyn Subject) -> Ran {
    let client = subject.client(Setting::Usual).await?;
    subject.disturb(Disturbance::UnknownState, Target::Looks)?;
    let id = one(subject, Condition::Stopped).await?;
    let report = request(&client, plain(ActionKind::Start), [id.clone()], Some(LONG)).await?;
    let outcome = only_outcome(&report, &id)?;
    let right = matches!(
        outcome,
        Outcome::Pending(_) | Outcome::Reached(lifecycle_facade::Evidence::Job(_))
    );
    ensure(right, || format!("unexpected: {outcome}"))
}

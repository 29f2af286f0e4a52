//! Power actions on a cloud where nothing goes wrong on the way.

use std::time::Duration;

use lifecycle_facade::{
    ActionKind, Client, Error, FaultKind, InstanceId, Outcome, Pending, PowerState, Report,
    WaitTimeout, core::Action,
};
use tokio::time::Instant;

use super::{
    Case, Condition, Needs, Ran, Setting, Stop, Subject,
    case::ensure,
    looks::{one, state},
};

/// Every action with every option from every state that an instance passes.
pub(super) fn from_every_state() -> Vec<Case> {
    let states = [
        Condition::Stopped,
        Condition::Running,
        Condition::Starting,
        Condition::Stopping,
        Condition::Rebooting,
    ];
    Action::all_variants()
        .flat_map(|action| states.map(|state| single(action, state)))
        .collect()
}

/// Every action on an instance with which something is wrong.
pub(super) fn in_trouble() -> Vec<Case> {
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
        .flat_map(|verb| common.map(|condition| single(plain(verb), condition)))
        .collect();
    cases.push(single(plain(ActionKind::Start), Condition::OutOfStock));
    cases.push(single(plain(ActionKind::Start), Condition::FailsToBoot));
    for verb in [ActionKind::Start, ActionKind::Stop, ActionKind::Reboot] {
        cases.push(Case::new(
            format!("{verb} of an unknown id"),
            Needs::PowerOnStrangers,
            move |s| Box::pin(unknown(s, verb)),
        ));
    }
    for (verb, condition) in [
        (ActionKind::Start, Condition::Running),
        (ActionKind::Stop, Condition::Stopped),
    ] {
        cases.push(Case::new(
            format!("strict {verb} of an instance that is {condition} already"),
            Needs::Power,
            move |s| Box::pin(strict(s, verb, condition)),
        ));
    }
    cases
}

/// Limits, limits plus one, and batches of which a part fails.
pub(super) fn in_bulk() -> Vec<Case> {
    let mut cases = Vec::new();
    for verb in [ActionKind::Start, ActionKind::Stop, ActionKind::Reboot] {
        for (beyond, what) in [(0, "as many as one call takes"), (1, "one more than that")] {
            cases.push(Case::new(
                format!("{verb} of {what}"),
                Needs::Power,
                move |s| Box::pin(many(s, verb, beyond)),
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
            Needs::Power,
            move |s| Box::pin(in_part(s, ActionKind::Start, Some(condition))),
        ));
    }
    cases.push(Case::new(
        "reboot of a batch of which one is stopped",
        Needs::Power,
        |s| Box::pin(in_part(s, ActionKind::Reboot, Some(Condition::Stopped))),
    ));
    for verb in [ActionKind::Start, ActionKind::Stop, ActionKind::Reboot] {
        cases.push(Case::new(
            format!("{verb} of a batch of which one is unknown"),
            Needs::PowerOnStrangers,
            move |s| Box::pin(in_part(s, verb, None)),
        ));
    }
    cases
}

/// Waits that end before the goal is reached.
pub(super) fn past_the_deadline() -> Vec<Case> {
    vec![
        Case::new("a boot that outlasts the patience", Needs::Power, |s| {
            Box::pin(outlasts(s, ActionKind::Start, Condition::Stopped, BRIEF))
        }),
        Case::new("a stop that never ends", Needs::Power, |s| {
            Box::pin(outlasts(
                s,
                ActionKind::Stop,
                Condition::Stubborn,
                Duration::from_secs(300),
            ))
        }),
    ]
}

/// No machine boots in this time.
const BRIEF: Duration = Duration::from_secs(2);

fn single(action: Action, condition: Condition) -> Case {
    Case::new(
        format!("{action}: {condition}"),
        Needs::Power,
        move |subject| Box::pin(act_on_one(subject, action, condition)),
    )
}

async fn act_on_one(subject: &dyn Subject, action: Action, condition: Condition) -> Ran {
    let client = subject.client(Setting::Usual).await?;
    if let Err(fault) = client.profile().supports(&action) {
        return refused_unsent(&client, action, fault.message()).await;
    }
    let id = one(subject, condition).await?;
    let report = request(&client, action, [id.clone()], Some(LONG)).await?;
    let outcome = only_outcome(&report, &id)?;
    let after = what_can_be_known(subject, &client, &id, condition).await?;
    truthful(action, outcome, after)?;
    carried_out_rightly(subject, action, condition, &id, outcome)?;
    as_expected(action.kind(), condition, outcome)
}

/// An option that the cloud cannot honour is refused before anything is sent.
async fn refused_unsent(client: &Client, action: Action, why: &str) -> Ran {
    let id = InstanceId::new("any").map_err(Error::from)?;
    match request(client, action, [id], None).await {
        Err(Error::Unsupported(_)) if client.calls().total() == 0 => {
            Err(Stop::Missing(why.to_owned()))
        }
        other => Err(Stop::Wrong(format!(
            "an option that the cloud lacks gives {other:?} after {} calls",
            client.calls().total()
        ))),
    }
}

/// As long as anything that ends at all takes.
pub(super) const LONG: Duration = Duration::from_secs(600);

/// Sends `action`, and waits when there is a patience.
pub(super) async fn request(
    client: &Client,
    action: Action,
    ids: impl IntoIterator<Item = InstanceId>,
    patience: Option<Duration>,
) -> Result<Report, Error> {
    let patience = patience.map(WaitTimeout::from);
    macro_rules! send {
        ($request:expr) => {
            match patience {
                Some(patience) => $request.wait(patience).await,
                None => $request.await,
            }
        };
    }
    match action {
        Action::Start(options) => send!(client.start(ids).options(options)),
        Action::Stop(options) => send!(client.stop(ids).options(options)),
        Action::Reboot(options) => send!(client.reboot(ids).options(options)),
        // There are no others.
        _ => Ok(Report::default()),
    }
}

/// The action with its usual options.
pub(super) fn plain(verb: ActionKind) -> Action {
    match verb {
        ActionKind::Stop => Action::Stop(Default::default()),
        ActionKind::Reboot => Action::Reboot(Default::default()),
        _ => Action::Start(Default::default()),
    }
}

/// The outcome of the one instance that was asked for.
pub(super) fn only_outcome<'r>(report: &'r Report, id: &InstanceId) -> Result<&'r Outcome, Stop> {
    match report.instances() {
        [row] if row.instance == *id => Ok(&row.outcome),
        rows => Err(Stop::Wrong(format!("{} rows for one instance", rows.len()))),
    }
}

/// How the instance is as far as its cloud lets anybody know.
async fn what_can_be_known(
    subject: &dyn Subject,
    client: &Client,
    id: &InstanceId,
    condition: Condition,
) -> Result<PowerState, Stop> {
    match subject.truth(id) {
        Some(truth) if !may_be_hidden(condition) => Ok(truth),
        _ => state(client, id).await,
    }
}

/// Not every cloud has a state of its own for these; some show the power state instead.
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

/// Does the outcome say what is so? Nothing goes wrong here, so nothing is uncertain, except a
/// reboot that the cloud lists as failed without a reason: it may have begun.
fn truthful(action: Action, outcome: &Outcome, after: PowerState) -> Ran {
    let goal = action.kind().goal();
    let right = match outcome {
        Outcome::Reached(_) => after == goal,
        Outcome::Unchanged => after == goal || Some(after) == on_the_way(goal),
        Outcome::Pending(Pending::Unconfirmed) => true,
        Outcome::Pending(_) => after != goal || action.kind() == ActionKind::Reboot,
        Outcome::Refused(_) | Outcome::Skipped(_) => true,
        Outcome::Uncertain(fault) => {
            action.kind() == ActionKind::Reboot && fault.kind() == FaultKind::Failed
        }
        // Accepted does not answer a request that waits.
        _ => false,
    };
    ensure(right, || {
        format!("it is {after}, and the outcome is: {outcome}")
    })
}

fn on_the_way(goal: PowerState) -> Option<PowerState> {
    match goal {
        PowerState::Running => Some(PowerState::Starting),
        PowerState::Stopped => Some(PowerState::Stopping),
        _ => None,
    }
}

/// Was carried out what was asked for, in the mode that was asked for, and as the outcome says?
fn carried_out_rightly(
    subject: &dyn Subject,
    action: Action,
    condition: Condition,
    id: &InstanceId,
    outcome: &Outcome,
) -> Ran {
    let Some(deeds) = subject.deeds(id) else {
        return Ok(());
    };
    let (asked, others) = match action.kind() {
        ActionKind::Stop => (deeds.stops, deeds.starts + deeds.reboots),
        ActionKind::Reboot => (deeds.reboots, deeds.starts + deeds.stops),
        _ => (deeds.starts, deeds.stops + deeds.reboots),
    };
    ensure(others == 0, || {
        format!("something else was carried out: {deeds:?}")
    })?;
    let forced = match action {
        Action::Stop(stop) => stop.mode.is_forced(),
        Action::Reboot(reboot) => reboot.mode.is_forced(),
        _ => false,
    };
    ensure(deeds.forced == if forced { asked } else { 0 }, || {
        format!("the mode was not kept: {deeds:?}")
    })?;
    let possible = match outcome {
        Outcome::Reached(_) if condition == fit_for(action.kind()) => 1..=1,
        Outcome::Reached(_) if action.kind() == ActionKind::Reboot => 1..=1,
        // The cloud may take an action on that it then need not carry out.
        Outcome::Reached(_) | Outcome::Pending(_) => 0..=1,
        _ => 0..=0,
    };
    ensure(possible.contains(&asked), || {
        format!("carried out {asked} times, and the outcome is: {outcome}")
    })
}

/// What must come of it where every cloud agrees; elsewhere the truth is enough.
fn as_expected(verb: ActionKind, condition: Condition, outcome: &Outcome) -> Ran {
    let right = match (verb, condition) {
        (ActionKind::Start, Condition::Stopped)
        | (ActionKind::Stop | ActionKind::Reboot, Condition::Running) => {
            matches!(outcome, Outcome::Reached(_))
        }
        (ActionKind::Start, Condition::Running | Condition::Starting)
        | (ActionKind::Stop, Condition::Stopped | Condition::Stopping) => outcome.is_success(),
        // Not every cloud says why.
        (ActionKind::Start, Condition::Locked | Condition::Unpaid | Condition::OutOfStock) => {
            matches!(outcome, Outcome::Refused(_))
        }
        (ActionKind::Start | ActionKind::Reboot, condition) if may_be_hidden(condition) => {
            !outcome.is_success()
        }
        _ => true,
    };
    ensure(right, || format!("unexpected: {outcome}"))
}

async fn unknown(subject: &dyn Subject, verb: ActionKind) -> Ran {
    let client = subject.client(Setting::Usual).await?;
    let id = subject.strange_id()?;
    let report = request(&client, plain(verb), [id.clone()], Some(LONG)).await?;
    // `Failed` where the cloud lists it as failed and gives no reason.
    is_refused(
        only_outcome(&report, &id)?,
        &[FaultKind::NotFound, FaultKind::Failed],
    )
}

async fn strict(subject: &dyn Subject, verb: ActionKind, condition: Condition) -> Ran {
    let client = subject.client(Setting::Usual).await?;
    let id = one(subject, condition).await?;
    let before = client.calls().actions;
    let report = match verb {
        ActionKind::Stop => client.stop([&id]).strict().await?,
        _ => client.start([&id]).strict().await?,
    };
    is_refused(only_outcome(&report, &id)?, &[FaultKind::WrongState])?;
    ensure(client.calls().actions == before, || {
        "an action was sent".to_owned()
    })
}

fn is_refused(outcome: &Outcome, kinds: &[FaultKind]) -> Ran {
    let right = matches!(outcome, Outcome::Refused(fault) if kinds.contains(&fault.kind()));
    ensure(right, || format!("not refused as {kinds:?}: {outcome}"))
}

/// The condition from which the action does something.
pub(super) fn fit_for(verb: ActionKind) -> Condition {
    match verb {
        ActionKind::Stop | ActionKind::Reboot => Condition::Running,
        _ => Condition::Stopped,
    }
}

async fn many(subject: &dyn Subject, verb: ActionKind, beyond: usize) -> Ran {
    let client = subject.client(Setting::Usual).await?;
    let action = plain(verb);
    let count = client.profile().batch_limit(&action) + beyond;
    let ids = subject.instances(count, fit_for(verb)).await?;
    let before = client.calls().actions;
    let report = request(&client, action, ids.iter().cloned(), None).await?;
    ensure(in_order(&report, &ids), || {
        format!("not one row for each of {count} instances in their order")
    })?;
    if let Some(row) = report.failures().next() {
        return Err(Stop::Wrong(row.to_string()));
    }
    let (calls, fewest) = (client.calls().actions - before, 1 + beyond as u64);
    ensure(calls == fewest, || {
        format!("{calls} calls for {count} instances, where {fewest} would do")
    })?;
    for id in &ids {
        if let Some(deeds) = subject.deeds(id) {
            let all = deeds.starts + deeds.stops + deeds.reboots;
            ensure(all == 1, || format!("{id}: {deeds:?}"))?;
        }
    }
    Ok(())
}

fn in_order(report: &Report, ids: &[InstanceId]) -> bool {
    let rows = report.instances();
    rows.len() == ids.len() && rows.iter().zip(ids).all(|(row, id)| row.instance == *id)
}

/// One bad instance among good ones, or an unknown one.
async fn in_part(subject: &dyn Subject, verb: ActionKind, bad: Option<Condition>) -> Ran {
    let client = subject.client(Setting::Usual).await?;
    let mut ids = subject.instances(6, fit_for(verb)).await?;
    let odd = match bad {
        Some(condition) => one(subject, condition).await?,
        None => subject.strange_id()?,
    };
    ids.insert(3, odd.clone());
    let report = request(&client, plain(verb), ids.iter().cloned(), Some(LONG)).await?;
    ensure(in_order(&report, &ids), || {
        "not one row for each instance in their order".to_owned()
    })?;
    for row in report.instances() {
        let right = if row.instance == odd {
            match bad {
                Some(Condition::Running) => row.outcome.is_success(),
                // Some clouds boot a stopped instance when it is to be rebooted.
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
    ids.iter()
        .try_for_each(|id| at_most_one_reboot(subject, id))
}

/// The promise that holds whatever happens.
pub(super) fn at_most_one_reboot(subject: &dyn Subject, id: &InstanceId) -> Ran {
    let reboots = subject.deeds(id).map_or(0, |deeds| deeds.reboots);
    ensure(reboots <= 1, || {
        format!("{id} was rebooted {reboots} times")
    })
}

async fn outlasts(
    subject: &dyn Subject,
    verb: ActionKind,
    condition: Condition,
    patience: Duration,
) -> Ran {
    let client = subject.client(Setting::Usual).await?;
    let id = one(subject, condition).await?;
    let begin = Instant::now();
    let report = request(&client, plain(verb), [id.clone()], Some(patience)).await?;
    let took = begin.elapsed();
    let outcome = only_outcome(&report, &id)?;
    let right = matches!(outcome, Outcome::Pending(Pending::Deadline(_)));
    ensure(right, || format!("not pending: {outcome}"))?;
    ensure(took <= patience + GRACE, || {
        format!("a patience of {patience:?} took {took:?}")
    })
}

/// How much later than its deadline a wait may end.
const GRACE: Duration = Duration::from_secs(1);

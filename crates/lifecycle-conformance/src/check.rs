//! The promises, checked against what the cloud executed.

use std::{collections::HashSet, fmt, time::Duration};

use lifecycle_facade::{FleetRow, Outcome, Reference, Verb};
use lifecycle_sim::{Cloud, Executed, Operation, State};

use crate::{Scenario, run::Run};

/// A promise that was broken.
#[derive(Clone, Debug)]
pub struct Violation {
    promise: &'static str,
    detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.promise, self.detail)
    }
}

pub(crate) fn check(scenario: &Scenario, run: &Run) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut broken = |promise, detail| violations.push(Violation { promise, detail });
    one_outcome_per_instance(run, &mut broken);
    for row in run.report.rows() {
        outcome_is_true(scenario, run, row, &mut broken);
    }
    at_most_one_reboot(run, &mut broken);
    no_storms(scenario, run, &mut broken);
    no_hangs(scenario, run, &mut broken);
    violations
}

type Broken<'a> = dyn FnMut(&'static str, String) + 'a;

fn one_outcome_per_instance(run: &Run, broken: &mut Broken<'_>) {
    let mut seen = HashSet::new();
    let expected: Vec<&Reference> = run
        .world
        .asked
        .iter()
        .filter(|reference| seen.insert(*reference))
        .collect();
    let got: Vec<&Reference> = run.report.rows().iter().map(|row| &row.reference).collect();
    if expected != got {
        broken(
            "one outcome per instance",
            format!("{} asked for, {} rows", expected.len(), got.len()),
        );
    }
}

fn outcome_is_true(scenario: &Scenario, run: &Run, row: &FleetRow, broken: &mut Broken<'_>) {
    let reference = &row.reference;
    let outcome = &row.report.outcome;
    let mut lie = |why: &str| {
        let truth = run.ledger.executed(&reference.to_string());
        let state = run.world.simulator.state_of(&reference.to_string());
        broken(
            "outcomes are true",
            format!("{reference} is {outcome}, but {why} (executed {truth:?}, now {state:?})"),
        );
    };
    if run.world.unknown.contains(reference) {
        let taken_on = scenario.cloud == Cloud::Huawei && matches!(outcome, Outcome::Accepted);
        if outcome.is_success() && !taken_on {
            lie("there is no such instance");
        }
        return;
    }
    let name = reference.to_string();
    let executed = run.ledger.executed(&name).unwrap_or_default();
    let count = count(&executed, scenario.verb);
    let now = run.world.simulator.state_of(&name);
    let at = run.world.asked.iter().position(|asked| asked == reference);
    let before = at.and_then(|at| run.world.before[at]);
    // What is in trouble can be shown as stopped, and nobody can tell from outside.
    let plain = [before, now].iter().all(|state| {
        matches!(
            state,
            Some(
                State::Running
                    | State::Stopped
                    | State::Starting
                    | State::Stopping
                    | State::Rebooting
            )
        )
    });
    let untouched = count == 0 && before != Some(goal(scenario.verb)) && !is_moving(before);
    let reboot = scenario.verb == Verb::Reboot;
    match outcome {
        Outcome::Refused(_) | Outcome::Skipped(_) if count > 0 => lie("it was executed"),
        _ if !plain => {}
        Outcome::Reached(_) if reboot && count == 0 => lie("it was not rebooted"),
        Outcome::Reached(_) if now != Some(goal(scenario.verb)) => lie("it is not there"),
        // A job can take an instance on and then refuse it.
        Outcome::Accepted if untouched && scenario.cloud != Cloud::Huawei => {
            lie("nothing was executed");
        }
        Outcome::Unchanged if untouched => lie("it was not so, and nothing was executed"),
        _ => {}
    }
}

fn at_most_one_reboot(run: &Run, broken: &mut Broken<'_>) {
    let most = run.ledger.most_reboots();
    if most > 1 {
        broken(
            "a reboot is executed at most once",
            format!("one instance was rebooted {most} times"),
        );
    }
}

fn no_storms(scenario: &Scenario, run: &Run, broken: &mut Broken<'_>) {
    let after = calls_after_refusal(scenario, run);
    if after > 0 {
        broken(
            "no call with a refused key",
            format!("{after} calls after the refusal was known"),
        );
    }
    let operation = match scenario.verb {
        Verb::Start => Operation::Start,
        Verb::Stop => Operation::Stop,
        _ => Operation::Reboot,
    };
    let calls = run.ledger.count(scenario.cloud, operation);
    let limit = if scenario.cloud == Cloud::Huawei {
        1_000
    } else {
        100
    };
    let asked: HashSet<&Reference> = run.world.asked.iter().collect();
    let batches = asked.len().div_ceil(limit) as u64;
    let plain = scenario.faults.is_none()
        && run.report.is_success()
        && run.world.before.iter().all(|state| {
            *state
                == Some(match scenario.verb {
                    Verb::Start => State::Stopped,
                    _ => State::Running,
                })
        });
    if plain && calls != batches {
        broken(
            "fewest calls",
            format!("{calls} action calls for {} instances", asked.len()),
        );
    }
    let most = batches * 150 + 60;
    if calls > most {
        broken("no storms", format!("{calls} action calls, {most} at most"));
    }
}

/// Calls that were sent after a refusal of the key had reached the client. Those that were under
/// way by then do not count.
fn calls_after_refusal(scenario: &Scenario, run: &Run) -> usize {
    if scenario.faults.garbles {
        // Then the refusal itself may have come as noise.
        return 0;
    }
    let calls = run.ledger.calls();
    let refusals = calls.iter().filter(|call| call.credential_refused);
    // A refusal that was lost on the way taught the client nothing.
    let Some(known) = refusals
        .filter(|call| call.status.is_some())
        .map(|call| call.at)
        .min()
    else {
        return 0;
    };
    // What goes out in the very instant in which the refusal comes in was not sent after it.
    let instant = Duration::from_millis(2);
    let known = known + scenario.faults.latency + slowest(scenario) + instant;
    calls.iter().filter(|call| call.at > known).count()
}

/// The longest that an answer is held back.
fn slowest(scenario: &Scenario) -> Duration {
    if scenario.faults.injections.is_empty() {
        Duration::ZERO
    } else {
        Duration::from_secs(40)
    }
}

fn no_hangs(scenario: &Scenario, run: &Run, broken: &mut Broken<'_>) {
    let deadline = scenario.patience.unwrap_or(Duration::from_secs(120));
    if run.took > deadline + Duration::from_secs(1) {
        broken(
            "no hangs",
            format!("{:?} with a deadline of {deadline:?}", run.took),
        );
    }
}

fn count(executed: &Executed, verb: Verb) -> u32 {
    match verb {
        Verb::Start => executed.starts,
        Verb::Stop => executed.stops,
        _ => executed.reboots,
    }
}

fn goal(verb: Verb) -> State {
    match verb {
        Verb::Stop => State::Stopped,
        _ => State::Running,
    }
}

fn is_moving(state: Option<State>) -> bool {
    matches!(
        state,
        Some(State::Starting | State::Stopping | State::Rebooting)
    )
}

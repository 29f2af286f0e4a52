//! What was sent: nothing on nobody's behalf, nothing with a refused key, and no more than needed.

use std::time::Duration;

use lifecycle_facade::ActionKind;
use lifecycle_sim::{CallRecord, InjectedFault, Operation};

use super::{
    Broken,
    facts::{Facts, SEARCHED},
};

pub(super) fn judge(facts: &Facts<'_>, broken: &mut Broken<'_>) {
    on_behalf_of_a_request(facts, broken);
    none_with_a_refused_key(facts, broken);
    as_few_as_possible(facts, broken);
    within_the_bound(facts, broken);
}

/// Tokio's timers round up to the next millisecond.
const ROUNDING: Duration = Duration::from_millis(3);

/// A call belongs to a request that is under way, and an action to one that asks for it. What
/// becomes of a request whose future was dropped shows here.
fn on_behalf_of_a_request(facts: &Facts<'_>, broken: &mut Broken<'_>) {
    for call in &facts.calls {
        let asked = facts.run.episodes.iter().zip(&facts.scenario.requests);
        let found = asked
            .filter(|(episode, _)| {
                !matches!(episode.result, Some(Err(_)))
                    && call.at >= episode.begun
                    && call.at <= episode.ended + ROUNDING
            })
            .any(|(_, request)| {
                !call.operation.is_action() || call.operation == operation(request.action.kind())
            });
        if !found {
            broken(
                "nothing is sent for nobody",
                format!("{} at {:?}", call.name, call.at),
            );
        }
    }
}

fn none_with_a_refused_key(facts: &Facts<'_>, broken: &mut Broken<'_>) {
    let way = facts.scenario.faults.latency / 2;
    let known = facts
        .calls
        .iter()
        .filter_map(|call| refused_at(call, way))
        .filter(|at| is_anybody_there(facts, *at))
        .min();
    let Some(known) = known else { return };
    // What goes out in the very instant in which the refusal comes in was not sent after it.
    let late = facts
        .calls
        .iter()
        .filter(|call| call.at > known + way + ROUNDING)
        .count();
    if late > 0 {
        broken(
            "no call with a refused key",
            format!("{late} calls after the refusal was known"),
        );
    }
}

/// When the client knows that its key is refused. A refusal that is lost or spoiled on its way
/// teaches it nothing.
fn refused_at(call: &CallRecord, way: Duration) -> Option<Duration> {
    let held = match &call.fault {
        None | Some(InjectedFault::Stale(_)) => Duration::ZERO,
        Some(InjectedFault::Slow(wait)) => *wait,
        Some(_) => return None,
    };
    // An answer that takes longer than an attempt may is lost too.
    let heard = call.credential_refused && held + 2 * way < ATTEMPT;
    heard.then(|| call.at + held + way)
}

/// A request that was dropped hears nothing.
fn is_anybody_there(facts: &Facts<'_>, at: Duration) -> bool {
    let mut episodes = facts.run.episodes.iter();
    episodes.any(|episode| episode.begun <= at && at <= episode.ended)
}

/// The longest that an attempt may take.
const ATTEMPT: Duration = Duration::from_secs(30);

/// When nothing is wrong with any instance, nothing is sent twice and no batch is left half empty.
fn as_few_as_possible(facts: &Facts<'_>, broken: &mut Broken<'_>) {
    let [episode] = &*facts.run.episodes else {
        return;
    };
    let Some(Ok(report)) = &episode.result else {
        return;
    };
    let calls = action_calls(facts);
    let (instances, limit) = facts.batch();
    let Some(request) = facts.scenario.requests.first() else {
        return;
    };
    let fewest: usize = request
        .waves
        .unwrap_or_default()
        .ranges(instances)
        .map(|wave| wave.len().div_ceil(limit))
        .sum();
    if facts.scenario.is_calm()
        && request.force_after.is_none()
        && report.is_success()
        && facts.bad == 0
        && calls != fewest as u64
    {
        broken(
            "fewest calls",
            format!("{calls} action calls, where {fewest} are enough"),
        );
    }
}

/// For k bad instances in a batch of n, at most 2 + 2k·log2(n) action calls (log2 rounded up, k
/// no more than the engine searches for), and those repeats that the client has counted. A reboot
/// of one that is not plainly running is a batch of its own.
fn within_the_bound(facts: &Facts<'_>, broken: &mut Broken<'_>) {
    let [_] = &*facts.run.episodes else { return };
    let (instances, limit) = facts.batch();
    let batches = instances.div_ceil(limit);
    let searched = facts.bad.min(SEARCHED * batches);
    let depth = instances.min(limit).max(1).ilog2() as usize + 1;
    let alone = match facts.scenario.requests.first() {
        Some(request) if request.action.kind() == ActionKind::Reboot => facts.bad,
        _ => 0,
    };
    let search = 2 * (batches + alone) + 2 * searched * depth;
    let rounds = facts.scenario.requests.first().map_or(1, |request| {
        let waves = request.waves.unwrap_or_default();
        let twice = 1 + usize::from(request.force_after.is_some());
        twice * waves.ranges(instances).count().max(1)
    });
    // Each round is a request of its own, and smaller than the whole.
    let search = rounds * search;
    // A signature that is refused for its time is made anew at once.
    let anew = u64::from(facts.scenario.faults.skew != 0) * 2;
    let most = search as u64 + facts.client().calls().repeats + anew;
    let calls = action_calls(facts);
    if calls > most {
        broken("no storms", format!("{calls} action calls, {most} at most"));
    }
}

fn action_calls(facts: &Facts<'_>) -> u64 {
    let actions = facts.calls.iter().filter(|call| call.operation.is_action());
    actions.count() as u64
}

impl Facts<'_> {
    /// How many instances the first request names, and how many fit into one of its calls.
    fn batch(&self) -> (usize, usize) {
        let action = self.scenario.requests.first().map(|request| request.action);
        let limit = action.map_or(1, |action| self.client().profile().batch(&action));
        (self.named().count(), limit)
    }
}

fn operation(verb: ActionKind) -> Operation {
    match verb {
        ActionKind::Start => Operation::Start,
        ActionKind::Stop => Operation::Stop,
        _ => Operation::Reboot,
    }
}

//! What was sent: nothing on nobody's behalf, nothing with a refused key, and no more than needed.

use std::time::Duration;

use lifecycle_facade::Verb;
use lifecycle_sim::{CallRecord, Mishap, Operation};

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
                !call.operation.is_action() || call.operation == operation(request.action.verb())
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
    let held = match &call.mishap {
        None | Some(Mishap::Stale(_)) => Duration::ZERO,
        Some(Mishap::Slow(wait)) => *wait,
        Some(_) => return None,
    };
    // An answer that takes longer than an attempt may is lost too.
    let heard = call.credential_refused && held + 2 * way < ATTEMPT;
    heard.then(|| call.at + held + way)
}

/// The longest that an attempt may take.
const ATTEMPT: Duration = Duration::from_secs(30);

/// When nothing is wrong with any instance, nothing is sent twice and no batch is left half empty.
fn as_few_as_possible(facts: &Facts<'_>, broken: &mut Broken<'_>) {
    let ([episode], [request]) = (&*facts.run.episodes, &*facts.scenario.requests) else {
        return;
    };
    let Some(Ok(report)) = &episode.result else {
        return;
    };
    let calls = action_calls(facts);
    let fewest = facts.batches();
    let forced = request.terms.force_after.is_some();
    if facts.scenario.is_calm()
        && report.is_success()
        && facts.bad == 0
        && !forced
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
    let [request] = &*facts.scenario.requests else {
        return;
    };
    let batches = facts.batches();
    let searched = facts.bad.min(SEARCHED * batches);
    let depth = facts.limit().min(facts.named().count()).max(1).ilog2() as usize + 1;
    let alone = match request.action.verb() {
        Verb::Reboot => facts.bad,
        _ => 0,
    };
    // What is forced afterwards is sent once more, and each instance has its own moment for it.
    let forced = match request.terms.force_after {
        Some(_) => 2 * facts.named().count() + 2 * searched * depth,
        None => 0,
    };
    let search = 2 * (batches + alone) + 2 * searched * depth + forced;
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
    /// How many instances fit into one call of the first request.
    fn limit(&self) -> usize {
        let action = self.scenario.requests.first().map(|request| request.action);
        action.map_or(1, |action| self.client().profile().batch(&action))
    }

    /// How many calls the first request needs when nothing goes wrong.
    fn batches(&self) -> usize {
        let Some(request) = self.scenario.requests.first() else {
            return 0;
        };
        let waves = request.waves(self.named().count());
        waves.map(|wave| wave.div_ceil(self.limit())).sum()
    }
}

fn operation(verb: Verb) -> Operation {
    match verb {
        Verb::Start => Operation::Start,
        Verb::Stop => Operation::Stop,
        _ => Operation::Reboot,
    }
}

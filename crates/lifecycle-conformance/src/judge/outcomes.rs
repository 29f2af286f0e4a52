//! One outcome for each instance, and each of them true.

use std::{collections::HashSet, time::Duration};

use lifecycle_facade::{ActionKind, InstanceId, InstanceReport, Outcome};
use lifecycle_sim::{Cloud, SimulatedState};

use super::{
    Broken,
    facts::{Facts, SEARCHED, goal},
};
use crate::{run::Episode, scenario::Request};

pub(super) fn judge(
    facts: &Facts<'_>,
    episode: &Episode,
    request: &Request,
    broken: &mut Broken<'_>,
) {
    let Some(Ok(report)) = &episode.result else {
        return;
    };
    let rows = report.instances();
    let mut seen = HashSet::new();
    let expected: Vec<&InstanceId> = episode.asked.iter().filter(|id| seen.insert(*id)).collect();
    if !rows
        .iter()
        .map(|row| &row.instance)
        .eq(expected.iter().copied())
    {
        broken(
            "one outcome per instance",
            format!("{} asked for, {} rows", expected.len(), rows.len()),
        );
    }
    for row in rows {
        let truth = Truth::of(facts, episode, request, row);
        if let Some(lie) = truth.lie(&row.outcome) {
            broken("outcomes are true", truth.tell(row, lie));
        }
        if let Some(loss) = truth.needless_loss(&row.outcome) {
            broken("the good ones go through", truth.tell(row, loss));
        }
    }
}

/// What the cloud knows of one instance and one request.
struct Truth<'t> {
    facts: &'t Facts<'t>,
    request: &'t Request,
    id: &'t InstanceId,
    verb: ActionKind,
    /// How often the action was executed while the request was under way.
    executed: usize,
    before: Option<SimulatedState>,
    after: Option<SimulatedState>,
    /// Nobody else had a hand in it.
    alone: bool,
    /// Nobody else asked for the same action.
    unrivalled: bool,
}

impl<'t> Truth<'t> {
    fn of(
        facts: &'t Facts<'t>,
        episode: &'t Episode,
        request: &'t Request,
        row: &'t InstanceReport,
    ) -> Self {
        let id = &row.instance;
        let verb = request.action.kind();
        let same = facts
            .requests_for(id)
            .filter(|other| other.action.kind() == verb);
        Self {
            facts,
            request,
            id,
            verb,
            executed: facts.executed(id, verb, episode),
            before: episode.before.get(id).copied(),
            after: episode.after.get(id).copied(),
            alone: facts.is_undisturbed(id),
            unrivalled: same.count() == 1,
        }
    }

    /// Why an outcome cannot be.
    fn lie(&self, outcome: &Outcome) -> Option<&'static str> {
        let huawei = self.facts.scenario.cloud == Cloud::Huawei;
        if !self.facts.is_known(self.id) {
            // A job takes on what there is not.
            let taken_on = huawei && matches!(outcome, Outcome::Accepted);
            return (outcome.is_success() && !taken_on).then_some("there is no such instance");
        }
        if matches!(outcome, Outcome::Refused(_) | Outcome::Skipped(_)) {
            // A start or a stop that others undo looks as if it had never been.
            let undone = self.verb != ActionKind::Reboot && !self.alone;
            return (self.executed > 0 && self.unrivalled && !undone).then_some("it was executed");
        }
        // What is in trouble can be shown as stopped, and nobody can tell from outside.
        if !self.alone || !is_plain(self.before) || !is_plain(self.after) {
            return None;
        }
        let untouched =
            self.executed == 0 && self.before != Some(goal(self.verb)) && !is_moving(self.before);
        match outcome {
            Outcome::Reached(_) if self.verb == ActionKind::Reboot && self.executed == 0 => {
                Some("it was not rebooted")
            }
            // A stale answer shows it as it was before it left.
            Outcome::Reached(_) if self.after != Some(goal(self.verb)) && !self.facts.stale => {
                Some("it is not there")
            }
            // An empty body is a good answer too, and then names nobody.
            Outcome::Accepted if self.facts.blanked => None,
            Outcome::Accepted
                if self.verb == ActionKind::Reboot && self.executed == 0 && !huawei =>
            {
                Some("it was not rebooted")
            }
            // A job can take an instance on and then refuse it.
            Outcome::Accepted if untouched && !huawei => Some("nothing was executed"),
            Outcome::Unchanged if self.verb == ActionKind::Reboot => {
                Some("a reboot always changes")
            }
            Outcome::Unchanged if self.request.strict => Some("that is refused by who is strict"),
            Outcome::Unchanged if untouched => Some("it was not so, and nothing was executed"),
            _ => None,
        }
    }

    /// Whether an instance did not go as asked although nothing stood in its way. With bad ones in
    /// the request it may be uncertain: what a cloud has done with the rest of a batch that it
    /// calls failed is not always to be seen, and nothing is sent again then.
    fn needless_loss(&self, outcome: &Outcome) -> Option<&'static str> {
        let facts = self.facts;
        let enough_time = self.request.patience.is_none_or(|span| span >= LONG_ENOUGH);
        let nothing_in_the_way = facts.scenario.is_calm()
            && facts.is_ready(self.id)
            && !facts.choosy
            && enough_time
            && self.request.is_plain()
            && !facts.scenario.switches.huawei.limit_is_per_minute;
        let lost = match outcome {
            Outcome::Reached(_) | Outcome::Accepted | Outcome::Unchanged => false,
            Outcome::Uncertain(_) => facts.bad == 0,
            _ => facts.bad <= SEARCHED && self.verb != ActionKind::Reboot || facts.bad == 0,
        };
        (nothing_in_the_way && lost).then_some("nothing stood in its way")
    }

    fn tell(&self, row: &InstanceReport, problem: &str) -> String {
        format!(
            "{} is {}, but {problem} ({} executed {} times, was {:?}, is {:?})",
            self.id, row.outcome, self.verb, self.executed, self.before, self.after
        )
    }
}

/// The longest boot or reboot, and what pace and cadence add to it.
const LONG_ENOUGH: Duration = Duration::from_secs(180);

fn is_plain(state: Option<SimulatedState>) -> bool {
    is_moving(state)
        || matches!(
            state,
            Some(SimulatedState::Running | SimulatedState::Stopped)
        )
}

fn is_moving(state: Option<SimulatedState>) -> bool {
    matches!(
        state,
        Some(SimulatedState::Starting | SimulatedState::Stopping | SimulatedState::Rebooting)
    )
}

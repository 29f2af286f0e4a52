//! Conformance: checks that a report has exactly one outcome for each instance, and that each outcome
//! is true.

use std::{collections::HashSet, time::Duration};

use lifecycle_facade::{ActionKind, InstanceId, InstanceReport, Outcome};
use lifecycle_sim::{Cloud, SimulatedState};

use super::{
    ground_truth::{GroundTruth, MAX_ISOLATED, goal_state},
    violation::Violations,
};
use crate::{scenario::Request, scenario_run::RequestRun};

/// Checks the outcomes of one request.
pub(super) fn check(
    truth: &GroundTruth<'_>,
    run: &RequestRun,
    request: &Request,
    violations: &mut Violations,
) {
    let Some(Ok(report)) = &run.result else {
        return;
    };
    let rows = report.instances();
    let mut seen = HashSet::new();
    let expected: Vec<&InstanceId> = run.ids.iter().filter(|id| seen.insert(*id)).collect();
    if !rows
        .iter()
        .map(|row| &row.instance)
        .eq(expected.iter().copied())
    {
        violations.add(
            "one outcome per instance",
            format!("{} requested, {} rows", expected.len(), rows.len()),
        );
    }
    for row in rows {
        let instance = InstanceTruth::new(truth, run, request, row);
        if let Some(reason) = instance.contradicts(&row.outcome) {
            violations.add("outcomes are true", instance.describe(row, reason));
        }
        if instance.failed_needlessly(&row.outcome) {
            let detail = instance.describe(row, "nothing prevented the action");
            violations.add("fit instances succeed", detail);
        }
    }
}

/// The ground truth of one instance in one request.
struct InstanceTruth<'t> {
    truth: &'t GroundTruth<'t>,
    request: &'t Request,
    id: &'t InstanceId,
    kind: ActionKind,
    /// The number of executions during the request.
    executed: usize,
    before: Option<SimulatedState>,
    after: Option<SimulatedState>,
    /// No external change and no other request touched the instance.
    is_undisturbed: bool,
    /// No other request had the same action.
    only_request_of_kind: bool,
    /// The request sent actions until its end: the time limit was too short for all instances.
    sent_until_the_end: bool,
}

impl<'t> InstanceTruth<'t> {
    fn new(
        truth: &'t GroundTruth<'t>,
        run: &'t RequestRun,
        request: &'t Request,
        row: &'t InstanceReport,
    ) -> Self {
        let id = &row.instance;
        let kind = request.action.kind();
        let same = truth
            .requests_for(id)
            .filter(|other| other.action.kind() == kind);
        Self {
            truth,
            request,
            id,
            kind,
            executed: truth.executed(id, kind, run),
            before: run.before.get(id).copied(),
            after: run.after.get(id).copied(),
            is_undisturbed: truth.is_undisturbed(id),
            only_request_of_kind: same.count() == 1,
            sent_until_the_end: truth.sent_until_the_end(run),
        }
    }

    /// Returns the reason why an outcome is false.
    fn contradicts(&self, outcome: &Outcome) -> Option<&'static str> {
        let huawei = self.truth.scenario.cloud == Cloud::Huawei;
        if !self.truth.existed_at_start(self.id) {
            // A Huawei job accepts unknown instances.
            let accepted = huawei && matches!(outcome, Outcome::Accepted);
            return (outcome.is_success() && !accepted).then_some("the instance does not exist");
        }
        if matches!(outcome, Outcome::Refused(_) | Outcome::Skipped(_)) {
            // A start or a stop that another change reverses leaves no visible trace.
            let reversed = self.kind != ActionKind::Reboot && !self.is_undisturbed;
            return (self.executed > 0 && self.only_request_of_kind && !reversed)
                .then_some("the action was executed");
        }
        // A cloud can show an impaired instance as stopped.
        if !self.is_undisturbed || !is_plain(self.before) || !is_plain(self.after) {
            return None;
        }
        let untouched = self.executed == 0
            && self.before != Some(goal_state(self.kind))
            && !is_moving(self.before);
        match outcome {
            Outcome::Reached(_) if self.kind == ActionKind::Reboot && self.executed == 0 => {
                Some("the instance was not rebooted")
            }
            // A stale answer shows an earlier state: the goal only if the instance was on the way
            // from there.
            Outcome::Reached(_)
                if self.after != Some(goal_state(self.kind))
                    && !(self.truth.has_stale_observation && is_moving(self.before)) =>
            {
                Some("the instance is in another state")
            }
            // An empty body is a valid answer that names no refused instance.
            Outcome::Accepted if self.truth.has_empty_acknowledgement => None,
            Outcome::Accepted
                if self.kind == ActionKind::Reboot && self.executed == 0 && !huawei =>
            {
                Some("the instance was not rebooted")
            }
            // A Huawei job can accept an instance and refuse the same instance later.
            Outcome::Accepted if untouched && !huawei => Some("nothing was executed"),
            Outcome::Unchanged if self.kind == ActionKind::Reboot => {
                Some("a reboot always changes")
            }
            Outcome::Unchanged if self.request.strict => {
                Some("a strict request refuses instances already in the requested state")
            }
            Outcome::Unchanged if untouched => {
                Some("the instance was in another state, and nothing was executed")
            }
            _ => None,
        }
    }

    /// Returns true if the action failed although nothing prevented the action. Unfit instances in
    /// the request permit an uncertain outcome: the effect of a failed batch on the other instances
    /// is not always visible, and the client sends nothing again in this case.
    fn failed_needlessly(&self, outcome: &Outcome) -> bool {
        let truth = self.truth;
        let enough_time = self
            .request
            .wait_timeout
            .is_none_or(|span| span >= LONG_ENOUGH);
        let unhindered = truth.scenario.is_undisturbed()
            && truth.is_ready(self.id)
            && !truth.option_may_be_unsupported
            && enough_time
            && self.request.is_plain()
            && !truth.scenario.switches.huawei.limit_is_per_minute;
        let failed = match outcome {
            Outcome::Reached(_) | Outcome::Accepted | Outcome::Unchanged => false,
            Outcome::Uncertain(_) => truth.unfit_count == 0,
            _ if self.sent_until_the_end => false,
            _ => {
                truth.unfit_count <= MAX_ISOLATED && self.kind != ActionKind::Reboot
                    || truth.unfit_count == 0
            }
        };
        unhindered && failed
    }

    fn describe(&self, row: &InstanceReport, problem: &str) -> String {
        format!(
            "{} is {}, but {problem} ({} executed {} times, was {:?}, is {:?})",
            self.id, row.outcome, self.kind, self.executed, self.before, self.after
        )
    }
}

/// The longest boot or reboot, including the delays of rate limits and polling.
const LONG_ENOUGH: Duration = Duration::from_secs(180);

/// Returns true for the states of an instance without an impairment.
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

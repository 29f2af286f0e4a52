//! The status after a pass.

use jiff::Timestamp;
use lifecycle_facade::PowerState;

use super::{
    handle::Keeper,
    report::{Look, PassReport},
};
use crate::{
    decide::{ActionName, KeptGroup, group_edge, wanted_states},
    record::OperationId,
    state::{Operation, State},
    status::{GroupStatus, MachineStatus, PassStatus},
};

impl Keeper {
    /// Returns the status after a pass. `state` is the state of the store before the decision, and `taken_over` has the
    /// operations of programs that ended.
    pub(super) fn status(
        &self,
        report: &PassReport,
        look: &Look,
        state: &State,
        taken_over: &[OperationId],
        began: Timestamp,
    ) -> PassStatus {
        let rules = &self.settings.rules;
        let is_left = |operation: &&Operation| taken_over.contains(&operation.request.operation);
        let open = state.unfinished().filter(is_left).map(|operation| {
            let instances = operation.request.instances.len();
            instances.saturating_sub(operation.settled())
        });
        let wanted = wanted_states(rules, &look.machines, state, began);
        let machines = look.machines.iter().zip(wanted);
        let machines = machines.map(|(machine, wanted)| {
            let mut actions = report.actions.iter();
            let reached = actions
                .find(|(action, result)| action.instance == machine.instance && result.reached);
            let seen = machine.state.as_ref().ok().copied();
            MachineStatus {
                instance: machine.instance.clone(),
                name: look.names.get(&machine.instance).cloned(),
                groups: machine.groups.clone(),
                state: match reached {
                    Some((action, _)) => Some(goal(action.action)),
                    None => seen,
                },
                wanted,
            }
        });
        let actions = report.actions.iter();
        PassStatus {
            at: began,
            next: report.next,
            blocked: report.blocked.is_some(),
            store_unavailable: false,
            problems: report.problems.len(),
            waiting: report.waiting.len(),
            open_intents: open.sum(),
            actions: actions
                .map(|(action, result)| (action.action, result.outcome))
                .collect(),
            facts: report.facts.iter().map(|fact| fact.kind).collect(),
            groups: rules
                .groups
                .iter()
                .map(|group| self.group_status(group, state, began))
                .collect(),
            machines: machines.collect(),
        }
    }

    fn group_status(&self, group: &KeptGroup, state: &State, now: Timestamp) -> GroupStatus {
        let calendar = self.settings.calendars.get(&group.name);
        let calendar_end = calendar.and_then(|calendar| {
            let after = calendar.ends?.tomorrow().ok()?;
            let end = after.to_zoned(group.schedule.zone.clone()).ok()?;
            Some((calendar.name.clone(), end.timestamp()))
        });
        GroupStatus {
            next_change: group.schedule.next_change(now).map(|change| change.at),
            calendar_end,
            ..GroupStatus::new(&group.name, group_edge(group, state, now).wanted)
        }
    }
}

/// Returns the state after an action that succeeded.
fn goal(action: ActionName) -> PowerState {
    match action {
        ActionName::Stop => PowerState::Stopped,
        ActionName::Start | ActionName::Reboot => PowerState::Running,
    }
}

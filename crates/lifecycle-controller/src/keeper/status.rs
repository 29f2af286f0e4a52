//! The status after a pass.

use std::collections::HashMap;

use jiff::Timestamp;
use lifecycle_facade::PowerState;

use super::{
    handle::Keeper,
    report::{Look, PassReport},
};
use crate::{
    decide::{ActionName, Edges, KeptEdge, wanted_with},
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
        edges: &Edges<'_>,
        began: Timestamp,
    ) -> PassStatus {
        let rules = &self.settings.rules;
        let is_left = |operation: &&Operation| taken_over.contains(&operation.request.operation);
        let open = state.unfinished().filter(is_left).map(|operation| {
            let instances = operation.request.instances.len();
            instances.saturating_sub(operation.settled())
        });
        let reached: HashMap<&str, ActionName> = report
            .actions
            .iter()
            .filter(|(_, result)| result.reached)
            .map(|(action, _)| (action.instance.as_str(), action.action))
            .collect();
        let wanted = wanted_with(rules, edges, &look.machines, state, began);
        let machines = look.machines.iter().zip(wanted);
        let machines = machines.map(|(machine, wanted)| {
            let reached = reached.get(machine.instance.as_str());
            let seen = machine.state.as_ref().ok().copied();
            MachineStatus {
                instance: machine.instance.clone(),
                name: look.names.get(&machine.instance).cloned(),
                groups: machine.groups.clone(),
                state: match reached {
                    Some(action) => Some(goal(*action)),
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
            groups: edges.iter().map(|kept| self.group_status(kept)).collect(),
            machines: machines.collect(),
        }
    }

    fn group_status(&self, kept: &KeptEdge<'_>) -> GroupStatus {
        let group = kept.group;
        let calendar = self.settings.calendars.get(&group.name);
        let calendar_end = calendar.and_then(|calendar| {
            let after = calendar.ends?.tomorrow().ok()?;
            let end = after.to_zoned(group.schedule.zone.clone()).ok()?;
            Some((calendar.name.clone(), end.timestamp()))
        });
        GroupStatus {
            next_change: kept.next.map(|change| change.at),
            calendar_end,
            ..GroupStatus::new(&group.name, kept.edge.wanted)
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

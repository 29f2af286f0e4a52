//! The reboots of a maintenance: at most one for each occurrence and machine.

use std::collections::BTreeSet;

use jiff::Timestamp;
use lifecycle_facade::PowerState;

use super::{
    decision::{ActionName, Decision, PlannedAction, SeenMachine},
    rules::Rules,
};
use crate::{
    machine::is_one_of,
    record::{ActionRecord, Edge, EdgeProgress, Wanted},
    state::{EdgeKey, LastAction, State},
};

/// Adds the reboots that are due.
///
/// The occurrence counts as done as soon as its edge is recorded, together with the request and before the
/// reboot is sent: after a crash the request is resumed, and never made a second time. Only a reboot that provably was
/// not sent is made up for, within `catch_up`.
pub(super) fn add(
    rules: &Rules,
    machines: &[SeenMachine],
    state: &State,
    open: &BTreeSet<String>,
    now: Timestamp,
    decision: &mut Decision,
) {
    let actions = decision.actions.iter();
    let mut busy: BTreeSet<String> = actions.map(|action| action.instance.clone()).collect();
    for maintenance in &rules.maintenance {
        let Some(due) = maintenance.at.last_due(now) else {
            continue;
        };
        if now.duration_since(due) > rules.catch_up {
            continue;
        }
        let key = edge_group(&maintenance.group);
        let members = machines
            .iter()
            .filter(|machine| machine.groups.contains(&maintenance.group));
        for machine in members {
            let instance = &machine.instance;
            let done = state.edges.get(&EdgeKey::instance(&key, instance));
            let is_done = done.is_some_and(|done| {
                !was_not_sent(done, due)
                    || (done.edge == due && is_sent(state.last_action(instance), due))
            });
            let is_busy = is_one_of(open, instance) || busy.contains(instance);
            let is_held = state.hold(instance, now).is_some()
                || machine
                    .groups
                    .iter()
                    .any(|group| state.hold(group, now).is_some());
            let is_running = machine.state == Ok(PowerState::Running);
            if is_done || is_busy || is_held || !is_running || machine.protected.is_some() {
                continue;
            }
            busy.insert(instance.clone());
            decision.actions.push(PlannedAction {
                action: ActionName::Reboot,
                instance: instance.clone(),
                group: maintenance.group.clone(),
                why: format!("maintenance of {} at {due}", maintenance.group),
                edge: Edge {
                    group: key.clone(),
                    instance: Some(instance.clone()),
                    wanted: Wanted::Running,
                    edge: due,
                    progress: EdgeProgress::Open {
                        failures: 0,
                        last_action: Some(now),
                    },
                    at: now,
                },
            });
        }
    }
}

/// Returns true if the occurrence at `due` was not begun, or was begun and ended before a call went out.
fn was_not_sent(done: &Edge, due: Timestamp) -> bool {
    let is_unsent = matches!(
        done.progress,
        EdgeProgress::Open {
            last_action: None,
            ..
        }
    );
    done.edge < due || is_unsent
}

/// Returns true if a reboot was sent since `due`, whatever the edge says.
fn is_sent(last: Option<&LastAction>, due: Timestamp) -> bool {
    last.is_some_and(|last| {
        matches!(last.action, ActionRecord::Reboot { .. })
            && last.at >= due
            && last.outcome.as_deref() != Some("skipped")
    })
}

/// Returns the name under which the edges of a maintenance are recorded. A group's name has no space.
fn edge_group(group: &str) -> String {
    format!("maintenance {group}")
}

//! Conformance: checks that each list of a run has exactly the instances of its filter, or is an error.

use std::collections::HashSet;

use lifecycle_facade::{InstanceId, PowerState, lifecycle_core::InstanceFilter};

use crate::{scenario::ExternalChange, scenario_run::ListRun};

use super::{ground_truth::GroundTruth, violation::Violations};

/// Checks all lists of a run.
pub(super) fn check(truth: &GroundTruth<'_>, violations: &mut Violations) {
    for (list, scheduled) in truth.run.lists.iter().zip(&truth.scenario.lists) {
        let filter = &scheduled.filter;
        let rows = match &list.result {
            Ok(rows) => rows,
            Err(error) => {
                // A list from which an instance disappears has fewer rows than the cloud counted.
                let is_excused =
                    is_deleted_during(truth, list) || is_state_changed(truth, filter, list);
                if truth.scenario.faults.has_no_faults() && !is_excused {
                    violations.add("lists without faults succeed", error.to_string());
                }
                continue;
            }
        };
        let mut listed: HashSet<&InstanceId> = HashSet::new();
        for row in rows {
            if !listed.insert(&row.instance) {
                violations.add("a list has one row per instance", row.instance.to_string());
            }
            if !truth.existed_at_start(&row.instance) {
                violations.add("a listed instance exists", row.instance.to_string());
            }
            let state = constant_state(truth, &row.instance, list);
            let is_other = state.is_some_and(|state| !has_state(filter, state));
            if is_other || !has_facts(truth, filter, &row.instance) {
                violations.add(
                    "a listed instance matches the filter",
                    format!("{} does not match {filter:?}", row.instance),
                );
            }
        }
        let missing = truth.undeleted().filter(|id| {
            !listed.contains(id)
                && has_facts(truth, filter, id)
                && (filter.states.is_empty()
                    || constant_state(truth, id, list)
                        .is_some_and(|state| has_state(filter, state)))
        });
        for id in missing {
            violations.add("a list is whole or an error", format!("{id} is missing"));
        }
    }
}

/// Returns whether an instance was deleted during the list.
fn is_deleted_during(truth: &GroundTruth<'_>, list: &ListRun) -> bool {
    let mut changes = truth.scenario.changes.iter();
    changes.any(|change| {
        matches!(change.change, ExternalChange::Delete)
            && (list.started..=list.ended).contains(&change.at)
    })
}

/// Returns whether an instance can begin or cease to match a condition on the state during the list: an operation can
/// change the state long after its call.
fn is_state_changed(truth: &GroundTruth<'_>, filter: &InstanceFilter, list: &ListRun) -> bool {
    !filter.states.is_empty()
        && truth.undeleted().any(|id| {
            !truth.is_externally_unchanged(id) || truth.last_operation(id, list.ended).is_some()
        })
}

/// Applies the conditions on the name and on tags to the simulator's record. Both never change.
fn has_facts(truth: &GroundTruth<'_>, filter: &InstanceFilter, id: &InstanceId) -> bool {
    let simulator = &truth.run.stage.simulator;
    let reference = truth.run.stage.reference(id);
    let name = simulator.name_of(&reference).unwrap_or_default();
    let tags = simulator.tags_of(&reference).unwrap_or_default();
    let value = |key: &str| {
        let mut tags = tags.iter();
        tags.find(|tag| *tag.key == *key).map(|tag| &*tag.value)
    };
    (filter.names.is_empty() || filter.names.iter().any(|pattern| pattern.matches(&name)))
        && filter.tags.iter().all(|tag| tag.matches(value(tag.key())))
}

fn has_state(filter: &InstanceFilter, state: PowerState) -> bool {
    filter.states.is_empty() || filter.states.contains(&state)
}

/// Returns the state of an instance that had the same state from the start of the run to the end of the
/// list.
fn constant_state(truth: &GroundTruth<'_>, id: &InstanceId, list: &ListRun) -> Option<PowerState> {
    let is_constant = truth.is_ready(id)
        && truth.is_externally_unchanged(id)
        && truth.last_operation(id, list.ended).is_none();
    is_constant.then(|| truth.ready_state())
}

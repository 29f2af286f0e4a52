//! Conformance: checks that each list of a run is whole, or an error.

use std::collections::HashSet;

use lifecycle_facade::InstanceId;

use super::{ground_truth::GroundTruth, violation::Violations};

/// Checks all lists of a run.
pub(super) fn check(truth: &GroundTruth<'_>, violations: &mut Violations) {
    for list in &truth.run.lists {
        let rows = match &list.result {
            Ok(rows) => rows,
            Err(error) => {
                if truth.scenario.faults.has_no_faults() {
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
        }
        let missing = truth.undeleted().filter(|id| !listed.contains(id));
        for id in missing {
            violations.add("a list is whole or an error", format!("{id} is missing"));
        }
    }
}

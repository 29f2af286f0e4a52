//! `PassStatus`: the groups and machines after one pass of a controller, for metrics and displays.

use std::collections::BTreeSet;

use jiff::Timestamp;
use lifecycle_facade::PowerState;

use crate::{
    decide::{ActionName, FactKind},
    record::Wanted,
};

/// The groups and machines after one pass.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PassStatus {
    /// The begin of the pass.
    pub at: Timestamp,
    /// The time of the next pass.
    pub next: Option<Timestamp>,
    /// The pass did nothing, because of a limit.
    pub blocked: bool,
    /// The store did not answer, and no pass was made: only the facts are known.
    pub store_unavailable: bool,
    /// The number of groups, locations and machines that could not be read.
    pub problems: usize,
    /// The number of machines that differ and are left alone.
    pub waiting: usize,
    /// The number of instances of recorded requests without an outcome, left by an earlier process.
    pub open_intents: usize,
    /// The actions, and the names of their outcomes.
    pub actions: Vec<(ActionName, &'static str)>,
    /// The kinds of the facts for people.
    pub facts: Vec<FactKind>,
    /// The kept groups.
    pub groups: Vec<GroupStatus>,
    /// The machines of all groups.
    pub machines: Vec<MachineStatus>,
}

impl PassStatus {
    /// The results of passes.
    pub const RESULTS: [&'static str; 4] = ["complete", "incomplete", "blocked", "unavailable"];

    /// Returns `complete`, `incomplete`, `blocked` or `unavailable`.
    pub fn result(&self) -> &'static str {
        let is_success =
            |(_, outcome): &(ActionName, &str)| matches!(*outcome, "reached" | "unchanged");
        if self.store_unavailable {
            "unavailable"
        } else if self.blocked {
            "blocked"
        } else if self.problems == 0 && self.actions.iter().all(is_success) {
            "complete"
        } else {
            "incomplete"
        }
    }
}

/// A kept group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupStatus {
    /// The name of the group.
    pub name: String,
    /// The state that the schedule or a hold wants.
    pub wanted: Wanted,
    /// The next change of the schedule.
    pub next_change: Option<Timestamp>,
    /// The name and the end of the calendar, if the calendar has an end.
    pub calendar_end: Option<(String, Timestamp)>,
}

impl GroupStatus {
    /// Returns a group without a next change and without a calendar.
    pub fn new(name: impl Into<String>, wanted: Wanted) -> Self {
        Self {
            name: name.into(),
            wanted,
            next_change: None,
            calendar_end: None,
        }
    }
}

/// A machine of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MachineStatus {
    /// The reference.
    pub instance: String,
    /// The display name.
    pub name: Option<String>,
    /// The groups.
    pub groups: BTreeSet<String>,
    /// The state after the actions of the pass; `None` if the machine could not be seen.
    pub state: Option<PowerState>,
    /// The state that the schedule or a hold wants; `None` without a kept group.
    pub wanted: Option<Wanted>,
}

impl MachineStatus {
    /// Returns a machine that could not be seen, without a name and without groups.
    pub fn new(instance: impl Into<String>) -> Self {
        Self {
            instance: instance.into(),
            name: None,
            groups: BTreeSet::new(),
            state: None,
            wanted: None,
        }
    }
}

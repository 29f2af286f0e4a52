//! Decisions: what a controller does now, as a pure function of the configuration, the lookups and the
//! store's state. No clock, no file, no network.
//!
//! # Rules
//!
//! - An *edge* is a change of the wanted state of a group: of its schedule, or the begin or end of a hold.
//!   A decision compares the state **seen now** with the state wanted since the last edge, and depends on
//!   one remembered fact: the progress since **this** edge. A wish of an earlier edge is never used.
//! - Not yet reached: a failed action returns after 1, 2, 4, 8, 16 and then every 30 minutes, until the
//!   next edge.
//! - Reached, and now different: somebody else changed the machine. The `manual` rule of the schedule
//!   decides, and the drift is reported once.
//! - An edge that no pass saw is made good within `catch_up`. An older edge counts as a change by somebody
//!   else. The first pass on an empty store corrects nothing.
//! - A reboot never results from a comparison. Only a maintenance reboots, once for each occurrence and
//!   machine.
//! - A machine that the controller started is not stopped within ten minutes.
//! - A pass with more than `max_changes` starts and stops does nothing.
//! - A machine in several groups runs if any group wants it. A hold of the machine wins over all groups.

mod edge;
mod machine;
mod reboot;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use lifecycle_facade::PowerState;

use crate::{
    record::{Edge, EdgeProgress, Wanted},
    schedule::{Maintenance, Schedule},
    state::{EdgeKey, State},
};

pub use edge::{GroupEdge, group_edge};

/// The groups and rules of a controller.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rules {
    /// The kept groups.
    pub groups: Vec<KeptGroup>,
    /// The reboots by schedule.
    pub maintenance: Vec<GroupMaintenance>,
    /// The maximum number of starts and stops in a pass.
    pub max_changes: usize,
    /// A missed edge is made good within this time.
    pub catch_up: SignedDuration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            groups: Vec::new(),
            maintenance: Vec::new(),
            max_changes: 50,
            catch_up: SignedDuration::from_hours(2),
        }
    }
}

/// A group that follows a schedule.
#[derive(Clone, Debug)]
pub struct KeptGroup {
    /// The name of the group.
    pub name: String,
    /// The name of the schedule.
    pub schedule_name: String,
    /// The schedule.
    pub schedule: Schedule,
    /// The rule for machines that somebody else started or stopped.
    pub manual: Manual,
}

/// The rule for machines that somebody else started or stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Manual {
    /// Leave the machine until the next edge.
    #[default]
    UntilNextChange,
    /// Return to the schedule.
    Correct,
    /// Leave the machine for a time, then return to the schedule.
    LeaveFor(SignedDuration),
}

/// The reboots of a group by schedule.
#[derive(Clone, Debug)]
pub struct GroupMaintenance {
    /// The name of the group.
    pub group: String,
    /// The moments.
    pub at: Maintenance,
}

/// A machine as a pass sees it.
#[derive(Clone, Debug)]
pub struct SeenMachine {
    /// The reference.
    pub instance: String,
    /// The groups of the machine, kept or under maintenance.
    pub groups: BTreeSet<String>,
    /// The state; `Err` with the reason if the machine could not be seen.
    pub state: Result<PowerState, String>,
    /// The reason for the protection from stops and reboots; `None` for an unprotected machine.
    pub protected: Option<String>,
}

/// The kind of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ActionName {
    /// A start.
    Start,
    /// A stop.
    Stop,
    /// A reboot, only by a maintenance.
    Reboot,
}

impl ActionName {
    /// Returns `start`, `stop` or `reboot`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Reboot => "reboot",
        }
    }
}

/// An action on a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedAction {
    /// The kind.
    pub action: ActionName,
    /// The reference of the machine.
    pub instance: String,
    /// The group for which the machine is started or stopped.
    pub group: String,
    /// The reason, such as `schedule office: running since 2026-11-27T08:00:00+08:00`.
    pub why: String,
    /// The edge before the action: durable before the action is sent, so that a crash does not lose the
    /// count of failures.
    pub edge: Edge,
}

impl PlannedAction {
    /// Returns the edge after the action. `reached` means that the wanted state was observed.
    pub fn settled(&self, reached: bool, now: Timestamp) -> Edge {
        let mut edge = self.edge.clone();
        edge.at = now;
        edge.progress = match (reached, edge.progress) {
            (true, _) => EdgeProgress::Reached,
            (
                false,
                EdgeProgress::Open {
                    failures,
                    last_action,
                },
            ) => EdgeProgress::Open {
                failures: failures.saturating_add(1),
                last_action,
            },
            (false, progress) => progress,
        };
        edge
    }
}

/// A machine that differs from the wanted state, and is left alone for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The reference of the machine.
    pub instance: String,
    /// The group.
    pub group: String,
    /// The reason.
    pub why: String,
    /// The time of the next look, if the reason ends by itself.
    pub until: Option<Timestamp>,
}

/// A fact for people. Each fact is reported once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The kind.
    pub kind: FactKind,
    /// The machine or group.
    pub subject: String,
    /// The fact in words.
    pub message: String,
}

/// The kind of a [`Fact`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FactKind {
    /// The wanted state was not reached until the next edge.
    GivenUp,
    /// Nobody can know whether the cloud executed an action.
    Uncertain,
    /// Somebody else changed a machine.
    Drifted,
    /// A hold began.
    Held,
    /// The last day of a calendar is near or over.
    CalendarEnding,
    /// A pass wanted more changes than allowed, and did nothing.
    CircuitBreaker,
}

impl FactKind {
    /// Returns the name, in lower case with hyphens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GivenUp => "given-up",
            Self::Uncertain => "uncertain",
            Self::Drifted => "drifted",
            Self::Held => "held",
            Self::CalendarEnding => "calendar-ending",
            Self::CircuitBreaker => "circuit-breaker",
        }
    }
}

/// The result of [`decide`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// The actions, at most one for each machine.
    pub actions: Vec<PlannedAction>,
    /// The edges to record, besides the edges of the actions.
    pub edges: Vec<Edge>,
    /// The machines that differ and are left alone.
    pub waiting: Vec<Waiting>,
    /// The facts for people.
    pub facts: Vec<Fact>,
    /// The reason for which the pass does nothing.
    pub problem: Option<String>,
    /// The time at which a new pass is useful: the next edge, retry or end of a hold.
    pub next: Option<Timestamp>,
}

/// Decides what a pass does.
pub fn decide(rules: &Rules, machines: &[SeenMachine], state: &State, now: Timestamp) -> Decision {
    let edges: BTreeMap<&str, GroupEdge> = rules
        .groups
        .iter()
        .map(|group| (group.name.as_str(), group_edge(group, state, now)))
        .collect();
    let open: BTreeSet<&str> = state
        .unfinished()
        .flat_map(|operation| {
            let instances = operation.request.instances.iter();
            instances.filter(|name| operation.progress(name).outcome.is_none())
        })
        .map(String::as_str)
        .collect();
    let mut decision = Decision::default();
    for group in &rules.groups {
        decision.record_group(&group.name, &edges[group.name.as_str()], state, now);
    }
    decision.report_holds(state, now);
    for machine in machines {
        let context = machine::Context {
            rules,
            edges: &edges,
            state,
            now,
            has_open_intent: open.contains(machine.instance.as_str()),
        };
        context.decide(machine, &mut decision);
    }
    let changes = decision.actions.len();
    if changes > rules.max_changes {
        decision.break_circuit(rules.max_changes, state);
    }
    reboot::add(rules, machines, state, &open, now, &mut decision);
    decision.next = decision.next_pass(rules, state, now);
    decision
}

impl Decision {
    /// Records the edge of a group when the edge is new.
    fn record_group(&mut self, group: &str, edge: &GroupEdge, state: &State, now: Timestamp) {
        let recorded = state.edges.get(&EdgeKey::group(group));
        if recorded.is_some_and(|recorded| edge.is(recorded)) {
            return;
        }
        self.edges
            .push(edge.record(group, None, EdgeProgress::Reached, now));
    }

    /// Reports the holds that began since the last pass.
    fn report_holds(&mut self, state: &State, now: Timestamp) {
        let last_pass = state.last_pass.as_ref().map(|pass| pass.at);
        let holds = state.holds.values();
        let new = holds.filter(|hold| {
            now < hold.until && last_pass.is_none_or(|last_pass| hold.at > last_pass)
        });
        self.facts.extend(new.map(|hold| Fact {
            kind: FactKind::Held,
            subject: hold.target.clone(),
            message: format!(
                "{} is held {} until {} by {}: {}",
                hold.target,
                hold.state.as_str(),
                hold.until,
                hold.by,
                hold.why
            ),
        }));
    }

    fn break_circuit(&mut self, max: usize, state: &State) {
        let changes = self.actions.len();
        let problem = format!(
            "this pass wants to start or stop {changes} machines, more than max_changes = {max}: \
             nothing was sent; check with lifecycle plan --look, then raise max_changes or run \
             lifecycle apply --max {changes}"
        );
        self.actions.clear();
        let was = state.last_pass.as_ref();
        let is_new = was.is_none_or(|pass| pass.problem.is_none());
        if is_new {
            self.facts.push(Fact {
                kind: FactKind::CircuitBreaker,
                subject: "controller".to_owned(),
                message: problem.clone(),
            });
        }
        self.problem = Some(problem);
    }

    fn next_pass(&self, rules: &Rules, state: &State, now: Timestamp) -> Option<Timestamp> {
        let changes = rules.groups.iter().filter_map(|group| {
            let change = group.schedule.next_change(now)?;
            Some(change.at)
        });
        let maintenance = rules.maintenance.iter();
        let maintenance = maintenance.filter_map(|entry| entry.at.next_due(now));
        let waiting = self.waiting.iter().filter_map(|waiting| waiting.until);
        let holds = state.holds.values().map(|hold| hold.until);
        let all = changes.chain(maintenance).chain(waiting).chain(holds);
        all.filter(|at| *at > now).min()
    }
}

/// Returns the delay after the given number of failures: 1, 2, 4, 8, 16, 30, 30 … minutes.
pub fn retry_delay(failures: u32) -> SignedDuration {
    let minutes = 1_i64 << failures.saturating_sub(1).min(5);
    SignedDuration::from_mins(minutes.min(30))
}

/// Returns true if the state is the wanted state.
fn is_wanted(state: PowerState, wanted: Wanted) -> bool {
    match wanted {
        Wanted::Running => state == PowerState::Running,
        Wanted::Stopped => state == PowerState::Stopped,
        Wanted::AsIs => true,
    }
}

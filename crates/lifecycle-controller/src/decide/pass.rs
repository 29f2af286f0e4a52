//! `decide`: the decision of one pass about all groups and machines.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    decision::{Decision, Fact, FactKind, SeenMachine},
    edge::{Edges, GroupEdge},
    machine, reboot,
    rules::Rules,
};
use crate::{
    machine::{is_one_of, machine_name},
    record::{EdgeProgress, Hold, Wanted},
    state::{EdgeKey, State},
};

/// Decides what a pass does.
pub fn decide(rules: &Rules, machines: &[SeenMachine], state: &State, now: Timestamp) -> Decision {
    decide_with(rules, &Edges::new(rules, state, now), machines, state, now)
}

/// Decides with the edges at `now`.
pub(crate) fn decide_with(
    rules: &Rules,
    edges: &Edges<'_>,
    machines: &[SeenMachine],
    state: &State,
    now: Timestamp,
) -> Decision {
    let open = state.open_machines();
    let mut decision = Decision::default();
    for kept in edges.iter() {
        decision.record_group(&kept.group.name, &kept.edge, state, now);
    }
    decision.report_holds(rules, machines, state, now);
    for machine in machines {
        let context = machine::Context {
            rules,
            edges,
            state,
            now,
            has_open_intent: is_one_of(&open, &machine.instance),
        };
        context.decide(machine, &mut decision);
    }
    let changes = decision.actions.len();
    if changes > rules.max_changes {
        decision.break_circuit(rules.max_changes, state);
    }
    reboot::add(rules, machines, state, &open, now, &mut decision);
    decision.next = decision.next_pass(rules, edges, state, now);
    decision
}

/// Returns the wanted state of each machine: by the schedule or by a hold. `None` for a machine without a kept
/// group.
pub fn wanted_states(
    rules: &Rules,
    machines: &[SeenMachine],
    state: &State,
    now: Timestamp,
) -> Vec<Option<Wanted>> {
    wanted_with(rules, &Edges::new(rules, state, now), machines, state, now)
}

/// Returns the wanted state of each machine with the edges at `now`.
pub(crate) fn wanted_with(
    rules: &Rules,
    edges: &Edges<'_>,
    machines: &[SeenMachine],
    state: &State,
    now: Timestamp,
) -> Vec<Option<Wanted>> {
    let context = machine::Context {
        rules,
        edges,
        state,
        now,
        has_open_intent: false,
    };
    let machines = machines.iter();
    machines.map(|machine| context.wanted(machine)).collect()
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

    /// Reports each hold of a group or a machine of this pass once.
    fn report_holds(
        &mut self,
        rules: &Rules,
        machines: &[SeenMachine],
        state: &State,
        now: Timestamp,
    ) {
        let is_active = |hold: &&Hold| now < hold.until;
        if !state.holds.values().any(|hold| is_active(&hold)) {
            return;
        }
        let machines: BTreeSet<String> = machines
            .iter()
            .map(|machine| machine_name(&machine.instance))
            .collect();
        let holds = state.holds.iter().filter(|(_, hold)| is_active(hold));
        let holds = holds.filter(|(target, _)| {
            let is_target = |name: &String| name == *target;
            rules.groups.iter().any(|group| is_target(&group.name))
                || rules
                    .maintenance
                    .iter()
                    .any(|entry| is_target(&entry.group))
                || machines.contains(*target)
        });
        let facts = holds.map(|(_, hold)| Fact {
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
        });
        let is_new = |fact: &Fact| !state.log.is_hold_reported(&fact.subject, &fact.message);
        self.facts.extend(facts.filter(is_new));
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

    fn next_pass(
        &self,
        rules: &Rules,
        edges: &Edges<'_>,
        state: &State,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let changes = edges.iter().filter_map(|kept| Some(kept.next?.at));
        let maintenance = rules.maintenance.iter();
        let maintenance = maintenance.filter_map(|entry| entry.at.next_due(now));
        let waiting = self.waiting.iter().filter_map(|waiting| waiting.until);
        let holds = state.holds.values().map(|hold| hold.until);
        let all = changes.chain(maintenance).chain(waiting).chain(holds);
        all.filter(|at| *at > now).min()
    }
}

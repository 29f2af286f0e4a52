//! The decision about one machine.

use jiff::{SignedDuration, Timestamp};
use lifecycle_facade::PowerState;

use super::{
    decision::{ActionName, Decision, Fact, FactKind, PlannedAction, SeenMachine, Waiting},
    edge::{Edges, GroupEdge, delayed_until, machine_edge},
    rules::{KeptGroup, Manual, Rules},
};
use crate::{
    record::{ActionRecord, Edge, EdgeProgress, Wanted},
    state::{EdgeKey, State},
};

/// A machine that the controller started is not stopped within this time.
const AFTER_START: SignedDuration = SignedDuration::from_mins(10);

/// The facts beside the machine itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub(super) rules: &'a Rules,
    pub(super) edges: &'a Edges<'a>,
    pub(super) state: &'a State,
    pub(super) now: Timestamp,
    pub(super) has_open_intent: bool,
}

/// A machine, and the group whose wish counts.
struct Subject<'a> {
    machine: &'a SeenMachine,
    group: &'a KeptGroup,
    edge: GroupEdge,
    seen: PowerState,
}

impl Context<'_> {
    pub(super) fn decide(self, machine: &SeenMachine, decision: &mut Decision) {
        let Some((group, edge)) = self.wish(machine) else {
            return;
        };
        if edge.wanted == Wanted::AsIs {
            return;
        }
        let wait = |why: String, until| Waiting {
            instance: machine.instance.clone(),
            group: group.name.clone(),
            why,
            until,
        };
        if self.has_open_intent {
            let why = "an earlier request has no outcome yet".to_owned();
            decision.waiting.push(wait(why, None));
            return;
        }
        let seen = match &machine.state {
            Ok(seen) => *seen,
            Err(reason) => {
                decision.waiting.push(wait(reason.clone(), None));
                return;
            }
        };
        let subject = Subject {
            machine,
            group,
            edge,
            seen,
        };
        let key = EdgeKey::instance(&group.name, &machine.instance);
        let recorded = self.state.edges.get(&key);
        let progress = recorded.filter(|recorded| subject.edge.is(recorded));
        if progress.is_none() {
            self.report_given_up(&subject, recorded, decision);
        }
        if is_wanted(seen, subject.edge.wanted) {
            if progress.is_none_or(|edge| edge.progress != EdgeProgress::Reached) {
                decision
                    .edges
                    .push(self.record(&subject, EdgeProgress::Reached));
            }
            return;
        }
        if !matches!(seen, PowerState::Running | PowerState::Stopped) {
            let why = format!("{seen}: neither running nor stopped");
            decision.waiting.push(wait(why, None));
            return;
        }
        match progress.map(|edge| (&edge.progress, edge.at)) {
            None => self.begin(&subject, decision),
            Some((progress @ EdgeProgress::Open { failures, .. }, _)) => {
                match progress.retry_at(self.now) {
                    Some(due) => {
                        let why =
                            format!("failed attempts: {failures}; the next attempt is at {due}");
                        decision.waiting.push(wait(why, Some(due)));
                    }
                    None => self.act(&subject, *failures, decision),
                }
            }
            Some((EdgeProgress::Reached, _)) => self.drift(&subject, false, decision),
            Some((EdgeProgress::Drifted { .. }, since)) => {
                self.after_drift(&subject, since, decision);
            }
            Some((EdgeProgress::GivenUp { why }, _)) => {
                decision.waiting.push(wait(why.clone(), None));
            }
        }
    }

    /// Returns the wanted state of a machine; `None` without a kept group.
    pub(super) fn wanted(self, machine: &SeenMachine) -> Option<Wanted> {
        self.wish(machine).map(|(_, edge)| edge.wanted)
    }

    /// Returns the group whose wish counts, and the wish. A hold of the machine wins, then a group that is
    /// held as it is, then a group that wants the machine running.
    fn wish(&self, machine: &SeenMachine) -> Option<(&KeptGroup, GroupEdge)> {
        let groups = machine.groups.iter();
        let wishes = groups.filter_map(|group| {
            let kept = self.edges.get(group)?;
            let edge = machine_edge(&machine.instance, &kept.edge, self.state, self.now);
            Some((kept.group, edge))
        });
        wishes.max_by_key(|(_, edge)| {
            let rank = match edge.wanted {
                Wanted::AsIs if edge.hold.is_some() => 3,
                Wanted::Running => 2,
                Wanted::Stopped => 1,
                Wanted::AsIs => 0,
            };
            (rank, edge.at)
        })
    }

    /// Begins with a new edge, or with an edge that was missed.
    fn begin(&self, subject: &Subject<'_>, decision: &mut Decision) {
        let is_missed = self
            .now
            .duration_since(subject.edge.at.max(oldest(self.now)))
            > self.rules.catch_up;
        match is_missed {
            false => self.act(subject, 0, decision),
            true => self.drift(subject, true, decision),
        }
    }

    /// Handles a machine that differs, and was not changed by this controller.
    fn drift(&self, subject: &Subject<'_>, is_missed: bool, decision: &mut Decision) {
        let is_first_pass = self.state.log.last_pass(&subject.group.name).is_none();
        let corrects = subject.group.manual == Manual::Correct;
        let (machine, seen) = (&subject.machine.instance, subject.seen);
        let wanted = subject.edge.wanted.as_str();
        if is_first_pass && corrects {
            // The next pass corrects: a first pass cannot tell who changed what.
            decision.waiting.push(Waiting {
                instance: machine.clone(),
                group: subject.group.name.clone(),
                why: format!(
                    "{seen}, wanted {wanted}: the first pass over a group corrects nothing"
                ),
                until: None,
            });
            return;
        }
        let cause = match is_missed {
            true => "the change of the schedule was missed",
            false => "somebody else changed the machine",
        };
        let then = match subject.group.manual {
            Manual::Correct => "it returns to the schedule now".to_owned(),
            Manual::UntilNextChange => "it is left until the schedule changes".to_owned(),
            Manual::LeaveFor(time) => format!("it is left for {time:#}"),
        };
        decision.facts.push(Fact {
            kind: FactKind::Drifted,
            subject: machine.clone(),
            message: format!("{machine} is {seen}, wanted {wanted}: {cause}; {then}"),
        });
        if corrects {
            self.act(subject, 0, decision);
            return;
        }
        let state = seen.as_str().to_owned();
        let drifted = self.record(subject, EdgeProgress::Drifted { state });
        decision.edges.push(drifted);
        self.leave(subject, self.now, decision);
    }

    fn after_drift(&self, subject: &Subject<'_>, since: Timestamp, decision: &mut Decision) {
        let is_over = match subject.group.manual {
            Manual::Correct => true,
            Manual::UntilNextChange => false,
            Manual::LeaveFor(time) => delayed_until(since, time, self.now).is_none(),
        };
        match is_over {
            true => self.act(subject, 0, decision),
            false => self.leave(subject, since, decision),
        }
    }

    fn leave(&self, subject: &Subject<'_>, since: Timestamp, decision: &mut Decision) {
        let until = match subject.group.manual {
            Manual::LeaveFor(time) => since.checked_add(time).ok(),
            _ => None,
        };
        decision.waiting.push(Waiting {
            instance: subject.machine.instance.clone(),
            group: subject.group.name.clone(),
            why: format!("{}: changed by somebody else", subject.seen),
            until,
        });
    }

    /// Plans the action, unless the machine is protected or was started a moment ago.
    fn act(&self, subject: &Subject<'_>, failures: u32, decision: &mut Decision) {
        let machine = subject.machine;
        let action = match subject.edge.wanted {
            Wanted::Running => ActionName::Start,
            _ => ActionName::Stop,
        };
        let mut wait = |why: String, until| {
            decision.waiting.push(Waiting {
                instance: machine.instance.clone(),
                group: subject.group.name.clone(),
                why,
                until,
            });
        };
        if action == ActionName::Stop {
            if let Some(reason) = &machine.protected {
                wait(format!("protected: {reason}"), None);
                return;
            }
            let last = self.state.last_action(&machine.instance);
            let started = last.filter(|last| matches!(last.action, ActionRecord::Start { .. }));
            let stop_from = started.and_then(|last| delayed_until(last.at, AFTER_START, self.now));
            if let Some(stop_from) = stop_from {
                wait(
                    format!("started less than ten minutes ago; the stop is at {stop_from}"),
                    Some(stop_from),
                );
                return;
            }
        }
        let progress = EdgeProgress::Open {
            failures,
            last_action: Some(self.now),
        };
        let edge = self.record(subject, progress);
        decision.actions.push(PlannedAction {
            action,
            instance: machine.instance.clone(),
            group: subject.group.name.clone(),
            why: subject.edge.why.clone(),
            edge,
        });
    }

    /// Reports an edge that was not reached before the present edge.
    fn report_given_up(
        &self,
        subject: &Subject<'_>,
        recorded: Option<&Edge>,
        decision: &mut Decision,
    ) {
        let Some(Edge {
            progress: EdgeProgress::Open { failures, .. },
            wanted,
            ..
        }) = recorded
        else {
            return;
        };
        if *failures == 0 {
            return;
        }
        let machine = &subject.machine.instance;
        decision.facts.push(Fact {
            kind: FactKind::GivenUp,
            subject: machine.clone(),
            message: format!(
                "{machine} was not seen {} before the next change; failed attempts: {failures}",
                wanted.as_str()
            ),
        });
        // Reported once: from here on, the record is of the present edge.
        let progress = EdgeProgress::Open {
            failures: 0,
            last_action: None,
        };
        decision.edges.push(self.record(subject, progress));
    }

    fn record(&self, subject: &Subject<'_>, progress: EdgeProgress) -> Edge {
        let instance = Some(subject.machine.instance.as_str());
        let group = &subject.group.name;
        subject.edge.record(group, instance, progress, self.now)
    }
}

/// Returns a moment before every edge that can be made good; differences to the smallest timestamp are
/// too large for a duration.
fn oldest(now: Timestamp) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(24 * 800))
        .unwrap_or(now)
}

/// Returns true if the state is the wanted state.
fn is_wanted(state: PowerState, wanted: Wanted) -> bool {
    match wanted {
        Wanted::Running => state == PowerState::Running,
        Wanted::Stopped => state == PowerState::Stopped,
        Wanted::AsIs => true,
    }
}

//! The results of looks, actions and passes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use lifecycle_facade::{FaultKind, FleetRow, Outcome};

use crate::{
    decide::{ActionName, Fact, FactKind, PlannedAction, SeenMachine, Waiting},
    leases::Holder,
    machine::is_one_of,
    record::Edge,
    status::PassStatus,
};

/// The machines of all groups as one look sees them.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Look {
    /// The machines.
    pub machines: Vec<SeenMachine>,
    /// The display names of machines, by reference.
    pub names: BTreeMap<String, String>,
    /// The groups or locations that could not be read, with the reasons.
    pub problems: Vec<String>,
}

/// The result of one pass.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PassReport {
    /// The number of machines that the pass looked at.
    pub machines: usize,
    /// The actions and their results.
    pub actions: Vec<(PlannedAction, ActionResult)>,
    /// The machines that differ and are left alone.
    pub waiting: Vec<Waiting>,
    /// The facts for people.
    pub facts: Vec<Fact>,
    /// The groups or locations that could not be read, and open calls that could not be settled.
    pub problems: Vec<String>,
    /// The reason for which the pass did nothing.
    pub blocked: Option<String>,
    /// The groups of other controllers, and their holders.
    pub elsewhere: BTreeMap<String, Holder>,
    /// The pass ended early, at the `stop` of [`pass_until`](super::Keeper::pass_until).
    pub stopped: bool,
    /// The store did not answer, and no pass was made.
    pub store_unavailable: bool,
    /// The store did not answer at the end of the pass.
    pub(super) unrecorded: bool,
    /// The time of the next pass.
    pub next: Option<Timestamp>,
    /// The groups and machines after the pass.
    pub status: PassStatus,
}

/// The result of an action on one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActionResult {
    /// The wanted state was observed.
    pub reached: bool,
    /// The name of the outcome; `skipped` if the request failed as a whole.
    pub outcome: &'static str,
    /// The reason of another outcome than `reached`.
    pub message: Option<String>,
    /// The reason for which nothing was sent, if a later pass can send the action.
    pub(super) unsent: Option<Unsent>,
}

/// A reason for which nothing was sent, and which can pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsent {
    /// The call could not be recorded.
    NotRecorded,
    /// The request failed as a whole, for example because there was no key.
    RequestFailed,
}

impl ActionResult {
    pub(super) fn of(row: &FleetRow) -> Self {
        let reached = matches!(row.outcome, Outcome::Reached(_) | Outcome::Unchanged);
        let message = match &row.outcome {
            Outcome::Refused(fault) | Outcome::Uncertain(fault) | Outcome::Skipped(fault) => {
                Some(fault.to_string())
            }
            Outcome::Pending(pending) => Some(pending.to_string()),
            _ => None,
        };
        let is_recorded = match &row.outcome {
            Outcome::Skipped(fault) => fault.kind() != FaultKind::NotRecorded,
            _ => true,
        };
        Self {
            reached,
            outcome: row.outcome.as_str(),
            message,
            unsent: (!is_recorded).then_some(Unsent::NotRecorded),
        }
    }

    /// Returns the edge of an action after this result; `None` if the edge stays as it is. `open` has the machines of
    /// unfinished operations, and is `None` if the store does not tell: the request of a reboot may be recorded there,
    /// and be sent by the next pass.
    pub(super) fn settle(
        &self,
        action: &PlannedAction,
        open: Option<&BTreeSet<String>>,
        now: Timestamp,
    ) -> Option<Edge> {
        match (action.action, self.unsent) {
            (ActionName::Reboot, Some(_)) => {
                let is_closed = open.is_some_and(|open| !is_one_of(open, &action.instance));
                is_closed.then(|| action.not_sent(now))
            }
            (_, Some(Unsent::NotRecorded)) => None,
            _ => Some(action.settled(self.reached, now)),
        }
    }

    pub(super) fn not_sent(reason: String) -> Self {
        Self {
            reached: false,
            outcome: "skipped",
            message: Some(reason),
            unsent: Some(Unsent::RequestFailed),
        }
    }
}

impl PassReport {
    /// Returns true if every action reached its state, and everything could be read.
    pub fn is_complete(&self) -> bool {
        self.blocked.is_none()
            && self.problems.is_empty()
            && self.actions.iter().all(|(_, result)| result.reached)
    }

    /// Returns the report of a pass that ended before its first step.
    pub(super) fn stopped() -> Self {
        Self {
            stopped: true,
            ..Self::default()
        }
    }

    pub(super) fn uncertain(&self) -> Vec<Fact> {
        let actions = self.actions.iter();
        actions
            .filter(|(_, result)| result.outcome == "uncertain")
            .map(|(action, result)| Fact {
                kind: FactKind::Uncertain,
                subject: action.instance.clone(),
                message: format!(
                    "{} of {}: the cloud may have executed the action; {}",
                    action.action.as_str(),
                    action.instance,
                    result.message.as_deref().unwrap_or("check the machine")
                ),
            })
            .collect()
    }
}

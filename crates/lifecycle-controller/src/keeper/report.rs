//! The results of looks, actions and passes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use lifecycle_facade::{FleetRow, Outcome};

use crate::{
    decide::{ActionName, Fact, FactKind, PlannedAction, SeenMachine, Waiting},
    leases::Holder,
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
        Self {
            reached,
            outcome: row.outcome.as_str(),
            message,
        }
    }

    /// Returns the edge of an action after this result.
    pub(super) fn settle(&self, action: &PlannedAction, now: Timestamp) -> Edge {
        match (action.action, self.outcome) {
            (ActionName::Reboot, "skipped") => action.not_sent(now),
            _ => action.settled(self.reached, now),
        }
    }

    pub(super) fn not_sent(reason: String) -> Self {
        Self {
            reached: false,
            outcome: "skipped",
            message: Some(reason),
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

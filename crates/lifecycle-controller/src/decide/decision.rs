//! The machines that a pass sees, and the result of a decision: actions, machines that wait, and facts.

use std::collections::BTreeSet;

use jiff::Timestamp;
use lifecycle_facade::PowerState;

use crate::record::{Edge, EdgeProgress};

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

    /// Returns the edge of a maintenance whose reboot was not sent: a later pass makes up for it.
    #[cfg(feature = "_keeper")]
    pub(crate) fn not_sent(&self, now: Timestamp) -> Edge {
        Edge {
            progress: EdgeProgress::Open {
                failures: 1,
                last_action: None,
            },
            at: now,
            ..self.edge.clone()
        }
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
    /// The store did not answer, and nothing new was sent.
    StoreUnavailable,
}

impl FactKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::GivenUp,
        Self::Uncertain,
        Self::Drifted,
        Self::Held,
        Self::CalendarEnding,
        Self::CircuitBreaker,
        Self::StoreUnavailable,
    ];

    /// Returns the name, in lower case with hyphens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GivenUp => "given-up",
            Self::Uncertain => "uncertain",
            Self::Drifted => "drifted",
            Self::Held => "held",
            Self::CalendarEnding => "calendar-ending",
            Self::CircuitBreaker => "circuit-breaker",
            Self::StoreUnavailable => "store-unavailable",
        }
    }
}

/// The result of [`decide`](super::decide).
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

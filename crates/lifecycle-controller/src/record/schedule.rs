//! The records of a controller: holds, edges of schedules, passes and notices.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The state that a schedule or a hold wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Wanted {
    /// Running.
    Running,
    /// Stopped.
    Stopped,
    /// Any state: the controller leaves the instance alone.
    AsIs,
}

impl Wanted {
    /// Returns the name of the state, in lower case with hyphens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::AsIs => "as-is",
        }
    }
}

/// An exception from the schedule, which ends by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Hold {
    /// The group or the reference of an instance.
    pub target: String,
    /// The state until the end of the hold.
    pub state: Wanted,
    /// The end.
    pub until: Timestamp,
    /// The reason, as the person wrote it.
    pub why: String,
    /// The person or program that set the hold.
    pub by: String,
    /// The time at which the hold was set.
    pub at: Timestamp,
}

impl Hold {
    /// Returns a hold that begins at `at`. `why` is the reason, and `by` names the person or program.
    pub fn new(
        target: impl Into<String>,
        state: Wanted,
        until: Timestamp,
        why: impl Into<String>,
        by: impl Into<String>,
        at: Timestamp,
    ) -> Self {
        Self {
            target: target.into(),
            state,
            until,
            why: why.into(),
            by: by.into(),
            at,
        }
    }
}

/// The end of a hold before its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Release {
    /// The group or the reference of an instance.
    pub target: String,
    /// The person or program that ended the hold.
    pub by: String,
    /// The time.
    pub at: Timestamp,
}

impl Release {
    /// Returns the end of the hold of `target` at `at`.
    pub fn new(target: impl Into<String>, by: impl Into<String>, at: Timestamp) -> Self {
        Self {
            target: target.into(),
            by: by.into(),
            at,
        }
    }
}

/// The progress of a group or an instance since a change of its schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Edge {
    /// The group.
    pub group: String,
    /// The instance; `None` for the group as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The state that the schedule wants from this edge on.
    pub wanted: Wanted,
    /// The moment of the change in the schedule.
    pub edge: Timestamp,
    /// The progress.
    pub progress: EdgeProgress,
    /// The time of the record.
    pub at: Timestamp,
}

/// The progress since an edge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EdgeProgress {
    /// The controller noticed the edge, and the wanted state was not seen yet.
    Open {
        /// The number of failed actions since the edge.
        failures: u32,
        /// The time of the last action, if there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_action: Option<Timestamp>,
    },
    /// The wanted state was seen after the edge.
    Reached,
    /// Another state was seen: somebody else changed the instance, or the edge was missed. The time of
    /// the record is the time at which the state was first seen.
    Drifted {
        /// The state, in lower case.
        state: String,
    },
    /// The controller gave up until the next edge.
    GivenUp {
        /// The reason.
        why: String,
    },
}

/// One pass of a controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pass {
    /// The time of the beginning.
    pub at: Timestamp,
    /// The person or program that ran the pass.
    pub by: String,
    /// The number of instances that the pass looked at.
    pub instances: usize,
    /// The number of changes that the pass made.
    pub changes: usize,
    /// The groups of the pass, if several controllers divide the groups; `None` for all groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// The reason for which the pass did nothing or not everything, such as too many changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A fact for people: drift, a failed notification, the end of a calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Notice {
    /// The time.
    pub at: Timestamp,
    /// The kind, in lower case with hyphens, such as `drifted` or `notification-failed`.
    pub kind: String,
    /// The group or instance, if the fact is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The fact in words.
    pub message: String,
}

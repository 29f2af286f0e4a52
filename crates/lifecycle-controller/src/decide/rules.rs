//! The groups that a controller keeps, and the limits of a pass.

use jiff::SignedDuration;

use crate::schedule::{Maintenance, Schedule};

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

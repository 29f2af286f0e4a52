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
//!   else. The first pass over a group corrects nothing.
//! - A reboot never results from a comparison. Only a maintenance reboots, once for each occurrence and
//!   machine.
//! - A machine that the controller started is not stopped within ten minutes.
//! - A pass with more than `max_changes` starts and stops does nothing.
//! - A machine in several groups runs if any group wants it. A hold of the machine wins over all groups.

mod decision;
mod edge;
mod machine;
mod pass;
mod reboot;
mod rules;

#[cfg(test)]
mod tests;

pub use decision::{ActionName, Decision, Fact, FactKind, PlannedAction, SeenMachine, Waiting};
#[cfg(feature = "_keeper")]
pub(crate) use edge::{Edges, KeptEdge};
pub use edge::{GroupEdge, group_edge, retry_delay};
pub use pass::{decide, wanted_states};
#[cfg(feature = "_keeper")]
pub(crate) use pass::{decide_with, wanted_with};
pub use rules::{GroupMaintenance, KeptGroup, Manual, Rules};

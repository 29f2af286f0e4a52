//! The controller above `lifecycle-facade`: the journal of calls that act, the schedules of groups,
//! and the loop that keeps them.
//!
//! Nothing below this crate knows about schedules or journals.

pub mod schedule;

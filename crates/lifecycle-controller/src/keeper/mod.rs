//! The keeper: passes that look at the machines of all groups, and start, stop and reboot by the rules.
//!
//! One pass settles the open calls of an earlier process, looks, decides (see [`decide`](crate::decide)),
//! records, acts, and reports facts. Store, clock and fleet are arguments, so a test runs a week in a
//! second.

mod act;
mod bundles;
mod calendar;
mod handle;
mod look;
mod notify;
mod outage;
mod pass;
mod report;
mod status;

#[cfg(test)]
mod tests;

pub use calendar::{CALENDAR_WARNING_DAYS, calendar_warning};
pub use handle::Keeper;
pub use notify::{FactMessage, Message, Notifier, ProgramNotifier};
pub use report::{ActionResult, Look, PassReport};

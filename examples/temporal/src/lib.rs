//! Power actions as workflows and activities of Temporal, with a journal for each workflow.
//!
//! Temporal records the end of an activity, and not its beginning. The [`journals`] record each call before the call is
//! sent, so that a second execution of an activity looks at the machines and never sends a reboot again.

pub mod activities;
pub mod hours;
pub mod journals;
pub mod power;
pub mod workflows;

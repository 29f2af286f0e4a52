//! Observation of instances: single reads, the poller, and lists.

pub(crate) mod list;
pub(crate) mod lookup;
pub(crate) mod mailbox;
pub(crate) mod observer;
pub(crate) mod poller;
pub(crate) mod status;

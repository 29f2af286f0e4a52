//! Reading states: single lookups, the poller, and lists.

mod duplicates;
pub(crate) mod list;
pub(crate) mod lookup;
pub(crate) mod mailbox;
pub(crate) mod observer;
pub(crate) mod poller;
pub(crate) mod status;

//! Observation of instances: single reads, the poller, and lists.

mod duplicates; // several rows of one instance
pub(crate) mod list; // the instances of a region
pub(crate) mod lookup; // one read of states
pub(crate) mod mailbox; // results for one waiter
pub(crate) mod observer; // engine, reads and poller
pub(crate) mod poller; // repeated reads for all waiters
pub(crate) mod regions; // the regions of a cloud
pub(crate) mod status; // the public result of one read

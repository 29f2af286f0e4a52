//! Reading states: the poller, single lookups, and lists.

pub(crate) mod list;
pub(crate) mod lookup;
pub(crate) mod poller;
pub(crate) mod request;

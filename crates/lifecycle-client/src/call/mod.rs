//! Calls of a cloud: admitted, signed, sent, judged, and repeated if a repeat is safe.

pub(crate) mod attempt;
pub(crate) mod clock;
pub(crate) mod clock_skew;
pub(crate) mod context;
pub(crate) mod counters;
pub(crate) mod credential;
pub(crate) mod engine;
pub(crate) mod event;
pub(crate) mod key_health;
pub(crate) mod policy;
pub(crate) mod rate_limit;
pub(crate) mod retry;

//! Calls to a cloud: admission, signature, transport, interpretation, and safe retries.

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

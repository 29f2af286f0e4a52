//! One call: admitted, signed, sent, judged, and repeated where that is safe.

pub(crate) mod clock;
pub(crate) mod clock_skew;
pub(crate) mod engine;
pub(crate) mod key_health;
pub(crate) mod policy;
pub(crate) mod rate_limit;

//! Calls to a cloud: admission, signature, transport, interpretation, and safe retries.

pub(crate) mod adaptive_rate; // the rate, adapted to the limit of a cloud
pub(crate) mod attempt; // one attempt at a call
pub(crate) mod call_limit; // the rate limits of a client, alone or shared
pub(crate) mod clock; // wall-clock time and nonces
pub(crate) mod clock_skew; // the difference to the cloud's clock
pub(crate) mod context; // purpose and limits of a call
pub(crate) mod counters; // counts of calls by purpose
pub(crate) mod credential; // the trait that supplies credentials
pub(crate) mod engine; // the only path of calls to a cloud
pub(crate) mod event; // events during a call
pub(crate) mod in_memory_rate; // the shared rate limit of one process
pub(crate) mod key_health; // unconfirmed and rejected keys
#[cfg(test)]
pub(crate) mod limited_cloud; // a cloud with a rate limit, for tests
pub(crate) mod policy; // settings of retries and time limits
pub(crate) mod rate_limit; // token bucket with an adaptive rate
pub(crate) mod retry; // the retry loop and the retry budget
pub(crate) mod sent_attempt; // span and counters of a sent attempt
pub(crate) mod shared_keys; // keys that the cloud rejected for any sharer
pub(crate) mod shared_queue; // the queue of one client at a shared rate limit
pub(crate) mod shared_rate; // the trait of a shared rate limit
pub(crate) mod simulated_clouds; // clouds in memory
pub(crate) mod stats; // counters and gauges of a client

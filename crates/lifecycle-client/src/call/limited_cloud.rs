//! `LimitedCloud`: a cloud with a rate limit, for the tests of rate limiters under tokio's paused clock.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

/// A cloud that accepts `limit` calls per second, and as many calls in one burst.
#[derive(Debug)]
pub(crate) struct LimitedCloud {
    pub(crate) limit: f64,
    tokens: f64,
    filled_at: Instant,
    pub(crate) accepted: Vec<Instant>,
    pub(crate) rejected: Vec<Instant>,
}

impl LimitedCloud {
    pub(crate) fn new(limit: f64) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self {
            limit,
            tokens: limit,
            filled_at: Instant::now(),
            accepted: Vec::new(),
            rejected: Vec::new(),
        }))
    }

    pub(crate) fn call(&mut self) -> bool {
        let now = Instant::now();
        let refill = (now - self.filled_at).as_secs_f64() * self.limit;
        self.tokens = (self.tokens + refill).min(self.limit.max(1.0));
        self.filled_at = now;
        let accepts = self.tokens >= 1.0;
        if accepts {
            self.tokens -= 1.0;
            self.accepted.push(now);
        } else {
            self.rejected.push(now);
        }
        accepts
    }

    /// Returns the mean number of accepted calls per second.
    pub(crate) fn goodput(&self, from: Instant, span: Duration) -> f64 {
        let within = |at: &&Instant| **at >= from && **at < from + span;
        self.accepted.iter().filter(within).count() as f64 / span.as_secs_f64()
    }
}

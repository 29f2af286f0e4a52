//! The rate limiter of one client: a token bucket with an adaptive rate.

use std::{sync::Mutex, time::Duration};

use lifecycle_core::Rate;
use tokio::time::{Instant, sleep_until};

use crate::{call::adaptive_rate::AdaptiveRate, sync::lock};

/// A queue for the calls of one kind, shared by all clones of a client.
///
/// Issues permits in order of arrival. The rate falls when the cloud throttles, and rises while
/// queued calls succeed: see [`AdaptiveRate`].
#[derive(Debug)]
pub(crate) struct RateLimiter {
    /// Held by the first call in the queue, the only call to look at the bucket.
    turn: tokio::sync::Mutex<()>,
    /// `None` without a limit.
    bucket: Option<Mutex<Bucket>>,
}

/// The permission to send one call now. The caller returns the permit with the response. A dropped
/// permit returns no token, because the call may have been sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permit {
    at: Instant,
    /// The call had to wait for a token.
    queued: bool,
    /// The time in the queue.
    waited: Duration,
}

impl Permit {
    /// Returns the time in the queue; `None` for a call that went straight through.
    pub(crate) fn waited(self) -> Option<Duration> {
        Some(self.waited).filter(|waited| *waited >= SHORTEST_WAIT)
    }
}

impl RateLimiter {
    pub(crate) fn new(rate: Rate) -> Self {
        let bucket = rate
            .per_second
            .is_finite()
            .then(|| Mutex::new(Bucket::new(rate, Instant::now())));
        Self {
            turn: tokio::sync::Mutex::new(()),
            bucket,
        }
    }

    /// Returns a queue whose rate never rises above `rate`.
    pub(crate) fn capped(rate: Rate) -> Self {
        let limiter = Self::new(rate);
        if let Some(bucket) = &limiter.bucket {
            lock(bucket).is_capped = true;
        }
        limiter
    }

    /// Waits until a call may be sent. Dropping the future leaves the queue and takes no token.
    pub(crate) async fn acquire(&self) -> Permit {
        let mut queued = false;
        let begin = Instant::now();
        let Some(bucket) = &self.bucket else {
            return Permit {
                at: begin,
                queued,
                waited: Duration::ZERO,
            };
        };
        let _turn = self.turn.lock().await;
        loop {
            let at = Instant::now();
            let ready = lock(bucket).take(at);
            match ready {
                Ok(()) => {
                    let waited = at.saturating_duration_since(begin);
                    return Permit { at, queued, waited };
                }
                Err(later) => sleep_until(later).await,
            }
            queued = true;
        }
    }

    /// Returns the present rate in calls per second; `None` without a limit.
    pub(crate) fn per_second(&self) -> Option<f64> {
        let bucket = self.bucket.as_ref()?;
        Some(lock(bucket).rate.per_second)
    }

    /// Records that the cloud accepted the call.
    pub(crate) fn succeeded(&self, permit: Permit) {
        if let Some(bucket) = &self.bucket {
            lock(bucket).succeeded(permit, Instant::now());
        }
    }

    /// Records that the cloud throttled the call, and the wait in the response.
    pub(crate) fn throttled(&self, permit: Permit, hint: Option<Duration>) {
        if let Some(bucket) = &self.bucket {
            lock(bucket).throttled(permit, hint, Instant::now());
        }
    }
}

/// The shortest time that counts as a wait. Timers count in milliseconds.
pub(crate) const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// The token bucket.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) rate: AdaptiveRate,
    /// Negative after a reservation of future tokens.
    pub(crate) tokens: f64,
    /// The size of a burst after a pause, in seconds of the rate.
    burst_seconds: f64,
    filled_at: Instant,
    /// The bucket issues no tokens before this time.
    closed_until: Instant,
    /// The rate does not rise above the configured rate.
    is_capped: bool,
    /// The time of the last cut of the rate. Permits from before say nothing about the new rate.
    cut_at: Option<Instant>,
}

impl Bucket {
    pub(crate) fn new(rate: Rate, now: Instant) -> Self {
        let burst = f64::from(rate.burst.max(1));
        let rate = AdaptiveRate::new(rate.per_second);
        Self {
            tokens: burst,
            burst_seconds: burst / rate.per_second,
            rate,
            filled_at: now,
            closed_until: now,
            is_capped: false,
            cut_at: None,
        }
    }

    /// Takes a token, or returns the time for the next try.
    fn take(&mut self, now: Instant) -> Result<(), Instant> {
        if now < self.closed_until {
            return Err(self.closed_until);
        }
        self.fill(now);
        let missing = 1.0 - self.tokens;
        if missing <= ROUNDING {
            self.tokens = (self.tokens - 1.0).max(0.0);
            return Ok(());
        }
        let wait = Duration::from_secs_f64(missing / self.rate.per_second);
        // Timers count in milliseconds, and the next try must not be in the same millisecond.
        Err(now + wait.max(Duration::from_millis(1)))
    }

    /// Reserves up to `permits` tokens, including the tokens of the time `ahead`. Returns the number of
    /// reserved tokens. No token is reserved while the bucket is closed.
    pub(crate) fn reserve(&mut self, permits: u32, ahead: Duration, now: Instant) -> u32 {
        if now < self.closed_until {
            return 0;
        }
        self.fill(now);
        let available = self.tokens + ahead.as_secs_f64() * self.rate.per_second + ROUNDING;
        let reserved = f64::from(permits).min(available.floor()).max(0.0);
        self.tokens -= reserved;
        reserved as u32
    }

    /// Returns reserved tokens to the bucket.
    pub(crate) fn give_back(&mut self, permits: u32, now: Instant) {
        self.fill(now);
        self.tokens = (self.tokens + f64::from(permits)).min(self.capacity());
    }

    /// Replaces the rate. A cut empties the bucket.
    pub(crate) fn set_rate(&mut self, rate: AdaptiveRate, is_cut: bool, now: Instant) {
        // The tokens until now come at the old rate.
        self.fill(now);
        self.rate = rate;
        if is_cut {
            self.tokens = self.tokens.min(0.0);
        }
    }

    /// Issues no tokens for this time, or until the end of an earlier, longer pause.
    pub(crate) fn close(&mut self, pause: Duration, now: Instant) {
        self.closed_until = self.closed_until.max(now + pause.min(MAX_HINT));
    }

    /// Returns the time until the end of the pause.
    pub(crate) fn closed_for(&self, now: Instant) -> Duration {
        self.closed_until.saturating_duration_since(now)
    }

    /// Returns the highest number of tokens.
    fn capacity(&self) -> f64 {
        (self.burst_seconds * self.rate.per_second).max(1.0)
    }

    /// Adds the tokens since the last time.
    fn fill(&mut self, now: Instant) {
        let from = self.filled_at.max(self.closed_until);
        let elapsed = now.saturating_duration_since(from).as_secs_f64();
        self.tokens = (self.tokens + elapsed * self.rate.per_second).min(self.capacity());
        self.filled_at = now;
    }

    fn succeeded(&mut self, permit: Permit, now: Instant) {
        if self.is_informative(permit) {
            // The tokens until now come at the old rate.
            self.fill(now);
            self.rate.count_success();
            if permit.queued {
                self.rate.climb_by_one_call();
            }
            if self.is_capped {
                self.rate.per_second = self.rate.per_second.min(self.rate.configured);
            }
        }
    }

    fn throttled(&mut self, permit: Permit, hint: Option<Duration>, now: Instant) {
        if let Some(hint) = hint {
            self.close(hint, now);
        }
        if self.is_informative(permit) {
            self.tokens = 0.0;
            self.filled_at = now;
            self.cut_at = Some(now);
            self.rate.cut();
        }
    }

    /// Returns true if the permit is newer than the last cut. Calls that were sent before a cut
    /// must not cut the rate again.
    fn is_informative(&self, permit: Permit) -> bool {
        self.cut_at.is_none_or(|cut_at| permit.at > cut_at)
    }
}

/// The longest wait that a throttled response can demand.
pub(crate) const MAX_HINT: Duration = Duration::from_secs(300);

/// The rounding error of a sum of fractions of a token.
const ROUNDING: f64 = 1e-9;

#[cfg(test)]
mod tests;

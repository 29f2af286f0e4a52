//! The rate limiter: a token bucket with an adaptive rate.

use std::{sync::Mutex, time::Duration};

use lifecycle_core::Rate;
use tokio::time::{Instant, sleep_until};

use crate::sync::lock;

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
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// The token bucket.
#[derive(Debug)]
struct Bucket {
    rate: AdaptiveRate,
    tokens: f64,
    /// The size of a burst after a pause, in seconds of the rate.
    burst_seconds: f64,
    filled_at: Instant,
    /// The bucket issues no tokens before this time.
    closed_until: Instant,
    /// The time of the last cut of the rate. Permits from before say nothing about the new rate.
    cut_at: Option<Instant>,
}

impl Bucket {
    fn new(rate: Rate, now: Instant) -> Self {
        let burst = f64::from(rate.burst.max(1));
        let rate = AdaptiveRate::new(rate.per_second);
        Self {
            tokens: burst,
            burst_seconds: burst / rate.per_second,
            rate,
            filled_at: now,
            closed_until: now,
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

    /// Adds the tokens since the last time.
    fn fill(&mut self, now: Instant) {
        let from = self.filled_at.max(self.closed_until);
        let elapsed = now.saturating_duration_since(from).as_secs_f64();
        let capacity = (self.burst_seconds * self.rate.per_second).max(1.0);
        self.tokens = (self.tokens + elapsed * self.rate.per_second).min(capacity);
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
        }
    }

    fn throttled(&mut self, permit: Permit, hint: Option<Duration>, now: Instant) {
        if let Some(hint) = hint {
            self.closed_until = self.closed_until.max(now + hint.min(MAX_HINT));
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
const MAX_HINT: Duration = Duration::from_secs(300);

/// The rounding error of a sum of fractions of a token.
const ROUNDING: f64 = 1e-9;

/// The rate, adapted to the cloud's limit along the cubic curve of TCP CUBIC.
///
/// A single rejection cuts the rate by a tenth, because the limit is a little lower. A second
/// rejection soon after the first halves the rate, because the limit itself has fallen. Then the
/// rate climbs quickly towards the last rejected rate, slowly past this rate, and quickly again once
/// the limit turns out to be higher. Beyond the highest known limit, a fixed step per second limits the
/// climb. Only queued calls raise the rate: a client with few calls learns nothing about the limit.
#[derive(Debug)]
struct AdaptiveRate {
    per_second: f64,
    configured: f64,
    /// The highest rate at a single rejection, or the configured rate: the cloud has accepted calls up to
    /// this rate, so a climb back to this rate is quick.
    highest_known: f64,
    /// The rate at the last rejection; at first the configured rate.
    last_rejected: f64,
    /// The position on the curve: seconds since the curve passed the last rejected rate, or a
    /// negative number before.
    seconds_past_last_rejected: f64,
    successes_since_cut: u32,
}

impl AdaptiveRate {
    fn new(per_second: f64) -> Self {
        let rate = per_second.max(0.01);
        Self {
            per_second: rate,
            configured: rate,
            highest_known: rate,
            last_rejected: rate,
            seconds_past_last_rejected: 0.0,
            successes_since_cut: 0,
        }
    }

    fn count_success(&mut self) {
        self.successes_since_cut = self.successes_since_cut.saturating_add(1);
    }

    /// Raises the rate after the success of a queued call. Time counts in calls: one second has as
    /// many calls as the rate.
    fn climb_by_one_call(&mut self) {
        self.climb(1.0 / self.per_second);
    }

    /// Raises the rate along the curve by this time.
    fn climb(&mut self, seconds: f64) {
        self.seconds_past_last_rejected += seconds;
        let curve = self.last_rejected * (1.0 + CURVE * self.seconds_past_last_rejected.powi(3));
        let wanted = if curve <= self.last_rejected * LIMIT_CHANGED {
            curve
        } else {
            self.per_second * (1.0 + RECOVERY * seconds)
        };
        let limit = self.per_second.max(self.highest_known) + STEP * self.configured * seconds;
        self.per_second = wanted.min(limit).max(self.per_second);
    }

    /// Lowers the rate after a rejection.
    fn cut(&mut self) {
        let factor = if self.successes_since_cut >= CALM_SUCCESSES {
            self.highest_known = self.highest_known.max(self.per_second);
            0.9
        } else {
            0.5
        };
        self.last_rejected = self.per_second;
        self.per_second = (self.per_second * factor).max(FLOOR.min(self.configured));
        let drop = 1.0 - self.per_second / self.last_rejected;
        self.seconds_past_last_rejected = -(drop / CURVE).cbrt();
        self.successes_since_cut = 0;
    }
}

/// The successes since the last cut after which a rejection is a single one, which cuts the rate by a
/// tenth.
const CALM_SUCCESSES: u32 = 10;

/// The steepness of the curve: 3.6 seconds from nine tenths of the last rejected rate to this rate.
const CURVE: f64 = 0.1 / (3.6 * 3.6 * 3.6);

/// The multiple of the last rejected rate that proves a higher limit.
const LIMIT_CHANGED: f64 = 1.15;

/// The growth per second after a higher limit is proved, as a multiple of the rate.
const RECOVERY: f64 = 2.0;

/// The largest growth per second beyond the highest known limit, as a fraction of the configured rate.
const STEP: f64 = 0.05;

/// The lowest rate, even if the cloud rejects every call.
const FLOOR: f64 = 0.5;

#[cfg(test)]
mod tests;

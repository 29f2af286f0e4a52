//! How fast a client calls: a token bucket whose rate follows what the cloud takes.

use std::{sync::Mutex, time::Duration};

use lifecycle_core::Rate;
use tokio::time::{Instant, sleep_until};

use crate::sync::lock;

/// A shared queue for calls of one kind. It grants a call or makes it wait, in order of arrival.
///
/// The rate falls by multiplication when the cloud says that it is too much, and rises by
/// addition while calls that had to queue succeed: see [`AdaptiveRate`].
#[derive(Debug)]
pub(crate) struct RateLimiter {
    /// Whose turn it is. Only the one in front looks at the bucket, so nobody is overtaken.
    turn: tokio::sync::Mutex<()>,
    bucket: Option<Mutex<Bucket>>,
}

/// The permission to send one call now, to be handed back with what the cloud said. One that is
/// dropped gives nothing back: the call may have been sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permit {
    at: Instant,
    /// It had to queue, so the rate is what held it back.
    queued: bool,
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

    /// Waits until a call may be sent. Dropping the future gives up the place in the queue and
    /// takes nothing.
    pub(crate) async fn acquire(&self) -> Permit {
        let mut queued = false;
        let Some(bucket) = &self.bucket else {
            let at = Instant::now();
            return Permit { at, queued };
        };
        let _turn = self.turn.lock().await;
        loop {
            let at = Instant::now();
            let ready = lock(bucket).take(at);
            match ready {
                Ok(()) => return Permit { at, queued },
                Err(later) => sleep_until(later).await,
            }
            queued = true;
        }
    }

    /// The cloud took the call.
    pub(crate) fn succeeded(&self, grant: Permit) {
        if let Some(bucket) = &self.bucket {
            lock(bucket).succeeded(grant, Instant::now());
        }
    }

    /// The cloud refused the call as too much, and asked for this wait where it gave a hint.
    pub(crate) fn throttled(&self, grant: Permit, hint: Option<Duration>) {
        if let Some(bucket) = &self.bucket {
            lock(bucket).throttled(grant, hint, Instant::now());
        }
    }
}

#[derive(Debug)]
struct Bucket {
    speed: AdaptiveRate,
    tokens: f64,
    /// The calls that may be sent at once after a pause, in seconds of the rate.
    depth: f64,
    filled: Instant,
    /// Nothing is granted before this.
    closed_until: Instant,
    /// When the rate was last cut. Calls that were granted up to then say nothing of the new rate.
    cut: Option<Instant>,
}

impl Bucket {
    fn new(rate: Rate, now: Instant) -> Self {
        let speed = AdaptiveRate::new(rate.per_second);
        let burst = f64::from(rate.burst.max(1));
        Self {
            tokens: burst,
            depth: burst / speed.rate,
            speed,
            filled: now,
            closed_until: now,
            cut: None,
        }
    }

    /// Takes a token, or says when to ask again.
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
        let wait = Duration::from_secs_f64(missing / self.speed.rate);
        // Timers count in milliseconds, and the queue must not ask again in the same one.
        Err(now + wait.max(Duration::from_millis(1)))
    }

    fn fill(&mut self, now: Instant) {
        let from = self.filled.max(self.closed_until);
        let elapsed = now.saturating_duration_since(from).as_secs_f64();
        let most = (self.depth * self.speed.rate).max(1.0);
        self.tokens = (self.tokens + elapsed * self.speed.rate).min(most);
        self.filled = now;
    }

    fn succeeded(&mut self, grant: Permit, now: Instant) {
        if self.is_news(grant) {
            // What has gathered so far gathered at the old rate.
            self.fill(now);
            self.speed.succeeded(grant.queued);
        }
    }

    fn throttled(&mut self, grant: Permit, hint: Option<Duration>, now: Instant) {
        if let Some(hint) = hint {
            self.closed_until = self.closed_until.max(now + hint.min(MAX_HINT));
        }
        if self.is_news(grant) {
            self.tokens = 0.0;
            self.filled = now;
            self.cut = Some(now);
            self.speed.cut();
        }
    }

    /// Refusals of calls that were already on their way must not slow down twice.
    fn is_news(&self, grant: Permit) -> bool {
        self.cut.is_none_or(|cut| grant.at > cut)
    }
}

/// A hint longer than this is taken for nonsense, and obeyed this far.
const MAX_HINT: Duration = Duration::from_secs(300);

/// What sums of shares of a token may lack of a whole one.
const ROUNDING: f64 = 1e-9;

/// The rate, and how it moves.
///
/// A first refusal after calm takes a tenth off: the limit is close below. One that follows soon
/// after means that the limit itself has fallen, and halves the rate. From there the rate climbs
/// quickly towards the wall, which is where it was refused last, slowly past it, and quickly again
/// when the wall turns out to be gone: the cubic curve of TCP CUBIC. Beyond the configured rate
/// it never climbs faster than by a fixed step a second. Only calls that had to queue move it:
/// a client with little to do learns nothing about the limit.
#[derive(Debug)]
struct AdaptiveRate {
    /// Calls a second.
    rate: f64,
    configured: f64,
    /// The rate of the last refusal; the configured one before there is any.
    last_rejected_rate: f64,
    /// Seconds of queueing since the curve passed the wall; negative before.
    seconds_past_last_rejected: f64,
    successes_since_cut: u32,
}

impl AdaptiveRate {
    fn new(per_second: f64) -> Self {
        let rate = per_second.max(0.01);
        Self {
            rate,
            configured: rate,
            last_rejected_rate: rate,
            seconds_past_last_rejected: 0.0,
            successes_since_cut: 0,
        }
    }

    fn succeeded(&mut self, queued: bool) {
        self.successes_since_cut = self.successes_since_cut.saturating_add(1);
        if queued {
            // As many calls as the rate allows in a second make a second.
            self.climb(1.0 / self.rate);
        }
    }

    fn climb(&mut self, seconds: f64) {
        self.seconds_past_last_rejected += seconds;
        let curve =
            self.last_rejected_rate * (1.0 + CURVE * self.seconds_past_last_rejected.powi(3));
        let wanted = if curve <= self.last_rejected_rate * LIMIT_CHANGED {
            curve
        } else {
            self.rate * (1.0 + RECOVERY * seconds)
        };
        let most = self.rate.max(self.configured) + STEP * self.configured * seconds;
        self.rate = wanted.min(most).max(self.rate);
    }

    fn cut(&mut self) {
        let factor = if self.successes_since_cut >= CALM_SUCCESSES {
            0.9
        } else {
            0.5
        };
        self.last_rejected_rate = self.rate;
        // Even a cloud that refuses everything is asked now and then whether it still does.
        self.rate = (self.rate * factor).max(FLOOR.min(self.configured));
        let depth = 1.0 - self.rate / self.last_rejected_rate;
        self.seconds_past_last_rejected = -(depth / CURVE).cbrt();
        self.successes_since_cut = 0;
    }
}

/// So many successes since the last refusal make the next one a first one.
const CALM_SUCCESSES: u32 = 10;

/// How steep the curve is: four seconds from nine tenths of the wall to the wall.
const CURVE: f64 = 0.1 / 64.0;

/// So far beyond the wall, the limit has changed.
const LIMIT_CHANGED: f64 = 1.25;

/// By what share the rate climbs in a second when the limit has changed: it doubles.
const RECOVERY: f64 = 1.0;

/// By what share of the configured rate the rate climbs in a second, at most, beyond that rate.
const STEP: f64 = 0.05;

/// Calls a second that are granted whatever the cloud says.
const FLOOR: f64 = 0.5;

#[cfg(test)]
mod tests;

//! Numbers that govern retries, deadlines and concurrency, as plain data.

use std::time::Duration;

/// When and how often a request is sent again.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Attempts at one call, the first one included; at least 1.
    pub attempts: u32,
    /// The longest wait before the first repeat; it doubles with each further one. The real wait
    /// is drawn evenly between nothing and this.
    pub base: Duration,
    /// The longest wait before any repeat. A cloud's own hint may exceed it.
    pub cap: Duration,
    /// Repeats that all clones of a client may make before successes have to pay for more.
    pub budget: u32,
}

impl Default for RetryPolicy {
    /// Five attempts, 0.5 s doubling to 20 s, a budget of 50 repeats.
    fn default() -> Self {
        Self {
            attempts: 5,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(20),
            budget: 50,
        }
    }
}

impl RetryPolicy {
    /// No repeats at all.
    #[must_use]
    pub fn never() -> Self {
        Self {
            attempts: 1,
            ..Self::default()
        }
    }

    /// The upper end of the wait before repeat number `repeat`, counted from 1.
    pub fn ceiling(&self, repeat: u32) -> Duration {
        let doublings = repeat.saturating_sub(1).min(31);
        self.base
            .checked_mul(1 << doublings)
            .map_or(self.cap, |wait| wait.min(self.cap))
    }
}

/// Deadlines. Nothing the client does is without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// For one attempt, from sending to the last byte of the answer.
    pub attempt: Duration,
    /// For a whole request that does not wait for the goal, repeats included.
    pub request: Duration,
    /// For finding out by looking whether an action without an answer was carried out.
    pub settle: Duration,
}

impl Default for Timeouts {
    /// 30 s for an attempt, 2 minutes for a request, 30 s for settling.
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(30),
            request: Duration::from_secs(120),
            settle: Duration::from_secs(30),
        }
    }
}

/// Nothing is waited for any longer.
pub(crate) const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

impl Timeouts {
    /// None of them longer than a year.
    pub(crate) fn finite(self) -> Self {
        Self {
            attempt: self.attempt.min(YEAR),
            request: self.request.min(YEAR),
            settle: self.settle.min(YEAR),
        }
    }
}

/// How long to wait for instances to reach their goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeout(Duration);

impl WaitTimeout {
    /// Ten minutes.
    pub const DEFAULT: Self = Self::minutes(10);

    /// So many seconds, from the moment the request is awaited.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// So many minutes, from the moment the request is awaited.
    pub const fn minutes(minutes: u64) -> Self {
        Self(Duration::from_secs(minutes.saturating_mul(60)))
    }

    /// The time as a duration.
    ///
    /// A year at most: that is for ever, and can be added to a time.
    pub fn duration(self) -> Duration {
        self.0.min(YEAR)
    }
}

impl From<Duration> for WaitTimeout {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceilings_double_up_to_the_cap() {
        let policy = RetryPolicy::default();
        let ceilings: Vec<u128> = (1..=8).map(|n| policy.ceiling(n).as_millis()).collect();
        assert_eq!(ceilings, [500, 1000, 2000, 4000, 8000, 16000, 20000, 20000]);
        assert_eq!(policy.ceiling(u32::MAX), policy.cap);
    }
}

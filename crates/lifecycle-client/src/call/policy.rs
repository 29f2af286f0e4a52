//! Settings of retries and time limits, as plain data.

use std::time::Duration;

/// The rules for retries of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The number of attempts at one call, including the first attempt; at least 1.
    pub attempts: u32,
    /// The longest wait before the first retry, doubled for each further retry. The actual wait
    /// is a random time up to this limit.
    pub base: Duration,
    /// The longest wait before any retry. A hint of the cloud may exceed this limit.
    pub cap: Duration,
    /// The number of retries for all clones of a client together. Successful calls pay the budget
    /// back.
    pub budget: u32,
}

impl Default for RetryPolicy {
    /// Returns five attempts, waits from 0.5 s up to 20 s, a budget of 50 retries.
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
    /// Returns a policy without retries.
    #[must_use]
    pub fn never() -> Self {
        Self {
            attempts: 1,
            ..Self::default()
        }
    }

    /// Sets the number of attempts at one call.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Sets the longest wait before the first retry.
    #[must_use]
    pub fn with_base(mut self, wait: Duration) -> Self {
        self.base = wait;
        self
    }

    /// Sets the longest wait before any retry.
    #[must_use]
    pub fn with_cap(mut self, wait: Duration) -> Self {
        self.cap = wait;
        self
    }

    /// Sets the number of retries for all clones of a client together.
    #[must_use]
    pub fn with_budget(mut self, retries: u32) -> Self {
        self.budget = retries;
        self
    }

    /// Returns the longest wait before retry number `retry`, counted from 1.
    pub fn ceiling(&self, retry: u32) -> Duration {
        let doublings = retry.saturating_sub(1).min(31);
        self.base
            .checked_mul(1 << doublings)
            .map_or(self.cap, |wait| wait.min(self.cap))
    }
}

/// Time limits. The client does nothing without a time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// The time limit of one attempt, from sending to the last byte of the response.
    pub attempt: Duration,
    /// The time limit of a request without a wait for the goal, including retries. No action is sent in
    /// the last two seconds, or in the last quarter of a short time limit.
    pub request: Duration,
    /// The time limit of observations after a lost response, to find out whether the cloud executed the
    /// action.
    pub settle: Duration,
}

impl Default for Timeouts {
    /// Returns 30 s for an attempt, 2 minutes for a request, 30 s for observations after a lost response.
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(30),
            request: Duration::from_secs(120),
            settle: Duration::from_secs(30),
        }
    }
}

/// The upper limit of all time limits: in practice for ever, and valid in sums with a time.
pub(crate) const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

impl Timeouts {
    /// Sets the time limit of one attempt.
    #[must_use]
    pub fn with_attempt(mut self, limit: Duration) -> Self {
        self.attempt = limit;
        self
    }

    /// Sets the time limit of a request without a wait for the goal.
    #[must_use]
    pub fn with_request(mut self, limit: Duration) -> Self {
        self.request = limit;
        self
    }

    /// Sets the time limit of observations after a lost response.
    #[must_use]
    pub fn with_settle(mut self, limit: Duration) -> Self {
        self.settle = limit;
        self
    }

    /// Limits each time to a year.
    pub(crate) fn finite(self) -> Self {
        Self {
            attempt: self.attempt.min(YEAR),
            request: self.request.min(YEAR),
            settle: self.settle.min(YEAR),
        }
    }
}

/// The time limit of a wait for the goal, from the moment the request is awaited. No action is sent in
/// the last two seconds, or in the last quarter of a short time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeout(Duration);

impl WaitTimeout {
    /// The default: ten minutes.
    pub const DEFAULT: Self = Self::minutes(10);

    /// Returns a limit in seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// Returns a limit in minutes.
    pub const fn minutes(minutes: u64) -> Self {
        Self(Duration::from_secs(minutes.saturating_mul(60)))
    }

    /// Returns the time limit as a duration of at most a year.
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
    fn ceiling_doubles_up_to_the_cap() {
        let policy = RetryPolicy::default();
        let ceilings: Vec<u128> = (1..=8).map(|n| policy.ceiling(n).as_millis()).collect();
        assert_eq!(ceilings, [500, 1000, 2000, 4000, 8000, 16000, 20000, 20000]);
        assert_eq!(policy.ceiling(u32::MAX), policy.cap);
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn each_rule_for_retries_is_set_without_the_others() {
        let policy = RetryPolicy::never()
            .with_base(seconds(2))
            .with_cap(seconds(3))
            .with_budget(4);
        let RetryPolicy {
            attempts,
            base,
            cap,
            budget,
        } = policy;
        assert_eq!(
            (attempts, base, cap, budget),
            (1, seconds(2), seconds(3), 4)
        );
        let policy = policy.with_attempts(7);
        assert_eq!((policy.attempts, policy.base), (7, seconds(2)));
        let default = RetryPolicy::default();
        assert_eq!(RetryPolicy::never().with_attempts(5), default);
        assert_eq!((default.attempts, default.budget), (5, 50));
    }

    #[test]
    fn each_time_limit_is_set_without_the_others_and_is_at_most_a_year() {
        let timeouts = Timeouts::default()
            .with_attempt(seconds(1))
            .with_request(seconds(2))
            .with_settle(seconds(3));
        let Timeouts {
            attempt,
            request,
            settle,
        } = timeouts;
        assert_eq!([attempt, request, settle], [1, 2, 3].map(seconds));
        assert_eq!(timeouts.finite(), timeouts);
        let year = seconds(31_536_000);
        let endless = Timeouts::default()
            .with_attempt(Duration::MAX)
            .with_request(Duration::MAX)
            .with_settle(Duration::MAX)
            .finite();
        let longest = Timeouts::default()
            .with_attempt(year)
            .with_request(year)
            .with_settle(year);
        assert_eq!(endless, longest);
    }

    #[test]
    fn wait_timeout_is_at_most_a_year() {
        for (timeout, expected) in [
            (WaitTimeout::DEFAULT, 600),
            (WaitTimeout::seconds(5), 5),
            (WaitTimeout::minutes(2), 120),
            (seconds(7).into(), 7),
            (WaitTimeout::minutes(u64::MAX), 31_536_000),
            (Duration::MAX.into(), 31_536_000),
        ] {
            assert_eq!(timeout.duration(), seconds(expected));
        }
    }
}

//! The throttle of a simulated cloud: limits of calls.

use std::time::Duration;

use crate::time::Moment;

/// The limit for calls to a cloud. No vendor publishes the numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Throttle {
    /// A token bucket.
    PerSecond {
        /// The calls in a second, in the long run.
        rate: f64,
        /// The calls that are possible at once after a pause.
        burst: u32,
    },
    /// A fixed number of calls in each minute of the simulator's time. Further calls are throttled
    /// until the next minute, as Alibaba describes.
    PerMinute {
        /// The calls in a minute.
        calls: u32,
    },
}

/// The state of the limit for one cloud.
#[derive(Clone, Debug)]
pub(crate) struct CallLimiter {
    throttle: Throttle,
    tokens: f64,
    last_call: Moment,
}

impl CallLimiter {
    pub(crate) fn new(throttle: Throttle) -> Self {
        let tokens = match throttle {
            Throttle::PerSecond { burst, .. } => f64::from(burst),
            Throttle::PerMinute { calls } => f64::from(calls),
        };
        Self {
            throttle,
            tokens,
            last_call: Moment::default(),
        }
    }

    /// Admits a call.
    ///
    /// # Errors
    /// The time to wait until the next call is admitted.
    pub(crate) fn admit(&mut self, now: Moment) -> Result<(), Duration> {
        let wait = self.refill(now);
        self.last_call = now;
        if self.tokens < 1.0 {
            return Err(wait);
        }
        self.tokens -= 1.0;
        Ok(())
    }

    /// Adds the tokens since the last call. Returns the time until the next token.
    fn refill(&mut self, now: Moment) -> Duration {
        match self.throttle {
            Throttle::PerSecond { rate, burst } => {
                let refilled = now.since(self.last_call).as_secs_f64() * rate.max(0.0);
                self.tokens = (self.tokens + refilled).min(f64::from(burst.max(1)));
                let missing = (1.0 - self.tokens).max(0.0);
                Duration::try_from_secs_f64(missing / rate).unwrap_or(Duration::MAX)
            }
            Throttle::PerMinute { calls } => {
                let minute = |moment: Moment| moment.elapsed().as_secs() / 60;
                if minute(now) != minute(self.last_call) {
                    self.tokens = f64::from(calls);
                }
                Duration::from_secs(60 * (minute(now) + 1)).saturating_sub(now.elapsed())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Moment {
        Moment::since_start(Duration::from_millis(millis))
    }

    #[test]
    fn token_bucket_refills_over_time() {
        let mut limiter = CallLimiter::new(Throttle::PerSecond {
            rate: 2.0,
            burst: 2,
        });
        assert_eq!(limiter.admit(at(0)), Ok(()));
        assert_eq!(limiter.admit(at(0)), Ok(()));
        assert_eq!(limiter.admit(at(0)), Err(Duration::from_millis(500)));
        assert_eq!(limiter.admit(at(250)), Err(Duration::from_millis(250)));
        assert_eq!(limiter.admit(at(500)), Ok(()));
        assert!(limiter.admit(at(501)).is_err());
    }

    #[test]
    fn minute_limit_admits_calls_again_in_the_next_minute() {
        let mut limiter = CallLimiter::new(Throttle::PerMinute { calls: 1 });
        assert_eq!(limiter.admit(at(59_000)), Ok(()));
        assert_eq!(limiter.admit(at(59_500)), Err(Duration::from_millis(500)));
        assert_eq!(limiter.admit(at(60_000)), Ok(()));
    }
}

//! `AdaptiveRate`: the rate of calls, adapted to the limit of a cloud. Pure arithmetic without a clock.

/// The rate, adapted to the cloud's limit along the cubic curve of TCP CUBIC.
///
/// A single rejection cuts the rate by a tenth, because the limit is a little lower. A second
/// rejection soon after the first halves the rate, because the limit itself has fallen. Then the
/// rate climbs quickly towards the last rejected rate, slowly past this rate, and quickly again once
/// the limit turns out to be higher. Beyond the highest known limit, a fixed step per second limits the
/// climb. Only queued calls raise the rate: a client with few calls learns nothing about the limit.
///
/// Plain data, so that a [`SharedRateLimit`](crate::SharedRateLimit) can store the rate of several clients.
///
/// # Examples
/// ```
/// use lifecycle_client::AdaptiveRate;
///
/// let rate = AdaptiveRate::new(20.0);
/// assert_eq!((rate.per_second, rate.last_rejected), (20.0, 20.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaptiveRate {
    /// Calls per second now.
    pub per_second: f64,
    /// The configured calls per second.
    pub configured: f64,
    /// The highest rate at a single rejection, or the configured rate: the cloud has accepted calls up to
    /// this rate, so a climb back to this rate is quick.
    pub highest_known: f64,
    /// The rate at the last rejection; at first the configured rate.
    pub last_rejected: f64,
    /// The position on the curve: seconds since the curve passed the last rejected rate, or a
    /// negative number before.
    pub seconds_past_last_rejected: f64,
    /// The calls since the last cut that the cloud did not throttle.
    pub successes_since_cut: u32,
}

impl AdaptiveRate {
    /// Returns the rate before the first call.
    pub fn new(per_second: f64) -> Self {
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

    pub(crate) fn count_success(&mut self) {
        self.successes_since_cut = self.successes_since_cut.saturating_add(1);
    }

    /// Raises the rate after the success of a queued call. Time counts in calls: one second has as
    /// many calls as the rate.
    pub(crate) fn climb_by_one_call(&mut self) {
        self.climb(1.0 / self.per_second);
    }

    /// Raises the rate along the curve by this time.
    pub(crate) fn climb(&mut self, seconds: f64) {
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
    pub(crate) fn cut(&mut self) {
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
pub(crate) const CALM_SUCCESSES: u32 = 10;

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

//! The durations of simulated power operations.

use std::time::Duration;

use crate::{PowerOperation, time::mix};

/// The durations of boots, stops and reboots. No vendor documents durations, so the defaults are
/// choices; Huawei's Terraform provider mentions 15 to 35 seconds for power jobs.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct TransitionTimes {
    /// The time from an accepted start to running; 30 s by default.
    pub boot: Duration,
    /// The time from an accepted graceful stop to stopped; 20 s by default. A forced stop takes a
    /// tenth.
    pub stop: Duration,
    /// The time from an accepted graceful reboot to running; 40 s by default. A forced reboot takes
    /// half.
    pub reboot: Duration,
    /// The time until an accepted operation is visible; zero by default. Until then observations
    /// show the state before the operation. Baidu's Terraform provider expects such a lag.
    pub lag: Duration,
    /// The relative variation of durations between instances, 0 to 1; 0.3 by default. Each instance
    /// has a fixed factor from the seed.
    pub spread: f64,
    /// The factor that divides all durations; 1 by default.
    pub speed: f64,
}

impl Default for TransitionTimes {
    fn default() -> Self {
        Self {
            boot: Duration::from_secs(30),
            stop: Duration::from_secs(20),
            reboot: Duration::from_secs(40),
            lag: Duration::ZERO,
            spread: 0.3,
            speed: 1.0,
        }
    }
}

impl TransitionTimes {
    /// Returns the duration of `operation` on the instance with this number.
    pub(crate) fn duration(&self, operation: PowerOperation, seed: u64, number: u32) -> Duration {
        let typical = match operation {
            PowerOperation::Start => self.boot,
            PowerOperation::Stop => self.stop,
            PowerOperation::ForcedStop => self.stop / 10,
            PowerOperation::Reboot => self.reboot,
            PowerOperation::ForcedReboot => self.reboot / 2,
        };
        let spread = self.spread.clamp(0.0, 1.0);
        let fraction = (mix(seed ^ mix(u64::from(number))) >> 11) as f64 / (1_u64 << 53) as f64;
        self.scaled(typical.mul_f64(1.0 - spread + 2.0 * spread * fraction))
    }

    /// Returns the time until an accepted operation is visible.
    pub(crate) fn scaled_lag(&self) -> Duration {
        self.scaled(self.lag)
    }

    fn scaled(&self, span: Duration) -> Duration {
        let speed = if self.speed.is_finite() && self.speed > 0.0 {
            self.speed
        } else {
            1.0
        };
        Duration::try_from_secs_f64(span.as_secs_f64() / speed).unwrap_or(span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_differs_by_instance_within_the_spread() {
        let times = TransitionTimes {
            speed: 10.0,
            ..TransitionTimes::default()
        };
        let durations: Vec<_> = (0..100)
            .map(|n| times.duration(PowerOperation::Start, 1, n))
            .collect();
        assert!(
            durations
                .iter()
                .all(|s| (2_100..=3_900).contains(&s.as_millis()))
        );
        assert!(durations.iter().any(|s| s.as_millis() < 2_600));
        assert!(durations.iter().any(|s| s.as_millis() > 3_400));
        assert_eq!(durations[5], times.duration(PowerOperation::Start, 1, 5));
        assert_ne!(durations[5], times.duration(PowerOperation::Start, 2, 5));
    }
}

//! `Waves`: the size of the waves of a request, the pause between waves, and the failures that end the
//! request.

use std::{num::NonZeroUsize, ops::Range, time::Duration};

use lifecycle_core::{Fault, FaultKind};

/// The size of the waves of a request, the pause between waves, and the failures that end the request.
///
/// A wave begins when every instance of the wave before has an outcome and the pause has passed. After enough failures no
/// further wave begins, and the remaining instances are [`Skipped`](crate::Outcome::Skipped).
///
/// # Examples
/// ```
/// use lifecycle_client::Waves;
///
/// // A tenth of the instances at a time; the third failure ends the request.
/// let waves = Waves::percent(10).with_stop_after(3);
/// assert_eq!(waves.ranges(25).next(), Some(0..2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waves {
    size: WaveSize,
    stop_after: FailureLimit,
    pause: Duration,
}

/// The size of a wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaveSize {
    /// A fixed number of instances.
    Instances(NonZeroUsize),
    /// A percentage of the request.
    Percent(u8),
}

/// The instances without the requested result that end a request in waves.
///
/// # Examples
/// ```
/// use lifecycle_client::{FailureLimit, Waves};
///
/// // The third failure ends the request.
/// let waves = Waves::percent(10).with_stop_after(3);
/// assert_eq!(waves.stop_after(), FailureLimit::instances(3));
/// // A tenth of the request ends the request: the 200th failure of 2,000 instances.
/// let waves = Waves::of(50).with_stop_after(FailureLimit::percent(10));
/// assert_eq!(waves.stop_after().of(2_000), 200);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureLimit {
    /// A fixed number of instances.
    Instances(NonZeroUsize),
    /// A percentage of the request.
    Percent(u8),
}

impl FailureLimit {
    /// Creates a limit of a fixed number of instances; at least 1.
    pub fn instances(instances: usize) -> Self {
        Self::Instances(at_least_one(instances))
    }

    /// Creates a limit of a percentage of the request, rounded down; at least 1 instance.
    pub fn percent(percent: u8) -> Self {
        Self::Percent(percent)
    }

    /// Returns the number of failures that ends a request of `instances`; at least 1.
    pub fn of(self, instances: usize) -> usize {
        match self {
            Self::Instances(limit) => limit.get(),
            Self::Percent(percent) => share(instances, percent),
        }
    }
}

impl From<usize> for FailureLimit {
    fn from(instances: usize) -> Self {
        Self::instances(instances)
    }
}

impl Waves {
    /// Creates waves of a fixed number of instances; at least 1.
    pub fn of(instances: usize) -> Self {
        Self::new(WaveSize::Instances(at_least_one(instances)))
    }

    /// Creates waves of a percentage of the request, rounded down; at least 1 instance, at most all.
    pub fn percent(percent: u8) -> Self {
        Self::new(WaveSize::Percent(percent))
    }

    fn new(size: WaveSize) -> Self {
        Self {
            size,
            stop_after: FailureLimit::Instances(NonZeroUsize::MIN),
            pause: Duration::ZERO,
        }
    }

    /// Sets the instances without the requested result that end the request: a number, or a
    /// [`FailureLimit::percent`] of the request. At least 1, and 1 by default.
    #[must_use]
    pub fn with_stop_after(mut self, failures: impl Into<FailureLimit>) -> Self {
        self.stop_after = failures.into();
        self
    }

    /// Sets the pause between the last outcome of a wave and the start of the next wave; none by default.
    ///
    /// The time limit of a wave does not include the pause. There is no pause before the first wave, and
    /// none if no further wave begins.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use lifecycle_client::Waves;
    ///
    /// // Services get two minutes to settle after each reboot.
    /// let waves = Waves::of(1).with_pause(Duration::from_secs(120));
    /// assert_ne!(waves, Waves::of(1));
    /// ```
    #[must_use]
    pub fn with_pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Returns the pause between two waves.
    pub fn pause(self) -> Duration {
        self.pause
    }

    /// Returns the size of a wave.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::{WaveSize, Waves};
    ///
    /// assert_eq!(Waves::percent(10).size(), WaveSize::Percent(10));
    /// ```
    pub fn size(self) -> WaveSize {
        self.size
    }

    /// Returns the instances without the requested result that end the request.
    pub fn stop_after(self) -> FailureLimit {
        self.stop_after
    }

    /// Returns the waves of a request, as ranges in the order of the request.
    pub fn ranges(self, instances: usize) -> impl Iterator<Item = Range<usize>> + Send {
        let size = match self.size {
            WaveSize::Instances(size) => size.get(),
            WaveSize::Percent(percent) => share(instances, percent),
        };
        (0..instances)
            .step_by(size)
            .map(move |start| start..instances.min(start.saturating_add(size)))
    }

    /// Returns the fault of the remaining instances if the failures so far end a request of `instances`.
    pub(crate) fn halt(self, failures: usize, instances: usize) -> Option<Fault> {
        let message = || match failures {
            1 => "1 instance of an earlier wave failed".to_owned(),
            n => format!("{n} instances of earlier waves failed"),
        };
        (failures >= self.stop_after.of(instances))
            .then(|| Fault::new(FaultKind::Halted, message()))
    }
}

impl Default for Waves {
    /// Creates a single wave.
    fn default() -> Self {
        Self::percent(100)
    }
}

/// Returns a percentage of instances, rounded down; at least 1.
fn share(instances: usize, percent: u8) -> usize {
    (instances * usize::from(percent.min(100)) / 100).max(1)
}

fn at_least_one(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sizes(waves: Waves, instances: usize) -> Vec<usize> {
        waves.ranges(instances).map(|wave| wave.len()).collect()
    }

    #[test]
    fn waves_have_a_fixed_size_or_a_share() {
        assert_eq!(sizes(Waves::of(4), 10), [4, 4, 2]);
        assert_eq!(sizes(Waves::percent(30), 10), [3, 3, 3, 1]);
        assert_eq!(sizes(Waves::percent(100), 3), [3]);
        assert_eq!(sizes(Waves::of(9), 0), [0; 0]);
        // At least one instance, and at most all.
        assert_eq!(sizes(Waves::of(0), 2), [1, 1]);
        assert_eq!(sizes(Waves::percent(1), 2), [1, 1]);
        assert_eq!(sizes(Waves::percent(255), 2), [2]);
        assert_eq!(sizes(Waves::of(usize::MAX), 2), [2]);
    }

    #[test]
    fn failures_end_the_request_at_the_limit() {
        let halts = |waves: Waves, failures| waves.halt(failures, 25).is_some();
        assert!(!halts(Waves::of(1), 0));
        assert!(halts(Waves::of(1), 1));
        assert!(!halts(Waves::of(1).with_stop_after(3), 2));
        assert!(halts(Waves::of(1).with_stop_after(0), 1));
        // A tenth of 25, rounded down.
        let tenth = Waves::of(1).with_stop_after(FailureLimit::percent(10));
        assert!(!halts(tenth, 1));
        assert!(halts(tenth, 2));
        // A share of 0 is the first failure, and no failure ends nothing.
        let none = Waves::of(1).with_stop_after(FailureLimit::percent(0));
        assert!(!halts(none, 0));
        assert!(halts(none, 1));
    }

    proptest! {
        #[test]
        fn every_instance_is_in_one_wave(count in 0_usize..3_000, size in 0_usize..4_000, share: u8) {
            for waves in [Waves::of(size), Waves::percent(share)] {
                let covered: Vec<usize> = waves.ranges(count).flatten().collect();
                prop_assert_eq!(covered, (0..count).collect::<Vec<_>>());
            }
        }
    }
}

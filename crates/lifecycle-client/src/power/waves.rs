//! `Waves`: the size of the waves of a request, the pause between waves, and the number of failures that
//! ends the request.

use std::{num::NonZeroUsize, ops::Range, time::Duration};

use lifecycle_core::{Fault, FaultKind};

/// The size of the waves of a request, the pause between waves, and the number of failures that ends the
/// request.
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
    stop_after: NonZeroUsize,
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
            stop_after: NonZeroUsize::MIN,
            pause: Duration::ZERO,
        }
    }

    /// Sets the number of instances without the requested result that ends the request; at least 1,
    /// and 1 by default.
    #[must_use]
    pub fn with_stop_after(mut self, failures: usize) -> Self {
        self.stop_after = at_least_one(failures);
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

    /// Returns the number of instances without the requested result that ends the request.
    pub fn stop_after(self) -> usize {
        self.stop_after.get()
    }

    /// Returns the waves of a request, as ranges in the order of the request.
    pub fn ranges(self, instances: usize) -> impl Iterator<Item = Range<usize>> + Send {
        let size = match self.size {
            WaveSize::Instances(size) => size.get(),
            WaveSize::Percent(percent) => instances * usize::from(percent.min(100)) / 100,
        }
        .max(1);
        (0..instances)
            .step_by(size)
            .map(move |start| start..instances.min(start.saturating_add(size)))
    }

    /// Returns the fault of the remaining instances if the failures so far end the request.
    pub(crate) fn halt(self, failures: usize) -> Option<Fault> {
        let message = || match failures {
            1 => "1 instance of an earlier wave failed".to_owned(),
            n => format!("{n} instances of earlier waves failed"),
        };
        (failures >= self.stop_after.get()).then(|| Fault::new(FaultKind::Halted, message()))
    }
}

impl Default for Waves {
    /// Creates a single wave.
    fn default() -> Self {
        Self::percent(100)
    }
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
        assert_eq!(Waves::of(1).halt(0), None);
        assert!(Waves::of(1).halt(1).is_some());
        assert_eq!(Waves::of(1).with_stop_after(3).halt(2), None);
        assert!(Waves::of(1).with_stop_after(0).halt(1).is_some());
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

//! The difference between the clocks of this machine and of the cloud.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, SystemTime},
};

/// The number of seconds to add to the local clock when signing. Learned from responses; 0 until
/// then.
#[derive(Debug, Default)]
pub(crate) struct ClockSkew(AtomicI64);

impl ClockSkew {
    pub(crate) fn offset(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Records the cloud's date after the rejection of a signature with `used_offset`. Returns true
    /// if the new offset differs from `used_offset`, so that signing again can succeed.
    pub(crate) fn learn(
        &self,
        cloud_time: Option<SystemTime>,
        local_time: SystemTime,
        used_offset: i64,
    ) -> bool {
        let Some(ahead) = cloud_time.and_then(|time| difference(time, local_time)) else {
            return false;
        };
        self.0.store(ahead, Ordering::Relaxed);
        ahead != used_offset
    }

    /// Resets the offset to 0 if a successful response shows that the clocks agree again.
    pub(crate) fn confirm(&self, cloud_time: Option<SystemTime>, local_time: SystemTime) {
        if self.offset() == 0 {
            return;
        }
        let is_negligible = cloud_time
            .and_then(|time| difference(time, local_time))
            .is_some_and(|ahead| ahead.unsigned_abs() < NEGLIGIBLE_BELOW.as_secs());
        if is_negligible {
            self.0.store(0, Ordering::Relaxed);
        }
    }
}

/// Below this difference no offset is needed. Every cloud accepts a difference of five minutes.
const NEGLIGIBLE_BELOW: Duration = Duration::from_secs(60);

/// The largest plausible difference. A greater one comes from a broken clock of a cloud or proxy.
const MAX_PLAUSIBLE: Duration = Duration::from_secs(24 * 3600);

/// Returns the number of seconds by which the cloud's clock is ahead; `None` if implausible.
pub(crate) fn difference(cloud_time: SystemTime, local_time: SystemTime) -> Option<i64> {
    let (distance, sign) = match cloud_time.duration_since(local_time) {
        Ok(ahead) => (ahead, 1),
        Err(behind) => (behind.duration(), -1),
    };
    let seconds = i64::try_from(distance.as_secs()).ok()?;
    (distance < MAX_PLAUSIBLE).then_some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn offset_is_learned_and_dropped_when_the_clock_is_repaired() {
        let skew = ClockSkew::default();
        assert!(skew.learn(Some(at(100_000)), at(101_200), 0));
        assert_eq!(skew.offset(), -1_200);
        assert!(
            !skew.learn(Some(at(100_000)), at(101_200), -1_200),
            "nothing new"
        );
        assert!(
            skew.learn(Some(at(100_000)), at(101_200), 0),
            "new to a call that was signed before"
        );
        skew.confirm(Some(at(100_000)), at(101_200));
        assert_eq!(skew.offset(), -1_200, "the clocks still differ");
        skew.confirm(Some(at(100_000)), at(100_060));
        assert_eq!(skew.offset(), -1_200, "a minute is not negligible");
        skew.confirm(Some(at(100_000)), at(100_003));
        assert_eq!(skew.offset(), 0);
    }

    #[test]
    fn difference_of_a_day_or_more_is_implausible() {
        let (now, day) = (1_000_000, 86_400);
        for (cloud_time, expected) in [
            (now, Some(0)),
            (now + day - 1, Some(86_399)),
            (now + day, None),
            (now - day + 1, Some(-86_399)),
            (now - day, None),
        ] {
            assert_eq!(
                difference(at(cloud_time), at(now)),
                expected,
                "{cloud_time}"
            );
        }
    }

    #[test]
    fn implausible_or_missing_date_changes_nothing() {
        let skew = ClockSkew::default();
        assert!(!skew.learn(Some(at(0)), at(2_000_000_000), 0));
        assert!(!skew.learn(None, at(5), 0));
        assert_eq!(skew.offset(), 0);
    }
}

//! The difference between this machine's clock and the cloud's.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, SystemTime},
};

/// Seconds to add to the local clock when signing; learned from answers, 0 until then.
#[derive(Debug, Default)]
pub(crate) struct ClockSkew(AtomicI64);

impl ClockSkew {
    pub(crate) fn offset(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// The cloud refused a signature for its time. `true` when its date teaches something that the
    /// offset `used` for it did not know, whoever else may have learned it by now.
    pub(crate) fn learn(&self, cloud: Option<SystemTime>, local: SystemTime, used: i64) -> bool {
        let Some(ahead) = cloud.and_then(|cloud| difference(cloud, local)) else {
            return false;
        };
        self.0.store(ahead, Ordering::Relaxed);
        ahead != used
    }

    /// The cloud accepted a signature. An offset that the clocks no longer show is dropped.
    pub(crate) fn confirm(&self, cloud: Option<SystemTime>, local: SystemTime) {
        if self.offset() == 0 {
            return;
        }
        let agree = cloud
            .and_then(|cloud| difference(cloud, local))
            .is_some_and(|ahead| ahead.unsigned_abs() < AGREE.as_secs());
        if agree {
            self.0.store(0, Ordering::Relaxed);
        }
    }
}

/// Clocks this close need no offset. Every cloud allows at least five minutes.
const AGREE: Duration = Duration::from_secs(60);

/// A date further away than this is a broken clock on the other side, or a proxy's.
const ABSURD: Duration = Duration::from_secs(24 * 3600);

/// Seconds by which the first clock is ahead; `None` when that is absurd.
pub(crate) fn difference(cloud: SystemTime, local: SystemTime) -> Option<i64> {
    let (distance, sign) = match cloud.duration_since(local) {
        Ok(ahead) => (ahead, 1),
        Err(behind) => (behind.duration(), -1),
    };
    let seconds = i64::try_from(distance.as_secs()).ok()?;
    (distance < ABSURD).then_some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn an_offset_is_learned_and_dropped_when_the_clock_is_repaired() {
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
        skew.confirm(Some(at(100_000)), at(100_003));
        assert_eq!(skew.offset(), 0);
    }

    #[test]
    fn absurd_and_absent_dates_teach_nothing() {
        let skew = ClockSkew::default();
        assert!(!skew.learn(Some(at(0)), at(2_000_000_000), 0));
        assert!(!skew.learn(None, at(5), 0));
        assert_eq!(skew.offset(), 0);
    }
}

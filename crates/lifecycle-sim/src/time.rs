//! The clock of the simulator.
//!
//! The time follows tokio's clock: under paused time the clock stands still and jumps. The wall
//! clock is the start time plus the elapsed time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use lifecycle_client::Clock;
use lifecycle_core::SigningContext;
use tokio::time::Instant;

/// The microseconds since the start of the simulator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

impl Moment {
    /// The moment after all others.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    pub(crate) fn since_start(elapsed: Duration) -> Self {
        Self(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX))
    }

    /// Returns the moment after this time, at most [`NEVER`](Self::NEVER).
    pub(crate) fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(Self::since_start(span).0))
    }

    /// Returns the moment before this time, at least the start.
    pub(crate) fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(Self::since_start(span).0))
    }

    /// Returns the time since the start.
    pub(crate) fn elapsed(self) -> Duration {
        Duration::from_micros(self.0)
    }

    /// Returns the time since `earlier`, or zero for a later moment.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// The relation of tokio's clock to the simulated wall clock.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    epoch: SystemTime,
    began: Instant,
}

impl Timeline {
    /// Creates a timeline with `epoch` as the current time.
    pub(crate) fn starting_at(epoch: SystemTime) -> Self {
        Self {
            epoch,
            began: Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> Moment {
        Moment::since_start(self.began.elapsed())
    }

    /// Returns the wall clock time at `moment`.
    pub(crate) fn wall_time(&self, moment: Moment) -> SystemTime {
        self.epoch
            .checked_add(moment.elapsed())
            .unwrap_or(self.epoch)
    }

    /// Returns the wall clock time at the start, in microseconds since 1970.
    pub(crate) fn epoch_micros(&self) -> i64 {
        self.epoch
            .duration_since(UNIX_EPOCH)
            .ok()
            .and_then(|since| i64::try_from(since.as_micros()).ok())
            .unwrap_or_default()
    }
}

/// The clock of the simulator, for clients under test.
///
/// The clock follows tokio's time, also under paused time. Nonces come from the seed, so that runs
/// are repeatable. All clones share one sequence of nonces.
#[derive(Clone, Debug)]
pub struct SimClock {
    timeline: Timeline,
    seed: u64,
    drawn: Arc<AtomicU64>,
}

impl SimClock {
    pub(crate) fn new(timeline: Timeline, seed: u64) -> Self {
        Self {
            timeline,
            seed,
            drawn: Arc::default(),
        }
    }
}

impl Clock for SimClock {
    fn now(&self) -> SystemTime {
        self.timeline.wall_time(self.timeline.now())
    }

    fn signing_context(&self, offset: i64) -> SigningContext {
        let shift = Duration::from_secs(offset.unsigned_abs());
        let time = if offset < 0 {
            self.now().checked_sub(shift)
        } else {
            self.now().checked_add(shift)
        };
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        let nonce = u128::from(mix(self.seed)) << 64 | u128::from(drawn);
        SigningContext::new(time.unwrap_or_else(|| self.now()), nonce)
    }
}

/// Mixes the bits of a number, so that close numbers have distant results (the finaliser of
/// SplitMix64).
pub(crate) fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Parses `2015-04-27T08:23:49Z` as seconds since 1970.
pub(crate) fn read_extended(text: &str) -> Option<i64> {
    read_utc("%Y-%m-%dT%H:%M:%SZ", text)
}

/// Parses `20150427T082349Z` as seconds since 1970.
pub(crate) fn read_basic(text: &str) -> Option<i64> {
    read_utc("%Y%m%dT%H%M%SZ", text)
}

fn read_utc(pattern: &str, text: &str) -> Option<i64> {
    let time = DateTime::strptime(pattern, text).ok()?;
    Some(TimeZone::UTC.to_timestamp(time).ok()?.as_second())
}

/// Formats a wall clock time.
pub(crate) fn write_utc(pattern: &str, time: Timestamp) -> String {
    time.strftime(pattern).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_time_formats_are_parsed_as_utc() {
        assert_eq!(read_extended("2015-04-27T08:23:49Z"), Some(1_430_123_029));
        assert_eq!(read_basic("20150427T082349Z"), Some(1_430_123_029));
        for bad in [
            "",
            "2015-04-27T08:23:49",
            "2015-04-27 08:23:49Z",
            "x",
            "2015-13-27T08:23:49Z",
        ] {
            assert_eq!(read_extended(bad), None, "{bad:?} was taken");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn clock_follows_paused_time_and_never_repeats_a_nonce() {
        let clock = SimClock::new(Timeline::starting_at(UNIX_EPOCH), 7);
        tokio::time::advance(Duration::from_secs(90)).await;
        let (first, second) = (
            clock.signing_context(-30),
            clock.clone().signing_context(-30),
        );
        assert_eq!(first.unix(), 60);
        assert_ne!(first.nonce(), second.nonce());
    }

    #[test]
    fn moment_arithmetic_saturates() {
        assert_eq!(Moment::NEVER.after(Duration::MAX), Moment::NEVER);
        assert_eq!(
            Moment::default().before(Duration::from_secs(1)),
            Moment::default()
        );
    }
}

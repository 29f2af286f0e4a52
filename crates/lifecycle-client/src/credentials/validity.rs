//! The times of renewal, last use and expiry of a temporary key.

use std::time::{Duration, SystemTime};

/// The times of a temporary key, by the clock of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    /// The time from which a new key is fetched.
    pub(super) renewal: SystemTime,
    /// The time from which the key is used no more, because a call needs time to arrive.
    pub(super) last_use: SystemTime,
    pub(super) expiry: SystemTime,
}

impl Validity {
    /// Returns the times of a key issued `now`. The clock of the issuer is `ahead` seconds ahead.
    ///
    /// The renewal is due `before` the expiry, but not before half of the lifetime, and up to a tenth
    /// earlier at random, so that programs do not renew at the same time.
    pub(super) fn new(
        now: SystemTime,
        expiry: SystemTime,
        ahead: i64,
        before: Option<Duration>,
    ) -> Self {
        let shift = Duration::from_secs(ahead.unsigned_abs());
        let expiry = match ahead {
            0.. => expiry.checked_sub(shift),
            _ => expiry.checked_add(shift),
        }
        .unwrap_or(expiry);
        let lifetime = expiry.duration_since(now).unwrap_or_default();
        let margin = before.unwrap_or(RENEWAL_MARGIN).min(lifetime / 2);
        let early = margin.mul_f64(1.0 + 0.1 * fastrand::f64()).min(lifetime);
        let in_transit = TRANSIT_TIME.min(lifetime / 10);
        Self {
            renewal: expiry.checked_sub(early).unwrap_or(now),
            last_use: expiry.checked_sub(in_transit).unwrap_or(now),
            expiry,
        }
    }
}

/// The time that a signed call may need to arrive.
const TRANSIT_TIME: Duration = Duration::from_secs(10);

/// The time between renewal and expiry, unless the cloud prescribes another.
const RENEWAL_MARGIN: Duration = Duration::from_secs(15 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    /// Returns the time from the renewal to the expiry, and from the last use to the expiry.
    fn margins(lifetime: Duration, before: Option<Duration>) -> (Duration, Duration) {
        let validity = Validity::new(NOW, NOW + lifetime, 0, before);
        assert_eq!(validity.expiry, NOW + lifetime);
        let before_expiry = |time| validity.expiry.duration_since(time).unwrap();
        (
            before_expiry(validity.renewal),
            before_expiry(validity.last_use),
        )
    }

    #[track_caller]
    fn assert_margin(actual: Duration, margin: Duration) {
        assert!(
            (margin..=margin.mul_f64(1.1)).contains(&actual),
            "{actual:?} instead of {margin:?} and up to a tenth more"
        );
    }

    #[test]
    fn key_is_renewed_and_last_used_before_its_expiry() {
        let (renewal, last_use) = margins(seconds(3600), None);
        assert_margin(renewal, seconds(15 * 60));
        assert_eq!(last_use, seconds(10));

        let (renewal, _) = margins(seconds(3600), Some(seconds(300)));
        assert_margin(renewal, seconds(300));
    }

    #[test]
    fn short_key_is_renewed_after_about_half_of_its_lifetime() {
        for before in [None, Some(seconds(3600))] {
            let (renewal, last_use) = margins(seconds(60), before);
            assert_margin(renewal, seconds(30));
            assert_eq!(last_use, seconds(6));
        }
    }

    #[test]
    fn expiry_is_converted_to_the_clock_of_this_machine() {
        let expiry = NOW + seconds(1000);
        let at = |ahead| Validity::new(NOW, expiry, ahead, None).expiry;
        assert_eq!(at(100), NOW + seconds(900));
        assert_eq!(at(-100), NOW + seconds(1100));
        assert_eq!(at(0), expiry);
    }

    #[test]
    fn expired_key_has_no_margins() {
        let expiry = NOW - seconds(2_000_000_000);
        let validity = Validity::new(NOW, expiry, 0, None);
        let expected = Validity {
            renewal: expiry,
            last_use: expiry,
            expiry,
        };
        assert_eq!(validity, expected);
    }

    #[test]
    fn difference_beyond_the_range_of_times_leaves_the_expiry() {
        let expiry = NOW + seconds(60);
        assert_eq!(Validity::new(NOW, expiry, i64::MIN, None).expiry, expiry);
    }
}

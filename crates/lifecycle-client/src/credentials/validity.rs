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

//! When a key is renewed, and when it is not used any more.

use std::time::{Duration, SystemTime};

/// The times of a key that ends, by this machine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    /// From here on a new one is fetched.
    pub(super) renewal: SystemTime,
    /// From here on it is not used any more: a call takes a while to arrive.
    pub(super) last_use: SystemTime,
    pub(super) expiry: SystemTime,
}

impl Validity {
    /// The term of a key that was given `now` and ends at `end` by a clock that is `ahead` seconds
    /// ahead. It is renewed so long `before` its end, or half way through its life where that is
    /// later; and up to a tenth of that earlier by chance, so that many programs do not renew at
    /// once.
    pub(super) fn new(
        now: SystemTime,
        end: SystemTime,
        ahead: i64,
        before: Option<Duration>,
    ) -> Self {
        let shift = Duration::from_secs(ahead.unsigned_abs());
        let end = match ahead {
            0.. => end.checked_sub(shift),
            _ => end.checked_add(shift),
        }
        .unwrap_or(end);
        let life = end.duration_since(now).unwrap_or_default();
        let margin = before.unwrap_or(RENEWAL).min(life / 2);
        let early = margin.mul_f64(1.0 + 0.1 * fastrand::f64()).min(life);
        let slack = ON_THE_WAY.min(life / 10);
        Self {
            renewal: end.checked_sub(early).unwrap_or(now),
            last_use: end.checked_sub(slack).unwrap_or(now),
            expiry: end,
        }
    }
}

/// The time that a signed call may take to arrive.
const ON_THE_WAY: Duration = Duration::from_secs(10);

/// How long before its end a key is renewed, unless its cloud has a rule of its own.
const RENEWAL: Duration = Duration::from_secs(15 * 60);

//! Clocks that are ahead or behind, for the conformance cases with a wrong clock.

use std::time::{Duration, SystemTime};

use lifecycle_facade::{Clock, lifecycle_core::SigningContext};

/// A clock with a constant error.
#[derive(Clone, Debug)]
pub struct SkewedClock<C> {
    right: C,
    ahead: i64,
    uses_offset: bool,
}

impl<C: Clock> SkewedClock<C> {
    /// Creates a clock that is `seconds` ahead of `right`, or behind if negative.
    pub fn ahead(right: C, seconds: i64) -> Self {
        Self {
            right,
            ahead: seconds,
            uses_offset: true,
        }
    }

    /// Creates a clock that stays a day behind `right` and ignores the offset learned by the
    /// client, so every signature has expired.
    pub fn always_expired(right: C) -> Self {
        Self {
            right,
            ahead: -24 * 3600,
            uses_offset: false,
        }
    }
}

impl<C: Clock> Clock for SkewedClock<C> {
    fn now(&self) -> SystemTime {
        let shift = Duration::from_secs(self.ahead.unsigned_abs());
        let right = self.right.now();
        let shifted = if self.ahead < 0 {
            right.checked_sub(shift)
        } else {
            right.checked_add(shift)
        };
        shifted.unwrap_or(right)
    }

    fn signing_context(&self, offset: i64) -> SigningContext {
        let offset = if self.uses_offset { offset } else { 0 };
        self.right
            .signing_context(self.ahead.saturating_add(offset))
    }
}

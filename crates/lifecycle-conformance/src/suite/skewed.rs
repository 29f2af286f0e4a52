//! Clocks that are wrong.

use std::time::{Duration, SystemTime};

use lifecycle_facade::{Clock, core::SigningContext};

/// A clock that is off by some seconds from the one within.
#[derive(Clone, Debug)]
pub struct SkewedClock<C> {
    right: C,
    ahead: i64,
    corrigible: bool,
}

impl<C: Clock> SkewedClock<C> {
    /// Ahead of `right` by so many seconds; behind, when negative.
    pub fn ahead(right: C, seconds: i64) -> Self {
        Self {
            right,
            ahead: seconds,
            corrigible: true,
        }
    }

    /// A day behind, whatever offset the client has learned: each of its stamps has expired.
    pub fn stale(right: C) -> Self {
        Self {
            right,
            ahead: -24 * 3600,
            corrigible: false,
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
        let offset = if self.corrigible { offset } else { 0 };
        self.right
            .signing_context(self.ahead.saturating_add(offset))
    }
}

//! The clock of a client: wall-clock time and nonces for signatures.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use lifecycle_core::SigningContext;

/// Supplies the wall-clock time. The client reads the wall clock nowhere else.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Returns the current time.
    fn now(&self) -> SystemTime;

    /// Returns the current time plus `offset` seconds, with a new nonce.
    fn signing_context(&self, offset: i64) -> SigningContext {
        let shift = Duration::from_secs(offset.unsigned_abs());
        let time = match offset {
            0.. => self.now().checked_add(shift),
            _ => self.now().checked_sub(shift),
        };
        SigningContext::new(time.unwrap_or_else(|| self.now()), nonce())
    }
}

/// Returns 128 random bits from the operating system.
fn nonce() -> u128 {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u128::from_ne_bytes(bytes),
        // A nonce must be unique, and is no secret.
        Err(_) => fastrand::u128(..),
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> SystemTime {
        (**self).now()
    }

    fn signing_context(&self, offset: i64) -> SigningContext {
        (**self).signing_context(offset)
    }
}

/// Reads the clock of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the only place that reads the wall clock"
    )]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Always shows the time 1,000 seconds after 1970.
    #[derive(Debug)]
    struct StoppedClock;

    impl Clock for StoppedClock {
        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH + Duration::from_secs(1_000)
        }
    }

    #[test]
    fn signing_context_has_the_time_plus_the_offset_and_a_new_nonce() {
        for (offset, expected) in [(0, 1_000), (5, 1_005), (-5, 995), (-1_001, -1)] {
            let one = StoppedClock.signing_context(offset);
            let shared = Arc::new(StoppedClock).signing_context(offset);
            assert_eq!((one.unix(), shared.unix()), (expected, expected));
            assert_ne!(one.nonce(), shared.nonce());
        }
    }
}

//! Sums of times that cannot overflow. Durations come from users, configuration files and clouds.

use std::time::Duration;

use tokio::time::Instant;

/// Returns the time `wait` after `now`. A time beyond the range of the clock becomes a time that no
/// process reaches.
pub(crate) fn after(now: Instant, wait: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    now.checked_add(wait).unwrap_or_else(|| now + NEVER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_wait_does_not_overflow() {
        let now = Instant::now();
        assert_eq!(
            after(now, Duration::from_secs(1)),
            now + Duration::from_secs(1)
        );
        assert!(after(now, Duration::MAX) > now + Duration::from_secs(1 << 29));
    }
}

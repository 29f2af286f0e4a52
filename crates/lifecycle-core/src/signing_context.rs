//! The time and the nonce of a signature.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::{Timestamp, fmt::temporal::DateTimePrinter};

/// The wall-clock time and the nonce of one attempt to send a request.
///
/// A signature has no other source of time or chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningContext {
    seconds: i64,
    nonce: u128,
}

impl SigningContext {
    /// Returns the context for `time`, cut to whole seconds. The caller never uses `nonce` twice.
    pub fn new(time: SystemTime, nonce: u128) -> Self {
        let seconds = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            Err(before) => {
                i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |secs| -secs)
            }
        };
        Self::from_unix(seconds, nonce)
    }

    /// Returns the context for a time in seconds since 1970-01-01T00:00:00Z, clamped to the years
    /// -9999 to 9999.
    pub fn from_unix(seconds: i64, nonce: u128) -> Self {
        let bounds = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
        Self {
            seconds: seconds.clamp(*bounds.start(), *bounds.end()),
            nonce,
        }
    }

    /// Returns the seconds since 1970-01-01T00:00:00Z.
    pub fn unix(&self) -> i64 {
        self.seconds
    }

    /// Returns the extended form of ISO 8601 in UTC: `2015-04-27T08:23:49Z`.
    pub fn extended(&self) -> String {
        PRINTER.timestamp_to_string(&self.timestamp())
    }

    /// Returns the basic form of ISO 8601 in UTC: `20150427T082349Z`.
    pub fn basic(&self) -> String {
        let mut text = self.extended();
        text.retain(|letter| !matches!(letter, '-' | ':'));
        text
    }

    /// Returns the nonce as 32 lower-case hexadecimal digits.
    pub fn nonce(&self) -> String {
        crate::encode::hex(&self.nonce.to_be_bytes())
    }

    fn timestamp(&self) -> Timestamp {
        // `from_unix` clamps the seconds to the range of `Timestamp`.
        Timestamp::from_second(self.seconds).unwrap_or_default()
    }
}

/// Prints without the detour over a formatter, which costs as much as the date itself.
const PRINTER: DateTimePrinter = DateTimePrinter::new();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_nonce_are_written_in_each_form() {
        let context = SigningContext::from_unix(1_430_123_029, 10);
        assert_eq!(context.extended(), "2015-04-27T08:23:49Z");
        assert_eq!(context.basic(), "20150427T082349Z");
        assert_eq!(context.nonce(), "0000000000000000000000000000000a");
        SigningContext::from_unix(i64::MAX, 0).extended();
        SigningContext::from_unix(i64::MIN, 0).extended();
    }

    #[test]
    fn time_is_cut_to_whole_seconds_between_the_years_of_the_calendar() {
        use std::time::Duration;

        let shift = Duration::from_millis(5_900);
        for (time, seconds) in [
            (UNIX_EPOCH, 0),
            (UNIX_EPOCH + shift, 5),
            (UNIX_EPOCH - shift, -5),
        ] {
            assert_eq!(SigningContext::new(time, 1).unix(), seconds);
        }
        for (seconds, expected) in [
            (1_430_123_029, 1_430_123_029),
            (i64::MAX, Timestamp::MAX.as_second()),
            (i64::MIN, Timestamp::MIN.as_second()),
        ] {
            assert_eq!(SigningContext::from_unix(seconds, 1).unix(), expected);
        }
    }
}

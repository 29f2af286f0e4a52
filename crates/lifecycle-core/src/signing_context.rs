//! The moment of a signature.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// Wall-clock time and nonce of one attempt. The only way in which time and chance reach a
/// signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningContext {
    seconds: i64,
    nonce: u128,
}

impl SigningContext {
    /// A stamp for `time`, cut to whole seconds, with a nonce that is never used twice.
    pub fn new(time: SystemTime, nonce: u128) -> Self {
        let seconds = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            Err(before) => {
                i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |secs| -secs)
            }
        };
        Self::from_unix(seconds, nonce)
    }

    /// A stamp for this many seconds after 1970-01-01T00:00:00Z.
    pub fn from_unix(seconds: i64, nonce: u128) -> Self {
        let bounds = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
        Self {
            seconds: seconds.clamp(*bounds.start(), *bounds.end()),
            nonce,
        }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix(&self) -> i64 {
        self.seconds
    }

    /// Extended form in UTC: `2015-04-27T08:23:49Z`.
    pub fn extended(&self) -> String {
        self.timestamp().to_string()
    }

    /// Basic form in UTC: `20150427T082349Z`.
    pub fn basic(&self) -> String {
        let mut text = self.extended();
        text.retain(|letter| !matches!(letter, '-' | ':'));
        text
    }

    /// The nonce as 32 lower-case hexadecimal digits.
    pub fn nonce(&self) -> String {
        crate::encode::hex(&self.nonce.to_be_bytes())
    }

    fn timestamp(&self) -> Timestamp {
        // `from_unix` keeps the seconds within what a Timestamp can hold.
        Timestamp::from_second(self.seconds).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_moment() {
        let stamp = SigningContext::from_unix(1_430_123_029, 10);
        assert_eq!(stamp.extended(), "2015-04-27T08:23:49Z");
        assert_eq!(stamp.basic(), "20150427T082349Z");
        assert_eq!(stamp.nonce(), "0000000000000000000000000000000a");
        SigningContext::from_unix(i64::MAX, 0).extended();
        SigningContext::from_unix(i64::MIN, 0).extended();
    }
}

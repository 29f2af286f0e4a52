//! `ReportedTime`: a time in the response of a cloud.

use std::fmt;

use jiff::{Timestamp, Unit, civil::DateTime, tz::TimeZone};

/// A time that a cloud reports, in whole seconds; or the text of the cloud, if the text is not a time.
///
/// The value needs no memory of its own for a time.
///
/// # Examples
/// ```
/// use lifecycle_core::ReportedTime;
///
/// let time = ReportedTime::new("2026-01-02T08:00:00+08:00");
/// assert_eq!(time.to_string(), "2026-01-02T00:00:00Z");
/// assert_eq!(time.unix_seconds(), Some(1_767_312_000));
/// assert_eq!(ReportedTime::new("unlimited").to_string(), "unlimited");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ReportedTime(Time);

#[derive(Clone, PartialEq, Eq)]
enum Time {
    /// A point in time, as seconds since 1970.
    UnixSeconds(i64),
    /// The text of the cloud. The outer box keeps the common case small.
    Text(Box<Box<str>>),
}

impl ReportedTime {
    /// Reads a time. `text` may lack seconds or the time zone, or have fractional seconds. A time without a zone
    /// is in UTC. A text that is not a time is kept unchanged.
    pub fn new(text: &str) -> Self {
        let without_zone = || {
            let time = text.parse::<DateTime>().ok()?;
            Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
        };
        let time = text.parse::<Timestamp>().ok().or_else(without_zone);
        let time = time.and_then(|time| time.round(Unit::Second).ok());
        Self(match time {
            Some(time) => Time::UnixSeconds(time.as_second()),
            None => Time::Text(Box::new(text.into())),
        })
    }

    /// Returns the seconds since 1970-01-01T00:00:00Z; `None` for a text that is not a time.
    pub fn unix_seconds(&self) -> Option<i64> {
        match self.0 {
            Time::UnixSeconds(seconds) => Some(seconds),
            Time::Text(_) => None,
        }
    }
}

/// Shows the time in the format `2026-11-22T08:00:00Z`, or the text of the cloud.
impl fmt::Display for ReportedTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Time::UnixSeconds(seconds) => match Timestamp::from_second(*seconds) {
                Ok(time) => fmt::Display::fmt(&time, f),
                Err(_) => fmt::Display::fmt(seconds, f),
            },
            Time::Text(text) => f.pad(text),
        }
    }
}

impl fmt::Debug for ReportedTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_string())
    }
}

impl From<&str> for ReportedTime {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_shown_in_utc_and_in_whole_seconds() {
        for (text, expected) in [
            ("2017-12-10T04:04Z", "2017-12-10T04:04:00Z"),
            ("2019-05-22T03:23:59.000000", "2019-05-22T03:23:59Z"),
            ("2019-05-22T03:23:59.600", "2019-05-22T03:24:00Z"),
            ("2026-01-02T08:00:00+08:00", "2026-01-02T00:00:00Z"),
            ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"),
            ("unlimited", "unlimited"),
            ("", ""),
        ] {
            let time = ReportedTime::new(text);
            assert_eq!(time.to_string(), expected);
            assert_eq!(ReportedTime::new(&time.to_string()), time, "{text}");
        }
    }

    #[test]
    fn time_is_read_as_seconds_and_a_text_is_not() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1969-12-31T23:59:59Z", Some(-1)),
            ("2026-01-02T08:00:00+08:00", Some(1_767_312_000)),
            ("2026-01-02T00:00", Some(1_767_312_000)),
            ("unlimited", None),
            ("", None),
        ] {
            assert_eq!(ReportedTime::new(text).unix_seconds(), expected, "{text}");
        }
    }
}

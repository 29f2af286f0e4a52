//! A window: hours on some days; and the hours of an exceptional day.

use jiff::civil::{Date, DateTime, Time};

use super::days::Days;

/// Hours on some days. With `to` at or before `from`, the window ends on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The days on which the window begins.
    pub days: Days,
    /// The first reading of the clock in the window.
    pub from: Time,
    /// The first reading of the clock after the window.
    pub to: Time,
}

impl Window {
    /// Returns a window.
    pub const fn new(days: Days, from: Time, to: Time) -> Self {
        Self { days, from, to }
    }
}

/// The hours of one day, or of some days in a row, instead of the windows that begin on those days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The first day.
    pub first: Date,
    /// The last day; equal to `first` for one day.
    pub last: Date,
    /// The start and the end, as in a [`Window`]; `None` for a day without a window.
    pub hours: Option<(Time, Time)>,
}

/// The two readings of the clock between which a window is open on `date`; `None` at the end of the
/// supported dates.
pub(super) fn readings(date: Date, from: Time, to: Time) -> Option<(DateTime, DateTime)> {
    let last = if to <= from {
        date.tomorrow().ok()?
    } else {
        date
    };
    Some((date.to_datetime(from), last.to_datetime(to)))
}

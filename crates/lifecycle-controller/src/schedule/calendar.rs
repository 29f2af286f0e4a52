//! A calendar: the days that differ from plain weekdays.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};

/// Public holidays and make-up working days, known until a last day.
///
/// A day is a working day from Monday to Friday, except the days in `off`, and on the days in `work`.
/// Days after `ends` count as plain weekdays, because nobody has announced their holidays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    /// Days without work.
    pub off: BTreeSet<Date>,
    /// Days with work, also on a Saturday or Sunday.
    pub work: BTreeSet<Date>,
    /// The last day that the calendar describes; `None` for a calendar without an end.
    pub ends: Option<Date>,
}

impl Calendar {
    /// Returns true for a working day.
    pub fn is_workday(&self, date: Date) -> bool {
        let is_listed = !self.has_ended(date);
        if is_listed && self.work.contains(&date) {
            true
        } else if is_listed && self.off.contains(&date) {
            false
        } else {
            is_plain_workday(date)
        }
    }

    /// Returns true if `date` is after the last day of the calendar.
    pub fn has_ended(&self, date: Date) -> bool {
        self.ends.is_some_and(|ends| date > ends)
    }
}

/// Returns true from Monday to Friday.
pub(super) fn is_plain_workday(date: Date) -> bool {
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

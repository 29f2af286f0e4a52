//! The days of a window.

use jiff::civil::{Date, Weekday};

use super::calendar::{Calendar, is_plain_workday};

/// A set of days: weekdays by name, working days, days of rest.
///
/// Only [`WORKDAYS`](Self::WORKDAYS) and [`RESTDAYS`](Self::RESTDAYS) use the calendar. A weekday by
/// name is that weekday, also on a public holiday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Days(u16);

const WORKDAYS_BIT: u16 = 1 << 7;
const RESTDAYS_BIT: u16 = 1 << 8;

impl Days {
    /// Every day.
    pub const ALL: Self = Self(0x7f);
    /// The working days of the calendar; Monday to Friday without a calendar.
    pub const WORKDAYS: Self = Self(WORKDAYS_BIT);
    /// All days but the working days.
    pub const RESTDAYS: Self = Self(RESTDAYS_BIT);

    /// Returns the days with this name.
    pub fn weekday(day: Weekday) -> Self {
        Self(1 << day.to_monday_zero_offset())
    }

    /// Returns the days from one weekday to another, both included: `Saturday` to `Monday` are three.
    pub fn weekdays(first: Weekday, last: Weekday) -> Self {
        let mut days = Self::weekday(first);
        let mut day = first;
        while day != last {
            day = day.next();
            days = days.or(Self::weekday(day));
        }
        days
    }

    /// Returns the days of either set.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns true if `date` is one of the days.
    pub fn contains(self, date: Date, calendar: Option<&Calendar>) -> bool {
        let is_workday = match calendar {
            Some(calendar) => calendar.is_workday(date),
            None => is_plain_workday(date),
        };
        let kind = if is_workday {
            WORKDAYS_BIT
        } else {
            RESTDAYS_BIT
        };
        self.0 & (kind | Self::weekday(date.weekday()).0) != 0
    }
}

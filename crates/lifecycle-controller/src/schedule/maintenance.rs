//! Maintenance: the moments at which a group is rebooted.

use jiff::{
    Timestamp, ToSpan,
    civil::{Time, Weekday},
    tz::TimeZone,
};

use super::wall_clock::first_moment;

/// Fifth occurrences of a weekday in a month are at most 119 days apart.
const SEARCHED_DAYS: usize = 130;

/// A weekly or monthly moment. Only a maintenance reboots machines by schedule.
#[derive(Clone, Debug)]
pub struct Maintenance {
    /// The zone of the time.
    pub zone: TimeZone,
    /// The weekday.
    pub weekday: Weekday,
    /// The occurrence of the weekday in the month, from 1 to 5; `None` for every week. A month without
    /// a fifth occurrence has no maintenance.
    pub week: Option<i8>,
    /// The reading of the clock. A skipped reading is the moment of the jump, and a repeated reading
    /// the first occurrence.
    pub from: Time,
}

impl Maintenance {
    /// Returns the last occurrence at or before `moment`; `None` without one in four months.
    pub fn last_due(&self, moment: Timestamp) -> Option<Timestamp> {
        let today = self.zone.to_datetime(moment).date();
        let days = today.tomorrow().ok()?.series(-1.day()).take(SEARCHED_DAYS);
        let mut due = days.filter_map(|date| self.on(date));
        due.find(|at| *at <= moment)
    }

    /// Returns the first occurrence after `moment`; `None` without one in four months.
    pub fn next_due(&self, moment: Timestamp) -> Option<Timestamp> {
        let today = self.zone.to_datetime(moment).date();
        let days = today.yesterday().ok()?.series(1.day()).take(SEARCHED_DAYS);
        let mut due = days.filter_map(|date| self.on(date));
        due.find(|at| *at > moment)
    }

    fn on(&self, date: jiff::civil::Date) -> Option<Timestamp> {
        let is_week = self
            .week
            .is_none_or(|week| (date.day() - 1) / 7 + 1 == week);
        (is_week && date.weekday() == self.weekday)
            .then(|| first_moment(&self.zone, date.to_datetime(self.from)))?
    }
}

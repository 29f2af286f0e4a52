//! The evaluation of a schedule: the state wanted at a moment, and the next change.
//!
//! The two functions are written independently, so that each is a test of the other: `wanted` compares
//! readings of the clock, `next_change` compares moments.

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, Time},
    tz::TimeZone,
};

use super::{
    Wanted,
    calendar::Calendar,
    wall_clock::{WallClock, first_moment, last_moment},
    window::{Exception, Window, readings},
};

/// The number of days in which `next_change` looks for a change.
const HORIZON_DAYS: i64 = 400;
/// The number of days before and after a date that can have a window at a moment of the date.
const NEIGHBOURS: i64 = 2;

/// Hours of a group of machines.
///
/// Overlapping windows are one window: a machine runs if any window wants it.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// The zone of all times.
    pub zone: TimeZone,
    /// The calendar of working days.
    pub calendar: Option<Calendar>,
    /// The hours of usual days.
    pub windows: Vec<Window>,
    /// The hours of exceptional days, instead of the windows that begin on those days.
    pub exceptions: Vec<Exception>,
    /// The state wanted in a window.
    pub inside: Wanted,
    /// The state wanted outside all windows.
    pub outside: Wanted,
}

/// The state that a schedule wants at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScheduledState {
    /// The wanted state.
    pub wanted: Wanted,
    /// The moment is after the last day of the calendar: holidays are unknown.
    pub calendar_ended: bool,
}

/// A change of the wanted state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The moment of the change.
    pub at: Timestamp,
    /// The state wanted from this moment.
    pub wanted: Wanted,
    /// The moment is after the last day of the calendar: holidays are unknown.
    pub calendar_ended: bool,
}

impl Schedule {
    /// Returns a schedule without windows: machines run inside windows and are stopped outside.
    pub fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            calendar: None,
            windows: Vec::new(),
            exceptions: Vec::new(),
            inside: Wanted::Running,
            outside: Wanted::Stopped,
        }
    }

    /// Returns the state wanted at `moment`.
    pub fn wanted(&self, moment: Timestamp) -> ScheduledState {
        let clock = WallClock::at(&self.zone, moment);
        let today = clock.now().date();
        let mut days = (-NEIGHBOURS..=NEIGHBOURS).filter_map(|n| today.checked_add(n.days()).ok());
        let is_inside = days.any(|date| {
            self.hours(date).any(|(from, to)| {
                readings(date, from, to)
                    .is_some_and(|(from, to)| clock.has_shown(from) && clock.will_show(to))
            })
        });
        ScheduledState {
            wanted: self.side(is_inside),
            calendar_ended: self.calendar_ended(today),
        }
    }

    /// Returns the first change after `moment`; `None` if nothing changes within a year.
    pub fn next_change(&self, moment: Timestamp) -> Option<Change> {
        if self.inside == self.outside {
            return None;
        }
        // The end of the stretch of windows around `moment`.
        let mut open_until: Option<Timestamp> = None;
        for (from, to) in self.intervals(moment, HORIZON_DAYS) {
            match open_until {
                Some(end) if from > end => return Some(self.change(end, false)),
                Some(end) => open_until = Some(end.max(to)),
                None if to <= moment => {}
                None if from <= moment => open_until = Some(to),
                None => return Some(self.change(from, true)),
            }
        }
        let today = self.zone.to_datetime(moment).date();
        let horizon = today.checked_add((HORIZON_DAYS - 2 * NEIGHBOURS).days());
        let is_before_horizon = |end: &Timestamp| {
            let date = self.zone.to_datetime(*end).date();
            horizon.is_ok_and(|horizon| date < horizon)
        };
        open_until
            .filter(is_before_horizon)
            .map(|end| self.change(end, false))
    }

    /// Returns the last change at or before `moment`; `None` if nothing changed within a year.
    pub fn last_change(&self, moment: Timestamp) -> Option<Change> {
        // Most schedules change within a week. Longer searches are for holidays.
        [8, 50, HORIZON_DAYS]
            .into_iter()
            .find_map(|days| self.last_change_within(days, moment))
    }

    /// Returns the last change at or before `moment`, in a number of days.
    fn last_change_within(&self, days: i64, moment: Timestamp) -> Option<Change> {
        if self.inside == self.outside {
            return None;
        }
        let begin = SignedDuration::from_hours(24 * days);
        let begin = moment.checked_sub(begin).ok()?;
        // The last stretch of windows that begins at or before `moment`.
        let mut stretch: Option<(Timestamp, Timestamp)> = None;
        let intervals = self.intervals(begin, days + 2 * NEIGHBOURS);
        for (from, to) in intervals.take_while(|(from, _)| *from <= moment) {
            stretch = match stretch {
                Some((first, end)) if from <= end => Some((first, end.max(to))),
                _ => Some((from, to)),
            };
        }
        let (from, to) = stretch?;
        let at = if to <= moment { to } else { from };
        (at > begin).then(|| self.change(at, to > moment))
    }

    /// Returns the zone's name, such as `Asia/Shanghai`.
    pub fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// Returns the windows of a number of days, from two days before `moment`, ordered by their start, without empty
    /// ones.
    fn intervals(
        &self,
        moment: Timestamp,
        days: i64,
    ) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let today = self.zone.to_datetime(moment).date();
        let first = today.checked_sub(NEIGHBOURS.days()).unwrap_or(today);
        let dates = first.series(1.day());
        let dates = dates.take(usize::try_from(days).unwrap_or_default());
        dates.flat_map(move |date| {
            let mut hours: Vec<_> = self
                .hours(date)
                .filter_map(|(from, to)| {
                    let (from, to) = readings(date, from, to)?;
                    let from = first_moment(&self.zone, from)?;
                    let to = last_moment(&self.zone, to)?;
                    (from < to).then_some((from, to))
                })
                .collect();
            hours.sort_unstable();
            hours
        })
    }

    /// Returns the hours of the windows that begin on `date`.
    fn hours(&self, date: Date) -> impl Iterator<Item = (Time, Time)> {
        let on_date =
            move |exception: &&Exception| (exception.first..=exception.last).contains(&date);
        let is_exceptional = self.exceptions.iter().any(|exception| on_date(&exception));
        let exceptional = self.exceptions.iter().filter(on_date);
        let usual = self.windows.iter().filter(move |window| {
            !is_exceptional && window.days.contains(date, self.calendar.as_ref())
        });
        exceptional
            .filter_map(|exception| exception.hours)
            .chain(usual.map(|window| (window.from, window.to)))
    }

    fn change(&self, at: Timestamp, is_inside: bool) -> Change {
        Change {
            at,
            wanted: self.side(is_inside),
            calendar_ended: self.calendar_ended(self.zone.to_datetime(at).date()),
        }
    }

    fn side(&self, is_inside: bool) -> Wanted {
        if is_inside { self.inside } else { self.outside }
    }

    fn calendar_ended(&self, date: Date) -> bool {
        let calendar = self.calendar.as_ref();
        calendar.is_some_and(|calendar| calendar.has_ended(date))
    }
}

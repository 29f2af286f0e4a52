//! Schedules: the hours in which machines run, as pure functions of the time.
//!
//! A [`Schedule`] answers two questions without a clock, a file or a network: the state wanted at a
//! moment ([`Schedule::wanted`]), and the next change ([`Schedule::next_change`]). A schedule is no
//! list of firings: a missed moment, a restart or a clock change cannot lose or double a run.
//!
//! # Clock changes
//!
//! The times of a window are readings of the clock on the wall of the schedule's zone.
//! - A reading that the clock skips stands for the moment of the jump, at both ends of a window. A
//!   window inside the gap is empty.
//! - A reading that occurs twice opens a window at the first occurrence and closes a window at the
//!   last occurrence. A window is one stretch of time: machines are not stopped and started again
//!   within the repeated hour, and run whenever the clock shows a time of the window.
//!
//! ```
//! use lifecycle_controller::schedule::{Days, Schedule, Wanted, Window};
//! use jiff::{Timestamp, civil::time, tz::TimeZone};
//!
//! let mut office = Schedule::new(TimeZone::get("Asia/Shanghai")?);
//! office.windows = vec![Window::new(Days::WORKDAYS, time(8, 0, 0, 0), time(20, 0, 0, 0))];
//!
//! let friday_evening: Timestamp = "2026-11-27T21:00:00+08:00".parse()?;
//! assert_eq!(office.wanted(friday_evening).wanted, Wanted::Stopped);
//! let next = office.next_change(friday_evening).unwrap();
//! assert_eq!(next.at, "2026-11-30T08:00:00+08:00".parse()?);
//! assert_eq!(next.wanted, Wanted::Running);
//! # Ok::<(), jiff::Error>(())
//! ```

mod calendar;
mod days;
mod evaluate;
mod maintenance;
mod wall_clock;
mod window;

#[cfg(test)]
mod tests;

pub use calendar::Calendar;
pub use days::Days;
pub use evaluate::{Change, Schedule, ScheduledState};
pub use maintenance::Maintenance;
pub use window::{Exception, Window};

pub use crate::record::Wanted;

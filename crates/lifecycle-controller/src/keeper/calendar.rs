//! The warning of a calendar that ends.

use jiff::civil::Date;

use crate::settings::CalendarEnd;

/// Warns of the end of a calendar from this number of days before.
pub const CALENDAR_WARNING_DAYS: i32 = 30;

/// Returns the warning of a calendar that has ended, or ends within
/// [`CALENDAR_WARNING_DAYS`]; `None` for another calendar.
pub fn calendar_warning(calendar: &CalendarEnd, today: Date) -> Option<String> {
    let ends = calendar.ends?;
    let days = today.until(ends).ok()?.get_days();
    let name = &calendar.name;
    match days {
        ..0 => Some(format!(
            "the calendar {name} ended on {ends}: days count as plain weekdays; add the holidays of the \
             new year"
        )),
        0..=CALENDAR_WARNING_DAYS => Some(format!(
            "the calendar {name} ends on {ends}, in {days} days: add the holidays of the new year"
        )),
        _ => None,
    }
}

//! Readers of dates, times of day and weekdays.
//!
//! Dates and times can be texts in quotes or TOML's own dates and times.

use std::collections::BTreeSet;

use jiff::{
    ToSpan,
    civil::{Date, Time, Weekday},
};
use toml::de::DeValue;

use super::value::{shown, texts};
use crate::suggest::hint;

/// The days of a window, one rule of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DayRule {
    /// Every day.
    All,
    /// The working days of the calendar; Monday to Friday without a calendar.
    Workdays,
    /// All days but the working days.
    Restdays,
    /// The days from one weekday to another, both included.
    Weekdays(Weekday, Weekday),
}

const WEEKDAYS: [(&str, &str, Weekday); 7] = [
    ("mon", "monday", Weekday::Monday),
    ("tue", "tuesday", Weekday::Tuesday),
    ("wed", "wednesday", Weekday::Wednesday),
    ("thu", "thursday", Weekday::Thursday),
    ("fri", "friday", Weekday::Friday),
    ("sat", "saturday", Weekday::Saturday),
    ("sun", "sunday", Weekday::Sunday),
];

/// A range of days has at most this number of days.
const MAX_RANGE_DAYS: usize = 366;

/// Reads a date such as `2026-10-01`.
pub(super) fn date(value: &DeValue<'_>) -> Result<Date, String> {
    let text = date_text(value);
    text.as_deref()
        .and_then(parse_date)
        .ok_or_else(|| format!("invalid date {}: write \"2026-10-01\"", shown(value)))
}

/// Reads one day or one range of days, such as `2026-10-01..2026-10-07`.
pub(super) fn date_range(value: &DeValue<'_>) -> Result<(Date, Date), String> {
    const ADVICE: &str = "write \"2026-10-01\", or \"2026-10-01..2026-10-07\"";
    let invalid = || format!("invalid date {}: {ADVICE}", shown(value));
    let text = date_text(value).ok_or_else(invalid)?;
    let (first, last) = text.split_once("..").unwrap_or((&text, &text));
    let first = parse_date(first.trim()).ok_or_else(invalid)?;
    let last = parse_date(last.trim()).ok_or_else(invalid)?;
    if last < first {
        return Err(format!("{first} is after {last}: {ADVICE}"));
    }
    if first
        .series(1.day())
        .nth(MAX_RANGE_DAYS)
        .is_some_and(|end| end <= last)
    {
        return Err(format!("{first}..{last} is longer than a year: {ADVICE}"));
    }
    Ok((first, last))
}

/// Reads a list of days and ranges of days.
pub(super) fn dates(value: &DeValue<'_>) -> Result<BTreeSet<Date>, String> {
    let mut dates = BTreeSet::new();
    let mut add = |value: &DeValue<'_>| {
        let (first, last) = date_range(value)?;
        dates.extend(first.series(1.day()).take_while(|date| *date <= last));
        Ok::<_, String>(())
    };
    match value.as_array() {
        Some(entries) => entries.iter().try_for_each(|entry| add(entry.get_ref()))?,
        None => add(value)?,
    }
    Ok(dates)
}

/// Reads a time of day such as `08:00`.
pub(super) fn time(value: &DeValue<'_>) -> Result<Time, String> {
    let text = date_text(value);
    text.as_deref().and_then(parse_time).ok_or_else(|| {
        format!(
            "invalid time {}: write hours and minutes, such as \"08:00\"",
            shown(value)
        )
    })
}

/// Reads the end of a window: a time of day, or `24:00` for midnight.
pub(super) fn end_time(value: &DeValue<'_>) -> Result<Time, String> {
    match value.as_str() {
        Some("24:00") => Ok(Time::midnight()),
        _ => time(value),
    }
}

/// Reads a weekday, such as `sun` or `sunday`.
pub(super) fn weekday(value: &DeValue<'_>) -> Result<Weekday, String> {
    let written = value.as_str().unwrap_or_default();
    parse_weekday(written).ok_or_else(|| {
        let names = WEEKDAYS.map(|(short, _, _)| short);
        format!("unknown day {}; {}", shown(value), hint(written, names))
    })
}

/// Reads the days of a window: a rule or a list of rules.
pub(super) fn days(value: &DeValue<'_>) -> Result<Vec<DayRule>, String> {
    let rules = texts(value)?.into_iter();
    rules.map(|text| day_rule(&text)).collect()
}

fn day_rule(text: &str) -> Result<DayRule, String> {
    match text {
        "all" => return Ok(DayRule::All),
        "workdays" => return Ok(DayRule::Workdays),
        "restdays" => return Ok(DayRule::Restdays),
        _ => {}
    }
    let (first, last) = text
        .split_once("..")
        .or_else(|| text.split_once('-'))
        .unwrap_or((text, text));
    if let (Some(first), Some(last)) = (parse_weekday(first), parse_weekday(last)) {
        return Ok(DayRule::Weekdays(first, last));
    }
    let names = ["all", "workdays", "restdays", "mon..fri"];
    let known = WEEKDAYS.iter().flat_map(|(short, long, _)| [*short, *long]);
    let meant = crate::suggest::did_you_mean(text, names.into_iter().chain(known));
    let advice = meant.unwrap_or_else(|| {
        "write \"workdays\", \"restdays\", \"all\", a weekday such as \"mon\", or \"mon..fri\""
            .to_owned()
    });
    Err(format!(
        "unknown days {}; {advice}",
        shown(&DeValue::String(text.into()))
    ))
}

fn parse_weekday(text: &str) -> Option<Weekday> {
    let named = |(short, long, _): &&(&str, &str, Weekday)| text == *short || text == *long;
    WEEKDAYS.iter().find(named).map(|(_, _, day)| *day)
}

fn parse_date(text: &str) -> Option<Date> {
    const LENGTH: usize = "2026-10-01".len();
    text.parse().ok().filter(|_| text.len() == LENGTH)
}

fn parse_time(text: &str) -> Option<Time> {
    // TOML's own times have seconds.
    let (hour, rest) = text.split_once(':')?;
    let minute = rest.strip_suffix(":00").unwrap_or(rest);
    let number = |digits: &str, lengths: &[usize]| {
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && lengths.contains(&digits.len())).then(|| digits.parse().ok())?
    };
    Time::new(number(hour, &[1, 2])?, number(minute, &[2])?, 0, 0).ok()
}

/// Returns a text, or a date or time of TOML as text.
fn date_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.trim().to_owned()),
        DeValue::Datetime(moment) => Some(moment.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> DeValue<'_> {
        DeValue::String(text.into())
    }

    #[test]
    fn times_have_hours_and_minutes() {
        for (written, hour, minute) in [
            ("08:00", 8, 0),
            ("8:05", 8, 5),
            ("23:59", 23, 59),
            ("00:00", 0, 0),
            ("07:30:00", 7, 30),
        ] {
            let expected = Time::new(hour, minute, 0, 0).unwrap();
            assert_eq!(time(&text(written)), Ok(expected), "{written}");
        }
        for written in [
            "", "8", "24:00", "08:60", "8:5", "+8:00", "008:00", "08:00:30", "noon",
        ] {
            assert!(time(&text(written)).is_err(), "{written}");
        }
        assert_eq!(end_time(&text("24:00")), Ok(Time::midnight()));
    }

    #[test]
    fn ranges_of_dates_are_in_order_and_at_most_a_year() {
        assert_eq!(dates(&text("2026-10-01..2026-10-07")).unwrap().len(), 7);
        assert_eq!(dates(&text("2024-01-01..2024-12-31")).unwrap().len(), 366);
        for (written, expected) in [
            ("2026-10-07..2026-10-01", "is after"),
            ("2026-01-01..2027-01-02", "longer than a year"),
            ("2026-02-30", "invalid date"),
            ("20261001", "invalid date"),
            ("2026-10-01..", "invalid date"),
        ] {
            let problem = dates(&text(written)).unwrap_err();
            assert!(problem.contains(expected), "{written}: {problem}");
        }
    }

    #[test]
    fn rules_of_days_have_names_and_ranges() {
        use Weekday::{Friday, Monday, Sunday};
        for (written, rule) in [
            ("all", DayRule::All),
            ("workdays", DayRule::Workdays),
            ("restdays", DayRule::Restdays),
            ("sun", DayRule::Weekdays(Sunday, Sunday)),
            ("monday", DayRule::Weekdays(Monday, Monday)),
            ("mon..fri", DayRule::Weekdays(Monday, Friday)),
            ("fri-mon", DayRule::Weekdays(Friday, Monday)),
        ] {
            assert_eq!(days(&text(written)), Ok(vec![rule]), "{written}");
        }
        let problem = days(&text("workday")).unwrap_err();
        assert!(problem.contains("did you mean \"workdays\"?"), "{problem}");
        let problem = days(&text("holiday")).unwrap_err();
        assert!(problem.contains("\"mon..fri\""), "{problem}");
    }
}

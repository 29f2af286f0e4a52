//! The hours of a group as calendars of a Temporal schedule.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use lifecycle_controller::schedule::{Maintenance, Schedule};
use temporalio_client::schedules::ScheduleCalendarSpec;

/// Returns the changes of a schedule after `from` and before `until`.
pub fn changes(schedule: &Schedule, from: Timestamp, until: Timestamp) -> Vec<Timestamp> {
    series(from, until, |moment| {
        schedule.next_change(moment).map(|change| change.at)
    })
}

/// Returns the occurrences of a maintenance after `from` and before `until`.
pub fn occurrences(maintenance: &Maintenance, from: Timestamp, until: Timestamp) -> Vec<Timestamp> {
    series(from, until, |moment| maintenance.next_due(moment))
}

fn series(
    from: Timestamp,
    until: Timestamp,
    next: impl Fn(Timestamp) -> Option<Timestamp>,
) -> Vec<Timestamp> {
    let first = next(from);
    let all = std::iter::successors(first, |moment| next(*moment));
    all.take_while(|moment| *moment < until).collect()
}

/// Returns the calendars that match these moments only. All fields are in UTC: the moments have passed the rules of
/// the zone, its clock changes and the holidays before.
///
/// Moments of a month with the same time of day share a calendar.
pub fn calendars(moments: &[Timestamp]) -> Vec<ScheduleCalendarSpec> {
    let mut days: BTreeMap<(i16, i8, [i8; 3]), BTreeSet<i8>> = BTreeMap::new();
    for moment in moments {
        let utc: DateTime = TimeZone::UTC.to_datetime(*moment);
        let clock = [utc.hour(), utc.minute(), utc.second()];
        let month = days.entry((utc.year(), utc.month(), clock)).or_default();
        month.insert(utc.day());
    }
    let calendars = days.into_iter().map(|((year, month, clock), days)| {
        let days: Vec<String> = days.iter().map(ToString::to_string).collect();
        let [hour, minute, second] = clock.map(|part| part.to_string());
        ScheduleCalendarSpec::builder()
            .year(year.to_string())
            .month(month.to_string())
            .day_of_month(days.join(","))
            .hour(hour)
            .minute(minute)
            .second(second)
            .build()
    });
    calendars.collect()
}

#[cfg(test)]
mod tests {
    use lifecycle_controller::settings::Settings;
    use lifecycle_facade::config::Config;

    use super::*;

    fn settings() -> Settings {
        let text = include_str!("../lifecycle.toml");
        Settings::from_config(&Config::parse(text).unwrap()).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The moments that calendars match.
    fn matched(calendars: &[ScheduleCalendarSpec]) -> Vec<Timestamp> {
        let number = |text: &str| text.parse::<i8>().unwrap();
        let moments = calendars.iter().flat_map(|calendar| {
            calendar.day_of_month.split(',').map(move |day| {
                let year = calendar.year.parse().unwrap();
                let date = jiff::civil::date(year, number(&calendar.month), number(day));
                let time = date.at(number(&calendar.hour), number(&calendar.minute), 0, 0);
                TimeZone::UTC.to_timestamp(time).unwrap()
            })
        });
        let mut moments: Vec<_> = moments.collect();
        moments.sort_unstable();
        moments
    }

    #[test]
    fn calendars_match_the_changes_with_holidays_and_make_up_days_and_nothing_else() {
        let schedule = &settings().rules.groups[0].schedule;
        let (from, until) = (at("2026-09-25T00:00:00Z"), at("2026-10-13T00:00:00Z"));
        let changes = changes(schedule, from, until);
        let calendars = calendars(&changes);
        assert_eq!(matched(&calendars), changes);
        let has = |text: &str| changes.contains(&at(text));
        // National Day, and the Saturday on which people work instead.
        assert!(!has("2026-10-01T08:00:00+08:00"), "{changes:?}");
        assert!(has("2026-10-10T08:00:00+08:00"), "{changes:?}");
        assert!(has("2026-10-10T20:00:00+08:00"), "{changes:?}");
        assert!(!has("2026-10-11T08:00:00+08:00"), "{changes:?}");
        // Two months, two times of day.
        assert_eq!(calendars.len(), 4, "{calendars:?}");
    }

    #[test]
    fn maintenance_is_a_calendar_of_its_occurrences() {
        let maintenance = &settings().rules.maintenance[0].at;
        let (from, until) = (at("2026-11-01T12:00:00Z"), at("2027-02-01T00:00:00Z"));
        let expected = [
            at("2026-12-06T03:00:00+08:00"),
            at("2027-01-03T03:00:00+08:00"),
        ];
        let occurrences = occurrences(maintenance, from, until);
        assert_eq!(occurrences, expected);
        assert_eq!(matched(&calendars(&occurrences)), expected);
    }
}

//! Tests of schedules: clock changes, calendars, and `wanted` against `next_change`.

use std::collections::BTreeSet;

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, Time, Weekday, date, time},
    tz::TimeZone,
};
use proptest::prelude::*;

use super::{Calendar, Change, Days, Exception, Maintenance, Schedule, Wanted, Window};

const STEP: SignedDuration = SignedDuration::from_mins(5);

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn at(hour: i8, minute: i8) -> Time {
    time(hour, minute, 0, 0)
}

fn schedule(name: &str, windows: impl IntoIterator<Item = (Days, Time, Time)>) -> Schedule {
    let mut schedule = Schedule::new(zone(name));
    schedule.windows = windows
        .into_iter()
        .map(|(days, from, to)| Window::new(days, from, to))
        .collect();
    schedule
}

/// Returns the changes from the start of `first` to the start of `last`.
fn changes(schedule: &Schedule, first: Date, last: Date) -> Vec<String> {
    let start = |date: Date| date.to_zoned(schedule.zone.clone()).unwrap().timestamp();
    let mut changes = Vec::new();
    let mut now = start(first) - SignedDuration::from_nanos(1);
    while let Some(change) = schedule.next_change(now)
        && change.at < start(last)
    {
        let offset = schedule.zone.to_offset(change.at);
        let text = change.at.display_with_offset(offset);
        changes.push(format!("{text} {}", change.wanted.as_str()));
        now = change.at;
    }
    changes
}

/// Compares `wanted` with `next_change` at every step, and `last_change` with the change before at every full hour
/// and at every change.
fn check(schedule: &Schedule, from: Timestamp, to: Timestamp, step: SignedDuration) {
    let mut now = from;
    let mut next = schedule.next_change(now);
    let mut wanted = schedule.wanted(now).wanted;
    let mut last = None;
    while now < to {
        let mut compares = now.as_second() % 3_600 == 0;
        let state = schedule.wanted(now).wanted;
        match next {
            Some(Change { at, .. }) if at <= now => {
                assert_eq!(at, now, "a change between two steps");
                assert_ne!(state, wanted, "no change at {now}");
                assert_eq!(Some(state), next.map(|change| change.wanted), "{now}");
                wanted = state;
                (last, compares) = (next, true);
                let instant_before = now - SignedDuration::from_nanos(1);
                assert_ne!(schedule.wanted(instant_before).wanted, state, "{now}");
            }
            _ => assert_eq!(state, wanted, "a change at {now} that was not announced"),
        }
        let announced = schedule.next_change(now);
        if next.is_some_and(|change| change.at > now) {
            assert_eq!(announced, next, "{now}");
        }
        next = announced;
        if compares && last.is_some() {
            assert_eq!(schedule.last_change(now), last, "{now}");
        }
        now += step;
    }
}

/// Windows around midnight, around the hours of clock changes, and through the night.
fn windows_on_all_days() -> Vec<(Days, Time, Time)> {
    let day = Days::weekday;
    vec![
        (day(Weekday::Monday), at(8, 0), at(20, 0)),
        (day(Weekday::Tuesday), at(22, 30), at(1, 30)),
        (day(Weekday::Wednesday), at(6, 15), at(6, 45)),
        (day(Weekday::Thursday), at(12, 0), at(12, 0)),
        (day(Weekday::Friday), at(0, 0), at(0, 30)),
        (day(Weekday::Friday), at(23, 30), at(2, 15)),
        (day(Weekday::Saturday), at(1, 45), at(2, 45)),
        (day(Weekday::Saturday), at(23, 0), at(2, 30)),
        (day(Weekday::Sunday), at(0, 15), at(1, 0)),
        (day(Weekday::Sunday), at(1, 15), at(1, 50)),
        (day(Weekday::Sunday), at(2, 10), at(2, 50)),
        (day(Weekday::Sunday), at(3, 5), at(3, 55)),
        (day(Weekday::Sunday), at(18, 0), at(0, 0)),
    ]
}

fn check_year(name: &str, year: i16) {
    let schedule = schedule(name, windows_on_all_days());
    let start = |year| {
        let first = date(year, 1, 1).to_zoned(schedule.zone.clone());
        first.unwrap().timestamp()
    };
    check(&schedule, start(year), start(year + 1), STEP);
}

#[test]
fn every_five_minutes_of_a_year_in_america() {
    check_year("America/New_York", 2026);
    check_year("America/Santiago", 2026);
}

#[test]
fn every_five_minutes_of_a_year_in_the_pacific() {
    check_year("Australia/Lord_Howe", 2026);
    check_year("Pacific/Apia", 2011);
}

#[test]
fn every_five_minutes_of_a_year_in_asia() {
    check_year("Asia/Shanghai", 2026);
    check_year("Asia/Kathmandu", 2026);
}

#[test]
fn every_five_minutes_of_a_year_in_europe_and_africa() {
    check_year("Europe/London", 2026);
    check_year("Africa/Casablanca", 2026);
}

#[test]
fn start_in_the_gap_of_new_york_is_the_jump() {
    let schedule = schedule("America/New_York", [(Days::ALL, at(2, 30), at(3, 15))]);
    assert_eq!(
        changes(&schedule, date(2026, 3, 7), date(2026, 3, 9)),
        [
            "2026-03-07T02:30:00-05:00 running",
            "2026-03-07T03:15:00-05:00 stopped",
            "2026-03-08T03:00:00-04:00 running",
            "2026-03-08T03:15:00-04:00 stopped",
        ]
    );
}

#[test]
fn end_in_the_gap_of_new_york_is_the_jump() {
    let schedule = schedule("America/New_York", [(Days::ALL, at(1, 30), at(2, 30))]);
    assert_eq!(
        changes(&schedule, date(2026, 3, 8), date(2026, 3, 9)),
        [
            "2026-03-08T01:30:00-05:00 running",
            "2026-03-08T03:00:00-04:00 stopped",
        ]
    );
}

#[test]
fn window_inside_the_gap_of_new_york_is_empty() {
    let schedule = schedule("America/New_York", [(Days::ALL, at(2, 5), at(2, 55))]);
    assert!(changes(&schedule, date(2026, 3, 8), date(2026, 3, 9)).is_empty());
    let jump = moment("2026-03-08T03:00:00-04:00");
    assert_eq!(schedule.wanted(jump).wanted, Wanted::Stopped);
}

#[test]
fn repeated_hour_of_new_york_is_one_stretch() {
    let schedule = schedule("America/New_York", [(Days::ALL, at(1, 15), at(1, 45))]);
    assert_eq!(
        changes(&schedule, date(2026, 11, 1), date(2026, 11, 2)),
        [
            "2026-11-01T01:15:00-04:00 running",
            "2026-11-01T01:45:00-05:00 stopped",
        ]
    );
}

#[test]
fn midnight_gap_of_santiago_is_the_jump() {
    // On 6 September 2026 the clock jumps from midnight to one o'clock.
    let schedule = schedule("America/Santiago", [(Days::ALL, at(0, 0), at(8, 0))]);
    assert_eq!(
        changes(&schedule, date(2026, 9, 6), date(2026, 9, 7)),
        [
            "2026-09-06T01:00:00-03:00 running",
            "2026-09-06T08:00:00-03:00 stopped",
        ]
    );
    let evening = self::schedule("America/Santiago", [(Days::ALL, at(20, 0), at(0, 0))]);
    assert_eq!(
        changes(&evening, date(2026, 9, 5), date(2026, 9, 6)),
        [
            "2026-09-05T00:00:00-04:00 stopped",
            "2026-09-05T20:00:00-04:00 running",
        ]
    );
    let next = evening.next_change(moment("2026-09-05T21:00:00-04:00"));
    assert_eq!(next.unwrap().at, moment("2026-09-06T01:00:00-03:00"));
}

#[test]
fn missing_day_of_apia_has_no_window() {
    let schedule = schedule(
        "Pacific/Apia",
        [
            (Days::weekday(Weekday::Thursday), at(22, 0), at(6, 0)),
            (Days::weekday(Weekday::Friday), at(8, 0), at(18, 0)),
            (Days::weekday(Weekday::Saturday), at(9, 0), at(10, 0)),
        ],
    );
    // After Thursday, 29 December 2011, comes Saturday, the 31st.
    assert_eq!(
        changes(&schedule, date(2011, 12, 29), date(2012, 1, 1)),
        [
            "2011-12-29T22:00:00-10:00 running",
            "2011-12-31T00:00:00+14:00 stopped",
            "2011-12-31T09:00:00+14:00 running",
            "2011-12-31T10:00:00+14:00 stopped",
        ]
    );
}

#[test]
fn half_hour_of_lord_howe_is_kept() {
    let sunday = Days::weekday(Weekday::Sunday);
    let schedule = schedule("Australia/Lord_Howe", [(sunday, at(1, 45), at(2, 15))]);
    // 5 April: 02:00 becomes 01:30. 4 October: 02:00 becomes 02:30.
    assert_eq!(
        changes(&schedule, date(2026, 4, 5), date(2026, 4, 6)),
        [
            "2026-04-05T01:45:00+11:00 running",
            "2026-04-05T02:15:00+10:30 stopped",
        ]
    );
    assert_eq!(
        changes(&schedule, date(2026, 10, 4), date(2026, 10, 5)),
        [
            "2026-10-04T01:45:00+10:30 running",
            "2026-10-04T02:30:00+11:00 stopped",
        ]
    );
}

#[test]
fn overlapping_and_touching_windows_are_one() {
    let schedule = schedule(
        "UTC",
        [
            (Days::ALL, at(8, 0), at(12, 0)),
            (Days::ALL, at(12, 0), at(14, 0)),
            (Days::ALL, at(13, 0), at(18, 0)),
            (Days::ALL, at(9, 0), at(10, 0)),
        ],
    );
    assert_eq!(
        changes(&schedule, date(2026, 5, 1), date(2026, 5, 2)),
        [
            "2026-05-01T08:00:00+00:00 running",
            "2026-05-01T18:00:00+00:00 stopped",
        ]
    );
}

#[test]
fn window_without_an_end_has_no_change() {
    let schedule = schedule("Europe/London", [(Days::ALL, at(0, 0), at(0, 0))]);
    assert_eq!(schedule.next_change(moment("2026-05-01T00:00:00Z")), None);
    assert_eq!(
        schedule.wanted(moment("2026-10-25T01:30:00Z")).wanted,
        Wanted::Running
    );
}

#[test]
fn last_change_is_the_change_before() {
    let weekend = Days::weekdays(Weekday::Saturday, Weekday::Sunday);
    let schedule = schedule("Europe/London", [(weekend, at(8, 0), at(20, 0))]);
    let last = |text: &str| schedule.last_change(moment(text)).unwrap();
    let friday = last("2026-05-01T12:00:00+01:00");
    assert_eq!(friday.at, moment("2026-04-26T20:00:00+01:00"));
    assert_eq!(friday.wanted, Wanted::Stopped);
    let at_start = last("2026-05-02T08:00:00+01:00");
    assert_eq!(at_start.at, moment("2026-05-02T08:00:00+01:00"));
    assert_eq!(at_start.wanted, Wanted::Running);
}

#[test]
fn schedule_without_windows_has_no_change() {
    let schedule = schedule("UTC", []);
    let now = moment("2026-05-01T00:00:00Z");
    assert_eq!(schedule.next_change(now), None);
    assert_eq!(schedule.last_change(now), None);
    assert_eq!(schedule.wanted(now).wanted, Wanted::Stopped);
}

#[test]
fn sides_can_leave_machines_as_they_are() {
    let mut starts_only = schedule("UTC", [(Days::ALL, at(8, 0), at(9, 0))]);
    starts_only.outside = Wanted::AsIs;
    let next = starts_only.next_change(moment("2026-05-01T08:30:00Z"));
    assert_eq!(next.unwrap().wanted, Wanted::AsIs);
    starts_only.inside = Wanted::AsIs;
    assert_eq!(
        starts_only.next_change(moment("2026-05-01T08:30:00Z")),
        None
    );
}

fn holidays() -> Calendar {
    let golden_week = date(2026, 10, 1).series(1.day()).take(7);
    Calendar {
        off: golden_week.collect(),
        work: BTreeSet::from([date(2026, 9, 20), date(2026, 10, 10)]),
        ends: Some(date(2026, 12, 31)),
    }
}

#[test]
fn calendar_moves_working_days() {
    let mut schedule = schedule("Asia/Shanghai", [(Days::WORKDAYS, at(8, 0), at(20, 0))]);
    schedule.calendar = Some(holidays());
    let starts: Vec<_> = changes(&schedule, date(2026, 9, 18), date(2026, 10, 13))
        .into_iter()
        .filter_map(|change| Some(change.strip_suffix("T08:00:00+08:00 running")?.to_owned()))
        .collect();
    let expected = [18, 20, 21, 22, 23, 24, 25, 28, 29, 30].map(|day| date(2026, 9, day));
    let october = [8, 9, 10, 12].map(|day| date(2026, 10, day));
    let expected: Vec<_> = expected
        .iter()
        .chain(&october)
        .map(Date::to_string)
        .collect();
    assert_eq!(starts, expected);
}

#[test]
fn weekday_by_name_does_not_use_the_calendar() {
    let mut schedule = schedule(
        "Asia/Shanghai",
        [(
            Days::weekdays(Weekday::Monday, Weekday::Friday),
            at(8, 0),
            at(20, 0),
        )],
    );
    schedule.calendar = Some(holidays());
    let holiday = schedule.wanted(moment("2026-10-01T12:00:00+08:00"));
    assert_eq!(holiday.wanted, Wanted::Running);
}

#[test]
fn restdays_are_the_other_days() {
    let calendar = holidays();
    for date in date(2026, 9, 1).series(1.day()).take(60) {
        assert_ne!(
            Days::WORKDAYS.contains(date, Some(&calendar)),
            Days::RESTDAYS.contains(date, Some(&calendar)),
        );
    }
}

#[test]
fn days_after_the_calendar_are_plain_weekdays_and_say_so() {
    let mut schedule = schedule("Asia/Shanghai", [(Days::WORKDAYS, at(8, 0), at(20, 0))]);
    let mut calendar = holidays();
    calendar.off.insert(date(2027, 1, 1));
    schedule.calendar = Some(calendar);

    let last_day = schedule.wanted(moment("2026-12-31T12:00:00+08:00"));
    assert!(!last_day.calendar_ended);
    let new_year = schedule.wanted(moment("2027-01-01T12:00:00+08:00"));
    assert!(new_year.calendar_ended);
    assert_eq!(new_year.wanted, Wanted::Running);

    let next = schedule
        .next_change(moment("2026-12-31T21:00:00+08:00"))
        .unwrap();
    assert!(next.calendar_ended);
    let next = schedule
        .next_change(moment("2026-12-31T12:00:00+08:00"))
        .unwrap();
    assert!(!next.calendar_ended);
}

#[test]
fn exception_replaces_the_windows_of_a_day() {
    let mut schedule = schedule("UTC", [(Days::ALL, at(20, 0), at(4, 0))]);
    let exception = |first, last, hours| Exception { first, last, hours };
    let christmas = date(2026, 12, 24);
    schedule.exceptions = vec![
        exception(christmas, christmas, Some((at(8, 0), at(14, 0)))),
        exception(date(2026, 12, 26), date(2026, 12, 27), None),
    ];
    assert_eq!(
        changes(&schedule, christmas, date(2026, 12, 29)),
        [
            // The window of the 23rd ends as usual.
            "2026-12-24T04:00:00+00:00 stopped",
            "2026-12-24T08:00:00+00:00 running",
            "2026-12-24T14:00:00+00:00 stopped",
            "2026-12-25T20:00:00+00:00 running",
            "2026-12-26T04:00:00+00:00 stopped",
            "2026-12-28T20:00:00+00:00 running",
        ]
    );
}

#[test]
fn weekdays_wrap_around_the_end_of_the_week() {
    let days = Days::weekdays(Weekday::Saturday, Weekday::Monday);
    let contained = date(2026, 11, 23).series(1.day()).take(7);
    let contained: Vec<_> = contained.map(|date| days.contains(date, None)).collect();
    assert_eq!(contained, [true, false, false, false, false, true, true]);
}

#[test]
fn maintenance_is_due_on_the_first_sunday() {
    let maintenance = Maintenance {
        zone: zone("Asia/Shanghai"),
        weekday: Weekday::Sunday,
        week: Some(1),
        from: at(3, 0),
    };
    let now = moment("2026-11-29T12:00:00+08:00");
    let last = moment("2026-11-01T03:00:00+08:00");
    let next = moment("2026-12-06T03:00:00+08:00");
    assert_eq!(maintenance.last_due(now), Some(last));
    assert_eq!(maintenance.next_due(now), Some(next));
    assert_eq!(maintenance.last_due(last), Some(last));
    assert_eq!(maintenance.next_due(last), Some(next));
}

#[test]
fn every_fifth_weekday_is_found() {
    let mut maintenance = Maintenance {
        zone: TimeZone::UTC,
        weekday: Weekday::Sunday,
        week: Some(5),
        from: at(3, 0),
    };
    for weekday in [Weekday::Sunday, Weekday::Monday, Weekday::Tuesday] {
        maintenance.weekday = weekday;
        let mut now = moment("2000-01-01T00:00:00Z");
        while now < moment("2050-01-01T00:00:00Z") {
            let next = maintenance.next_due(now).expect("a next occurrence");
            assert_eq!(maintenance.last_due(next), Some(next));
            now = next;
        }
    }
}

#[test]
fn maintenance_in_a_gap_is_at_the_jump() {
    let maintenance = Maintenance {
        zone: zone("America/New_York"),
        weekday: Weekday::Sunday,
        week: None,
        from: at(2, 30),
    };
    assert_eq!(
        maintenance.next_due(moment("2026-03-07T12:00:00-05:00")),
        Some(moment("2026-03-08T03:00:00-04:00"))
    );
}

/// A day and a zone with a clock change on that day, or on the day after.
fn changing_day() -> impl Strategy<Value = (&'static str, Date)> {
    prop::sample::select(vec![
        ("America/New_York", date(2026, 3, 7)),
        ("America/New_York", date(2026, 10, 31)),
        ("America/Santiago", date(2026, 4, 4)),
        ("America/Santiago", date(2026, 9, 5)),
        ("Australia/Lord_Howe", date(2026, 4, 4)),
        ("Australia/Lord_Howe", date(2026, 10, 3)),
        ("Pacific/Apia", date(2011, 12, 29)),
        ("Europe/London", date(2026, 10, 24)),
        ("Africa/Casablanca", date(2026, 2, 14)),
        ("Africa/Casablanca", date(2026, 3, 21)),
        ("Asia/Shanghai", date(2026, 10, 1)),
        ("Asia/Kathmandu", date(1985, 12, 31)),
    ])
}

fn days() -> impl Strategy<Value = Days> {
    let weekday = (0..7_i8).prop_map(|day| Weekday::from_monday_zero_offset(day).unwrap());
    prop_oneof![
        Just(Days::ALL),
        Just(Days::WORKDAYS),
        Just(Days::RESTDAYS),
        (weekday.clone(), weekday).prop_map(|(first, last)| Days::weekdays(first, last)),
    ]
}

fn hours() -> impl Strategy<Value = (Time, Time)> {
    let reading = (0..24_i8, 0..60_i8).prop_map(|(hour, minute)| at(hour, minute));
    // Half of the readings are in the night, where clocks change.
    let night = (0..4_i8, 0..12_i8).prop_map(|(hour, fives)| at(hour, fives * 5));
    let reading = prop_oneof![reading, night];
    (reading.clone(), reading)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Any schedule around a clock change: both functions agree on every minute of four days.
    #[test]
    fn drawn_schedule_agrees_with_itself_around_a_clock_change(
        (name, day) in changing_day(),
        windows in prop::collection::vec((days(), hours()), 0..5),
        exception in prop::option::of((-1..3_i64, prop::option::of(hours()))),
        off in prop::collection::btree_set(-1..3_i64, 0..3),
    ) {
        let windows = windows.into_iter().map(|(days, (from, to))| (days, from, to));
        let mut schedule = schedule(name, windows);
        let date = |days: i64| day.checked_add(days.days()).unwrap();
        schedule.calendar = Some(Calendar {
            off: off.into_iter().map(date).collect(),
            ..Calendar::default()
        });
        schedule.exceptions.extend(exception.map(|(days, hours)| Exception {
            first: date(days),
            last: date(days),
            hours,
        }));
        let start = date(-1).to_zoned(schedule.zone.clone()).unwrap().timestamp();
        let end = start + SignedDuration::from_hours(96);
        check(&schedule, start, end, SignedDuration::from_mins(1));
    }
}

//! Tests of the configuration file: calendars, schedules, kept groups, maintenance and controller.
#![cfg(feature = "config")]

use std::{fs, num::NonZeroUsize, path::PathBuf, time::Duration};

use jiff::civil::{Weekday, date, time};
use lifecycle_facade::{
    Waves,
    config::{Config, DayRule, ManualChange, ScheduledSide},
};

const GROUP: &str = "[groups]\nweb = [\"baidu/bj/i-1\"]\n";

fn problems(text: &str) -> Vec<String> {
    let error = Config::parse(text).unwrap_err();
    error.to_string().lines().map(str::to_owned).collect()
}

#[test]
fn each_setting_is_read() {
    let config = Config::parse(&format!(
        r#"{GROUP}
        [calendars.cn]
        off = ["2026-10-01..2026-10-07", 2026-12-24]
        work = ["2026-09-20", "2026-10-10"]
        ends = "2026-12-31"

        [schedules.office]
        zone = "Asia/Shanghai"
        calendar = "cn"
        windows = [
            {{ days = "workdays", from = "08:00", to = "20:00" }},
            {{ days = ["sat", "sun..mon"], from = 22:00:00, to = "24:00" }},
        ]
        outside = "leave"
        manual = {{ leave_for = "2h" }}
        except = [{{ on = "2026-12-24", from = "08:00", to = "14:00" }}, {{ on = "2026-12-28..2026-12-31" }}]

        [keep]
        web = "office"

        [[maintenance]]
        group = "web"
        zone = "Asia/Shanghai"
        on = {{ weekday = "sun", week = 1 }}
        from = "03:00"
        waves = "10%"

        [[maintenance]]
        group = "web"
        zone = "UTC"
        on = {{ weekday = "monday" }}
        from = "04:00"

        [controller]
        journal = "journal"
        resync = "5m"
        max_changes = 50
        catch_up = "2h"
        on_change = ["notify-script"]
        "#
    ))
    .unwrap();

    let calendar = &config.calendars["cn"];
    assert_eq!(calendar.off.len(), 8);
    assert!(calendar.work.contains(&date(2026, 10, 10)));
    assert_eq!(calendar.ends, Some(date(2026, 12, 31)));

    let office = &config.schedules["office"];
    assert_eq!(office.zone, "Asia/Shanghai");
    assert_eq!(office.calendar.as_deref(), Some("cn"));
    assert_eq!(office.windows[0].days, [DayRule::Workdays]);
    assert_eq!(office.windows[0].from, time(8, 0, 0, 0));
    assert_eq!(
        office.windows[1].days,
        [
            DayRule::Weekdays(Weekday::Saturday, Weekday::Saturday),
            DayRule::Weekdays(Weekday::Sunday, Weekday::Monday),
        ]
    );
    assert_eq!(office.windows[1].to, time(0, 0, 0, 0));
    assert_eq!(
        (office.inside, office.outside),
        (ScheduledSide::Running, ScheduledSide::Leave)
    );
    let two_hours = Duration::from_secs(7_200);
    assert_eq!(office.manual, ManualChange::LeaveFor(two_hours));
    assert_eq!(
        office.except[0].hours,
        Some((time(8, 0, 0, 0), time(14, 0, 0, 0)))
    );
    assert_eq!(
        office.except[1].on,
        (date(2026, 12, 28), date(2026, 12, 31))
    );
    assert_eq!(office.except[1].hours, None);

    assert_eq!(config.keep["web"].schedule, "office");
    let first = &config.maintenance[0];
    assert_eq!((first.weekday, first.week), (Weekday::Sunday, Some(1)));
    assert_eq!(first.waves, Some(Waves::percent(10)));
    assert_eq!(config.maintenance[1].week, None);

    let controller = &config.controller;
    assert_eq!(controller.journal, Some(PathBuf::from("journal")));
    assert_eq!(controller.resync, Some(Duration::from_secs(300)));
    assert_eq!(controller.max_changes, NonZeroUsize::new(50));
    assert_eq!(controller.catch_up, Some(two_hours));
    assert_eq!(controller.on_change, ["notify-script"]);
}

#[test]
fn words_of_manual_are_read() {
    for (written, expected) in [
        ("\"until-next-change\"", ManualChange::UntilNextChange),
        ("\"correct\"", ManualChange::Correct),
        (
            "{ leave_for = \"30m\" }",
            ManualChange::LeaveFor(Duration::from_secs(1_800)),
        ),
    ] {
        let text = format!("schedules.a = {{ zone = \"UTC\", manual = {written} }}");
        assert_eq!(
            Config::parse(&text).unwrap().schedules["a"].manual,
            expected
        );
    }
    let problems = problems("schedules.a = { zone = \"UTC\", manual = \"corect\" }");
    assert!(
        problems[0].contains("did you mean \"correct\"?"),
        "{problems:?}"
    );
    assert!(problems[0].contains("leave_for"), "{problems:?}");
}

#[test]
fn unknown_names_are_reported_at_once_with_lines_and_suggestions() {
    let problems = problems(&format!(
        r#"{GROUP}[calendars.cn]
builtin = "cn-2025"
[schedules.office]
zone = "Asia/Shanghai"
calendar = "ch"
windows = [{{ days = "workday", from = "8", to = "20:00" }}, {{ dayz = "all" }}]
[keep]
wed = "office"
web = "ofice"
[[maintenance]]
group = "wbe"
zone = "UTC"
on = {{ weekday = "sun", week = 6 }}
"#
    ));
    let expected = [
        "line 4: builtin in [calendars.cn]: unknown value \"cn-2025\"; did you mean \"cn-2026\"?",
        "line 7: calendar in [schedules.office]: unknown calendar \"ch\"; did you mean \"cn\"?",
        "line 8: days in windows of [schedules.office]: unknown days \"workday\"; did you mean \
         \"workdays\"?",
        "line 8: from in windows of [schedules.office]: invalid time \"8\": write hours and minutes, \
         such as \"08:00\"",
        "line 8: missing setting days in windows of [schedules.office]",
        "line 8: missing setting from in windows of [schedules.office]",
        "line 8: missing setting to in windows of [schedules.office]",
        "line 8: unknown setting \"dayz\" in windows of [schedules.office]; did you mean \"days\"?",
        "line 10: wed in [keep]: unknown group \"wed\"; did you mean \"web\"?",
        "line 11: web in [keep]: unknown schedule \"ofice\"; did you mean \"office\"?",
        "line 12: missing setting from in [[maintenance]]",
        "line 13: group in [[maintenance]]: unknown group \"wbe\"; did you mean \"web\"?",
        "line 15: week in on of [[maintenance]]: invalid week 6: write a number from 1 to 5, or remove \
         the setting for every week",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn contradictions_of_calendars_are_reported() {
    for (calendar, expected) in [
        (
            "off = [\"2026-10-01\"]\nwork = [\"2026-10-01\"]",
            "2026-10-01 is also in off",
        ),
        (
            "off = [\"2027-01-01\"]\nends = \"2026-12-31\"",
            "2027-01-01 is after the end of the calendar, 2026-12-31",
        ),
        (
            "builtin = \"cn-2026\"\nfile = \"a.toml\"",
            "remove builtin or file",
        ),
    ] {
        let problems = problems(&format!("[calendars.a]\n{calendar}"));
        assert!(problems[0].contains(expected), "{problems:?}");
    }
}

#[test]
fn schedule_that_never_acts_is_reported() {
    let problems =
        problems("schedules.a = { zone = \"UTC\", inside = \"leave\", outside = \"leave\" }");
    assert!(problems[0].contains("never acts"), "{problems:?}");
}

#[test]
fn exception_with_one_time_is_reported() {
    let problems = problems(
        "[schedules.a]\nzone = \"UTC\"\nexcept = [{ on = \"2026-12-24\", to = \"14:00\" }]",
    );
    assert_eq!(
        problems,
        ["line 3: to in except of [schedules.a]: add from, or remove to"]
    );
}

#[test]
fn zones_are_checked_by_the_caller() {
    let config = Config::parse(&format!(
        "{GROUP}[schedules.a]\nzone = \"Mars\"\n[[maintenance]]\ngroup = \"web\"\nzone = \"Venus\"\n\
         on = {{ weekday = \"sun\" }}\nfrom = \"03:00\"\n"
    ))
    .unwrap();
    let error = config.check_zones(|zone| Err(format!("unknown zone {zone}")));
    assert_eq!(
        error.unwrap_err().to_string(),
        "line 4: zone in [schedules.a]: unknown zone Mars\n\
         line 7: zone in [[maintenance]]: unknown zone Venus"
    );
    assert_eq!(config.check_zones(|_| Ok(())), Ok(()));
}

#[test]
fn calendar_files_lie_beside_the_configuration_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lifecycle.toml");
    let text = "[calendars.branch]\noff = [\"2026-12-24\"]\nfile = \"branch.toml\"\n[controller]\njournal = \"j\"";
    fs::write(&path, text).unwrap();

    let missing = Config::load(&path).unwrap_err().to_string();
    assert!(
        missing.contains(":3: file in [calendars.branch]: "),
        "{missing}"
    );
    assert!(missing.contains("branch.toml: cannot be read"), "{missing}");

    let calendar = folder.path().join("branch.toml");
    fs::write(&calendar, "off = [\"2026-12-32\"]\nendz = 1").unwrap();
    let invalid = Config::load(&path).unwrap_err().to_string();
    assert_eq!(invalid.lines().count(), 2, "{invalid}");
    assert!(
        invalid.contains("branch.toml:1: off in this file: invalid date"),
        "{invalid}"
    );
    assert!(invalid.contains("did you mean \"ends\"?"), "{invalid}");

    fs::write(&calendar, "off = [\"2026-12-31\"]\nends = \"2026-12-31\"").unwrap();
    let config = Config::load(&path).unwrap();
    let days = [date(2026, 12, 24), date(2026, 12, 31)];
    assert!(config.calendars["branch"].off.iter().eq(&days));
    assert_eq!(config.calendars["branch"].ends, Some(date(2026, 12, 31)));
    assert_eq!(config.controller.journal, Some(folder.path().join("j")));
}

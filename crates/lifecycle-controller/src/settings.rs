//! The settings of a controller from the configuration file: groups, schedules and rules.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use jiff::{
    SignedDuration,
    civil::Date,
    tz::{self, TimeZone},
};
use lifecycle_facade::{
    Waves,
    config::{
        CalendarConfig, Config, ConfigError, DayRule, Group, ManualChange, ScheduleConfig,
        ScheduledSide,
    },
    did_you_mean,
};

use crate::{
    decide::{GroupMaintenance, KeptGroup, Manual, Rules},
    record::Wanted,
    schedule::{Calendar, Days, Exception, Maintenance, Schedule, Window},
};

/// The settings of a controller.
///
/// ```
/// use lifecycle_controller::settings::Settings;
/// use lifecycle_facade::config::Config;
///
/// let config = Config::parse(
///     r#"
///     [groups]
///     web = ["baidu/bj/i-1"]
///     [schedules.office]
///     zone = "Asia/Shanghai"
///     windows = [{ days = "workdays", from = "08:00", to = "20:00" }]
///     [keep]
///     web = "office"
///     "#,
/// )?;
/// let settings = Settings::from_config(&config)?;
/// assert_eq!(settings.rules.groups[0].schedule_name, "office");
/// # Ok::<(), lifecycle_facade::config::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The kept groups, the maintenance and the limits.
    pub rules: Rules,
    /// The members of each group of the rules.
    pub members: BTreeMap<String, Group>,
    /// The calendar of each kept group with a calendar.
    pub calendars: BTreeMap<String, CalendarEnd>,
    /// The size of a wave of each maintenance, in the order of the maintenance in the rules.
    pub maintenance_waves: Vec<Option<Waves>>,
    /// The time between two passes without a change of a schedule.
    pub resync: Duration,
    /// The time limit for the results of a pass.
    pub wait: Duration,
    /// The journal file.
    pub journal: Option<PathBuf>,
    /// The program for messages, and its arguments.
    pub on_change: Vec<String>,
}

/// The name and the last day of a calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarEnd {
    /// The name of the calendar.
    pub name: String,
    /// The last day; `None` for a calendar without an end.
    pub ends: Option<Date>,
}

/// The default of `resync`.
const RESYNC: Duration = Duration::from_secs(300);
/// A pass waits at most this time for its results, so that the next pass is not late.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

impl Settings {
    /// Returns the settings of a configuration file.
    ///
    /// # Errors
    /// [`ConfigError`] with all unknown time zones.
    pub fn from_config(config: &Config) -> Result<Self, ConfigError> {
        config.check_zones(|name| zone(name).map(drop))?;
        let defaults = Rules::default();
        let kept = config.keep.iter();
        let groups = kept.filter_map(|(group, keep)| {
            let schedule = config.schedules.get(&keep.schedule)?;
            Some(KeptGroup {
                name: group.clone(),
                schedule_name: keep.schedule.clone(),
                schedule: schedule_of(schedule, &config.calendars)?,
                manual: manual(schedule.manual),
            })
        });
        let groups: Vec<_> = groups.collect();
        let calendars = groups.iter().filter_map(|group| {
            let name = config.schedules[&group.schedule_name].calendar.clone()?;
            let ends = config.calendars.get(&name)?.ends;
            Some((group.name.clone(), CalendarEnd { name, ends }))
        });
        let maintenance = config.maintenance.iter().filter_map(|entry| {
            Some(GroupMaintenance {
                group: entry.group.clone(),
                at: Maintenance {
                    zone: zone(&entry.zone).ok()?,
                    weekday: entry.weekday,
                    week: entry.week,
                    from: entry.from,
                },
            })
        });
        let maintenance: Vec<_> = maintenance.collect();
        let used = groups
            .iter()
            .map(|group| &group.name)
            .chain(maintenance.iter().map(|entry| &entry.group));
        let members =
            used.filter_map(|name| Some((name.clone(), config.groups.get(name)?.clone())));
        let controller = &config.controller;
        Ok(Self {
            members: members.collect(),
            calendars: calendars.collect(),
            maintenance_waves: config
                .maintenance
                .iter()
                .map(|entry| entry.waves.or(config.defaults.waves))
                .collect(),
            resync: controller.resync.unwrap_or(RESYNC),
            wait: config
                .defaults
                .timeout
                .unwrap_or(LONGEST_WAIT)
                .min(LONGEST_WAIT),
            journal: controller.journal.clone(),
            on_change: controller.on_change.clone(),
            rules: Rules {
                groups,
                maintenance,
                max_changes: controller
                    .max_changes
                    .map_or(defaults.max_changes, std::num::NonZero::get),
                catch_up: controller
                    .catch_up
                    .and_then(|time| SignedDuration::try_from(time).ok())
                    .unwrap_or(defaults.catch_up),
            },
        })
    }
}

impl Settings {
    /// Returns the settings with these groups only.
    #[must_use]
    pub fn only(&self, groups: &BTreeSet<String>) -> Self {
        let mut settings = self.clone();
        settings.members.retain(|group, _| groups.contains(group));
        settings.calendars.retain(|group, _| groups.contains(group));
        let rules = &mut settings.rules;
        rules.groups.retain(|group| groups.contains(&group.name));
        let maintenance = std::mem::take(&mut rules.maintenance).into_iter();
        let waves = std::mem::take(&mut settings.maintenance_waves).into_iter();
        let kept = maintenance
            .zip(waves)
            .filter(|(entry, _)| groups.contains(&entry.group));
        (rules.maintenance, settings.maintenance_waves) = kept.unzip();
        settings
    }
}

/// Returns a time zone of the database in this program.
///
/// # Errors
/// A message with the nearest name.
pub fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| {
        let known: Vec<String> = tz::db().available().map(|name| name.to_string()).collect();
        let hint = did_you_mean(name, known.iter().map(String::as_str));
        let hint = hint.unwrap_or_else(|| "write a name such as \"Asia/Shanghai\"".to_owned());
        format!("unknown time zone; {hint}")
    })
}

fn schedule_of(
    config: &ScheduleConfig,
    calendars: &BTreeMap<String, CalendarConfig>,
) -> Option<Schedule> {
    let mut schedule = Schedule::new(zone(&config.zone).ok()?);
    let calendar = config
        .calendar
        .as_ref()
        .and_then(|name| calendars.get(name));
    schedule.calendar = calendar.map(|calendar| Calendar {
        off: calendar.off.clone(),
        work: calendar.work.clone(),
        ends: calendar.ends,
    });
    let windows = config.windows.iter();
    schedule.windows = windows
        .filter_map(|window| Some(Window::new(days(&window.days)?, window.from, window.to)))
        .collect();
    let except = config.except.iter();
    schedule.exceptions = except
        .map(|except| Exception {
            first: except.on.0,
            last: except.on.1,
            hours: except.hours,
        })
        .collect();
    schedule.inside = side(config.inside);
    schedule.outside = side(config.outside);
    Some(schedule)
}

fn days(rules: &[DayRule]) -> Option<Days> {
    let rules = rules.iter().map(|rule| match rule {
        DayRule::Workdays => Days::WORKDAYS,
        DayRule::Restdays => Days::RESTDAYS,
        DayRule::Weekdays(first, last) => Days::weekdays(*first, *last),
        _ => Days::ALL,
    });
    rules.reduce(Days::or)
}

fn side(side: ScheduledSide) -> Wanted {
    match side {
        ScheduledSide::Running => Wanted::Running,
        ScheduledSide::Stopped => Wanted::Stopped,
        _ => Wanted::AsIs,
    }
}

fn manual(manual: ManualChange) -> Manual {
    match manual {
        ManualChange::Correct => Manual::Correct,
        ManualChange::LeaveFor(time) => {
            SignedDuration::try_from(time).map_or(Manual::UntilNextChange, Manual::LeaveFor)
        }
        _ => Manual::UntilNextChange,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn misspelled_zone_is_reported_with_the_nearest_name() {
        let problem = zone("Asia/Shanghia").unwrap_err();
        assert_eq!(
            problem,
            "unknown time zone; did you mean \"Asia/Shanghai\"?"
        );
        assert!(zone("Mars").unwrap_err().contains("write a name such as"));
        let config = Config::parse("schedules.a.zone = \"Asia/Shanghia\"").unwrap();
        let error = Settings::from_config(&config).unwrap_err().to_string();
        assert!(
            error.starts_with("line 1: zone in [schedules.a]: unknown time zone"),
            "{error}"
        );
    }

    #[test]
    fn settings_of_the_file_reach_the_rules() {
        let config = Config::parse(
            r#"
            groups.web = ["baidu/bj/i-1"]
            calendars.cn.builtin = "cn-2026"
            keep.web = "office"
            [schedules.office]
            zone = "Asia/Shanghai"
            calendar = "cn"
            windows = [{ days = ["workdays", "sun"], from = "08:00", to = "24:00" }]
            inside = "leave"
            manual = { leave_for = "2h" }
            except = [{ on = "2026-12-24" }]
            [[maintenance]]
            group = "web"
            zone = "UTC"
            on = { weekday = "sun", week = 1 }
            from = "03:00"
            waves = 2
            [controller]
            max_changes = 7
            catch_up = "1h"
            resync = "1m"
            "#,
        )
        .unwrap();
        let settings = Settings::from_config(&config).unwrap();
        let group = &settings.rules.groups[0];
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        // The holiday of National Day, a make-up working day and the exception.
        for (moment, wanted) in [
            ("2026-10-01T12:00:00+08:00", Wanted::Stopped),
            ("2026-10-10T12:00:00+08:00", Wanted::AsIs),
            ("2026-12-24T12:00:00+08:00", Wanted::Stopped),
            ("2026-12-27T23:59:00+08:00", Wanted::AsIs),
        ] {
            assert_eq!(group.schedule.wanted(at(moment)).wanted, wanted, "{moment}");
        }
        assert_eq!(
            group.manual,
            Manual::LeaveFor(SignedDuration::from_hours(2))
        );
        assert_eq!(settings.rules.max_changes, 7);
        assert_eq!(settings.rules.catch_up, SignedDuration::from_hours(1));
        assert_eq!(settings.resync, Duration::from_secs(60));
        assert_eq!(settings.maintenance_waves, [Some(Waves::of(2))]);
        assert_eq!(settings.calendars["web"].name, "cn");
        assert!(settings.members.contains_key("web"));
    }
}

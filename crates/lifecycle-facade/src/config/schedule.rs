//! Reads the sections `[schedules]`, `[keep]` and `[[maintenance]]`.

use std::{collections::BTreeMap, time::Duration};

use jiff::civil::{Date, Time, Weekday};
use lifecycle_client::Waves;
use toml::de::{DeTable, DeValue};

use super::{
    civil::{self, DayRule},
    error::Diagnostic,
    schema::{EXCEPT, MAINTENANCE, MAINTENANCE_DAY, MANUAL, SCHEDULE, Setting, WINDOW},
    section::{Document, Section, TableEntry},
    value,
};

/// Hours in which machines run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScheduleConfig {
    /// The time zone of all hours, such as `Asia/Shanghai`. Only
    /// [`Config::check_zones`](super::Config::check_zones) checks the name.
    pub zone: String,
    /// The name of the calendar of working days.
    pub calendar: Option<String>,
    /// The hours of usual days.
    pub windows: Vec<WindowConfig>,
    /// The state inside the windows.
    pub inside: ScheduledSide,
    /// The state outside all windows.
    pub outside: ScheduledSide,
    /// The answer to a machine that somebody else started or stopped.
    pub manual: ManualChange,
    /// The hours of exceptional days.
    pub except: Vec<ExceptConfig>,
    /// The line of `zone` in the file, from 1.
    pub line: usize,
}

/// Hours on some days. With `to` at or before `from`, the window ends on the next day.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WindowConfig {
    /// The days on which the window begins.
    pub days: Vec<DayRule>,
    /// The start.
    pub from: Time,
    /// The end.
    pub to: Time,
}

/// The hours of exceptional days, instead of the windows that begin on those days.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExceptConfig {
    /// The first and the last day.
    pub on: (Date, Date),
    /// The start and the end; `None` for days without a window.
    pub hours: Option<(Time, Time)>,
}

/// The state that a schedule wants inside or outside the windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScheduledSide {
    /// The default inside the windows.
    Running,
    /// The default outside the windows.
    Stopped,
    /// The machines stay as they are.
    Leave,
}

/// The answer to a machine that somebody else started or stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ManualChange {
    /// Leave the machine until the schedule changes. The default.
    #[default]
    UntilNextChange,
    /// Return to the state of the schedule.
    Correct,
    /// Leave the machine for a time, then return to the state of the schedule.
    LeaveFor(Duration),
}

/// The schedule of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeepConfig {
    /// The name of the schedule.
    pub schedule: String,
    /// The line in the file, from 1.
    pub line: usize,
}

/// The moments at which a group is rebooted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MaintenanceConfig {
    /// The name of the group.
    pub group: String,
    /// The time zone of `from`, such as `Asia/Shanghai`. Only
    /// [`Config::check_zones`](super::Config::check_zones) checks the name.
    pub zone: String,
    /// The weekday.
    pub weekday: Weekday,
    /// The occurrence of the weekday in the month, from 1 to 5; `None` for every week.
    pub week: Option<i8>,
    /// The time of day.
    pub from: Time,
    /// The size of a wave; `None` for the default of all requests.
    pub waves: Option<Waves>,
    /// The line of `zone` in the file, from 1.
    pub line: usize,
}

/// The names that other sections of the file define, also in invalid sections.
#[derive(Clone, Debug, Default)]
pub(super) struct Names<'a> {
    pub(super) groups: Vec<&'a str>,
    pub(super) calendars: Vec<&'a str>,
    pub(super) schedules: Vec<&'a str>,
}

impl<'a> Names<'a> {
    /// Returns the names in the tables of the file.
    pub(super) fn of(file: &'a DeTable<'_>) -> Self {
        let names = |section: &str| -> Vec<&'a str> {
            let table = file
                .get(section)
                .and_then(|found| found.get_ref().as_table());
            let keys = table.into_iter().flat_map(|table| table.keys());
            keys.map(|key| key.get_ref().as_ref()).collect()
        };
        Self {
            groups: names("groups"),
            calendars: names("calendars"),
            schedules: names("schedules"),
        }
    }
}

/// Reads all schedules.
pub(super) fn read_all(
    found: TableEntry<'_>,
    names: &Names<'_>,
    document: Document<'_>,
) -> BTreeMap<String, ScheduleConfig> {
    let schedules = document.named_tables("schedules", found.table);
    schedules
        .filter_map(|found| {
            let name = found.key.get_ref().to_string();
            Some((name, ScheduleConfig::read(found, names, document)?))
        })
        .collect()
}

impl ScheduleConfig {
    /// Returns `None` if the zone is absent or invalid.
    fn read(found: TableEntry<'_>, names: &Names<'_>, document: Document<'_>) -> Option<Self> {
        let title = format!("[schedules.{}]", found.key.get_ref());
        let section = document.open(title, found.table, SCHEDULE);
        let zone = section.required(found.key.span(), "zone", value::text);
        let windows = section.tables("windows").into_iter();
        let except = section.tables("except").into_iter();
        let side = |name, normal| section.take(name, |value| side(value, normal));
        let inside = side("inside", ("running", ScheduledSide::Running));
        let outside = side("outside", ("stopped", ScheduledSide::Stopped));
        if (inside, outside) == (Some(ScheduledSide::Leave), Some(ScheduledSide::Leave)) {
            section.report_if_present(
                "outside",
                "inside and outside are both \"leave\": this schedule never acts, remove one of the two",
            );
        }
        Some(Self {
            calendar: section.take("calendar", |value| {
                value::known_name(value, "calendar", &names.calendars)
            }),
            windows: windows
                .filter_map(|found| {
                    WindowConfig::read(&inner(&section, found, "windows", WINDOW), found)
                })
                .collect(),
            inside: inside.unwrap_or(ScheduledSide::Running),
            outside: outside.unwrap_or(ScheduledSide::Stopped),
            manual: manual(&section).unwrap_or_default(),
            except: except
                .filter_map(|found| {
                    ExceptConfig::read(&inner(&section, found, "except", EXCEPT), found)
                })
                .collect(),
            line: section.line_of("zone", found.key),
            zone: zone?,
        })
    }
}

impl WindowConfig {
    fn read(section: &Section<'_>, found: TableEntry<'_>) -> Option<Self> {
        let at = found.key.span();
        let days = section.required(at.clone(), "days", civil::days);
        let from = section.required(at.clone(), "from", civil::time);
        let to = section.required(at, "to", civil::end_time);
        Some(Self {
            days: days?,
            from: from?,
            to: to?,
        })
    }
}

impl ExceptConfig {
    fn read(section: &Section<'_>, found: TableEntry<'_>) -> Option<Self> {
        let on = section.required(found.key.span(), "on", civil::date_range);
        let from = section.take("from", civil::time);
        let to = section.take("to", civil::end_time);
        for (one, other) in [("from", "to"), ("to", "from")] {
            if !section.has(other) {
                section.report_if_present(one, &format!("add {other}, or remove {one}"));
            }
        }
        Some(Self {
            on: on?,
            hours: from.zip(to),
        })
    }
}

/// Reads a side of the windows: the `normal` state or `leave`.
fn side(
    value: &DeValue<'_>,
    normal: (&'static str, ScheduledSide),
) -> Result<ScheduledSide, String> {
    value::one_of(value, &[normal, ("leave", ScheduledSide::Leave)])
}

/// Reads `manual`: a word, or a table with a duration.
fn manual(section: &Section<'_>) -> Option<ManualChange> {
    let words = [
        ("until-next-change", ManualChange::UntilNextChange),
        ("correct", ManualChange::Correct),
    ];
    let is_table = section.is_table("manual");
    if is_table {
        let found = section.table("manual")?;
        let table = inner(section, found, "manual", MANUAL);
        let duration = table.required(found.key.span(), "leave_for", value::duration);
        return duration.map(ManualChange::LeaveFor);
    }
    section.take("manual", |value| {
        value::one_of(value, &words)
            .map_err(|problem| format!("{problem}, or {{ leave_for = \"2h\" }}"))
    })
}

fn inner<'a>(
    section: &Section<'a>,
    found: TableEntry<'a>,
    name: &str,
    known: &'static [Setting],
) -> Section<'a> {
    let title = format!("{name} of {}", section.title());
    section.document().open(title, found.table, known)
}

/// Reads `[keep]`.
pub(super) fn read_keep(
    found: TableEntry<'_>,
    names: &Names<'_>,
    document: Document<'_>,
) -> BTreeMap<String, KeepConfig> {
    let mut keep = BTreeMap::new();
    for (key, value) in found.table {
        let group = DeValue::String(key.get_ref().clone());
        if let Err(problem) = value::known_name(&group, "group", &names.groups) {
            let message = format!("{} in [keep]: {problem}", key.get_ref());
            document.diagnostics.add(key.span(), message);
        }
        match value::known_name(value.get_ref(), "schedule", &names.schedules) {
            Ok(schedule) => {
                let line = document.diagnostics.line(value.span());
                keep.insert(key.get_ref().to_string(), KeepConfig { schedule, line });
            }
            Err(problem) => {
                let message = format!("{} in [keep]: {problem}", key.get_ref());
                document.diagnostics.add(value.span(), message);
            }
        }
    }
    keep
}

/// Reads `[[maintenance]]`.
pub(super) fn read_maintenance(
    file: &Section<'_>,
    names: &Names<'_>,
    document: Document<'_>,
) -> Vec<MaintenanceConfig> {
    let entries = file.tables("maintenance").into_iter();
    entries
        .filter_map(|found| MaintenanceConfig::read(found, names, document))
        .collect()
}

impl MaintenanceConfig {
    fn read(found: TableEntry<'_>, names: &Names<'_>, document: Document<'_>) -> Option<Self> {
        let at = found.key.span();
        let section = document.open("[[maintenance]]", found.table, MAINTENANCE);
        let group = section.required(at.clone(), "group", |value| {
            value::known_name(value, "group", &names.groups)
        });
        let zone = section.required(at.clone(), "zone", value::text);
        let from = section.required(at.clone(), "from", civil::time);
        let waves = section.take("waves", value::wave_size);
        if !section.has("on") {
            section.report_problem(at.clone(), "on", "add on = { weekday = \"sun\", week = 1 }");
        }
        let day = section.table("on")?;
        let day = inner(&section, day, "on", MAINTENANCE_DAY);
        let weekday = day.required(at, "weekday", civil::weekday);
        let week = day.take("week", week);
        Some(Self {
            group: group?,
            weekday: weekday?,
            week,
            from: from?,
            waves,
            line: section.line_of("zone", found.key),
            zone: zone?,
        })
    }
}

/// Reads the occurrence of a weekday in a month.
fn week(value: &DeValue<'_>) -> Result<i8, String> {
    let week = value::count(value).ok().map(usize::from);
    let week = week.filter(|week| *week <= 5);
    week.and_then(|week| i8::try_from(week).ok())
        .ok_or_else(|| {
            format!(
                "invalid week {}: write a number from 1 to 5, or remove the setting for every week",
                value::shown(value)
            )
        })
}

/// Returns the errors of `zone` for the zones of all schedules and maintenances.
pub(super) fn refused_zones(
    schedules: &BTreeMap<String, ScheduleConfig>,
    maintenance: &[MaintenanceConfig],
    zone: impl Fn(&str) -> Result<(), String>,
) -> Vec<Diagnostic> {
    let schedules = schedules
        .iter()
        .map(|(name, schedule)| (format!("[schedules.{name}]"), &schedule.zone, schedule.line));
    let maintenance = maintenance
        .iter()
        .map(|entry| ("[[maintenance]]".to_owned(), &entry.zone, entry.line));
    schedules
        .chain(maintenance)
        .filter_map(|(title, name, line)| {
            let problem = zone(name).err()?;
            Some(Diagnostic {
                line: Some(line),
                message: format!("zone in {title}: {problem}"),
            })
        })
        .collect()
}

//! Reads the section `[calendars]`, calendar files, and the calendars of this crate.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use jiff::civil::Date;
use lifecycle_client::file::{MAX_TEXT, read_text};
use toml::de::DeTable;

use super::{
    civil,
    diagnostics::Diagnostics,
    error::{ConfigError, Diagnostic},
    file,
    schema::{CALENDAR, CALENDAR_FILE},
    section::{Document, Section, TableEntry},
    value,
};
use crate::cloud::ENTRIES;

/// The calendars of this crate by name.
const BUILTIN: &[(&str, &str)] = &[("cn-2026", include_str!("../../calendars/cn-2026.toml"))];

/// Public holidays and make-up working days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CalendarConfig {
    /// Days without work.
    pub off: BTreeSet<Date>,
    /// Days with work, also on a Saturday or Sunday.
    pub work: BTreeSet<Date>,
    /// The last day that the calendar describes. Later days count as plain weekdays.
    pub ends: Option<Date>,
    /// The authority of the days.
    pub source: Option<String>,
    /// The calendar file. [`Config::load`](super::Config::load) reads the file and adds the days of the
    /// file; [`Config::parse`](super::Config::parse) only reads the name.
    pub file: Option<PathBuf>,
    /// The line of `file`, or of the calendar, in the configuration file, from 1.
    pub line: usize,
}

impl CalendarConfig {
    /// Parses a calendar file: the settings `off`, `work`, `ends` and `source`.
    ///
    /// ```
    /// use lifecycle_facade::config::CalendarConfig;
    ///
    /// let calendar = CalendarConfig::parse(
    ///     r#"
    ///     source = "works council"
    ///     off = ["2026-12-24", "2026-12-28..2026-12-31"]
    ///     ends = "2026-12-31"
    ///     "#,
    /// )?;
    /// assert_eq!(calendar.off.len(), 5);
    /// # Ok::<(), lifecycle_facade::config::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`] with all mistakes.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let diagnostics = Diagnostics::of(text);
        let document = Document {
            clouds: ENTRIES,
            diagnostics: &diagnostics,
        };
        let calendar = match DeTable::parse(text) {
            Ok(table) => {
                let section = document.open("this file", table.get_ref(), CALENDAR_FILE);
                let mut calendar = Self::days(&section);
                calendar.source = section.take("source", value::text);
                calendar
            }
            Err(error) => {
                diagnostics.add(error.span(), error.message());
                Self::default()
            }
        };
        diagnostics.into_result(calendar)
    }

    /// Returns a calendar of this crate, such as `cn-2026`; `None` for an unknown name.
    pub fn builtin(name: &str) -> Option<Self> {
        let (_, text) = BUILTIN.iter().find(|(known, _)| *known == name)?;
        Self::parse(text).ok()
    }

    fn read(found: TableEntry<'_>, document: Document<'_>) -> Self {
        let title = format!("[calendars.{}]", found.key.get_ref());
        let section = document.open(title, found.table, CALENDAR);
        let mut calendar = Self::days(&section);
        calendar.line = section.line_of("file", found.key);
        calendar.file = section.take("file", value::text).map(PathBuf::from);
        if section.has("file") {
            section.report_if_present("builtin", "remove builtin or file: a calendar has one base");
        }
        let names: Vec<_> = BUILTIN.iter().map(|(name, _)| (*name, *name)).collect();
        let name = section.take("builtin", |value| value::one_of(value, &names));
        if let Some(base) = name.and_then(Self::builtin) {
            calendar.add_base(base);
        }
        calendar
    }

    /// Reads the days of a section, and reports contradictions.
    fn days(section: &Section<'_>) -> Self {
        let ends = section.take("ends", civil::date);
        let before_end = |dates: BTreeSet<Date>| match (dates.last(), ends) {
            (Some(last), Some(ends)) if *last > ends => Err(format!(
                "{last} is after the end of the calendar, {ends}: change ends, or remove the day"
            )),
            _ => Ok(dates),
        };
        let off = section.take("off", |value| civil::dates(value).and_then(before_end));
        let off = off.unwrap_or_default();
        let work = section.take("work", |value| {
            let work = civil::dates(value).and_then(before_end)?;
            match work.intersection(&off).next() {
                Some(date) => Err(format!("{date} is also in off: remove one of the two")),
                None => Ok(work),
            }
        });
        Self {
            work: work.unwrap_or_default(),
            off,
            ends,
            ..Self::default()
        }
    }

    /// Adds the days of `base`. The own days win.
    fn add_base(&mut self, base: Self) {
        let off: Vec<_> = base.off.difference(&self.work).copied().collect();
        let work: Vec<_> = base.work.difference(&self.off).copied().collect();
        self.off.extend(off);
        self.work.extend(work);
        self.ends = self.ends.or(base.ends);
        self.source = base.source;
    }
}

/// Reads all calendars.
pub(super) fn read_all(
    found: TableEntry<'_>,
    document: Document<'_>,
) -> BTreeMap<String, CalendarConfig> {
    let calendars = document.named_tables("calendars", found.table);
    calendars
        .map(|found| {
            let name = found.key.get_ref().to_string();
            (name, CalendarConfig::read(found, document))
        })
        .collect()
}

/// Reads the calendar files. Returns the mistakes of all files.
pub(super) fn load_files(
    calendars: &mut BTreeMap<String, CalendarConfig>,
    config: &Path,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (name, calendar) in calendars {
        let Some(path) = &mut calendar.file else {
            continue;
        };
        file::locate(std::slice::from_mut(path), config);
        let base = read_text(path, MAX_TEXT)
            .map_err(|error| ConfigError::unreadable(path, &error))
            .and_then(|text| CalendarConfig::parse(&text).map_err(|error| error.in_file(path)));
        match base {
            Ok(base) => calendar.add_base(base),
            Err(error) => found.extend(error.to_string().lines().map(|problem| Diagnostic {
                line: Some(calendar.line),
                message: format!("file in [calendars.{name}]: {problem}"),
            })),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Weekday, date};

    use super::*;

    #[test]
    fn builtin_calendars_are_valid_and_name_their_source_and_end() {
        for (name, text) in BUILTIN {
            let calendar = CalendarConfig::parse(text).unwrap();
            assert!(
                calendar.source.is_some() && calendar.ends.is_some(),
                "{name}"
            );
        }
    }

    #[test]
    fn make_up_days_of_the_chinese_calendar_are_weekend_days_outside_holidays() {
        let calendar = CalendarConfig::builtin("cn-2026").unwrap();
        for day in &calendar.work {
            let weekday = day.weekday();
            assert!(
                matches!(weekday, Weekday::Saturday | Weekday::Sunday),
                "{day}"
            );
        }
        let is_year = |date: &Date| date.year() == 2026;
        assert!(calendar.off.iter().chain(&calendar.work).all(is_year));
        assert_eq!(calendar.ends, Some(date(2026, 12, 31)));
        assert_eq!((calendar.off.len(), calendar.work.len()), (33, 6));
    }

    #[test]
    fn own_days_win_over_the_base() {
        let mut own = CalendarConfig::default();
        own.work.insert(date(2026, 10, 7));
        own.off.insert(date(2026, 10, 10));
        own.add_base(CalendarConfig::builtin("cn-2026").unwrap());
        assert!(!own.off.contains(&date(2026, 10, 7)) && own.off.contains(&date(2026, 10, 6)));
        assert!(!own.work.contains(&date(2026, 10, 10)) && own.work.contains(&date(2026, 9, 20)));
    }
}

//! Reads one table of the configuration file, and reports unknown settings.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use super::{
    cloud_name::CloudName,
    diagnostics::Diagnostics,
    name::name_problem,
    schema::{CloudSettings, Scope, Setting, sections_with},
    secret,
};
use crate::{
    cloud::Clouds,
    suggest::{nearest, quoted},
};

/// The context of all sections of one file: the known clouds, and the collector of diagnostics.
#[derive(Clone, Copy, Debug)]
pub(super) struct Document<'a> {
    pub(super) clouds: Clouds<'a>,
    pub(super) diagnostics: &'a Diagnostics,
}

/// A table with known settings. Opening a section reports unknown settings.
#[derive(Debug)]
pub(super) struct Section<'a> {
    document: Document<'a>,
    title: String,
    table: &'a DeTable<'a>,
    known: Vec<&'static Setting>,
}

/// A table within a table, and the key of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct TableEntry<'a> {
    pub(super) key: &'a Spanned<DeString<'a>>,
    pub(super) table: &'a DeTable<'a>,
}

impl<'a> Document<'a> {
    /// Opens a section. `title` names the section in messages, such as `[accounts.prod]`.
    pub(super) fn open(
        self,
        title: impl Into<String>,
        table: &'a DeTable<'a>,
        known: impl IntoIterator<Item = &'static Setting>,
    ) -> Section<'a> {
        let section = Section {
            document: self,
            title: title.into(),
            table,
            known: known.into_iter().collect(),
        };
        for key in table.keys() {
            if section.setting(key.get_ref()).is_none() {
                section.add(key.span(), section.unknown(key.get_ref()));
            }
        }
        section
    }

    /// Returns the tables in a table whose keys are names of the user. Reports invalid names, and values
    /// that are no tables.
    pub(super) fn named_tables(
        self,
        title: &'static str,
        tables: &'a DeTable<'a>,
    ) -> impl Iterator<Item = TableEntry<'a>> {
        tables.iter().filter_map(move |(key, value)| {
            let name = key.get_ref();
            if let Some(problem) = name_problem(name, &[]) {
                let message = format!("{name:?} in [{title}]: {problem}");
                self.diagnostics.add(key.span(), message);
            }
            let table = value.get_ref().as_table();
            if table.is_none() {
                let message =
                    format!("{name} in [{title}]: write a table of settings, such as {{ ... }}");
                self.diagnostics.add(value.span(), message);
            }
            Some(TableEntry { key, table: table? })
        })
    }

    /// Returns the message for a setting or source that `cloud` lacks, with the clouds that have it.
    pub(super) fn only_on_message(
        self,
        cloud: CloudName,
        has: impl Fn(&'static CloudSettings) -> bool,
    ) -> String {
        let others = CloudName::all(self.clouds).filter(|cloud| has(cloud.settings()));
        let others: Vec<&str> = others.map(CloudName::as_str).collect();
        format!("not supported on {cloud}, only on {}", others.join(", "))
    }
}

impl<'a> Section<'a> {
    /// Reports the settings that `cloud` does not have.
    pub(super) fn report_settings_not_on(&self, cloud: CloudName, scope: Scope) {
        for key in self.table.keys() {
            let name = key.get_ref();
            if let Some(setting) = self.setting(name)
                && !cloud.settings().has(scope, setting)
            {
                let problem = self
                    .document
                    .only_on_message(cloud, |settings| settings.has(scope, setting));
                self.report_problem(key.span(), name, &problem);
            }
        }
    }

    /// Reads the value of a setting; `None` if the setting is absent or invalid.
    pub(super) fn take<T>(
        &self,
        name: &str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<T> {
        debug_assert!(self.setting(name).is_some(), "{name} is in no table");
        let value = self.table.get(name)?;
        read(value.get_ref())
            .map_err(|problem| self.report_problem(value.span(), name, &problem))
            .ok()
    }

    /// Reads the value of a required setting. Reports an absent setting at `at`.
    pub(super) fn required<T>(
        &self,
        at: Range<usize>,
        name: &str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<T> {
        if !self.table.contains_key(name) {
            self.add(at, format!("missing setting {name} in {}", self.title));
        }
        self.take(name, read)
    }

    /// Returns the table of a setting; `None` if the setting is absent or no table.
    pub(super) fn table(&self, name: &str) -> Option<TableEntry<'a>> {
        let (key, value) = self.table.get_key_value(name)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            // The value may be a secret, so the message does not quote the value.
            self.report_problem(
                value.span(),
                name,
                "write a table of settings, such as { ... }",
            );
        }
        Some(TableEntry { key, table: table? })
    }

    /// Returns the tables in the list of a setting. Reports values that are no tables.
    pub(super) fn tables(&self, name: &str) -> Vec<TableEntry<'a>> {
        let Some((key, value)) = self.table.get_key_value(name) else {
            return Vec::new();
        };
        let problem = "write a list of tables, such as [{ ... }]";
        let Some(entries) = value.get_ref().as_array() else {
            self.report_problem(value.span(), name, problem);
            return Vec::new();
        };
        let table = |entry: &'a Spanned<DeValue<'a>>| {
            let table = entry.get_ref().as_table();
            if table.is_none() {
                self.report_problem(entry.span(), name, problem);
            }
            Some(TableEntry { key, table: table? })
        };
        entries.iter().filter_map(table).collect()
    }

    /// Returns the line of a setting; the line of the `key` of the section if the setting is absent.
    pub(super) fn line_of(&self, name: &str, key: &Spanned<DeString<'_>>) -> usize {
        let value = self.table.get(name);
        let span = value.map_or_else(|| key.span(), Spanned::span);
        self.document.diagnostics.line(span)
    }

    /// Reports an invalid value of a setting.
    pub(super) fn report_problem(&self, span: Range<usize>, name: &str, problem: &str) {
        self.add(span, format!("{name} in {}: {problem}", self.title));
    }

    /// Reports a setting that another setting excludes.
    pub(super) fn report_if_present(&self, name: &str, because: &str) {
        if let Some((key, _)) = self.table.get_key_value(name) {
            self.report_problem(key.span(), name, because);
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    pub(super) fn is_table(&self, name: &str) -> bool {
        let value = self.table.get(name);
        value.is_some_and(|value| value.get_ref().is_table())
    }

    pub(super) fn title(&self) -> &str {
        &self.title
    }

    pub(super) fn document(&self) -> Document<'a> {
        self.document
    }

    fn add(&self, span: Range<usize>, message: String) {
        self.document.diagnostics.add(span, message);
    }

    fn setting(&self, name: &str) -> Option<&'static Setting> {
        self.known
            .iter()
            .find(|setting| setting.name == name)
            .copied()
    }

    fn unknown(&self, name: &str) -> String {
        let known = || self.known.iter().map(|setting| setting.name);
        let meant = nearest(name, known());
        let sections = sections_with(name);
        let hint = if !meant.is_empty() {
            format!("did you mean {}?", quoted(meant, " or "))
        } else if secret::is_secret_name(name) {
            secret::NOT_IN_THIS_FILE.to_owned()
        } else if !sections.is_empty() {
            format!("move it to {}", sections.join(" or "))
        } else {
            format!("known settings: {}", quoted(known(), ", "))
        };
        format!("unknown setting {name:?} in {}; {hint}", self.title)
    }
}

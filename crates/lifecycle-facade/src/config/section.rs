//! One table of the file, read against the settings that it may have.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use super::{
    findings::Findings,
    known::{self, CloudName, Setting},
    nearest::{nearest, quoted},
    secret,
};

/// A table of known settings. What it must not have is found when it is opened.
#[derive(Debug)]
pub(super) struct Section<'a> {
    findings: &'a Findings,
    title: String,
    table: &'a DeTable<'a>,
    known: Vec<&'static Setting>,
}

/// A table within a table, and the key that it stands at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    pub(super) key: &'a Spanned<DeString<'a>>,
    pub(super) table: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    /// `title` is how messages call it, such as `[accounts.prod]`.
    pub(super) fn open(
        findings: &'a Findings,
        title: impl Into<String>,
        table: &'a DeTable<'a>,
        known: impl IntoIterator<Item = &'static Setting>,
    ) -> Self {
        let section = Self {
            findings,
            title: title.into(),
            table,
            known: known.into_iter().collect(),
        };
        for key in table.keys() {
            if section.setting(key.get_ref()).is_none() {
                findings.add(key.span(), section.unknown(key.get_ref()));
            }
        }
        section
    }

    /// Finds the settings that `cloud` does not have.
    pub(super) fn only_what_has(&self, cloud: CloudName) {
        for key in self.table.keys() {
            let name = key.get_ref();
            if let Some(setting) = self.setting(name)
                && !setting.clouds.contains(&cloud)
            {
                self.wrong(key.span(), name, &not_on(cloud, setting.clouds));
            }
        }
    }

    /// The value of a setting, if it is there and right.
    pub(super) fn take<T>(
        &self,
        name: &str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<T> {
        debug_assert!(self.setting(name).is_some(), "{name} is in no table");
        let value = self.table.get(name)?;
        read(value.get_ref())
            .map_err(|problem| self.wrong(value.span(), name, &problem))
            .ok()
    }

    /// The value of a setting that has to be there. `at` is what to point to when it is not.
    pub(super) fn required<T>(
        &self,
        at: Range<usize>,
        name: &str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<T> {
        if !self.table.contains_key(name) {
            let message = format!("there is no {name} in {}, which needs one", self.title);
            self.findings.add(at, message);
        }
        self.take(name, read)
    }

    /// The table that a setting is, if it is there.
    pub(super) fn table(&self, name: &str) -> Option<Found<'a>> {
        let (key, value) = self.table.get_key_value(name)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            // It is not quoted: nobody knows what it is.
            self.wrong(
                value.span(),
                name,
                "write a table of settings, such as { ... }",
            );
        }
        Some(Found { key, table: table? })
    }

    /// One more problem with the value of a setting.
    pub(super) fn wrong(&self, span: Range<usize>, name: &str, problem: &str) {
        let message = format!("{name} in {}: {problem}", self.title);
        self.findings.add(span, message);
    }

    /// Finds a setting that excludes another one.
    pub(super) fn absent(&self, name: &str, because: &str) {
        if let Some((key, _)) = self.table.get_key_value(name) {
            self.wrong(key.span(), name, because);
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    pub(super) fn title(&self) -> &str {
        &self.title
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
        let homes = known::homes(name);
        let hint = if !meant.is_empty() {
            format!("did you mean {}?", quoted(meant, " or "))
        } else if secret::is_name_of_one(name) {
            secret::INSTEAD.to_owned()
        } else if !homes.is_empty() {
            format!("it belongs in {}", homes.join(" or "))
        } else {
            format!("there are {}", quoted(known(), ", "))
        };
        format!("there is no setting {name:?} in {}; {hint}", self.title)
    }
}

/// What to say about something that `cloud` does not have.
pub(super) fn not_on(cloud: CloudName, clouds: &[CloudName]) -> String {
    let having: Vec<&str> = clouds.iter().map(|cloud| cloud.as_str()).collect();
    format!("{cloud} does not have it, only {}", having.join(", "))
}

//! Reads the section `[groups]` of the configuration file.

use std::{
    collections::{BTreeMap, HashSet},
    num::NonZeroUsize,
    ops::Range,
};

use lifecycle_core::{InstanceFilter, NamePattern};

use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

use super::{
    error::Diagnostic,
    name::name_problem,
    schema::{GROUP, SELECT},
    section::{Document, TableEntry},
    value,
};
use crate::suggest::hint;

/// A group of instances.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Group {
    /// The references of the instances, at least one, in the order of the file.
    References(Vec<GroupEntry>),
    /// The instances that match now.
    Selection(Box<GroupSelection>),
}

/// The table `select` of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupSelection {
    /// The locations, such as `aliyun/*` or `prod@`; none for all accounts of the file.
    pub locations: Vec<GroupEntry>,
    /// The conditions on names, tags, states, zones and types.
    pub filter: InstanceFilter,
    /// Patterns of names, ids or references to leave out.
    pub exclude: Vec<NamePattern>,
    /// The maximum number of instances.
    pub max: Option<NonZeroUsize>,
}

/// One instance or one location of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupEntry {
    /// The text of the reference or location, such as `prod@aliyun/cn-hangzhou/i-1`. Only the account
    /// before the `@` is checked.
    pub text: String,
    /// The line in the file, from 1.
    pub line: usize,
}

/// Reads all groups. A reference can name one of `accounts`.
pub(super) fn read_all(
    groups: &DeTable<'_>,
    accounts: Option<TableEntry<'_>>,
    document: Document<'_>,
) -> BTreeMap<String, Group> {
    let accounts = Accounts::of(accounts);
    let mut read = BTreeMap::new();
    for (key, value) in groups {
        let name = key.get_ref();
        let problem = name_problem(name, document.clouds);
        if let Some(problem) = problem.or_else(|| accounts.group_problem(name)) {
            let message = format!("{name:?} in [groups]: {problem}");
            document.diagnostics.add(key.span(), message);
        }
        let group = GroupReader {
            name,
            accounts: &accounts,
            document,
        };
        match value.get_ref() {
            DeValue::Array(entries) if !entries.is_empty() => {
                read.insert(name.to_string(), Group::References(group.read(entries)));
            }
            DeValue::Table(table) => {
                let selection = group.read_selection(key.span(), table);
                read.insert(name.to_string(), Group::Selection(Box::new(selection)));
            }
            DeValue::Array(_) => group.report(
                key.span(),
                "empty group: add references, or remove the group",
            ),
            _ => group.report(
                value.span(),
                "write a list of references, such as [\"cloud/region/instance-id\"], or a selection, \
                 such as { select = { in = [\"cloud/*\"], name = \"ci-*\" } }",
            ),
        }
    }
    read
}

/// Returns the errors of `reference` and `location` for the texts of all groups.
pub(super) fn refused(
    groups: &BTreeMap<String, Group>,
    reference: impl Fn(&str) -> Result<(), String>,
    location: impl Fn(&str) -> Result<(), String>,
) -> Vec<Diagnostic> {
    let groups = groups.iter();
    let found = groups.flat_map(|(name, group)| match group {
        Group::References(entries) => problems(name, entries, &reference),
        Group::Selection(selection) => problems(name, &selection.locations, &location),
    });
    found.collect()
}

fn problems(
    name: &str,
    entries: &[GroupEntry],
    check: impl Fn(&str) -> Result<(), String>,
) -> Vec<Diagnostic> {
    let problem = |entry: &GroupEntry| {
        let problem = check(&entry.text).err()?;
        Some(Diagnostic {
            line: Some(entry.line),
            message: in_group(name, &problem),
        })
    };
    entries.iter().filter_map(problem).collect()
}

/// The names of all accounts of the file, including invalid accounts.
#[derive(Debug)]
struct Accounts<'a>(Vec<&'a str>);

impl<'a> Accounts<'a> {
    fn of(found: Option<TableEntry<'a>>) -> Self {
        let keys = found.iter().flat_map(|found| found.table.keys());
        Self(keys.map(|key| &**key.get_ref()).collect())
    }

    fn group_problem(&self, name: &str) -> Option<&'static str> {
        self.0
            .contains(&name)
            .then_some("this is the name of an account: choose another name")
    }

    /// Describes the problem of a reference with an unknown account.
    fn reference_problem(&self, text: &str) -> Option<String> {
        let (account, _) = text.split_once('@')?;
        if self.0.contains(&account) {
            return None;
        }
        let hint = match self.0.is_empty() {
            true => "this file has no accounts".to_owned(),
            false => hint(account, self.0.iter().copied()),
        };
        Some(format!("unknown account in {text:?}; {hint}"))
    }
}

/// Reads the references of one group.
#[derive(Clone, Copy, Debug)]
struct GroupReader<'a> {
    name: &'a str,
    accounts: &'a Accounts<'a>,
    document: Document<'a>,
}

impl GroupReader<'_> {
    fn read(self, entries: &DeArray<'_>) -> Vec<GroupEntry> {
        let mut known = HashSet::new();
        let mut read = Vec::new();
        for entry in entries {
            let Some(text) = entry.get_ref().as_str() else {
                self.report(entry.span(), "write each reference in quotes");
                continue;
            };
            if !known.insert(text) {
                self.report(entry.span(), &format!("duplicate reference {text:?}"));
            }
            if let Some(problem) = self.accounts.reference_problem(text) {
                self.report(entry.span(), &problem);
            }
            read.push(GroupEntry {
                text: text.to_owned(),
                line: self.document.diagnostics.line(entry.span()),
            });
        }
        read
    }

    fn read_selection(self, span: Range<usize>, table: &DeTable<'_>) -> GroupSelection {
        let title = format!("[groups.{}]", self.name);
        let group = self.document.open(&title, table, GROUP);
        let Some(found) = group.table("select") else {
            if !group.has("select") {
                let problem = "add select = { in = [\"cloud/*\"] }, or write a list of references";
                self.report(span, problem);
            }
            return GroupSelection::default();
        };
        let title = format!("select of {title}");
        let select = self.document.open(title, found.table, SELECT);
        let take_texts = |name| select.take(name, value::texts).unwrap_or_default();
        let mut filter = InstanceFilter::default();
        filter.names = select.take("name", value::patterns).unwrap_or_default();
        filter.tags = select.take("tags", value::tags).unwrap_or_default();
        filter.states = select.take("state", value::states).unwrap_or_default();
        filter.zones = take_texts("zone");
        filter.instance_types = take_texts("type");
        let locations = take_texts("in").into_iter();
        GroupSelection {
            locations: locations
                .map(|text| self.location(found.table.get("in"), text))
                .collect(),
            filter,
            exclude: select.take("exclude", value::patterns).unwrap_or_default(),
            max: select.take("max", value::count),
        }
    }

    /// Returns a location of a selection, after the check of the account.
    fn location(self, list: Option<&Spanned<DeValue<'_>>>, text: String) -> GroupEntry {
        let span = list.map(Spanned::span).unwrap_or_default();
        if let Some(problem) = self.accounts.reference_problem(&text) {
            self.report(span.clone(), &problem);
        }
        GroupEntry {
            text,
            line: self.document.diagnostics.line(span),
        }
    }

    fn report(self, span: Range<usize>, problem: &str) {
        let message = in_group(self.name, problem);
        self.document.diagnostics.add(span, message);
    }
}

fn in_group(name: &str, problem: &str) -> String {
    format!("{name} in [groups]: {problem}")
}

//! Reads the section `[groups]` of the configuration file.

use std::{
    collections::{BTreeMap, HashSet},
    ops::Range,
};

use toml::de::{DeArray, DeTable, DeValue};

use super::{
    account::name_problem,
    error::Diagnostic,
    section::{Document, TableEntry},
};
use crate::suggest::hint;

/// One instance of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupEntry {
    /// The text of the reference, such as `prod@aliyun/cn-hangzhou/i-1`. Only the account before the
    /// `@` is checked.
    pub text: String,
    /// The line in the file, from 1.
    pub line: usize,
}

/// Reads all groups. A reference can name one of `accounts`.
pub(super) fn read_all(
    groups: &DeTable<'_>,
    accounts: Option<TableEntry<'_>>,
    document: Document<'_>,
) -> BTreeMap<String, Vec<GroupEntry>> {
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
                read.insert(name.to_string(), group.read(entries));
            }
            DeValue::Array(_) => group.report(
                key.span(),
                "empty group: add references, or remove the group",
            ),
            _ => group.report(
                value.span(),
                "write a list of references, such as [\"cloud/region/instance-id\"]",
            ),
        }
    }
    read
}

/// Returns the errors of `check` for the references of all groups.
pub(super) fn refused(
    groups: &BTreeMap<String, Vec<GroupEntry>>,
    check: impl Fn(&str) -> Result<(), String>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (name, entries) in groups {
        for entry in entries {
            if let Err(problem) = check(&entry.text) {
                found.push(Diagnostic {
                    line: Some(entry.line),
                    message: in_group(name, &problem),
                });
            }
        }
    }
    found
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

    fn report(self, span: Range<usize>, problem: &str) {
        let message = in_group(self.name, problem);
        self.document.diagnostics.add(span, message);
    }
}

fn in_group(name: &str, problem: &str) -> String {
    format!("{name} in [groups]: {problem}")
}

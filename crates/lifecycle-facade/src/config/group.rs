//! The section `[groups]`.

use std::{
    collections::{BTreeMap, HashSet},
    ops::Range,
};

use toml::de::{DeArray, DeTable, DeValue};

use super::{
    account::bad_name, findings::Findings, nearest::hint, problem::ConfigProblem, section::Found,
};

/// One instance of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupEntry {
    /// The reference as it is written, such as `prod@aliyun/cn-hangzhou/i-1`. Only the account
    /// before the `@` has been looked at.
    pub text: String,
    /// Its line in the file, from 1.
    pub line: usize,
}

/// All groups that can be read. A reference may name one of `accounts`.
pub(super) fn read_all(
    groups: &DeTable<'_>,
    accounts: Option<Found<'_>>,
    findings: &Findings,
) -> BTreeMap<String, Vec<GroupEntry>> {
    let accounts = Accounts::of(accounts);
    let mut read = BTreeMap::new();
    for (key, value) in groups {
        let name = key.get_ref();
        if let Some(problem) = bad_name(name).or_else(|| accounts.bad_group(name)) {
            findings.add(key.span(), format!("{name:?} in [groups]: {problem}"));
        }
        let group = Group {
            name,
            accounts: &accounts,
            findings,
        };
        match value.get_ref() {
            DeValue::Array(entries) if !entries.is_empty() => {
                read.insert(name.to_string(), group.read(entries));
            }
            DeValue::Array(_) => group.found(key.span(), "an empty group would do nothing"),
            _ => group.found(
                value.span(),
                "write a list of references, such as [\"baidu/bj/i-1\"]",
            ),
        }
    }
    read
}

/// What `check` says about the texts of groups.
pub(super) fn refused(
    groups: &BTreeMap<String, Vec<GroupEntry>>,
    check: impl Fn(&str) -> Result<(), String>,
) -> Vec<ConfigProblem> {
    let mut problems = Vec::new();
    for (name, entries) in groups {
        for entry in entries {
            if let Err(problem) = check(&entry.text) {
                problems.push(ConfigProblem {
                    line: Some(entry.line),
                    message: in_group(name, &problem),
                });
            }
        }
    }
    problems
}

/// The names of the file's accounts, those included that cannot be read.
#[derive(Debug)]
struct Accounts<'a>(Vec<&'a str>);

impl<'a> Accounts<'a> {
    fn of(found: Option<Found<'a>>) -> Self {
        let keys = found.iter().flat_map(|found| found.table.keys());
        Self(keys.map(|key| &**key.get_ref()).collect())
    }

    fn bad_group(&self, name: &str) -> Option<&'static str> {
        self.0
            .contains(&name)
            .then_some("an account has this name: take another one")
    }

    /// What is wrong with the account that a reference names.
    fn bad_reference(&self, text: &str) -> Option<String> {
        let (account, _) = text.split_once('@')?;
        if self.0.contains(&account) {
            return None;
        }
        let hint = match self.0.is_empty() {
            true => "there is none".to_owned(),
            false => hint(account, self.0.iter().copied()),
        };
        Some(format!("{text:?} names no account of this file; {hint}"))
    }
}

/// A group that is being read.
#[derive(Clone, Copy, Debug)]
struct Group<'a> {
    name: &'a str,
    accounts: &'a Accounts<'a>,
    findings: &'a Findings,
}

impl Group<'_> {
    fn read(self, entries: &DeArray<'_>) -> Vec<GroupEntry> {
        let mut known = HashSet::new();
        let mut read = Vec::new();
        for entry in entries {
            let Some(text) = entry.get_ref().as_str() else {
                self.found(entry.span(), "write each reference in quotes");
                continue;
            };
            if !known.insert(text) {
                self.found(entry.span(), &format!("{text:?} is there twice"));
            }
            if let Some(problem) = self.accounts.bad_reference(text) {
                self.found(entry.span(), &problem);
            }
            read.push(GroupEntry {
                text: text.to_owned(),
                line: self.findings.line(entry.span()),
            });
        }
        read
    }

    fn found(self, span: Range<usize>, problem: &str) {
        self.findings.add(span, in_group(self.name, problem));
    }
}

fn in_group(name: &str, problem: &str) -> String {
    format!("{name} in [groups]: {problem}")
}

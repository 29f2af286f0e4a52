//! Completion of the command line in shells: the script of a shell starts the command again with
//! [`VARIABLE`], and the command prints the candidates for the word at the cursor.
//!
//! Candidates come from the definition of the command line and from the configuration file. No cloud is
//! called and no key is read.

use std::{env, path::PathBuf};

use clap::Command;
use clap_complete::{
    CompleteEnv,
    engine::{ArgValueCandidates, CompletionCandidate},
};
use lifecycle_facade::{
    Cloud, SystemHost,
    config::{Config, Group},
};

use crate::{config_file, output::Column};

/// The environment variable of the scripts. The value is the name of the shell.
pub(crate) const VARIABLE: &str = "LIFECYCLE_COMPLETE";

/// Answers a script and ends the process, if a script has started the process. `definition` returns the
/// command line.
pub(crate) fn answer_script(definition: fn() -> Command) {
    CompleteEnv::with_factory(definition)
        .var(VARIABLE)
        .complete();
}

/// Returns the candidates for references: groups, accounts, regions, and the instances of groups.
pub(crate) fn references() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let config = config();
        let groups = config.groups.iter().map(|(name, group)| {
            let help = match group {
                Group::References(members) => format!("group of {} instances", members.len()),
                _ => "group by selection".to_owned(),
            };
            candidate(name.clone(), help)
        });
        let members = config.groups.values().filter_map(|group| match group {
            Group::References(members) => Some(members),
            _ => None,
        });
        let members = members.flatten();
        let members = members.map(|member| candidate(member.text.clone(), "instance of a group"));
        let regions = regions(&config).into_iter();
        // The slash shows that an instance id follows.
        let regions = regions.map(|(region, help)| candidate(region + "/", help));
        let mut candidates: Vec<_> = groups.chain(members).chain(regions).collect();
        candidates.push(candidate("-", "references on standard input"));
        candidates
    })
}

/// Returns the candidates for locations: accounts and regions.
pub(crate) fn locations() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let config = config();
        let accounts = config.accounts.iter();
        let accounts = accounts.map(|(name, account)| {
            candidate(name.clone(), format!("account of {}", account.cloud))
        });
        let regions = regions(&config).into_iter();
        let regions = regions.map(|(region, help)| candidate(region, help));
        accounts.chain(regions).collect()
    })
}

/// Returns the candidates for one column.
pub(crate) fn columns() -> ArgValueCandidates {
    ArgValueCandidates::new(|| Column::names().map(CompletionCandidate::new).collect())
}

/// Returns the region of each account, and the default region of each cloud, with help texts.
fn regions(config: &Config) -> Vec<(String, String)> {
    let default = |cloud: Cloud| cloud.default_region(&SystemHost);
    let accounts = config.accounts.iter().filter_map(|(name, account)| {
        let cloud = account.cloud.in_this_build().ok()?;
        let region = account.region.clone().unwrap_or_else(|| default(cloud));
        let help = format!("account {name}");
        Some((format!("{name}@{cloud}/{region}"), help))
    });
    let clouds = Cloud::ALL.iter().map(|cloud| {
        let title = cloud.profile().title.to_owned();
        (format!("{cloud}/{}", default(*cloud)), title)
    });
    accounts.chain(clouds).collect()
}

fn candidate(value: impl Into<std::ffi::OsString>, help: impl Into<String>) -> CompletionCandidate {
    CompletionCandidate::new(value).help(Some(help.into().into()))
}

/// Returns the configuration of the command line that is being completed. An error of the file has no
/// place while a user types, so the file counts as empty then.
fn config() -> Config {
    let words: Vec<String> = env::args_os()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let named = named_config(&words);
    let config = config_file::read_now(named).ok().flatten();
    config.unwrap_or_default()
}

/// Returns the value of `--config` in a command line.
fn named_config(words: &[String]) -> Option<PathBuf> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--config" {
            return words.next().map(PathBuf::from);
        }
        if let Some(path) = word.strip_prefix("--config=") {
            return Some(path.into());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuration_file_of_the_typed_command_line_is_found() {
        for (line, expected) in [
            ("lifecycle stop --config a.toml web", Some("a.toml")),
            ("lifecycle stop --config=a.toml web", Some("a.toml")),
            ("lifecycle stop web --config", None),
            ("lifecycle stop web", None),
        ] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(named_config(&words), expected.map(PathBuf::from), "{line}");
        }
    }
}

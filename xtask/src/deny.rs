//! `cargo xtask deny`: the rules for dependencies in `deny.toml`, and the list of third-party crates.
//!
//! The command needs cargo-deny, and is skipped with a message where cargo-deny is missing.

use std::{fs, path::Path};

use crate::{
    cargo::Cargo,
    exit::{CheckResult, CommandResult, CouldNotRun},
};

/// Check bans, licences and sources of the dependencies, and the list of third-party crates.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Deny {
    /// End with "could not run" if cargo-deny is missing. Without this option, the command prints a
    /// message and skips the check.
    #[arg(long)]
    required: bool,
    /// Write the list of third-party crates.
    #[arg(long)]
    write: bool,
}

impl Deny {
    pub(crate) fn run(&self, root: &Path) -> CommandResult {
        let (found, _) = Cargo::new("deny --version").read_all(root)?;
        if found != CheckResult::Passed {
            let reason = "cargo-deny is not installed: cargo install cargo-deny";
            if self.required {
                return Err(CouldNotRun(reason.to_owned()));
            }
            println!("deny: skipped, because {reason}");
            return Ok(CheckResult::Skipped);
        }
        let rules = Cargo::new("deny check bans licenses sources").run(root)?;
        let (listed, list) = Cargo::new("deny list --layout crate").read_stdout(root)?;
        if listed != CheckResult::Passed {
            return Ok(CheckResult::Failed);
        }
        let notices = self.notices(&root.join(FILE), &third_party(&list))?;
        Ok(CheckResult::passed_if(
            rules == CheckResult::Passed && notices == CheckResult::Passed,
        ))
    }

    /// Writes or compares the list of third-party crates.
    fn notices(&self, path: &Path, expected: &str) -> CommandResult {
        if self.write {
            let failed = |error| CouldNotRun(format!("{FILE} was not written: {error}"));
            return fs::write(path, expected)
                .map(|()| CheckResult::Passed)
                .map_err(failed);
        }
        let is_current = fs::read_to_string(path).is_ok_and(|text| text == expected);
        if !is_current {
            println!("deny: {FILE} is not current: run cargo xtask deny --write");
        }
        Ok(CheckResult::passed_if(is_current))
    }
}

const FILE: &str = "THIRD-PARTY.md";

/// Returns the text of the file with all third-party crates. `list` has lines such as
/// `bytes@1.12.1 (1): MIT`.
fn third_party(list: &str) -> String {
    let mut text = String::from(
        "# Third-party crates\n\n\
         The crates that a build of this workspace can contain, and the licences of their files. A user may\n\
         choose one of several licences where the crate offers a choice. Written by `cargo xtask deny --write`.\n\n\
         | crate | version | licences |\n| --- | --- | --- |\n",
    );
    for line in list.lines() {
        let Some((name, rest)) = line.split_once('@') else {
            continue;
        };
        let own = ["lifecycle-", "provider-", "xtask"];
        if own.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        if let Some((version, licences)) = rest.split_once(' ')
            && let Some((_, licences)) = licences.split_once(": ")
        {
            text.push_str(&format!("| {name} | {version} | {licences} |\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_has_a_row_for_each_crate_of_others() {
        let list = "bytes@1.12.1 (1): MIT\nlifecycle-core@0.1.0 (2): MIT, Apache-2.0\n\nring@0.17.0 (2): ISC, Apache-2.0\n";
        let text = third_party(list);
        assert!(text.ends_with(
            "| --- | --- | --- |\n| bytes | 1.12.1 | MIT |\n| ring | 0.17.0 | ISC, Apache-2.0 |\n"
        ));
    }
}

//! The tag of a release, and what may change since the one before.

use std::path::Path;

use super::{Finding, crates::Release, program};
use crate::{
    cargo::Cargo,
    exit::{CheckResult, CouldNotRun},
};

/// The tag that the release will have. One that is there already means that the version was not
/// raised.
pub(super) fn free_tag(root: &Path, release: &Release) -> Result<Finding, CouldNotRun> {
    let tag = release.tag();
    Ok(if tags(root, &tag)?.is_empty() {
        Finding::Passed(format!("{tag} is free"))
    } else {
        Finding::Failed(format!("{tag} exists; raise the version"))
    })
}

/// Compares the public interface with that of the last tag.
pub(super) fn compare(root: &Path, release: &Release) -> Result<Finding, CouldNotRun> {
    if !root.join(&release.folder).join("src/lib.rs").exists() {
        return Ok(Finding::Skipped(
            "a command has no interface to compare".to_owned(),
        ));
    }
    let pattern = format!("{}-v*", release.name);
    let Some(last) = tags(root, &pattern)?.into_iter().next() else {
        return Ok(Finding::Skipped(format!(
            "there is no tag {pattern} to compare with"
        )));
    };
    if Cargo::new("semver-checks --version").read_all(root)?.0 == CheckResult::Failed {
        return Ok(Finding::Skipped(format!(
            "cargo-semver-checks is not installed, so nothing was compared with {last}"
        )));
    }
    let call = comparison(release, &last);
    Ok(match call.run(root)? {
        CheckResult::Passed => Finding::Passed(format!("{} fits {last}", release.version)),
        _ => Finding::Failed(format!("`{call}`")),
    })
}

fn comparison(release: &Release, last: &str) -> Cargo {
    Cargo::new("semver-checks --all-features --package")
        .arg(&release.name)
        .arg("--baseline-rev")
        .arg(last)
}

/// The tags that lead here and match, the newest version first.
fn tags(root: &Path, pattern: &str) -> Result<Vec<String>, CouldNotRun> {
    let args = [
        "tag",
        "--list",
        "--merged",
        "HEAD",
        "--sort=-version:refname",
        pattern,
    ];
    let text = program::read("git", &args, root)?;
    Ok(text.lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::crates::tests::crates;

    #[test]
    fn the_comparison_names_the_crate_and_the_tag() {
        let crates = crates();
        let core = crates.release("core").expect("core is published");

        assert_eq!(
            comparison(core, "core-v0.3.0").to_string(),
            "cargo semver-checks --all-features --package core --baseline-rev core-v0.3.0"
        );
    }

    #[test]
    fn a_folder_without_git_has_no_answer() {
        let crates = crates();
        let core = crates.release("core").expect("core is published");

        assert!(free_tag(Path::new("no/such/folder"), core).is_err());
    }
}

//! The tag of a release, and the changes of the API since the last tag.

use std::path::Path;

use super::crates::Release;
use crate::{
    cargo::Cargo,
    exit::{CheckResult, CouldNotRun},
    program,
    step::StepResult,
};

/// Checks that the tag of the release does not exist. An existing tag means that nobody raised the
/// version.
pub(super) fn free_tag(root: &Path, release: &Release) -> Result<StepResult, CouldNotRun> {
    let tag = release.tag();
    Ok(if tags(root, &tag)?.is_empty() {
        StepResult::Passed(format!("{tag} is free"))
    } else {
        StepResult::Failed(format!("{tag} exists; raise the version"))
    })
}

/// Compares the public API with the API at the last tag.
pub(super) fn compare(root: &Path, release: &Release) -> Result<StepResult, CouldNotRun> {
    if !root.join(&release.folder).join("src/lib.rs").exists() {
        return Ok(StepResult::Skipped(
            "a command has no API to compare".to_owned(),
        ));
    }
    let pattern = format!("{}-v*", release.name);
    let Some(last) = tags(root, &pattern)?.into_iter().next() else {
        return Ok(StepResult::Skipped(format!(
            "no tag {pattern} to compare with"
        )));
    };
    if Cargo::new("semver-checks --version").read_all(root)?.0 == CheckResult::Failed {
        return Ok(StepResult::Skipped(format!(
            "cargo-semver-checks is not installed, so nothing was compared with {last}"
        )));
    }
    let call = comparison(release, &last);
    Ok(match call.run(root)? {
        CheckResult::Passed => {
            StepResult::Passed(format!("{} is compatible with {last}", release.version))
        }
        _ => StepResult::Failed(format!("`{call}`")),
    })
}

fn comparison(release: &Release, last: &str) -> Cargo {
    Cargo::new("semver-checks --all-features --package")
        .arg(&release.name)
        .arg("--baseline-rev")
        .arg(last)
}

/// Returns the matching tags before the current commit, the newest version first.
fn tags(root: &Path, pattern: &str) -> Result<Vec<String>, CouldNotRun> {
    let args = [
        "tag",
        "--list",
        "--merged",
        "HEAD",
        "--sort=-version:refname",
        pattern,
    ];
    let text = program::read_stdout("git", &args, root)?;
    Ok(text.lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::crates::tests::crates;

    #[test]
    fn comparison_names_the_crate_and_the_tag() {
        let crates = crates();
        let core = crates.release("core").expect("core is published");

        assert_eq!(
            comparison(core, "core-v0.3.0").to_string(),
            "cargo semver-checks --all-features --package core --baseline-rev core-v0.3.0"
        );
    }

    #[test]
    fn folder_without_git_could_not_run() {
        let crates = crates();
        let core = crates.release("core").expect("core is published");

        assert!(free_tag(Path::new("no/such/folder"), core).is_err());
    }
}

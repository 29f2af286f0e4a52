//! `cargo xtask release-check`: can this crate be released, alone?
//!
//! In the workspace a crate always sees today's neighbours and all of its own files. Its users will
//! see the versions that its manifest declares and the files that its package holds. So the package
//! is unpacked, built and tested away from the workspace.

mod changelog;
mod crates;
mod neighbours;
mod program;
mod semver;
mod stage;

use std::{fs, path::Path};

use crate::exit::{CheckResult, CouldNotRun};
use crates::{Crates, Release};
use neighbours::Neighbours;
use stage::Stage;

/// Check that a crate can be released alone: changelog, tag, package, build, tests, semver.
#[derive(Debug, clap::Args)]
pub(crate) struct ReleaseCheck {
    /// The crates, each checked as if it were the only one.
    #[arg(required = true, value_name = "CRATE")]
    names: Vec<String>,
    /// Package files that are not committed, too.
    #[arg(long)]
    allow_dirty: bool,
}

impl ReleaseCheck {
    pub(crate) fn run(&self, root: &Path) -> Result<CheckResult, CouldNotRun> {
        let crates = Crates::read(root)?;
        let mut failed = false;
        for name in &self.names {
            let release = crates.release(name)?;
            println!("\nrelease-check: {name} {}", release.version);
            let stage = Stage::new(root, release, self.allow_dirty)?;
            let steps = steps(&crates, release, &stage);
            failed |= take(steps, |line| println!("{line}"))? == CheckResult::Failed;
        }
        Ok(CheckResult::passed_if(!failed))
    }
}

/// The steps in the order in which they fail fastest.
fn steps<'a>(crates: &'a Crates, release: &'a Release, stage: &'a Stage<'a>) -> Vec<Step<'a>> {
    let root = crates.root.as_path();
    vec![
        Step::new("changelog", move || changelog(root, release)),
        Step::new("tag", move || semver::free_tag(root, release)),
        Step::new("package", move || stage.package()),
        Step::new("neighbours", move || {
            let neighbours =
                Neighbours::of(release, crates, |need| neighbours::is_published(root, need))?;
            stage.lay(&neighbours, |name| crates.release(name))
        }),
        Step::new("build", move || stage.build()),
        Step::new("test", move || stage.test()),
        Step::new("semver", move || semver::compare(root, release)),
    ]
}

fn changelog(root: &Path, release: &Release) -> Result<Finding, CouldNotRun> {
    let path = root.join(&release.folder).join("CHANGELOG.md");
    let text = fs::read_to_string(&path)
        .map_err(|error| CouldNotRun(format!("{} is not readable: {error}", path.display())))?;
    Ok(match changelog::entry(&text, &release.version) {
        Ok(found) => Finding::Passed(found),
        Err(missing) => Finding::Failed(missing),
    })
}

/// What a step found, in words.
#[derive(Debug, PartialEq, Eq)]
enum Finding {
    Passed(String),
    /// It could not be asked, and that is no fault of the crate.
    Skipped(String),
    Failed(String),
}

type Work<'a> = Box<dyn FnOnce() -> Result<Finding, CouldNotRun> + 'a>;

struct Step<'a> {
    name: &'static str,
    work: Work<'a>,
}

impl<'a> Step<'a> {
    fn new(name: &'static str, work: impl FnOnce() -> Result<Finding, CouldNotRun> + 'a) -> Self {
        Self {
            name,
            work: Box::new(work),
        }
    }
}

/// Takes the steps up to the first failure, and hands a line for each to `print`.
fn take(steps: Vec<Step<'_>>, mut print: impl FnMut(String)) -> Result<CheckResult, CouldNotRun> {
    let mut failed = false;
    for step in steps {
        let (word, text) = match (failed, step.work) {
            (true, _) => ("not run", String::new()),
            (false, work) => match work()? {
                Finding::Passed(text) => ("passed", text),
                Finding::Skipped(text) => ("skipped", text),
                Finding::Failed(text) => {
                    failed = true;
                    ("failed", text)
                }
            },
        };
        print(
            format!("{word:<7}  {:<10}  {text}", step.name)
                .trim_end()
                .to_owned(),
        );
    }
    Ok(CheckResult::passed_if(!failed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(second: Finding) -> (CheckResult, Vec<String>) {
        let mut lines = Vec::new();
        let steps = vec![
            Step::new("tag", || Ok(Finding::Passed("a-v1.0.0".to_owned()))),
            Step::new("package", || Ok(second)),
            Step::new("test", || Ok(Finding::Passed("all".to_owned()))),
        ];
        let result = take(steps, |line| lines.push(line)).expect("each step ends with a finding");
        (result, lines)
    }

    #[test]
    fn each_step_has_a_line_and_a_skipped_one_is_no_failure() {
        let (result, lines) = lines(Finding::Skipped("no such tool".to_owned()));

        assert_eq!(result, CheckResult::Passed);
        assert_eq!(
            lines,
            [
                "passed   tag         a-v1.0.0",
                "skipped  package     no such tool",
                "passed   test        all"
            ]
        );
    }

    #[test]
    fn the_first_failure_ends_the_check() {
        let (result, lines) = lines(Finding::Failed("no licence".to_owned()));

        assert_eq!(result, CheckResult::Failed);
        assert_eq!(
            lines[1..],
            ["failed   package     no licence", "not run  test"]
        );
    }
}

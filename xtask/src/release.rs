//! `cargo xtask release-check`: the checks before the release of a single crate.
//!
//! In the workspace, a crate is built with the current neighbours and with all files. Users build the
//! crate with the required versions and with the files of the package. So the check unpacks, builds
//! and tests the package outside of the workspace.

mod changelog;
mod crates;
mod neighbours;
mod semver;
mod staging;

use std::{fs, path::Path};

use crate::{
    exit::{CheckResult, CommandResult, CouldNotRun},
    step::{Step, StepResult, run_steps},
};
use crates::{Crates, Release};
use neighbours::Neighbours;
use staging::StagingWorkspace;

/// Check that a crate can be released alone: changelog, tag, package, build, tests, semver.
#[derive(Debug, clap::Args)]
pub(crate) struct ReleaseCheck {
    /// The crates. Each crate is checked alone.
    #[arg(required_unless_present = "order", value_name = "CRATE")]
    names: Vec<String>,
    /// Print the order in which all crates are published, and check nothing.
    #[arg(long, conflicts_with = "names")]
    order: bool,
    /// Package uncommitted files, too.
    #[arg(long)]
    allow_dirty: bool,
}

impl ReleaseCheck {
    pub(crate) fn run(&self, root: &Path) -> CommandResult {
        let crates = Crates::read(root)?;
        if self.order {
            print!("{}", crates.order()?);
            return Ok(CheckResult::Passed);
        }
        let mut failed = false;
        for name in &self.names {
            let release = crates.release(name)?;
            println!("\nrelease-check: {name} {}", release.version);
            let staging = StagingWorkspace::new(root, release, self.allow_dirty)?;
            let steps = steps(&crates, release, &staging);
            failed |= run_steps(steps, |line| println!("{line}"))? == CheckResult::Failed;
        }
        Ok(CheckResult::passed_if(!failed))
    }
}

/// The steps. Fast steps come first.
fn steps<'a>(
    crates: &'a Crates,
    release: &'a Release,
    staging: &'a StagingWorkspace<'a>,
) -> Vec<Step<'a>> {
    let root = crates.root.as_path();
    vec![
        Step::new("changelog", move || changelog(root, release)),
        Step::new("tag", move || semver::free_tag(root, release)),
        Step::new("package", move || staging.package()),
        Step::new("neighbours", move || {
            let neighbours =
                Neighbours::of(release, crates, |need| neighbours::is_published(root, need))?;
            staging.add_neighbours(&neighbours, |name| crates.release(name))
        }),
        Step::new("build", move || staging.build()),
        Step::new("test", move || staging.test()),
        Step::new("semver", move || semver::compare(root, release)),
    ]
}

fn changelog(root: &Path, release: &Release) -> Result<StepResult, CouldNotRun> {
    let path = root.join(&release.folder).join("CHANGELOG.md");
    let text = fs::read_to_string(&path)
        .map_err(|error| CouldNotRun(format!("{} is not readable: {error}", path.display())))?;
    Ok(match changelog::entry(&text, &release.version) {
        Ok(summary) => StepResult::Passed(summary),
        Err(error) => StepResult::Failed(error),
    })
}

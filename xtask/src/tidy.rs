//! `cargo xtask tidy`: cheap checks of the repository that no compiler makes.
//!
//! Every check is a pure function from the files to findings. The files are read once, here.

mod circles;
mod files;
mod imports;
mod layers;
mod links;
mod members;
mod prose;
mod retired;
mod rust;
mod source;

use std::path::Path;

use files::Files;

use crate::exit::{CouldNotRun, Verdict};

/// Check manifests, file names, module documentation and links.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Tidy {
    /// Print the figures of the prose in comments: of each crate and the worst files, or of each file
    /// below PATH with every doc comment that begins oddly.
    #[arg(long, value_name = "PATH", num_args = 0..)]
    prose: Option<Vec<String>>,
    /// Print the import circles inside each crate, with the imports that close them.
    #[arg(long, conflicts_with = "prose")]
    circles: bool,
}

impl Tidy {
    pub(crate) fn run(&self, root: &Path) -> Result<Verdict, CouldNotRun> {
        let files = Files::below(root).map_err(|error| {
            CouldNotRun(format!(
                "the files below {} are not readable: {error}",
                root.display()
            ))
        })?;
        let report = match &self.prose {
            Some(paths) => Some(prose::report(&files, paths)),
            None => self.circles.then(|| circles::report(&files)),
        };
        if let Some(lines) = report {
            lines.iter().for_each(|line| println!("{line}"));
            return Ok(Verdict::Passed);
        }
        let findings = |checks: &[Check]| {
            let findings = checks.iter().flat_map(|check| check(&files));
            findings.collect::<Vec<_>>()
        };
        let failures = findings(CHECKS);
        for warning in findings(WARNINGS) {
            println!("tidy: warning: {warning}");
        }
        for failure in &failures {
            println!("tidy: {failure}");
        }
        println!(
            "tidy: {} files examined, {} findings",
            files.paths.len(),
            failures.len()
        );
        Ok(Verdict::passed_if(failures.is_empty()))
    }
}

type Check = fn(&Files) -> Vec<String>;

/// The checks whose findings are failures.
const CHECKS: &[Check] = &[
    members::missing_files,
    members::missing_fields,
    members::own_versions,
    members::unjustified_dependencies,
    members::provider_files,
    source::undocumented_modules,
    source::named_clouds,
    source::looks_at_the_machine,
    source::side_paths,
    links::broken,
];

/// The checks whose findings are only printed. A line that moves to `CHECKS` is enforced.
const WARNINGS: &[Check] = &[
    source::long_files,
    prose::above_limits,
    retired::names,
    layers::upward,
    circles::found,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_folder_could_not_run() {
        assert!(matches!(
            Tidy::default().run(Path::new("no/such/folder")),
            Err(CouldNotRun(_))
        ));
    }
}

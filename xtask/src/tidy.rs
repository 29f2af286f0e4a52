//! `cargo xtask tidy`: cheap checks of the repository beyond the compiler.
//!
//! Each check is a pure function from the files to findings.

mod cycles;
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

use crate::exit::{CheckResult, CommandResult, CouldNotRun};

/// Check manifests, file names, documentation, names, imports and links.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Tidy {
    /// Print the prose figures of each crate and of the worst files. With PATH: print the figures of
    /// each file below PATH, and every doc comment with an odd beginning.
    #[arg(long, value_name = "PATH", num_args = 0..)]
    prose: Option<Vec<String>>,
    /// Print the import cycles inside each crate with the imports of each cycle.
    #[arg(long, conflicts_with = "prose")]
    cycles: bool,
}

impl Tidy {
    pub(crate) fn run(&self, root: &Path) -> CommandResult {
        let files = Files::below(root).map_err(|error| {
            CouldNotRun(format!(
                "the files below {} are not readable: {error}",
                root.display()
            ))
        })?;
        let report = match &self.prose {
            Some(paths) => Some(prose::report(&files, paths)),
            None => self.cycles.then(|| cycles::list(&files)),
        };
        if let Some(lines) = report {
            lines.iter().for_each(|line| println!("{line}"));
            return Ok(CheckResult::Passed);
        }
        let findings: Vec<String> = CHECKS.iter().flat_map(|check| check(&files)).collect();
        for finding in &findings {
            println!("tidy: {finding}");
        }
        println!(
            "tidy: {} files checked, {} findings",
            files.paths.len(),
            findings.len()
        );
        Ok(CheckResult::passed_if(findings.is_empty()))
    }
}

type Check = fn(&Files) -> Vec<String>;

const CHECKS: &[Check] = &[
    members::missing_files,
    members::missing_fields,
    members::own_versions,
    members::unjustified_dependencies,
    members::provider_files,
    source::undocumented_modules,
    source::named_clouds,
    source::clouds_outside_of_their_files,
    source::host_access,
    source::requests_outside_of_the_engine,
    source::long_files,
    links::broken,
    layers::upward,
    cycles::findings,
    retired::names,
    prose::above_limits,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreadable_folder_could_not_run() {
        assert!(matches!(
            Tidy::default().run(Path::new("no/such/folder")),
            Err(CouldNotRun(_))
        ));
    }
}

//! `cargo xtask bench`: the benchmarks in a release build.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{
    cargo::Cargo,
    exit::{CheckResult, CommandResult},
};

/// Run the benchmarks in a release build.
#[derive(Debug, clap::Args)]
pub(crate) struct Bench {
    /// Arguments for the benchmark program; `-- --help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

impl Bench {
    /// Creates the comparison of instruction counts, which does not depend on the load of the machine.
    pub(crate) fn checking() -> Self {
        Self {
            args: vec![CHECK.to_owned()],
        }
    }

    pub(crate) fn run(&self, root: &Path) -> CommandResult {
        let path = env::var_os("PATH").unwrap_or_default();
        let counts = self.args.iter().any(|arg| arg == CHECK);
        if counts && !is_installed("valgrind", env::split_paths(&path)) {
            println!("bench {CHECK}: skipped, because valgrind is not installed");
            return Ok(CheckResult::Skipped);
        }
        self.call().run(root)
    }

    fn call(&self) -> Cargo {
        let program = Cargo::new("run --release -p lifecycle-bench --bin bench --");
        self.args.iter().fold(program, Cargo::arg)
    }
}

/// The argument that compares instruction counts, which valgrind counts.
const CHECK: &str = "--check";

fn is_installed(program: &str, mut folders: impl Iterator<Item = PathBuf>) -> bool {
    folders.any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::Command;

    #[test]
    fn program_is_installed_if_a_folder_of_the_path_contains_it() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let folders = || [sources.join("interop"), sources.clone()].into_iter();

        assert!(is_installed("bench.rs", folders()));
        assert!(!is_installed("valgrind.rs", folders()));
        assert!(!is_installed("interop", [sources.clone()].into_iter()));
    }

    #[test]
    fn arguments_are_passed_to_the_program_unchanged() {
        let line = ["xtask", "bench", "--seconds", "2", "signing", "--help"];

        let Ok(Command::Bench(bench)) = Command::try_parse_from(line) else {
            panic!("`bench` accepts any arguments");
        };

        assert_eq!(
            bench.call().to_string(),
            "cargo run --release -p lifecycle-bench --bin bench -- --seconds 2 signing --help"
        );
    }
}

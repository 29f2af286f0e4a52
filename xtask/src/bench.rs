//! `cargo xtask bench`: the benchmarks in a release build.

use std::path::Path;

use crate::{cargo::Cargo, exit::CommandResult};

/// Run the benchmarks in a release build.
#[derive(Debug, clap::Args)]
pub(crate) struct Bench {
    /// Arguments for the benchmark program; `-- --help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

impl Bench {
    pub(crate) fn run(&self, root: &Path) -> CommandResult {
        self.call().run(root)
    }

    fn call(&self) -> Cargo {
        let program = Cargo::new("run --release -p lifecycle-bench --bin bench --");
        self.args.iter().fold(program, Cargo::arg)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::Command;

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

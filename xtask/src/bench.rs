//! `cargo xtask bench`: the benchmarks, built for release.

use std::path::Path;

use crate::{
    cargo::Cargo,
    exit::{CouldNotRun, Verdict},
};

/// Run the benchmarks in a release build.
#[derive(Debug, clap::Args)]
pub(crate) struct Bench {
    /// What to hand to the benchmark program; `--help` after `--` lists it.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

impl Bench {
    pub(crate) fn run(&self, root: &Path) -> Result<Verdict, CouldNotRun> {
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
    fn arguments_reach_the_program_unread() {
        let line = ["xtask", "bench", "--seconds", "2", "signing", "--help"];

        let Ok(Command::Bench(bench)) = Command::try_parse_from(line) else {
            panic!("`bench` takes any arguments");
        };

        assert_eq!(
            bench.call().to_string(),
            "cargo run --release -p lifecycle-bench --bin bench -- --seconds 2 signing --help"
        );
    }
}

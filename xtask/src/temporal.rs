//! `cargo xtask temporal`: kills a Temporal server and its worker in the middle of reboots.
//!
//! The command creates a virtual environment with the server below cargo's target folder, builds `examples/temporal`, a
//! workspace of its own, and runs its program `kills`.

use std::{
    env::consts::EXE_SUFFIX,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    cargo::{Cargo, target_folder},
    exit::{CheckResult, CommandResult, CouldNotRun},
    python::{Environment, Preparation},
};

/// Kill a Temporal server and its worker in the middle of reboots, and count the reboots.
#[derive(Debug, clap::Args)]
pub(crate) struct Temporal {
    /// The number of rounds; a round takes about 20 seconds.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// The seed of an earlier run.
    #[arg(long)]
    seed: Option<u64>,
    /// Judge the control group: activities without a journal, with retries. This run has to fail.
    #[arg(long)]
    unfenced: bool,
}

impl Temporal {
    pub(crate) fn run(&self, root: &Path) -> CommandResult {
        let target = target_folder()?.join("temporal");
        let example = root.join("examples/temporal");
        let environment = Environment::new("temporal", &example, &["requirements.txt"], &target);
        match environment.prepare()? {
            Preparation::Ready(_) => {}
            Preparation::Unavailable(reason) => {
                return Err(CouldNotRun(format!("temporal: {reason}")));
            }
            Preparation::InvalidRequirements(reason) => {
                println!("temporal: {reason}");
                return Ok(CheckResult::Failed);
            }
        }
        println!("temporal: building examples/temporal; the first build takes minutes");
        if build(&target).run(&example)? != CheckResult::Passed {
            return Ok(CheckResult::Failed);
        }
        let mut kills = self.kills(&target, &environment.programs());
        let status = kills
            .status()
            .map_err(|error| CouldNotRun(format!("kills did not start: {error}")))?;
        match status.code() {
            Some(3) => Err(CouldNotRun("temporal: see the message above".to_owned())),
            code => Ok(CheckResult::passed_if(code == Some(0))),
        }
    }

    fn kills(&self, target: &Path, programs: &Path) -> Command {
        let mut command = Command::new(program(target, "kills"));
        command
            .arg("--temporal")
            .arg(programs.join(format!("temporal{EXE_SUFFIX}")))
            .arg("--folder")
            .arg(target.join("run"))
            .args(["--rounds", &self.rounds.to_string()]);
        if let Some(seed) = self.seed {
            command.args(["--seed", &seed.to_string()]);
        }
        if self.unfenced {
            command.arg("--unfenced");
        }
        command
    }
}

/// The lock file of the example has its own target folder: other crates, other features.
fn build(target: &Path) -> Cargo {
    Cargo::new("build --locked --bins").env("CARGO_TARGET_DIR", target.join("target"))
}

fn program(target: &Path, name: &str) -> PathBuf {
    target.join(format!("target/debug/{name}{EXE_SUFFIX}"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn rounds_seed_and_control_group_are_passed_to_the_program() {
        let line = [
            "xtask",
            "temporal",
            "--rounds",
            "3",
            "--seed",
            "7",
            "--unfenced",
        ];
        let Ok(crate::Command::Temporal(temporal)) = crate::Command::try_parse_from(line) else {
            panic!("`temporal` accepts rounds, a seed and the control group");
        };

        let command = temporal.kills(Path::new("t"), Path::new("v"));

        let args: Vec<_> = command.get_args().filter_map(|arg| arg.to_str()).collect();
        let temporal = format!("v/temporal{EXE_SUFFIX}");
        assert_eq!(
            args,
            [
                "--temporal",
                &temporal,
                "--folder",
                "t/run",
                "--rounds",
                "3",
                "--seed",
                "7",
                "--unfenced"
            ]
        );
    }

    #[test]
    fn example_is_built_in_a_folder_of_its_own() {
        assert_eq!(
            build(Path::new("t")).to_string(),
            "CARGO_TARGET_DIR=t/target cargo build --locked --bins"
        );
        assert!(program(Path::new("t"), "kills").starts_with("t/target/debug"));
    }
}

//! `cargo xtask simulate`: runs the random fault scenarios in a release build.

use std::path::Path;

use crate::{cargo::Cargo, exit::CommandResult};

/// Run the engine against simulated clouds with random faults, and check the reports.
#[derive(Debug, clap::Args)]
pub(crate) struct Simulate {
    /// Number of seeds to run.
    #[arg(long, default_value_t = 2000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Run only this seed. Without --controller, print every step.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Instead, run small cases with one or two faults of every kind at every call.
    #[arg(long, conflicts_with_all = ["seeds", "from", "seed"])]
    exhaustive: bool,
    /// Run only this placement of faults, and print every step.
    #[arg(long, conflicts_with_all = ["seeds", "from", "seed", "exhaustive"])]
    placement: Option<String>,
    /// Make each request through a fleet, to instances of two to four clouds.
    #[arg(long, conflicts_with_all = ["exhaustive", "placement", "controller"])]
    several_clouds: bool,
    /// Instead, run drawn days of the controller with crashes and full disks.
    #[arg(long, conflicts_with_all = ["exhaustive", "placement"])]
    controller: bool,
}

const CONTROLLER: &str = "test --release -p lifecycle-controller --all-features --test controller_simulation -- drawn_days";

impl Simulate {
    pub(crate) fn run(&self, root: &Path) -> CommandResult {
        self.call().run(root)
    }

    fn call(&self) -> Cargo {
        if self.controller {
            let (from, seeds) = self.seed.map_or((self.from, self.seeds), |seed| (seed, 1));
            return Cargo::new(CONTROLLER)
                .env("LIFECYCLE_SEED_FROM", from.to_string())
                .env("LIFECYCLE_SEEDS", seeds.to_string());
        }
        let mut program = Cargo::new("run --release -p lifecycle-conformance --bin simulate --");
        if self.several_clouds {
            program = program.arg("--several-clouds");
        }
        if self.exhaustive {
            return program.arg("--exhaustive");
        }
        if let Some(placement) = &self.placement {
            return program.arg("--placement").arg(placement);
        }
        match self.seed {
            Some(seed) => program.arg("--seed").arg(seed.to_string()),
            None => program
                .arg("--seeds")
                .arg(self.seeds.to_string())
                .arg("--from")
                .arg(self.from.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::Command;

    #[test]
    fn days_of_the_controller_are_a_test_with_seeds_from_the_environment() {
        for arguments in [&["--from", "7", "--seeds", "1"][..], &["--seed", "7"]] {
            let line = [&["xtask", "simulate", "--controller"], arguments].concat();
            let Ok(Command::Simulate(simulate)) = Command::try_parse_from(line) else {
                panic!("`simulate` accepts {arguments:?}");
            };
            assert_eq!(
                simulate.call().to_string(),
                format!(
                    "LIFECYCLE_SEED_FROM=7 LIFECYCLE_SEEDS=1 cargo {}",
                    super::CONTROLLER
                )
            );
        }
    }

    #[test]
    fn arguments_are_passed_to_the_program() {
        for (arguments, expected) in [
            (&["--seeds", "7"][..], "--seeds 7 --from 0"),
            (&["--from", "9"], "--seeds 2000 --from 9"),
            (&["--seed", "42"], "--seed 42"),
            (
                &["--several-clouds", "--seed", "42"],
                "--several-clouds --seed 42",
            ),
            (&["--exhaustive"], "--exhaustive"),
            (&["--placement", "baidu,stop"], "--placement baidu,stop"),
        ] {
            let line = [&["xtask", "simulate"], arguments].concat();

            let Ok(Command::Simulate(simulate)) = Command::try_parse_from(line) else {
                panic!("`simulate` accepts {arguments:?}");
            };

            assert_eq!(
                simulate.call().to_string(),
                format!(
                    "cargo run --release -p lifecycle-conformance --bin simulate -- {expected}"
                )
            );
        }
    }
}

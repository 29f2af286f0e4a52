//! `cargo xtask simulate`: the seeded simulation, built for release.

use std::path::Path;

use crate::{
    cargo::Cargo,
    exit::{CouldNotRun, Verdict},
};

/// Run the engine against simulated clouds under drawn faults, and judge its reports.
#[derive(Debug, clap::Args)]
pub(crate) struct Simulate {
    /// How many seeds to run.
    #[arg(long, default_value_t = 2000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
}

impl Simulate {
    pub(crate) fn run(&self, root: &Path) -> Result<Verdict, CouldNotRun> {
        self.call().run(root)
    }

    fn call(&self) -> Cargo {
        Cargo::new("run --release -p lifecycle-conformance --bin simulate --")
            .arg("--seeds")
            .arg(self.seeds.to_string())
            .arg("--from")
            .arg(self.from.to_string())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::Command;

    #[test]
    fn seeds_are_handed_on() {
        let line = ["xtask", "simulate", "--seeds", "7"];

        let Ok(Command::Simulate(simulate)) = Command::try_parse_from(line) else {
            panic!("`simulate` takes seeds");
        };

        assert_eq!(
            simulate.call().to_string(),
            "cargo run --release -p lifecycle-conformance --bin simulate -- --seeds 7 --from 0"
        );
    }
}

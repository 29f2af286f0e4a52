//! `cargo xtask ci`: PostgreSQL for the tests, and `cargo xtask chaos`.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{
    apt,
    cargo::Cargo,
    exit::{CheckResult, CommandResult},
};

/// The variable that makes the tests with PostgreSQL mandatory.
pub(crate) const REQUIRE: &str = "LIFECYCLE_REQUIRE_POSTGRES";

/// Installs PostgreSQL with the package manager of Debian if PostgreSQL is missing.
pub(crate) fn install(root: &Path) -> CommandResult {
    if is_installed() {
        println!("postgres: PostgreSQL is installed");
        return Ok(CheckResult::Passed);
    }
    let install = [
        "install",
        "--yes",
        "--quiet",
        "--no-install-recommends",
        "postgresql",
    ];
    if apt::run("PostgreSQL", &install, root)? != CheckResult::Passed {
        return Ok(CheckResult::Failed);
    }
    let is_installed = is_installed();
    if !is_installed {
        println!("postgres: apt-get installed no initdb; install PostgreSQL by hand");
    }
    Ok(CheckResult::passed_if(is_installed))
}

/// Looks where the tests look: on `PATH` and in the folders of Debian.
fn is_installed() -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = debian.flatten().map(|entry| entry.path().join("bin"));
    let folders: Vec<PathBuf> = env::split_paths(&path).chain(debian).collect();
    folders.iter().any(|folder| folder.join("initdb").is_file())
}

/// Run three controllers with a database under random faults, and check what the clouds executed.
#[derive(Debug, clap::Args)]
pub(crate) struct Chaos {
    /// The time of the faults.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    minutes: u64,
    /// The seed of an earlier run.
    #[arg(long)]
    seed: Option<u64>,
    /// Instead, cut controllers in network namespaces off by dropped packets; needs root.
    #[arg(long, conflicts_with_all = ["minutes", "seed"])]
    namespaces: bool,
}

const CHAOS: &str = "test -p lifecycle-cli --all-features --test cli chaos:: -- --nocapture";
const NAMESPACES: &str =
    "test -p lifecycle-cli --all-features --test cli namespaces:: -- --nocapture";

impl Chaos {
    pub(crate) fn run(&self, root: &Path) -> CommandResult {
        self.call().run(root)
    }

    fn call(&self) -> Cargo {
        if self.namespaces {
            return Cargo::new(NAMESPACES)
                .env(REQUIRE, "1")
                .env("LIFECYCLE_REQUIRE_NAMESPACES", "1");
        }
        let call = Cargo::new(CHAOS)
            .env(REQUIRE, "1")
            .env("LIFECYCLE_CHAOS_SECONDS", (self.minutes * 60).to_string());
        match self.seed {
            Some(seed) => call.env("LIFECYCLE_SEED", seed.to_string()),
            None => call,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::Command;

    #[test]
    fn minutes_and_seed_are_passed_to_the_test() {
        let line = ["xtask", "chaos", "--minutes", "2", "--seed", "7"];
        let Ok(Command::Chaos(chaos)) = Command::try_parse_from(line) else {
            panic!("`chaos` accepts minutes and a seed");
        };
        assert_eq!(
            chaos.call().to_string(),
            "LIFECYCLE_REQUIRE_POSTGRES=1 LIFECYCLE_CHAOS_SECONDS=120 LIFECYCLE_SEED=7 cargo test -p lifecycle-cli \
             --all-features --test cli chaos:: -- --nocapture"
        );
    }

    #[test]
    fn namespaces_are_mandatory_tests_of_their_own() {
        let Ok(Command::Chaos(chaos)) = Command::try_parse_from(["xtask", "chaos", "--namespaces"])
        else {
            panic!("`chaos` accepts namespaces");
        };
        assert_eq!(
            chaos.call().to_string(),
            format!(
                "LIFECYCLE_REQUIRE_POSTGRES=1 LIFECYCLE_REQUIRE_NAMESPACES=1 cargo {}",
                super::NAMESPACES
            )
        );
    }
}

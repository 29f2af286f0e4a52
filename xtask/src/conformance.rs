//! `cargo xtask conformance`: runs the scenarios that every provider must pass.

use std::path::Path;

use crate::{cargo::Cargo, exit::CommandResult};

/// Run the scenarios that every provider must pass, and print the results as a table.
///
/// The scenarios use the simulated clouds, or with --live named instances of a real account.
#[derive(Debug, clap::Args)]
pub(crate) struct Conformance {
    /// Simulated clouds to test; all clouds if none is given.
    clouds: Vec<String>,
    /// Print every result as JSON.
    #[arg(long)]
    json: bool,
    /// Test a real account with the keys that the cloud's own tools find in the environment.
    /// Only reads instances, unless --allow-power is given.
    #[arg(long, requires = "instance", conflicts_with = "clouds")]
    live: bool,
    /// An instance that a live run may use, as cloud/region/id. Can be given several times.
    #[arg(long, value_name = "REF", requires = "live")]
    instance: Vec<String>,
    /// Start, stop and reboot the named instances, too.
    #[arg(long, requires = "live")]
    allow_power: bool,
    /// Send requests to this address instead of the cloud's address.
    #[arg(long, value_name = "URL", requires = "live")]
    endpoint: Option<String>,
}

impl Conformance {
    pub(crate) fn run(&self, root: &Path) -> CommandResult {
        self.call().run(root)
    }

    fn call(&self) -> Cargo {
        let program = Cargo::new("run --quiet -p lifecycle-conformance --bin conformance --");
        let flags = [
            (self.json, "--json"),
            (self.live, "--live"),
            (self.allow_power, "--allow-power"),
        ];
        let flags = flags.iter().filter(|(given, _)| *given);
        let program = self.clouds.iter().fold(program, Cargo::arg);
        let program = flags.fold(program, |program, (_, flag)| program.arg(*flag));
        let values = self
            .instance
            .iter()
            .map(|reference| ("--instance", reference));
        let values = values.chain(self.endpoint.iter().map(|url| ("--endpoint", url)));
        values.fold(program, |program, (name, value)| {
            program.arg(name).arg(value)
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::Command;

    fn read(line: &str) -> Result<Command, clap::Error> {
        Command::try_parse_from(["xtask", "conformance"].into_iter().chain(line.split(' ')))
    }

    #[test]
    fn arguments_are_passed_to_the_program() {
        for (line, expected) in [
            ("--json", "--json"),
            ("baidu huawei", "baidu huawei"),
            (
                "--live --instance baidu/bj/i-1 --instance baidu/bj/i-2 --allow-power",
                "--live --allow-power --instance baidu/bj/i-1 --instance baidu/bj/i-2",
            ),
            (
                "--live --instance baidu/bj/i-1 --endpoint http://127.0.0.1:1",
                "--live --instance baidu/bj/i-1 --endpoint http://127.0.0.1:1",
            ),
        ] {
            let Ok(Command::Conformance(conformance)) = read(line) else {
                panic!("`conformance` accepts {line}");
            };
            let call = conformance.call().to_string();
            let (_, passed) = call.split_once("conformance -- ").unwrap_or_default();
            assert_eq!(passed, expected);
        }
    }

    #[test]
    fn live_run_without_instances_is_wrong_usage() {
        for line in [
            "--live",
            "--live --allow-power",
            "--live --instance baidu/bj/i-1 aliyun",
            "--instance baidu/bj/i-1",
            "--allow-power",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}

//! `cargo xtask interop`: the vendors' own Python SDKs as clients of the simulated clouds.
//!
//! The command creates a virtual environment with the SDKs below cargo's target folder, builds the
//! simulator and runs the scripts of `crates/lifecycle-conformance/interop`.

use std::{
    env::consts::EXE_SUFFIX,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    cargo::{Cargo, target_folder},
    clouds::CLOUDS,
    exit::{CheckResult, CommandResult, CouldNotRun},
    python::{Environment, Preparation},
};

/// Run the vendors' own Python SDKs against the simulated clouds.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Interop {
    /// End with "could not run" if Python or an SDK is missing. Without this option, the command
    /// prints a message and skips the check.
    #[arg(long)]
    required: bool,
    /// The cloud to test. Can be given several times.
    #[arg(long = "cloud", value_parser = CLOUDS)]
    clouds: Vec<String>,
    /// A word in the names of the cases to run.
    #[arg(long, value_name = "WORD")]
    case: Option<String>,
    /// Run no cases. Instead, time this command and the SDKs: new processes that list instances.
    #[arg(long, value_name = "PROGRAM", conflicts_with_all = ["clouds", "case"])]
    startup: Option<PathBuf>,
    /// An earlier step has built all tests, and the server with them.
    #[arg(skip)]
    after_tests: bool,
}

impl Interop {
    /// Returns the step of CI that follows the tests.
    pub(crate) fn after_tests() -> Self {
        Self {
            after_tests: true,
            ..Self::default()
        }
    }

    pub(crate) fn run(&self, root: &Path) -> CommandResult {
        let target = target_folder()?;
        let environment =
            Environment::new("interop", &scripts(root), &REQUIREMENTS, &folder(&target));
        let python = match environment.prepare()? {
            Preparation::Ready(python) => python,
            Preparation::Unavailable(reason) => return self.skip(&reason),
            Preparation::InvalidRequirements(reason) => {
                println!("interop: {reason}");
                return Ok(CheckResult::Failed);
            }
        };
        let status = |mut command: Command| {
            let status = command.status().map_err(|error| {
                CouldNotRun(format!("{} did not start: {error}", python.display()))
            })?;
            Ok(CheckResult::passed_if(status.success()))
        };
        if let Some(program) = &self.startup {
            let mut command = script(root, &target, &python, "startup.py");
            command.arg(program);
            return status(command);
        }
        if self.build(&target).run(root)? != CheckResult::Passed {
            return Ok(CheckResult::Failed);
        }
        status(self.runner(root, &target, &python))
    }

    /// Returns the call that builds the server. The server alone needs fewer crates than all tests,
    /// but with other features, so after the tests it would compile most crates once more.
    fn build(&self, target: &Path) -> Cargo {
        let build = if self.after_tests {
            Cargo::workspace_tests().arg("--no-run")
        } else {
            Cargo::new("build -p lifecycle-conformance --bin interop-server")
        };
        build.env("CARGO_TARGET_DIR", target)
    }

    fn skip(&self, reason: &str) -> CommandResult {
        if self.required {
            return Err(CouldNotRun(format!("interop: {reason}")));
        }
        println!("interop: skipped, because {reason}");
        Ok(CheckResult::Skipped)
    }

    fn runner(&self, root: &Path, target: &Path, python: &Path) -> Command {
        let mut command = script(root, target, python, "run.py");
        for cloud in &self.clouds {
            command.arg("--cloud").arg(cloud);
        }
        if let Some(word) = &self.case {
            command.arg("--case").arg(word);
        }
        command.arg("--").arg(server(target));
        command
    }
}

/// The build tools of source packages come first.
const REQUIREMENTS: [&str; 2] = ["requirements-build.txt", "requirements.txt"];

fn scripts(root: &Path) -> PathBuf {
    root.join("crates/lifecycle-conformance/interop")
}

/// Returns the start of a script.
fn script(root: &Path, target: &Path, python: &Path, name: &str) -> Command {
    let mut command = Command::new(python);
    // No byte code next to the sources, and no files of the SDKs in the user's home folder.
    command.arg("-B").arg(scripts(root).join(name));
    command.env("HOME", folder(target));
    command
}

/// The folder of the virtual environment and the home folder of the SDKs.
fn folder(target: &Path) -> PathBuf {
    target.join("interop")
}

fn server(target: &Path) -> PathBuf {
    target
        .join("debug")
        .join(format!("interop-server{EXE_SUFFIX}"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn parsed(words: &[&str]) -> Interop {
        let line = ["xtask", "interop"].iter().chain(words);
        match crate::Command::try_parse_from(line) {
            Ok(crate::Command::Interop(interop)) => interop,
            other => panic!("no interop: {other:?}"),
        }
    }

    #[test]
    fn missing_sdk_skips_the_check_unless_required() {
        let reason = "there is no python3";

        assert_eq!(parsed(&[]).skip(reason), Ok(CheckResult::Skipped));
        assert_eq!(
            parsed(&["--required"]).skip(reason),
            Err(CouldNotRun("interop: there is no python3".to_owned()))
        );
    }

    #[test]
    fn options_are_passed_to_the_runner_before_the_server() {
        let interop = parsed(&["--cloud", "baidu", "--cloud", "huawei", "--case", "stop"]);

        let command = interop.runner(Path::new("r"), Path::new("t"), Path::new("python"));

        let server = server(Path::new("t")).display().to_string();
        let args: Vec<_> = command.get_args().filter_map(|arg| arg.to_str()).collect();
        assert_eq!(args[0], "-B");
        assert!(args[1].ends_with("run.py"), "{args:?}");
        assert_eq!(
            args[2..],
            [
                "--cloud", "baidu", "--cloud", "huawei", "--case", "stop", "--", &server
            ]
        );
    }

    #[test]
    fn unknown_cloud_is_wrong_usage() {
        assert!(crate::Command::try_parse_from(["xtask", "interop", "--cloud", "aws"]).is_err());
    }

    #[test]
    fn ci_builds_the_server_with_the_command_of_the_tests() {
        assert_eq!(
            Interop::after_tests().build(Path::new("t")).to_string(),
            "CARGO_TARGET_DIR=t cargo test --workspace --all-features --no-run"
        );
    }

    #[test]
    fn server_is_built_and_started_in_the_same_folder() {
        assert_eq!(
            parsed(&[]).build(Path::new("t")).to_string(),
            "CARGO_TARGET_DIR=t cargo build -p lifecycle-conformance --bin interop-server"
        );
        assert!(server(Path::new("t")).starts_with("t/debug"));
    }
}

//! `apt-get`, the package manager of Debian and Ubuntu, for programs that tests need.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::exit::{CheckResult, CommandResult, CouldNotRun};

/// Reads the lists of packages, and runs `apt-get` with these arguments in `folder`. `program` is the missing program.
pub(crate) fn run(program: &str, arguments: &[&str], folder: &Path) -> CommandResult {
    for arguments in [&["update", "--quiet"], arguments] {
        let line = format!("apt-get {}", arguments.join(" "));
        let status = Command::new("apt-get")
            .args(arguments)
            .current_dir(folder)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .status();
        let status = status.map_err(|error| {
            CouldNotRun(format!(
                "{program} is missing, and {line} does not start: {error}; install {program} by hand"
            ))
        })?;
        if !status.success() {
            println!("{program} is missing, and {line} failed; install {program} as root");
            return Ok(CheckResult::Failed);
        }
    }
    Ok(CheckResult::Passed)
}

//! `apt-get`, the package manager of Debian and Ubuntu, for programs that tests need.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::exit::{CheckResult, CommandResult, CouldNotRun};

/// Runs `apt-get` with these arguments in `folder`. If the call fails, reads the lists of packages, which only root
/// may do, and runs it again. `program` is the missing program.
pub(crate) fn run(program: &str, arguments: &[&str], folder: &Path) -> CommandResult {
    for (is_last, arguments) in [
        (false, arguments),
        (false, &["update", "--quiet"]),
        (true, arguments),
    ] {
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
        if status.success() && arguments[0] != "update" {
            return Ok(CheckResult::Passed);
        }
        if is_last {
            println!("{program} is missing, and {line} failed; install {program} as root");
        }
    }
    Ok(CheckResult::Failed)
}

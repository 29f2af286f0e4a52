//! Runs programs other than cargo: git, tar, tools of packages.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::exit::CouldNotRun;

/// Runs `program` in `folder` and returns the standard output. A failure of the program is an error.
pub(crate) fn read_stdout(
    program: &str,
    args: &[&str],
    folder: &Path,
) -> Result<String, CouldNotRun> {
    output(Command::new(program).args(args).current_dir(folder))
}

/// Runs a program and returns the standard output. A failure of the program is an error.
pub(crate) fn output(command: &mut Command) -> Result<String, CouldNotRun> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    let line = format!("`{}`", words.join(" "));
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| CouldNotRun(format!("{line} did not start: {error}")))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(CouldNotRun(format!("{line} failed: {reason}")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_or_missing_program_could_not_run() {
        let here = Path::new(".");

        assert!(
            read_stdout("git", &["--version"], here).is_ok_and(|text| text.starts_with("git "))
        );
        for (program, args) in [("git", "no-such-command-of-git"), ("no-such-program", "x")] {
            let CouldNotRun(reason) =
                read_stdout(program, &[args], here).expect_err("it cannot run");
            assert!(
                reason.starts_with(&format!("`{program} {args}`")),
                "{reason}"
            );
        }
    }
}

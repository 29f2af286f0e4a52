//! The results of an xtask command, and their exit codes.

use std::{fmt, process::ExitCode};

/// Exit code: every check passed, or the command reported that a check was skipped.
pub(crate) const PASSED: u8 = 0;
/// Exit code: a check failed.
pub(crate) const FAILED: u8 = 1;
/// Exit code: the command line is invalid; nothing was done.
pub(crate) const WRONG_USAGE: u8 = 2;
/// Exit code: the check could not run, so nothing is known about the code.
pub(crate) const COULD_NOT_RUN: u8 = 3;

/// The exit codes in the form that `--help` shows.
pub(crate) const HELP: &str = "Exit codes: 0 passed, 1 failed, 2 wrong usage, 3 could not run";

/// The result of a command that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckResult {
    Passed,
    Failed,
    /// The command printed which tool is missing on this machine; nothing was checked.
    Skipped,
}

impl CheckResult {
    pub(crate) fn passed_if(holds: bool) -> Self {
        if holds { Self::Passed } else { Self::Failed }
    }
}

/// The result of a command, or the reason why the command could not run.
pub(crate) type CommandResult = Result<CheckResult, CouldNotRun>;

/// The reason why a command could not run, such as a missing cargo or an unreadable folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CouldNotRun(pub(crate) String);

impl fmt::Display for CouldNotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not run: {}", self.0)
    }
}

/// Prints why a command could not run and returns the exit code.
pub(crate) fn for_result(result: &CommandResult) -> ExitCode {
    if let Err(reason) = result {
        eprintln!("{reason}");
    }
    ExitCode::from(code(result))
}

/// Prints the error or the help of a command line without a command and returns the exit code.
pub(crate) fn for_usage(error: &clap::Error) -> ExitCode {
    // Only the exit code is left to report an error when the terminal is closed.
    let _ = error.print();
    ExitCode::from(usage_code(error))
}

fn code(result: &CommandResult) -> u8 {
    match result {
        Ok(CheckResult::Passed | CheckResult::Skipped) => PASSED,
        Ok(CheckResult::Failed) => FAILED,
        Err(_) => COULD_NOT_RUN,
    }
}

fn usage_code(error: &clap::Error) -> u8 {
    // Clap returns `--help` as an error, too; only real errors go to the standard error stream.
    if error.use_stderr() {
        WRONG_USAGE
    } else {
        PASSED
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::Command;

    #[test]
    fn each_result_has_the_documented_exit_code() {
        assert_eq!(code(&Ok(CheckResult::Passed)), 0);
        assert_eq!(code(&Ok(CheckResult::Skipped)), 0);
        assert_eq!(code(&Ok(CheckResult::Failed)), 1);
        assert_eq!(code(&Err(CouldNotRun("no cargo".to_owned()))), 3);
    }

    #[test]
    fn invalid_command_line_is_wrong_usage_and_help_is_not() {
        let code_of = |words: &[&str]| {
            usage_code(&Command::try_parse_from(words).expect_err("starts no command"))
        };

        assert_eq!(code_of(&["xtask", "frobnicate"]), 2);
        assert_eq!(code_of(&["xtask", "vectors"]), 2);
        assert_eq!(code_of(&["xtask", "--help"]), 0);
    }
}

//! How a command ends: what it can say, and the exit code for it.

use std::{fmt, process::ExitCode};

/// Everything that was checked holds, or what was not checked was said to be skipped.
pub(crate) const PASSED: u8 = 0;
/// Something that was checked does not hold.
pub(crate) const FAILED: u8 = 1;
/// The command line was not understood; nothing was done.
pub(crate) const WRONG_USAGE: u8 = 2;
/// The check itself could not be made, so it says nothing about the code.
pub(crate) const COULD_NOT_RUN: u8 = 3;

/// The exit codes, as `--help` shows them.
pub(crate) const HELP: &str = "Exit codes: 0 passed, 1 failed, 2 wrong usage, 3 could not run";

/// What a command that ran has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Failed,
    /// Something that it needs is not on this machine, which it has said; nothing was checked.
    Skipped,
}

impl Verdict {
    pub(crate) fn passed_if(holds: bool) -> Self {
        if holds { Self::Passed } else { Self::Failed }
    }
}

/// Why a command could not do its work: no cargo, an unreadable folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CouldNotRun(pub(crate) String);

impl fmt::Display for CouldNotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not run: {}", self.0)
    }
}

/// The exit code of a command, after printing why it could not run.
pub(crate) fn for_outcome(outcome: &Result<Verdict, CouldNotRun>) -> ExitCode {
    if let Err(reason) = outcome {
        eprintln!("{reason}");
    }
    ExitCode::from(code(outcome))
}

/// The exit code of a command line that starts no command, after printing the error or the help
/// that was asked for.
pub(crate) fn for_usage(error: &clap::Error) -> ExitCode {
    // The text goes to a terminal or a log; when that is closed, the exit code is all that can be
    // told.
    let _ = error.print();
    ExitCode::from(usage_code(error))
}

fn code(outcome: &Result<Verdict, CouldNotRun>) -> u8 {
    match outcome {
        Ok(Verdict::Passed | Verdict::Skipped) => PASSED,
        Ok(Verdict::Failed) => FAILED,
        Err(_) => COULD_NOT_RUN,
    }
}

fn usage_code(error: &clap::Error) -> u8 {
    // Clap hands out `--help` as an error too; only real errors go to the standard error stream.
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
    fn every_ending_has_the_documented_code() {
        assert_eq!(code(&Ok(Verdict::Passed)), 0);
        assert_eq!(code(&Ok(Verdict::Skipped)), 0);
        assert_eq!(code(&Ok(Verdict::Failed)), 1);
        assert_eq!(code(&Err(CouldNotRun("no cargo".to_owned()))), 3);
    }

    #[test]
    fn only_a_wrong_command_line_is_wrong_usage() {
        let code_of = |words: &[&str]| {
            usage_code(&Command::try_parse_from(words).expect_err("starts no command"))
        };

        assert_eq!(code_of(&["xtask", "frobnicate"]), 2);
        assert_eq!(code_of(&["xtask", "vectors"]), 2);
        assert_eq!(code_of(&["xtask", "--help"]), 0);
    }
}

//! Exit codes of the command, and the errors that end the command.

use std::{fmt, process::ExitCode, time::Duration};

use lifecycle_facade::{Error, FaultKind, FleetError, config::ConfigError};

use crate::{console, terminal::plain};

/// The exit codes of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Every instance has the requested result.
    Complete = 0,
    /// An instance is refused, uncertain, pending, skipped or not found.
    Incomplete = 1,
    /// The command line is invalid. Nothing was sent.
    WrongUsage = 2,
    /// The cloud accepted no call: no key, a rejected key, no network or no usable journal.
    NothingDone = 3,
    /// The time limit was reached: every instance without the requested result can still reach it.
    TimeLimit = 4,
}

/// The exit codes in `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0  every instance has the requested result
  1  at least one instance is refused, uncertain, pending, skipped or not
     found
  2  wrong usage; nothing was sent
  3  nothing was done: no key, a rejected key, no network, not confirmed, or a
     journal or database that is in use or unusable
  4  only the time limit was reached: every instance without the requested
     result is pending and may still get it
After Ctrl-C, SIGTERM or SIGHUP the rows are printed and the process ends by
the signal (130, 143 or 129 in a shell). Actions already sent are not undone.";

/// The exit codes in `--help` of the commands that keep a schedule.
pub(crate) const SCHEDULE_HELP: &str = "\
Exit codes:
  0  every action reached its state, or nothing had to be done; for run: a
     signal ended the command
  1  an action did not reach its state, or a machine could not be seen; the
     next pass tries again
  2  wrong usage; nothing was sent
  3  nothing was done: another process has the journal or all groups, the
     journal or the database cannot be used, or more machines than max_changes
     would change";

/// The exit codes in `--help` of the exporter.
pub(crate) const EXPORTER_HELP: &str = "\
Exit codes:
  0  a signal ended the command
  2  wrong usage
  3  the address is in use, or the key can read no region of the patterns
A region that cannot be read later is a warning, and
lifecycle_exporter_location_up is 0 for the region. A region of a pattern with *
that the key cannot use is left out with a warning, and
lifecycle_exporter_location_unavailable is 1 for the region.";

impl Exit {
    fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Ends the process at once.
#[cfg(not(unix))]
pub(crate) fn now(exit: Exit) -> ! {
    std::process::exit(exit.code().into())
}

/// An error that ends the command before any row of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandError {
    /// The exit code for the error.
    pub(crate) exit: Exit,
    /// The problem and the remedy, in plain text: one line, or a line for each mistake.
    pub(crate) message: String,
    /// The kind of the fault, if the error has a fault.
    pub(crate) kind: Option<FaultKind>,
}

impl CommandError {
    pub(crate) fn wrong_usage(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::WrongUsage,
            message: plain(&message.into()),
            kind: None,
        }
    }

    /// Returns the error of a configuration file, with a line for each mistake.
    pub(crate) fn configuration(error: &ConfigError) -> Self {
        let text = error.to_string();
        let lines: Vec<String> = text.lines().map(plain).collect();
        Self {
            message: lines.join("\n"),
            ..Self::wrong_usage("")
        }
    }

    pub(crate) fn nothing_done(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::NothingDone,
            message: plain(&message.into()),
            kind: None,
        }
    }

    /// Returns the error of a list that did not end before the time limit.
    pub(crate) fn no_complete_list(of: &impl fmt::Display, limit: Duration) -> Self {
        let seconds = limit.as_secs_f64();
        Self::nothing_done(format!(
            "{of}: no complete list within {seconds} s; increase --timeout"
        ))
    }

    /// Prints the error to standard error and returns the exit code.
    pub(crate) fn print(&self) -> Exit {
        console::eprint_error(&self.message);
        self.exit
    }
}

impl From<FleetError> for CommandError {
    fn from(error: FleetError) -> Self {
        let exit = match &error {
            FleetError::InvalidReference(_)
            | FleetError::Location { .. }
            | FleetError::Account { .. }
            | FleetError::Client(
                Error::InstanceId(_)
                | Error::Unsupported(_)
                | Error::TooMany { .. }
                | Error::NeverForced { .. },
            ) => Exit::WrongUsage,
            _ => Exit::NothingDone,
        };
        let kind = match &error {
            FleetError::Credential(missing) => Some(missing.fault().kind()),
            FleetError::Project { fault, .. } => Some(fault.kind()),
            FleetError::Client(error) => Some(error.kind()),
            _ => None,
        };
        let message = match &error {
            FleetError::Credential(missing) if missing.is_not_configured() => {
                format!("{missing}; lifecycle --help lists all places for keys")
            }
            _ => error.to_string(),
        };
        Self {
            exit,
            message: plain(&message),
            kind,
        }
    }
}

//! How the command ends: its exit codes, and what it says when it could not do its work.

use std::{error::Error as _, process::ExitCode};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use lifecycle_facade::{Error, FaultKind, FleetError};

use crate::console;

/// How the command ended, with its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything went as asked.
    Complete = 0,
    /// Some instance was refused, uncertain, pending, skipped or not found.
    Incomplete = 1,
    /// The command line was not understood. Nothing was sent.
    WrongUsage = 2,
    /// Nothing could be done: no key, a refused key, no network.
    NothingDone = 3,
}

/// The exit codes, as `--help` shows them.
pub(crate) const HELP: &str = "\
Exit codes:
  0  all as asked
  1  some instance was refused, is uncertain or pending, was skipped or not
     found; also after Ctrl-C, which does not undo what was sent
  2  wrong usage: nothing was sent
  3  nothing could be done: no key or a refused one, no network";

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
pub(crate) fn now(exit: Exit) -> ! {
    std::process::exit(exit.code().into())
}

/// Why the command has no rows to show, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandError {
    /// How the command ends because of it.
    pub(crate) exit: Exit,
    /// What is wrong, and what to do.
    pub(crate) message: String,
    /// What it means for the caller, where it is the fault of one kind.
    pub(crate) kind: Option<FaultKind>,
}

impl CommandError {
    pub(crate) fn wrong_usage(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::WrongUsage,
            message: message.into(),
            kind: None,
        }
    }

    pub(crate) fn nothing_done(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::NothingDone,
            message: message.into(),
            kind: None,
        }
    }

    /// Says it on standard error, and gives the exit.
    pub(crate) fn print(&self) -> Exit {
        console::eprint_error(&self.message);
        self.exit
    }
}

impl From<FleetError> for CommandError {
    fn from(error: FleetError) -> Self {
        let exit = match &error {
            FleetError::Reference(_)
            | FleetError::Location { .. }
            | FleetError::Account { .. }
            | FleetError::TooMany { .. }
            | FleetError::Client(
                Error::ParseInstanceIdError(_)
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
            FleetError::Credential(missing) if missing.is_absent() => {
                format!("{missing}; lifecycle --help says what each place needs")
            }
            _ => error.to_string(),
        };
        Self {
            exit,
            message,
            kind,
        }
    }
}

/// The exit of a command line that starts no command, after printing the error, or the help that
/// was asked for.
pub(crate) fn for_usage(error: &clap::Error) -> ExitCode {
    match refused_value(error) {
        Some(message) => CommandError::wrong_usage(message).print().into(),
        None => {
            // When nobody reads it any more, the exit code is all that can be told.
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::WrongUsage.code()))
        }
    }
}

/// One line about a value that was refused: our own parsers say what to write instead, so clap's
/// frame around their words would only hide them.
fn refused_value(error: &clap::Error) -> Option<String> {
    if error.kind() != ErrorKind::ValueValidation {
        return None;
    }
    let problem = error.source()?;
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(name)) if name.starts_with("--") => {
            let option = name.split(' ').next().unwrap_or(name);
            Some(format!("{option}: {problem}"))
        }
        _ => Some(problem.to_string()),
    }
}

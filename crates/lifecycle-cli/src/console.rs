//! What the command says to people: everything on standard error.

use std::{fmt, io::Write};

use clap::{
    ArgAction, ValueEnum,
    builder::styling::{AnsiColor, Style},
};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// How much is said, and in which form.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Console {
    /// What standard output holds: a table, or one JSON array and nothing else
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "FORM",
        default_value_t = Format::Table,
    )]
    pub(crate) output: Format,

    /// Tell of retries and throttling; -vv logs every call that failed
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Time is not that of the person who reads.
    #[arg(skip)]
    pub(crate) in_simulated_time: bool,
}

/// The form of standard output: columns for people, or one JSON array for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
}

impl Console {
    /// Tells of what happens on the way.
    pub(crate) fn is_verbose(self) -> bool {
        self.verbose > 0
    }

    /// Logs, so that moving bars would be torn apart.
    pub(crate) fn is_logging(self) -> bool {
        self.verbose > 1
    }

    /// Sends the log of the lifecycle crates to standard error, where it was asked for.
    pub(crate) fn start_logging(self) {
        if !self.is_logging() {
            return;
        }
        let ours = Targets::new()
            .with_target("lifecycle", LevelFilter::DEBUG)
            .with_target("provider", LevelFilter::DEBUG);
        let log = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::DEBUG)
            .with_writer(anstream::stderr)
            .finish()
            .with(ours);
        // Fails only when there is a log already, and this is called once.
        let _ = log.try_init();
    }
}

/// Says one line.
pub(crate) fn eprint_line(line: impl fmt::Display) {
    // Nobody listens any more: the exit code still tells.
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Says what went wrong, in the form that clap's errors have.
pub(crate) fn eprint_error(message: impl fmt::Display) {
    const RED: Style = AnsiColor::Red.on_default().bold();
    eprint_line(format_args!("{RED}error:{RED:#} {message}"));
}

/// Says what is not right, though it goes on.
pub(crate) fn eprint_warning(message: impl fmt::Display) {
    const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
    eprint_line(format_args!("{YELLOW}warning:{YELLOW:#} {message}"));
}

/// Text from elsewhere as one line that cannot steer a terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

//! Messages for people on standard error, and the options for standard output and standard error.

use std::{
    fmt,
    io::{self, Write},
};

use clap::{
    ArgAction, ValueEnum,
    builder::styling::{AnsiColor, Style},
};
use tracing_subscriber::{
    filter::{LevelFilter, Targets, filter_fn},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::terminal::{LONGEST_MESSAGE, shortened};

/// Format and amount of output.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Output options")]
pub(crate) struct Console {
    /// Format of standard output
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        default_value_t = Format::Table,
    )]
    pub(crate) output: Format,

    /// Report retries and throttling; -vv also logs every failed call
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Print errors and warnings only to standard error: no progress, no summary
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Set for commands on simulated clouds: durations are in simulated time.
    #[arg(skip)]
    pub(crate) simulated_time: bool,
}

/// Format of standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people
    Table,
    /// One JSON array
    Json,
    /// One JSON object on each line
    Jsonl,
    /// Comma-separated values for spreadsheets
    Csv,
    /// One reference on each line, for: lifecycle stop -
    Ids,
}

impl Format {
    /// Returns `true` if every instance has a row, even after an error of the whole command.
    pub(crate) fn is_for_programs(self) -> bool {
        matches!(self, Self::Json | Self::Jsonl | Self::Csv)
    }
}

impl Console {
    /// Returns `true` if retries and throttling are reported.
    pub(crate) fn is_verbose(self) -> bool {
        self.verbose > 0
    }

    /// Returns `true` if failed calls are logged. Callers then show no progress bar,
    /// because log lines would break the bar.
    pub(crate) fn is_logging(self) -> bool {
        self.verbose > 1
    }

    /// Prints a line for people, unless the output is quiet.
    pub(crate) fn notice(self, line: impl fmt::Display) {
        if !self.quiet {
            eprint_line(line);
        }
    }

    /// Sends the log of the lifecycle crates to standard error, if logging is requested.
    pub(crate) fn start_logging(self) {
        if !self.is_logging() {
            return;
        }
        let own_crates = Targets::new()
            .with_target("lifecycle", LevelFilter::DEBUG)
            .with_target("provider", LevelFilter::DEBUG);
        let log = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::DEBUG)
            .with_ansi(false)
            .with_writer(|| LogWriter)
            .finish()
            .with(own_crates)
            // The fields of an event name the call: a line does not repeat the fields of the spans.
            .with(filter_fn(|metadata| !metadata.is_span()));
        // Fails only if a log is already set. The command calls this function once.
        let _ = log.try_init();
    }
}

/// Writes log lines in plain text.
#[derive(Debug)]
struct LogWriter;

impl Write for LogWriter {
    /// Writes one log line: the log passes each line as a whole.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        eprint_line(String::from_utf8_lossy(line).trim_end());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Prints one line in plain text.
pub(crate) fn eprint_line(line: impl fmt::Display) {
    write_line(Style::new(), "", &line.to_string());
}

/// Prints an error in the format of clap's errors. Each line of `message` becomes a line.
pub(crate) fn eprint_error(message: &str) {
    const RED: Style = AnsiColor::Red.on_default().bold();
    let mut lines = message.lines();
    write_line(RED, "error: ", lines.next().unwrap_or_default());
    for line in lines {
        write_line(Style::new(), "", line);
    }
}

/// Prints a warning.
pub(crate) fn eprint_warning(message: &str) {
    const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
    write_line(YELLOW, "warning: ", message);
}

/// Writes one line to standard error. The only way of a text to standard error.
fn write_line(style: Style, label: &str, text: &str) {
    let text = shortened(text, LONGEST_MESSAGE);
    // A closed standard error must not hide the exit code.
    let _ = writeln!(anstream::stderr(), "{style}{label}{style:#}{text}");
}

//! A table on a terminal that is drawn again and again in the same place.

use std::{
    fmt::Write as _,
    io::{self, ErrorKind},
};

use ::console::{Term, truncate_str};

use super::{format::RowFormat, table::TableRenderer};
use crate::{
    exit::{CommandError, Exit},
    row::Row,
};

/// A table that replaces its last version.
pub(crate) struct Screen {
    terminal: Term,
    format: RowFormat,
    /// The number of lines of the last version.
    lines: usize,
}

impl Screen {
    /// Creates a screen on standard output.
    pub(crate) fn new(format: RowFormat) -> Self {
        Self {
            terminal: Term::stdout(),
            format,
            lines: 0,
        }
    }

    /// Draws the rows. Returns `false` if the terminal is closed.
    ///
    /// # Errors
    /// The terminal is not writable.
    pub(crate) fn draw(&mut self, rows: &[Row]) -> Result<bool, CommandError> {
        let mut rows = rows.to_vec();
        self.format.sort(&mut rows);
        let table = TableRenderer::for_stdout().page(&rows, &self.format, &mut Vec::new());
        let (height, width) = self.terminal.size();
        let lines = cut(&table, height.into(), width.into());
        let text = lines.concat();
        let drawn = self
            .terminal
            .clear_last_lines(self.lines)
            .and_then(|()| self.terminal.write_str(&text))
            .and_then(|()| self.terminal.flush());
        self.lines = lines.len();
        match drawn {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(unwritable(&error)),
        }
    }
}

fn unwritable(error: &io::Error) -> CommandError {
    CommandError {
        exit: Exit::Incomplete,
        message: format!("cannot write to standard output: {error}"),
        kind: None,
    }
}

/// Returns the lines that fit on a terminal. A line that the terminal would wrap, or lines above the first
/// line of the terminal, cannot be removed later.
fn cut(table: &str, height: usize, width: usize) -> Vec<String> {
    // The cursor needs a line, and the note about further lines.
    let room = height.saturating_sub(2).max(1);
    let total = table.lines().count();
    let mut lines: Vec<String> = table
        .lines()
        .take(room)
        .map(|line| truncate_str(line, width, "…").into_owned() + "\n")
        .collect();
    if total > room {
        let mut note = String::new();
        // Writing to a text does not fail.
        let _ = writeln!(note, "… and {} more lines", total - room);
        lines.push(note);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_cut_to_the_terminal() {
        assert_eq!(cut("abc\nd\n", 24, 80), ["abc\n", "d\n"]);
        assert_eq!(cut("abcdef\n", 24, 4), ["abc…\n"]);
        let lines = cut("1\n2\n3\n4\n5\n", 4, 80);
        assert_eq!(lines, ["1\n", "2\n", "… and 3 more lines\n"]);
    }
}

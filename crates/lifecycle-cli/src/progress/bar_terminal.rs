//! The terminal of the progress bars.

use std::io;

use ::console::Term;
use indicatif::TermLike;

use crate::terminal;

/// Standard error, with a free margin at the right.
///
/// The bars fill each line and leave the cursor at its end. There, the `^C` that a terminal shows for
/// Ctrl-C would begin a new line, and the first bar would stay on the screen. In the margin, the `^C`
/// disappears with the bars.
#[derive(Debug)]
pub(super) struct BarTerminal(Term);

/// The columns of two control characters and the cursor.
const MARGIN: u16 = 5;

impl BarTerminal {
    /// Returns `None` if standard error is not a terminal, or if the terminal has no room for bars.
    pub(super) fn stderr() -> Option<Self> {
        let terminal = Term::stderr();
        let has_room = terminal::width(&terminal)? > MARGIN + 1;
        (terminal.features().is_attended() && has_room).then_some(Self(terminal))
    }
}

impl TermLike for BarTerminal {
    fn width(&self) -> u16 {
        self.0.size().1.saturating_sub(MARGIN).max(1)
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_left(n)
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.0.write_line(line)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}

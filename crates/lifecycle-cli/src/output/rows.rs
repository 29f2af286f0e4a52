//! Rows of a list, printed while further rows arrive.

use super::{
    print_while_open,
    table::{Columns, TableRenderer},
};
use crate::{
    console::{Console, Format},
    exit::CommandError,
    row::Row,
};

/// Prints the rows of one table, or of one JSON array, part by part. Keeps no row.
pub(crate) struct RowWriter {
    columns: Columns,
    console: Console,
    renderer: TableRenderer,
    /// The widths of the columns so far; empty before the first row.
    widths: Vec<u16>,
    /// A row was printed.
    has_rows: bool,
}

/// The number of rows that are formatted at once.
const PART: usize = 1000;

impl RowWriter {
    /// Creates a writer to standard output.
    pub(crate) fn new(columns: Columns, console: Console) -> Self {
        Self {
            columns,
            console,
            renderer: TableRenderer::for_stdout(),
            widths: Vec::new(),
            has_rows: false,
        }
    }

    /// Returns `true` if a row was printed.
    pub(crate) fn has_rows(&self) -> bool {
        self.has_rows
    }

    /// Prints rows. Returns `false` if no program reads standard output any more.
    ///
    /// # Errors
    /// Standard output is not writable.
    pub(crate) fn write(&mut self, rows: &[Row]) -> Result<bool, CommandError> {
        for part in rows.chunks(PART) {
            let text = match self.console.output {
                Format::Table => {
                    self.renderer
                        .page(part, self.columns, self.console, &mut self.widths)
                }
                Format::Json => self.json(part)?,
            };
            self.has_rows = true;
            if !print_while_open(&text)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Prints the end: the last bracket of an array, or the header of a table without rows.
    ///
    /// # Errors
    /// Standard output is not writable.
    pub(crate) fn finish(mut self) -> Result<(), CommandError> {
        let text = match (self.console.output, self.has_rows) {
            (Format::Json, true) => "\n]\n".to_owned(),
            (Format::Json, false) => "[]\n".to_owned(),
            (Format::Table, true) => return Ok(()),
            (Format::Table, false) => {
                self.renderer
                    .page(&[], self.columns, self.console, &mut self.widths)
            }
        };
        print_while_open(&text).map(drop)
    }

    /// Returns elements of the array, with the text before them.
    fn json(&self, rows: &[Row]) -> Result<String, CommandError> {
        let mut text = String::new();
        let mut before = if self.has_rows { ",\n  " } else { "[\n  " };
        for row in rows {
            let row = serde_json::to_string(row).map_err(|error| {
                CommandError::nothing_done(format!("cannot write JSON: {error}"))
            })?;
            text.extend([before, &row]);
            before = ",\n  ";
        }
        Ok(text)
    }
}

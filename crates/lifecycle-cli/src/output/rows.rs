//! Rows of instances, printed while further rows arrive.

use super::{csv, format::RowFormat, json_object, print_while_open, table::TableRenderer};
use crate::{console::Format, exit::CommandError, row::Row};

/// Prints rows part by part. Keeps no row, unless the rows are sorted.
pub(crate) struct RowWriter {
    format: RowFormat,
    renderer: TableRenderer,
    /// The widths of the columns so far; empty before the first row.
    widths: Vec<u16>,
    /// The rows of a sorted output.
    kept: Vec<Row>,
    /// Rows or a header were printed.
    has_begun: bool,
    /// There was a row.
    has_rows: bool,
}

/// The number of rows that are formatted at once.
const PART: usize = 1000;

impl RowWriter {
    /// Creates a writer to standard output.
    pub(crate) fn new(format: RowFormat) -> Self {
        Self {
            format,
            renderer: TableRenderer::for_stdout(),
            widths: Vec::new(),
            kept: Vec::new(),
            has_begun: false,
            has_rows: false,
        }
    }

    /// Returns `true` if there was a row.
    pub(crate) fn has_rows(&self) -> bool {
        self.has_rows
    }

    /// Prints rows, or keeps rows that are sorted later. Returns `false` if no program reads standard
    /// output any more.
    ///
    /// # Errors
    /// Standard output is not writable.
    pub(crate) fn write(&mut self, rows: Vec<Row>) -> Result<bool, CommandError> {
        self.has_rows |= !rows.is_empty();
        if self.format.is_sorted() {
            self.kept.extend(rows);
            return Ok(true);
        }
        self.write_now(&rows)
    }

    fn write_now(&mut self, rows: &[Row]) -> Result<bool, CommandError> {
        for part in rows.chunks(PART) {
            if !self.print_part(part)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Prints the end: sorted rows, the last bracket of an array, or the header without rows.
    ///
    /// # Errors
    /// Standard output is not writable.
    pub(crate) fn finish(mut self) -> Result<(), CommandError> {
        let mut kept = std::mem::take(&mut self.kept);
        self.format.sort(&mut kept);
        if !self.write_now(&kept)? {
            return Ok(());
        }
        let end = match (self.format.format, self.has_begun) {
            (Format::Json, true) => "\n]\n",
            (Format::Json, false) => "[]\n",
            (Format::Table | Format::Csv, false) => {
                return self.print_part(&[]).map(drop);
            }
            _ => return Ok(()),
        };
        print_while_open(end).map(drop)
    }

    fn print_part(&mut self, rows: &[Row]) -> Result<bool, CommandError> {
        let text = match self.format.format {
            Format::Table => self.renderer.page(rows, &self.format, &mut self.widths),
            Format::Json => {
                let before = if self.has_begun { ",\n  " } else { "[\n  " };
                json(rows, before, ",\n  ")?
            }
            Format::Jsonl => json(rows, "", "\n")? + "\n",
            Format::Csv => {
                let header = match self.has_begun || !self.format.has_header {
                    true => String::new(),
                    false => csv::header(&self.format.columns)?,
                };
                header + &csv::rows(rows, &self.format.columns)?
            }
            Format::Ids => rows.iter().map(|row| row.instance() + "\n").collect(),
        };
        self.has_begun = true;
        print_while_open(&text)
    }
}

/// Returns JSON objects with a text before the first and a text between two.
fn json(rows: &[Row], before: &str, between: &str) -> Result<String, CommandError> {
    let mut text = String::new();
    let mut before = before;
    for row in rows {
        text.extend([before, &json_object(row)?]);
        before = between;
    }
    Ok(text)
}

//! The results on standard output: tables for people, one JSON array for programs.

mod rows;
mod table;

use std::io::{self, ErrorKind, Write};

use anstream::AutoStream;
use serde::Serialize;

use self::table::TableRenderer;
pub(crate) use self::{rows::RowWriter, table::Columns};
use crate::{
    check_result::CheckResult,
    console::{Console, Format},
    exit::{CommandError, Exit},
    row::Row,
    terminal::escaped_json,
};

/// Prints one row for each instance.
///
/// # Errors
/// See [`print()`].
pub(crate) fn print_rows(
    rows: &[Row],
    columns: Columns,
    console: Console,
) -> Result<(), CommandError> {
    print(&match console.output {
        Format::Json => json(rows)?,
        Format::Table => TableRenderer::for_stdout().instances(rows, columns, console),
    })
}

/// Prints a table of numbers with a first column of text.
///
/// # Errors
/// See [`print()`].
pub(crate) fn print_figures<const N: usize>(
    header: [&str; N],
    rows: &[[String; N]],
) -> Result<(), CommandError> {
    print(&TableRenderer::for_stdout().figures(header, rows))
}

/// Prints a table of text, with the longest text in the last column.
///
/// # Errors
/// See [`print()`].
pub(crate) fn print_texts<const N: usize>(
    header: [&str; N],
    rows: &[[String; N]],
) -> Result<(), CommandError> {
    print(&TableRenderer::for_stdout().texts(header, rows))
}

/// Prints the results of `doctor`, grouped by account and region.
///
/// # Errors
/// See [`print()`].
pub(crate) fn print_checks(results: &[CheckResult]) -> Result<(), CommandError> {
    print(&TableRenderer::for_stdout().checks(results))
}

/// Prints and flushes text.
///
/// # Errors
/// Standard output is not writable. A closed pipe is not an error.
pub(crate) fn print(text: &str) -> Result<(), CommandError> {
    print_while_open(text).map(drop)
}

/// Prints and flushes text. Returns `false` if no program reads standard output any more.
///
/// # Errors
/// See [`print()`].
fn print_while_open(text: &str) -> Result<bool, CommandError> {
    let mut stdout = AutoStream::auto(io::stdout().lock());
    let written = stdout.write_all(text.as_bytes());
    match written.and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(CommandError {
            exit: Exit::Incomplete,
            message: format!("cannot write to standard output: {error}"),
            kind: None,
        }),
    }
}

/// Returns one JSON array with one row on each line.
pub(crate) fn json<T: Serialize>(rows: &[T]) -> Result<String, CommandError> {
    let row = |row| serde_json::to_string(row).map(|json| escaped_json(&json));
    let rows: Result<Vec<String>, _> = rows.iter().map(row).collect();
    let rows =
        rows.map_err(|error| CommandError::nothing_done(format!("cannot write JSON: {error}")))?;
    Ok(if rows.is_empty() {
        "[]\n".to_owned()
    } else {
        format!("[\n  {}\n]\n", rows.join(",\n  "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_without_rows_is_an_empty_array() {
        assert_eq!(json::<Row>(&[]).unwrap(), "[]\n");
    }
}

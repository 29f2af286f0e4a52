//! The results on standard output: tables for people; JSON, CSV and references for programs.

mod columns;
mod csv;
mod detail;
mod format;
#[cfg(test)]
mod library_rows;
mod rows;
mod screen;
mod table;
mod value;

use std::io::{self, ErrorKind, Write};

use anstream::AutoStream;
use serde::Serialize;

use self::table::TableRenderer;
pub(crate) use self::{
    columns::{Column, RowKind, SCHEMA},
    format::{RowFormat, Sort},
    rows::RowWriter,
    screen::Screen,
};
use crate::{
    check_result::CheckResult,
    console::Format,
    exit::{CommandError, Exit},
    row::Row,
    terminal::escaped_json,
};

/// Prints one row for each instance.
///
/// # Errors
/// See [`print()`].
pub(crate) fn print_rows(rows: Vec<Row>, format: &RowFormat) -> Result<(), CommandError> {
    let mut writer = RowWriter::new(format.clone());
    if writer.write(rows)? {
        writer.finish()?;
    }
    Ok(())
}

/// Returns records as JSON, one on each line; `None` if the format is a table.
///
/// # Errors
/// The format has rows of instances only.
pub(crate) fn json_records<T: Serialize>(
    records: &[T],
    format: Format,
) -> Result<Option<String>, CommandError> {
    match format {
        Format::Table => Ok(None),
        Format::Json => json(records).map(Some),
        Format::Jsonl => {
            let lines: Result<Vec<String>, _> = records.iter().map(json_line).collect();
            Ok(Some(lines?.concat()))
        }
        Format::Csv | Format::Ids => Err(instances_only(format)),
    }
}

/// Returns the error of a format that another command than one on instances cannot print.
pub(crate) fn instances_only(format: Format) -> CommandError {
    let name = match format {
        Format::Csv => "csv",
        _ => "ids",
    };
    CommandError::wrong_usage(format!(
        "--output {name} prints rows of instances: write --output json, jsonl or table for this command"
    ))
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

/// Returns one JSON array with one record on each line.
fn json<T: Serialize>(records: &[T]) -> Result<String, CommandError> {
    let records: Result<Vec<String>, _> = records.iter().map(json_object).collect();
    let records = records?;
    Ok(if records.is_empty() {
        "[]\n".to_owned()
    } else {
        format!("[\n  {}\n]\n", records.join(",\n  "))
    })
}

/// Returns a record as a line of JSON.
pub(crate) fn json_line<T: Serialize>(record: &T) -> Result<String, CommandError> {
    json_object(record).map(|json| json + "\n")
}

/// Returns a record as JSON without line breaks.
fn json_object<T: Serialize>(record: &T) -> Result<String, CommandError> {
    let json = serde_json::to_string(record)
        .map_err(|error| CommandError::nothing_done(format!("cannot write JSON: {error}")))?;
    Ok(escaped_json(&json))
}

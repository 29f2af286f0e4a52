//! CSV, as RFC 4180 describes the format.
//!
//! Names and tags come from everybody who may name an instance, and spreadsheets execute a text that begins
//! like a formula. So such a text gets an apostrophe in front. Programs that need the exact text read JSON.

use std::borrow::Cow;

use csv::{Terminator, WriterBuilder};

use super::columns::Column;
use crate::{exit::CommandError, row::Row, terminal::plain};

/// Returns the line with the names of the columns.
///
/// # Errors
/// See [`lines`].
pub(super) fn header(columns: &[Column]) -> Result<String, CommandError> {
    let names = columns.iter().map(|column| column.name().into_owned());
    lines([names].into_iter())
}

/// Returns one line for each row.
///
/// # Errors
/// See [`lines`].
pub(super) fn rows(rows: &[Row], columns: &[Column]) -> Result<String, CommandError> {
    lines(rows.iter().map(|row| {
        let texts = columns.iter();
        texts.map(move |column| harmless(&plain(&column.text(row, false))).into_owned())
    }))
}

/// Returns lines of CSV.
///
/// # Errors
/// The `csv` crate cannot write to memory, which does not happen.
fn lines<L: Iterator<Item = String>>(
    lines: impl Iterator<Item = L>,
) -> Result<String, CommandError> {
    let failed =
        |problem: String| CommandError::nothing_done(format!("cannot write CSV: {problem}"));
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::Any(b'\n'))
        .from_writer(Vec::new());
    for line in lines {
        writer
            .write_record(line)
            .map_err(|error| failed(error.to_string()))?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| failed(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| failed(error.to_string()))
}

/// Returns a text that no spreadsheet executes as a formula. Spreadsheets of some languages accept the
/// full-width forms of the characters, too.
fn harmless(text: &str) -> Cow<'_, str> {
    const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    if text.trim_start().starts_with(FORMULA) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use lifecycle_facade::{InstanceId, Observation, PowerState};

    use super::*;

    fn named(name: &str) -> Row {
        let observation =
            Observation::new(InstanceId::new("i-1").unwrap(), PowerState::Running, "R")
                .with_name(Some(name.to_owned()));
        Row::of_observation("baidu/bj/i-1".parse().unwrap(), observation)
    }

    fn csv(name: &str) -> String {
        let columns = ["name", "state"].map(|column| column.parse().unwrap());
        rows(&[named(name)], &columns).unwrap()
    }

    #[test]
    fn text_with_commas_quotes_and_control_characters_is_one_cell() {
        for (name, expected) in [
            ("web", "web,running\n"),
            ("a,b", "\"a,b\",running\n"),
            ("a\"b", "\"a\"\"b\",running\n"),
            ("a\nb\u{1b}[2J", "a b�[2J,running\n"),
            ("", ",running\n"),
        ] {
            assert_eq!(csv(name), expected, "{name:?}");
        }
    }

    #[test]
    fn text_that_begins_like_a_formula_gets_an_apostrophe() {
        for name in [
            "=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", " =1", "\r=1", "＝1+1",
        ] {
            let cell = csv(name);
            assert!(cell.starts_with('\''), "{name:?}: {cell}");
        }
        assert!(csv("web=1").starts_with("web=1"));
    }
}

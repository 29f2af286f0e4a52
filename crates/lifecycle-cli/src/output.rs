//! Standard output: tables for people, one JSON array for programs.
//!
//! A table on a terminal has colours, and what does not fit beside an instance goes below it, so
//! that ids are never cut. Anywhere else it is plain text with one line for each instance.

use std::io::{self, ErrorKind, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use clap::builder::styling::Style;
use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ContentArrangement, Table, presets::NOTHING,
};
use serde::Serialize;

use crate::{
    commands::doctor::{CheckResult, CheckStatus},
    console::{Console, Format, plain},
    exit::{CommandError, Exit},
    row::Row,
};

/// Which columns a table of instances has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Columns {
    /// For what was asked of them.
    Outcomes,
    /// For what they are.
    States,
}

/// Prints one row for each instance.
///
/// # Errors
/// When standard output cannot be written to. A reader that has gone away is no error.
pub(crate) fn print_rows(
    rows: &[Row],
    columns: Columns,
    console: Console,
) -> Result<(), CommandError> {
    print(&match console.output {
        Format::Json => json(rows)?,
        Format::Table => Page::of_standard_output().instances(rows, columns, console),
    })
}

/// Prints a table whose columns are numbers, but for the first one.
///
/// # Errors
/// When standard output cannot be written to. A reader that has gone away is no error.
pub(crate) fn print_figures<const N: usize>(
    header: [&str; N],
    rows: &[[String; N]],
) -> Result<(), CommandError> {
    print(&Page::of_standard_output().figures(header, rows))
}

/// Prints a table of texts. The last column is the longest, and stands below where there is no room.
///
/// # Errors
/// When standard output cannot be written to. A reader that has gone away is no error.
pub(crate) fn print_texts<const N: usize>(
    header: [&str; N],
    rows: &[[String; N]],
) -> Result<(), CommandError> {
    print(&Page::of_standard_output().texts(header, rows))
}

/// Prints what `doctor` found, place by place.
///
/// # Errors
/// When standard output cannot be written to. A reader that has gone away is no error.
pub(crate) fn print_findings(findings: &[CheckResult]) -> Result<(), CommandError> {
    print(&Page::of_standard_output().findings(findings))
}

/// Prints text, and makes sure that it has gone out.
///
/// # Errors
/// When standard output cannot be written to. A reader that has gone away is no error.
pub(crate) fn print(text: &str) -> Result<(), CommandError> {
    let mut stdout = AutoStream::auto(io::stdout().lock());
    let written = stdout.write_all(text.as_bytes());
    match written.and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CommandError {
            exit: Exit::Incomplete,
            message: format!("standard output cannot be written to: {error}"),
            kind: None,
        }),
        _ => Ok(()),
    }
}

/// One array, one row on a line.
pub(crate) fn json<T: Serialize>(rows: &[T]) -> Result<String, CommandError> {
    let rows: Result<Vec<String>, _> = rows.iter().map(serde_json::to_string).collect();
    let rows = rows.map_err(|error| CommandError::nothing_done(format!("no JSON: {error}")))?;
    Ok(if rows.is_empty() {
        "[]\n".to_owned()
    } else {
        format!("[\n  {}\n]\n", rows.join(",\n  "))
    })
}

impl Columns {
    /// All but the last one, which is [`DETAIL`].
    fn header(self) -> [&'static str; 3] {
        match self {
            Self::Outcomes => ["INSTANCE", "OUTCOME", "STATE"],
            Self::States => ["INSTANCE", "STATE", "NAME"],
        }
    }

    fn cells(self, row: &Row) -> Vec<Cell> {
        let instance = Cell::new(&row.instance);
        match self {
            Self::Outcomes => vec![instance, outcome(row), state(row)],
            Self::States => {
                let name = plain(row.name.as_deref().unwrap_or_default());
                vec![instance, state(row), Cell::new(name)]
            }
        }
    }
}

fn outcome(row: &Row) -> Cell {
    let word = row.outcome.unwrap_or(NONE);
    Cell::new(word).fg(match word {
        "reached" | "accepted" | "unchanged" => Color::DarkGreen,
        "pending" | "uncertain" => Color::DarkYellow,
        _ => Color::DarkRed,
    })
}

fn verdict(verdict: CheckStatus) -> Cell {
    let cell = Cell::new(verdict.as_str());
    match verdict {
        CheckStatus::Ok => cell.fg(Color::DarkGreen),
        CheckStatus::Warning => cell.fg(Color::DarkYellow),
        CheckStatus::Failed => cell.fg(Color::DarkRed),
        CheckStatus::Skipped => cell.add_attribute(Attribute::Dim),
    }
}

fn state(row: &Row) -> Cell {
    let word = row.state.unwrap_or(NONE);
    let cell = Cell::new(word);
    match word {
        "running" => cell.fg(Color::DarkGreen),
        "stopped" | NONE => cell.add_attribute(Attribute::Dim),
        "expired" | "failed" | "recycled" | "deleted" => cell.fg(Color::DarkRed),
        _ => cell.fg(Color::DarkYellow),
    }
}

/// The last column of instances. It has no head where details stand below.
const DETAIL: &str = "DETAIL";
/// What stands where there is nothing to say.
const NONE: &str = "-";

/// What there is to say of an instance besides its columns. Success needs no words.
fn detail(row: &Row, verbose: bool) -> String {
    if row.is_as_requested() && row.outcome.is_some() && !verbose {
        return row.remark().to_owned();
    }
    let message = row.message.clone().unwrap_or_default();
    let unsaid = |part: &&String| !message.contains(part.as_str());
    let code = row.code.iter().filter(unsaid);
    let request = row.request_id.iter().filter(unsaid);
    plain(
        &code
            .map(|code| format!("{code}: "))
            .chain([message.clone()])
            .chain(request.map(|id| format!(" (request {id})")))
            .collect::<String>(),
    )
}

/// What a table is laid out for.
#[derive(Clone, Copy, Debug)]
struct Page {
    /// Columns of the terminal; `None` for no end.
    width: Option<u16>,
    /// The stream would take colours out, but not the blanks that they leave at the ends of lines.
    styled: bool,
}

/// Between two columns.
const GAP: u16 = 2;
/// Before the lines of a detail that stands below its instance.
const INDENT: u16 = 4;

impl Page {
    fn of_standard_output() -> Self {
        let stdout = io::stdout();
        Self {
            width: stdout.is_terminal().then(|| Table::new().width()).flatten(),
            styled: AutoStream::choice(&stdout) != ColorChoice::Never,
        }
    }

    fn instances(self, rows: &[Row], columns: Columns, console: Console) -> String {
        let table = self.table(&columns.header(), rows.iter().map(|row| columns.cells(row)));
        let details = rows.iter().map(|row| detail(row, console.is_verbose()));
        self.with_last_column(&table, DETAIL, details)
    }

    fn texts<const N: usize>(self, header: [&str; N], rows: &[[String; N]]) -> String {
        let Some((last, columns)) = header.split_last() else {
            return String::new();
        };
        let cells = rows
            .iter()
            .map(|row| row.iter().take(columns.len()).map(Cell::new).collect());
        let table = self.table(columns, cells);
        let lasts = rows
            .iter()
            .map(|row| row.last().cloned().unwrap_or_default());
        self.with_last_column(&table, last, lasts)
    }

    fn findings(self, findings: &[CheckResult]) -> String {
        const INDENT: &str = "  ";
        let indented = Self {
            width: self.width.map(|width| width.saturating_sub(2)),
            ..self
        };
        let mut page = String::new();
        for place in findings.chunk_by(|one, next| one.place == next.place) {
            let Some(first) = place.first() else {
                continue;
            };
            push_line(&mut page, &self.heading(&first.place));
            let cells = place
                .iter()
                .map(|finding| vec![verdict(finding.verdict), Cell::new(finding.check)]);
            let table = self.table(&["", ""], cells);
            let details = place.iter().map(|finding| match &finding.advice {
                Some(advice) => plain(&format!("{} ({advice})", finding.detail)),
                None => plain(&finding.detail),
            });
            let lines = indented.with_last_column(&table, "", details);
            for line in lines.lines().skip(1) {
                push_line(&mut page, &format!("{INDENT}{line}"));
            }
        }
        page
    }

    /// The lines of a table, each with a text that stands beside it where there is room, and below
    /// it where there is none.
    fn with_last_column(
        self,
        table: &Table,
        name: &str,
        texts: impl Iterator<Item = String>,
    ) -> String {
        let widths = table.column_max_content_widths();
        let room = self.width.map(|page| {
            let without = |room: u16, column: &u16| room.saturating_sub(column.saturating_add(GAP));
            widths.iter().fold(page, without)
        });
        let mut lines = table.lines();
        let mut page = String::new();
        if let Some(header) = lines.next() {
            let fits = room.is_none_or(|room| width(name) <= room);
            let name = self.heading(if fits { name } else { "" });
            push_line(&mut page, &format!("{header}{name}"));
        }
        for (line, detail) in lines.zip(texts) {
            if room.is_none_or(|room| width(&detail) <= room) {
                push_line(&mut page, &format!("{line}{detail}"));
            } else {
                push_line(&mut page, &line);
                self.push_below(&mut page, &detail);
            }
        }
        page
    }

    fn figures<const N: usize>(self, header: [&str; N], rows: &[[String; N]]) -> String {
        let cells = rows.iter().map(|row| row.iter().map(Cell::new).collect());
        let mut table = self.table(&header, cells);
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let mut page = String::new();
        for line in table.lines() {
            push_line(&mut page, &line);
        }
        page
    }

    /// A table without rules, as wide as its content. Its first line is the header.
    fn table(self, header: &[&str], rows: impl Iterator<Item = Vec<Cell>>) -> Table {
        let mut table = Table::new();
        table
            .load_preset(NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .force_no_tty()
            .set_header(
                header
                    .iter()
                    .map(|name| Cell::new(name).add_attribute(Attribute::Bold)),
            )
            .add_rows(rows);
        if self.styled {
            table.enforce_styling();
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, GAP));
        }
        table
    }

    /// A heading that is in no table.
    fn heading(self, name: &str) -> String {
        const BOLD: Style = Style::new().bold();
        if self.styled {
            format!("{BOLD}{name}{BOLD:#}")
        } else {
            name.to_owned()
        }
    }

    /// Wraps a detail below the line that it belongs to.
    fn push_below(self, page: &mut String, detail: &str) {
        let mut table = Table::new();
        table
            .load_preset(NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .add_row([detail]);
        if let Some(width) = self.width {
            table.set_width(width);
        }
        if let Some(column) = table.column_mut(0) {
            column.set_padding((INDENT, 0));
        }
        for line in table.lines() {
            push_line(page, &line);
        }
    }
}

fn push_line(page: &mut String, line: &str) {
    page.push_str(line.trim_end());
    page.push('\n');
}

/// How many columns of a terminal a text takes: Chinese messages take two for each character.
fn width(text: &str) -> u16 {
    let mut table = Table::new();
    table.add_row([text]);
    let widths = table.column_max_content_widths();
    widths.first().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use lifecycle_facade::{InstanceId, Observation, PowerState};

    use super::*;

    const CONSOLE: Console = Console {
        output: Format::Table,
        verbose: 0,
        in_simulated_time: false,
    };

    fn row(instance: &str, message: &str) -> Row {
        Row::interrupted(&instance.parse().unwrap(), "pending", message)
    }

    fn page(width: Option<u16>, rows: &[Row]) -> String {
        let styled = false;
        Page { width, styled }.instances(rows, Columns::Outcomes, CONSOLE)
    }

    #[test]
    fn details_stand_beside_where_there_is_room_and_below_where_there_is_none() {
        let rows = [
            row("baidu/bj/i-a1b2c3d4", "short"),
            row(
                "zenlayer/global/1234567890",
                "much too long to stand beside it",
            ),
        ];
        assert_eq!(
            page(Some(56), &rows),
            "\
INSTANCE                    OUTCOME  STATE  DETAIL
baidu/bj/i-a1b2c3d4         pending  -      short
zenlayer/global/1234567890  pending  -
    much too long to stand beside it
"
        );
        assert_eq!(
            page(None, &rows),
            "\
INSTANCE                    OUTCOME  STATE  DETAIL
baidu/bj/i-a1b2c3d4         pending  -      short
zenlayer/global/1234567890  pending  -      much too long to stand beside it
"
        );
    }

    #[test]
    fn ids_are_never_cut_and_words_wrap() {
        let id = "huawei/cn-north-4/616fb98f-46ca-475e-917e-2563e5a8cd19";
        let page = page(
            Some(40),
            &[row(id, "one two three four five six seven eight nine")],
        );
        let lines: Vec<_> = page.lines().collect();
        assert!(lines[1].starts_with(id), "{page}");
        assert_eq!(
            lines[2..],
            ["    one two three four five six seven", "    eight nine"]
        );
    }

    #[test]
    fn what_others_write_cannot_steer_the_terminal() {
        let id = InstanceId::new("i-1").unwrap();
        let mut observation = Observation::new(id, PowerState::Running, "Running");
        observation.name = Some("web\u{1b}[2J\n1".into());
        let row = Row::of_observation(&"baidu/bj/i-1".parse().unwrap(), &observation);
        let page = Page {
            width: None,
            styled: true,
        };
        let text = page.instances(&[row], Columns::States, CONSOLE);
        assert_eq!(text.lines().count(), 2, "{text:?}");
        assert!(text.contains("\u{1b}["), "no styles: {text:?}");
        assert!(!text.contains("\u{1b}[2J"), "{text:?}");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(width("实例"), 4);
        assert_eq!(width("abc"), 3);
    }

    #[test]
    fn no_rows_are_an_array_too() {
        assert_eq!(json::<Row>(&[]).unwrap(), "[]\n");
    }
}

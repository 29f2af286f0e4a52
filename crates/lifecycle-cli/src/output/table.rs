//! Tables. A table on a terminal has colours, and a long text continues below its line, so that
//! instance ids are never cut. A table in a pipe is plain text, one line per row.

use std::io::{self, IsTerminal};

use anstream::{AutoStream, ColorChoice};
use clap::builder::styling::Style;
use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, Width,
    presets::NOTHING,
};

use super::{columns::Column, format::RowFormat};
use crate::{
    check_result::{CheckResult, CheckStatus},
    row::Row,
    terminal::{LONGEST_MESSAGE, LONGEST_NAME, known_width, plain, shortened},
};

/// Returns a cell with plain text.
fn cell(text: impl AsRef<str>) -> Cell {
    Cell::new(plain(text.as_ref()))
}

/// Returns a message as plain text. A cloud or a proxy can send a page in place of a message.
fn message(text: impl AsRef<str>) -> String {
    shortened(text.as_ref(), LONGEST_MESSAGE)
}

/// The text of an empty cell.
const NONE: &str = "-";

/// Returns the cell of a column in a row. A reference is never cut, so that it can be copied.
fn row_cell(column: &Column, row: &Row, verbose: bool) -> Cell {
    let text = column.text(row, verbose);
    let text = if text.is_empty() { NONE } else { &*text };
    match &*column.name() {
        "instance" => cell(text),
        "outcome" => outcome_cell(text),
        "state" if row.is_changed() => state_cell(text).add_attribute(Attribute::Reverse),
        "state" => state_cell(text),
        _ => cell(shortened(text, LONGEST_NAME)),
    }
}

fn outcome_cell(word: &str) -> Cell {
    cell(word).fg(match word {
        "reached" | "accepted" | "unchanged" => Color::DarkGreen,
        "pending" | "uncertain" => Color::DarkYellow,
        _ => Color::DarkRed,
    })
}

fn state_cell(word: &str) -> Cell {
    let cell = cell(word);
    match word {
        "running" => cell.fg(Color::DarkGreen),
        "stopped" | NONE => cell.add_attribute(Attribute::Dim),
        "expired" | "failed" | "recycled" | "deleted" => cell.fg(Color::DarkRed),
        _ => cell.fg(Color::DarkYellow),
    }
}

fn status_cell(status: CheckStatus) -> Cell {
    let cell = cell(status.as_str());
    match status {
        CheckStatus::Ok => cell.fg(Color::DarkGreen),
        CheckStatus::Warning => cell.fg(Color::DarkYellow),
        CheckStatus::Failed => cell.fg(Color::DarkRed),
        CheckStatus::Skipped => cell.add_attribute(Attribute::Dim),
    }
}

/// The layout of a table for an output stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct TableRenderer {
    /// Width of the terminal in columns; `None` for unlimited.
    width: Option<u16>,
    /// Set if the stream shows colours. Another stream would remove the colours, but not the spaces
    /// between colour and line end.
    styled: bool,
}

/// Spaces between two columns.
const GAP: u16 = 2;
/// Spaces before a text below its line.
const INDENT: u16 = 4;

impl TableRenderer {
    pub(super) fn for_stdout() -> Self {
        let stdout = io::stdout();
        Self {
            width: known_width(stdout.is_terminal().then(|| Table::new().width()).flatten()),
            styled: AutoStream::choice(&stdout) != ColorChoice::Never,
        }
    }

    /// Returns a part of a long table. `widths` has the widths of the columns so far, so the columns
    /// of all parts are in line, unless a later part is wider. Only the first part has a header.
    pub(super) fn page(self, rows: &[Row], format: &RowFormat, widths: &mut Vec<u16>) -> String {
        // Details are long, and can stand below their line.
        let (columns, last) = match format.columns.split_last() {
            Some((last @ Column::Detail, columns)) if !columns.is_empty() => (columns, Some(last)),
            _ => (&*format.columns, None),
        };
        let header: Vec<String> = columns.iter().map(Column::header).collect();
        let cells = rows.iter().map(|row| {
            let cells = columns.iter();
            cells
                .map(|column| row_cell(column, row, format.verbose))
                .collect()
        });
        let mut table = self.table(&header, cells);
        let is_first = widths.is_empty();
        let own = table.column_max_content_widths();
        widths.resize(own.len(), 0);
        for ((width, own), column) in widths.iter_mut().zip(own).zip(table.column_iter_mut()) {
            *width = own.max(*width);
            let padded = width.saturating_add(GAP);
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(padded)));
        }
        let page = match last {
            Some(last) => {
                let details = rows.iter().map(|row| last.text(row, format.verbose).into());
                self.with_last_column(&table, widths, &last.header(), details)
            }
            None => lines(&table),
        };
        match page.split_once('\n') {
            Some((_, rows)) if !is_first || !format.has_header => rows.to_owned(),
            _ => page,
        }
    }

    pub(super) fn texts<const N: usize>(self, header: [&str; N], rows: &[[String; N]]) -> String {
        let Some((last, columns)) = header.split_last() else {
            return String::new();
        };
        let first_cells = |count| {
            let cells = rows.iter().map(move |row| row.iter().take(count));
            cells.map(|row| row.map(|text| cell(message(text))).collect())
        };
        let table = self.table(columns, first_cells(columns.len()));
        let widths = table.column_max_content_widths();
        let fitting = self.fitting(&widths);
        if let Some(columns) = columns.get(..fitting).filter(|_| fitting < columns.len()) {
            let table = self.table(columns, first_cells(fitting));
            return self.with_fields_below(&table, &header, rows, fitting);
        }
        let lasts = rows
            .iter()
            .map(|row| row.last().map(message).unwrap_or_default());
        self.with_last_column(&table, &widths, last, lasts)
    }

    /// Returns the number of columns that fit into a line, at least 1.
    fn fitting(self, widths: &[u16]) -> usize {
        let Some(total) = self.width else {
            return widths.len();
        };
        let mut end = 0_u16;
        let ends = widths.iter().map(|width| {
            let own = end.saturating_add(*width);
            end = own.saturating_add(GAP);
            own
        });
        ends.take_while(|end| *end <= total).count().max(1)
    }

    /// Adds the columns after the first `shown` columns below each line, with their headers, because the terminal is
    /// too narrow for the whole table.
    fn with_fields_below<const N: usize>(
        self,
        table: &Table,
        header: &[&str; N],
        rows: &[[String; N]],
        shown: usize,
    ) -> String {
        let mut lines = table.lines();
        let mut page = String::new();
        if let Some(header) = lines.next() {
            push_line(&mut page, &header);
        }
        for (line, row) in lines.zip(rows) {
            push_line(&mut page, &line);
            let fields = header.iter().zip(row).skip(shown);
            let fields = fields.filter(|(_, text)| !text.is_empty() && *text != NONE);
            let fields: Vec<String> = fields
                .map(|(name, text)| format!("{}: {}", name.to_lowercase(), message(text)))
                .collect();
            if !fields.is_empty() {
                self.push_below(&mut page, &fields.join("; "));
            }
        }
        page
    }

    pub(super) fn figures<const N: usize>(self, header: [&str; N], rows: &[[String; N]]) -> String {
        let cells = rows.iter().map(|row| row.iter().map(Cell::new).collect());
        let mut table = self.table(&header, cells);
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        lines(&table)
    }

    pub(super) fn checks(self, results: &[CheckResult]) -> String {
        const INDENT: &str = "  ";
        let indented = Self {
            width: known_width(self.width.map(|width| width.saturating_sub(2))),
            ..self
        };
        let mut text = String::new();
        for group in results.chunk_by(|one, next| one.location == next.location) {
            let Some(first) = group.first() else {
                continue;
            };
            push_line(&mut text, &self.heading(&plain(&first.location)));
            let cells = group
                .iter()
                .map(|result| vec![status_cell(result.status), cell(result.check)]);
            let table = self.table(&["", ""], cells);
            let details = group.iter().map(|result| match &result.advice {
                Some(advice) => format!("{} ({advice})", message(&result.detail)),
                None => message(&result.detail),
            });
            let widths = table.column_max_content_widths();
            let lines = indented.with_last_column(&table, &widths, "", details);
            for line in lines.lines().skip(1) {
                push_line(&mut text, &format!("{INDENT}{line}"));
            }
        }
        text
    }

    /// Adds a column of text to the lines of a table: beside the line if the width allows, else
    /// below.
    fn with_last_column(
        self,
        table: &Table,
        widths: &[u16],
        name: &str,
        texts: impl Iterator<Item = String>,
    ) -> String {
        let room = self.width.map(|total| {
            let without = |room: u16, column: &u16| room.saturating_sub(column.saturating_add(GAP));
            widths.iter().fold(total, without)
        });
        let fits = |text: &str| room.is_none_or(|room| width(text) <= room);
        let mut lines = table.lines();
        let mut page = String::new();
        if let Some(header) = lines.next() {
            let name = self.heading(if fits(name) { name } else { "" });
            push_line(&mut page, &format!("{header}{name}"));
        }
        for (line, text) in lines.zip(texts) {
            let text = plain(&text);
            if fits(&text) {
                push_line(&mut page, &format!("{line}{text}"));
            } else if text.is_empty() || text == NONE {
                push_line(&mut page, &line);
            } else {
                push_line(&mut page, &line);
                self.push_below(&mut page, &text);
            }
        }
        page
    }

    /// Returns a table without borders, as wide as its content, with the header in the first line.
    fn table(self, header: &[impl AsRef<str>], rows: impl Iterator<Item = Vec<Cell>>) -> Table {
        let mut table = Table::new();
        table
            .load_preset(NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .force_no_tty()
            .set_header(
                header
                    .iter()
                    .map(|name| cell(name).add_attribute(Attribute::Bold)),
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

    /// Returns a heading outside a table.
    fn heading(self, name: &str) -> String {
        const BOLD: Style = Style::new().bold();
        if self.styled {
            format!("{BOLD}{name}{BOLD:#}")
        } else {
            name.to_owned()
        }
    }

    /// Appends a text below its line, wrapped to the width.
    fn push_below(self, page: &mut String, text: &str) {
        let mut table = Table::new();
        table
            .load_preset(NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .add_row([text]);
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

/// Returns the lines of a table without spaces at their ends.
fn lines(table: &Table) -> String {
    let mut text = String::new();
    for line in table.lines() {
        push_line(&mut text, &line);
    }
    text
}

/// Appends a line without spaces at its end, also before the codes that end a colour: spaces beyond the width of a
/// terminal become a line of their own.
fn push_line(page: &mut String, line: &str) {
    let mut text = line.trim_end();
    let mut codes = Vec::new();
    while let Some((before, code)) = text.rsplit_once('\u{1b}')
        && code.starts_with('[')
        && code.find('m') == Some(code.len() - 1)
    {
        codes.push(code);
        text = before.trim_end();
    }
    page.push_str(text);
    for code in codes.iter().rev() {
        page.push('\u{1b}');
        page.push_str(code);
    }
    page.push('\n');
}

/// Returns the columns that a text takes on a terminal, two for each Chinese character.
fn width(text: &str) -> u16 {
    let mut table = Table::new();
    table.add_row([text]);
    let widths = table.column_max_content_widths();
    widths.first().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use lifecycle_facade::{FleetRow, InstanceId, Observation, Outcome, Pending, PowerState};

    use super::super::{columns::RowKind, detail::detail};
    use super::*;
    use crate::{
        console::{Console, Format},
        row::RequestKind,
    };

    const CONSOLE: Console = Console {
        output: Format::Table,
        verbose: 0,
        quiet: false,
        simulated_time: false,
    };

    fn format(rows: RowKind) -> RowFormat {
        RowFormat::default_of(rows, CONSOLE)
    }

    fn row(instance: &str, message: &str) -> Row {
        let outcome = Outcome::Pending(Pending::Vanished);
        let report = FleetRow::new(instance.parse().unwrap(), outcome);
        let mut row = Row::of_report(&report, RequestKind::Action);
        row.message = Some(message.to_owned());
        row
    }

    fn table(width: Option<u16>, rows: &[Row]) -> String {
        let styled = false;
        TableRenderer { width, styled }.page(rows, &format(RowKind::Outcomes), &mut Vec::new())
    }

    #[test]
    fn columns_that_do_not_fit_the_terminal_stand_below_their_line_with_their_names() {
        let rows = [
            [
                "web",
                "running",
                "20:00",
                "2026-12-31",
                "until 22:00: release",
            ],
            ["database", "stopped", "-", "-", "-"],
        ];
        let rows = rows.map(|row| row.map(str::to_owned));
        let header = ["GROUP", "WANTED", "NEXT CHANGE", "ENDS", "HOLD"];
        let texts = |width| {
            let styled = false;
            TableRenderer { width, styled }.texts(header, &rows)
        };
        assert_eq!(
            texts(Some(40)),
            "GROUP     WANTED   NEXT CHANGE\n\
             web       running  20:00\n    \
                 ends: 2026-12-31; hold: until 22:00:\n    \
                 release\n\
             database  stopped  -\n"
        );
        // The last column alone stands below without its name, and an empty one does not.
        assert_eq!(
            texts(Some(43)),
            "GROUP     WANTED   NEXT CHANGE  ENDS\n\
             web       running  20:00        2026-12-31\n    \
                 until 22:00: release\n\
             database  stopped  -            -\n"
        );
        let wide = texts(None);
        assert_eq!(wide.lines().count(), 3, "{wide}");
        // A terminal that is narrower than the first column.
        assert!(
            texts(Some(5)).starts_with("GROUP\nweb\n"),
            "{}",
            texts(Some(5))
        );
    }

    #[test]
    fn line_has_no_spaces_before_the_codes_at_its_end() {
        let mut page = String::new();
        push_line(&mut page, "\u{1b}[1mNAME    \u{1b}[0m\u{1b}[1m \u{1b}[0m  ");
        push_line(&mut page, "a \u{1b}[1mb\u{1b}[0m c  ");
        let name = "\u{1b}[1mNAME\u{1b}[0m\u{1b}[1m\u{1b}[0m\n";
        assert_eq!(page, name.to_owned() + "a \u{1b}[1mb\u{1b}[0m c\n");
    }

    #[test]
    fn empty_detail_needs_no_line_of_its_own() {
        for width in 1..60 {
            let table = table(Some(width), &[row("baidu/bj/i-1", "")]);
            assert_eq!(table.lines().count(), 2, "{width}: {table}");
        }
    }

    #[test]
    fn parts_of_a_long_table_have_one_header_and_are_in_line() {
        let renderer = TableRenderer {
            width: None,
            styled: false,
        };
        let mut widths = Vec::new();
        let mut page = |row| renderer.page(&[row], &format(RowKind::Outcomes), &mut widths);
        let parts = [
            page(row("baidu/bj/i-a1b2c3d4", "one")),
            page(row("baidu/bj/i-1", "two")),
            page(row("zenlayer/global/1234567890", "three")),
            page(row("baidu/bj/i-1", "four")),
        ];
        assert_eq!(
            parts.concat(),
            "\
INSTANCE             OUTCOME  STATE  DETAIL
baidu/bj/i-a1b2c3d4  pending  -      one
baidu/bj/i-1         pending  -      two
zenlayer/global/1234567890  pending  -      three
baidu/bj/i-1                pending  -      four
"
        );
    }

    #[test]
    fn detail_is_beside_its_instance_if_the_width_allows_else_below() {
        let rows = [
            row("baidu/bj/i-a1b2c3d4", "short"),
            row(
                "zenlayer/global/1234567890",
                "much too long to stand beside it",
            ),
        ];
        assert_eq!(
            table(Some(56), &rows),
            "\
INSTANCE                    OUTCOME  STATE  DETAIL
baidu/bj/i-a1b2c3d4         pending  -      short
zenlayer/global/1234567890  pending  -
    much too long to stand beside it
"
        );
        assert_eq!(
            table(None, &rows),
            "\
INSTANCE                    OUTCOME  STATE  DETAIL
baidu/bj/i-a1b2c3d4         pending  -      short
zenlayer/global/1234567890  pending  -      much too long to stand beside it
"
        );
    }

    #[test]
    fn narrow_terminal_wraps_details_and_cuts_no_id() {
        let id = "huawei/cn-north-4/616fb98f-46ca-475e-917e-2563e5a8cd19";
        let text = table(
            Some(40),
            &[row(id, "one two three four five six seven eight nine")],
        );
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[1].starts_with(id), "{text}");
        assert_eq!(
            lines[2..],
            ["    one two three four five six seven", "    eight nine"]
        );
    }

    #[test]
    fn control_characters_of_the_cloud_are_not_printed() {
        let id = InstanceId::new("i-1").unwrap();
        let mut observation = Observation::new(id, PowerState::Running, "Running");
        observation.name = Some("web\u{1b}[2J\n1".into());
        let row = Row::of_observation("baidu/bj/i-1".parse().unwrap(), observation);
        let renderer = TableRenderer {
            width: None,
            styled: true,
        };
        let text = renderer.page(&[row], &format(RowKind::States), &mut Vec::new());
        assert_eq!(text.lines().count(), 2, "{text:?}");
        assert!(text.contains("\u{1b}["), "no styles: {text:?}");
        assert!(!text.contains("\u{1b}[2J"), "{text:?}");
    }

    #[test]
    fn long_message_of_another_table_is_cut() {
        let long = "x".repeat(1 << 20);
        let (width, styled) = (Some(80), false);
        let rows = [["web".to_owned(), long.clone(), long]];
        let text = TableRenderer { width, styled }.texts(["A", "B", "C"], &rows);
        assert!(text.len() < 3 * LONGEST_MESSAGE, "{}", text.len());
    }

    #[test]
    fn long_code_request_id_and_name_are_cut() {
        let mut row = row("baidu/bj/i-1", "short");
        row.code = Some("C".repeat(10_000));
        row.request_id = Some("R".repeat(10_000));
        let id = InstanceId::new("i-1").unwrap();
        let observation = Observation::new(id, PowerState::Running, "Running");
        row.observation = Some(observation.with_name(Some("N".repeat(10_000))));
        let text = detail(&row, false);
        assert!(
            text.starts_with("CCC") && text.contains("…: short (request RRR"),
            "{text}"
        );
        assert!(text.chars().count() < 300, "{text}");
        let renderer = TableRenderer {
            width: None,
            styled: false,
        };
        let text = renderer.page(&[row], &format(RowKind::States), &mut Vec::new());
        assert!(text.len() < 800, "{text}");
    }

    #[test]
    fn columns_are_in_the_requested_order_with_and_without_a_header() {
        let renderer = TableRenderer {
            width: None,
            styled: false,
        };
        let mut format = format(RowKind::Outcomes);
        format.columns = ["state", "id", "detail", "cloud"]
            .map(|name| name.parse().unwrap())
            .into();
        let page = |format: &RowFormat| {
            renderer.page(&[row("baidu/bj/i-1", "gone")], format, &mut Vec::new())
        };
        assert_eq!(
            page(&format),
            "STATE  ID   DETAIL  CLOUD\n-      i-1  gone    baidu\n"
        );
        format.has_header = false;
        assert_eq!(page(&format), "-      i-1  gone    baidu\n");
    }

    #[test]
    fn chinese_character_takes_two_columns() {
        assert_eq!(width("实例"), 4);
        assert_eq!(width("abc"), 3);
    }
}

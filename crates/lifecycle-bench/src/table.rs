//! Tables of benchmark results, for terminals and for Markdown.

use std::fmt::Write;

/// A table with a title.
#[derive(Debug)]
pub(crate) struct Table {
    title: &'static str,
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// The medium of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    Terminal,
    Markdown,
}

impl Table {
    pub(crate) fn new<const N: usize>(title: &'static str, head: [&'static str; N]) -> Self {
        Self {
            title,
            head: head.into(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row<const N: usize>(&mut self, row: [String; N]) {
        self.rows.push(row.into());
    }

    /// Returns the table as text, every column as wide as its widest cell. Columns after the first are
    /// flush right, because nearly all of them are numbers.
    pub(crate) fn text(&self, form: Form) -> String {
        let head: Vec<String> = self.head.iter().map(ToString::to_string).collect();
        let widths: Vec<usize> = (0..head.len())
            .map(|column| {
                let cells = self.rows.iter().chain([&head]);
                let widths = cells.filter_map(|row| Some(row.get(column)?.chars().count()));
                widths.max().unwrap_or_default()
            })
            .collect();
        let rule: Vec<String> = widths
            .iter()
            .enumerate()
            .map(|(column, &width)| match (form, column) {
                // The colon makes Markdown set the column flush right, too.
                (Form::Markdown, 1..) => format!("{:->width$}", ":"),
                _ => "-".repeat(width),
            })
            .collect();
        let mut text = match form {
            Form::Terminal => format!("{}\n\n", self.title),
            Form::Markdown => format!("### {}\n\n", self.title),
        };
        for row in [&head, &rule].into_iter().chain(&self.rows) {
            text += &line(row, &widths, form);
        }
        text
    }
}

/// Returns the text of a target: met or missed.
pub(crate) fn verdict(target: &str, met: bool) -> String {
    format!("{target}: {}", if met { "met" } else { "missed" })
}

fn line(cells: &[String], widths: &[usize], form: Form) -> String {
    let mut line = String::new();
    for (column, (cell, &width)) in cells.iter().zip(widths).enumerate() {
        let before = match (form, column) {
            (Form::Markdown, 0) => "| ",
            (Form::Markdown, _) => " | ",
            (Form::Terminal, 0) => "",
            (Form::Terminal, _) => "  ",
        };
        line += before;
        // Writing to a text cannot fail.
        let _ = match column {
            0 => write!(line, "{cell:<width$}"),
            _ => write!(line, "{cell:>width$}"),
        };
    }
    line += match form {
        Form::Markdown => " |\n",
        Form::Terminal => "\n",
    };
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new("Figures", ["cloud", "ns", "x"]);
        table.row(["baidu".to_owned(), "12345".to_owned(), "1.5".to_owned()]);
        table.row(["µ".to_owned(), "1".to_owned(), "é".to_owned()]);
        table
    }

    #[test]
    fn a_terminal_gets_columns() {
        let expected = "Figures\n\n\
            cloud     ns    x\n\
            -----  -----  ---\n\
            baidu  12345  1.5\n\
            µ          1    é\n";
        assert_eq!(table().text(Form::Terminal), expected);
    }

    #[test]
    fn markdown_gets_a_table_with_numbers_flush_right() {
        let expected = "### Figures\n\n\
            | cloud |    ns |   x |\n\
            | ----- | ----: | --: |\n\
            | baidu | 12345 | 1.5 |\n\
            | µ     |     1 |   é |\n";
        assert_eq!(table().text(Form::Markdown), expected);
    }
}

//! The output of rows: format, columns, order and header.

use super::columns::{Column, RowKind};
use crate::{
    console::{Console, Format},
    row::Row,
};

/// The output of the rows of a command.
#[derive(Clone, Debug)]
pub(crate) struct RowFormat {
    pub(crate) format: Format,
    /// The columns of a table or of CSV.
    pub(super) columns: Vec<Column>,
    sort: Option<Sort>,
    pub(super) has_header: bool,
    pub(super) verbose: bool,
}

/// The order of rows.
#[derive(Clone, Debug)]
pub(crate) struct Sort {
    column: Column,
    descending: bool,
}

impl Sort {
    /// Parses the name of a column, with `-` in front for the descending order.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, descending) = match text.strip_prefix('-') {
            Some(name) => (name, true),
            None => (text, false),
        };
        let column = name.parse()?;
        Ok(Self { column, descending })
    }

    /// Sorts rows. Rows without a value are last; equal rows keep their order.
    fn sort(&self, rows: &mut [Row]) {
        let text = |row: &Row| self.column.text(row, false).into_owned();
        if self.descending {
            // An empty text is less than every other text.
            rows.sort_by_cached_key(|row| std::cmp::Reverse(text(row)));
        } else {
            rows.sort_by_cached_key(|row| {
                let text = text(row);
                (text.is_empty(), text)
            });
        }
    }
}

impl RowFormat {
    /// Returns the output without options.
    pub(crate) fn default_of(rows: RowKind, console: Console) -> Self {
        Self {
            format: console.output,
            columns: Self::default_columns(rows, console),
            sort: None,
            has_header: true,
            verbose: console.is_verbose(),
        }
    }

    fn default_columns(rows: RowKind, console: Console) -> Vec<Column> {
        match console.output {
            Format::Csv => Column::of_csv(rows),
            _ => Column::of_table(rows),
        }
    }

    /// Sets the columns of a table or of CSV.
    pub(crate) fn with_columns(mut self, columns: Vec<Column>) -> Self {
        self.columns = columns;
        self
    }

    /// Sets the order of the rows.
    pub(crate) fn with_sort(mut self, sort: Option<Sort>) -> Self {
        self.sort = sort;
        self
    }

    /// Removes the header.
    pub(crate) fn without_header(mut self) -> Self {
        self.has_header = false;
        self
    }

    /// Returns `true` if the rows are sorted, so that the first row is known after the last one.
    pub(crate) fn is_sorted(&self) -> bool {
        self.sort.is_some()
    }

    /// Returns `true` if the output shows details of instances, such as tags and addresses.
    pub(crate) fn has_details(&self) -> bool {
        let is_sorted_by_detail = |sort: &Sort| sort.column.is_detail();
        match self.format {
            Format::Json | Format::Jsonl => true,
            Format::Table | Format::Csv if self.columns.iter().any(Column::is_detail) => true,
            _ => self.sort.as_ref().is_some_and(is_sorted_by_detail),
        }
    }

    /// Sorts rows as requested.
    pub(crate) fn sort(&self, rows: &mut [Row]) {
        if let Some(sort) = &self.sort {
            sort.sort(rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(sort: &str, ids: &[&str]) -> Vec<String> {
        let mut rows: Vec<Row> = ids
            .iter()
            .map(|id| {
                let mut row = Row::of_reference(format!("baidu/bj/{id}").parse().unwrap());
                row.code = (*id != "none").then(|| id[..1].to_owned());
                row
            })
            .collect();
        Sort::parse(sort).unwrap().sort(&mut rows);
        let ids = rows.iter().map(|row| row.reference.instance.to_string());
        ids.collect()
    }

    #[test]
    fn rows_without_a_value_are_last_and_equal_rows_keep_their_order() {
        let ids = ["b2", "none", "a", "b1"];
        assert_eq!(sorted("code", &ids), ["a", "b2", "b1", "none"]);
        assert_eq!(sorted("-code", &ids), ["b2", "b1", "a", "none"]);
        assert!(Sort::parse("-cod").unwrap_err().contains("\"code\""));
    }
}

//! Arguments for the output of rows.

use crate::{
    completion,
    console::{Console, Format},
    exit::CommandError,
    output::{Column, RowFormat, RowKind, Sort},
};

/// Columns, order and header of the output.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Output options")]
pub(crate) struct TableArgs {
    /// Columns of a table or of CSV, separated by commas, for example instance,state,name. A wrong
    /// name shows all columns
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', add = completion::columns())]
    columns: Option<Vec<Column>>,

    /// Sort the rows by this column; -COLUMN sorts in descending order. The first row is printed after
    /// the last row is known, and all rows are kept in memory
    #[arg(long, value_name = "COLUMN", value_parser = Sort::parse, allow_hyphen_values = true, add = completion::columns())]
    sort: Option<Sort>,

    /// Print no header in a table or in CSV
    #[arg(long)]
    no_header: bool,
}

impl TableArgs {
    /// Returns the output of a command.
    ///
    /// # Errors
    /// An option for tables is set, but the output is not a table.
    pub(crate) fn format(
        &self,
        rows: RowKind,
        console: Console,
    ) -> Result<RowFormat, CommandError> {
        let is_table = matches!(console.output, Format::Table | Format::Csv);
        let option = match self {
            Self {
                columns: Some(_), ..
            } => Some("--columns"),
            Self {
                no_header: true, ..
            } => Some("--no-header"),
            _ => None,
        };
        if let Some(option) = option.filter(|_| !is_table) {
            return Err(CommandError::wrong_usage(format!(
                "{option} needs --output table or --output csv"
            )));
        }
        let mut format = RowFormat::default_of(rows, console).with_sort(self.sort.clone());
        if let Some(columns) = &self.columns {
            format = format.with_columns(columns.clone());
        }
        if self.no_header {
            format = format.without_header();
        }
        Ok(format)
    }
}

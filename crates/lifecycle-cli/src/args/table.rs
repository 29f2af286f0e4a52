//! Arguments for the output of rows.

use crate::{
    completion,
    output::{Column, Sort},
};

/// Columns, order and header of the output.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Output options")]
pub(crate) struct TableArgs {
    /// Columns of a table or of CSV, separated by commas, for example instance,state,name. A wrong
    /// name shows all columns
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', add = completion::columns())]
    pub(crate) columns: Option<Vec<Column>>,

    /// Sort the rows by this column; -COLUMN sorts in descending order. The first row is printed after
    /// the last row is known, and all rows are kept in memory
    #[arg(long, value_name = "COLUMN", value_parser = Sort::parse, allow_hyphen_values = true, add = completion::columns())]
    pub(crate) sort: Option<Sort>,

    /// Print no header in a table or in CSV
    #[arg(long)]
    pub(crate) no_header: bool,
}

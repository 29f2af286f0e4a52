//! The result matrix of the suite: one column for each cloud, one row for each case.

use std::fmt;

use serde_json::{Value, json};

use super::{CaseStatus, cases};

/// The statuses of one cloud under test, one for each case.
#[derive(Clone, Debug)]
pub struct Column {
    /// The name of the cloud under test.
    pub name: String,
    statuses: Vec<CaseStatus>,
}

impl Column {
    pub(super) fn new(name: impl Into<String>, statuses: Vec<CaseStatus>) -> Self {
        Self {
            name: name.into(),
            statuses,
        }
    }

    /// Returns the statuses in the order of [`cases`].
    pub fn statuses(&self) -> &[CaseStatus] {
        &self.statuses
    }
}

/// The statuses of several clouds under test.
#[derive(Clone, Debug)]
pub struct Matrix {
    columns: Vec<Column>,
    names: Vec<String>,
}

impl Matrix {
    /// Creates a matrix of `columns`.
    pub fn new(columns: Vec<Column>) -> Self {
        Self {
            columns,
            names: cases().into_iter().map(|case| case.name).collect(),
        }
    }

    /// Returns true if no case failed.
    pub fn is_green(&self) -> bool {
        self.count("fail") == 0
    }

    /// Returns the columns from left to right.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Returns the names of the cases from top to bottom, with the statuses from left to right.
    pub fn rows(&self) -> impl Iterator<Item = (&str, Vec<&CaseStatus>)> {
        self.names.iter().enumerate().map(|(number, name)| {
            let statuses = self.columns.iter();
            let statuses = statuses.filter_map(|column| column.statuses.get(number));
            (name.as_str(), statuses.collect())
        })
    }

    /// Counts the statuses with this word of [`CaseStatus::as_str`].
    pub fn count(&self, word: &str) -> usize {
        let statuses = self.columns.iter().flat_map(|column| &column.statuses);
        statuses.filter(|status| status.as_str() == word).count()
    }

    /// Returns an object for each status: `cloud`, `case`, `verdict` and `reason`, which is null for a pass.
    pub fn json(&self) -> Value {
        let cell = |name: &str, column: &Column, status: &CaseStatus| {
            json!({
                "cloud": column.name,
                "case": name,
                "verdict": status.as_str(),
                "reason": status.reason(),
            })
        };
        let rows = self.rows().flat_map(|(name, statuses)| {
            let cells = self.columns.iter().zip(statuses);
            cells.map(move |(column, status)| cell(name, column, status))
        });
        rows.collect()
    }
}

/// Writes the table for a terminal, then every reason.
impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.names.iter().map(String::len).max().unwrap_or_default();
        write!(f, "{:width$}", "")?;
        for column in &self.columns {
            write!(f, "  {:>CELL$}", column.name)?;
        }
        writeln!(f)?;
        for (name, statuses) in self.rows() {
            write!(f, "{name:width$}")?;
            for (status, column) in statuses.into_iter().zip(&self.columns) {
                let cell = CELL.max(column.name.len());
                write!(f, "  {:>cell$}", short(status))?;
            }
            writeln!(f)?;
        }
        for word in ["not applicable", "fail"] {
            self.reasons(f, word)?;
        }
        writeln!(
            f,
            "\n{} pass, {} not applicable, {} fail",
            self.count("pass"),
            self.count("not applicable"),
            self.count("fail")
        )
    }
}

/// The width of a status in the table.
const CELL: usize = 8;

fn short(status: &CaseStatus) -> &'static str {
    match status {
        CaseStatus::Passed => "pass",
        CaseStatus::Failed(_) => "FAIL",
        CaseStatus::NotApplicable(_) => "n/a",
    }
}

impl Matrix {
    fn reasons(&self, f: &mut fmt::Formatter<'_>, word: &str) -> fmt::Result {
        if self.count(word) > 0 {
            writeln!(f, "\n{word}:")?;
        }
        for (name, statuses) in self.rows() {
            for (status, column) in statuses.into_iter().zip(&self.columns) {
                if status.as_str() == word {
                    let reason = status.reason().unwrap_or_default();
                    writeln!(f, "- {}, {name}: {reason}", column.name)?;
                }
            }
        }
        Ok(())
    }
}

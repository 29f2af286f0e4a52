//! The verdicts of all cases, clouds across and scenarios down.

use std::fmt;

use serde_json::{Value, json};

use super::{Verdict, cases};

/// The verdicts of one subject, one for each case.
#[derive(Clone, Debug)]
pub struct Column {
    /// What was tried, such as the name of a cloud.
    pub name: String,
    verdicts: Vec<Verdict>,
}

impl Column {
    pub(super) fn new(name: impl Into<String>, verdicts: Vec<Verdict>) -> Self {
        Self {
            name: name.into(),
            verdicts,
        }
    }

    /// The verdicts in the order of [`cases`].
    pub fn verdicts(&self) -> &[Verdict] {
        &self.verdicts
    }
}

/// All columns beside each other.
#[derive(Clone, Debug)]
pub struct Matrix {
    columns: Vec<Column>,
    names: Vec<String>,
}

impl Matrix {
    /// A matrix of these columns.
    pub fn new(columns: Vec<Column>) -> Self {
        Self {
            columns,
            names: cases().into_iter().map(|case| case.name).collect(),
        }
    }

    /// Nothing failed.
    pub fn is_green(&self) -> bool {
        self.count("fail") == 0
    }

    /// What was tried, from left to right.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The cases from top to bottom, each with its verdicts from left to right.
    pub fn rows(&self) -> impl Iterator<Item = (&str, Vec<&Verdict>)> {
        self.names.iter().enumerate().map(|(number, name)| {
            let verdicts = self.columns.iter();
            let verdicts = verdicts.filter_map(|column| column.verdicts.get(number));
            (name.as_str(), verdicts.collect())
        })
    }

    /// How many verdicts are this word of [`Verdict::as_str`].
    pub fn count(&self, word: &str) -> usize {
        let verdicts = self.columns.iter().flat_map(|column| &column.verdicts);
        verdicts.filter(|verdict| verdict.as_str() == word).count()
    }

    /// An object for each verdict: `cloud`, `case`, `verdict` and `reason`, which is null for a pass.
    pub fn json(&self) -> Value {
        let cell = |name: &str, column: &Column, verdict: &Verdict| {
            json!({
                "cloud": column.name,
                "case": name,
                "verdict": verdict.as_str(),
                "reason": verdict.reason(),
            })
        };
        let rows = self.rows().flat_map(|(name, verdicts)| {
            let cells = self.columns.iter().zip(verdicts);
            cells.map(move |(column, verdict)| cell(name, column, verdict))
        });
        rows.collect()
    }
}

/// The table for a terminal, then every reason.
impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.names.iter().map(String::len).max().unwrap_or_default();
        write!(f, "{:width$}", "")?;
        for column in &self.columns {
            write!(f, "  {:>CELL$}", column.name)?;
        }
        writeln!(f)?;
        for (name, verdicts) in self.rows() {
            write!(f, "{name:width$}")?;
            for (verdict, column) in verdicts.into_iter().zip(&self.columns) {
                let cell = CELL.max(column.name.len());
                write!(f, "  {:>cell$}", short(verdict))?;
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

/// The width of a verdict in the table.
const CELL: usize = 8;

fn short(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "pass",
        Verdict::Failed(_) => "FAIL",
        Verdict::NotApplicable(_) => "n/a",
    }
}

impl Matrix {
    fn reasons(&self, f: &mut fmt::Formatter<'_>, word: &str) -> fmt::Result {
        if self.count(word) > 0 {
            writeln!(f, "\n{word}:")?;
        }
        for (name, verdicts) in self.rows() {
            for (verdict, column) in verdicts.into_iter().zip(&self.columns) {
                if verdict.as_str() == word {
                    let reason = verdict.reason().unwrap_or_default();
                    writeln!(f, "- {}, {name}: {reason}", column.name)?;
                }
            }
        }
        Ok(())
    }
}

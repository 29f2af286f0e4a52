//! What is told about a file that cannot be used.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// A configuration that cannot be used, with everything that is wrong with it.
///
/// Prints a line for each problem, such as `lifecycle.toml:12: there is no setting "reigon" in
/// [accounts.prod]; did you mean "region"?`. What may be a secret is never quoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    file: Option<PathBuf>,
    problems: Vec<ConfigProblem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct ConfigProblem {
    /// The line of the file, from 1; `None` when it is about the file as a whole.
    pub line: Option<usize>,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl ConfigError {
    /// The problems in the order of the file; at least one.
    pub fn problems(&self) -> &[ConfigProblem] {
        &self.problems
    }

    /// The file; `None` for a text from elsewhere.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    pub(super) fn unreadable(file: &Path, error: &io::Error) -> Self {
        Self {
            file: Some(file.to_owned()),
            problems: vec![ConfigProblem {
                line: None,
                message: format!("cannot be read: {error}"),
            }],
        }
    }

    pub(super) fn unless_empty(
        mut problems: Vec<ConfigProblem>,
        file: Option<&Path>,
    ) -> Result<(), Self> {
        if problems.is_empty() {
            return Ok(());
        }
        problems.sort();
        Err(Self {
            file: file.map(Path::to_owned),
            problems,
        })
    }

    pub(super) fn in_file(mut self, file: &Path) -> Self {
        self.file = Some(file.to_owned());
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            match (&self.file, problem.line) {
                (Some(file), Some(line)) => write!(f, "{}:{line}: ", file.display())?,
                (Some(file), None) => write!(f, "{}: ", file.display())?,
                (None, Some(line)) => write!(f, "line {line}: ")?,
                (None, None) => {}
            }
            f.write_str(&problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

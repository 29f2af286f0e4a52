//! The error of a configuration, with one diagnostic for each mistake.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// A configuration is invalid. Holds every mistake in the text.
///
/// Prints a line for each mistake, such as `lifecycle.toml:12: unknown setting "reigon" in
/// [accounts.prod]; did you mean "region"?`. The messages do not quote possible secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    file: Option<PathBuf>,
    diagnostics: Vec<Diagnostic>,
}

/// A mistake in a configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Diagnostic {
    /// The line of the file, from 1; `None` for a mistake of the whole file.
    pub line: Option<usize>,
    /// The mistake, and the text to write instead.
    pub message: String,
}

impl ConfigError {
    /// Returns the mistakes in the order of the file; at least one.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Returns the file; `None` for a text from elsewhere.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    pub(super) fn unreadable(file: &Path, error: &io::Error) -> Self {
        Self {
            file: Some(file.to_owned()),
            diagnostics: vec![Diagnostic {
                line: None,
                message: format!("cannot be read: {error}"),
            }],
        }
    }

    pub(super) fn unless_empty(
        mut diagnostics: Vec<Diagnostic>,
        file: Option<&Path>,
    ) -> Result<(), Self> {
        if diagnostics.is_empty() {
            return Ok(());
        }
        diagnostics.sort();
        Err(Self {
            file: file.map(Path::to_owned),
            diagnostics,
        })
    }

    pub(super) fn in_file(mut self, file: &Path) -> Self {
        self.file = Some(file.to_owned());
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.diagnostics.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            match (&self.file, diagnostic.line) {
                (Some(file), Some(line)) => write!(f, "{}:{line}: ", file.display())?,
                (Some(file), None) => write!(f, "{}: ", file.display())?,
                (None, Some(line)) => write!(f, "line {line}: ")?,
                (None, None) => {}
            }
            f.write_str(&diagnostic.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

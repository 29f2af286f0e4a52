//! The collector of all mistakes that the reading of a configuration file finds.

use std::{cell::RefCell, ops::Range};

use super::error::{ConfigError, Diagnostic};

/// The diagnostics so far, and the line breaks of the text.
#[derive(Debug)]
pub(super) struct Diagnostics {
    /// The offset of each line feed.
    breaks: Vec<usize>,
    found: RefCell<Vec<Diagnostic>>,
}

impl Diagnostics {
    /// Returns an empty collector for `text`.
    pub(super) fn of(text: &str) -> Self {
        Self {
            breaks: text.match_indices('\n').map(|(at, _)| at).collect(),
            found: RefCell::default(),
        }
    }

    /// Returns the line, from 1, of the start of `span`.
    pub(super) fn line(&self, span: Range<usize>) -> usize {
        1 + self.breaks.partition_point(|at| *at < span.start)
    }

    /// Adds a diagnostic, with the line of `span` if there is a span.
    pub(super) fn add(&self, span: impl Into<Option<Range<usize>>>, message: impl Into<String>) {
        let diagnostic = Diagnostic {
            line: span.into().map(|span| self.line(span)),
            message: message.into(),
        };
        self.found.borrow_mut().push(diagnostic);
    }

    /// Returns `value` if there are no diagnostics.
    pub(super) fn into_result<T>(self, value: T) -> Result<T, ConfigError> {
        ConfigError::unless_empty(self.found.into_inner(), None).map(|()| value)
    }
}

//! What is wrong with a text, collected while it is read.

use std::{cell::RefCell, ops::Range};

use super::problem::{ConfigError, ConfigProblem};

/// The problems found so far, and where lines begin.
#[derive(Debug)]
pub(super) struct Findings {
    /// The offset of each line feed.
    breaks: Vec<usize>,
    problems: RefCell<Vec<ConfigProblem>>,
}

impl Findings {
    /// Nothing yet, about `text`.
    pub(super) fn of(text: &str) -> Self {
        Self {
            breaks: text.match_indices('\n').map(|(at, _)| at).collect(),
            problems: RefCell::default(),
        }
    }

    /// The line, from 1, where `span` begins.
    pub(super) fn line(&self, span: Range<usize>) -> usize {
        1 + self.breaks.partition_point(|at| *at < span.start)
    }

    /// One more problem, at a place if it has one.
    pub(super) fn add(&self, span: impl Into<Option<Range<usize>>>, message: impl Into<String>) {
        let problem = ConfigProblem {
            line: span.into().map(|span| self.line(span)),
            message: message.into(),
        };
        self.problems.borrow_mut().push(problem);
    }

    /// `value`, if nothing was found.
    pub(super) fn into_result<T>(self, value: T) -> Result<T, ConfigError> {
        ConfigError::unless_empty(self.problems.into_inner(), None).map(|()| value)
    }
}

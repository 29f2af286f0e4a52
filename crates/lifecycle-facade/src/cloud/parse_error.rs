//! The error for a text that is not a cloud, a location or an instance reference.

/// A text is not a valid reference. The message says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseReferenceError(String);

impl ParseReferenceError {
    pub(crate) fn new(message: String) -> Self {
        Self(message)
    }
}

impl From<std::convert::Infallible> for ParseReferenceError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

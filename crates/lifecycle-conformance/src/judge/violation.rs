//! Conformance: violations of the client's promises.

use std::fmt;

/// A broken promise of the client.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The name of the promise.
    pub promise: &'static str,
    /// The facts that contradict the promise.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.promise, self.detail)
    }
}

/// The list of violations in a run.
#[derive(Default)]
pub(super) struct Violations(pub(super) Vec<Violation>);

impl Violations {
    pub(super) fn add(&mut self, promise: &'static str, detail: String) {
        self.0.push(Violation { promise, detail });
    }
}

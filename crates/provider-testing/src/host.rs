//! Test helper: a host in memory, with variables and files.

use std::collections::HashMap;

use lifecycle_core::{HostEnvironment, credential_source::FileCheck};

/// A host with these variables and files, and nothing else.
#[derive(Debug, Default)]
pub struct FakeHost {
    texts: HashMap<String, String>,
    expected_check: Option<fn(&str) -> FileCheck>,
}

impl FakeHost {
    /// The text of an existing file without read permission.
    pub const UNREADABLE: &str = "unreadable";

    /// Returns a host with these texts. A name with a `/` is the path of a file; other names are
    /// variables.
    pub fn new(texts: &[(&str, &str)]) -> Self {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        Self {
            texts: texts.iter().map(owned).collect(),
            expected_check: None,
        }
    }

    /// Compares the check of each read file with the result of `expected` for the path.
    #[must_use]
    pub fn with_expected_check(mut self, expected: fn(&str) -> FileCheck) -> Self {
        self.expected_check = Some(expected);
        self
    }
}

impl HostEnvironment for FakeHost {
    fn variable(&self, name: &str) -> Option<String> {
        self.texts
            .get(name)
            .filter(|_| !name.contains('/'))
            .cloned()
    }

    fn file(&self, path: &str, check: FileCheck) -> Result<Option<String>, String> {
        if let Some(expected) = self.expected_check {
            assert_eq!(check, expected(path), "{path}");
        }
        match self.texts.get(path).map(String::as_str) {
            Some(Self::UNREADABLE) => Err("cannot be read: permission denied".to_owned()),
            text => Ok(text.map(str::to_owned)),
        }
    }
}

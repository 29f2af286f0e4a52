//! Test helper: a host in memory, with variables and files.

use std::collections::HashMap;

use lifecycle_core::{HostEnvironment, credential_source::FileCheck};

/// A host whose only variables and files are the given ones.
#[derive(Debug, Default)]
pub struct FakeHost {
    variables_and_files: HashMap<String, String>,
    expected_check: Option<fn(&str) -> FileCheck>,
}

impl FakeHost {
    /// The text that makes a file exist without read permission.
    pub const UNREADABLE: &str = "unreadable";

    /// Returns a host with these texts. A name with a `/` is the path of a file; another name is a variable, and
    /// also the path of a file in the current directory.
    pub fn new(texts: &[(&str, &str)]) -> Self {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        Self {
            variables_and_files: texts.iter().map(owned).collect(),
            expected_check: None,
        }
    }

    /// Sets the expected check of each path. A request for a file with another check panics, also if the file
    /// does not exist.
    #[must_use]
    pub fn with_expected_check(mut self, expected: fn(&str) -> FileCheck) -> Self {
        self.expected_check = Some(expected);
        self
    }
}

impl HostEnvironment for FakeHost {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables_and_files
            .get(name)
            .filter(|_| !name.contains('/'))
            .cloned()
    }

    fn file(&self, path: &str, check: FileCheck) -> Result<Option<String>, String> {
        if let Some(expected) = self.expected_check {
            assert_eq!(check, expected(path), "{path}");
        }
        match self.variables_and_files.get(path).map(String::as_str) {
            Some(Self::UNREADABLE) => Err("cannot be read: permission denied".to_owned()),
            text => Ok(text.map(str::to_owned)),
        }
    }
}

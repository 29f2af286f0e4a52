//! Ids of instances and jobs, and tokens of pages.

use std::{fmt, str::FromStr, sync::Arc};

/// The id of one instance, as the cloud writes the id. Cheap to clone.
///
/// An id has 1 to 128 letters, digits, `-`, `_` and `.`, and at least one character that is not a
/// dot. So an id needs no encoding and cannot change the meaning of a URL, a query or a JSON body.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceId(Arc<str>);

impl InstanceId {
    /// Parses an id.
    ///
    /// # Errors
    /// [`ParseInstanceIdError`] if the text is empty, too long, or has other characters.
    pub fn new(text: &str) -> Result<Self, ParseInstanceIdError> {
        let invalid = |problem| ParseInstanceIdError {
            text: text.chars().take(MAX_LENGTH).collect(),
            problem,
        };
        if text.is_empty() {
            return Err(invalid("is empty"));
        }
        if text.len() > MAX_LENGTH {
            return Err(invalid("is longer than 128 characters"));
        }
        if !text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        {
            return Err(invalid(
                "has characters other than letters, digits, -, _ and .",
            ));
        }
        if text.bytes().all(|b| b == b'.') {
            return Err(invalid("has dots only"));
        }
        Ok(Self(text.into()))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const MAX_LENGTH: usize = 128;

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl FromStr for InstanceId {
    type Err = ParseInstanceIdError;

    fn from_str(text: &str) -> Result<Self, ParseInstanceIdError> {
        Self::new(text)
    }
}

impl TryFrom<&str> for InstanceId {
    type Error = ParseInstanceIdError;

    fn try_from(text: &str) -> Result<Self, ParseInstanceIdError> {
        Self::new(text)
    }
}

impl TryFrom<&&str> for InstanceId {
    type Error = ParseInstanceIdError;

    fn try_from(text: &&str) -> Result<Self, ParseInstanceIdError> {
        Self::new(text)
    }
}

impl TryFrom<String> for InstanceId {
    type Error = ParseInstanceIdError;

    fn try_from(text: String) -> Result<Self, ParseInstanceIdError> {
        Self::new(&text)
    }
}

impl TryFrom<&String> for InstanceId {
    type Error = ParseInstanceIdError;

    fn try_from(text: &String) -> Result<Self, ParseInstanceIdError> {
        Self::new(text)
    }
}

impl From<&InstanceId> for InstanceId {
    fn from(id: &InstanceId) -> Self {
        id.clone()
    }
}

impl AsRef<str> for InstanceId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl serde::Serialize for InstanceId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// The error of an invalid instance id. No request was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("instance id {text:?} {problem}")]
pub struct ParseInstanceIdError {
    text: String,
    problem: &'static str,
}

impl From<std::convert::Infallible> for ParseInstanceIdError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

/// The id of a job that a cloud created for an action.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JobId(String);

impl JobId {
    /// Parses an id in a response; `None` if the id needs encoding in a URL.
    pub fn new(text: &str) -> Option<Self> {
        InstanceId::new(text).is_ok().then(|| Self(text.to_owned()))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The position of a further page in a list. Only the provider that made the token can read the
/// token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageToken(String);

impl PageToken {
    /// Returns a token with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the token as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_that_could_change_a_url_is_rejected() {
        for good in [
            "i-YufwpQAe",
            "616fb98f-46ca-475e-917e-2563e5a8cd19",
            "a.b_c",
        ] {
            assert_eq!(InstanceId::new(good).unwrap().as_str(), good);
        }
        let long = "x".repeat(129);
        for bad in [
            "", ".", "..", "a/b", "a b", "a?b", "ü", "a%2fb", "a\nb", &long,
        ] {
            assert!(InstanceId::new(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn id_has_at_most_128_characters_and_the_same_text_in_every_form() {
        let longest = "x".repeat(128);
        let id = InstanceId::new(&longest).unwrap();
        let text: &str = id.as_ref();
        assert_eq!(text, longest);
        assert_eq!(id.to_string(), longest);
        let texts = [
            longest.parse(),
            InstanceId::try_from(longest.as_str()),
            InstanceId::try_from(&longest.as_str()),
            InstanceId::try_from(longest.clone()),
            InstanceId::try_from(&longest),
        ];
        for parsed in texts {
            assert_eq!(parsed.as_ref(), Ok(&id));
        }
        assert_eq!(
            InstanceId::new("a/b").unwrap_err().to_string(),
            "instance id \"a/b\" has characters other than letters, digits, -, _ and ."
        );
    }

    #[test]
    fn job_needs_an_id_without_encoding_and_a_token_is_any_text() {
        assert_eq!(JobId::new("job-1").unwrap().as_str(), "job-1");
        assert_eq!(JobId::new("a/b"), None);
        assert_eq!(PageToken::new("a/b=").as_str(), "a/b=");
    }
}

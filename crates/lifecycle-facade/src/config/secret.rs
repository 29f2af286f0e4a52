//! What must not stand in the file: secrets, under whatever name.

use std::fmt;

/// The name of an environment variable: capitals, digits and `_`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VariableName(String);

impl VariableName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `None` when the text is no such name, or may rather be a key. Names in small letters would
    /// work, but so is many a password written.
    pub(super) fn read(text: &str) -> Option<Self> {
        let is_name = text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
            && !text.starts_with(|first: char| first.is_ascii_digit())
            && !text.is_empty();
        (is_name && !may_be_one(text)).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for VariableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Whether a text may be a key or a secret: the clouds issue 20 to 64 letters and digits in a row,
/// or mix both cases and digits. Of endpoints and times only a few look like that.
pub(super) fn may_be_one(text: &str) -> bool {
    const SHORTEST: usize = 20;
    let is_run = text
        .split(|c: char| !c.is_ascii_alphanumeric() && !"+/=".contains(c))
        .any(|run| run.len() >= SHORTEST);
    let has = |kind: fn(&u8) -> bool| text.bytes().any(|b| kind(&b));
    is_run || has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit)
}

/// Where secrets go instead.
pub(super) const INSTEAD: &str = "no key and no secret belongs into this file: put them into environment \
    variables that credentials = { source = \"variables\", id = \"...\", secret = \"...\" } names, \
    or into the files of the cloud's own tools";

/// Whether a key or a secret is what somebody would write under this name.
pub(super) fn is_name_of_one(setting: &str) -> bool {
    let letters: String = setting
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    WHOLE.contains(&letters.as_str()) || PARTS.iter().any(|part| letters.contains(part))
}

const WHOLE: [&str; 6] = ["ak", "sk", "key", "keyid", "pass", "pwd"];
const PARTS: [&str; 7] = [
    "secret",
    "password",
    "passwd",
    "passphrase",
    "token",
    "accesskey",
    "apikey",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_variables_are_told_from_keys() {
        for name in [
            "TOKEN",
            "PROD_KEY_ID",
            "_X",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET_2",
            "HUAWEICLOUD_SDK_SK",
        ] {
            assert!(VariableName::read(name).is_some(), "{name}");
        }
        for key in [
            "",
            "1ST",
            "PROD-KEY",
            "$PROD_KEY",
            "A B",
            "ÄRGER",
            "hunter2",
            "prod_key",
            // Made up, in the shapes of the four clouds' keys.
            "LTAI5tAbCdEfGhIjKlMnOpQr",
            "3f0e9a7c5b1d4e8f9a2b6c7d8e9f0a1b",
            "ABCDEFGHIJKLMNOPQRST",
            "aBcDeFgHiJkLmNoPqRsTuVwXyZ0123",
            "ab_Cd9_efg",
        ] {
            assert!(VariableName::read(key).is_none(), "{key}");
        }
    }

    #[test]
    fn secrets_are_known_by_what_they_are_called() {
        for name in [
            "secret",
            "access_key_secret",
            "access-key-id",
            "Password",
            "session_token",
            "secretAccessKey",
            "sk",
        ] {
            assert!(is_name_of_one(name), "{name}");
        }
        for name in ["region", "task", "keyboard", "profile"] {
            assert!(!is_name_of_one(name), "{name}");
        }
    }
}

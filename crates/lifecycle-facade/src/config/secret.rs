//! Detects keys and secrets in the configuration file: none are allowed, under any name.

use std::fmt;

/// The name of an environment variable: capital letters, digits and `_`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VariableName(String);

impl VariableName {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns `None` for an invalid name and for a text that looks like a key. Names in lower case
    /// would work, but many passwords are in lower case.
    pub(super) fn read(text: &str) -> Option<Self> {
        let is_name = text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
            && !text.starts_with(|first: char| first.is_ascii_digit())
            && !text.is_empty();
        (is_name && !may_be_secret(text)).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for VariableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Returns true for a text that looks like a key or a secret. The clouds issue 20 to 64 letters and
/// digits in a row, or mix both cases and digits. Few endpoints and durations look like a secret.
pub(super) fn may_be_secret(text: &str) -> bool {
    const MIN_SECRET_LEN: usize = 20;
    let is_run = text
        .split(|c: char| !c.is_ascii_alphanumeric() && !"+/=".contains(c))
        .any(|run| run.len() >= MIN_SECRET_LEN);
    let has = |kind: fn(&u8) -> bool| text.bytes().any(|b| kind(&b));
    is_run || has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit)
}

/// The advice for a secret in the file.
pub(super) const NOT_IN_THIS_FILE: &str = "do not write keys or secrets into this file: put them into environment \
    variables, and write the names of the variables into \
    credentials = { source = \"variables\", id = \"...\", secret = \"...\" }, \
    or use the files of the cloud's own tools";

/// Returns true for a setting name that suggests a key or a secret.
pub(super) fn is_secret_name(setting: &str) -> bool {
    let letters: String = setting
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    SECRET_NAMES.contains(&letters.as_str())
        || SECRET_NAME_PARTS.iter().any(|part| letters.contains(part))
}

/// Names of secrets, compared with a whole name.
const SECRET_NAMES: [&str; 6] = ["ak", "sk", "key", "keyid", "pass", "pwd"];
/// Parts of the names of secrets.
const SECRET_NAME_PARTS: [&str; 7] = [
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
    fn keys_are_not_names_of_variables() {
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
            // Invented keys in the formats of the clouds.
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
    fn setting_names_that_suggest_a_secret_are_recognized() {
        for name in [
            "secret",
            "access_key_secret",
            "access-key-id",
            "Password",
            "session_token",
            "secretAccessKey",
            "sk",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["region", "task", "keyboard", "profile"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}

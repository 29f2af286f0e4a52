//! The rule for names of accounts, groups, calendars and schedules.

use crate::cloud::Clouds;

/// Describes the problem of an invalid account or group name.
pub(super) fn name_problem(name: &str, clouds: Clouds<'_>) -> Option<&'static str> {
    let is_word = name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !is_word {
        return Some("invalid name: start with a letter or digit; use letters, digits, - and _");
    }
    clouds
        .iter()
        .any(|cloud| cloud.name == name)
        .then_some("this is the name of a cloud: choose another name")
}

//! The conditions of a list that ECS can apply:
//! <https://support.huaweicloud.com/api-ecs/zh-cn_topic_0094148850.html>.
//!
//! A parameter has one value. A list of several values is left out, and the client applies the condition.
//! `server_id` is not sent, because the cloud ignores the other parameters then.

use std::borrow::Cow;

use lifecycle_core::{InstanceFilter, NamePattern, PowerState, TagCondition};

/// Returns the parameters of `filter`, not encoded.
pub(crate) fn parameters(filter: &InstanceFilter) -> Vec<(&'static str, Cow<'_, str>)> {
    let mut parameters = Vec::new();
    if let [pattern] = filter.names.as_slice()
        && let Some(part) = name_part(pattern)
    {
        parameters.push(("name", part.into()));
    }
    if let [state] = filter.states.as_slice()
        && let Some(status) = status(*state)
    {
        parameters.push(("status", status.into()));
    }
    if let Some(tag) = filter.tags.iter().find_map(tag) {
        parameters.push(("tags", tag.into()));
    }
    if let [address] = filter.private_ips.as_slice()
        && !address.contains(':')
    {
        parameters.push(("ip_eq", address.into()));
    }
    if let [flavor] = filter.instance_types.as_slice() {
        parameters.push(("flavor", flavor.into()));
    }
    parameters
}

/// Returns the longest part of the name that has the same meaning in a search for a part of the name and
/// in a regular expression. The pages call the search fuzzy, with `.` as a wildcard.
fn name_part(pattern: &NamePattern) -> Option<&str> {
    let is_special = |c: char| "*?^$+()[]{}|\\".contains(c);
    let parts = pattern.as_str().split(is_special);
    parts
        .max_by_key(|part| part.len())
        .filter(|part| !part.is_empty())
}

/// Returns the status of a filter that returns at least the servers in this state. A stopped server can
/// have one of several statuses, and so can a server that changes.
fn status(state: PowerState) -> Option<&'static str> {
    match state {
        PowerState::Running => Some("ACTIVE"),
        PowerState::Failed => Some("ERROR"),
        _ => None,
    }
}

/// Returns `key=value`. The meaning of several tags, of a key alone and of separators in a key or a value
/// is not documented.
fn tag(condition: &TagCondition) -> Option<String> {
    let TagCondition::Equals { key, value } = condition else {
        return None;
    };
    let is_plain = |text: &str| !text.is_empty() && !text.contains(['=', ',']);
    (is_plain(key) && is_plain(value)).then(|| format!("{key}={value}"))
}

#[cfg(test)]
mod tests;

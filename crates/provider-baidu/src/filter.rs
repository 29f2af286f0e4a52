//! The conditions of a list that BCC can apply: <https://cloud.baidu.com/doc/BCC/s/Xjwvyodmx>.
//!
//! BCC combines parameters with AND, and values in one parameter, which are separated by commas, with OR.
//! A condition that a parameter cannot express is left out, and the client applies the condition.

use lifecycle_core::{InstanceFilter, InstanceId, NamePattern, PowerState, TagCondition, encode};

/// Returns the parameters of `filter`, percent-encoded, each with `&` in front.
pub(crate) fn parameters(filter: &InstanceFilter) -> String {
    let mut query = String::new();
    let mut add = |key: &str, value: &str| {
        query.extend(["&", key, "=", &encode::percent(value)]);
    };
    if let Some(names) = exact_names(&filter.names) {
        add("instanceNames", &names);
    } else if let [pattern] = filter.names.as_slice()
        && !pattern.longest_literal().is_empty()
    {
        add("fuzzyInstanceName", pattern.longest_literal());
    }
    if let Some(tag) = filter.tags.iter().find_map(tag) {
        add("tags", &tag);
    }
    if let [zone] = filter.zones.as_slice()
        && is_one_value(zone)
    {
        add("zoneName", zone);
    }
    if let [state] = filter.states.as_slice()
        && let Some(status) = status(*state)
    {
        add("status", status);
    }
    if let [address] = filter.private_ips.as_slice()
        && is_ipv4(address)
    {
        add("internalIp", address);
    }
    if (1..=MAX_VALUES).contains(&filter.instances.len()) {
        add("instanceIds", &ids(&filter.instances));
    }
    query
}

/// Returns the ids, separated by commas.
pub(crate) fn ids(ids: &[InstanceId]) -> String {
    let ids: Vec<&str> = ids.iter().map(InstanceId::as_str).collect();
    ids.join(",")
}

/// The maximum number of values in one parameter.
const MAX_VALUES: usize = 100;

/// Returns the names, separated by commas, if no pattern has a wildcard and no name has a comma.
fn exact_names(patterns: &[NamePattern]) -> Option<String> {
    if !(1..=MAX_VALUES).contains(&patterns.len()) {
        return None;
    }
    let name = |pattern: &NamePattern| {
        pattern
            .literal()
            .filter(|name| is_one_value(name))
            .map(str::to_owned)
    };
    let names: Vec<String> = patterns.iter().map(name).collect::<Option<_>>()?;
    Some(names.join(","))
}

/// Returns `key:value` or `key`. Several tags would be alternatives, so a list has one tag only. `key:`
/// could have either meaning, so the key alone stands for an empty value.
fn tag(condition: &TagCondition) -> Option<String> {
    let is_plain = |text: &str| is_one_value(text) && !text.contains(':');
    match condition {
        TagCondition::Equals { key, value } if is_plain(key) && value.is_empty() => {
            Some(key.clone())
        }
        TagCondition::Equals { key, value } if is_plain(key) && is_plain(value) => {
            Some(format!("{key}:{value}"))
        }
        TagCondition::Present(key) if is_plain(key) => Some(key.clone()),
        _ => None,
    }
}

fn is_one_value(text: &str) -> bool {
    !text.contains(',')
}

/// Returns true for an address that can be the value of `internalIp`, which is an IPv4 address.
fn is_ipv4(address: &str) -> bool {
    !address.contains([':', ','])
}

/// Returns the status of exactly the instances in this state, among the documented values of the
/// parameter.
fn status(state: PowerState) -> Option<&'static str> {
    Some(match state {
        PowerState::Starting => "Starting",
        PowerState::Running => "Running",
        PowerState::Stopping => "Stopping",
        PowerState::Stopped => "Stopped",
        PowerState::Recycled => "Recycled",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;

//! The conditions of a list that ECS can apply:
//! <https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-describeinstances>
//!
//! ECS combines conditions with AND, and most parameters have one value. A list of several values is left
//! out, and the client applies the condition.
//!
//! `PrivateIpAddresses` is not sent. According to its description, the parameter is about instances in a
//! VPC, and the details have addresses of other networks and of further network interfaces as well.

use std::slice;

use lifecycle_core::{InstanceFilter, NamePattern, PowerState, TagCondition};

use crate::wire::{LIMIT, Query, encoded_array};

/// Adds the parameters of `filter`, except tags.
pub(crate) fn add_conditions<'a>(mut query: Query<'a>, filter: &InstanceFilter) -> Query<'a> {
    if let [pattern] = filter.names.as_slice() {
        query = query.with("InstanceName", &wildcard(pattern));
    }
    if let [state] = filter.states.as_slice()
        && let Some(status) = status(*state)
    {
        query = query.with("Status", status);
    }
    if let [zone] = filter.zones.as_slice() {
        query = query.with("ZoneId", zone);
    }
    if let [instance_type] = filter.instance_types.as_slice() {
        query = query.with("InstanceType", instance_type);
    }
    if (1..=LIMIT).contains(&filter.instances.len()) {
        query = query.with_encoded("InstanceIds", &encoded_array(&filter.instances));
    }
    query
}

/// Adds `Tag.N.Key` and `Tag.N.Value`.
pub(crate) fn add_tags<'a>(mut query: Query<'a>, filter: &InstanceFilter) -> Query<'a> {
    for (index, (key, value)) in sent_tags(filter).enumerate() {
        let number = index + 1;
        query = query.with(format!("Tag.{number}.Key"), key);
        if let Some(value) = value {
            query = query.with(format!("Tag.{number}.Value"), value);
        }
    }
    query
}

/// Returns true if the request selects by tags.
pub(crate) fn has_tags(filter: &InstanceFilter) -> bool {
    sent_tags(filter).next().is_some()
}

/// The number of instances with the selected tags that ECS lists: "if you use a single tag to filter
/// resources, the number of resources with this tag cannot exceed 1,000", and the same for several tags.
pub(crate) const MAX_TAGGED: usize = 1000;

/// The maximum number of tags in one request.
const MAX_TAGS: usize = 20;

/// Returns key and value of the tags to send. A condition that ECS has no parameter for is left out, and
/// so is a key that no tag of a user can have: ECS may reject such a key.
fn sent_tags(filter: &InstanceFilter) -> impl Iterator<Item = (&str, Option<&str>)> {
    fn sent(condition: &TagCondition) -> Option<(&str, Option<&str>)> {
        let (key, value) = match condition {
            TagCondition::Equals { key, value } => (key, Some(value.as_str())),
            TagCondition::Present(key) => (key, None),
            _ => return None,
        };
        let is_valid = |text: &&str| !text.contains("://") && text.chars().count() <= 128;
        let is_valid = [Some(key.as_str()), value].iter().flatten().all(is_valid);
        let lower = key.to_ascii_lowercase();
        let is_reserved = lower.starts_with("aliyun") || lower.starts_with("acs:");
        (is_valid && !is_reserved).then_some((key, value))
    }
    let conditions: slice::Iter<'_, TagCondition> = filter.tags.iter();
    conditions.filter_map(sent).take(MAX_TAGS)
}

/// Returns the pattern with the only wildcard of ECS, `*`.
fn wildcard(pattern: &NamePattern) -> String {
    pattern.as_str().replace('?', "*")
}

/// Returns the status of exactly the instances in this state.
fn status(state: PowerState) -> Option<&'static str> {
    Some(match state {
        PowerState::Creating => "Pending",
        PowerState::Starting => "Starting",
        PowerState::Running => "Running",
        PowerState::Stopping => "Stopping",
        PowerState::Stopped => "Stopped",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;

//! The conditions of a list that ZEC can apply, as parameters of `DescribeInstances`. The parameters are in
//! the description of the command line `zeno` and in the models of Zenlayer's Python SDK
//! (`zenlayercloud-sdk-python` 2.0.77).
//!
//! A parameter has one value, except ids and tags. A list of several values is left out, and the client
//! applies the condition. `ipv4Address` is not sent: no document says that the parameter covers private
//! addresses.

use lifecycle_core::{InstanceFilter, InstanceId, PowerState, TagCondition};
use serde_json::{Value, json};

use crate::PROFILE;

/// Returns the fields of `filter`, except ids.
pub(crate) fn fields(filter: &InstanceFilter) -> Vec<(&'static str, Value)> {
    let mut fields = Vec::new();
    // The name of the cloud is fuzzy, so a part of the name is enough.
    if let [pattern] = filter.names.as_slice()
        && !pattern.longest_literal().is_empty()
    {
        fields.push(("name", pattern.longest_literal().into()));
    }
    if let [zone] = filter.zones.as_slice() {
        fields.push(("zoneId", zone.as_str().into()));
    }
    if let [state] = filter.states.as_slice()
        && let Some(status) = status(*state)
    {
        fields.push(("status", status.into()));
    }
    let mut keys: Vec<Value> = Vec::new();
    let mut tags: Vec<Value> = Vec::new();
    for condition in &filter.tags {
        match condition {
            // An empty value could mean any value or no parameter.
            TagCondition::Equals { key, value } if value.is_empty() => {
                keys.push(key.as_str().into());
            }
            TagCondition::Equals { key, value } => tags.push(json!({"key": key, "value": value})),
            TagCondition::Present(key) => keys.push(key.as_str().into()),
            _ => {}
        }
    }
    for (name, mut values) in [("tagKeys", keys), ("tags", tags)] {
        values.truncate(MAX_TAGS);
        if !values.is_empty() {
            fields.push((name, values.into()));
        }
    }
    fields
}

/// Returns the ids to send: none if there are more ids than one request can have.
pub(crate) fn ids(filter: &InstanceFilter) -> &[InstanceId] {
    match filter.instances.len() <= PROFILE.batch_limits.observe {
        true => &filter.instances,
        false => &[],
    }
}

/// The maximum number of tags, and of keys of tags, in one request.
const MAX_TAGS: usize = 20;

/// Returns the status of exactly the instances in this state. Other states have several values.
fn status(state: PowerState) -> Option<&'static str> {
    Some(match state {
        PowerState::Running => "RUNNING",
        PowerState::Stopping => "STOPPING",
        PowerState::Stopped => "STOPPED",
        PowerState::Rebooting => "REBOOT",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
